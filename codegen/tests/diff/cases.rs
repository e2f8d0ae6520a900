//! Small edits, each with what is to be said of it in both directions.

use esikit_codegen::diff::Kind::{self, *};
use esikit_codegen::diff::What::{self, *};
use serde_json::{Value, json};

use super::document::*;

/// What a change must look like: kind, what, breaking, place inside.
pub(crate) type Expected = (Kind, What, bool, &'static str);

pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) edit: Edit,
    /// From the base to the edited document, and back.
    pub(crate) there: Vec<Expected>,
    pub(crate) back: Vec<Expected>,
}

/// A change that breaks in one direction, in neither or in both.
pub(crate) fn case(
    name: &'static str,
    edit: Edit,
    kind: Kind,
    what: What,
    inside: &'static str,
    breaks: (bool, bool),
) -> Case {
    let back = (kind, mirrored(what), breaks.1, inside);
    Case {
        name,
        edit,
        there: vec![(kind, what, breaks.0, inside)],
        back: vec![back],
    }
}

/// The same in two places: a ship is read by two operations, in one of them as an item of a list.
pub(crate) fn read(
    name: &'static str,
    edit: Edit,
    kind: Kind,
    what: What,
    inside: [&'static str; 2],
    breaks: (bool, bool),
) -> Case {
    let there = inside.map(|inside| (kind, what, breaks.0, inside)).to_vec();
    let back = inside
        .map(|inside| (kind, mirrored(what), breaks.1, inside))
        .to_vec();
    Case {
        name,
        edit,
        there,
        back,
    }
}

pub(crate) fn mirrored(what: What) -> What {
    match what {
        Added => Removed,
        Removed => Added,
        Changed => Changed,
    }
}

pub(crate) const NEITHER: (bool, bool) = (false, false);
pub(crate) const THERE: (bool, bool) = (true, false);
pub(crate) const BACK: (bool, bool) = (false, true);
pub(crate) const BOTH: (bool, bool) = (true, true);

pub(crate) fn cases() -> Vec<Case> {
    let mut cases = document_cases();
    cases.extend(operation_cases());
    cases.extend(request_cases());
    cases.extend(response_cases());
    cases
}

#[rustfmt::skip]
pub(crate) fn document_cases() -> Vec<Case> {
    let scheme = "/components/securitySchemes/Harbour";
    let flow = "/components/securitySchemes/Harbour/flows/authorizationCode";
    let language = "/components/parameters/Language";
    let scheme_place = "security scheme Harbour";
    vec![
        case("address moved", set("", "/servers/0/url", json!("https://h.example")),
            Server, Changed, "servers", BOTH),
        case("address added", set("", "/servers/-", json!({ "url": "https://h.example" })),
            Server, Added, "servers", BACK),
        case("new version", set("", "/info/version", json!("2026-02-02")),
            CompatibilityDate, Changed, "version", NEITHER),
        case("setting gone", cut("", "/components/parameters/Language"),
            Parameter, Removed, "setting Accept-Language", NEITHER),
        case("language gone", set(language, "/schema/enum", json!(["en"])),
            EnumValue, Removed, "setting Accept-Language", THERE),
        case("setting made required", set(language, "/required", json!(true)),
            Parameter, Changed, "setting Accept-Language", THERE),
        case("date optional", set("", "/components/parameters/Date/required", json!(false)),
            Parameter, Changed, "setting X-Compatibility-Date", BACK),
        case("another date", set("", "/components/parameters/Date/schema/enum", json!(["2026-02-02"])),
            Parameter, Changed, "", NEITHER).nothing(),
        case("scope unknown", cut(flow, "/scopes/ships.read"), Scope, Removed, scheme_place, THERE),
        case("token address moved", set(flow, "/tokenUrl", json!("https://l.example")),
            SecurityScheme, Changed, scheme_place, NEITHER),
        case("flow gone", cut(scheme, "/flows/authorizationCode"),
            SecurityScheme, Removed, scheme_place, THERE).and([(Scope, Removed, true, scheme_place); 2]),
        case("second scheme", set("", "/components/securitySchemes/Other", json!({ "type": "oauth2" })),
            SecurityScheme, Added, "security scheme Other", BACK),
    ]
}

#[rustfmt::skip]
pub(crate) fn operation_cases() -> Vec<Case> {
    let limit = json!({ "group": "ships", "max-tokens": 300, "window-size": "15m" });
    let all = json!([{ "Harbour": ["ships.read", "ships.write"] }]);
    let either = json!([{ "Harbour": ["ships.read"] }, { "Harbour": ["ships.write"] }]);
    vec![
        case("operation gone", cut("", "/paths/~1status"), Operation, Removed, "", THERE),
        case("method gone", cut("/paths/~1ports~1{port_id}~1ships", "/post"),
            Operation, Removed, "", THERE),
        case("id respelled", set(STATUS, "/operationId", json!("get_status")),
            Operation, Changed, "", NEITHER),
        case("id renamed", set(STATUS, "/operationId", json!("GetState")), Operation, Changed, "", BOTH),
        case("tag moved", set(STATUS, "/tags/0", json!("Meta")), Tag, Changed, "", BOTH),
        case("tag respelled", set(STATUS, "/tags/0", json!("status")), Tag, Changed, "", NEITHER),
        case("deprecated", set(STATUS, "/deprecated", json!(true)), Deprecated, Added, "", NEITHER),
        case("not deprecated, said aloud", set(STATUS, "/deprecated", json!(false)),
            Deprecated, Added, "", NEITHER).nothing(),
        case("scope added", set(LIST, "/security", all), Scope, Added, "", THERE),
        case("another scope will do", set(LIST, "/security", either), Scope, Changed, "", BACK),
        case("login needed", set(STATUS, "/security", json!([{ "Harbour": [] }])),
            SecurityScheme, Added, "", THERE),
        case("login may be left out", set(LIST, "/security/-", json!({})), Scope, Changed, "", BACK),
        case("role taken off", set(LIST, "/x-required-roles", json!(["Clerk"])), Role, Removed, "", THERE),
        case("role newly needed", set(STATUS, "/x-required-roles", json!(["Clerk"])),
            Role, Added, "", THERE),
        case("empty roles are none", set(STATUS, "/x-required-roles", json!([])),
            Role, Added, "", NEITHER).nothing(),
        case("fewer tokens", set(LIST, "/x-rate-limit", limit), Limit, Changed, "", NEITHER),
        case("limit gone", cut(LIST, "/x-rate-limit"), Limit, Removed, "", NEITHER),
        case("cache time", set(LIST, "/x-client-cache-ttl", json!(30)), Cache, Changed, "", NEITHER),
        case("cache mode", set(LIST, "/x-server-cache-mode", json!("not-cached")),
            Cache, Changed, "", NEITHER),
        case("date", set(LIST, "/x-compatibility-date", json!("2026-01-01")),
            CompatibilityDate, Changed, "", NEITHER),
        case("tombstones", set(LIST, "/x-tombstone-ttl", json!(60)), Pagination, Added, "", NEITHER),
        case("unknown extension", set(LIST, "/x-colour", json!("red")), Extension, Added, "", NEITHER),
        case("pages gone", cut(LIST, "/responses/200/headers"), Pagination, Removed, "", BOTH),
        case("pages by cursor", set(LIST, "/x-pagination", json!("cursor")), Pagination, Changed, "", BOTH),
        case("empty list", set(LIST, "/x-empty-list", json!(true)), Status, Added, "response", NEITHER),
    ]
}

#[rustfmt::skip]
pub(crate) fn request_cases() -> Vec<Case> {
    let query = |required: bool, schema: Value| {
        json!({ "in": "query", "name": "q", "required": required, "schema": schema })
    };
    let text = json!({ "type": "string" });
    let parameters = "/parameters/-";
    let fields = format!("{ORDER}/properties");
    let (list, order) = (LIST, fields.as_str());
    let required = |names: Value| set(ORDER, "/required", names);
    vec![
        case("parameter, optional", set(list, parameters, query(false, text.clone())),
            Parameter, Added, "parameter q", BACK),
        case("parameter, required", set(list, parameters, query(true, text.clone())),
            Parameter, Added, "parameter q", BOTH),
        case("parameter with a default",
            set(list, parameters, query(true, json!({ "type": "string", "default": "x" }))),
            Parameter, Added, "parameter q", BACK),
        case("parameter must be sent", set(list, "/parameters/2/required", json!(true)),
            Parameter, Changed, "parameter page", THERE),
        case("default gone", cut(list, "/parameters/1/schema/default"),
            Parameter, Changed, "parameter order", THERE) .and([(Default, Removed, false, "parameter order")]),
        case("default changed", set(list, "/parameters/1/schema/default", json!("age")),
            Default, Changed, "parameter order", NEITHER),
        case("lists written apart", cut(list, "/parameters/0/explode"),
            Parameter, Changed, "parameter kinds", BOTH),
        case("value gone", set(list, "/parameters/0/schema/items/enum", json!(["tug"])),
            EnumValue, Removed, "parameter kinds[]", THERE),
        case("value added", set(list, "/parameters/0/schema/items/enum", json!(["barge", "ferry", "tug"])),
            EnumValue, Added, "parameter kinds[]", BACK),
        case("shorter list", set(list, "/parameters/0/schema/maxItems", json!(5)),
            Bound, Changed, "parameter kinds", THERE),
        case("bound gone", cut(list, "/parameters/2/schema/minimum"),
            Bound, Removed, "parameter page", BACK),
        case("wider number", set(list, "/parameters/2/schema/format", json!("int64")),
            Type, Changed, "parameter page", BACK),
        case("number becomes text", set(list, "/parameters/2/schema", json!({ "type": "string" })),
            Type, Changed, "parameter page", BOTH),
        case("field, optional", set(order, "/flag", text.clone()), Field, Added, "body.flag", BACK),
        case("field must be sent", required(json!(["amount", "note"])), Field, Changed, "body.note", THERE),
        case("field with a default must be sent", required(json!(["amount", "kind"])),
            Field, Changed, "body.kind", NEITHER),
        case("tighter minimum", set(order, "/amount/minimum", json!(2)),
            Bound, Changed, "body.amount", THERE),
        case("tighter maximum", set(order, "/amount/maximum", json!(9)),
            Bound, Changed, "body.amount", THERE),
        case("exclusive maximum", set(order, "/amount/exclusiveMaximum", json!(true)),
            Bound, Changed, "body.amount", THERE),
        case("least length of nothing", set(order, "/note/minLength", json!(0)),
            Bound, Added, "body.note", NEITHER).nothing(),
        case("pattern", set(order, "/note/pattern", json!("^a")), Bound, Added, "body.note", THERE),
        case("unique", set(order, "/crew/uniqueItems", json!(true)), Bound, Added, "body.crew", THERE),
        case("null refused", cut(order, "/note/nullable"), Type, Changed, "body.note", THERE),
        case("text of a form", set(order, "/note/format", json!("uuid")),
            Type, Changed, "body.note", THERE),
        case("anything", set(order, "/amount", json!({})), Type, Changed, "body.amount", BACK),
        case("listed values only", set(order, "/note/enum", json!(["a"])),
            Type, Changed, "body.note", THERE),
        case("integer to number", set(order, "/crew/items", json!({ "type": "number" })),
            Type, Changed, "body.crew[]", BACK),
        case("alternative gone", cut(order, "/pay/oneOf/0"), Alternative, Removed, "body.pay", THERE),
        case("no body", cut(SEND, "/requestBody"), Body, Removed, "body", BOTH),
        case("body optional", set(SEND, "/requestBody/required", json!(false)),
            Body, Changed, "body", BACK),
    ]
}

#[rustfmt::skip]
pub(crate) fn response_cases() -> Vec<Case> {
    let fields = format!("{SHIP}/properties");
    let below = fields.as_str();
    let status = "/responses/200/content/application~1json/schema/properties";
    let open = "/responses/200/content/application~1json/schema/properties/open";
    let created = "/responses/201/content/application~1json/schema";
    let required = |names: Value| set(SHIP, "/required", names);
    let bronze = coins("bronze");
    vec![
        case("field gone", cut(&format!("{STATUS}{status}"), "/open"),
            Field, Removed, "response.open", THERE),
        case("field may be null", set(STATUS, &format!("{open}/nullable"), json!(true)),
            Type, Changed, "response.open", THERE),
        case("field may be absent", cut(STATUS, "/responses/200/content/application~1json/schema/required"),
            Field, Changed, "response.open", THERE),
        case("field added", set(STATUS, &format!("{status}/new"), json!({ "type": "string" })),
            Field, Added, "response.new", NEITHER),
        read("optional field gone", cut(below, "/captain"),
            Field, Removed, ["response[].captain", "response.captain"], NEITHER),
        read("promised field added", required(json!(["built", "captain", "kind", "name", "price"])),
            Field, Changed, ["response[].captain", "response.captain"], BACK),
        read("optional field may be null", set(below, "/captain/nullable", json!(true)),
            Type, Changed, ["response[].captain", "response.captain"], NEITHER),
        read("reference may be null",
            set(below, "/escort", json!({ "allOf": [component("Ship")], "nullable": true })),
            Type, Changed, ["response[].escort", "response.escort"], NEITHER),
        read("value gone", set(below, "/kind/enum", json!(["tug"])),
            EnumValue, Removed, ["response[].kind", "response.kind"], NEITHER),
        read("any text", cut(below, "/kind/enum"),
            Type, Changed, ["response[].kind", "response.kind"], NEITHER),
        read("alternative added", set(below, "/price/oneOf/-", bronze),
            Alternative, Added, ["response[].price", "response.price"], NEITHER),
        read("in an alternative", set(below, "/price/oneOf/0/properties/gold", json!({ "type": "number" })),
            Type, Changed, ["response[].price.gold", "response.price.gold"], BOTH),
        read("text becomes a date", set(below, "/name/format", json!("date-time")),
            Type, Changed, ["response[].name", "response.name"], BOTH),
        read("text of another form", set(below, "/name/format", json!("uri")),
            Type, Changed, ["response[].name", "response.name"], NEITHER),
        read("wider number", set(below, "/cargo/additionalProperties/format", json!("int64")),
            Type, Changed, ["response[].cargo.*", "response.cargo.*"], NEITHER),
        read("integer to number", set(below, "/cargo/additionalProperties/type", json!("number")),
            Type, Changed, ["response[].cargo.*", "response.cargo.*"], BOTH),
        read("map becomes object",
            set(below, "/cargo", json!({ "type": "object", "properties": { "t": {} } })),
            Type, Changed, ["response[].cargo", "response.cargo"], BOTH),
        read("anything", set(below, "/cargo", json!({})),
            Type, Changed, ["response[].cargo", "response.cargo"], THERE),
        read("bound", set(below, "/length/minimum", json!(5)),
            Bound, Changed, ["response[].length"; 2], NEITHER).nothing(),
        read("error's shape", set("/components/schemas/Error", "/required", json!([])),
            Field, Changed, ["error.error"; 2], NEITHER),
        case("list becomes one",
            set(LIST, "/responses/200/content/application~1json/schema", component("Ship")),
            Type, Changed, "response", BOTH),
        case("nothing comes back", cut(SEND, "/responses/201/content"), Type, Removed, "response", THERE),
        case("written out instead of referred to", set(SEND, created, ship()),
            Type, Changed, "response", NEITHER).nothing(),
        case("errors of one class", cut(LIST, "/responses/5XX"), Status, Removed, "error 5XX", NEITHER),
    ]
}

impl Case {
    /// The edit changes more than one thing.
    fn and(mut self, more: impl IntoIterator<Item = Expected> + Clone) -> Self {
        self.back.extend(
            more.clone()
                .into_iter()
                .map(|(kind, what, _, inside)| (kind, mirrored(what), false, inside)),
        );
        self.there.extend(more);
        self
    }

    /// The edit says the same in other words.
    fn nothing(mut self) -> Self {
        self.there.clear();
        self.back.clear();
        self
    }
}
