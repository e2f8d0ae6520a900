//! Each method, by the requests it makes and what they change.

use chrono::TimeDelta;
use esikit::security::SecurityEvent;
use esikit::store::{MemoryTokenStore, TokenStore};
use esikit::{Error, Scope};
use serde_json::json;
use std::sync::{Arc, Mutex};

use super::jwt::{CLIENT_ID, Signer};
use super::sso::{ASSETS, Rotation, Sso, basic, callback};

#[tokio::test]
async fn a_login_with_pkce_sends_id_and_verifier_in_the_form() {
    let sso = Sso::new().await;
    let security = sso.security().await;
    let login = security.authorize(&[Scope::from(ASSETS)]);
    let code = sso.code_for(7, &[ASSETS]);
    let who = security
        .auth_callback(&login, &callback(&code, login.state()))
        .await
        .expect("a login");
    assert_eq!((who.character_id, who.name.as_str()), (7, "Pilot 7"));
    assert_eq!(who.scopes, [Scope::from(ASSETS)]);
    assert_eq!(who.owner.as_deref(), Some("owner-of-7"));
    assert_eq!(who.security().token_identifier(), "character:7");
    assert!(security.token().is_none(), "the receiver stays as it was");
    let asked = sso.grants("authorization_code").remove(0);
    assert_eq!(asked.form["client_id"], CLIENT_ID);
    assert_eq!(asked.form["code"], code);
    assert!(asked.form["code_verifier"].len() >= 43);
    assert_eq!(asked.authorization, None);
    assert_eq!(
        asked.user_agent.as_deref(),
        Some("esikit-tests/1.0 (tests@example.com)")
    );
    assert_eq!(security.identities().await.expect("a list"), ["character:7"]);
}

#[tokio::test]
async fn a_login_with_a_secret_uses_basic_for_all_three_requests() {
    let sso = Sso::signing(Signer::ec()).await;
    let security = sso.with_secret().pkce().build().await.expect("built");
    let view = sso.log_in(&security, 7).await;
    view.refresh().await.expect("a refresh");
    assert_eq!(view.revoke().await.expect("revoked"), 200);
    let asked = sso.world().asked.clone();
    assert_eq!(asked.len(), 3);
    for asked in asked {
        assert_eq!(asked.authorization, Some(basic()), "{}", asked.path);
        assert!(!asked.form.contains_key("client_id") && !asked.form.contains_key("code_verifier"));
    }
}

#[tokio::test]
async fn auth_binds_to_the_receivers_identity() {
    let sso = Sso::new().await;
    let security = sso
        .with_pkce()
        .token_identifier("main")
        .build()
        .await
        .expect("built");
    security.auth(&sso.code_for(9, &[])).await.expect("a login");
    assert_eq!(
        security
            .token()
            .and_then(|token| Some(token.claims()?.character_id)),
        Some(9)
    );
    assert!(
        sso.grants("authorization_code")[0]
            .form
            .contains_key("code_verifier")
    );
    assert!(!security.is_token_expired(TimeDelta::zero()));
    assert!(security.is_token_expired(TimeDelta::minutes(20)));
    assert!(security.identity("other").is_token_expired(TimeDelta::zero()));
}

#[tokio::test]
async fn each_kind_of_rotation_keeps_the_right_refresh_token() {
    for (rotation, is_kept) in [
        (Rotation::Same, true),
        (Rotation::Another, false),
        (Rotation::Left, true),
    ] {
        let sso = Sso::new().await;
        let view = sso.log_in(&sso.security().await, 7).await;
        let before = view.token().expect("tokens");
        sso.world().rotation = rotation;
        let after = view.refresh().await.expect("a refresh");
        assert_ne!(after.access_token(), before.access_token());
        assert_eq!(after.refresh_token() == before.refresh_token(), is_kept);
        let asked = sso.grants("refresh_token").remove(0);
        assert_eq!(asked.form["client_id"], CLIENT_ID);
        assert!(!asked.form.contains_key("scope") && !asked.form.contains_key("code_verifier"));
        if rotation != Rotation::Left {
            view.refresh().await.expect("and again with what was kept");
        }
    }
}

#[tokio::test]
async fn fewer_scopes_are_asked_for_by_spaces() {
    let sso = Sso::new().await;
    let view = sso.log_in(&sso.security().await, 7).await;
    let two = [Scope::from("publicData"), Scope::from("esi-mail.read_mail.v1")];
    let token = view.refresh_scopes(&two).await.expect("a refresh");
    assert_eq!(
        sso.grants("refresh_token")[0].form["scope"],
        "publicData esi-mail.read_mail.v1"
    );
    assert_eq!(token.claims().expect("claims").scopes, two);
}

#[tokio::test]
async fn revoking_takes_the_refresh_token_first_and_clears_whatever_the_answer() {
    let sso = Sso::new().await;
    let security = sso.security().await;
    let view = sso.log_in(&security, 7).await;
    let refresh = view
        .token()
        .expect("tokens")
        .refresh_token()
        .expect("one")
        .to_owned();
    sso.world().failures.push_back((503, String::new()));
    let error = view.revoke().await.expect_err("it failed");
    assert!(error.status() == Some(503) && error.is_retryable(), "{error:?}");
    assert!(view.token().is_none() && security.identities().await.expect("a list").is_empty());
    let asked = sso.world().asked.last().cloned().expect("one");
    assert_eq!(
        (
            asked.form["token"].as_str(),
            asked.form["token_type_hint"].as_str()
        ),
        (refresh.as_str(), "refresh_token")
    );
    assert_eq!(asked.form["client_id"], CLIENT_ID);

    let tokens = json!({ "access_token": "only", "expires_in": 60 });
    let view = security.update_token(&tokens, Some("x")).await.expect("taken");
    view.revoke().await.expect("revoked");
    assert_eq!(
        sso.world().asked.last().expect("one").form["token_type_hint"],
        "access_token"
    );
    let refused = json!({ "error": "invalid_client", "error_description": "who?" }).to_string();
    let view = security.update_token(&tokens, Some("x")).await.expect("taken");
    sso.world().failures.push_back((401, refused));
    let error = view.revoke().await.expect_err("refused");
    assert!(
        matches!(&error, Error::Sso(sso) if sso.code == "invalid_client" && sso.status == Some(401)),
        "{error}"
    );
}

#[tokio::test]
async fn verifying_is_local_and_the_endpoint_of_old_is_there_too() {
    let sso = Sso::new().await;
    let view = sso.log_in(&sso.security().await, 7).await;
    assert_eq!(view.verify().await.expect("claims").character_id, 7);
    assert_eq!(sso.world().jwks_asked, 1, "the keys are kept");
    let other = view.clone();
    let answer = tokio::spawn(async move { other.verify_remote().await }).await;
    let answer = answer.expect("no panic").expect("an answer");
    assert_eq!(answer, json!({ "CharacterID": 7, "datasource": "tranquility" }));
}

#[tokio::test]
async fn restoring_as_esipy_did_refreshes_before_the_first_call() {
    let sso = Sso::new().await;
    let security = sso.security().await;
    let view = sso.log_in(&security, 7).await;
    let kept = view
        .token()
        .expect("tokens")
        .refresh_token()
        .expect("one")
        .to_owned();
    let fresh = sso.security().await;
    let tokens = json!({ "access_token": "", "expires_in": -1, "refresh_token": kept });
    let restored = fresh.update_token(&tokens, Some("mine")).await.expect("taken");
    assert!(restored.token_identifier() == "mine" && restored.is_token_expired(TimeDelta::zero()));
    let assets = sso
        .esi(restored)
        .get_characters_character_id_assets(7)
        .send()
        .await
        .expect("assets");
    assert!(assets.is_empty());
    assert_eq!(sso.grants("refresh_token").len(), 1);
}

#[tokio::test]
async fn an_update_keeps_the_refresh_token_and_takes_absolute_times() {
    let sso = Sso::new().await;
    let security = sso.security().await;
    let first = json!({ "access_token": "a", "refresh_token": "r", "expires_in": 100 });
    security.update_token(&first, None).await.expect("taken");
    for end in [json!("2026-11-01T12:00:00Z"), json!(1_793_534_400)] {
        let next = json!({ "access_token": "b", "expires_at": end });
        security.update_token(&next, None).await.expect("taken");
        let token = security.token().expect("tokens");
        assert_eq!((token.access_token(), token.refresh_token()), ("b", Some("r")));
        assert_eq!(token.expires_at().map(|end| end.timestamp()), Some(1_793_534_400));
    }
    for (json, parameter) in [
        (json!([]), "json"),
        (json!({ "access_token": 3, "expires_in": 1 }), "access_token"),
        (
            json!({ "access_token": "a", "refresh_token": {}, "expires_in": 1 }),
            "refresh_token",
        ),
        (json!({ "access_token": "a" }), "expires_in"),
        (
            json!({ "access_token": "a", "expires_in": i64::MAX }),
            "expires_in",
        ),
        (json!({ "access_token": "a", "expires_at": "soon" }), "expires_at"),
    ] {
        let error = security.update_token(&json, None).await.expect_err("refused");
        assert!(
            matches!(&error, Error::Argument(argument) if argument.parameter == parameter),
            "{error}"
        );
    }
}

#[tokio::test]
async fn subscribers_hear_of_refreshes_until_they_leave_and_may_panic() {
    let sso = Sso::new().await;
    let heard = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&heard);
    let builder = sso
        .with_pkce()
        .signal_token_updated(|_, _| panic!("a subscriber's own trouble"));
    let security = builder.build().await.expect("built");
    let subscription = security.signal_token_updated(move |identity, token| {
        log.lock()
            .expect("fine")
            .push((identity.to_owned(), token.access_token().to_owned()));
    });
    let view = sso.log_in(&security, 7).await;
    let token = view.refresh().await.expect("in spite of the panic");
    let seen = heard.lock().expect("fine").clone();
    assert_eq!(
        seen,
        [("character:7".to_owned(), token.access_token().to_owned())]
    );
    subscription.unsubscribe();
    view.refresh().await.expect("a refresh");
    assert_eq!(heard.lock().expect("fine").len(), 1);
}

#[tokio::test]
async fn a_sold_character_is_an_event_and_an_error() {
    let sso = Sso::new().await;
    let security = sso.security().await;
    let view = sso.log_in(&security, 7).await;
    let events = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&events);
    security.subscribe(move |event| {
        if let SecurityEvent::OwnerChanged {
            identity,
            character_id,
        } = event
        {
            log.lock()
                .expect("fine")
                .push((identity.to_string(), *character_id));
        }
    });
    for account in sso.world().refresh_tokens.values_mut() {
        account.owner = "somebody else".to_owned();
    }
    assert!(matches!(view.refresh().await, Err(Error::OwnerChanged(_))));
    let again = sso
        .esi(view.clone())
        .get_characters_character_id_assets(7)
        .send()
        .await;
    assert!(matches!(again, Err(Error::OwnerChanged(_))), "{again:?}");
    assert_eq!(sso.grants("refresh_token").len(), 1);
    assert_eq!(*events.lock().expect("fine"), [("character:7".to_owned(), 7)]);
    // The new owner logs in: a new login.
    sso.log_in(&security, 7).await;
    assert!(view.verify().await.is_ok());
}

#[tokio::test]
async fn an_unknown_key_is_looked_for_once_a_minute() {
    let sso = Sso::new().await;
    let security = sso.security().await;
    let view = sso.log_in(&security, 7).await;
    let stranger = Signer::other_rsa();
    let now = sso.clock.clone();
    let token = |id: &str| {
        let claims = super::jwt::claims(7, "o", &[], &sso.url, esikit::clock::Clock::now(&now).timestamp());
        json!({ "access_token": stranger.sign(&super::jwt::header("RS256", id), &claims), "expires_in": 600 })
    };
    for id in ["a", "b", "c"] {
        view.update_token(&token(id), None).await.expect("taken");
        assert!(matches!(view.verify().await, Err(Error::TokenInvalid(_))));
    }
    assert_eq!(sso.world().jwks_asked, 1, "it was asked less than a minute ago");
    sso.clock.advance(TimeDelta::seconds(61));
    sso.world().jwks = json!({ "keys": [Signer::rsa().jwk("key-1"), stranger.jwk("c")] });
    assert_eq!(view.verify().await.expect("the key is there now").character_id, 7);
    assert_eq!(sso.world().jwks_asked, 2);
}

#[tokio::test]
async fn keys_that_cannot_be_had_are_the_ssos_trouble_and_not_the_tokens() {
    let sso = Sso::new().await;
    let security = sso.security().await;
    let good = sso.world().jwks.clone();
    let unusable = json!({ "keys": [{ "kid": "key-1", "kty": "oct", "k": "c2VjcmV0" }] });
    for (asked, keys) in [json!({ "keys": [] }), unusable, json!({}), json!(null)]
        .into_iter()
        .enumerate()
    {
        sso.world().jwks = keys;
        for _ in 0..3 {
            let error = security.auth(&sso.code_for(7, &[])).await.expect_err("no keys");
            assert!(matches!(error, Error::SsoUnavailable(_)), "{error:?}");
            assert_eq!(sso.world().jwks_asked, asked + 1, "it is left alone for a while");
        }
        sso.clock.advance(TimeDelta::seconds(6));
    }
    sso.world().jwks = good;
    let view = sso.log_in(&security, 7).await;
    assert_eq!(sso.world().jwks_asked, 5);
    let kept = view.token().expect("tokens");
    sso.clock.advance(TimeDelta::seconds(61));
    sso.world().jwks = json!({ "keys": [] });
    let now = esikit::clock::Clock::now(&sso.clock).timestamp();
    let claims = super::jwt::claims(7, "o", &[], &sso.url, now);
    let strange = Signer::other_rsa().sign(&super::jwt::header("RS256", "new"), &claims);
    let strange = json!({ "access_token": strange, "expires_in": 600 });
    let other = security.update_token(&strange, Some("x")).await.expect("taken");
    for _ in 0..2 {
        let error = other.verify().await.expect_err("nobody knows that key yet");
        assert!(matches!(error, Error::SsoUnavailable(_)), "{error:?}");
    }
    assert_eq!(sso.world().jwks_asked, 6);
    let kept = json!({ "access_token": kept.access_token(), "expires_in": 600 });
    view.update_token(&kept, None).await.expect("taken");
    view.verify().await.expect("the old keys are still there");
}

#[tokio::test]
async fn a_token_that_names_no_owner_leaves_the_one_that_was_known() {
    let sso = Sso::new().await;
    let security = sso.security().await;
    let view = sso.log_in(&security, 7).await;
    let owned_by = |owner: &str| {
        let mut world = sso.world();
        let world = &mut *world;
        for account in world.refresh_tokens.values_mut().chain(world.codes.values_mut()) {
            account.owner = owner.to_owned();
        }
    };
    owned_by("");
    let token = view.refresh().await.expect("a refresh");
    let owner = token.claims().and_then(|claims| claims.owner.clone());
    assert_eq!(owner.as_deref(), Some("owner-of-7"));
    let sold = Arc::new(Mutex::new(0));
    let seen = Arc::clone(&sold);
    security.subscribe(move |event| {
        if matches!(event, SecurityEvent::OwnerChanged { .. }) {
            *seen.lock().expect("fine") += 1;
        }
    });
    let login = security.authorize(&[Scope::from(ASSETS)]);
    let code = sso.code_for(7, &[ASSETS]);
    owned_by("");
    let back = callback(&code, login.state());
    let who = security.auth_callback(&login, &back).await.expect("a login");
    assert_eq!(who.owner.as_deref(), Some("owner-of-7"));
    assert_eq!(*sold.lock().expect("fine"), 0);
    owned_by("somebody else");
    assert!(matches!(view.refresh().await, Err(Error::OwnerChanged(_))));
}

#[tokio::test]
async fn subscribers_hear_of_a_rotation_whose_check_fails() {
    let sso = Sso::new().await;
    sso.world().rotation = Rotation::Another;
    let store = MemoryTokenStore::new();
    sso.log_in(&sso.security_on(&store).await, 7).await;
    let security = sso.security_on(&store).await;
    let view = security.identity("character:7");
    let heard = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&heard);
    security.signal_token_updated(move |_, token| {
        let refresh = token.refresh_token().map(str::to_owned);
        log.lock().expect("fine").push(refresh);
    });
    let others = json!({ "keys": [Signer::other_rsa().jwk("key-1")] });
    for (count, keys) in [(1, json!(null)), (2, others)] {
        sso.world().jwks = keys;
        let error = view.refresh().await.expect_err("the check fails");
        assert!(
            matches!(error, Error::SsoUnavailable(_) | Error::TokenInvalid(_)),
            "{error:?}"
        );
        let stored = store.get("character:7").await.expect("read").expect("there");
        let heard = heard.lock().expect("fine").clone();
        assert_eq!(heard.len(), count);
        assert_eq!(
            heard.last().cloned().flatten().as_deref(),
            stored.token.refresh_token()
        );
        sso.clock.advance(TimeDelta::seconds(6));
    }
    for account in sso.world().refresh_tokens.values_mut() {
        account.owner = "somebody else".to_owned();
    }
    let security = sso.with_pkce().token_store(store.clone());
    let security = security.jwks_key(Signer::rsa().jwk("key-1"));
    let log = Arc::clone(&heard);
    let security = security.signal_token_updated(move |_, token| {
        let refresh = token.refresh_token().map(str::to_owned);
        log.lock().expect("fine").push(refresh);
    });
    let view = security.build().await.expect("built").identity("character:7");
    assert!(matches!(view.refresh().await, Err(Error::OwnerChanged(_))));
    assert_eq!(heard.lock().expect("fine").len(), 3);
}
