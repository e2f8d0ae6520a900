//! Secured calls of a client.

use esikit::error::Phase;
use esikit::{Error, Esi, EsiSecurity, Scope};
use serde_json::json;

use super::sso::{ASSETS, Sso, assets, callback, close, open, until};
use crate::server::Server;

async fn logged_in(sso: &Sso) -> (EsiSecurity, Esi) {
    let view = sso.log_in(&sso.security().await, 7).await;
    (view.clone(), sso.esi(view))
}

#[tokio::test]
async fn only_secured_operations_see_the_token() {
    let sso = Sso::new().await;
    let (view, esi) = logged_in(&sso).await;
    esi.get_status().send().await.expect("an answer");
    assets(&esi, 7).await.expect("an answer");
    esi.call("GetCharactersCharacterIdAssets")
        .expect("known")
        .param("character_id", 7)
        .send()
        .await
        .expect("an answer");
    let token = view.token().map(|token| token.access_token().to_owned());
    let seen: Vec<_> = sso
        .world()
        .esi_seen
        .iter()
        .map(|(_, token)| token.clone())
        .collect();
    assert_eq!(seen, [None, token.clone(), token]);
}

#[tokio::test]
async fn an_anonymous_call_works_with_a_login_that_is_over() {
    let sso = Sso::new().await;
    let (_, esi) = logged_in(&sso).await;
    sso.expire();
    esi.get_status().send().await.expect("an answer");
    assert!(sso.grants("refresh_token").is_empty());
}

#[tokio::test]
async fn without_a_login_or_a_scope_nothing_is_sent() {
    let sso = Sso::new().await;
    let security = sso.security().await;
    let none = Esi::builder()
        .user_agent("a/1 (b@example.com)")
        .base_url(&sso.url)
        .build()
        .expect("a client");
    for esi in [none, sso.esi(security.clone())] {
        let error = assets(&esi, 7).await.expect_err("no login");
        let Error::LoginNeeded(needed) = &error else {
            panic!("{error:?}")
        };
        assert_eq!(needed.scopes, [ASSETS]);
        assert!(
            error.to_string().contains("GetCharactersCharacterIdAssets"),
            "{error}"
        );
    }
    let login = security.authorize(&[Scope::from("publicData")]);
    let url = callback(&sso.code_for(7, &["publicData"]), login.state());
    let who = security.auth_callback(&login, &url).await.expect("a login");
    sso.expire();
    let asked = sso.world().asked.len();
    let error = assets(&sso.esi(who.security()), 7)
        .await
        .expect_err("the scope is missing");
    let Error::ScopesMissing(missing) = &error else {
        panic!("{error:?}")
    };
    assert_eq!(
        (missing.missing.as_slice(), missing.identity.as_str()),
        ([ASSETS].as_slice(), "character:7")
    );
    assert!(error.to_string().contains(ASSETS) && !error.may_have_been_sent());
    let world = sso.world();
    assert!(
        world.esi_seen.is_empty() && world.asked.len() == asked,
        "no network, the single sign-on's neither"
    );
}

#[tokio::test]
async fn a_refused_token_is_refreshed_once_and_the_call_made_once_more() {
    let sso_trouble = json!({ "error": "timeout", "sso_status": 500 }).to_string();
    for (status, body) in [(401, r#"{"error":"expired"}"#.to_owned()), (403, sso_trouble)] {
        let sso = Sso::new().await;
        let (view, esi) = logged_in(&sso).await;
        let before = view.token().expect("tokens").access_token().to_owned();
        sso.world().esi_failures.push_back((status, body.clone()));
        assets(&esi, 7).await.expect("the second try");
        assert_eq!(sso.grants("refresh_token").len(), 1);
        let seen: Vec<_> = sso
            .world()
            .esi_seen
            .iter()
            .map(|(_, token)| token.clone())
            .collect();
        assert_eq!(
            seen,
            [
                Some(before),
                view.token().map(|token| token.access_token().to_owned())
            ]
        );

        sso.world()
            .esi_failures
            .extend([(status, body.clone()), (status, body)]);
        let error = assets(&esi, 7).await.expect_err("refused twice");
        assert!(
            matches!(&error, Error::Api(api) if api.status == status),
            "{error:?}"
        );
        assert_eq!(
            (sso.grants("refresh_token").len(), sso.world().esi_seen.len()),
            (2, 4),
            "never a loop"
        );
    }
}

#[tokio::test]
async fn a_missing_right_is_no_reason_to_refresh() {
    let sso = Sso::new().await;
    let (_, esi) = logged_in(&sso).await;
    for body in [
        r#"{"error":"Character does not have required role(s)"}"#,
        "<html>",
        "",
    ] {
        sso.world().esi_failures.push_back((403, body.to_owned()));
        assert_eq!(assets(&esi, 7).await.expect_err("forbidden").status(), Some(403));
    }
    assert!(sso.grants("refresh_token").is_empty());
}

#[tokio::test]
async fn many_refused_calls_share_one_refresh() {
    let sso = Sso::new().await;
    let (_, esi) = logged_in(&sso).await;
    for _ in 0..20 {
        sso.world().esi_failures.push_back((401, String::new()));
    }
    let calls: Vec<_> = (0..20)
        .map(|_| {
            let esi = esi.clone();
            tokio::spawn(async move { assets(&esi, 7).await })
        })
        .collect();
    for call in calls {
        call.await.expect("no panic").expect("the second try");
    }
    assert_eq!(
        sso.grants("refresh_token").len(),
        1,
        "the others found that their token was not the current one"
    );
}

#[tokio::test]
async fn a_refused_token_that_is_replaced_already_is_no_reason_to_refresh() {
    let sso = Sso::new().await;
    let (view, esi) = logged_in(&sso).await;
    close(&sso.esi_gate);
    sso.world().esi_failures.push_back((401, String::new()));
    let call = tokio::spawn(async move { assets(&esi, 7).await });
    until(|| !sso.world().esi_seen.is_empty()).await;
    let newer = view.refresh().await.expect("somebody else's refresh");
    open(&sso.esi_gate);
    call.await.expect("no panic").expect("the second try");
    assert_eq!(sso.grants("refresh_token").len(), 1);
    let used = sso.world().esi_seen[1].1.clone();
    assert_eq!(used.as_deref(), Some(newer.access_token()));
}

#[tokio::test]
async fn without_a_refresh_token_the_refusal_is_the_answer() {
    let sso = Sso::new().await;
    let (view, _) = logged_in(&sso).await;
    let token = view.token().expect("tokens").access_token().to_owned();
    let other = view.identity("restored");
    let only = json!({ "access_token": token, "expires_in": 30 });
    other.update_token(&only, None).await.expect("taken");
    let esi = sso.esi(other);
    assets(&esi, 7).await.expect("its last half minute counts");
    sso.world().esi_failures.push_back((401, String::new()));
    assert_eq!(assets(&esi, 7).await.expect_err("refused").status(), Some(401));
    sso.expire();
    assert!(matches!(assets(&esi, 7).await, Err(Error::LoginNeeded(_))));
}

#[tokio::test]
async fn a_token_goes_to_its_own_origin_only() {
    let (sso, elsewhere) = (Sso::new().await, Sso::new().await);
    let (view, _) = logged_in(&sso).await;
    let builder = || {
        Esi::builder()
            .user_agent("a/1 (b@example.com)")
            .base_url(&elsewhere.url)
    };
    let error = builder()
        .security(view.clone())
        .build()
        .expect_err("another origin");
    assert!(
        matches!(&error, Error::Config(config) if config.setting == "security"),
        "{error:?}"
    );
    let esi = builder().build().expect("a client").with_security(view);
    let error = assets(&esi, 7).await.expect_err("another origin");
    assert!(matches!(error, Error::Config(_)), "{error:?}");
    assert!(elsewhere.world().esi_seen.is_empty());
}

#[tokio::test]
async fn a_header_of_the_callers_own_is_left_alone() {
    let sso = Sso::new().await;
    let (_, esi) = logged_in(&sso).await;
    let call = esi
        .get_characters_character_id_assets(7)
        .header("Authorization", "Bearer mine");
    assert_eq!(call.send().await.expect_err("it is no good").status(), Some(401));
    assert_eq!(sso.world().esi_seen[0].1.as_deref(), Some("mine"));
    assert!(sso.grants("refresh_token").is_empty());
}

#[tokio::test]
async fn views_share_a_client_and_never_tokens() {
    let sso = Sso::new().await;
    let security = sso.security().await;
    let esi = sso.esi(security.clone());
    for character in [7, 8] {
        sso.log_in(&security, character).await;
    }
    for character in [7, 8, 7] {
        let own = esi.with_security(security.identity(format!("character:{character}")));
        own.get_characters_character_id_assets(character)
            .send()
            .await
            .expect("its own");
    }
    let other = esi.with_security(security.identity("character:8"));
    assert_eq!(
        assets(&other, 7).await.expect_err("not its own").status(),
        Some(403)
    );
}

/// Before the first token of a restored login, and before another one after a refusal.
#[tokio::test]
async fn whoever_runs_out_of_time_for_a_token_is_told_so() {
    let sso = Sso::new().await;
    let (view, esi) = logged_in(&sso).await;
    let kept = view.token().expect("tokens");
    let kept = json!({ "access_token": "", "expires_in": -1, "refresh_token": kept.refresh_token() });
    let fresh = sso.security().await;
    let restored = fresh.update_token(&kept, Some("mine")).await.expect("taken");
    close(&sso.gate);
    sso.world().esi_failures.push_back((401, "{}".to_owned()));
    for (esi, sent) in [(sso.esi(restored), 0), (esi, 1)] {
        let call = esi.get_characters_character_id_assets(7);
        let limited = call.timeout(std::time::Duration::from_secs(2));
        let error = limited.send().await.expect_err("nobody answers");
        let is_token =
            |error: &Error| matches!(error, Error::Timeout(timeout) if timeout.phase == Phase::Token);
        assert!(is_token(&error) && !error.may_have_been_sent(), "{error:?}");
        assert_eq!(sso.world().esi_seen.len(), sent);
    }
    open(&sso.gate);
}

/// Neither the place it names nor another path of the same server is asked, be the login a character's or the header
/// the caller's own.
#[tokio::test]
async fn a_redirect_gets_no_token() {
    let sso = Sso::new().await;
    let elsewhere = Server::json("[]").await;
    for status in [301, 302, 303, 307, 308] {
        for place in [
            format!("{}/there", elsewhere.url),
            "/characters/7/there".to_owned(),
        ] {
            let esi_server = Server::answering(status, &[("Location", &place)], "").await;
            let builder = sso.with_pkce().esi_url(&esi_server.url);
            let view = sso.log_in(&builder.build().await.expect("built"), 7).await;
            let esi = esi_server.builder().security(view).build().expect("a client");
            let anonymous = esi_server.esi();
            let own = anonymous
                .get_characters_character_id_assets(7)
                .header("Authorization", "Bearer own");
            let login = esi.get_characters_character_id_assets(7);
            for call in [login, own] {
                let error = call.send().await.expect_err("it is not followed");
                assert!(
                    matches!(&error, Error::Api(api) if api.status == status),
                    "{error:?}"
                );
                assert!(!error.is_retryable());
            }
            let seen = esi_server.seen();
            assert_eq!(seen.len(), 2, "{place}");
            assert!(seen.iter().all(|seen| seen.target() == "/characters/7/assets"));
        }
    }
    assert!(elsewhere.seen().is_empty());
}
