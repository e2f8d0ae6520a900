//! A web application that logs characters in: `/login` sends the browser to the single sign-on, `/callback` takes it
//! back.
//!
//! ```sh
//! CLIENT_ID=... SECRET_KEY=... cargo run --example web_login
//! ```
//!
//! Register `http://localhost:8080/callback` with CCP as the application's callback URL, then open
//! <http://localhost:8080/>.

use axum::Router;
use axum::extract::{OriginalUri, State};
use axum::http::header::{COOKIE, LOCATION, SET_COOKIE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use esikit::security::Login;
use esikit::{Error, Esi, EsiSecurity, Scope};

const USER_AGENT: &str = "esikit-web-login/1.0 (https://github.com/esikit/esikit)";

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let security = EsiSecurity::builder()
        .client_id(std::env::var("CLIENT_ID").map_err(|_| "set CLIENT_ID")?)
        .secret_key(std::env::var("SECRET_KEY").map_err(|_| "set SECRET_KEY")?)
        .redirect_uri("http://localhost:8080/callback")
        .headers([("User-Agent", USER_AGENT)])
        .build()
        .await?;
    let esi = Esi::builder()
        .user_agent(USER_AGENT)
        .security(security.clone())
        .build()?;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:8080").await?;
    println!("open http://localhost:8080/");
    axum::serve(listener, app(security, esi)).await?;
    Ok(())
}

/// The application: it logs in by `security` and calls `esi`.
pub(crate) fn app(security: EsiSecurity, esi: Esi) -> Router {
    Router::new()
        .route(
            "/",
            get(async || Html("<a href=\"/login\">Log in with EVE Online</a>")),
        )
        .route("/login", get(login))
        .route("/callback", get(callback))
        .with_state((security, esi))
}

/// Begins a login. What it must be compared with later goes into a cookie of this browser, which no script can read.
///
/// An application with a secret has no PKCE verifier, and its `Login` may stand there as it is. Without a secret,
/// keep the `Login` on the server, and only a random key to it in the cookie.
async fn login(State((security, _)): State<(EsiSecurity, Esi)>) -> Result<Response, Failure> {
    let login = security.authorize(&[Scope::from("esi-assets.read_assets.v1")]);
    let text: String = url::form_urlencoded::byte_serialize(&serde_json::to_vec(&login)?).collect();
    // A real application adds `Secure`, which this one, on plain http, cannot.
    let cookie = format!("login={text}; HttpOnly; SameSite=Lax; Path=/callback; Max-Age=600");
    let headers = [(LOCATION, login.url().to_owned()), (SET_COOKIE, cookie)];
    Ok((StatusCode::SEE_OTHER, headers).into_response())
}

/// Ends a login, and calls ESI as the character that logged in.
async fn callback(
    State((security, esi)): State<(EsiSecurity, Esi)>,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let Some(login) = login_of(&headers) else {
        return Ok((StatusCode::BAD_REQUEST, "no login was begun in this browser").into_response());
    };
    let who = security.auth_callback(&login, &uri.to_string()).await?;
    let own = esi.with_security(who.security());
    let assets = own
        .get_characters_character_id_assets(who.character_id)
        .send()
        .await?;
    let text = format!(
        "{} is logged in and has {} kinds of things.",
        who.name,
        assets.len()
    );
    // The cookie has done its work.
    let cookie = "login=; HttpOnly; SameSite=Lax; Path=/callback; Max-Age=0";
    Ok(([(SET_COOKIE, cookie)], text).into_response())
}

/// The login that this browser began.
fn login_of(headers: &HeaderMap) -> Option<Login> {
    let cookies = headers.get(COOKIE)?.to_str().ok()?;
    let text = cookies
        .split("; ")
        .find_map(|cookie| cookie.strip_prefix("login="))?;
    let decoded = url::form_urlencoded::parse(text.as_bytes())
        .next()?
        .0
        .into_owned();
    serde_json::from_str(&decoded).ok()
}

/// What went wrong, for the browser.
struct Failure(String);

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self(error.to_string())
    }
}

impl From<serde_json::Error> for Failure {
    fn from(error: serde_json::Error) -> Self {
        Self(error.to_string())
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        (StatusCode::BAD_REQUEST, self.0).into_response()
    }
}
