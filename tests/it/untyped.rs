//! Calls by name.

use esikit::Error;
use serde_json::{Value, json};

use crate::server::Server;

#[tokio::test]
async fn a_call_by_name_returns_json() {
    let server = Server::json(r#"{"players":1,"anything":[true]}"#).await;
    let status = server
        .esi()
        .call("GetStatus")
        .expect("it exists")
        .send()
        .await
        .expect("an answer");
    assert_eq!(*status, json!({"players": 1, "anything": [true]}));
    assert_eq!(server.only().line, "GET /status HTTP/1.1");
}

#[tokio::test]
async fn parameters_go_where_the_spec_has_them() {
    let server = Server::json("[]").await;
    let esi = server.esi();
    let call = esi.call("GetMarketsRegionIdOrders").expect("it exists");
    let call = call
        .param("page", 2)
        .param("region_id", 10000002)
        .param("order_type", "all");
    assert!(
        call.url()
            .expect("a url")
            .ends_with("/markets/10000002/orders?order_type=all&page=2")
    );
    call.send().await.expect("an answer");
    let call = esi
        .call("DeleteCharactersCharacterIdContacts")
        .expect("it exists");
    call.param("character_id", 1)
        .param_list("contact_ids", [2, 3])
        .header("Authorization", "Bearer token")
        .send()
        .await
        .expect("an answer");
    assert_eq!(
        server.seen()[1].target(),
        "/characters/1/contacts?contact_ids=2,3"
    );
}

#[tokio::test]
async fn a_body_is_sent_and_checked() {
    let server = Server::json("[]").await;
    let call = || server.esi().call("PostUniverseNames").expect("it exists");
    call().body(json!([1, 2])).send().await.expect("an answer");
    assert_eq!(server.only().body, b"[1,2]");
    let refusals = [call().body(json!([])).send().await, call().send().await];
    for (refusal, why) in refusals
        .into_iter()
        .zip(["body: 0 entries, fewer than 1", "body: is missing"])
    {
        let refusal = refusal.expect_err("it is refused").to_string();
        assert!(refusal.contains(why), "{refusal}");
    }
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn mistakes_are_told_before_sending() {
    let server = Server::json("[]").await;
    let esi = server.esi();
    let error = esi.call("get_statuss").expect_err("it does not exist");
    assert!(error.to_string().contains("did you mean GetStatus?"), "{error}");
    assert!(matches!(&error, Error::UnknownOperation(unknown) if unknown.name == "get_statuss"));
    let error = esi
        .call("GetMarketsRegionIdOrders")
        .expect("it exists")
        .param("page", 1)
        .send()
        .await;
    assert!(
        error
            .expect_err("no region")
            .to_string()
            .contains("region_id: is missing")
    );
    let error = esi
        .call("DeleteCharactersCharacterIdContacts")
        .expect("it exists")
        .param("character_id", 1)
        .header("Authorization", "Bearer token")
        .send()
        .await;
    let error = error.expect_err("no contacts").to_string();
    assert!(error.contains("contact_ids: is missing"), "{error}");
    let error = esi
        .call("GetStatus")
        .expect("it exists")
        .param("page", 1)
        .send()
        .await;
    assert!(
        error
            .expect_err("no such parameter")
            .to_string()
            .contains("there is: none")
    );
    assert!(server.seen().is_empty());
}

#[tokio::test]
async fn nothing_is_null_and_an_empty_list_is_one() {
    let server = Server::answering(204, &[], "").await;
    let esi = server.esi();
    let delete = esi
        .call("DeleteCharactersCharacterIdContacts")
        .expect("it exists");
    let nothing = delete
        .param("character_id", 1)
        .param_list("contact_ids", [2])
        .header("Authorization", "Bearer token")
        .send()
        .await
        .expect("an answer");
    assert_eq!(*nothing, Value::Null);
    let bids = esi
        .call("GetContractsPublicBidsContractId")
        .expect("it exists")
        .param("contract_id", 1);
    assert_eq!(*bids.send().await.expect("an answer"), json!([]));
    assert_eq!(
        *esi.call("GetStatus")
            .expect("it exists")
            .send()
            .await
            .expect("an answer"),
        Value::Null
    );
}

#[tokio::test]
async fn another_compatibility_date_is_for_untyped_calls() {
    let server = Server::json("{}").await;
    let esi = server
        .builder()
        .compatibility_date("2026-09-01")
        .build()
        .expect("a client");
    let error = esi
        .get_status()
        .send()
        .await
        .expect_err("types are of another date");
    assert!(matches!(error, Error::CompatibilityDate(_)), "{error:?}");
    assert!(error.to_string().contains("esi.call(\"GetStatus\")"), "{error}");
    assert!(server.seen().is_empty());
    esi.call("GetStatus")
        .expect("it exists")
        .send()
        .await
        .expect("an answer");
    assert_eq!(server.only().header("x-compatibility-date"), Some("2026-09-01"));
}

#[test]
fn facts_are_found_by_name() {
    let operation = esikit::operation("GetMarketsRegionIdOrders").expect("it exists");
    assert_eq!(
        (operation.path, operation.cache_ttl),
        ("/markets/{region_id}/orders", Some(300))
    );
    assert_eq!(esikit::operation("getmarketsregionidorders"), None);
}
