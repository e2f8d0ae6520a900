//! What is logged as a warning, by this thread.

use esikit::security::{EsiSecurityBuilder, SsoEndpoints};
use esikit::{EsiSecurity, Scope};
use tracing_subscriber::filter::LevelFilter;

use super::log::Log;
use super::sso::{ASSETS, REDIRECT, SECRET, Sso};

/// The warnings of building one, and of beginning a login with it.
async fn warnings(builder: EsiSecurityBuilder, scopes: &[Scope]) -> Vec<String> {
    let log = Log::default();
    let guard = log.begin(LevelFilter::WARN);
    let url = "http://127.0.0.1:1";
    let builder = builder
        .client_id("id")
        .redirect_uri(REDIRECT)
        .sso_url(url)
        .esi_url(url);
    let security = builder.build().await.expect("built");
    let _ = security.authorize(scopes);
    let _ = security.get_auth_uri(scopes, "state", false);
    drop(guard);
    log.text().lines().map(str::to_owned).collect()
}

/// One that has nothing to be warned of.
fn quiet() -> EsiSecurityBuilder {
    let builder = EsiSecurity::builder().headers([("user-agent", "a/1 (b@example.com)")]);
    builder.sso_endpoints(SsoEndpoints::of("http://127.0.0.1:1"))
}

#[tokio::test]
async fn what_is_allowed_but_odd_is_warned_of() {
    let known = [Scope::from(ASSETS), Scope::from("publicData")];
    assert_eq!(warnings(quiet().pkce(), &known).await, [""; 0]);
    assert_eq!(warnings(quiet().secret_key(SECRET), &known).await, [""; 0]);

    let nameless = EsiSecurity::builder().sso_endpoints(SsoEndpoints::of("http://127.0.0.1:1"));
    let said = warnings(nameless.pkce(), &known).await;
    assert!(
        said.len() == 1 && said[0].contains("no `User-Agent` among `headers`"),
        "{said:?}"
    );

    let said = warnings(quiet().secret_key(SECRET).pkce(), &known).await;
    assert!(
        said.len() == 1 && said[0].contains("both `secret_key` and `pkce` are set"),
        "{said:?}"
    );
    assert!(!said[0].contains(SECRET));

    let unknown = [Scope::from(ASSETS), Scope::from("esi-assets.read_asets.v1")];
    let said = warnings(quiet().pkce(), &unknown).await;
    assert_eq!(said.len(), 2, "{said:?}");
    for line in said {
        assert!(
            line.contains("does not have this scope") && line.contains("read_asets"),
            "{line}"
        );
    }
}

#[tokio::test]
async fn discovery_that_fails_is_warned_of() {
    let sso = Sso::new().await;
    sso.world().discovery = None;
    let log = Log::default();
    let guard = log.begin(LevelFilter::WARN);
    let _security = sso.security().await;
    drop(guard);
    let said = log.text();
    assert!(
        said.lines().count() == 1 && said.contains("discovery failed"),
        "{said}"
    );
}
