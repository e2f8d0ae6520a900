//! What caches are told.

use super::{Scene, read};
use chrono::TimeDelta;
use serde_json::json;

const ORDERS: &str = "/markets/10000002/orders";

#[tokio::test]
async fn an_answer_is_fresh_until_it_expires() {
    let scene = Scene::new().await;
    let first = scene.get(ORDERS).await;
    assert_eq!(first.header("date"), "Sun, 01 Nov 2026 10:00:00 GMT");
    assert!(
        first.header("expires") > first.header("date"),
        "{}",
        first.header("expires")
    );
    assert_eq!(scene.sandbox.violations().before_expires, 0);
    // Asking again is cache circumvention, also with the tag.
    scene.get(ORDERS).await;
    let known = scene
        .request("GET", ORDERS)
        .header("if-none-match", first.header("etag"));
    assert_eq!(read(known).await.status, 304);
    assert_eq!(scene.sandbox.violations().before_expires, 2);
    // Another page, language or date is another answer.
    scene.get("/markets/10000002/orders?page=1").await;
    read(scene.request("GET", ORDERS).header("accept-language", "de")).await;
    assert_eq!(scene.sandbox.violations().before_expires, 2);
    // From the second that `Expires` names it may be fetched again.
    let expires = chrono::DateTime::parse_from_rfc2822(first.header("expires")).unwrap();
    scene.clock.advance(expires.to_utc() - scene.clock.now());
    assert_eq!(scene.get(ORDERS).await.text, first.text);
    assert_eq!(scene.sandbox.violations().before_expires, 2);
}

#[tokio::test]
async fn what_has_not_changed_is_not_sent_again() {
    let scene = Scene::new().await;
    let first = scene.get(ORDERS).await;
    scene.clock.advance(TimeDelta::seconds(300));
    let again = |name: &'static str, value: String| read(scene.request("GET", ORDERS).header(name, value));
    let tag = first.header("etag").to_owned();
    for known in [
        tag.clone(),
        format!("W/{tag}"),
        format!("\"other\", {tag}"),
        "*".to_owned(),
    ] {
        let answer = again("if-none-match", known.clone()).await;
        assert_eq!((answer.status, answer.text.as_str()), (304, ""), "{known}");
        assert_eq!(answer.header("etag"), tag);
        assert_ne!(answer.header("expires"), first.header("expires"));
        assert_eq!(answer.header("x-pages"), first.header("x-pages"));
    }
    assert_eq!(again("if-none-match", "\"other\"".to_owned()).await.status, 200);
    let now = scene.get(ORDERS).await.header("last-modified").to_owned();
    assert_eq!(again("if-modified-since", now).await.status, 304);
    let before = first.header("last-modified").to_owned();
    assert_eq!(again("if-modified-since", before).await.status, 200);
    scene
        .sandbox
        .put("GetMarketsRegionIdOrders", ORDERS, json!([]))
        .unwrap();
    assert_eq!(again("if-none-match", tag).await.status, 200);
}

#[tokio::test]
async fn all_pages_are_of_one_snapshot() {
    // A seed under which the list has several pages.
    let scene = Scene::with(|builder| builder.seed(3).page_size(4)).await;
    let mut several = 0;
    for region in 10_000_001..10_000_011 {
        let path = format!("/markets/{region}/orders");
        let first = scene.get(&path).await;
        let pages = first.number("x-pages");
        several += u32::from(pages > 1);
        for page in 1..=pages {
            let answer = scene.get(&format!("{path}?page={page}")).await;
            assert_eq!(answer.number("x-pages"), pages);
            assert_eq!(answer.header("last-modified"), first.header("last-modified"));
            let records = answer.json().as_array().unwrap().len();
            assert!(
                if page < pages {
                    records == 4
                } else {
                    (1..=4).contains(&records)
                },
                "{records}"
            );
        }
        let beyond = scene.get(&format!("{path}?page={}", pages + 1)).await;
        assert_eq!(
            (beyond.status, beyond.error().as_str()),
            (404, "Requested page does not exist!")
        );
    }
    assert!(several > 2, "{several}");
}

#[tokio::test]
async fn a_list_that_was_put_is_served_in_pages() {
    let scene = Scene::with(|builder| builder.page_size(2)).await;
    let ids = json!([34, 35, 36, 37, 38]);
    scene
        .sandbox
        .put("GetUniverseTypes", "/universe/types", ids)
        .unwrap();
    let mut pages = Vec::new();
    for page in 1..=3 {
        let answer = scene.get(&format!("/universe/types?page={page}")).await;
        assert_eq!(answer.number("x-pages"), 3);
        pages.push(answer.json());
    }
    assert_eq!(pages, [json!([34, 35]), json!([36, 37]), json!([38])]);
    assert_eq!(scene.get("/universe/types?page=4").await.status, 404);
}
