use super::*;
use crate::operation::{BodyFacts, Method, Parameter};

static GET: Operation = Operation::new("GetThing", Method::Get, "/a/{id}/b/{name}", "Things").parameters(&[
    Parameter::path("id"),
    Parameter::path("name"),
    Parameter::query("page"),
    Parameter::query("tags").exploded(),
    Parameter::query("labels"),
]);
static POST: Operation = Operation::new("PostThing", Method::Post, "/a", "Things").body(BodyFacts {
    required: true,
    max_items: None,
});

fn settings() -> Settings {
    let mut headers = HeaderMap::new();
    headers.insert("x-extra", HeaderValue::from_static("client"));
    Settings {
        base_url: "http://esi".to_owned(),
        headers: HeaderNames(headers),
        compatibility_date: None,
        timeout: Duration::from_secs(1),
    }
}

fn one(text: &str) -> Value {
    Value::One(text.to_owned())
}

fn list(texts: &[&str]) -> Value {
    Value::List(texts.iter().map(|text| (*text).to_owned()).collect())
}

fn with_path(id: &str, name: &str) -> Call {
    let mut call = Call::typed(&GET);
    call.set(Place::Path, "id", one(id));
    call.set(Place::Path, "name", one(name));
    call
}

fn url(call: &Call) -> String {
    call.prepare(&settings()).expect("the call is good").url
}

fn refusal(call: &Call) -> String {
    call.prepare(&settings())
        .expect_err("the call is bad")
        .to_string()
}

#[test]
fn a_path_value_cannot_change_the_path() {
    let cases = [
        ("a/b", "a%2Fb"),
        ("../x", "..%2Fx"),
        ("a?b=c#d", "a%3Fb%3Dc%23d"),
        ("%2e%2e", "%252e%252e"),
        ("a b+ü\\\n", "a%20b%2B%C3%BC%5C%0A"),
        ("A-z_0.9~", "A-z_0.9~"),
        ("{name}", "%7Bname%7D"),
    ];
    for (given, encoded) in cases {
        let url = url(&with_path(given, "n"));
        assert_eq!(url, format!("http://esi/a/{encoded}/b/n"));
        let parsed = url::Url::parse(&url).expect("a url");
        assert_eq!(parsed.path_segments().map(Iterator::count), Some(4), "{given}");
    }
    for (given, why) in [("", "is empty"), (".", "relative"), ("..", "relative")] {
        assert!(refusal(&with_path(given, "n")).contains(why));
    }
}

#[test]
fn a_missing_path_value_is_named() {
    let mut call = Call::typed(&GET);
    call.set(Place::Path, "id", one("1"));
    assert_eq!(refusal(&call), "GetThing: name: is missing; nothing was sent");
}

#[test]
fn the_query_is_in_the_order_of_the_spec() {
    let mut call = with_path("1", "n");
    call.set(Place::Query, "labels", list(&["3", "a,b", "&"]));
    call.set(Place::Query, "page", one("1"));
    call.set(
        Place::Query,
        "tags",
        Value::Each(vec!["x".to_owned(), "y z".to_owned()]),
    );
    call.set(Place::Query, "page", one("2"));
    assert_eq!(
        url(&call),
        "http://esi/a/1/b/n?page=2&tags=x&tags=y%20z&labels=3,a%2Cb,%26"
    );
    call.set(Place::Query, "labels", list(&[]));
    assert!(url(&call).ends_with("&labels="));
}

#[test]
fn by_name_the_spec_says_where_and_how() {
    let mut call = Call::untyped(&GET);
    call.set_by_name("name", one("n"));
    call.set_by_name("tags", list(&["x", "y"]));
    call.set_by_name("labels", list(&["1", "2"]));
    call.set_by_name("id", one("1"));
    assert_eq!(url(&call), "http://esi/a/1/b/n?tags=x&tags=y&labels=1,2");
    call.set_by_name("pgae", one("1"));
    assert!(refusal(&call).contains("pgae: no such parameter; there is: id, name, page, tags, labels"));
}

#[test]
fn bodies_are_where_the_spec_has_them() {
    assert!(refusal(&Call::untyped(&POST)).contains("body: is missing"));
    let mut call = with_path("1", "n");
    call.set_body(Ok(b"{}".to_vec()));
    assert!(refusal(&call).contains("takes no body"));
    let mut call = Call::untyped(&POST);
    call.set_body(serde_json::to_vec(&f64::NAN));
    let prepared = call.prepare(&settings()).expect("serde_json writes null");
    assert_eq!(prepared.body.as_deref(), Some(b"null".as_slice()));
    assert_eq!(
        prepared.headers.get("content-type").map(|value| value.as_bytes()),
        Some(&b"application/json"[..])
    );
}

#[test]
fn headers_of_the_call_replace_the_clients() {
    let mut call = with_path("1", "n");
    call.add_header("X-Extra", "call");
    let prepared = call.prepare(&settings()).expect("the call is good");
    assert_eq!(prepared.headers.get_all("x-extra").iter().count(), 1);
    assert_eq!(prepared.headers["x-extra"], "call");
    for (name, value, why) in [
        ("User-Agent", "x", "set by the client"),
        ("a b", "x", "not a header name"),
        ("x", "secret\n", "`x`"),
    ] {
        let mut call = with_path("1", "n");
        call.add_header(name, value);
        let refusal = refusal(&call);
        assert!(refusal.contains(why) && !refusal.contains("secret"), "{refusal}");
    }
}

#[test]
fn debug_shows_no_values() {
    let mut call = with_path("1234567", "n");
    call.add_header("authorization", "Bearer token");
    let shown = format!("{call:?}");
    assert!(
        shown.contains("GetThing") && !shown.contains("1234567") && !shown.contains("token"),
        "{shown}"
    );
}
