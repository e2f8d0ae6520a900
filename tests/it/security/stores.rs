//! Tokens in a store: what it must have before anyone uses it, and what others put there.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use esikit::Error;
use esikit::store::MemoryTokenStore;

use super::moody::{Moody, tokens};
use super::sso::{Rotation, Sso, assets, close, open, settle, until};

#[tokio::test]
async fn a_store_that_fails_to_write_fails_the_call_and_the_token_is_kept() {
    for rotation in [Rotation::Same, Rotation::Another, Rotation::Left] {
        let sso = Sso::new().await;
        sso.world().rotation = rotation;
        let store = Moody::default();
        let security = sso.security_on(&store).await;
        let view = sso.log_in(&security, 7).await;
        let esi = sso.esi(view.clone());
        sso.expire();
        store.fails_to_write.store(true, Ordering::SeqCst);
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
        assert_ne!(Some(tokens(&kept)), store.tokens("character:7").await);
        store.fails_to_write.store(false, Ordering::SeqCst);
        assets(&esi, 7).await.expect("it is stored now");
        assert_eq!(Some(tokens(&kept)), store.tokens("character:7").await);
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
        let security = sso.security_on(&store).await;
        let view = sso.log_in(&security, 7).await;
        let before = view.token().expect("tokens");
        let heard = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&heard);
        security.signal_token_updated(move |_, _| seen.store(true, Ordering::SeqCst));
        sso.expire();
        close(&store.writes);
        let calls = store.puts.load(Ordering::SeqCst);
        let esi = sso.esi(view.clone());
        let call = tokio::spawn(async move { assets(&esi, 7).await });
        until(|| store.puts.load(Ordering::SeqCst) > calls).await;
        settle().await;
        let now = view.token().expect("tokens");
        assert_eq!(now.access_token(), before.access_token());
        assert!(!heard.load(Ordering::SeqCst) && sso.world().esi_seen.is_empty());
        open(&store.writes);
        call.await.expect("no panic").expect("an answer");
        let used = sso.world().esi_seen[0].1.clone();
        assert_eq!(used, store.tokens("character:7").await.map(|(access, _)| access));
        assert!(heard.load(Ordering::SeqCst));
    }
}

#[tokio::test]
async fn workers_on_one_store_take_over_what_another_refreshed() {
    let sso = Sso::new().await;
    sso.world().rotation = Rotation::Another;
    let store = MemoryTokenStore::new();
    let first = sso.security_on(&store).await;
    let second = sso.security_on(&store).await;
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
async fn what_is_forgotten_while_it_is_read_does_not_come_back() {
    let sso = Sso::new().await;
    let store = Moody::default();
    sso.log_in(&sso.security_on(&store.inner).await, 7).await;
    let view = sso.security_on(&store).await.identity("character:7");
    close(&store.reads);
    let reading = view.clone();
    let read = tokio::spawn(async move { reading.verify().await });
    until(|| store.gets.load(Ordering::SeqCst) == 1).await;
    view.forget("character:7").await.expect("forgotten");
    open(&store.reads);
    let error = read.await.expect("no panic").expect_err("it is gone");
    assert!(matches!(error, Error::LoginNeeded(_)), "{error:?}");
    assert!(view.token().is_none());
}

#[tokio::test]
async fn a_dead_login_lives_again_when_another_process_logs_in() {
    let sso = Sso::new().await;
    let store = MemoryTokenStore::new();
    let (first, second) = (sso.security_on(&store).await, sso.security_on(&store).await);
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
