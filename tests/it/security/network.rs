//! The ways to the single sign-on: proxies, certificates, and which endpoints are asked.

use std::process::Command;

use esikit::operation::SecurityScheme;
use esikit::security::SsoEndpoints;
use esikit::{Error, Esi, EsiSecurity};

use super::jwt::CLIENT_ID;
use super::sso::{REDIRECT, Sso, assets};
use crate::server::Server;

/// Tells a process that it is the one with a proxy in its environment.
const CHILD: &str = "ESIKIT_TEST_WITH_PROXY";

/// The environment is the whole process's: so it is another process that has the proxy.
#[tokio::test]
async fn plain_http_to_this_machine_does_not_go_through_the_environments_proxy() {
    if std::env::var_os(CHILD).is_some() {
        return every_way_to_this_machine().await;
    }
    let proxy = Server::json("[]").await;
    let mut child = Command::new(std::env::current_exe().expect("this program"));
    child.args(["--exact", "--nocapture"]).arg(concat!(
        "security::network::",
        "plain_http_to_this_machine_does_not_go_through_the_environments_proxy"
    ));
    child
        .env(CHILD, "yes")
        .env_remove("NO_PROXY")
        .env_remove("no_proxy");
    for name in [
        "HTTP_PROXY",
        "http_proxy",
        "HTTPS_PROXY",
        "https_proxy",
        "ALL_PROXY",
        "all_proxy",
    ] {
        child.env(name, &proxy.url);
    }
    let output = tokio::task::spawn_blocking(move || child.output()).await;
    let output = output.expect("no panic").expect("it runs");
    let said = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
    let seen = proxy.seen();
    let targets: Vec<_> = seen.iter().map(super::super::server::Seen::target).collect();
    assert_eq!(
        targets,
        ["http://esi.invalid/markets/1/orders"],
        "the proxy is in use"
    );
}

async fn every_way_to_this_machine() {
    let elsewhere = Esi::builder()
        .user_agent("a/1 (b@example.com)")
        .base_url("http://esi.invalid");
    let elsewhere = elsewhere.build().expect("a client");
    let orders = elsewhere.get_markets_region_id_orders(1).send().await;
    orders.expect("the proxy's answer");
    let sso = Sso::new().await;
    let view = sso.log_in(&sso.security().await, 7).await;
    assets(&sso.esi(view.clone()), 7)
        .await
        .expect("from this machine");
    view.refresh().await.expect("from this machine");
    view.verify_remote().await.expect("from this machine");
    view.revoke().await.expect("from this machine");
}

#[tokio::test]
async fn a_proxy_that_is_said_is_used_for_everything() {
    let sso = Sso::new().await;
    let builder = sso.with_pkce().sso_url("http://localhost:1").issuer(&sso.url);
    let builder = builder.esi_url("http://localhost:2");
    // It answers requests for whole URLs by their path.
    let proxied = builder.proxy(&sso.url).build().await.expect("built");
    assert_eq!(sso.world().discovery_asked, 1);
    let view = sso.log_in(&proxied, 7).await;
    view.refresh().await.expect("by the proxy");
    view.verify_remote().await.expect("by the proxy");
    view.revoke().await.expect("by the proxy");

    let endpoints = SsoEndpoints::of("http://localhost:1");
    let builder = sso
        .with_pkce()
        .sso_endpoints(endpoints)
        .proxy(&sso.url)
        .no_proxy();
    let direct = builder.build().await.expect("built");
    let error = direct.auth("code").await.expect_err("nobody is there");
    assert!(matches!(error, Error::SsoUnavailable(_)), "{error:?}");
    let error = sso
        .with_pkce()
        .proxy("not a url")
        .build()
        .await
        .expect_err("no proxy");
    assert!(
        matches!(&error, Error::Config(config) if config.setting == "proxy"),
        "{error:?}"
    );
}

#[cfg(feature = "tls")]
#[tokio::test]
async fn a_single_sign_on_by_https_needs_a_certificate_that_is_trusted() {
    let sso = Sso::by_tls().await;
    let trusting = sso.with_secret().root_certificate(crate::tls::AUTHORITY);
    let view = sso.log_in(&trusting.build().await.expect("built"), 7).await;
    view.refresh().await.expect("refreshed");
    view.verify_remote().await.expect("an answer");
    assert_eq!(view.revoke().await.expect("revoked"), 200);

    let asked = sso.world().asked.len();
    // A machine without any certificate authority cannot build it.
    if let Ok(wary) = sso.with_secret().build().await {
        let error = wary.auth(&sso.code_for(7, &[])).await.expect_err("a stranger");
        assert!(error.to_string().contains("certificate"), "{error}");
    }
    assert_eq!(sso.world().asked.len(), asked, "no secret was sent");
    let broken = sso.with_secret().root_certificate("hello").build().await;
    assert!(
        matches!(&broken, Err(Error::Config(config)) if config.setting == "root_certificate"),
        "{broken:?}"
    );
}

/// The scheme that a client at this server's address would have.
fn scheme(url: &str) -> SecurityScheme {
    let builder = Esi::builder()
        .user_agent("a/1 (b@example.com)")
        .base_url("http://127.0.0.1:1");
    let mut scheme = builder.build().expect("a client").security_scheme();
    scheme.authorization_url = Some(format!("{url}/scheme/authorize").leak());
    scheme.token_url = Some(format!("{url}/v2/oauth/token").leak());
    scheme
}

#[tokio::test]
async fn the_schemes_urls_stand_above_what_is_discovered() {
    let (sso, other) = (Sso::new().await, Sso::new().await);
    let builder = sso.with_pkce().app(scheme(&other.url)).issuer(&other.url);
    let security = builder.build().await.expect("built");
    assert_eq!(
        (sso.world().discovery_asked, other.world().discovery_asked),
        (1, 0)
    );
    let url = security.get_auth_uri(&[], "s", false);
    assert!(
        url.starts_with(&format!("{}/scheme/authorize?", other.url)),
        "{url}"
    );
    other.log_in(&security, 7).await;
    assert_eq!(other.grants("authorization_code").len(), 1);
    assert_eq!(sso.grants("authorization_code").len(), 0);
}

#[tokio::test]
async fn endpoints_by_hand_stand_above_the_scheme() {
    let (sso, other) = (Sso::new().await, Sso::new().await);
    let builder = EsiSecurity::builder()
        .client_id(CLIENT_ID)
        .redirect_uri(REDIRECT)
        .pkce();
    let builder = builder
        .clock(sso.clock.clone())
        .esi_url(&sso.url)
        .sso_url(&sso.url);
    let builder = builder
        .sso_endpoints(SsoEndpoints::of(&sso.url))
        .app(scheme(&other.url));
    let security = builder.build().await.expect("built");
    let url = security.get_auth_uri(&[], "s", false);
    assert!(
        url.starts_with(&format!("{}/v2/oauth/authorize?", sso.url)),
        "{url}"
    );
    sso.log_in(&security, 7).await;
    assert_eq!(sso.world().discovery_asked + other.world().discovery_asked, 0);
    assert!(other.world().asked.is_empty());
}
