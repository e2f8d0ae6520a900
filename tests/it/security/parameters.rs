//! What is set, the URLs that come of it, and what is refused.

use esikit::security::{EsiSecurityBuilder, SsoEndpoints};
use esikit::{Error, Esi, EsiSecurity, Scope};
use serde_json::json;

use super::jwt::Signer;
use super::sso::{ASSETS, REDIRECT, SECRET, Sso, callback};

/// A single sign-on that needs no network.
fn offline() -> EsiSecurityBuilder {
    EsiSecurity::builder()
        .client_id("a b")
        .redirect_uri(REDIRECT)
        .sso_url("http://127.0.0.1:1")
        .sso_endpoints(SsoEndpoints::of("http://127.0.0.1:1"))
        .esi_url("http://127.0.0.1:2")
}

const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

#[tokio::test]
async fn the_url_of_a_login_is_in_esipys_order() {
    let scopes = [Scope::from(ASSETS), Scope::from("publicData")];
    let confidential = offline().secret_key(SECRET).build().await.expect("built");
    assert_eq!(
        confidential.get_auth_uri(&scopes, "a state/&", false),
        "http://127.0.0.1:1/v2/oauth/authorize?response_type=code&redirect_uri=http%3A%2F%2Flocalhost%3A8080%2Fcallback\
         &client_id=a%20b&scope=esi-assets.read_assets.v1+publicData&state=a%20state%2F%26"
    );
    let public = offline().code_verifier(VERIFIER).build().await.expect("built");
    assert_eq!(
        public.get_auth_uri(&[], "s", false),
        "http://127.0.0.1:1/v2/oauth/authorize?response_type=code&redirect_uri=http%3A%2F%2Flocalhost%3A8080%2Fcallback\
         &client_id=a%20b&state=s&code_challenge_method=S256&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
    );
    let implicit = public.get_auth_uri(&scopes, "s", true);
    assert!(
        implicit.contains("?response_type=token&") && !implicit.contains("code_challenge"),
        "{implicit}"
    );
}

#[tokio::test]
async fn each_login_has_a_state_and_a_verifier_of_its_own() {
    let public = offline().pkce().build().await.expect("built");
    let (a, b) = (public.authorize(&[]), public.authorize(&[]));
    assert!(a.state() != b.state() && a.url() != b.url());
    assert!(a.state().len() >= 22, "128 bits or more");
    assert!(
        a.url()
            .contains(&format!("&state={}&code_challenge_method=S256", a.state())),
        "{}",
        a.url()
    );
    let confidential = offline().secret_key(SECRET).pkce().build().await.expect("built");
    assert!(
        !confidential.authorize(&[]).url().contains("challenge"),
        "the secret wins"
    );
}

#[tokio::test]
async fn without_a_user_agent_one_names_the_client_id() {
    let sso = Sso::new().await;
    let builder = EsiSecurity::builder()
        .client_id(super::jwt::CLIENT_ID)
        .redirect_uri(REDIRECT)
        .pkce()
        .sso_url(&sso.url)
        .esi_url(&sso.url)
        .esi_datasource("singularity")
        .clock(sso.clock.clone());
    let security = builder.build().await.expect("built");
    let view = sso.log_in(&security, 7).await;
    let asked = sso.grants("authorization_code").remove(0);
    let user_agent = asked.user_agent.expect("one is set");
    assert!(
        user_agent.starts_with("esikit/") && user_agent.contains(super::jwt::CLIENT_ID),
        "{user_agent}"
    );
    let answer = view.verify_remote().await.expect("an answer");
    assert_eq!(answer["datasource"], "singularity");
}

/// Swagger's scheme knows where a login begins, and no more.
#[tokio::test]
async fn a_scheme_without_a_token_url_is_completed_by_discovery() {
    let sso = Sso::new().await;
    let esi = Esi::builder()
        .user_agent("a/1 (b@example.com)")
        .base_url(&sso.url)
        .build()
        .expect("a client");
    let mut evesso = esi.security_scheme();
    evesso.authorization_url = Some(format!("{}/oauth/authorize", sso.url).leak());
    evesso.token_url = None;
    let security = EsiSecurity::builder()
        .client_id(super::jwt::CLIENT_ID)
        .redirect_uri(REDIRECT)
        .pkce()
        .esi_url(&sso.url)
        .app(evesso)
        .clock(sso.clock.clone())
        .build()
        .await
        .expect("built");
    let url = security.get_auth_uri(&[], "s", false);
    assert!(url.starts_with(&format!("{}/oauth/authorize?", sso.url)), "{url}");
    sso.log_in(&security, 7).await;
    assert_eq!(sso.world().discovery_asked, 1);
}

#[tokio::test]
async fn endpoints_and_keys_by_hand_skip_the_network() {
    let sso = Sso::new().await;
    let builder = sso
        .with_pkce()
        .sso_endpoints(SsoEndpoints::of(&sso.url))
        .jwks_key(Signer::rsa().jwk("key-1"));
    let security = builder.build().await.expect("built");
    sso.log_in(&security, 1).await;
    let world = sso.world();
    assert_eq!((world.discovery_asked, world.jwks_asked), (0, 0));
}

#[tokio::test]
async fn discovery_is_asked_once_and_todays_endpoints_stand_in_for_it() {
    let sso = Sso::new().await;
    let security = sso.security().await;
    sso.log_in(&security, 1).await;
    assert_eq!(sso.world().discovery_asked, 1);

    let broken = Sso::new().await;
    broken.world().discovery = None;
    let security = broken.security().await;
    broken.log_in(&security, 1).await;
    assert_eq!(broken.world().discovery_asked, 1, "not asked again at once");
    broken.clock.advance(chrono::TimeDelta::minutes(2));
    broken.log_in(&security, 2).await;
    assert_eq!(broken.world().discovery_asked, 2);
}

async fn refused(builder: EsiSecurityBuilder) -> (&'static str, String) {
    match builder.build().await {
        Err(Error::Config(config)) => (config.setting, config.reason.clone()),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn settings_that_cannot_be_used_are_named() {
    let ok = || offline().pkce();
    assert_eq!(refused(ok().client_id("")).await.0, "client_id");
    assert_eq!(refused(ok().client_id(" ")).await.0, "client_id");
    assert_eq!(refused(ok().redirect_uri("")).await.0, "redirect_uri");
    assert_eq!(refused(ok().redirect_uri("callback")).await.0, "redirect_uri");
    let (setting, reason) = refused(offline()).await;
    assert!(setting == "secret_key" && reason.contains(".pkce()"), "{reason}");
    assert_eq!(refused(offline().secret_key("")).await.0, "secret_key");
    assert_eq!(refused(ok().code_verifier("short")).await.0, "code_verifier");
    assert_eq!(
        refused(ok().sso_url("http://login.example.com")).await.0,
        "sso_url"
    );
    assert_eq!(refused(ok().esi_url("http://esi.example.com")).await.0, "esi_url");
    assert_eq!(
        refused(ok().sso_endpoints_url("ftp://x")).await.0,
        "sso_endpoints_url"
    );
    let mut endpoints = SsoEndpoints::of("http://127.0.0.1:1");
    endpoints.token = "http://example.com".to_owned();
    assert_eq!(refused(ok().sso_endpoints(endpoints)).await.0, "sso_endpoints");
    let without_id = json!({ "kty": "RSA", "n": "AQAB", "e": "AQAB" });
    for keys in [
        json!(3),
        json!({ "keys": [] }),
        json!({ "kid": "a", "kty": "RSA" }),
        without_id,
    ] {
        assert_eq!(refused(ok().jwks_key(keys)).await.0, "jwks_key");
    }
    assert_eq!(refused(ok().max_refreshes(0)).await.0, "max_refreshes");
    assert_eq!(refused(ok().headers([("a b", "c")])).await.0, "headers");
    let (setting, reason) = refused(ok().headers([("X-A", "hidden\n")])).await;
    assert!(setting == "headers" && !reason.contains("hidden"), "{reason}");
}

#[tokio::test]
async fn arguments_that_cannot_be_used_are_named() {
    let security = offline().pkce().build().await.expect("built");
    let login = security.authorize(&[Scope::from("of-my-own.invention.v1")]);
    assert!(
        login.url().contains("of-my-own.invention.v1"),
        "an unknown scope is let through"
    );
    let good = callback("c", login.state());
    let twice = format!("{good}&state=x");
    for (url, why) in [
        (REDIRECT, "no query"),
        ("", "no query"),
        ("http://localhost/?", "no `state`"),
        (&callback("c", "other"), "not this login's"),
        (&format!("{REDIRECT}?state={}", login.state()), "no `code`"),
        (&callback("", login.state()), "no `code`"),
        (&twice, "`state` twice"),
    ] {
        let error = security.auth_callback(&login, url).await.expect_err(url);
        let Error::Argument(argument) = &error else {
            panic!("{error:?}")
        };
        assert_eq!((argument.method, argument.parameter), ("auth_callback", "url"));
        assert!(argument.reason.contains(why), "{url}: {error}");
        assert!(!error.may_have_been_sent());
    }
    let error = security.revoke().await.expect_err("no tokens");
    assert!(
        matches!(&error, Error::Argument(argument) if argument.parameter == "identity"),
        "{error}"
    );
    let error = security.auth("").await.expect_err("no code");
    assert!(
        matches!(&error, Error::Argument(argument) if argument.parameter == "code"),
        "{error}"
    );
}

#[tokio::test]
async fn a_refused_login_says_so_in_the_sso_s_words() {
    let security = offline().pkce().build().await.expect("built");
    let login = security.authorize(&[]);
    let url = format!(
        "{REDIRECT}?error=access_denied&error_description=The+user+said+no&state={}",
        login.state()
    );
    let error = security.auth_callback(&login, &url).await.expect_err("refused");
    let Error::Sso(sso) = &error else {
        panic!("{error:?}")
    };
    assert_eq!(
        (sso.code.as_str(), sso.description.as_deref()),
        ("access_denied", Some("The user said no"))
    );
    let forged = format!("{REDIRECT}?error=access_denied&state=other");
    assert!(matches!(
        security.auth_callback(&login, &forged).await,
        Err(Error::Argument(_))
    ));
}
