//! A kept answer needs no token; an outage of the single sign-on need not be one of the caller.

use std::time::Duration;

use chrono::TimeDelta;
use esikit::{Error, Esi, Source};

use super::http_date;
use crate::security::sso::Sso;
use crate::server::{Reply, Server, answer};

/// Assets that are fresh for an hour, by the clock of the single sign-on.
async fn assets(sso: &Sso) -> Server {
    let clock = sso.clock.clone();
    Server::scripted(move |_| {
        let now = esikit::clock::Clock::now(&clock);
        let later = http_date(now + TimeDelta::hours(1));
        Reply::Close(answer(
            200,
            &[("Date", &http_date(now)), ("Expires", &later)],
            b"[]",
        ))
    })
    .await
}

/// A client whose login has asked for its assets once.
async fn answered_once() -> (Sso, Server, Esi) {
    let sso = Sso::new().await;
    let server = assets(&sso).await;
    let security = sso
        .with_pkce()
        .esi_url(&server.url)
        .build()
        .await
        .expect("a single sign-on");
    let login = sso.log_in(&security, 1).await;
    let builder = server.builder().clock(sso.clock.clone());
    let esi = builder.security(login).build().expect("a client");
    esi.get_characters_character_id_assets(1)
        .send()
        .await
        .expect("an answer");
    (sso, server, esi)
}

#[tokio::test]
async fn a_fresh_answer_costs_no_refresh_though_the_token_is_over() {
    let (sso, server, esi) = answered_once().await;
    sso.expire();
    for _ in 0..3 {
        let kept = esi
            .get_characters_character_id_assets(1)
            .send()
            .await
            .expect("an answer");
        assert_eq!(kept.source(), Source::Cache);
        let kept = esi
            .get_characters_character_id_assets(1)
            .cached_only()
            .send()
            .await;
        assert_eq!(kept.expect("an answer").source(), Source::Cache);
    }
    assert_eq!((server.seen().len(), sso.grants("refresh_token").len()), (1, 0));
}

#[tokio::test]
async fn a_stale_answer_stands_in_while_the_single_sign_on_is_down() {
    let (sso, server, esi) = answered_once().await;
    sso.clock.advance(TimeDelta::hours(2));
    sso.world()
        .failures
        .extend(std::iter::repeat_n((503, "down".to_owned()), 10));
    let call = || esi.get_characters_character_id_assets(1);
    let stale = call()
        .stale_if_error(Duration::from_secs(7200))
        .send()
        .await
        .expect("the old one");
    assert_eq!(stale.source(), Source::Stale);
    let error = call().send().await.expect_err("not allowed");
    assert!(matches!(error, Error::SsoUnavailable(_)), "{error}");
    assert_eq!(server.seen().len(), 1);
}
