//! A single sign-on and an ESI on this machine, which count what they are asked.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine;
use chrono::{TimeDelta, TimeZone, Utc};
use esikit::clock::{Clock, ManualClock};
use esikit::security::EsiSecurityBuilder;
use esikit::store::TokenStore;
use esikit::{Error, Esi, EsiSecurity, Scope};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

use super::jwt::{CLIENT_ID, Signer, claims, header};

pub const ASSETS: &str = "esi-assets.read_assets.v1";
pub const SECRET: &str = "the-client-secret";
pub const REDIRECT: &str = "http://localhost:8080/callback";

/// What a refresh answers as its refresh token.
#[derive(Clone, Copy, PartialEq)]
pub enum Rotation {
    Same,
    Another,
    Left,
}

/// A request to the token or revocation endpoint.
#[derive(Clone, Debug)]
pub struct Asked {
    pub path: String,
    pub form: HashMap<String, String>,
    pub authorization: Option<String>,
    pub user_agent: Option<String>,
}

/// A login that the single sign-on knows.
#[derive(Clone)]
pub struct Account {
    pub character: i64,
    pub owner: String,
    pub scopes: Vec<String>,
}

pub struct World {
    pub rotation: Rotation,
    /// Answers of the token endpoint that come before any good one.
    pub failures: VecDeque<(u16, String)>,
    /// What those say in their `Retry-After`.
    pub retry_after: Option<String>,
    pub jwks: Value,
    pub discovery: Option<Value>,
    pub asked: Vec<Asked>,
    pub jwks_asked: usize,
    pub discovery_asked: usize,
    /// Bearer tokens that ESI saw, with the path.
    pub esi_seen: Vec<(String, Option<String>)>,
    /// Answers of ESI that come before any good one.
    pub esi_failures: VecDeque<(u16, String)>,
    pub most_at_once: usize,
    pub codes: HashMap<String, Account>,
    pub refresh_tokens: HashMap<String, Account>,
    access_tokens: HashMap<String, Issued>,
    at_once: usize,
    count: usize,
}

/// An access token that was given out.
#[derive(Clone)]
struct Issued {
    character: i64,
    end: i64,
    scopes: Vec<String>,
}

/// The server; clones share it.
#[derive(Clone)]
pub struct Sso {
    pub url: String,
    /// The clock of the servers.
    pub clock: ManualClock,
    world: Arc<Mutex<World>>,
    signer: Arc<Signer>,
    /// Closed by a test that wants token answers to wait.
    pub gate: Arc<Semaphore>,
    /// The same for ESI's answers.
    pub esi_gate: Arc<Semaphore>,
}

impl Sso {
    pub async fn new() -> Self {
        Self::signing(Signer::rsa()).await
    }

    pub async fn signing(signer: Signer) -> Self {
        let (listener, port) = free_port().await;
        let sso = Self::at(format!("http://127.0.0.1:{port}"), signer);
        let routes = routes(sso.clone());
        tokio::spawn(async move { axum::serve(listener, routes).await });
        sso
    }

    /// The same by https, as `localhost`.
    #[cfg(feature = "tls")]
    pub async fn by_tls() -> Self {
        let (listener, port) = free_port().await;
        let sso = Self::at(format!("https://localhost:{port}"), Signer::rsa());
        let routes = routes(sso.clone());
        let listener = crate::tls::Listener::new(listener);
        tokio::spawn(async move { axum::serve(listener, routes).await });
        sso
    }

    fn at(url: String, signer: Signer) -> Self {
        let world = World {
            rotation: Rotation::Same,
            failures: VecDeque::new(),
            retry_after: None,
            jwks: json!({ "keys": [signer.jwk("key-1")], "SkipUnresolvedJsonWebKeys": true }),
            discovery: Some(json!({
                "issuer": url, "authorization_endpoint": format!("{url}/v2/oauth/authorize"),
                "token_endpoint": format!("{url}/v2/oauth/token"), "jwks_uri": format!("{url}/oauth/jwks"),
                "revocation_endpoint": format!("{url}/v2/oauth/revoke"),
            })),
            asked: Vec::new(),
            jwks_asked: 0,
            discovery_asked: 0,
            esi_seen: Vec::new(),
            esi_failures: VecDeque::new(),
            most_at_once: 0,
            codes: HashMap::new(),
            refresh_tokens: HashMap::new(),
            access_tokens: HashMap::new(),
            at_once: 0,
            count: 0,
        };
        Self {
            url,
            clock: ManualClock::new(Utc.with_ymd_and_hms(2026, 11, 1, 10, 0, 0).unwrap()),
            world: Arc::new(Mutex::new(world)),
            signer: Arc::new(signer),
            gate: Arc::new(Semaphore::new(Semaphore::MAX_PERMITS)),
            esi_gate: Arc::new(Semaphore::new(Semaphore::MAX_PERMITS)),
        }
    }

    pub fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().expect("no test panicked in it")
    }

    /// A code that the browser of this character would bring back.
    pub fn code_for(&self, character: i64, scopes: &[&str]) -> String {
        let mut world = self.world();
        world.count += 1;
        let code = format!("code-{}-secret", world.count);
        world.codes.insert(code.clone(), account(character, scopes));
        code
    }

    pub fn with_secret(&self) -> EsiSecurityBuilder {
        self.common().secret_key(SECRET)
    }

    pub fn with_pkce(&self) -> EsiSecurityBuilder {
        self.common().pkce()
    }

    pub fn common(&self) -> EsiSecurityBuilder {
        EsiSecurity::builder()
            .client_id(CLIENT_ID)
            .redirect_uri(REDIRECT)
            .sso_url(&self.url)
            .esi_url(&self.url)
            .headers([("User-Agent", "esikit-tests/1.0 (tests@example.com)")])
            .clock(self.clock.clone())
    }

    pub async fn security(&self) -> EsiSecurity {
        self.with_pkce().build().await.expect("a single sign-on")
    }

    /// One whose tokens are kept there.
    pub async fn security_on(&self, store: &(impl TokenStore + Clone)) -> EsiSecurity {
        let builder = self.with_pkce().token_store(store.clone());
        builder.build().await.expect("a single sign-on")
    }

    /// A login by the whole way, with a view of its identity.
    pub async fn log_in(&self, security: &EsiSecurity, character: i64) -> EsiSecurity {
        self.log_in_for(security, character, &[ASSETS]).await
    }

    pub async fn log_in_for(&self, security: &EsiSecurity, character: i64, scopes: &[&str]) -> EsiSecurity {
        let asked: Vec<Scope> = scopes.iter().copied().map(Scope::from).collect();
        let login = security.authorize(&asked);
        let url = callback(&self.code_for(character, scopes), login.state());
        let who = security.auth_callback(&login, &url).await.expect("a login");
        assert_eq!(who.character_id, character);
        who.security()
    }

    pub fn esi(&self, security: EsiSecurity) -> Esi {
        let builder = Esi::builder().user_agent("esikit-tests/1.0 (tests@example.com)");
        // Nothing kept and no flights: each call is to be seen.
        builder
            .base_url(&self.url)
            .cache_bytes(0)
            .security(security)
            .build()
            .expect("a client")
    }

    /// Requests to the token endpoint with this grant type.
    pub fn grants(&self, kind: &str) -> Vec<Asked> {
        let asked = self.world().asked.clone();
        let of_kind = |asked: &Asked| asked.form.get("grant_type").is_some_and(|given| given == kind);
        asked.into_iter().filter(of_kind).collect()
    }

    /// Time passes for everybody until every access token is over.
    pub fn expire(&self) {
        self.clock.advance(TimeDelta::minutes(30));
    }

    /// The tokens of a new login, made and noted.
    fn issue(&self, world: &mut World, account: &Account) -> (String, String) {
        world.count += 1;
        let now = self.clock.now().timestamp();
        let scopes: Vec<&str> = account.scopes.iter().map(String::as_str).collect();
        let mut claims = claims(account.character, &account.owner, &scopes, &self.url, now);
        claims["jti"] = json!(world.count);
        if account.owner.is_empty() {
            claims.as_object_mut().expect("an object").remove("owner");
        }
        let access = self
            .signer
            .sign(&header(self.signer.algorithm(), "key-1"), &claims);
        let issued = Issued {
            character: account.character,
            end: now + 1200,
            scopes: account.scopes.clone(),
        };
        world.access_tokens.insert(access.clone(), issued);
        let refresh = format!("refresh-{}-secret", world.count);
        (access, refresh)
    }
}

pub fn callback(code: &str, state: &str) -> String {
    format!("{REDIRECT}?code={code}&state={state}")
}

async fn free_port() -> (TcpListener, u16) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let port = listener.local_addr().expect("an address").port();
    (listener, port)
}

/// A secured call that needs the scope `ASSETS`.
pub async fn assets(esi: &Esi, character: i64) -> Result<(), Error> {
    let call = esi.get_characters_character_id_assets(character);
    call.send().await.map(|_| ())
}

/// Closes a gate; it opens again by `open`.
pub fn close(gate: &Semaphore) {
    gate.forget_permits(Semaphore::MAX_PERMITS);
}

pub fn open(gate: &Semaphore) {
    gate.add_permits(Semaphore::MAX_PERMITS);
}

pub async fn until(condition: impl Fn() -> bool) {
    let waiting = async {
        while !condition() {
            tokio::task::yield_now().await;
        }
    };
    let waited = tokio::time::timeout(Duration::from_secs(20), waiting).await;
    waited.expect("it comes true sooner");
}

/// Gives everybody else many turns: what has not happened after that is waiting for something.
pub async fn settle() {
    for _ in 0..200 {
        tokio::task::yield_now().await;
    }
}

pub fn account(character: i64, scopes: &[&str]) -> Account {
    Account {
        character,
        owner: format!("owner-of-{character}"),
        scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(),
    }
}

fn routes(sso: Sso) -> Router {
    Router::new()
        .route("/.well-known/oauth-authorization-server", get(discovery))
        .route("/v2/oauth/authorize", get(consent))
        .route("/v2/oauth/token", post(token))
        .route("/v2/oauth/revoke", post(revoke))
        .route("/oauth/jwks", get(jwks))
        .route("/verify/", get(verify))
        .route("/characters/{id}/assets", get(assets_of))
        .route("/status", get(status))
        .with_state(sso)
}

async fn discovery(State(sso): State<Sso>) -> Response {
    let mut world = sso.world();
    world.discovery_asked += 1;
    match &world.discovery {
        Some(document) => Json(document.clone()).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

/// The user who logs in as character 7 and says yes.
async fn consent(State(sso): State<Sso>, Query(query): Query<HashMap<String, String>>) -> Response {
    let scopes = query.get("scope").map_or("", String::as_str);
    let scopes: Vec<&str> = scopes.split_whitespace().collect();
    let code = sso.code_for(7, &scopes);
    let back = format!("{}?code={code}&state={}", query["redirect_uri"], query["state"]);
    (StatusCode::FOUND, [("location", back)]).into_response()
}

async fn jwks(State(sso): State<Sso>) -> Response {
    let mut world = sso.world();
    world.jwks_asked += 1;
    if world.jwks.is_null() {
        return StatusCode::BAD_GATEWAY.into_response();
    }
    Json(world.jwks.clone()).into_response()
}

fn asked(uri: &Uri, headers: &HeaderMap, body: &str) -> Asked {
    let text = |name: &str| Some(headers.get(name)?.to_str().ok()?.to_owned());
    Asked {
        path: uri.path().to_owned(),
        form: url::form_urlencoded::parse(body.as_bytes())
            .into_owned()
            .collect(),
        authorization: text("authorization"),
        user_agent: text("user-agent"),
    }
}

async fn token(State(sso): State<Sso>, uri: Uri, headers: HeaderMap, body: String) -> Response {
    {
        let mut world = sso.world();
        world.at_once += 1;
        world.most_at_once = world.most_at_once.max(world.at_once);
        let asked = asked(&uri, &headers, &body);
        world.asked.push(asked);
    }
    drop(sso.gate.acquire().await.expect("open some time"));
    // Others get their turn, so that requests at once are at once.
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
    let mut world = sso.world();
    world.at_once -= 1;
    if let Some((status, body)) = world.failures.pop_front() {
        let status = StatusCode::from_u16(status).expect("a status");
        let mut answer = (status, [("content-type", "application/json")], body).into_response();
        if let Some(wish) = &world.retry_after {
            let wish = wish.parse().expect("a header's value");
            answer.headers_mut().insert("retry-after", wish);
        }
        return answer;
    }
    let form = asked_form(&body);
    let refusal = || {
        let body = json!({ "error": "invalid_grant", "error_description": "The token is not good." });
        (StatusCode::BAD_REQUEST, Json(body)).into_response()
    };
    let (account, old) = match form.get("grant_type").map(String::as_str) {
        Some("authorization_code") => (world.codes.remove(&form["code"]), None),
        Some("refresh_token") => {
            let old = form["refresh_token"].clone();
            (world.refresh_tokens.get(&old).cloned(), Some(old))
        }
        _ => (None, None),
    };
    let Some(account) = account else {
        return refusal();
    };
    let mut granted = account.clone();
    if let Some(scope) = form.get("scope") {
        granted.scopes = scope.split(' ').map(str::to_owned).collect();
    }
    let (access, new) = sso.issue(&mut world, &granted);
    let kept = match (old, world.rotation) {
        (None, _) => Some(new),
        (Some(old), Rotation::Same) => Some(old),
        (Some(old), Rotation::Another) => {
            world.refresh_tokens.remove(&old);
            Some(new)
        }
        (Some(_), Rotation::Left) => None,
    };
    let mut answer = json!({ "access_token": access, "token_type": "Bearer", "expires_in": 1199 });
    if let Some(refresh) = kept {
        answer["refresh_token"] = json!(refresh);
        world.refresh_tokens.insert(refresh, account);
    }
    Json(answer).into_response()
}

fn asked_form(body: &str) -> HashMap<String, String> {
    url::form_urlencoded::parse(body.as_bytes())
        .into_owned()
        .collect()
}

async fn revoke(State(sso): State<Sso>, uri: Uri, headers: HeaderMap, body: String) -> Response {
    let asked = asked(&uri, &headers, &body);
    sso.world().asked.push(asked);
    drop(sso.gate.acquire().await.expect("open some time"));
    let mut world = sso.world();
    if let Some((status, body)) = world.failures.pop_front() {
        return (StatusCode::from_u16(status).expect("a status"), body).into_response();
    }
    world.refresh_tokens.remove(&asked_form(&body)["token"]);
    StatusCode::OK.into_response()
}

fn bearer(headers: &HeaderMap) -> Option<String> {
    let text = headers.get("authorization")?.to_str().ok()?;
    Some(text.strip_prefix("Bearer ")?.to_owned())
}

async fn verify(
    State(sso): State<Sso>,
    Query(query): Query<HashMap<String, String>>,
    headers: HeaderMap,
) -> Response {
    let world = sso.world();
    let known = bearer(&headers).and_then(|token| world.access_tokens.get(&token));
    match known {
        Some(issued) => {
            let character = issued.character;
            Json(json!({ "CharacterID": character, "datasource": query["datasource"] })).into_response()
        }
        None => StatusCode::UNAUTHORIZED.into_response(),
    }
}

/// An empty list for the character whose token it is; 401 for anybody else, 403 where the path is another's or the
/// scope is missing.
async fn assets_of(State(sso): State<Sso>, Path(id): Path<i64>, headers: HeaderMap) -> Response {
    let token = bearer(&headers);
    let seen = (format!("/characters/{id}/assets"), token.clone());
    sso.world().esi_seen.push(seen);
    drop(sso.esi_gate.acquire().await.expect("open some time"));
    let mut world = sso.world();
    if let Some((status, body)) = world.esi_failures.pop_front() {
        return (StatusCode::from_u16(status).expect("a status"), body).into_response();
    }
    let now = sso.clock.now().timestamp();
    match token.and_then(|token| world.access_tokens.get(&token)) {
        Some(issued) if issued.end > now => {
            if issued.character == id && issued.scopes.iter().any(|scope| scope == ASSETS) {
                // A bucket for as many calls as a test likes.
                let headers = [
                    ("X-Ratelimit-Group", "char-asset"),
                    ("X-Ratelimit-Limit", "1000000/15m"),
                ];
                return (headers, Json(json!([]))).into_response();
            }
            (StatusCode::FORBIDDEN, Json(json!({ "error": "not yours" }))).into_response()
        }
        _ => (
            StatusCode::UNAUTHORIZED,
            Json(json!({ "error": "no good token" })),
        )
            .into_response(),
    }
}

async fn status(State(sso): State<Sso>, headers: HeaderMap) -> Response {
    let token = bearer(&headers);
    sso.world().esi_seen.push(("/status".to_owned(), token));
    Json(json!({ "players": 1, "server_version": "1", "start_time": "2026-11-01T00:00:00Z", "vip": false }))
        .into_response()
}

/// How the application shows its secret.
pub fn basic() -> String {
    let pair = format!("{CLIENT_ID}:{SECRET}");
    format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(pair))
}
