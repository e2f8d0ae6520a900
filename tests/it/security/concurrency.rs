//! Many tasks, many identities, and what may go wrong in between.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use chrono::TimeDelta;
use esikit::clock::ManualClock;
use esikit::error::Phase;
use esikit::security::SecurityEvent;
use esikit::store::{MemoryTokenStore, Put, StoreError, StoreFuture, Stored, TokenStore};
use esikit::token::TokenSet;
use esikit::{Error, Esi, EsiSecurity, Scope};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::sso::{ASSETS, Rotation, Sso, callback};

async fn assets(esi: &Esi, character: i64) -> Result<(), Error> {
    esi.get_characters_character_id_assets(character)
        .send()
        .await
        .map(|_| ())
}

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

fn close(gate: &Semaphore) {
    gate.forget_permits(Semaphore::MAX_PERMITS);
}

async fn until(condition: impl Fn() -> bool) {
    let waiting = async {
        while !condition() {
            tokio::task::yield_now().await;
        }
    };
    let waited = tokio::time::timeout(Duration::from_secs(20), waiting).await;
    waited.expect("it comes true sooner");
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
    sso.gate.add_permits(Semaphore::MAX_PERMITS);
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
    sso.gate.add_permits(Semaphore::MAX_PERMITS);
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
    sso.gate.add_permits(Semaphore::MAX_PERMITS);
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

/// A store that fails to write, or takes its time, while it is told to.
#[derive(Clone)]
struct Moody {
    inner: MemoryTokenStore,
    fails: Arc<AtomicBool>,
    puts: Arc<AtomicUsize>,
    turns: Arc<Semaphore>,
    gets: Arc<AtomicUsize>,
    reads: Arc<Semaphore>,
}

impl Default for Moody {
    fn default() -> Self {
        Self {
            inner: MemoryTokenStore::new(),
            fails: Arc::default(),
            puts: Arc::default(),
            turns: Arc::new(Semaphore::new(Semaphore::MAX_PERMITS)),
            gets: Arc::default(),
            reads: Arc::new(Semaphore::new(Semaphore::MAX_PERMITS)),
        }
    }
}

impl TokenStore for Moody {
    fn get<'a>(&'a self, identity: &'a str) -> StoreFuture<'a, Option<Stored>> {
        Box::pin(async move {
            let got = self.inner.get(identity).await;
            self.gets.fetch_add(1, Ordering::SeqCst);
            drop(self.reads.acquire().await.map_err(StoreError::new)?);
            got
        })
    }

    fn put<'a>(&'a self, identity: &'a str, token: Arc<TokenSet>, expected: u64) -> StoreFuture<'a, Put> {
        Box::pin(async move {
            self.puts.fetch_add(1, Ordering::SeqCst);
            drop(self.turns.acquire().await.map_err(StoreError::new)?);
            if self.fails.load(Ordering::SeqCst) {
                return Err(StoreError::new("the disk is full"));
            }
            self.inner.put(identity, token, expected).await
        })
    }

    fn remove<'a>(&'a self, identity: &'a str) -> StoreFuture<'a, ()> {
        self.inner.remove(identity)
    }

    fn list(&self) -> StoreFuture<'_, Vec<String>> {
        self.inner.list()
    }
}

#[tokio::test]
async fn a_store_that_fails_to_write_fails_the_call_and_the_token_is_kept() {
    for rotation in [Rotation::Same, Rotation::Another, Rotation::Left] {
        let sso = Sso::new().await;
        sso.world().rotation = rotation;
        let store = Moody::default();
        let security = sso
            .with_pkce()
            .token_store(store.clone())
            .build()
            .await
            .expect("built");
        let view = sso.log_in(&security, 7).await;
        let esi = sso.esi(view.clone());
        sso.expire();
        store.fails.store(true, Ordering::SeqCst);
        for _ in 0..2 {
            let error = assets(&esi, 7).await.expect_err("loudly");
            assert!(
                matches!(&error, Error::Store(store) if store.action == "write"),
                "{error:?}"
            );
            assert!(error.to_string().contains("the disk is full") && !error.may_have_been_sent());
        }
        assert!(sso.world().esi_seen.is_empty(), "nobody used what is not stored");
        let kept = view.token().expect("in memory");
        let stored = store
            .get("character:7")
            .await
            .expect("read")
            .expect("the old one");
        assert_ne!(kept.access_token(), stored.token.access_token());
        store.fails.store(false, Ordering::SeqCst);
        assets(&esi, 7).await.expect("it is stored now");
        let stored = store
            .get("character:7")
            .await
            .expect("read")
            .expect("the new one");
        assert_eq!(stored.token.access_token(), kept.access_token());
        assert_eq!(stored.token.refresh_token(), kept.refresh_token());
        assert_eq!(sso.grants("refresh_token").len(), 1, "one refresh in all");
    }
}

/// While the store writes, nobody has the new token: not ESI, not a reader, not a subscriber.
#[tokio::test]
async fn a_new_token_is_stored_before_anyone_uses_it() {
    for rotation in [Rotation::Same, Rotation::Another, Rotation::Left] {
        let sso = Sso::new().await;
        sso.world().rotation = rotation;
        let store = Moody::default();
        let builder = sso.with_pkce().token_store(store.clone());
        let security = builder.build().await.expect("built");
        let view = sso.log_in(&security, 7).await;
        let before = view.token().expect("tokens");
        let heard = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&heard);
        security.signal_token_updated(move |_, _| seen.store(true, Ordering::SeqCst));
        sso.expire();
        close(&store.turns);
        let calls = store.puts.load(Ordering::SeqCst);
        let esi = sso.esi(view.clone());
        let call = tokio::spawn(async move { assets(&esi, 7).await });
        until(|| store.puts.load(Ordering::SeqCst) > calls).await;
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        let now = view.token().expect("tokens");
        assert_eq!(now.access_token(), before.access_token());
        assert!(!heard.load(Ordering::SeqCst) && sso.world().esi_seen.is_empty());
        store.turns.add_permits(Semaphore::MAX_PERMITS);
        call.await.expect("no panic").expect("an answer");
        let stored = store.get("character:7").await.expect("read").expect("there");
        let used = sso.world().esi_seen[0].1.clone();
        assert_eq!(used.as_deref(), Some(stored.token.access_token()));
        assert!(heard.load(Ordering::SeqCst));
    }
}

#[tokio::test]
async fn workers_on_one_store_take_over_what_another_refreshed() {
    let sso = Sso::new().await;
    sso.world().rotation = Rotation::Another;
    let store = MemoryTokenStore::new();
    let first = sso
        .with_pkce()
        .token_store(store.clone())
        .build()
        .await
        .expect("built");
    let second = sso
        .with_pkce()
        .token_store(store.clone())
        .build()
        .await
        .expect("built");
    sso.log_in(&first, 7).await;
    let (first, second) = (first.identity("character:7"), second.identity("character:7"));
    assets(&sso.esi(second.clone()), 7)
        .await
        .expect("read from the store");
    sso.expire();
    assets(&sso.esi(first.clone()), 7).await.expect("refreshed");
    assets(&sso.esi(second.clone()), 7).await.expect("taken over");
    assert_eq!(sso.grants("refresh_token").len(), 1);
    first.forget("character:7").await.expect("forgotten");
    sso.expire();
    let error = assets(&sso.esi(second), 7).await.expect_err("gone");
    assert!(matches!(error, Error::LoginNeeded(_)), "{error:?}");
    assert_eq!(sso.grants("refresh_token").len(), 1);
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

#[tokio::test]
async fn a_login_during_a_refresh_is_not_overwritten_by_it() {
    let sso = Sso::new().await;
    let security = sso.security().await;
    let view = sso.log_in(&security, 7).await;
    sso.expire();
    close(&sso.gate);
    let refreshing = view.clone();
    let refresh = tokio::spawn(async move { refreshing.refresh().await });
    until(|| sso.grants("refresh_token").len() == 1).await;
    let kept =
        serde_json::json!({ "access_token": "newer", "refresh_token": "newer too", "expires_in": 600 });
    view.update_token(&kept, None).await.expect("taken");
    sso.gate.add_permits(Semaphore::MAX_PERMITS);
    let _ = refresh.await.expect("no panic");
    assert_eq!(view.token().expect("tokens").access_token(), "newer");
}

#[tokio::test]
async fn a_login_after_a_forget_is_not_overwritten_by_an_older_refresh() {
    let sso = Sso::new().await;
    let security = sso.security().await;
    let view = sso.log_in(&security, 7).await;
    sso.expire();
    close(&sso.gate);
    let refreshing = view.clone();
    let refresh = tokio::spawn(async move { refreshing.refresh().await });
    until(|| sso.grants("refresh_token").len() == 1).await;
    security.forget("character:7").await.expect("forgotten");
    let kept =
        serde_json::json!({ "access_token": "newer", "refresh_token": "newer too", "expires_in": 600 });
    view.update_token(&kept, None).await.expect("taken");
    sso.gate.add_permits(Semaphore::MAX_PERMITS);
    let _ = refresh.await.expect("no panic");
    assert_eq!(view.token().expect("tokens").access_token(), "newer");
}

#[tokio::test]
async fn what_is_forgotten_while_it_is_read_does_not_come_back() {
    let sso = Sso::new().await;
    let store = Moody::default();
    let first = sso.with_pkce().token_store(store.inner.clone());
    sso.log_in(&first.build().await.expect("built"), 7).await;
    let builder = sso.with_pkce().token_store(store.clone());
    let view = builder.build().await.expect("built").identity("character:7");
    close(&store.reads);
    let reading = view.clone();
    let read = tokio::spawn(async move { reading.verify().await });
    until(|| store.gets.load(Ordering::SeqCst) == 1).await;
    view.forget("character:7").await.expect("forgotten");
    store.reads.add_permits(Semaphore::MAX_PERMITS);
    let error = read.await.expect("no panic").expect_err("it is gone");
    assert!(matches!(error, Error::LoginNeeded(_)), "{error:?}");
    assert!(view.token().is_none());
}

/// As restoring does it: nothing but a refresh token, in the middle of a refresh.
#[tokio::test]
async fn who_waits_for_a_refresh_gets_nothing_that_nobody_checked() {
    let sso = Sso::new().await;
    let security = sso.security().await;
    let view = sso.log_in(&security, 7).await;
    let other = sso.log_in(&sso.security().await, 7).await;
    let kept = other.token().expect("tokens");
    let heard = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&heard);
    security.signal_token_updated(move |_, token| {
        assert!(!token.access_token().is_empty());
        seen.fetch_add(1, Ordering::SeqCst);
    });
    close(&sso.gate);
    let refreshing = view.clone();
    let refresh = tokio::spawn(async move { refreshing.refresh().await });
    until(|| sso.grants("refresh_token").len() == 1).await;
    let kept =
        serde_json::json!({ "access_token": "", "refresh_token": kept.refresh_token(), "expires_in": -1 });
    view.update_token(&kept, None).await.expect("taken");
    sso.gate.add_permits(Semaphore::MAX_PERMITS);
    let token = refresh.await.expect("no panic").expect("a token");
    assert!(!token.access_token().is_empty());
    assert_eq!(token.refresh_token(), kept["refresh_token"].as_str());
    assert_eq!(heard.load(Ordering::SeqCst), 1, "of the second refresh only");
}

#[tokio::test]
async fn the_refusal_of_an_older_login_is_not_the_newer_ones() {
    let sso = Sso::new().await;
    let view = sso.log_in(&sso.security().await, 7).await;
    sso.expire();
    let newer = sso.log_in(&sso.security().await, 7).await;
    let newer = newer.token().expect("tokens");
    close(&sso.gate);
    let refusal = r#"{"error":"invalid_grant"}"#.to_owned();
    sso.world().failures.push_back((400, refusal));
    let esi = sso.esi(view.clone());
    let call = tokio::spawn(async move { assets(&esi, 7).await });
    until(|| sso.grants("refresh_token").len() == 1).await;
    let kept = serde_json::json!({
        "access_token": newer.access_token(), "refresh_token": newer.refresh_token(), "expires_in": 1199,
    });
    view.update_token(&kept, None).await.expect("taken");
    sso.gate.add_permits(Semaphore::MAX_PERMITS);
    call.await.expect("no panic").expect("the newer login's answer");
    assert_eq!(sso.grants("refresh_token").len(), 1);
}

#[tokio::test]
async fn a_dead_login_lives_again_when_another_process_logs_in() {
    let sso = Sso::new().await;
    let store = MemoryTokenStore::new();
    let built = || async {
        let builder = sso.with_pkce().token_store(store.clone());
        builder.build().await.expect("built")
    };
    let (first, second) = (built().await, built().await);
    let esi = sso.esi(sso.log_in(&first, 7).await);
    sso.world().refresh_tokens.clear();
    sso.expire();
    for _ in 0..3 {
        let error = assets(&esi, 7).await.expect_err("dead");
        assert!(matches!(error, Error::LoginNeeded(_)), "{error:?}");
    }
    assert_eq!(sso.grants("refresh_token").len(), 1);
    sso.log_in(&second, 7).await;
    assets(&esi, 7).await.expect("the other's login");
    assert_eq!(sso.grants("refresh_token").len(), 1, "the store was asked only");
}
