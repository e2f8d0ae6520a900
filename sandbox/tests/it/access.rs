//! Who may ask for what.

use super::{PILOT, Scene};
use chrono::TimeDelta;

const WALLET: &str = "esi-wallet.read_character_wallet.v1";

#[tokio::test]
async fn a_token_opens_what_its_scopes_say_of_its_own_character() {
    let scene = Scene::new().await;
    let wallet = format!("/characters/{PILOT}/wallet");
    let none = scene.get(&wallet).await;
    assert_eq!((none.status, none.header("www-authenticate")), (401, "Bearer"));
    let token = scene.token(&[WALLET]);
    assert_eq!(scene.get_as(&token, &wallet).await.status, 200);
    let other_scope = scene
        .get_as(&scene.token(&["esi-assets.read_assets.v1"]), &wallet)
        .await;
    assert_eq!(other_scope.status, 403);
    assert_eq!(
        other_scope.error(),
        format!("token is not valid for scope: {WALLET}")
    );
    let other_character = scene.get_as(&token, "/characters/2112000001/wallet").await;
    assert_eq!(other_character.status, 403, "{}", other_character.text);
}

#[tokio::test]
async fn a_token_that_is_forged_expired_or_of_another_sandbox_opens_nothing() {
    let scene = Scene::new().await;
    let wallet = format!("/characters/{PILOT}/wallet");
    let token = scene.token(&[WALLET]);
    let (start, signature) = token.rsplit_once('.').unwrap();
    let reversed: String = signature.chars().rev().collect();
    let stranger = Scene::new().await.token(&[WALLET]);
    for token in [&format!("{start}.{reversed}"), &stranger, "", "nonsense"] {
        assert_eq!(scene.get_as(token, &wallet).await.status, 401, "{token}");
    }
    scene
        .clock
        .advance(TimeDelta::minutes(20) - TimeDelta::seconds(1));
    assert_eq!(scene.get_as(&token, &wallet).await.status, 200);
    scene.clock.advance(TimeDelta::seconds(1));
    let expired = scene.get_as(&token, &wallet).await;
    assert_eq!(
        (expired.status, expired.error().as_str()),
        (401, "token is not valid: it is expired")
    );
}

#[tokio::test]
async fn corporation_data_needs_membership_and_a_role() {
    let scene = Scene::new().await;
    let token = scene.token(&["esi-assets.read_corporation_assets.v1"]);
    let own = format!("/corporations/{}/assets", scene.sandbox.corporation_of(PILOT));
    assert_eq!(scene.get_as(&token, &own).await.status, 200);
    assert_eq!(
        scene.get_as(&token, "/corporations/98000001/assets").await.status,
        403
    );
    scene.sandbox.set_roles(PILOT, &["Accountant"]);
    let refused = scene.get_as(&token, &own).await;
    assert_eq!(
        (refused.status, refused.error().as_str()),
        (403, "Character does not have required role(s): Director")
    );
    scene.sandbox.set_roles(PILOT, &["Accountant", "Director"]);
    assert_eq!(scene.get_as(&token, &own).await.status, 200);
}
