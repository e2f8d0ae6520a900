//! The single sign-on: discovery, the authorize page, codes and tokens.

mod authorize;
mod keys;
mod token;

pub use token::RefreshTokens;

use crate::clock::Clock;
use crate::error::Error;
use crate::http::{Answer, Incoming};
use crate::values::World;
use chrono::{DateTime, TimeDelta, Utc};
use keys::Keys;
use serde_json::{Value, json};
use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// How long an access token is valid.
const TOKEN_LIFE: TimeDelta = TimeDelta::minutes(20);

/// An application that may ask for logins, as developers register one.
#[derive(Clone, PartialEq, Eq)]
pub struct Application {
    /// Its client id.
    pub client_id: String,
    /// Its secret. An application that uses PKCE never sends it.
    pub secret_key: String,
    /// Where logins may lead back to, to the letter.
    pub redirect_uris: Vec<String>,
}

impl Default for Application {
    fn default() -> Self {
        Self {
            client_id: "esikit-sandbox".to_owned(),
            secret_key: "the-secret-of-the-sandbox".to_owned(),
            redirect_uris: vec!["http://localhost:8080/callback".to_owned()],
        }
    }
}

impl std::fmt::Debug for Application {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Application")
            .field("client_id", &self.client_id)
            .field("redirect_uris", &self.redirect_uris)
            .finish_non_exhaustive()
    }
}

/// Whom a token speaks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Who {
    pub(crate) character: i64,
    pub(crate) application: String,
    pub(crate) scopes: BTreeSet<String>,
}

/// One login: it lives in its refresh token.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Login {
    client_id: String,
    character: i64,
    scopes: BTreeSet<String>,
    /// Made without a secret, so that it is refreshed without one.
    is_public: bool,
}

/// What an authorization code stands for.
#[derive(Debug, Clone)]
struct Code {
    login: Login,
    challenge: Option<String>,
    expires: DateTime<Utc>,
}

/// A refresh token, and until when it works where it has been replaced.
#[derive(Debug, Clone)]
struct Refresh {
    login: Login,
    dies: Option<DateTime<Utc>>,
}

#[derive(Debug, Default)]
struct State {
    codes: HashMap<String, Code>,
    refresh: HashMap<String, Refresh>,
    /// Codes, token ids and refresh tokens made so far: each has a number of its own.
    made: u64,
}

/// The single sign-on of one sandbox.
#[derive(Debug)]
pub(crate) struct Sso {
    keys: Keys,
    url: String,
    clock: Clock,
    world: World,
    applications: Vec<Application>,
    /// Scopes that may be asked for.
    scopes: BTreeSet<String>,
    refresh_tokens: RefreshTokens,
    state: Mutex<State>,
}

/// What a sandbox tells its single sign-on.
#[derive(Debug)]
pub(crate) struct Setup {
    pub(crate) url: String,
    pub(crate) clock: Clock,
    pub(crate) world: World,
    pub(crate) applications: Vec<Application>,
    pub(crate) scopes: BTreeSet<String>,
    pub(crate) refresh_tokens: RefreshTokens,
}

impl Sso {
    pub(crate) fn new(setup: Setup) -> Result<Self, Error> {
        Ok(Self {
            keys: Keys::carried()?,
            url: setup.url,
            clock: setup.clock,
            world: setup.world,
            applications: setup.applications,
            scopes: setup.scopes,
            refresh_tokens: setup.refresh_tokens,
            state: Mutex::default(),
        })
    }

    /// Answers one request.
    pub(crate) fn answer(&self, incoming: &Incoming) -> Answer {
        match (incoming.method.as_str(), incoming.path.as_str()) {
            ("GET", "/.well-known/oauth-authorization-server") => Answer::json(200, &self.discovery()),
            ("GET", "/oauth/jwks") => Answer::json(200, &self.keys.set()),
            ("GET", "/v2/oauth/authorize") => self.authorize_page(incoming),
            ("POST", "/v2/oauth/token") => self.token(incoming),
            ("POST", "/v2/oauth/revoke") => self.revoke(incoming),
            _ => Answer::json(404, &json!({ "error": "not_found" })),
        }
    }

    /// As the real one, with this sandbox's addresses.
    fn discovery(&self) -> Value {
        let at = |path: &str| format!("{}{path}", self.url);
        json!({
            "issuer": self.url,
            "authorization_endpoint": at("/v2/oauth/authorize"),
            "token_endpoint": at("/v2/oauth/token"),
            "revocation_endpoint": at("/v2/oauth/revoke"),
            "jwks_uri": at("/oauth/jwks"),
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "code_challenge_methods_supported": ["S256"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
            "revocation_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        })
    }

    /// An access token without a login.
    pub(crate) fn token_for(&self, character: i64, scopes: &[&str]) -> Result<String, Error> {
        let login = Login {
            client_id: self.first_application().client_id.clone(),
            character,
            scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(),
            is_public: true,
        };
        let mut state = self.state();
        self.access_token(&login, &mut state)
    }

    pub(crate) fn first_application(&self) -> &Application {
        &self.applications[0]
    }

    fn application(&self, client_id: &str) -> Option<&Application> {
        self.applications
            .iter()
            .find(|application| application.client_id == client_id)
    }

    fn access_token(&self, login: &Login, state: &mut State) -> Result<String, Error> {
        let now = self.clock.second();
        let mut claims = json!({
            "iss": self.url,
            "sub": format!("CHARACTER:EVE:{}", login.character),
            "aud": [login.client_id, "EVE Online"],
            "azp": login.client_id,
            "name": self.world.name_of(login.character),
            "owner": state.text_for("owner", &self.world, login.character),
            "jti": state.fresh("token", &self.world),
            "kid": "JWT-Signature-Key",
            "tenant": "tranquility",
            "tier": "live",
            "region": "world",
            "iat": now.timestamp(),
            "exp": (now + TOKEN_LIFE).timestamp(),
        });
        // The real one writes one scope as a text, several as a list, and none not at all.
        let scopes: Vec<&String> = login.scopes.iter().collect();
        match scopes[..] {
            [] => {}
            [only] => claims["scp"] = json!(only),
            _ => claims["scp"] = json!(scopes),
        }
        self.keys.sign(&claims)
    }

    /// Whom an access token speaks for.
    pub(crate) fn who(&self, token: &str) -> Result<Who, &'static str> {
        let claims = self
            .keys
            .verified(token)
            .ok_or("its signature is not the single sign-on's")?;
        let text = |key: &str| claims.get(key).and_then(Value::as_str);
        if text("iss") != Some(&self.url) {
            return Err("it was issued elsewhere");
        }
        let now = self.clock.now().timestamp();
        if claims
            .get("exp")
            .and_then(Value::as_i64)
            .is_none_or(|expires| expires <= now)
        {
            return Err("it is expired");
        }
        let character = text("sub")
            .and_then(|subject| subject.strip_prefix("CHARACTER:EVE:")?.parse().ok())
            .ok_or("it speaks for no character")?;
        let scopes = match claims.get("scp") {
            Some(Value::String(only)) => BTreeSet::from([only.clone()]),
            several => crate::contract::texts(several).into_iter().collect(),
        };
        Ok(Who {
            character,
            application: text("azp").unwrap_or_default().to_owned(),
            scopes,
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// A text that nothing else of this sandbox is.
    fn fresh(&mut self, purpose: &str, world: &World) -> String {
        self.made += 1;
        self.text_for(purpose, world, i64::try_from(self.made).unwrap_or(i64::MAX))
    }

    /// A text for this purpose and number. It looks like the real ones; a sandbox has nothing to protect.
    fn text_for(&self, purpose: &str, world: &World, number: i64) -> String {
        let draw = crate::draw::Draw::of(world.seed)
            .under(purpose)
            .under(&number.to_string());
        format!("{:016x}{:016x}", draw.bits(), draw.at(0).bits())
    }
}

/// The pairs of a form or a query.
fn pairs(text: &[u8]) -> HashMap<String, String> {
    url::form_urlencoded::parse(text).into_owned().collect()
}
