//! EVE single sign-on: logins, their tokens, and keeping them fresh.
//!
//! It is usable alone, by a service that logs people in and never calls ESI. Nothing here knows the client or any
//! operation.
//!
//! ```no_run
//! use esikit::{EsiSecurity, Scope};
//!
//! # async fn example(callback_url: &str) -> Result<(), esikit::Error> {
//! let security = EsiSecurity::builder()
//!     .client_id("...")
//!     .secret_key("...") // or .pkce() for an application that cannot keep a secret
//!     .redirect_uri("http://localhost:8080/callback")
//!     .headers([("User-Agent", "my-app/1.0 (me@example.com)")])
//!     .build()
//!     .await?;
//! let login = security.authorize(&[Scope::from("esi-assets.read_assets.v1")]);
//! println!("open {}", login.url());
//! // ... the browser comes back to the redirect URI:
//! let who = security.auth_callback(&login, callback_url).await?;
//! println!("{} logged in", who.name);
//! # Ok(())
//! # }
//! ```
//!
//! # Time
//! A token's end is counted from when it came (`expires_in`), so that a local clock that is off counts right. The
//! times in a token's own claims are checked with a leeway of three minutes. That is all that a clock that is two
//! minutes off needs; the `Date` header is not used.
//!
//! # When the single sign-on is down
//! A refresh that fails by no fault of the login (5xx, 429, no connection, a timeout) is not tried again at once: the
//! identity's next attempt waits for 1 second, after each further failure for twice as long, up to about 30 seconds,
//! or as long as `Retry-After` says, but not more than an hour. In that time an access token that is still valid is
//! used to its end, and other calls fail with the same error. [`refresh`](EsiSecurity::refresh) always asks.
//!
//! # Names of EsiPy
//!
//! | EsiPy 0.5 and 1.x | here |
//! | --- | --- |
//! | `EsiSecurity(...)` | [`EsiSecurity::builder`], then [`build`](EsiSecurityBuilder::build) |
//! | `redirect_uri`, `client_id`, `secret_key`, `headers`, `sso_url`, `esi_url`, `app`, `token_identifier`, `security_name`, `esi_datasource`, `signal_token_updated` | builder methods of the same names |
//! | `code_verifier` (1.x) | [`pkce`](EsiSecurityBuilder::pkce); a verifier of your own: [`code_verifier`](EsiSecurityBuilder::code_verifier) |
//! | `sso_endpoints_url` (1.x) | [`sso_endpoints_url`](EsiSecurityBuilder::sso_endpoints_url) |
//! | `sso_endpoints` (1.x) | [`sso_endpoints`](EsiSecurityBuilder::sso_endpoints) |
//! | `jwks_key` (1.x) | [`jwks_key`](EsiSecurityBuilder::jwks_key) |
//! | `get_auth_uri(scopes, state, implicit)` | [`get_auth_uri`](EsiSecurity::get_auth_uri); safer: [`authorize`](EsiSecurity::authorize) |
//! | `auth(code)` | [`auth`](EsiSecurity::auth); safer: [`auth_callback`](EsiSecurity::auth_callback) |
//! | `refresh()` | [`refresh`](EsiSecurity::refresh), [`refresh_scopes`](EsiSecurity::refresh_scopes) |
//! | `revoke()` | [`revoke`](EsiSecurity::revoke) |
//! | `verify()` | [`verify`](EsiSecurity::verify); the endpoint of 0.5: [`verify_remote`](EsiSecurity::verify_remote) |
//! | `is_token_expired(offset)` | [`is_token_expired`](EsiSecurity::is_token_expired) |
//! | `update_token(json, token_identifier)` | [`update_token`](EsiSecurity::update_token) |
//! | `signal_token_updated.add_receiver(f)`, `remove_receiver(f)` | [`signal_token_updated`](EsiSecurity::signal_token_updated), [`unsubscribe`](Subscription::unsubscribe) |
//! | `access_token`, `refresh_token`, `token_expiry` | [`token`](EsiSecurity::token) |

mod authorize;
#[cfg(feature = "login")]
mod browser;
mod builder;
mod endpoints;
mod event;
mod flight;
mod hold;
mod http;
mod identities;
mod jwks;
mod jwt;
mod login;
mod refresh;
mod revoke;
mod shared;
mod token_endpoint;
mod turns;

use std::fmt;
use std::sync::Arc;

use chrono::TimeDelta;

pub use authorize::Login;
#[cfg(feature = "login")]
pub use browser::BrowserLogin;
pub use builder::EsiSecurityBuilder;
pub use endpoints::{DEFAULT_SSO_URL, SsoEndpoints};
pub use event::{SecurityEvent, Subscription};
pub use login::LoggedIn;

pub(crate) use login::bearer;

use crate::error::Error;
use crate::spec::Scope;
use crate::token::TokenSet;
use refresh::Want;
use shared::Shared;

/// EVE single sign-on, seen as one identity.
///
/// Cheap to clone. A value is bound to its identity and never changes it; [`identity`](Self::identity) and
/// [`auth_callback`](Self::auth_callback) give views of other identities, which share everything else.
#[derive(Clone)]
pub struct EsiSecurity {
    shared: Arc<Shared>,
    identity: Arc<str>,
}

impl EsiSecurity {
    /// Begins a single sign-on; `client_id`, `redirect_uri`, and either `secret_key` or `pkce` must be said.
    pub fn builder() -> EsiSecurityBuilder {
        EsiSecurityBuilder::new()
    }

    /// The same single sign-on for another login, be it there already or not.
    pub fn identity(&self, identity: impl Into<Arc<str>>) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
            identity: identity.into(),
        }
    }

    /// The identity that this value is bound to.
    pub fn token_identifier(&self) -> &str {
        &self.identity
    }

    /// Every identity that has a login, here or in the store, sorted.
    ///
    /// # Errors
    /// [`Error::Store`] when the store cannot list them.
    pub async fn identities(&self) -> Result<Vec<String>, Error> {
        self.shared.identities().await
    }

    /// Forgets an identity's tokens, here and in the store. The single sign-on is not told: that is
    /// [`revoke`](Self::revoke).
    ///
    /// # Errors
    /// [`Error::Store`] when the store cannot remove them; here they are forgotten all the same.
    pub async fn forget(&self, identity: &str) -> Result<(), Error> {
        self.shared.forget(identity).await
    }

    /// The identity's tokens as they are in memory now; nothing is refreshed.
    pub fn token(&self) -> Option<Arc<TokenSet>> {
        self.shared
            .identities
            .with(&self.identity, |slot| slot.token.clone())
            .flatten()
    }

    /// Whether the access token in memory is of no use, or will not be `offset` later: a positive offset makes it
    /// expire sooner. Without a token it is expired.
    pub fn is_token_expired(&self, offset: TimeDelta) -> bool {
        let now = self.shared.clock.now();
        self.token().is_none_or(|token| token.is_expired(now, offset))
    }

    /// Takes a new access token from the single sign-on, however fresh the present one is, and also during a pause
    /// after a failure. When a refresh of this identity for all of its scopes is under way, this waits for that one.
    ///
    /// # Errors
    /// [`Error::LoginNeeded`] without a refresh token, or when the single sign-on refuses it. Otherwise
    /// [`Error::Sso`], [`Error::SsoUnavailable`], [`Error::TokenInvalid`], [`Error::OwnerChanged`] or
    /// [`Error::Store`].
    pub async fn refresh(&self) -> Result<Arc<TokenSet>, Error> {
        self.shared.token(&self.identity, Want::New(Arc::default())).await
    }

    /// As [`refresh`](Self::refresh), asking for fewer scopes than the login has (RFC 6749 section 6); no scopes at all
    /// ask for as many as there are.
    ///
    /// What comes is the identity's token from then on, for everybody who uses it: calls that need more are refused as
    /// [`Error::ScopesMissing`], those too that were waiting for this refresh. It lasts until the next refresh without
    /// scopes, be it [`refresh`](Self::refresh) or the one before the token's end; which scopes that brings is the
    /// single sign-on's to say.
    ///
    /// Callers that ask for the same scopes at the same time share one request; those that ask for others take turns.
    ///
    /// # Errors
    /// As `refresh`; [`Error::Sso`] with `invalid_scope` for a scope that the login does not have.
    pub async fn refresh_scopes(&self, scopes: &[Scope]) -> Result<Arc<TokenSet>, Error> {
        self.shared.token(&self.identity, Want::New(scopes.into())).await
    }

    /// Logs in through the browser of this machine; see [`BrowserLogin`].
    #[cfg(feature = "login")]
    pub fn login_in_browser(&self, scopes: &[Scope]) -> BrowserLogin {
        BrowserLogin::new(self.clone(), scopes)
    }

    /// Calls `subscriber` after each refresh with the identity and its new tokens, until the subscription is ended.
    pub fn signal_token_updated(
        &self,
        subscriber: impl Fn(&str, &TokenSet) + Send + Sync + 'static,
    ) -> Subscription {
        self.subscribe(move |event| {
            if let SecurityEvent::TokenUpdated { identity, token } = event {
                subscriber(identity, token);
            }
        })
    }

    /// Calls `subscriber` with each event of any identity, until the subscription is ended. It is called where the
    /// event happens and must not take long. One that panics breaks nothing.
    pub fn subscribe(&self, subscriber: impl Fn(&SecurityEvent<'_>) + Send + Sync + 'static) -> Subscription {
        self.shared.subscribers.add(subscriber)
    }
}

/// What a client of ESI needs.
impl EsiSecurity {
    /// The name of the security requirements that this single sign-on answers.
    pub(crate) fn security_name(&self) -> &str {
        &self.shared.security_name
    }

    /// The application that logs in.
    pub(crate) fn client_id(&self) -> &str {
        &self.shared.application.client_id
    }

    /// Where access tokens may be sent to.
    pub(crate) fn esi_url(&self) -> &str {
        &self.shared.esi_url
    }

    /// Which application and which character: known without any I/O once a token of the identity was verified here.
    pub(crate) async fn verified(&self) -> Result<Arc<TokenSet>, Error> {
        self.shared.token(&self.identity, Want::Claims).await
    }

    /// An access token that lasts a minute; refreshed first where it does not.
    pub(crate) async fn fresh(&self) -> Result<Arc<TokenSet>, Error> {
        self.shared.token(&self.identity, Want::Fresh).await
    }

    /// Another access token than this one, which ESI refused; none where nothing can give one.
    pub(crate) async fn instead_of(&self, refused: &TokenSet) -> Result<Option<Arc<TokenSet>>, Error> {
        if refused.refresh.is_none() && self.token().is_none_or(|now| now.refresh.is_none()) {
            return Ok(None);
        }
        let want = Want::Another(refused.access.clone());
        self.shared.token(&self.identity, want).await.map(Some)
    }
}

impl fmt::Debug for EsiSecurity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EsiSecurity")
            .field("identity", &self.identity)
            .finish_non_exhaustive()
    }
}
