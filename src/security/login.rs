//! Logging in and out, and what is known of a login.

use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use super::EsiSecurity;
use super::authorize::{self, Authorization, Login};
use super::event::SecurityEvent;
use super::refresh::Want;
use super::shared::{Newest, is_sold, login_needed};
use crate::error::{Error, TokenFault};
use crate::percent::push_encoded;
use crate::spec::Scope;
use crate::token::{Claims, TokenSet};

/// A scope that applications may ask for and no operation needs, so that the specification does not have it.
const PUBLIC_DATA: &str = "publicData";

/// Who logged in.
#[derive(Clone)]
#[non_exhaustive]
pub struct LoggedIn {
    /// The character.
    pub character_id: i64,
    /// Its name.
    pub name: String,
    /// What the login allows.
    pub scopes: Vec<Scope>,
    /// When the access token ends; it is refreshed in time.
    pub expires_at: DateTime<Utc>,
    /// Who owns the character: it changes when the character goes to another account.
    pub owner: Option<String>,
    security: EsiSecurity,
}

impl LoggedIn {
    /// The single sign-on for this login.
    pub fn security(&self) -> EsiSecurity {
        self.security.clone()
    }
}

impl fmt::Debug for LoggedIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoggedIn")
            .field("character_id", &self.character_id)
            .field("name", &self.name)
            .field("scopes", &self.scopes)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

/// Logging in.
impl EsiSecurity {
    /// The URL to send a browser to, as EsiPy made it.
    ///
    /// The state is yours to choose, to remember and to compare. [`authorize`](Self::authorize) does all of that.
    pub fn get_auth_uri(&self, scopes: &[Scope], state: &str, implicit: bool) -> String {
        self.url(scopes, state, implicit, self.shared.verifier.as_ref())
    }

    /// Begins a login: makes its URL, a random state, and, without a secret, a random PKCE verifier.
    pub fn authorize(&self, scopes: &[Scope]) -> Login {
        let state = authorize::new_state();
        let verifier = self.shared.verifier.as_ref().map(|_| authorize::new_verifier());
        let url = self.url(scopes, &state, false, verifier.as_ref());
        Login::new(url, state, verifier)
    }

    /// Ends a login with the URL that the browser came back to: checks that it belongs to `login`, takes the tokens,
    /// verifies and stores them as `character:<id>`. This value stays as it was; the result has one for the login.
    ///
    /// # Errors
    /// [`Error::Argument`] when the URL is not this login's, [`Error::Sso`] when the login was refused or the code is
    /// no good, [`Error::SsoUnavailable`], [`Error::TokenInvalid`] and [`Error::Store`].
    pub async fn auth_callback(&self, login: &Login, url: &str) -> Result<LoggedIn, Error> {
        let code = authorize::code_of(login, url)?;
        let (token, claims) = self.exchange(&code, login.verifier()).await?;
        let view = self.identity(format!("character:{}", claims.character_id));
        view.logged_in(token, claims).await
    }

    /// Takes the tokens for a code, as EsiPy did: they become this value's identity's. Nothing ties the code to a
    /// login that this application began; [`auth_callback`](Self::auth_callback) does.
    ///
    /// # Errors
    /// As `auth_callback`.
    pub async fn auth(&self, code: &str) -> Result<LoggedIn, Error> {
        if code.is_empty() {
            return Err(Error::argument("auth", "code", "is empty"));
        }
        let verifier = self.shared.verifier.clone();
        let (token, claims) = self.exchange(&code.to_owned().into(), verifier).await?;
        self.logged_in(token, claims).await
    }

    fn url(&self, scopes: &[Scope], state: &str, implicit: bool, verifier: Option<&SecretString>) -> String {
        for scope in scopes {
            if scope.as_str() != PUBLIC_DATA && !Scope::KNOWN.contains(&scope.as_str()) {
                tracing::warn!(
                    scope = scope.as_str(),
                    "the specification does not have this scope"
                );
            }
        }
        let application = &self.shared.application;
        let endpoints = self.shared.directory.known();
        Authorization {
            endpoint: &endpoints.authorization,
            redirect_uri: &application.redirect_uri,
            client_id: &application.client_id,
            scopes,
            state,
            implicit,
            verifier,
        }
        .url()
    }

    async fn exchange(
        &self,
        code: &SecretString,
        verifier: Option<SecretString>,
    ) -> Result<(TokenSet, Claims), Error> {
        let shared = &self.shared;
        let endpoints = shared.endpoints().await;
        let now = shared.clock.now();
        let exchanged = shared
            .application
            .exchange(&shared.http, &endpoints, code, verifier, now)
            .await;
        let token = exchanged?;
        let claims = shared.check(token.access_token()).await?;
        Ok((token, claims))
    }

    async fn logged_in(&self, mut token: TokenSet, mut claims: Claims) -> Result<LoggedIn, Error> {
        self.warn_of_new_owner(&mut claims).await?;
        token.claims = Some(Box::new(claims.clone()));
        token.verified = true;
        let expires_at = token.expires_at.unwrap_or(claims.expires_at);
        let token = self.shared.adopt(&self.identity, |_| Ok(token)).await?;
        self.shared.tell(&SecurityEvent::LoggedIn {
            identity: &self.identity,
            token: &token,
        });
        Ok(LoggedIn {
            character_id: claims.character_id,
            name: claims.name,
            scopes: claims.scopes,
            expires_at,
            owner: claims.owner,
            security: self.clone(),
        })
    }

    /// A login of the same character by another owner is a good login, but what the application has stored about
    /// the old owner is not the new one's to see.
    async fn warn_of_new_owner(&self, claims: &mut Claims) -> Result<(), Error> {
        if self.token().is_none() {
            self.shared.load(&self.identity).await?;
        }
        let before = self.token().and_then(|token| token.claims().cloned());
        let before = before.filter(|before| before.character_id == claims.character_id);
        if before.is_some_and(|before| is_sold(&before, claims)) {
            self.shared.tell(&SecurityEvent::OwnerChanged {
                identity: &self.identity,
                character_id: claims.character_id,
            });
        }
        Ok(())
    }
}

/// What is known of a login, and its end.
impl EsiSecurity {
    /// Checks the access token here: its signature by the single sign-on's published keys, who made it, for whom, and
    /// when. Nothing is refreshed.
    ///
    /// # Errors
    /// [`Error::LoginNeeded`] without an access token, [`Error::TokenInvalid`] with the rule that it breaks,
    /// [`Error::SsoUnavailable`] when the keys cannot be had.
    pub async fn verify(&self) -> Result<Claims, Error> {
        let token = self.present().await?;
        self.shared.check(token.access_token()).await
    }

    /// Asks ESI's verify endpoint about the access token, and returns its JSON.
    ///
    /// Legacy: EsiPy 0.5 did so. Nothing here needs it, and CCP may end it; [`verify`](Self::verify) is the way.
    ///
    /// # Errors
    /// [`Error::LoginNeeded`] without an access token, [`Error::SsoUnavailable`] when the endpoint does not answer
    /// with JSON.
    pub async fn verify_remote(&self) -> Result<Value, Error> {
        let token = self.present().await?;
        let mut url = format!(
            "{}/verify/?datasource=",
            self.shared.esi_url.trim_end_matches('/')
        );
        push_encoded(&mut url, &self.shared.esi_datasource);
        let header = bearer(&token)?;
        let answer = self
            .shared
            .http
            .get_json("remote verification", &url, Some(header));
        answer
            .await
            .map_err(|error| Error::SsoUnavailable(Box::new(error)))
    }

    /// Revokes the login: the refresh token, else the access token. Then everything of it is forgotten, here and in
    /// the store, whatever the single sign-on answered. Returns the HTTP status of a success.
    ///
    /// A refresh that is under way is waited for, and what is revoked is the newest that the store or memory has. Once
    /// begun, it goes on to its end even when this future is dropped. A new login of the identity that comes in the
    /// meantime is neither revoked nor forgotten.
    ///
    /// An access token that is out already lives on until its end, 20 minutes at most: the single sign-on cannot call
    /// it back.
    ///
    /// # Errors
    /// [`Error::Argument`] when the identity has no tokens; [`Error::Sso`] and [`Error::SsoUnavailable`] when the
    /// single sign-on did not revoke; [`Error::Store`] when the store could not be read, so that it may have had a
    /// newer token than the one that was revoked, or when it cannot forget.
    pub async fn revoke(&self) -> Result<u16, Error> {
        self.shared.revoke(&self.identity).await
    }

    /// Takes tokens that were kept elsewhere, as EsiPy's `update_token` did: `access_token`, `refresh_token` (the
    /// present one is kept when it is absent), and `expires_in` in seconds from now or `expires_at`, a time as RFC
    /// 3339 text or in seconds since 1970. They become those of `identifier`, or of this value's identity; the result
    /// is a view of that one.
    ///
    /// An empty access token, or an `expires_in` of -1, with a refresh token means: refresh before the first call.
    ///
    /// ```no_run
    /// # async fn example(security: esikit::EsiSecurity, kept: &str) -> Result<(), esikit::Error> {
    /// let tokens = serde_json::json!({ "access_token": "", "expires_in": -1, "refresh_token": kept });
    /// let restored = security.update_token(&tokens, Some("main")).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Error::Argument`] names what is missing or of another type; [`Error::Store`].
    pub async fn update_token(&self, json: &Value, identifier: Option<&str>) -> Result<Self, Error> {
        let view = identifier.map_or_else(|| self.clone(), |identity| self.identity(identity));
        let given = Restored::read(json, self.shared.clock.now())?;
        view.shared
            .adopt(&view.identity, |newest| given.over(newest))
            .await?;
        Ok(view)
    }

    async fn present(&self) -> Result<Arc<TokenSet>, Error> {
        if self.token().is_none() && !self.shared.load(&self.identity).await? {
            return self.shared.token(&self.identity, Want::Claims).await;
        }
        let present = self.token().filter(|token| !token.access_token().is_empty());
        present.ok_or_else(|| login_needed(&self.identity, "it has no access token yet: refresh first"))
    }
}

/// The header that carries an access token.
pub(crate) fn bearer(token: &TokenSet) -> Result<http::HeaderValue, Error> {
    let text = SecretString::from(format!("Bearer {}", token.access_token()));
    let mut value = http::HeaderValue::try_from(text.expose_secret())
        .map_err(|_| Error::token_invalid(TokenFault::NotAJwt("no header can carry it")))?;
    value.set_sensitive(true);
    Ok(value)
}

/// Tokens from JSON.
struct Restored {
    access: SecretString,
    refresh: Option<SecretString>,
    expires_at: DateTime<Utc>,
}

impl Restored {
    fn read(json: &Value, now: DateTime<Utc>) -> Result<Self, Error> {
        let fail = |parameter, reason| Err(Error::argument("update_token", parameter, reason));
        if !json.is_object() {
            return fail("json", "is not an object");
        }
        let access = match json.get("access_token") {
            Some(Value::String(text)) => text.as_str(),
            None | Some(Value::Null) => "",
            Some(_) => return fail("access_token", "is not a text"),
        };
        let refresh = match json.get("refresh_token") {
            Some(Value::String(text)) => Some(text.as_str()).filter(|text| !text.is_empty()),
            None | Some(Value::Null) => None,
            Some(_) => return fail("refresh_token", "is not a text"),
        };
        Ok(Self {
            access: access.to_owned().into(),
            refresh: refresh.map(|text| text.to_owned().into()),
            expires_at: end(json, now)?,
        })
    }

    /// In place of the tokens before; the claims are kept only where the refresh token says that it is the same login.
    fn over(self, newest: &Newest) -> Result<TokenSet, Error> {
        let before = newest.token.as_deref();
        let known = before.and_then(|before| before.refresh.clone());
        if let (None, Some(trouble)) = (&self.refresh, &newest.trouble) {
            // Whether the refresh token that is here is the one to keep, only the store knows.
            return Err(trouble.clone());
        }
        let refresh = self.refresh.or(known);
        let text =
            |token: &Option<SecretString>| token.as_ref().map(|token| token.expose_secret().to_owned());
        if self.access.expose_secret().is_empty() && refresh.is_none() {
            let reason = "is empty, and there is no refresh token either";
            return Err(Error::argument("update_token", "access_token", reason));
        }
        let same = before.filter(|before| refresh.is_some() && text(&before.refresh) == text(&refresh));
        Ok(TokenSet {
            access: self.access,
            claims: same.and_then(|before| before.claims.clone()),
            refresh,
            expires_at: Some(self.expires_at),
            verified: false,
        })
    }
}

fn end(json: &Value, now: DateTime<Utc>) -> Result<DateTime<Utc>, Error> {
    let fail = |parameter| Error::argument("update_token", parameter, "is not a time");
    if let Some(value) = json.get("expires_in").filter(|value| !value.is_null()) {
        let life = seconds(value).and_then(TimeDelta::try_seconds);
        return life
            .and_then(|life| now.checked_add_signed(life))
            .ok_or_else(|| fail("expires_in"));
    }
    let time = match json.get("expires_at") {
        Some(Value::String(text)) => DateTime::parse_from_rfc3339(text).ok().map(|time| time.to_utc()),
        Some(value) => seconds(value).and_then(|seconds| DateTime::from_timestamp(seconds, 0)),
        None => {
            let reason = "is missing: say how many seconds the access token lasts, or `expires_at`";
            return Err(Error::argument("update_token", "expires_in", reason));
        }
    };
    time.ok_or_else(|| fail("expires_at"))
}

/// A number of seconds, as a number or as text.
fn seconds(value: &Value) -> Option<i64> {
    #[allow(
        clippy::cast_possible_truncation,
        reason = "a float too large becomes the largest integer"
    )]
    match value {
        Value::Number(number) => number
            .as_i64()
            .or_else(|| number.as_f64().map(|float| float as i64)),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}
