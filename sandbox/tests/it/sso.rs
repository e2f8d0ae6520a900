//! The single sign-on: logins with PKCE and with a secret, refresh tokens, keys.

use super::{Answer, PILOT, Scene, read};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64;
use chrono::TimeDelta;
use esikit_sandbox::{Application, RefreshTokens};
use serde_json::{Value, json};
use url::Url;
use url::form_urlencoded::Serializer;

const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const SCOPES: &str = "esi-assets.read_assets.v1 esi-wallet.read_character_wallet.v1";

/// The address that an application opens, with some of its query replaced.
fn authorize_url(scene: &Scene, replaced: &[(&str, &str)]) -> String {
    let application = scene.sandbox.application();
    let mut query = vec![
        ("response_type", "code"),
        ("client_id", &application.client_id),
        ("redirect_uri", &application.redirect_uris[0]),
        ("scope", SCOPES),
        ("state", "st&te"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ];
    for (name, value) in &mut query {
        if let Some((_, other)) = replaced.iter().find(|(replaced, _)| replaced == name) {
            *value = other;
        }
    }
    query.retain(|(_, value)| !value.is_empty());
    let query = Serializer::new(String::new()).extend_pairs(query).finish();
    format!("{}/v2/oauth/authorize?{query}", scene.sandbox.sso_url())
}

fn parameter(url: &str, name: &str) -> Option<String> {
    let url = Url::parse(url).unwrap();
    url.query_pairs()
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.into_owned())
}

fn code(scene: &Scene, replaced: &[(&str, &str)]) -> String {
    let back = scene
        .sandbox
        .approve(&authorize_url(scene, replaced), PILOT)
        .unwrap();
    parameter(&back, "code").unwrap()
}

/// A form to one of the endpoints, with the secret or without.
async fn post(scene: &Scene, endpoint: &str, secret: Option<&str>, form: &[(&str, &str)]) -> Answer {
    let application = scene.sandbox.application();
    let mut body = Serializer::new(String::new());
    body.extend_pairs(form);
    let mut request = scene
        .client
        .post(format!("{}/v2/oauth/{endpoint}", scene.sandbox.sso_url()))
        .header("content-type", "application/x-www-form-urlencoded");
    match secret {
        Some(secret) => request = request.basic_auth(&application.client_id, Some(secret)),
        None => drop(body.append_pair("client_id", &application.client_id)),
    }
    read(request.body(body.finish())).await
}

async fn exchange(scene: &Scene, code: &str, verifier: &str) -> Answer {
    let form = [
        ("grant_type", "authorization_code"),
        ("code", code),
        ("code_verifier", verifier),
    ];
    post(scene, "token", None, &form).await
}

async fn refresh(scene: &Scene, token: &str) -> Answer {
    let form = [("grant_type", "refresh_token"), ("refresh_token", token)];
    post(scene, "token", None, &form).await
}

fn claims(token: &Value) -> Value {
    let part = token.as_str().unwrap().split('.').nth(1).unwrap();
    serde_json::from_slice(&BASE64.decode(part).unwrap()).unwrap()
}

#[tokio::test]
async fn a_login_with_pkce_gives_tokens_that_esi_takes() {
    let scene = Scene::new().await;
    let back = scene.sandbox.approve(&authorize_url(&scene, &[]), PILOT).unwrap();
    assert!(back.starts_with("http://localhost:8080/callback?code="), "{back}");
    assert_eq!(parameter(&back, "state").as_deref(), Some("st&te"));
    let answer = exchange(&scene, &parameter(&back, "code").unwrap(), VERIFIER).await;
    assert_eq!(
        (answer.status, answer.header("cache-control")),
        (200, "no-store"),
        "{}",
        answer.text
    );
    let tokens = answer.json();
    assert_eq!(
        (&tokens["token_type"], &tokens["expires_in"]),
        (&json!("Bearer"), &json!(1200))
    );
    let claims = claims(&tokens["access_token"]);
    assert_eq!(claims["sub"], format!("CHARACTER:EVE:{PILOT}"));
    assert_eq!(claims["aud"], json!(["esikit-sandbox", "EVE Online"]));
    assert_eq!(claims["iss"], scene.sandbox.sso_url());
    assert_eq!(claims["scp"], json!(SCOPES.split(' ').collect::<Vec<_>>()));
    assert_eq!(
        claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(),
        1200
    );
    let token = tokens["access_token"].as_str().unwrap();
    assert_eq!(
        scene
            .get_as(token, &format!("/characters/{PILOT}/assets"))
            .await
            .status,
        200
    );
    let character = scene.get(&format!("/characters/{PILOT}")).await.json();
    assert_eq!(claims["name"], character["name"]);
}

#[tokio::test]
async fn a_code_is_good_once_for_its_verifier_and_five_minutes() {
    let scene = Scene::new().await;
    let used = code(&scene, &[]);
    assert_eq!(exchange(&scene, &used, VERIFIER).await.status, 200);
    let again = exchange(&scene, &used, VERIFIER).await;
    assert_eq!((again.status, again.error().as_str()), (400, "invalid_grant"));
    let wrong = exchange(&scene, &code(&scene, &[]), &VERIFIER.replace('d', "e")).await;
    assert_eq!((wrong.status, wrong.error().as_str()), (400, "invalid_grant"));
    let (late, in_time) = (code(&scene, &[]), code(&scene, &[]));
    scene.clock.advance(TimeDelta::seconds(299));
    assert_eq!(exchange(&scene, &in_time, VERIFIER).await.status, 200);
    scene.clock.advance(TimeDelta::seconds(1));
    assert_eq!(exchange(&scene, &late, VERIFIER).await.error(), "invalid_grant");
}

#[tokio::test]
async fn without_pkce_the_secret_is_needed() {
    let scene = Scene::new().await;
    let plain = [("code_challenge", ""), ("code_challenge_method", "")];
    let secret = scene.sandbox.application().secret_key.clone();
    for (given, status, error) in [
        (Some(secret.as_str()), 200, None),
        (Some("guessed"), 401, Some("invalid_client")),
        (None, 401, Some("invalid_client")),
    ] {
        let code = code(&scene, &plain);
        let form = [("grant_type", "authorization_code"), ("code", &code)];
        let answer = post(&scene, "token", given, &form).await;
        assert_eq!(answer.status, status, "{given:?}");
        assert_eq!(answer.json()["error"].as_str(), error);
        if status == 200 {
            // What was made with the secret is refreshed with it.
            let token = answer.json()["refresh_token"].as_str().unwrap().to_owned();
            assert_eq!(refresh(&scene, &token).await.error(), "invalid_client");
            let form = [("grant_type", "refresh_token"), ("refresh_token", &token)];
            assert_eq!(post(&scene, "token", Some(&secret), &form).await.status, 200);
        }
    }
}

#[tokio::test]
async fn a_request_that_cannot_be_trusted_is_not_led_back() {
    let scene = Scene::new().await;
    for replaced in [
        ("redirect_uri", "http://localhost:8080/callback/"),
        ("client_id", "<b>"),
        ("client_id", ""),
    ] {
        let answer = read(scene.client.get(authorize_url(&scene, &[replaced]))).await;
        assert_eq!(
            (answer.status, answer.header("location")),
            (400, ""),
            "{replaced:?}"
        );
        assert!(!answer.text.contains("<b>"), "{}", answer.text);
        assert!(
            scene
                .sandbox
                .approve(&authorize_url(&scene, &[replaced]), PILOT)
                .is_err()
        );
    }
    for (name, value, code) in [
        (
            "scope",
            "esi-assets.read_assets.v1 esi-no.such.v1",
            "invalid_scope",
        ),
        ("response_type", "token", "unsupported_response_type"),
        ("code_challenge_method", "plain", "invalid_request"),
        ("code_challenge_method", "", "invalid_request"),
    ] {
        let answer = read(scene.client.get(authorize_url(&scene, &[(name, value)]))).await;
        let location = answer.header("location");
        assert_eq!(answer.status, 302);
        assert_eq!(parameter(location, "error").as_deref(), Some(code));
        assert_eq!(parameter(location, "state").as_deref(), Some("st&te"));
    }
}

#[tokio::test]
async fn the_page_offers_characters_and_a_way_out() {
    let scene = Scene::new().await;
    let address = authorize_url(&scene, &[]);
    let page = read(scene.client.get(&address)).await;
    assert_eq!(page.status, 200);
    assert!(
        page.text.contains("<li>esi-assets.read_assets.v1</li>"),
        "{}",
        page.text
    );
    let link = |id: &str| {
        let (_, rest) = page.text.split_once(&format!("id=\"{id}\" href=\"")).unwrap();
        let query = rest.split('"').next().unwrap().replace("&amp;", "&");
        format!("{}/v2/oauth/authorize{query}", scene.sandbox.sso_url())
    };
    let allowed = read(scene.client.get(link(&format!("character-{PILOT}")))).await;
    let code = parameter(allowed.header("location"), "code").unwrap();
    let tokens = exchange(&scene, &code, VERIFIER).await.json();
    assert_eq!(
        claims(&tokens["access_token"])["sub"],
        format!("CHARACTER:EVE:{PILOT}")
    );
    let denied = read(scene.client.get(link("deny"))).await;
    assert_eq!(
        parameter(denied.header("location"), "error").as_deref(),
        Some("access_denied")
    );
    assert_eq!(
        parameter(denied.header("location"), "state").as_deref(),
        Some("st&te")
    );
}

/// What a refresh gives, and what becomes of the old refresh token: at once, and after a minute.
#[tokio::test]
async fn refresh_tokens_are_as_they_are_set() {
    for (setting, given, old_at_once, old_later) in [
        (RefreshTokens::Same, Some(true), 200, 200),
        (RefreshTokens::Rotated, Some(false), 400, 400),
        (RefreshTokens::RotatedWithGrace(60), Some(false), 200, 400),
        (RefreshTokens::Absent, None, 200, 200),
    ] {
        let scene = Scene::with(|builder| builder.refresh_tokens(setting)).await;
        let tokens = exchange(&scene, &code(&scene, &[]), VERIFIER).await.json();
        let old = tokens["refresh_token"].as_str().unwrap();
        let answer = refresh(&scene, old).await;
        assert_eq!(answer.status, 200, "{setting:?}: {}", answer.text);
        let refreshed = answer.json();
        assert_ne!(refreshed["access_token"], tokens["access_token"]);
        let next = refreshed.get("refresh_token").map(|next| next.as_str().unwrap());
        assert_eq!(next.map(|next| next == old), given, "{setting:?}");
        assert_eq!(refresh(&scene, old).await.status, old_at_once, "{setting:?}");
        scene.clock.advance(TimeDelta::seconds(60));
        assert_eq!(refresh(&scene, old).await.status, old_later, "{setting:?}");
        if let Some(next) = next {
            assert_eq!(refresh(&scene, next).await.status, 200, "{setting:?}");
        }
    }
}

#[tokio::test]
async fn what_is_revoked_refreshes_no_more() {
    let scene = Scene::new().await;
    let tokens = exchange(&scene, &code(&scene, &[]), VERIFIER).await.json();
    let token = tokens["refresh_token"].as_str().unwrap();
    assert_eq!(
        post(&scene, "revoke", None, &[("token", "unknown")]).await.status,
        200
    );
    assert_eq!(refresh(&scene, token).await.status, 200);
    assert_eq!(
        post(&scene, "revoke", None, &[("token", token)]).await.status,
        200
    );
    assert_eq!(refresh(&scene, token).await.error(), "invalid_grant");
}

#[tokio::test]
async fn the_token_endpoint_speaks_rfc_6749() {
    let scene = Scene::new().await;
    for (form, error) in [
        (vec![], "invalid_request"),
        (vec![("grant_type", "password")], "unsupported_grant_type"),
        (vec![("grant_type", "authorization_code")], "invalid_request"),
        (
            vec![("grant_type", "authorization_code"), ("code", "guessed")],
            "invalid_grant",
        ),
        (vec![("grant_type", "refresh_token")], "invalid_request"),
        (
            vec![("grant_type", "refresh_token"), ("refresh_token", "guessed")],
            "invalid_grant",
        ),
    ] {
        let answer = post(&scene, "token", None, &form).await;
        assert_eq!((answer.status, answer.error().as_str()), (400, error), "{form:?}");
    }
    let url = format!("{}/v2/oauth/token", scene.sandbox.sso_url());
    let body = r#"{"grant_type":"refresh_token"}"#;
    let request = scene
        .client
        .post(url)
        .header("content-type", "application/json")
        .body(body);
    assert_eq!(read(request).await.error(), "invalid_request");
}

/// The key set, read as any other program would read it.
#[tokio::test]
async fn discovery_leads_to_the_keys_that_sign() {
    let scene = Scene::new().await;
    let url = format!(
        "{}/.well-known/oauth-authorization-server",
        scene.sandbox.sso_url()
    );
    let discovery = read(scene.client.get(url)).await.json();
    assert_eq!(discovery["issuer"], scene.sandbox.sso_url());
    let keys = read(scene.client.get(discovery["jwks_uri"].as_str().unwrap()))
        .await
        .json();
    let token = scene.token(&[]);
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let header: Value =
        serde_json::from_slice(&BASE64.decode(signed.split('.').next().unwrap()).unwrap()).unwrap();
    let key = keys["keys"]
        .as_array()
        .unwrap()
        .iter()
        .find(|key| key["kid"] == header["kid"])
        .unwrap();
    let part = |name: &str| BASE64.decode(key[name].as_str().unwrap()).unwrap();
    let key = ring::rsa::PublicKeyComponents {
        n: part("n"),
        e: part("e"),
    };
    let signature = BASE64.decode(signature).unwrap();
    key.verify(
        &ring::signature::RSA_PKCS1_2048_8192_SHA256,
        signed.as_bytes(),
        &signature,
    )
    .unwrap();
    assert_eq!(claims(&json!(token)).get("scp"), None);
    let one = claims(&json!(scene.token(&["esi-assets.read_assets.v1"])));
    assert_eq!(one["scp"], "esi-assets.read_assets.v1");
}

#[tokio::test]
async fn an_application_is_what_was_registered() {
    let application = Application {
        client_id: "mine".to_owned(),
        secret_key: "whisper".to_owned(),
        redirect_uris: vec!["eveauth-app://callback/".to_owned()],
    };
    assert!(!format!("{application:?}").contains("whisper"));
    let scene = Scene::with(|builder| builder.application(application)).await;
    let back = scene.sandbox.approve(&authorize_url(&scene, &[]), PILOT).unwrap();
    assert!(back.starts_with("eveauth-app://callback/?code="), "{back}");
    let elsewhere = authorize_url(&scene, &[("client_id", "esikit-sandbox")]);
    assert!(scene.sandbox.approve(&elsewhere, PILOT).is_err());
}

/// What one application was given is worth nothing to another.
#[tokio::test]
async fn applications_are_kept_apart() {
    let other = Application {
        client_id: "other".to_owned(),
        secret_key: "whisper".to_owned(),
        ..Application::default()
    };
    let scene = Scene::with(|builder| builder.application(Application::default()).application(other)).await;
    let others = [("client_id", "other")];
    let stolen = exchange(&scene, &code(&scene, &others), VERIFIER).await;
    assert_eq!((stolen.status, stolen.error().as_str()), (400, "invalid_grant"));

    let form = [
        ("grant_type", "authorization_code"),
        ("code", &code(&scene, &others)),
        ("code_verifier", VERIFIER),
    ];
    let as_other = |form: &[(&str, &str)], endpoint: &str| {
        let form = Serializer::new(String::new())
            .extend_pairs(form)
            .append_pair("client_id", "other")
            .finish();
        let url = format!("{}/v2/oauth/{endpoint}", scene.sandbox.sso_url());
        let request = scene
            .client
            .post(url)
            .header("content-type", "application/x-www-form-urlencoded");
        read(request.body(form))
    };
    let tokens = as_other(&form, "token").await.json();
    let token = tokens["refresh_token"].as_str().unwrap();
    assert_eq!(refresh(&scene, token).await.error(), "invalid_grant");
    // Neither may it revoke what is not its own.
    assert_eq!(
        post(&scene, "revoke", None, &[("token", token)]).await.status,
        200
    );
    let form = [("grant_type", "refresh_token"), ("refresh_token", token)];
    assert_eq!(as_other(&form, "token").await.status, 200);
    assert_eq!(as_other(&[("token", token)], "revoke").await.status, 200);
    assert_eq!(as_other(&form, "token").await.status, 400);
}
