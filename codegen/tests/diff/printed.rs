//! How changes are shown.

use esikit_codegen::diff::diff;
use serde_json::{Value, json};

use super::document::*;

#[test]
fn what_several_operations_share_is_printed_once() {
    let edit = set(
        SHIP,
        "/properties/kind/enum",
        json!(["barge", "cog", "dhow", "tug"]),
    );
    let new = edited(&[&edit, &cut("", "/paths/~1status")]);
    let expected = "\
The same in several operations
  + Ship.kind: `cog`, `dhow` are new
      2 operations: GET /ports/{port_id}/ships, POST /ports/{port_id}/ships

Operations
  ! GET /status GetStatus: the operation is gone

5 changes, 1 of them breaking; operations: 0 added, 1 removed, 2 changed
";
    assert_eq!(diff(&base(), &new).to_string(), expected);
}

#[test]
fn text_is_grouped_by_operation() {
    let edits = [
        set("", "/servers/0/url", json!("https://h.example")),
        set(LIST, "/x-client-cache-ttl", json!(30)),
        cut(LIST, "/parameters/2"),
        set(STATUS, "/deprecated", json!(true)),
    ];
    let expected = "\
The document
  ! servers: `https://harbour.example` -> `https://h.example`; old clients call the old address

GET /ports/{port_id}/ships GetPortsShips
  ! parameter page: the parameter is gone; what was asked with it cannot be asked any more
  ~ seconds that clients may keep the answer: `60` -> `30`

GET /status GetStatus
  + deprecated from now on

4 changes, 2 of them breaking; operations: 0 added, 0 removed, 2 changed
";
    assert_eq!(
        diff(&base(), &edited(&edits.iter().collect::<Vec<_>>())).to_string(),
        expected
    );
}

#[test]
fn json_has_every_member() {
    let found = diff(
        &base(),
        &edited(&[
            &cut(SHIP, "/properties/name"),
            &set("", "/info/version", json!("2")),
        ]),
    )
    .to_json();
    assert_eq!(found["breaking"], json!(true));
    assert_eq!(
        found["counts"],
        json!({ "breaking": 2, "compatible": 1, "added": 0, "removed": 2, "changed": 1 })
    );
    assert_eq!(found["changes"][0]["path"], Value::Null);
    let mut change = found["changes"][1].clone();
    assert!(!change["message"].take().to_string().is_empty());
    let expected = json!({
        "breaking": true, "kind": "field", "what": "removed", "method": "GET", "path": "/ports/{port_id}/ships",
        "operation": "GetPortsShips", "inside": "response[].name", "component": "Ship.name", "from": "string", "to": null,
        "message": null,
    });
    assert_eq!(change, expected);
}
