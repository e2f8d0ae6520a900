//! How a sandbox is set up, and what it says when it cannot be.

use super::{PILOT, Scene};
use esikit_sandbox::{Error, Sandbox};
use serde_json::json;

#[tokio::test]
async fn one_seed_gives_one_world() {
    let [one, same, other] = [
        Scene::with(|builder| builder.seed(7)).await,
        Scene::with(|builder| builder.seed(7)).await,
        Scene::with(|builder| builder.seed(8)).await,
    ];
    let path = "/markets/10000002/orders?order_type=sell";
    let text = one.get(path).await.text;
    assert_eq!(text, same.get(path).await.text);
    assert_ne!(text, other.get(path).await.text);
    assert_ne!(
        text,
        one.get("/markets/10000002/orders?order_type=buy").await.text
    );
    assert_ne!(
        one.sandbox.corporation_of(PILOT),
        other.sandbox.corporation_of(PILOT)
    );
}

#[tokio::test]
async fn what_is_put_is_what_the_operation_could_answer() {
    let sandbox = Sandbox::start().await.unwrap();
    let wallet = "GetCharactersCharacterIdWallet";
    let message =
        |operation: &str, path: &str, value| sandbox.put(operation, path, value).unwrap_err().to_string();
    assert_eq!(
        message(wallet, "/characters/1/wallet", json!("much")),
        "this is no answer of GetCharactersCharacterIdWallet: answer: expected number"
    );
    assert_eq!(
        message(wallet, "/characters/1/assets", json!(1.5)),
        "`/characters/1/assets` is no path of GetCharactersCharacterIdWallet: it must be like \
         `/characters/{character_id}/wallet`"
    );
    assert!(
        message("GetWallet", "/", json!(1)).starts_with("the specification has no operation `GetWallet`")
    );
    assert!(
        message("PostUiAutopilotWaypoint", "/ui/autopilot/waypoint", json!(1))
            .ends_with("it answers without a body")
    );
}

#[tokio::test]
async fn a_port_in_use_is_told() {
    let first = Sandbox::start().await.unwrap();
    let port = first.base_url().rsplit(':').next().unwrap().parse().unwrap();
    let error = Sandbox::builder().port(port).start().await.unwrap_err();
    assert!(
        matches!(error, Error::Listen { address, .. } if address.port() == port),
        "{error}"
    );
}

#[tokio::test]
async fn a_specification_that_cannot_be_read_is_told() {
    let missing = Sandbox::builder()
        .specification("no/such/file.json")
        .start()
        .await
        .unwrap_err();
    assert!(missing.to_string().contains("no/such/file.json"), "{missing}");
    let not_one = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    let error = Sandbox::builder()
        .specification(not_one)
        .start()
        .await
        .unwrap_err();
    assert!(matches!(error, Error::Specification(_)), "{error}");
}

#[tokio::test]
async fn another_specification_is_served() {
    let spec = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/two_operations.json");
    let scene = Scene::with(|builder| builder.specification(spec)).await;
    let answer = scene
        .client
        .get(format!("{}/things/7", scene.sandbox.base_url()))
        .send()
        .await
        .unwrap();
    assert_eq!(answer.text().await.unwrap(), r#"{"id":7}"#);
}

#[tokio::test]
async fn it_serves_until_it_is_dropped() {
    let scene = Scene::new().await;
    assert_eq!(scene.get("/status").await.status, 200);
    let url = format!("{}/status", scene.sandbox.base_url());
    drop(scene.sandbox);
    // Also over the connection that is open. The listener hears of it when the runtime comes to it.
    for _ in 0..1000 {
        if scene.client.get(&url).send().await.is_err() {
            return;
        }
    }
    panic!("it still serves");
}

/// The program, as somebody starts it who has no Rust.
#[cfg(feature = "cli")]
#[test]
fn the_program_says_where_it_serves_or_why_not() {
    use std::io::{BufRead, BufReader};
    use std::process::{Command, Stdio};

    let program = env!("CARGO_BIN_EXE_esikit-sandbox");
    let mut serving = Command::new(program)
        .args(["serve", "--port", "0", "--seed", "7"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(serving.stdout.take().unwrap()).lines();
    let first = lines.next().unwrap().unwrap();
    let port = first.rsplit(':').next().unwrap();
    assert!(
        first.starts_with("ESI ") && port.parse::<u16>().is_ok(),
        "{first}"
    );
    let failed = Command::new(program)
        .args(["serve", "--port", port])
        .output()
        .unwrap();
    serving.kill().unwrap();
    serving.wait().unwrap();
    let message = String::from_utf8(failed.stderr).unwrap();
    assert!(!failed.status.success());
    assert!(
        message.starts_with(&format!("error: cannot listen on 127.0.0.1:{port}")),
        "{message}"
    );
}
