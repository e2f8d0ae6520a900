//! Logins, refreshes and ends of one identity, all at once: memory and store agree in the end, and no rotation is lost.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use esikit::{Error, EsiSecurity};
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use super::moody::{Moody, tokens};
use super::sso::{Asked, Rotation, Sso, assets, close, open, settle, until};

/// Tokens that nobody gave out.
fn foreign(name: &str) -> Value {
    json!({ "access_token": name, "refresh_token": format!("refresh of {name}"), "expires_in": 600 })
}

/// What restores a login: nothing but its refresh token.
fn only_refresh(view: &EsiSecurity) -> Value {
    let token = view.token().expect("tokens");
    json!({ "access_token": "", "refresh_token": token.refresh_token(), "expires_in": -1 })
}

fn access(view: &EsiSecurity) -> Option<String> {
    view.token().map(|token| token.access_token().to_owned())
}

fn updating(view: &EsiSecurity, tokens: Value) -> JoinHandle<Result<EsiSecurity, Error>> {
    let view = view.clone();
    tokio::spawn(async move { view.update_token(&tokens, None).await })
}

fn revocations(sso: &Sso) -> Vec<Asked> {
    let mut asked = sso.world().asked.clone();
    asked.retain(|asked| asked.path.ends_with("/revoke"));
    asked
}

/// A login whose refresh waits for its answer.
async fn refreshing(sso: &Sso, security: &EsiSecurity) -> (EsiSecurity, JoinHandle<Result<(), Error>>) {
    let view = sso.log_in(security, 7).await;
    sso.expire();
    close(&sso.gate);
    let waiting = view.clone();
    let refresh = tokio::spawn(async move { waiting.refresh().await.map(|_| ()) });
    until(|| sso.grants("refresh_token").len() == 1).await;
    (view, refresh)
}

/// Memory and store have the same, and it is a login that the single sign-on knows.
async fn assert_whole(sso: &Sso, store: &Moody, view: &EsiSecurity) {
    let here = tokens(&view.token().expect("tokens"));
    assert_eq!(Some(&here), store.tokens(view.token_identifier()).await.as_ref());
    let refresh = here.1.expect("a refresh token");
    assert!(sso.world().refresh_tokens.contains_key(&refresh), "{refresh}");
    view.refresh().await.expect("the login goes on");
}

#[tokio::test]
async fn an_older_refresh_does_not_overwrite_a_login() {
    for forgets_first in [false, true] {
        let sso = Sso::new().await;
        let store = Moody::default();
        let security = sso.security_on(&store).await;
        let (view, refresh) = refreshing(&sso, &security).await;
        if forgets_first {
            security.forget("character:7").await.expect("forgotten");
        }
        view.update_token(&foreign("newer"), None).await.expect("taken");
        open(&sso.gate);
        let _ = refresh.await.expect("no panic");
        assert_eq!(access(&view).as_deref(), Some("newer"));
        let stored = store.tokens("character:7").await;
        assert_eq!(stored.map(|(access, _)| access).as_deref(), Some("newer"));
    }
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
    open(&sso.gate);
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
    open(&sso.gate);
    call.await.expect("no panic").expect("the newer login's answer");
    assert_eq!(sso.grants("refresh_token").len(), 1);
}

/// What is stored already, and not published yet, is nothing that a refresh may use up.
#[tokio::test]
async fn a_refresh_that_begins_while_a_login_is_stored_loses_no_rotation() {
    let sso = Sso::new().await;
    sso.world().rotation = Rotation::Another;
    let store = Moody::default();
    let view = sso.log_in(&sso.security_on(&store).await, 7).await;
    let newer = sso.log_in(&sso.security().await, 7).await;
    sso.expire();
    close(&store.answers);
    let before = store.written();
    let update = updating(&view, only_refresh(&newer));
    until(|| store.written() > before).await;
    let esi = sso.esi(view.clone());
    let call = tokio::spawn(async move { assets(&esi, 7).await });
    settle().await;
    open(&store.answers);
    update.await.expect("no panic").expect("taken");
    call.await.expect("no panic").expect("an answer");
    assert_eq!(sso.grants("refresh_token").len(), 1);
    assert_whole(&sso, &store, &view).await;
}

/// The refresh token is kept where none is given: the one that a refresh is using up just now is the same login's.
#[tokio::test]
async fn tokens_of_the_same_login_given_during_its_refresh_lose_no_rotation() {
    for is_given in [false, true] {
        let sso = Sso::new().await;
        sso.world().rotation = Rotation::Another;
        let store = Moody::default();
        let security = sso.security_on(&store).await;
        let (view, refresh) = refreshing(&sso, &security).await;
        let mut given = json!({ "access_token": "given", "expires_in": 600 });
        if is_given {
            given["refresh_token"] = only_refresh(&view)["refresh_token"].clone();
        }
        view.update_token(&given, None).await.expect("taken");
        assert_eq!(access(&view).as_deref(), Some("given"));
        open(&sso.gate);
        refresh.await.expect("no panic").expect("refreshed");
        assert_ne!(
            access(&view).as_deref(),
            Some("given"),
            "what came later is newer"
        );
        assert_eq!(sso.grants("refresh_token").len(), 1);
        assert_whole(&sso, &store, &view).await;
    }
}

#[tokio::test]
async fn tokens_given_at_the_end_of_a_refresh_keep_what_it_brought() {
    let sso = Sso::new().await;
    sso.world().rotation = Rotation::Another;
    let store = Moody::default();
    let security = sso.security_on(&store).await;
    let (view, refresh) = refreshing(&sso, &security).await;
    close(&store.answers);
    let before = store.written();
    open(&sso.gate);
    until(|| store.written() > before).await;
    let given = json!({ "access_token": "given", "expires_in": 600 });
    let update = updating(&view, given);
    settle().await;
    open(&store.answers);
    refresh.await.expect("no panic").expect("refreshed");
    update.await.expect("no panic").expect("taken");
    assert_eq!(access(&view).as_deref(), Some("given"));
    assert_whole(&sso, &store, &view).await;
}

/// The store does the first write, then the second, and answers in any order.
#[tokio::test]
async fn two_logins_at_once_leave_memory_and_store_with_the_same() {
    let sso = Sso::new().await;
    let store = Moody::default();
    let view = sso.security_on(&store).await;
    for gate in [&store.writes, &store.answers] {
        close(gate);
        let puts = store.puts.load(Ordering::SeqCst);
        let first = updating(&view, foreign("first"));
        until(|| store.puts.load(Ordering::SeqCst) > puts).await;
        let second = updating(&view, foreign("second"));
        settle().await;
        assert_eq!(store.puts.load(Ordering::SeqCst), puts + 1, "one after the other");
        open(gate);
        for update in [first, second] {
            update.await.expect("no panic").expect("taken");
        }
        assert_eq!(access(&view).as_deref(), Some("second"));
        let here = tokens(&view.token().expect("tokens"));
        assert_eq!(store.tokens("default").await, Some(here));
    }
}

#[tokio::test]
async fn a_login_that_is_dropped_while_it_is_stored_is_whole_all_the_same() {
    let sso = Sso::new().await;
    let store = Moody::default();
    let view = sso.security_on(&store).await;
    close(&store.answers);
    let update = updating(&view, foreign("dropped"));
    until(|| store.written() == 1).await;
    update.abort();
    assert!(update.await.expect_err("dropped").is_cancelled());
    open(&store.answers);
    until(|| view.token().is_some()).await;
    assert_eq!(
        store.tokens("default").await,
        view.token().map(|token| tokens(&token))
    );
}

#[tokio::test]
async fn a_login_that_is_forgotten_while_it_is_stored_is_gone_in_both() {
    let sso = Sso::new().await;
    let store = Moody::default();
    let view = sso.security_on(&store).await;
    close(&store.answers);
    let update = updating(&view, foreign("forgotten"));
    until(|| store.written() == 1).await;
    let forgetting = view.clone();
    let forget = tokio::spawn(async move { forgetting.forget("default").await });
    settle().await;
    open(&store.answers);
    update.await.expect("no panic").expect("taken");
    forget.await.expect("no panic").expect("forgotten");
    assert!(view.token().is_none() && store.tokens("default").await.is_none());
}

fn revoking(view: &EsiSecurity) -> JoinHandle<Result<u16, Error>> {
    let view = view.clone();
    tokio::spawn(async move { view.revoke().await })
}

#[tokio::test]
async fn revoking_waits_for_the_refresh_that_is_under_way() {
    let sso = Sso::new().await;
    sso.world().rotation = Rotation::Another;
    let store = Moody::default();
    let security = sso.security_on(&store).await;
    let (view, refresh) = refreshing(&sso, &security).await;
    let revoke = revoking(&view);
    settle().await;
    assert!(revocations(&sso).is_empty() && !revoke.is_finished());
    open(&sso.gate);
    refresh.await.expect("no panic").expect("refreshed");
    assert_eq!(revoke.await.expect("no panic").expect("revoked"), 200);
    assert!(
        sso.world().refresh_tokens.is_empty(),
        "what the refresh brought is revoked"
    );
    assert!(view.token().is_none() && store.tokens("character:7").await.is_none());
}

#[tokio::test]
async fn revoking_takes_the_newest_of_store_and_memory() {
    let sso = Sso::new().await;
    sso.world().rotation = Rotation::Another;
    let store = Moody::default();
    let (first, second) = (sso.security_on(&store).await, sso.security_on(&store).await);
    let view = sso.log_in(&first, 7).await;
    let other = second.identity("character:7");
    other.verify().await.expect("read from the store");
    view.refresh().await.expect("refreshed by another process");
    other.revoke().await.expect("revoked");
    let newest = view.token().expect("tokens").refresh_token().map(str::to_owned);
    assert_eq!(Some(&revocations(&sso)[0].form["token"]), newest.as_ref());

    let view = sso.log_in(&first, 8).await;
    store.fails_to_write.store(true, Ordering::SeqCst);
    let error = view.refresh().await.expect_err("it cannot be stored");
    assert!(matches!(error, Error::Store(_)), "{error:?}");
    store.fails_to_write.store(false, Ordering::SeqCst);
    let newest = view.token().expect("tokens").refresh_token().map(str::to_owned);
    view.revoke().await.expect("revoked");
    assert_eq!(Some(&revocations(&sso)[1].form["token"]), newest.as_ref());
}

#[tokio::test]
async fn a_store_that_cannot_be_read_does_not_keep_a_login_from_being_revoked() {
    let sso = Sso::new().await;
    let store = Moody::default();
    let view = sso.log_in(&sso.security_on(&store).await, 7).await;
    store.fails_to_read.store(true, Ordering::SeqCst);
    let error = view.revoke().await.expect_err("it may have had a newer one");
    assert!(
        matches!(&error, Error::Store(store) if store.action == "read"),
        "{error:?}"
    );
    assert!(sso.world().refresh_tokens.is_empty() && view.token().is_none());
    assert!(store.tokens("character:7").await.is_none());
}

#[tokio::test]
async fn a_refresh_token_is_not_kept_when_the_store_may_have_a_newer_one() {
    let sso = Sso::new().await;
    let store = Moody::default();
    let view = sso.log_in(&sso.security_on(&store).await, 7).await;
    let before = store.tokens("character:7").await;
    store.fails_to_read.store(true, Ordering::SeqCst);
    let given = json!({ "access_token": "given", "expires_in": 600 });
    let error = view
        .update_token(&given, None)
        .await
        .expect_err("nobody knows which to keep");
    assert!(matches!(error, Error::Store(_)), "{error:?}");
    assert_eq!(store.tokens("character:7").await, before);
    view.update_token(&foreign("whole"), None).await.expect("taken");
    assert_eq!(access(&view).as_deref(), Some("whole"));
}

#[tokio::test]
async fn a_revocation_that_is_dropped_forgets_all_the_same() {
    let sso = Sso::new().await;
    let store = Moody::default();
    let view = sso.log_in(&sso.security_on(&store).await, 7).await;
    close(&sso.gate);
    let revoke = revoking(&view);
    until(|| revocations(&sso).len() == 1).await;
    revoke.abort();
    assert!(revoke.await.expect_err("dropped").is_cancelled());
    open(&sso.gate);
    until(|| view.token().is_none()).await;
    let identities = view.identities();
    assert!(identities.await.expect("a list").is_empty());
    assert!(sso.world().refresh_tokens.is_empty());
}

#[tokio::test]
async fn nothing_is_refreshed_while_it_is_revoked() {
    let sso = Sso::new().await;
    let view = sso.log_in(&sso.security().await, 7).await;
    sso.expire();
    close(&sso.gate);
    let revoke = revoking(&view);
    until(|| revocations(&sso).len() == 1).await;
    let esi = sso.esi(view.clone());
    let call = tokio::spawn(async move { assets(&esi, 7).await });
    let again = revoking(&view);
    settle().await;
    assert!(!call.is_finished() && !again.is_finished());
    open(&sso.gate);
    revoke.await.expect("no panic").expect("revoked");
    let error = call.await.expect("no panic").expect_err("it is gone");
    assert!(matches!(error, Error::LoginNeeded(_)), "{error:?}");
    let error = again.await.expect("no panic").expect_err("nothing is left");
    assert!(matches!(error, Error::Argument(_)), "{error:?}");
    assert!(sso.grants("refresh_token").is_empty() && revocations(&sso).len() == 1);
}

#[tokio::test]
async fn a_login_that_comes_during_a_revocation_stays() {
    let sso = Sso::new().await;
    let store = Moody::default();
    let security = sso.security_on(&store).await;
    let view = sso.log_in(&security, 7).await;
    let old = only_refresh(&view)["refresh_token"].clone();
    let newer = sso.log_in(&sso.security().await, 7).await;
    close(&sso.gate);
    let revoke = revoking(&view);
    until(|| revocations(&sso).len() == 1).await;
    view.update_token(&only_refresh(&newer), None)
        .await
        .expect("taken");
    open(&sso.gate);
    revoke.await.expect("no panic").expect("revoked");
    assert_eq!(json!(revocations(&sso)[0].form["token"]), old);
    assert_whole(&sso, &store, &view).await;
}
