//! Both rate limits, and the counts of what should not have been sent.

use super::{PILOT, Scene, read};
use chrono::TimeDelta;

#[tokio::test]
async fn a_hundred_errors_close_every_route_until_the_minute_ends() {
    let scene = Scene::new().await;
    scene.clock.advance(TimeDelta::seconds(20));
    let names = || scene.request("POST", "/universe/names");
    for left in (0..100).rev() {
        let answer = read(names().body("[]")).await;
        assert_eq!(answer.number("x-esi-error-limit-remain"), left);
        assert_eq!(answer.number("x-esi-error-limit-reset"), 40);
    }
    assert_eq!(scene.sandbox.violations().while_error_limited, 0);
    // A route with a bucket, one without, and none.
    for path in ["/status", "/universe/factions", "/nothing"] {
        let answer = scene.get(path).await;
        assert_eq!(
            (answer.status, answer.number("x-esi-error-limit-remain")),
            (420, 0),
            "{path}"
        );
    }
    assert_eq!(scene.sandbox.violations().while_error_limited, 3);
    scene.clock.advance(TimeDelta::seconds(40));
    let answer = read(names().body("[7]")).await;
    assert_eq!(
        (answer.status, answer.number("x-esi-error-limit-remain")),
        (200, 100)
    );
}

#[tokio::test]
async fn what_has_not_changed_is_no_error() {
    let scene = Scene::new().await;
    let first = scene.get("/universe/factions").await;
    assert_eq!(first.number("x-esi-error-limit-remain"), 100);
    let known = scene
        .request("GET", "/universe/factions")
        .header("if-none-match", first.header("etag"));
    let answer = read(known).await;
    assert_eq!(
        (answer.status, answer.number("x-esi-error-limit-remain")),
        (304, 100)
    );
}

#[tokio::test]
async fn a_bucket_is_paid_from_and_filled_again() {
    let scene = Scene::new().await;
    // 600 tokens in 15 minutes.
    let first = scene.get("/status").await;
    assert_eq!(first.header("x-ratelimit-group"), "status");
    assert_eq!(first.header("x-ratelimit-limit"), "600/15m");
    assert_eq!(
        (
            first.number("x-ratelimit-used"),
            first.number("x-ratelimit-remaining")
        ),
        (2, 598)
    );
    assert_eq!(first.header("x-esi-error-limit-remain"), "");
    let known = scene
        .request("GET", "/status")
        .header("if-none-match", first.header("etag"));
    assert_eq!(read(known).await.number("x-ratelimit-remaining"), 597);
    scene.clock.advance(TimeDelta::seconds(60));
    // A date that is none costs 5.
    let wrong = || {
        scene
            .client
            .get(format!("{}/status", scene.sandbox.base_url()))
            .header("x-compatibility-date", "-")
    };
    for request in 1..=119 {
        assert_eq!(
            read(wrong()).await.number("x-ratelimit-remaining"),
            597 - 5 * request
        );
    }
    let last = read(wrong()).await;
    assert_eq!((last.status, last.number("x-ratelimit-remaining")), (400, 0));
    let limited = scene.get("/status").await;
    assert_eq!((limited.status, limited.number("retry-after")), (429, 900));
    assert_eq!(
        (
            limited.number("x-ratelimit-used"),
            limited.number("x-ratelimit-remaining")
        ),
        (0, 0)
    );
    assert_eq!(scene.sandbox.violations().while_rate_limited, 1);
    scene.clock.advance(TimeDelta::seconds(900));
    assert_eq!(scene.get("/status").await.status, 200);
    assert_eq!(scene.sandbox.violations().while_rate_limited, 1);
}

#[tokio::test]
async fn each_character_has_a_bucket_of_its_own() {
    let scene = Scene::new().await;
    let scope = "esi-assets.read_assets.v1";
    for character in [PILOT, PILOT + 1] {
        let token = scene.sandbox.token_for(character, &[scope]).unwrap();
        let answer = scene
            .get_as(&token, &format!("/characters/{character}/assets"))
            .await;
        assert_eq!(
            (answer.status, answer.number("x-ratelimit-remaining")),
            (200, 1798)
        );
    }
    // Without a token the address pays.
    let refused = scene.get(&format!("/characters/{PILOT}/assets")).await;
    assert_eq!(
        (refused.status, refused.number("x-ratelimit-remaining")),
        (401, 1795)
    );
}
