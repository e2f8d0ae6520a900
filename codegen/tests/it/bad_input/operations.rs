//! Paths, bodies, answers, security and other facts of operations.

use super::*;

#[test]
fn paths() {
    let at = |path: &str| {
        let mut document = harbour();
        let item = support::take_out(&mut document["paths"], "/~1ports~1{port_id}~1ships");
        document["paths"][path] = item;
        document
    };
    let mut optional = harbour();
    put(
        &mut optional,
        &format!("{LIST}/parameters/0/required"),
        json!(false),
    );
    check(vec![
        (
            "parameter missing in the path",
            at("/ports/ships"),
            Fails("path", "/paths/~1ports~1ships/get", NAMED),
        ),
        (
            "another parameter in the path",
            at("/ports/{port}/ships"),
            Fails("path", "/get", NAMED),
        ),
        (
            "half a segment",
            at("/ports/a{port_id}/ships"),
            Fails("path", "/get", NAMED),
        ),
        (
            "an open brace",
            at("/ports/{port_id/ships"),
            Fails("path", "/get", NAMED),
        ),
        ("no slash", at("ports/{port_id}"), Fails("path", "/get", NAMED)),
        (
            "twice in the path",
            at("/{port_id}/{port_id}"),
            Fails("path", "/get", NAMED),
        ),
        (
            "a query in the path",
            at("/ports/{port_id}?a=b"),
            Fails("path", "/get", NAMED),
        ),
        (
            "a backtick",
            at("/ports/{port_id}/`"),
            Fails("path", "/get", NAMED),
        ),
        (
            "a space",
            at("/ports/{port_id}/a b"),
            Fails("path", "/get", NAMED),
        ),
        ("optional", optional, Fails("parameter", "/parameters/0", NAMED)),
        (
            "an unknown method",
            harbour_with(
                "/paths/~1second",
                json!({ "head": operation("Head", "Ships", text()) }),
            ),
            Fails("method", "/paths/~1second/head", Some("Head")),
        ),
        (
            "an empty path item",
            harbour_with("/paths/~1second", json!({})),
            Builds,
        ),
    ]);
}

#[test]
fn bodies() {
    let with = |body: Value| harbour_with(&format!("{LIST}/requestBody"), body);
    let of = |schema: Value| {
        with(json!({ "required": true, "content": { "application/json": { "schema": schema } } }))
    };
    check(vec![
        (
            "no content",
            with(json!({})),
            Fails("content", "/requestBody", NAMED),
        ),
        (
            "a form",
            with(json!({ "content": { "multipart/form-data": { "schema": {} } } })),
            Fails("content", "/requestBody/content", NAMED),
        ),
        (
            "no schema",
            with(json!({ "content": { "application/json": {} } })),
            Fails("member", "/requestBody", NAMED),
        ),
        ("text", of(text()), Builds),
        ("a number", of(json!({ "type": "integer" })), Builds),
        (
            "a map",
            of(json!({ "type": "object", "additionalProperties": { "type": "integer" } })),
            Builds,
        ),
        ("anything", of(json!({})), Builds),
        (
            "a list",
            of(json!({ "type": "array", "items": { "type": "integer" } })),
            Builds,
        ),
        (
            "a list of objects",
            of(json!({ "type": "array", "items": object(json!({ "a": text() })) })),
            Builds,
        ),
        ("an object", of(object(json!({ "a": text() }))), Builds),
        (
            "what may be null",
            of(json!({ "type": ["object", "null"], "properties": { "a": text() } })),
            Builds,
        ),
    ]);
}

#[test]
fn counts_that_do_not_fit_32_bits() {
    let many = u64::from(u32::MAX) + 1;
    for (kind, least, most) in [
        ("array", "minItems", "maxItems"),
        ("string", "minLength", "maxLength"),
    ] {
        let body = |keyword: &str, count: u64| {
            let schema = json!({ "type": kind, keyword: count });
            harbour_with(
                &format!("{LIST}/requestBody"),
                json!({ "content": { "application/json": { "schema": schema } } }),
            )
        };
        check(vec![
            ("the greatest least", body(least, many - 1), Builds),
            (
                "too great a least",
                body(least, many),
                Fails("type", "/requestBody/content", NAMED),
            ),
            (
                "too great a least in the query",
                with_query("ids", json!({ "type": kind, least: many, "items": text() })),
                Fails("type", "/parameters/2/schema", NAMED),
            ),
        ]);
        for (count, is_bound) in [(many - 1, true), (many, false), (u64::MAX, false)] {
            let model = Model::of(&support::source(&body(most, count)).expect("it builds")).sound();
            let facts = &model.statics["GET_PORT_SHIPS"];
            assert_eq!(facts.contains(&count.to_string()), is_bound, "{facts}");
            assert_eq!(facts.contains("bounds"), is_bound, "{facts}");
            assert_eq!(
                facts.contains("max_items : Some"),
                is_bound && kind == "array",
                "{facts}"
            );
        }
    }
}

#[test]
fn responses() {
    let with = |responses: Value| harbour_with(&format!("{LIST}/responses"), responses);
    let json = || json!({ "content": { "application/json": { "schema": { "type": "string" } } } });
    check(vec![
        ("none", with(json!({})), Fails("responses", "/responses", NAMED)),
        (
            "only an error",
            with(json!({ "default": json() })),
            Fails("responses", "/responses", NAMED),
        ),
        (
            "two successes",
            with(json!({ "200": json(), "201": json() })),
            Fails("responses", "/responses", NAMED),
        ),
        (
            "a 204 beside what is no list",
            with(json!({ "200": json(), "204": {} })),
            Fails("responses", "/responses", NAMED),
        ),
        (
            "two of nothing",
            with(json!({ "202": {}, "204": {} })),
            Fails("responses", "/responses", NAMED),
        ),
        (
            "any success",
            with(json!({ "2XX": json() })),
            Fails("responses", "/responses", NAMED),
        ),
        (
            "an odd code",
            with(json!({ "2é": json() })),
            Fails("responses", "/responses/2é", NAMED),
        ),
        (
            "no code",
            with(json!({ "200": json(), "ok": json() })),
            Fails("responses", "/responses/ok", NAMED),
        ),
        (
            "a code with a sign",
            with(json!({ "2+0": json() })),
            Fails("responses", "/responses/2+0", NAMED),
        ),
        (
            "text",
            with(json!({ "200": { "content": { "text/plain": {} } } })),
            Fails("content", "/responses/200/content", NAMED),
        ),
        ("nothing", with(json!({ "204": {} })), Builds),
        ("a 200 without content", with(json!({ "200": {} })), Builds),
        (
            "content of nothing",
            with(json!({ "200": { "content": {} } })),
            Fails("content", "/200/content", NAMED),
        ),
    ]);
}

#[test]
fn facts_of_operations() {
    let with = |name: &str, value: Value| harbour_with(&format!("{LIST}/{name}"), value);
    let limit = |window: Value| {
        with(
            "x-rate-limit",
            json!({ "group": "ships", "max-tokens": 15, "window-size": window }),
        )
    };
    check(vec![
        ("a window", limit(json!("15m")), Builds),
        (
            "no window",
            limit(json!("a while")),
            Fails("rate-limit", "/x-rate-limit/window-size", NAMED),
        ),
        ("the longest window", limit(json!("1193046h")), Builds),
        (
            "a window of more seconds than fit 32 bits",
            limit(json!("2000000h")),
            Fails("rate-limit", "/x-rate-limit/window-size", NAMED),
        ),
        (
            "a window of a number",
            limit(json!(15)),
            Fails("type", "/x-rate-limit/window-size", NAMED),
        ),
        (
            "no group",
            with("x-rate-limit", json!({})),
            Fails("member", "/x-rate-limit", NAMED),
        ),
        (
            "half a second",
            with("x-client-cache-ttl", json!(0.5)),
            Fails("type", "/x-client-cache-ttl", NAMED),
        ),
        (
            "a role of a number",
            with("x-required-roles", json!([1])),
            Fails("type", "/x-required-roles/0", NAMED),
        ),
        (
            "one role",
            with("x-required-roles", json!("Director")),
            Fails("type", "/x-required-roles", NAMED),
        ),
        (
            "an unknown pagination",
            with("x-pagination", json!("spiral")),
            Builds,
        ),
        (
            "pagination of a number",
            with("x-pagination", json!(3)),
            Fails("type", "/x-pagination", NAMED),
        ),
        (
            "a date of a number",
            with("x-compatibility-date", json!(3)),
            Fails("type", "/x-compatibility-date", NAMED),
        ),
        (
            "a mode of a number",
            with("x-server-cache-mode", json!(3)),
            Fails("type", "/x-server-cache-mode", NAMED),
        ),
        ("what nobody knows", with("x-surprise", json!(3)), Builds),
    ]);
}

#[test]
fn security() {
    let with = |requirement: Value| harbour_with(&format!("{LIST}/security"), requirement);
    let scopes = |scopes: Value| {
        harbour_with(
            "/components/securitySchemes/Login/flows/authorizationCode/scopes",
            scopes,
        )
    };
    check(vec![
        (
            "an unknown scheme",
            with(json!([{ "Badge": [] }])),
            Fails("security-scheme", "/security/0/Badge", NAMED),
        ),
        (
            "no list",
            with(json!({ "Login": [] })),
            Fails("type", "/security", NAMED),
        ),
        (
            "a scope of a number",
            with(json!([{ "Login": [1] }])),
            Fails("type", "/security/0/Login/0", NAMED),
        ),
        ("nothing required", with(json!([])), Builds),
        (
            "two scopes of one name",
            scopes(json!({ "ships.read": "", "ships-read": "" })),
            Fails("scope", "/scopes/", None),
        ),
        (
            "two scopes of one name, one of them only required",
            with(json!([{ "Login": ["ships-read"] }])),
            Fails("scope", "/security/0/Login/0", NAMED),
        ),
        (
            "a scope without a name",
            scopes(json!({ "": "" })),
            Fails("scope", "/scopes/", None),
        ),
        (
            "a scope of symbols",
            scopes(json!({ "!": "" })),
            Fails("scope", "/scopes/!", None),
        ),
        (
            "a scope with a digit first",
            scopes(json!({ "3d": "" })),
            Fails("scope", "/scopes/3d", None),
        ),
        (
            "a scope with the name of the rest",
            scopes(json!({ "other": "" })),
            Fails("scope", "/scopes/other", None),
        ),
        (
            "a scope self",
            scopes(json!({ "self": "" })),
            Fails("scope", "/scopes/self", None),
        ),
        (
            "an unknown flow",
            harbour_with("/components/securitySchemes/Login/flows/dance", json!({})),
            Fails("security-scheme", "/flows/dance", None),
        ),
        (
            "no address",
            harbour_with(
                "/components/securitySchemes/Login/flows/authorizationCode",
                json!({ "tokenUrl": "a" }),
            ),
            Fails("member", "/flows/authorizationCode", None),
        ),
        (
            "a key in a header",
            harbour_with("/components/securitySchemes/Key", json!({ "type": "apiKey" })),
            Fails("security-scheme", "/securitySchemes/Key", None),
        ),
    ]);
}
