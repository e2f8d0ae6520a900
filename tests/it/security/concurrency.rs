//! Many tasks, many identities, and what may go wrong in between.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use chrono::TimeDelta;
use esikit::clock::ManualClock;
use esikit::error::Phase;
use esikit::security::SecurityEvent;
use esikit::{Error, EsiSecurity, Scope};
use tokio::task::JoinSet;

use super::sso::{ASSETS, Rotation, Sso, assets, callback, close, open, until};

/// Calls at once, every one of them a task of its own; how many came back well. The test's files are counted: only
/// so many connections at once, while all tasks wait for one token.
async fn calls(sso: &Sso, views: &[(EsiSecurity, i64)], each: usize) -> usize {
    let mut tasks = JoinSet::new();
    for (view, character) in views {
        let esi = sso.esi(view.clone());
        for _ in 0..each {
            let (esi, character) = (esi.clone(), *character);
            tasks.spawn(async move { assets(&esi, character).await });
        }
    }
    let mut good = 0;
    while let Some(outcome) = tasks.join_next().await {
        outcome.expect("no panic").expect("an answer");
        good += 1;
    }
    good
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_thousand_calls_on_an_expired_token_are_one_token_request() {
    let sso = Sso::new().await;
    let view = sso.log_in(&sso.security().await, 7).await;
    sso.expire();
    assert_eq!(calls(&sso, &[(view, 7)], 1_000).await, 1_000);
    assert_eq!(sso.grants("refresh_token").len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_hundred_identities_are_a_hundred_requests_and_four_at_once() {
    let sso = Sso::new().await;
    let security = sso.security().await;
    let mut views = Vec::new();
    for character in 1..=100 {
        views.push((sso.log_in(&security, character).await, character));
    }
    sso.expire();
    assert_eq!(calls(&sso, &views, 10).await, 1_000);
    assert_eq!(sso.grants("refresh_token").len(), 100);
    let most = sso.world().most_at_once;
    assert_eq!(most, 4, "never more, and no fewer where there is enough to do");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_thousand_interleaved_logins_do_not_mix() {
    let sso = Sso::new().await;
    let security = sso.security().await;
    let mut tasks = JoinSet::new();
    for character in 1..=1_000 {
        let (sso, security) = (sso.clone(), security.clone());
        tasks.spawn(async move {
            let login = security.authorize(&[Scope::from(ASSETS)]);
            let url = callback(&sso.code_for(character, &[ASSETS]), login.state());
            tokio::task::yield_now().await;
            let who = security.auth_callback(&login, &url).await.expect("a login");
            assert_eq!(who.character_id, character);
            // ESI here answers 403 to any other character's token.
            assets(&sso.esi(who.security()), character)
                .await
                .expect("its own token");
        });
    }
    while let Some(outcome) = tasks.join_next().await {
        outcome.expect("no login got another's tokens");
    }
    assert_eq!(security.identities().await.expect("a list").len(), 1_000);
    assert!(security.token().is_none());
}

#[tokio::test]
async fn a_dropped_refresh_loses_nothing() {
    let sso = Sso::new().await;
    sso.world().rotation = Rotation::Another;
    let view = sso.log_in(&sso.security().await, 7).await;
    let before = view.token().expect("tokens");
    sso.expire();
    close(&sso.gate);
    let esi = sso.esi(view.clone());
    let call = tokio::spawn(async move { assets(&esi, 7).await });
    until(|| sso.grants("refresh_token").len() == 1).await;
    call.abort();
    assert!(call.await.expect_err("dropped").is_cancelled());
    open(&sso.gate);
    assets(&sso.esi(view.clone()), 7)
        .await
        .expect("the token that was asked for");
    assert_eq!(sso.grants("refresh_token").len(), 1);
    assert_ne!(
        view.token().expect("tokens").refresh_token(),
        before.refresh_token()
    );
}

/// The task that refreshes ends with its runtime; who waits elsewhere, or comes later, begins another.
#[test]
fn a_runtime_that_ends_during_a_refresh_leaves_no_one_waiting() {
    let servers = tokio::runtime::Runtime::new().expect("a runtime");
    let sso = servers.block_on(Sso::new());
    let view = servers.block_on(async { sso.log_in(&sso.security().await, 7).await });
    sso.expire();
    close(&sso.gate);
    let short = tokio::runtime::Runtime::new().expect("a runtime");
    let refreshing = view.clone();
    short.spawn(async move { refreshing.refresh().await });
    servers.block_on(until(|| !sso.grants("refresh_token").is_empty()));
    let waiting = view.clone();
    let waiting = servers.spawn(async move { waiting.refresh().await });
    short.shutdown_background();
    open(&sso.gate);
    let token = servers.block_on(waiting).expect("no panic").expect("a token");
    assert!(!token.access_token().is_empty());
    let own = sso.esi(view);
    servers
        .block_on(async { assets(&own, 7).await })
        .expect("an answer");
}

#[tokio::test]
async fn a_call_that_runs_out_of_time_for_a_token_was_not_sent() {
    let sso = Sso::new().await;
    let view = sso.log_in(&sso.security().await, 7).await;
    sso.expire();
    close(&sso.gate);
    let call = sso
        .esi(view)
        .get_characters_character_id_assets(7)
        .timeout(Duration::from_millis(20));
    let error = call.send().await.expect_err("nobody answers");
    assert!(
        matches!(&error, Error::Timeout(timeout) if timeout.phase == Phase::Token),
        "{error:?}"
    );
    assert!(!error.may_have_been_sent() && sso.world().esi_seen.is_empty());
    open(&sso.gate);
}

#[tokio::test]
async fn a_clock_two_minutes_off_works_for_a_whole_life_of_tokens() {
    for off in [-120, 120] {
        let sso = Sso::new().await;
        let local = ManualClock::new(esikit::clock::Clock::now(&sso.clock) + TimeDelta::seconds(off));
        let security = sso.with_pkce().clock(local.clone()).build().await.expect("built");
        let view = sso.log_in(&security, 7).await;
        let esi = sso.esi(view.clone());
        for _ in 0..60 {
            assets(&esi, 7).await.expect("an answer");
            view.verify().await.expect("claims");
            for clock in [&sso.clock, &local] {
                clock.advance(TimeDelta::minutes(1));
            }
        }
        let refreshes = sso.grants("refresh_token").len();
        assert!(
            (2..=4).contains(&refreshes),
            "{off}: {refreshes} in an hour of 20 minute tokens"
        );
        let statuses = sso.world().esi_seen.len();
        assert_eq!(statuses, 60, "{off}: no call was refused");
    }
}

#[tokio::test]
async fn a_refused_refresh_token_is_the_end_and_trouble_of_the_sso_is_not() {
    let sso = Sso::new().await;
    let security = sso.security().await;
    let view = sso.log_in(&security, 7).await;
    let esi = sso.esi(view.clone());
    let deaths = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&deaths);
    security.subscribe(move |event| {
        if matches!(
            event,
            SecurityEvent::LoginDead {
                identity: "character:7"
            }
        ) {
            seen.store(true, Ordering::SeqCst);
        }
    });
    sso.expire();
    for (status, body) in [
        (503, "<html>"),
        (500, "{}"),
        (429, "slow down"),
        (302, ""),
        (200, "<html>"),
        (200, "{}"),
        (400, "nonsense"),
        (400, r#"{"error":"server_error"}"#),
        (400, r#"{"error":"temporarily_unavailable"}"#),
    ] {
        sso.world().failures.push_back((status, body.to_owned()));
        let error = assets(&esi, 7).await.expect_err("the single sign-on is down");
        assert!(
            matches!(error, Error::SsoUnavailable(_) | Error::Sso(_)),
            "{status} {body}: {error:?}"
        );
        assert!(!error.may_have_been_sent());
        sso.clock.advance(TimeDelta::seconds(31));
    }
    assets(&esi, 7).await.expect("none of that killed it");
    sso.world().refresh_tokens.clear();
    sso.expire();
    assert!(!deaths.load(Ordering::SeqCst));
    let asked = sso.grants("refresh_token").len();
    for _ in 0..3 {
        let error = assets(&esi, 7).await.expect_err("dead");
        let Error::LoginNeeded(needed) = &error else {
            panic!("{error:?}")
        };
        assert_eq!(
            needed.operation.map(|operation| operation.id),
            Some("GetCharactersCharacterIdAssets")
        );
        assert_eq!(needed.scopes, [ASSETS]);
    }
    assert_eq!(
        sso.grants("refresh_token").len(),
        asked + 1,
        "later calls fail at once"
    );
    assert!(deaths.load(Ordering::SeqCst));
    sso.log_in(&security, 7).await;
    assets(&esi, 7).await.expect("a new login is a new life");
}
