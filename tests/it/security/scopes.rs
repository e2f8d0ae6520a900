//! Refreshes for fewer scopes, and everybody else's at the same time.

use std::collections::BTreeSet;
use std::sync::atomic::Ordering;

use esikit::token::TokenSet;
use esikit::{Error, EsiSecurity, Scope};
use tokio::task::JoinSet;

use super::moody::Moody;
use super::sso::{ASSETS, Sso, assets, close, open, settle, until};

const PUBLIC: &str = "publicData";
const MAIL: &str = "esi-mail.read_mail.v1";
const ALL: [&str; 3] = [ASSETS, PUBLIC, MAIL];

fn scopes(names: &[&str]) -> Vec<Scope> {
    names.iter().copied().map(Scope::from).collect()
}

fn granted(token: &TokenSet) -> BTreeSet<String> {
    let claims = token.claims().expect("claims");
    claims.scopes.iter().map(ToString::to_string).collect()
}

fn set(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// A refresh for these scopes, which waits for its answer.
async fn reducing(
    sso: &Sso,
    view: &EsiSecurity,
    names: &[&str],
) -> tokio::task::JoinHandle<BTreeSet<String>> {
    close(&sso.gate);
    let before = sso.grants("refresh_token").len();
    let (view, names) = (view.clone(), scopes(names));
    let refresh =
        tokio::spawn(async move { granted(&view.refresh_scopes(&names).await.expect("a refresh")) });
    until(|| sso.grants("refresh_token").len() > before).await;
    refresh
}

/// Each caller gets what it asked for, and each set of scopes is asked for once: whoever wants the same shares it.
#[tokio::test]
async fn many_callers_that_want_different_scopes_all_get_their_own() {
    let sso = Sso::new().await;
    let view = sso.log_in_for(&sso.security().await, 7, &ALL).await;
    sso.expire();
    close(&sso.gate);
    let sets: [&[&str]; 12] = [
        &[ASSETS],
        &[PUBLIC],
        &[MAIL],
        &[ASSETS, PUBLIC],
        &[ASSETS, MAIL],
        &[PUBLIC, MAIL],
        &["a"],
        &["b"],
        &["c"],
        &["d"],
        &["e"],
        &[],
    ];
    let mut callers = JoinSet::new();
    for round in 0..10 {
        for names in sets {
            let (view, mut asked) = (view.clone(), scopes(names));
            if round % 2 == 1 {
                asked.reverse();
            }
            let expected = set(if names.is_empty() { &ALL } else { names });
            callers.spawn(async move {
                let token = view.refresh_scopes(&asked).await.expect("a token");
                assert_eq!(granted(&token), expected);
            });
        }
        let view = view.clone();
        callers.spawn(async move {
            let token = view.refresh().await.expect("a token");
            assert_eq!(granted(&token), set(&ALL));
        });
    }
    settle().await;
    open(&sso.gate);
    while let Some(outcome) = callers.join_next().await {
        outcome.expect("nobody is told that a login is needed");
    }
    assert_eq!(sso.grants("refresh_token").len(), sets.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn callers_of_both_kinds_on_many_threads_come_to_an_end() {
    let sso = Sso::new().await;
    let view = sso.log_in_for(&sso.security().await, 7, &ALL).await;
    let esi = sso.esi(view.clone());
    let mut callers = JoinSet::new();
    for index in 0..200 {
        let (view, esi) = (view.clone(), esi.clone());
        callers.spawn(async move {
            let names = [ASSETS, PUBLIC, MAIL, "a", "b"];
            match index % 8 {
                5 => assert_eq!(granted(&view.refresh().await.expect("a token")), set(&ALL)),
                6 | 7 => match assets(&esi, 7).await {
                    Ok(()) | Err(Error::ScopesMissing(_)) => {}
                    Err(other) => panic!("{other:?}"),
                },
                name => {
                    let token = view.refresh_scopes(&scopes(&names[name..=name])).await;
                    assert_eq!(granted(&token.expect("a token")), set(&names[name..=name]));
                }
            }
        });
    }
    while let Some(outcome) = callers.join_next().await {
        outcome.expect("nobody is told that a login is needed");
    }
}

/// Whoever waits for a token gets it with fewer scopes than it had when they began to wait.
#[tokio::test]
async fn a_call_that_waited_for_fewer_scopes_than_it_needs_is_not_sent() {
    let sso = Sso::new().await;
    let view = sso.log_in_for(&sso.security().await, 7, &ALL).await;
    sso.expire();
    let refresh = reducing(&sso, &view, &[PUBLIC]).await;
    let esi = sso.esi(view.clone());
    let call = tokio::spawn(async move { assets(&esi, 7).await });
    settle().await;
    open(&sso.gate);
    assert_eq!(refresh.await.expect("no panic"), set(&[PUBLIC]));
    let error = call.await.expect("no panic").expect_err("its scope is gone");
    let Error::ScopesMissing(missing) = &error else {
        panic!("{error:?}")
    };
    assert_eq!(missing.missing, [ASSETS]);
    assert!(sso.world().esi_seen.is_empty());
}

#[tokio::test]
async fn fewer_scopes_last_until_the_next_refresh_for_all() {
    let sso = Sso::new().await;
    let view = sso.log_in_for(&sso.security().await, 7, &ALL).await;
    let esi = sso.esi(view.clone());
    view.refresh_scopes(&scopes(&[PUBLIC])).await.expect("a refresh");
    for _ in 0..2 {
        let error = assets(&esi, 7).await.expect_err("its scope is gone");
        assert!(matches!(error, Error::ScopesMissing(_)), "{error:?}");
    }
    view.refresh().await.expect("a refresh");
    assets(&esi, 7).await.expect("it is back");
}

#[tokio::test]
async fn a_refresh_for_all_is_not_content_with_less() {
    let sso = Sso::new().await;
    let view = sso.log_in_for(&sso.security().await, 7, &ALL).await;
    let refresh = reducing(&sso, &view, &[PUBLIC]).await;
    let other = view.clone();
    let whole = tokio::spawn(async move { granted(&other.refresh().await.expect("a refresh")) });
    settle().await;
    open(&sso.gate);
    assert_eq!(refresh.await.expect("no panic"), set(&[PUBLIC]));
    assert_eq!(whole.await.expect("no panic"), set(&ALL));
}

#[tokio::test]
async fn a_token_that_cannot_be_stored_is_everybodys_trouble_and_nobody_asks_for_more() {
    let sso = Sso::new().await;
    let store = Moody::default();
    let view = sso.log_in_for(&sso.security_on(&store).await, 7, &ALL).await;
    store.fails_to_write.store(true, Ordering::SeqCst);
    for names in [&[PUBLIC], &[PUBLIC], &[MAIL]] {
        let error = view
            .refresh_scopes(&scopes(names))
            .await
            .expect_err("it is not stored");
        assert!(matches!(error, Error::Store(_)), "{error:?}");
    }
    assert_eq!(sso.grants("refresh_token").len(), 1);
    store.fails_to_write.store(false, Ordering::SeqCst);
    let token = view.refresh_scopes(&scopes(&[MAIL])).await.expect("a refresh");
    assert_eq!(granted(&token), set(&[MAIL]));
}
