//! A program on a desktop: it logs one character in through the browser, and counts what that character has.
//!
//! ```sh
//! CLIENT_ID=... cargo run --example desktop_login --features login
//! ```
//!
//! Register `http://localhost:8080/callback` with CCP as the application's callback URL. A program that people run
//! cannot keep a secret: this one uses PKCE.

use esikit::security::BrowserLogin;
use esikit::{Error, Esi, EsiSecurity, Scope};

const USER_AGENT: &str = "esikit-desktop-login/1.0 (https://github.com/esikit/esikit)";

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let security = EsiSecurity::builder()
        .client_id(std::env::var("CLIENT_ID").map_err(|_| "set CLIENT_ID")?)
        .pkce()
        .redirect_uri("http://localhost:8080/callback")
        .headers([("User-Agent", USER_AGENT)])
        .build()
        .await?;
    let esi = Esi::builder()
        .user_agent(USER_AGENT)
        .security(security.clone())
        .build()?;
    println!("your browser opens; log in there");
    println!("{}", run(&esi, login(&security)).await?);
    Ok(())
}

/// The login this program needs.
pub(crate) fn login(security: &EsiSecurity) -> BrowserLogin {
    security.login_in_browser(&[Scope::from("esi-assets.read_assets.v1")])
}

/// Waits for the login, then calls ESI as the character that logged in.
pub(crate) async fn run(esi: &Esi, login: BrowserLogin) -> Result<String, Error> {
    let who = login.await?;
    let own = esi.with_security(who.security());
    let assets = own
        .get_characters_character_id_assets(who.character_id)
        .send()
        .await?;
    Ok(format!("{} has {} kinds of things", who.name, assets.len()))
}
