//! What a single sign-on is told when it is built.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::header::{HeaderMap, HeaderName, HeaderValue, USER_AGENT};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Semaphore;
use url::Url;

use super::EsiSecurity;
use super::authorize::{is_verifier, new_verifier};
use super::endpoints::{DEFAULT_SSO_URL, Directory, SsoEndpoints, is_safe};
use super::event::{SecurityEvent, Subscribers};
use super::http::{Connecting, Http};
use super::identities::Identities;
use super::jwks::{KeySet, Keys};
use super::shared::Shared;
use super::token_endpoint::Application;
use super::turns::Turns;
use crate::clock::{Clock, SystemClock};
use crate::error::Error;
use crate::operation::SecurityScheme;
use crate::spec;
use crate::store::{MemoryTokenStore, TokenStore};
use crate::token::TokenSet;

/// Builds an [`EsiSecurity`]. [`EsiSecurity::builder`] begins one.
#[must_use = "a builder does nothing until `build`"]
pub struct EsiSecurityBuilder {
    client_id: String,
    secret_key: Option<SecretString>,
    pkce: bool,
    code_verifier: Option<SecretString>,
    redirect_uri: String,
    headers: Vec<(String, String)>,
    sso_url: Option<String>,
    esi_url: String,
    esi_datasource: String,
    app: Option<SecurityScheme>,
    token_identifier: Arc<str>,
    security_name: String,
    issuer: Option<String>,
    sso_endpoints: Option<SsoEndpoints>,
    sso_endpoints_url: Option<String>,
    jwks_key: Option<serde_json::Value>,
    max_refreshes: usize,
    timeout: Duration,
    proxy: Option<String>,
    no_proxy: bool,
    #[cfg(feature = "tls")]
    root_certificates: Vec<Vec<u8>>,
    clock: Arc<dyn Clock>,
    store: Arc<dyn TokenStore>,
    subscribers: Subscribers,
}

impl EsiSecurityBuilder {
    pub(super) fn new() -> Self {
        Self {
            client_id: String::new(),
            secret_key: None,
            pkce: false,
            code_verifier: None,
            redirect_uri: String::new(),
            headers: Vec::new(),
            sso_url: None,
            esi_url: "https://esi.evetech.net".to_owned(),
            esi_datasource: "tranquility".to_owned(),
            app: None,
            token_identifier: "default".into(),
            security_name: spec::SECURITY_SCHEME.name.to_owned(),
            issuer: None,
            sso_endpoints: None,
            sso_endpoints_url: None,
            jwks_key: None,
            max_refreshes: 4,
            timeout: Duration::from_secs(30),
            proxy: None,
            no_proxy: false,
            #[cfg(feature = "tls")]
            root_certificates: Vec::new(),
            clock: Arc::new(SystemClock),
            store: Arc::new(MemoryTokenStore::new()),
            subscribers: Subscribers::default(),
        }
    }

    /// The application's client id, from CCP's developer pages. Required.
    pub fn client_id(mut self, id: impl Into<String>) -> Self {
        self.client_id = id.into();
        self
    }

    /// The application's secret. For what runs on servers only: whoever has a program has what is in it. An
    /// application without a secret says [`pkce`](Self::pkce) instead; when both are said, the secret wins.
    pub fn secret_key(mut self, secret: impl Into<String>) -> Self {
        self.secret_key = Some(secret.into().into());
        self
    }

    /// Logs in without a secret, by PKCE (RFC 7636).
    pub fn pkce(mut self) -> Self {
        self.pkce = true;
        self
    }

    /// PKCE with this verifier in [`get_auth_uri`](EsiSecurity::get_auth_uri) and [`auth`](EsiSecurity::auth), as in
    /// EsiPy 1.x. [`authorize`](EsiSecurity::authorize) makes a new one for each login.
    pub fn code_verifier(mut self, verifier: impl Into<String>) -> Self {
        self.pkce = true;
        self.code_verifier = Some(verifier.into().into());
        self
    }

    /// Where the browser comes back to, exactly as the application is registered. Required.
    pub fn redirect_uri(mut self, uri: impl Into<String>) -> Self {
        self.redirect_uri = uri.into();
        self
    }

    /// Headers of every request to the single sign-on. `User-Agent` should be among them: who asks, and how to reach
    /// them. Without it, a warning is logged, and one that names the client id is sent.
    pub fn headers<N: Into<String>, V: Into<String>>(
        mut self,
        headers: impl IntoIterator<Item = (N, V)>,
    ) -> Self {
        let headers = headers.into_iter();
        self.headers
            .extend(headers.map(|(name, value)| (name.into(), value.into())));
        self
    }

    /// Where the single sign-on is; [`DEFAULT_SSO_URL`] unless this is said.
    pub fn sso_url(mut self, url: impl Into<String>) -> Self {
        self.sso_url = Some(url.into());
        self
    }

    /// Where ESI is, `https://esi.evetech.net` unless this is said: access tokens are sent nowhere else.
    pub fn esi_url(mut self, url: impl Into<String>) -> Self {
        self.esi_url = url.into();
        self
    }

    /// Which game server `verify_remote` asks about; `tranquility` unless this is said.
    pub fn esi_datasource(mut self, datasource: impl Into<String>) -> Self {
        self.esi_datasource = datasource.into();
        self
    }

    /// The specification's security scheme, from [`Esi::security_scheme`](crate::Esi::security_scheme): its URLs take
    /// the place of `sso_url`, and of what is discovered. A token URL that it lacks is discovered. Endpoints given by
    /// [`sso_endpoints`](Self::sso_endpoints) stand above it.
    pub fn app(mut self, scheme: SecurityScheme) -> Self {
        self.app = Some(scheme);
        self
    }

    /// The identity that the value is bound to; `default` unless this is said. Events carry it.
    pub fn token_identifier(mut self, identity: impl Into<Arc<str>>) -> Self {
        self.token_identifier = identity.into();
        self
    }

    /// The name of the security requirements that mark operations; the specification's own unless this is said.
    pub fn security_name(mut self, name: impl Into<String>) -> Self {
        self.security_name = name.into();
        self
    }

    /// Who must have issued a token, where that is not what discovery says.
    pub fn issuer(mut self, issuer: impl Into<String>) -> Self {
        self.issuer = Some(issuer.into());
        self
    }

    /// The endpoints, by hand: nothing is discovered, and they stand above those of [`app`](Self::app).
    pub fn sso_endpoints(mut self, endpoints: SsoEndpoints) -> Self {
        self.sso_endpoints = Some(endpoints);
        self
    }

    /// Where the discovery document is; below `sso_url` unless this is said.
    pub fn sso_endpoints_url(mut self, url: impl Into<String>) -> Self {
        self.sso_endpoints_url = Some(url.into());
        self
    }

    /// The keys that sign tokens, by hand: a JWK set, or one JWK. None are fetched.
    pub fn jwks_key(mut self, keys: serde_json::Value) -> Self {
        self.jwks_key = Some(keys);
        self
    }

    /// Calls `subscriber` after each refresh with the identity and its new tokens. To end that again, subscribe by
    /// [`EsiSecurity::signal_token_updated`].
    pub fn signal_token_updated(self, subscriber: impl Fn(&str, &TokenSet) + Send + Sync + 'static) -> Self {
        self.subscribers.add(move |event| {
            if let SecurityEvent::TokenUpdated { identity, token } = event {
                subscriber(identity, token);
            }
        });
        self
    }

    /// How many refreshes there may be at once, over all identities; 4 unless this is said.
    pub fn max_refreshes(mut self, most: usize) -> Self {
        self.max_refreshes = most;
        self
    }

    /// How long a request to the single sign-on may take; 30 seconds unless this is said.
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.timeout = limit;
        self
    }

    /// Asks the single sign-on through this proxy, `http://proxy.example.com:3128`.
    ///
    /// Without it, the environment's `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY` say which proxy is used, except for plain
    /// http to this machine; [`no_proxy`](Self::no_proxy) uses none.
    pub fn proxy(mut self, url: impl Into<String>) -> Self {
        self.proxy = Some(url.into());
        self.no_proxy = false;
        self
    }

    /// Uses no proxy, whatever the environment says.
    pub fn no_proxy(mut self) -> Self {
        self.no_proxy = true;
        self.proxy = None;
        self
    }

    /// Trusts the certificates of this PEM text beside those of the operating system.
    #[cfg(feature = "tls")]
    pub fn root_certificate(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.root_certificates.push(pem.into());
        self
    }

    /// Where tokens are kept; in memory unless this is said.
    pub fn token_store(mut self, store: impl TokenStore) -> Self {
        self.store = Arc::new(store);
        self
    }

    /// Another clock, for tests.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Makes the single sign-on, and discovers its endpoints where they are not given by hand. When discovery fails,
    /// today's endpoints are used, and it is tried again later.
    ///
    /// # Errors
    /// [`Error::Config`] names the setting that cannot be used, and what to do.
    pub async fn build(self) -> Result<EsiSecurity, Error> {
        let sso_url = self.effective_sso_url();
        let is_https = self.check_urls(&sso_url)?;
        let verifier = self.verifier()?;
        let headers = self.fixed_headers()?;
        let keys = match &self.jwks_key {
            None => None,
            Some(document) => Some(given(document)?),
        };
        if self.max_refreshes == 0 || self.max_refreshes > Semaphore::MAX_PERMITS {
            return Err(Error::config("max_refreshes", "must be at least 1"));
        }
        let connecting = Connecting {
            timeout: self.timeout,
            proxy: self.proxy,
            no_proxy: self.no_proxy,
            is_https,
            #[cfg(feature = "tls")]
            root_certificates: self.root_certificates,
        };
        let shared = Shared {
            application: Application {
                client_id: self.client_id,
                secret: self.secret_key,
                redirect_uri: self.redirect_uri,
            },
            verifier,
            directory: Directory::new(&sso_url, self.sso_endpoints_url, self.app, self.sso_endpoints),
            http: Arc::new(Http::new(headers, connecting)?),
            keys: Keys::new(keys),
            issuer: self.issuer,
            esi_url: self.esi_url,
            esi_datasource: self.esi_datasource,
            security_name: self.security_name,
            clock: self.clock,
            store: self.store,
            identities: Identities::new(),
            turns: Turns::default(),
            subscribers: self.subscribers,
            refreshes: Semaphore::new(self.max_refreshes),
        };
        shared.endpoints().await;
        Ok(EsiSecurity {
            shared: Arc::new(shared),
            identity: self.token_identifier,
        })
    }

    /// What discovery asks: what was said, or where the scheme's URLs are.
    fn effective_sso_url(&self) -> String {
        let of_app = || {
            let app = self.app?;
            let url = Url::parse(app.token_url.or(app.authorization_url)?).ok()?;
            Some(url.origin().ascii_serialization())
        };
        let said = self.sso_url.clone().or_else(of_app);
        said.unwrap_or_else(|| DEFAULT_SSO_URL.to_owned())
    }

    /// Checks every URL and the client id; returns whether any is https.
    fn check_urls(&self, sso_url: &str) -> Result<bool, Error> {
        if self.client_id.trim().is_empty() {
            let reason = "is missing or empty: register an application with CCP, and give its client id";
            return Err(Error::config("client_id", reason));
        }
        if let Err(error) = Url::parse(&self.redirect_uri) {
            let reason = format!("not a URL: {error}; an example: http://localhost:8080/callback");
            return Err(Error::config("redirect_uri", reason));
        }
        checked("sso_url", sso_url)?;
        checked("esi_url", &self.esi_url)?;
        for url in self
            .app
            .iter()
            .flat_map(|app| [app.authorization_url, app.token_url])
        {
            checked("app", url.unwrap_or(sso_url))?;
        }
        for url in self.sso_endpoints_url.iter() {
            checked("sso_endpoints_url", url)?;
        }
        for url in self.sso_endpoints.iter().flat_map(SsoEndpoints::all) {
            checked("sso_endpoints", url)?;
        }
        Ok(self.asks_by_tls(sso_url))
    }

    /// Whether any URL is https, so that certificates are needed.
    fn asks_by_tls(&self, sso_url: &str) -> bool {
        let is_https = |url: &str| Url::parse(url).is_ok_and(|url| url.scheme() == "https");
        let given = self.sso_endpoints.iter().flat_map(SsoEndpoints::all);
        // By hand wins: the scheme's are not asked then.
        let app = self.app.filter(|_| self.sso_endpoints.is_none());
        let mut all = given
            .chain([sso_url, self.esi_url.as_str()])
            .chain(app.and_then(|app| app.token_url))
            .chain(self.sso_endpoints_url.as_deref())
            .chain(self.proxy.as_deref());
        all.any(is_https)
    }

    /// The verifier of `get_auth_uri`: none with a secret, which wins as in EsiPy.
    fn verifier(&self) -> Result<Option<SecretString>, Error> {
        match &self.secret_key {
            Some(secret) if secret.expose_secret().trim().is_empty() => {
                let reason = "is empty: give the application's secret, or say `.pkce()` instead";
                Err(Error::config("secret_key", reason))
            }
            Some(_) if self.pkce => {
                tracing::warn!(
                    "both `secret_key` and `pkce` are set: the secret is used, and no PKCE challenge is sent"
                );
                Ok(None)
            }
            Some(_) => Ok(None),
            None if !self.pkce => {
                let reason =
                    "is missing: give the application's secret, or say `.pkce()` where it cannot keep one";
                Err(Error::config("secret_key", reason))
            }
            None => match &self.code_verifier {
                Some(given) if !is_verifier(given.expose_secret()) => {
                    let reason = "must be 43 to 128 letters, digits and `-._~` (RFC 7636)";
                    Err(Error::config("code_verifier", reason))
                }
                Some(given) => Ok(Some(given.clone())),
                None => Ok(Some(new_verifier())),
            },
        }
    }

    fn fixed_headers(&self) -> Result<HeaderMap, Error> {
        let mut headers = HeaderMap::new();
        for (name, value) in &self.headers {
            let name = HeaderName::try_from(name.as_str()).map_err(|_| {
                Error::config(
                    "headers",
                    format!("\"{}\" is not a header name", name.escape_debug()),
                )
            })?;
            if ["authorization", "content-length", "content-type", "host"].contains(&name.as_str()) {
                return Err(Error::config(
                    "headers",
                    format!("`{name}` is set by each request itself"),
                ));
            }
            let value = HeaderValue::try_from(value.as_str()).map_err(|_| {
                Error::config(
                    "headers",
                    format!("the value of `{name}` has characters that a header cannot carry"),
                )
            })?;
            headers.append(name, value);
        }
        if !headers.contains_key(USER_AGENT) {
            tracing::warn!(
                "no `User-Agent` among `headers`: say who asks, as in `my-app/1.0 (me@example.com)`"
            );
            let text = format!(
                "esikit/{} (client id {})",
                env!("CARGO_PKG_VERSION"),
                self.client_id
            );
            let value = HeaderValue::try_from(text)
                .map_err(|_| Error::config("client_id", "has characters that a header cannot carry"))?;
            headers.insert(USER_AGENT, value);
        }
        Ok(headers)
    }
}

impl fmt::Debug for EsiSecurityBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EsiSecurityBuilder")
            .field("client_id", &self.client_id)
            .field("redirect_uri", &self.redirect_uri)
            .field("token_identifier", &self.token_identifier)
            .finish_non_exhaustive()
    }
}

/// A URL that secrets may be sent to, in this build of the crate.
fn checked(setting: &'static str, url: &str) -> Result<(), Error> {
    let fail = |reason: String| Err(Error::config(setting, reason));
    match Url::parse(url) {
        Err(error) => fail(format!("not a URL: {error}")),
        Ok(parsed) if parsed.scheme() == "https" && cfg!(not(feature = "tls")) => {
            fail("https needs esikit's feature `tls`: add it".to_owned())
        }
        Ok(_) if !is_safe(url) => {
            fail("must be https, or http on this machine: secrets are sent there".to_owned())
        }
        Ok(parsed) if !parsed.username().is_empty() || parsed.password().is_some() => {
            fail("has a user name or password".to_owned())
        }
        Ok(_) => Ok(()),
    }
}

/// The keys that were given by hand.
fn given(document: &serde_json::Value) -> Result<KeySet, Error> {
    let fail = |reason: &str| Error::config("jwks_key", reason);
    let keys = KeySet::read(document).ok_or_else(|| fail("is neither a JWK set nor a JWK"))?;
    if !keys.is_usable() {
        return Err(fail("has no key for RS256 or ES256 that has a `kid`"));
    }
    Ok(keys)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn certificates_are_needed_where_any_url_is_https() {
        const LOCAL: &str = "http://127.0.0.1:1";
        let local = || EsiSecurityBuilder::new().sso_url(LOCAL).esi_url(LOCAL);
        let mut app = spec::SECURITY_SCHEME;
        app.token_url = Some("https://login.example.com/token");
        let by_hand = || SsoEndpoints::of(LOCAL);
        for (builder, is_needed) in [
            (local(), false),
            (local().esi_url("HTTPS://esi.example.com"), true),
            (local().app(app), true),
            (local().app(app).sso_endpoints(by_hand()), false),
            (
                local().sso_endpoints(SsoEndpoints::of("https://sso.example.com")),
                true,
            ),
            (local().sso_endpoints_url("https://sso.example.com/d"), true),
            (local().proxy("https://proxy.example.com"), true),
        ] {
            assert_eq!(builder.asks_by_tls(LOCAL), is_needed, "{:?}", builder.proxy);
        }
    }
}
