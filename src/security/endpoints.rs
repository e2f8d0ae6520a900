//! Where the single sign-on is: discovered once, given by hand, or what holds today.

use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;
use url::Url;

use super::http::Http;
use crate::clock::Clock;
use crate::error::Error;
use crate::loopback::is_loopback;
use crate::operation::SecurityScheme;

/// CCP's single sign-on.
pub const DEFAULT_SSO_URL: &str = "https://login.eveonline.com";

const WELL_KNOWN: &str = "/.well-known/oauth-authorization-server";

/// How long to go on with today's endpoints before discovery is tried again.
const PAUSE: TimeDelta = TimeDelta::minutes(1);

/// The endpoints of a single sign-on.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SsoEndpoints {
    /// Where the user's browser goes.
    pub authorization: String,
    /// Where tokens are given out.
    pub token: String,
    /// Where tokens are revoked.
    pub revocation: String,
    /// Where the keys are that sign tokens.
    pub jwks: String,
    /// Who signs tokens.
    pub issuer: Option<String>,
}

impl SsoEndpoints {
    /// Where they are below this URL today.
    pub fn of(sso_url: &str) -> Self {
        let base = sso_url.trim_end_matches('/');
        Self {
            authorization: format!("{base}/v2/oauth/authorize"),
            token: format!("{base}/v2/oauth/token"),
            revocation: format!("{base}/v2/oauth/revoke"),
            jwks: format!("{base}/oauth/jwks"),
            issuer: None,
        }
    }

    /// What a discovery document (RFC 8414) says, today's for what it leaves out. None where it names a place that
    /// tokens must not be sent to.
    fn from_document(document: &Value, sso_url: &str) -> Option<Self> {
        let today = Self::of(sso_url);
        let text = |name: &str| document.get(name).and_then(Value::as_str).map(str::to_owned);
        let mut found = Self {
            authorization: text("authorization_endpoint").unwrap_or(today.authorization),
            token: text("token_endpoint").unwrap_or(today.token),
            revocation: text("revocation_endpoint").unwrap_or(today.revocation),
            jwks: text("jwks_uri").unwrap_or(today.jwks),
            issuer: text("issuer"),
        };
        if !document.is_object() || !found.all().iter().all(|url| is_safe(url)) {
            return None;
        }
        // An issuer elsewhere would let a stranger's tokens in. Without a scheme, as CCP writes it, it is a host.
        found.issuer = found.issuer.filter(|issuer| is_same_origin(issuer, sso_url));
        Some(found)
    }

    pub(super) fn all(&self) -> [&str; 4] {
        [&self.authorization, &self.token, &self.revocation, &self.jwks]
    }
}

/// The endpoints in use.
pub(super) struct Directory {
    sso_url: String,
    document_url: String,
    app: Option<SecurityScheme>,
    state: Mutex<State>,
    flight: tokio::sync::Mutex<()>,
}

struct State {
    endpoints: Arc<SsoEndpoints>,
    /// When discovery failed, or was not tried; none where the endpoints are settled.
    unsettled: Option<Option<DateTime<Utc>>>,
}

impl Directory {
    /// `given` skips discovery, and stands above the scheme too: nothing is more specific.
    pub(super) fn new(
        sso_url: &str,
        document_url: Option<String>,
        app: Option<SecurityScheme>,
        given: Option<SsoEndpoints>,
    ) -> Self {
        let unsettled = given.is_none().then_some(None);
        let endpoints = given.unwrap_or_else(|| with_app(SsoEndpoints::of(sso_url), app));
        Self {
            sso_url: sso_url.to_owned(),
            document_url: document_url
                .unwrap_or_else(|| format!("{}{WELL_KNOWN}", sso_url.trim_end_matches('/'))),
            app,
            state: Mutex::new(State {
                endpoints: Arc::new(endpoints),
                unsettled,
            }),
            flight: tokio::sync::Mutex::new(()),
        }
    }

    /// What is known now, without asking anybody.
    pub(super) fn known(&self) -> Arc<SsoEndpoints> {
        Arc::clone(&self.lock().endpoints)
    }

    /// The endpoints; asks for the discovery document where that is not done, and not tried a moment ago.
    pub(super) async fn settled(&self, http: &Http, clock: &dyn Clock) -> Arc<SsoEndpoints> {
        if self.is_due(clock) {
            let _turn = self.flight.lock().await;
            if self.is_due(clock) {
                self.discover(http, clock).await;
            }
        }
        self.known()
    }

    async fn discover(&self, http: &Http, clock: &dyn Clock) {
        let found = match http.get_json("discovery", &self.document_url, None).await {
            Ok(document) => SsoEndpoints::from_document(&document, &self.sso_url)
                .ok_or_else(|| "the document names no safe endpoints".to_owned()),
            Err(error) => Err(Error::SsoUnavailable(Box::new(error)).to_string()),
        };
        let now = clock.now();
        let mut state = self.lock();
        match found {
            Ok(found) => {
                state.endpoints = Arc::new(with_app(found, self.app));
                state.unsettled = None;
            }
            Err(reason) => {
                tracing::warn!(%reason, "discovery failed: going on with the endpoints as they are today");
                state.unsettled = Some(Some(now));
            }
        }
    }

    fn is_due(&self, clock: &dyn Clock) -> bool {
        match self.lock().unsettled {
            None => false,
            Some(None) => true,
            Some(Some(tried)) => (clock.now() - tried).abs() >= PAUSE,
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Who may have signed a token, without a slash at the end.
    pub(super) fn issuers(&self, given: Option<&str>) -> Vec<String> {
        let plain = |issuer: &str| issuer.trim_end_matches('/').to_owned();
        if let Some(issuer) = given {
            return vec![plain(issuer)];
        }
        if plain(&self.sso_url) == DEFAULT_SSO_URL {
            return vec![DEFAULT_SSO_URL.to_owned(), "login.eveonline.com".to_owned()];
        }
        let discovered = self.known().issuer.clone();
        vec![plain(discovered.as_deref().unwrap_or(&self.sso_url))]
    }
}

/// The scheme's own URLs stand above what is discovered.
fn with_app(mut endpoints: SsoEndpoints, app: Option<SecurityScheme>) -> SsoEndpoints {
    if let Some(url) = app.and_then(|app| app.authorization_url) {
        endpoints.authorization = url.to_owned();
    }
    if let Some(url) = app.and_then(|app| app.token_url) {
        endpoints.token = url.to_owned();
    }
    endpoints
}

/// Whether tokens may be sent there: by https, or not off this machine.
pub(super) fn is_safe(url: &str) -> bool {
    Url::parse(url).is_ok_and(|url| match url.scheme() {
        "https" => url.host().is_some(),
        "http" => is_loopback(&url),
        _ => false,
    })
}

/// Whether two URLs have scheme, host and port in common. The first may lack its scheme.
fn is_same_origin(issuer: &str, url: &str) -> bool {
    let Ok(url) = Url::parse(url) else { return false };
    let whole = if issuer.contains("://") {
        issuer.to_owned()
    } else {
        format!("{}://{issuer}", url.scheme())
    };
    Url::parse(&whole).is_ok_and(|issuer| issuer.origin() == url.origin())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_document_that_sends_tokens_in_clear_text_is_not_used() {
        let good = json!({ "token_endpoint": "http://127.0.0.1:1/t", "issuer": "http://127.0.0.1:1/" });
        let found = SsoEndpoints::from_document(&good, "http://127.0.0.1:1").expect("loopback is fine");
        assert_eq!(found.token, "http://127.0.0.1:1/t");
        assert_eq!(found.jwks, "http://127.0.0.1:1/oauth/jwks");
        for bad in [
            json!({ "token_endpoint": "http://example.com/t" }),
            json!({ "jwks_uri": "file:///etc/passwd" }),
            json!({ "revocation_endpoint": "" }),
            json!([]),
        ] {
            assert_eq!(
                SsoEndpoints::from_document(&bad, "http://127.0.0.1:1"),
                None,
                "{bad}"
            );
        }
    }

    #[test]
    fn an_issuer_of_another_origin_is_left_out() {
        for (issuer, kept) in [
            ("https://sso.example.com", true),
            ("sso.example.com/", true),
            ("https://sso.example.com:8443", false),
            ("https://evil.example.com", false),
            ("evil.example.com", false),
            ("not a url", false),
        ] {
            let found = SsoEndpoints::from_document(&json!({ "issuer": issuer }), "https://sso.example.com");
            assert_eq!(found.expect("good").issuer.is_some(), kept, "{issuer}");
        }
    }
}
