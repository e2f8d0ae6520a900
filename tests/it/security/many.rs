//! Ten thousand logins in one client.

use std::time::Instant;

use serde_json::json;

use super::jwt::{Signer, claims, header};
use super::sso::{ASSETS, Sso};

/// Prints what a login costs; only the counts are checked, since times and sizes are the machine's.
#[tokio::test]
#[allow(clippy::disallowed_methods, reason = "it measures")]
async fn ten_thousand_logins_share_one_client() {
    const MANY: usize = 10_000;
    let sso = Sso::new().await;
    let security = sso
        .with_pkce()
        .jwks_key(Signer::rsa().jwk("key-1"))
        .build()
        .await
        .expect("built");
    let signer = Signer::ec();
    let now = esikit::clock::Clock::now(&sso.clock).timestamp();
    let long = signer.sign(
        &header("ES256", "key-1"),
        &claims(7, "owner", &[ASSETS; 15], &sso.url, now),
    );
    let before = resident();
    for index in 0..MANY {
        let tokens = json!({ "access_token": format!("{long}{index}"), "refresh_token": format!("refresh-{index}"), "expires_in": 1200 });
        security
            .update_token(&tokens, Some(&format!("character:{index}")))
            .await
            .expect("taken");
    }
    let grown = resident().saturating_sub(before);
    let begun = Instant::now();
    for index in 0..MANY {
        let view = security.identity(format!("character:{index}"));
        assert!(
            view.token()
                .is_some_and(|token| token.access_token().ends_with(&index.to_string()))
        );
    }
    let took = begun.elapsed();
    println!(
        "{MANY} logins of {} bytes of token: {} bytes each, {took:?} to look all up",
        long.len(),
        grown / MANY
    );
    assert_eq!(security.identities().await.expect("a list").len(), MANY);
    assert!(sso.world().asked.is_empty());
}

/// Bytes of this process in memory; 0 where nobody says.
fn resident() -> usize {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = text
        .split(' ')
        .nth(1)
        .and_then(|pages| pages.parse::<usize>().ok());
    pages.unwrap_or_default() * 4096
}
