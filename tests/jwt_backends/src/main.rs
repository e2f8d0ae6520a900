//! Verifies the access token of the second argument by the keys of the first, in a process whose provider panics.

use std::panic::catch_unwind;

use esikit::EsiSecurity;
use esikit::security::SsoEndpoints;
use jsonwebtoken::{DecodingKey, Validation};
use serde_json::{Value, json};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let keys = arguments.next().ok_or("give the keys")?;
    let token = arguments.next().ok_or("give a token")?;
    let url = arguments.next().ok_or("give the issuer")?;
    if arguments.next().is_some() {
        // Whoever comes first makes the panic last.
        let key = DecodingKey::from_secret(b"x");
        let first = catch_unwind(|| jsonwebtoken::decode::<Value>(&token, &key, &Validation::default()).is_ok());
        let second = catch_unwind(|| jsonwebtoken::crypto::verify("", b"", &key, Default::default()).is_ok());
        println!("jsonwebtoken itself panics: {}", first.is_err() || second.is_err());
    }
    let security = EsiSecurity::builder()
        .client_id("my-client-id")
        .pkce()
        .redirect_uri("http://localhost/callback")
        .sso_url(&url)
        .esi_url(&url)
        .sso_endpoints(SsoEndpoints::of(&url))
        .jwks_key(serde_json::from_str(&keys)?)
        .build()
        .await?;
    security.update_token(&json!({ "access_token": token, "expires_in": 60 }), None).await?;
    println!("{}", security.verify().await?.character_id);
    Ok(())
}
