//! A single sign-on that is down is not asked again at once.

use std::time::Duration;

use chrono::TimeDelta;
use esikit::security::SsoEndpoints;
use esikit::{Error, Esi, EsiSecurity};
use serde_json::json;

use super::sso::{Sso, assets, close, open};

/// A login whose access token is over.
async fn expired(sso: &Sso) -> (EsiSecurity, Esi) {
    let view = sso.log_in(&sso.security().await, 7).await;
    sso.expire();
    (view.clone(), sso.esi(view))
}

fn fail(sso: &Sso, times: usize) {
    let failures = std::iter::repeat_n((503, String::new()), times);
    sso.world().failures.extend(failures);
}

fn asked(sso: &Sso) -> usize {
    sso.grants("refresh_token").len()
}

async fn held(sso: &Sso, esi: &Esi) {
    let before = asked(sso);
    let error = assets(esi, 7).await.expect_err("the single sign-on is down");
    assert!(
        matches!(&error, Error::SsoUnavailable(down) if down.status == Some(503)),
        "{error:?}"
    );
    assert!(error.is_retryable());
    assert_eq!(asked(sso), before, "it was not asked");
}

#[tokio::test]
async fn a_failed_refresh_is_followed_by_a_pause_that_grows() {
    let sso = Sso::new().await;
    let (_, esi) = expired(&sso).await;
    fail(&sso, 3);
    for (attempt, shortest, longest) in [(1, 1_000, 1_250), (2, 2_000, 2_500), (3, 4_000, 5_000)] {
        assets(&esi, 7).await.expect_err("the single sign-on is down");
        assert_eq!(asked(&sso), attempt);
        for _ in 0..3 {
            held(&sso, &esi).await;
        }
        sso.clock.advance(TimeDelta::milliseconds(shortest - 1));
        held(&sso, &esi).await;
        sso.clock.advance(TimeDelta::milliseconds(longest - shortest + 1));
    }
    assets(&esi, 7).await.expect("it is up again");
    sso.expire();
    fail(&sso, 1);
    assets(&esi, 7).await.expect_err("down again");
    sso.clock.advance(TimeDelta::milliseconds(1_250));
    assets(&esi, 7).await.expect("the pauses begin anew");
}

#[tokio::test]
async fn ten_minutes_of_trouble_are_some_thirty_requests() {
    let sso = Sso::new().await;
    let (_, esi) = expired(&sso).await;
    fail(&sso, 600);
    for _ in 0..600 {
        for _ in 0..3 {
            assets(&esi, 7).await.expect_err("the single sign-on is down");
        }
        sso.clock.advance(TimeDelta::seconds(1));
    }
    assert!((22..=30).contains(&asked(&sso)), "{}", asked(&sso));
}

#[tokio::test]
async fn a_token_that_is_still_valid_is_used_in_the_meantime() {
    let sso = Sso::new().await;
    let view = sso.log_in(&sso.security().await, 7).await;
    let esi = sso.esi(view);
    sso.clock.advance(TimeDelta::seconds(1199 - 30));
    fail(&sso, 1);
    for _ in 0..5 {
        assets(&esi, 7).await.expect("with the old token");
    }
    assert_eq!(asked(&sso), 1);
    sso.clock.advance(TimeDelta::seconds(2));
    assets(&esi, 7).await.expect("with a new one");
    assert_eq!(asked(&sso), 2);
}

#[tokio::test]
async fn retry_after_is_heeded() {
    for status in [429, 503] {
        let sso = Sso::new().await;
        let (_, esi) = expired(&sso).await;
        sso.world().failures.push_back((status, String::new()));
        sso.world().retry_after = Some("90".to_owned());
        let error = assets(&esi, 7).await.expect_err("too many requests");
        assert!(
            matches!(&error, Error::SsoUnavailable(down) if down.retry_after == Some(Duration::from_secs(90))),
            "{error:?}"
        );
        sso.clock.advance(TimeDelta::milliseconds(89_999));
        let again = assets(&esi, 7).await.expect_err("it was told to wait");
        assert_eq!(again.status(), Some(status));
        assert_eq!(asked(&sso), 1);
        sso.clock.advance(TimeDelta::milliseconds(1));
        assets(&esi, 7).await.expect("it waited");
    }
}

#[tokio::test]
async fn a_refresh_by_hand_does_not_wait_and_ends_the_pause() {
    let sso = Sso::new().await;
    let (view, esi) = expired(&sso).await;
    fail(&sso, 2);
    assets(&esi, 7).await.expect_err("the single sign-on is down");
    view.refresh().await.expect_err("still down, but it was asked");
    assert_eq!(asked(&sso), 2);
    held(&sso, &esi).await;
    view.refresh().await.expect("it is up again");
    sso.expire();
    assets(&esi, 7).await.expect("no pause is left");
    assert_eq!(asked(&sso), 4);
}

#[tokio::test]
async fn each_identity_has_a_pause_of_its_own_and_a_new_login_none() {
    let sso = Sso::new().await;
    let security = sso.security().await;
    let (seven, eight) = (sso.log_in(&security, 7).await, sso.log_in(&security, 8).await);
    sso.expire();
    fail(&sso, 1);
    let esi = sso.esi(seven);
    assets(&esi, 7).await.expect_err("the single sign-on is down");
    assets(&sso.esi(eight), 8).await.expect("another identity's");
    held(&sso, &esi).await;
    sso.log_in(&security, 7).await;
    sso.expire();
    assets(&esi, 7).await.expect("a new login");
}

#[tokio::test]
async fn a_single_sign_on_that_does_not_answer_is_left_alone_too() {
    let sso = Sso::new().await;
    let token = sso
        .log_in(&sso.security().await, 7)
        .await
        .token()
        .expect("tokens");
    let kept = json!({ "access_token": "", "refresh_token": token.refresh_token(), "expires_in": -1 });
    let hasty = sso.with_pkce().sso_endpoints(SsoEndpoints::of(&sso.url));
    let hasty = hasty
        .timeout(Duration::from_millis(50))
        .build()
        .await
        .expect("built");
    let esi = sso.esi(hasty.update_token(&kept, None).await.expect("taken"));
    close(&sso.gate);
    for _ in 0..3 {
        let error = assets(&esi, 7).await.expect_err("nobody answers");
        assert!(error.to_string().contains("timed out"), "{error}");
    }
    assert_eq!(asked(&sso), 1);
    open(&sso.gate);
}

/// ESI refuses a token in the pause: there is none to be had in its place.
#[tokio::test]
async fn a_refused_token_is_not_refreshed_during_a_pause() {
    let sso = Sso::new().await;
    let view = sso.log_in(&sso.security().await, 7).await;
    let esi = sso.esi(view.clone());
    fail(&sso, 1);
    view.refresh().await.expect_err("the single sign-on is down");
    sso.world().esi_failures.push_back((401, String::new()));
    held(&sso, &esi).await;
    assets(&esi, 7).await.expect("the token is good");
}
