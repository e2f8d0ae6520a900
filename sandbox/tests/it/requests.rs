//! What a request may say.

use super::{Scene, client, read};
use serde_json::json;

#[tokio::test]
async fn what_is_no_route_is_not_found_in_esis_form() {
    let scene = Scene::new().await;
    let answer = scene.get("/nothing/here").await;
    assert_eq!(
        (answer.status, answer.json()),
        (404, json!({ "error": "Not found" }))
    );
    let answer = read(scene.request("DELETE", "/status")).await;
    assert_eq!((answer.status, answer.header("allow")), (405, "GET"));
    assert_eq!(scene.sandbox.violations().invalid, 2);
}

#[tokio::test]
async fn parameters_are_checked() {
    let scene = Scene::new().await;
    let cases = [
        (
            "/markets/forge/orders?order_type=all",
            "path.region_id: expected integer",
        ),
        (
            "/markets/10000002/orders?order_type=some",
            r#"query.order_type: expected one of "all", "buy", "sell""#,
        ),
        (
            "/markets/10000002/orders?page=0",
            "query.page: expected number >= 1",
        ),
        (
            "/markets/10000002/orders?page=one",
            "query.page: expected integer",
        ),
        (
            "/markets/10000002/orders?page=3000000000",
            "query.page: expected a number that fits its format",
        ),
        (
            "/markets/10000002/history",
            "query.type_id: expected required parameter to be present",
        ),
        (
            "/markets/99999999999999999999/history?type_id=34",
            "path.region_id: expected integer",
        ),
    ];
    for (path, expected) in cases {
        let answer = scene.get(path).await;
        assert_eq!(
            (answer.status, answer.error().as_str()),
            (400, expected),
            "{path}"
        );
        assert_eq!(answer.json()["details"].as_array().unwrap().len(), 1, "{path}");
    }
    assert_eq!(scene.sandbox.violations().invalid, 7);
    for path in [
        "/markets/10000002/orders",
        "/markets/10000002/orders?order_type=buy&page=1&what=ever",
        "/markets/10000002/history?type_id=34",
    ] {
        assert_eq!(scene.get(path).await.status, 200, "{path}");
    }
}

#[tokio::test]
async fn bodies_are_checked() {
    let scene = Scene::new().await;
    let many: Vec<i64> = (1..=1001).collect();
    let cases = [
        (String::new(), 400, "request body is required"),
        (
            "[1,".to_owned(),
            400,
            "the body is not JSON: EOF while parsing a value at line 1 column 3",
        ),
        ("{}".to_owned(), 422, "body: expected array"),
        ("[]".to_owned(), 422, "body: expected minItems 1, and there are 0"),
        (r#"["a"]"#.to_owned(), 422, "body[0]: expected integer"),
        ("[7,7]".to_owned(), 422, "body[1]: stands in the list twice"),
        (
            json!(many).to_string(),
            422,
            "body: expected maxItems 1000, and there are 1001",
        ),
    ];
    for (body, status, expected) in cases {
        let answer = read(scene.request("POST", "/universe/names").body(body.clone())).await;
        assert_eq!(
            (answer.status, answer.error().as_str()),
            (status, expected),
            "{body}"
        );
    }
    let answer = read(scene.request("POST", "/universe/names").body("[7,9]")).await;
    assert_eq!(answer.status, 200);
    assert_eq!(
        (&answer.json()[0]["id"], &answer.json()[1]["id"]),
        (&json!(7), &json!(9))
    );
}

#[tokio::test]
async fn the_compatibility_date_is_checked() {
    let scene = Scene::new().await;
    // The clock of the tests shows 2026-11-01; mercenary dens came long after 2020-01-01.
    let young = "/freelance-jobs";
    let cases = [
        (Some("2026-11-01"), 200),
        (Some("2026-11-02"), 400),
        (Some("yesterday"), 400),
        (Some("2026-2-1"), 400),
        (Some(""), 400),
        (Some("2020-01-01"), 404),
        (None, 404),
    ];
    for (date, status) in cases {
        let mut request = scene.client.get(format!("{}{young}", scene.sandbox.base_url()));
        if let Some(date) = date {
            request = request.header("x-compatibility-date", date);
        }
        let answer = read(request).await;
        assert_eq!(answer.status, status, "{date:?}: {}", answer.text);
    }
    let old = scene.client.get(format!("{}/status", scene.sandbox.base_url()));
    assert_eq!(read(old).await.status, 200);
}

#[tokio::test]
async fn who_does_not_say_who_they_are_is_counted_and_may_be_refused() {
    for (strict, status) in [(false, 200), (true, 400)] {
        let scene = Scene::with(|builder| builder.strict_user_agent(strict)).await;
        let url = format!("{}/status", scene.sandbox.base_url());
        let silent = client(|builder| builder);
        assert_eq!(read(silent.get(&url)).await.status, status);
        assert_eq!(scene.sandbox.violations().without_user_agent, 1);
        assert_eq!(
            read(silent.get(&url).header("x-user-agent", "me")).await.status,
            200
        );
        assert_eq!(scene.sandbox.violations().without_user_agent, 1);
    }
}

#[tokio::test]
async fn lists_are_read_with_commas() {
    let scene = Scene::new().await;
    let path = format!("/characters/{}/search", super::PILOT);
    let token = scene.token(&["esi-search.search_structures.v1"]);
    let found = scene
        .get_as(&token, &format!("{path}?categories=agent,region&search=abc"))
        .await;
    assert_eq!(found.status, 200, "{}", found.text);
    let unknown = scene
        .get_as(&token, &format!("{path}?categories=agent,regions&search=abc"))
        .await;
    assert_eq!(unknown.status, 400);
    assert!(
        unknown
            .error()
            .starts_with("query.categories[1]: expected one of"),
        "{}",
        unknown.text
    );
}

#[tokio::test]
async fn answers_agree_with_what_was_asked() {
    let scene = Scene::new().await;
    for (kind, buys) in [("buy", true), ("sell", false)] {
        let path = format!("/markets/10000002/orders?order_type={kind}&type_id=34");
        let orders = scene.get(&path).await.json();
        assert!(!orders.as_array().unwrap().is_empty());
        for order in orders.as_array().unwrap() {
            assert_eq!(
                (&order["is_buy_order"], &order["type_id"]),
                (&json!(buys), &json!(34)),
                "{order}"
            );
            assert!(
                order["volume_remain"].as_i64() <= order["volume_total"].as_i64(),
                "{order}"
            );
        }
    }
    let kind = scene.get("/universe/types/34").await.json();
    assert_eq!(kind["type_id"], 34);
}

/// A walk comes to an end, or a client would walk for ever.
#[tokio::test]
async fn walks_end_after_one_answer() {
    let scene = Scene::new().await;
    let first = scene.get("/freelance-jobs").await.json();
    assert!(!first["freelance_jobs"].as_array().unwrap().is_empty(), "{first}");
    let before = scene.get("/freelance-jobs?before=abc").await.json();
    assert_eq!(before["freelance_jobs"], json!([]));
    let mail = format!("/characters/{}/mail", super::PILOT);
    let token = scene.token(&["esi-mail.read_mail.v1"]);
    assert_ne!(scene.get_as(&token, &mail).await.text, "[]");
    assert_eq!(
        scene.get_as(&token, &format!("{mail}?last_mail_id=7")).await.text,
        "[]"
    );
}
