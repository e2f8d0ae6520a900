//! What goes over the wire.

use std::time::Duration;

use esikit::Esi;
use esikit::ids::{CharacterId, RegionId};
use esikit::types::{OrderType, RouteRequestBody};

use crate::server::Server;

#[tokio::test]
async fn a_plain_call_is_one_request_with_our_headers() {
    let server = Server::json("[]").await;
    server
        .esi()
        .get_markets_region_id_orders(RegionId(10000002))
        .send()
        .await
        .expect("an answer");
    let seen = server.only();
    assert_eq!(seen.line, "GET /markets/10000002/orders HTTP/1.1");
    assert_eq!(
        seen.header("user-agent"),
        Some("esikit-tests/1.0 (tests@example.com)")
    );
    assert_eq!(seen.header("accept"), Some("application/json"));
    assert_eq!(seen.header("x-compatibility-date"), esikit::COMPATIBILITY_DATE);
    let encodings = seen.header("accept-encoding").expect("compression is asked for");
    assert!(
        encodings.contains("gzip") && encodings.contains("br"),
        "{encodings}"
    );
    for absent in ["x-tenant", "accept-language", "content-type", "authorization"] {
        assert_eq!(seen.header(absent), None, "{absent}");
    }
}

#[tokio::test]
async fn setters_become_the_query() {
    let server = Server::json("[]").await;
    let request = server
        .esi()
        .get_markets_region_id_orders(10000002)
        .type_id(34)
        .order_type(OrderType::Sell)
        .page(2);
    let url = request.url().expect("a url");
    request.send().await.expect("an answer");
    assert_eq!(
        server.only().target(),
        "/markets/10000002/orders?order_type=sell&page=2&type_id=34"
    );
    assert_eq!(url, format!("{}{}", server.url, server.only().target()));
}

#[tokio::test]
async fn a_value_of_an_open_enum_is_encoded() {
    let server = Server::json("[]").await;
    server
        .esi()
        .get_markets_region_id_orders(1)
        .order_type("a&b=c")
        .send()
        .await
        .expect("an answer");
    assert_eq!(server.only().target(), "/markets/1/orders?order_type=a%26b%3Dc");
}

#[tokio::test]
async fn lists_are_joined_by_commas_and_204_is_unit() {
    let server = Server::answering(204, &[], "").await;
    let contacts = [95465499, 30000142_i64];
    let request = server
        .esi()
        .delete_characters_character_id_contacts(CharacterId(7), contacts);
    let response = request
        .header("Authorization", "Bearer token")
        .send()
        .await
        .expect("an answer");
    assert_eq!((response.status(), *response), (204, ()));
    let seen = server.only();
    assert_eq!(
        seen.line,
        "DELETE /characters/7/contacts?contact_ids=95465499,30000142 HTTP/1.1"
    );
    assert_eq!(seen.header("authorization"), Some("Bearer token"));
}

#[tokio::test]
async fn a_body_is_json() {
    let server = Server::json("[]").await;
    server
        .esi()
        .post_universe_names(&[95465499, 30000142])
        .send()
        .await
        .expect("an answer");
    let seen = server.only();
    assert_eq!(seen.line, "POST /universe/names HTTP/1.1");
    assert_eq!(seen.header("content-type"), Some("application/json"));
    assert_eq!(seen.body, b"[95465499,30000142]");
}

#[tokio::test]
async fn optional_fields_of_a_body_stay_absent() {
    let server = Server::json(r#"{"route":[1,2]}"#).await;
    let mut body = RouteRequestBody::new();
    body.security_penalty = Some(50);
    let route = server
        .esi()
        .post_route(1, 2, &body)
        .send()
        .await
        .expect("an answer");
    assert_eq!(route.route.len(), 2);
    let seen = server.only();
    assert_eq!(
        (seen.target(), seen.body.as_slice()),
        ("/route/1/2", br#"{"security_penalty":50}"#.as_slice())
    );
}

#[tokio::test]
async fn settings_of_the_client_are_headers() {
    let server = Server::json("[]").await;
    let esi = server
        .builder()
        .tenant("singularity")
        .language("de")
        .header("X-Extra", "1")
        .build()
        .expect("a client");
    esi.get_markets_region_id_orders(1)
        .header("X-Extra", "2")
        .header("X-More", "3")
        .send()
        .await
        .expect("an answer");
    let seen = server.only();
    assert_eq!(seen.header("x-tenant"), Some("singularity"));
    assert_eq!(seen.header("accept-language"), Some("de"));
    assert_eq!(seen.header("x-extra"), Some("2"));
    assert_eq!(seen.header("x-more"), Some("3"));
}

#[tokio::test]
async fn a_base_url_may_have_a_path() {
    let server = Server::json("[]").await;
    let esi = server
        .builder()
        .base_url(format!("{}/latest/", server.url))
        .build()
        .expect("a client");
    esi.get_markets_region_id_orders(1)
        .send()
        .await
        .expect("an answer");
    assert_eq!(server.only().target(), "/latest/markets/1/orders");
}

#[tokio::test]
async fn a_proxy_is_asked_for_the_whole_url() {
    let proxy = Server::json("[]").await;
    let esi = proxy
        .builder()
        .base_url("http://esi.invalid")
        .proxy(&proxy.url)
        .build()
        .expect("a client");
    esi.get_markets_region_id_orders(1)
        .send()
        .await
        .expect("an answer");
    assert_eq!(proxy.only().target(), "http://esi.invalid/markets/1/orders");
}

#[tokio::test]
async fn a_request_can_be_awaited_as_it_is() {
    let server = Server::json("[]").await;
    let orders = server
        .esi()
        .get_markets_region_id_orders(1)
        .await
        .expect("an answer");
    assert!(orders.is_empty());
}

#[tokio::test]
async fn requests_are_sent_from_any_task() {
    fn is_send_and_static<T: Send + 'static>(value: T) -> T {
        value
    }
    fn is_shared<T: Clone + Send + Sync + 'static>(_: &T) {}
    let server = Server::json("[]").await;
    let esi = server.esi();
    is_shared(&esi);
    let sending = is_send_and_static(
        esi.get_markets_region_id_orders(1)
            .timeout(Duration::from_secs(5))
            .send(),
    );
    drop(esi);
    tokio::spawn(sending).await.expect("no panic").expect("an answer");
}

#[tokio::test]
async fn what_breaks_the_specs_bounds_is_not_sent() {
    let server = Server::json("[]").await;
    let esi = server.esi();
    let ids = vec![1; 1001];
    let mut body = RouteRequestBody::new();
    body.security_penalty = Some(101);
    let refusals = [
        esi.delete_characters_character_id_contacts(1, vec![1_i64; 21])
            .send()
            .await
            .err(),
        esi.post_universe_names(&ids).send().await.err(),
        esi.post_universe_names(&[]).send().await.err(),
        esi.post_route(1, 2, &body).send().await.err(),
        esi.get_markets_region_id_orders(1)
            .header("Host", "example.com")
            .send()
            .await
            .err(),
    ];
    let says = [
        "contact_ids: 21 entries, more than 20",
        "1001 entries, more than 1000",
        "0 entries, fewer than 1",
        "101 is above 100",
        "`host`",
    ];
    for (refusal, says) in refusals.into_iter().zip(says) {
        let refusal = refusal.expect("it is refused");
        assert!(matches!(refusal, esikit::Error::Request(_)), "{refusal:?}");
        assert!(refusal.to_string().contains(says), "{refusal}");
        assert!(!refusal.may_have_been_sent() && !refusal.is_retryable());
        assert!(refusal.operation().is_some());
    }
    assert!(server.seen().is_empty());
}

#[test]
fn debug_of_a_client_shows_no_header_values() {
    let builder = Esi::builder()
        .user_agent("a/1 (b@example.com)")
        .base_url("http://localhost:1");
    let builder = builder.header("X-Key", "hidden");
    assert!(!format!("{builder:?}").contains("hidden"));
    let esi = builder.build().expect("a client");
    assert!(!format!("{esi:?}").contains("hidden"));
    assert!(!format!("{:?}", esi.get_status().header("Authorization", "hidden")).contains("hidden"));
}
