//! What listeners hear.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use esikit::Source;
use esikit::event::Event;

use tracing_subscriber::filter::LevelFilter;

use super::{clock, counting, status};
use crate::security::log::Log;
use crate::security::sso::Sso;
use crate::server::{Reply, Server, answer};

type Heard = Arc<Mutex<Vec<String>>>;

fn note(heard: &Heard) -> impl Fn(&Event<'_>) + Send + Sync + 'static + use<> {
    let heard = Arc::clone(heard);
    move |event| {
        let line = match event {
            Event::Sent {
                operation, attempt, ..
            } => format!("sent {} {attempt}", operation.id),
            Event::Answered {
                status,
                attempt,
                source,
                bytes,
                message,
                ..
            } => format!("{status:?} {attempt} {source:?} {bytes} {message:?}"),
            Event::Deprecated { operation, warning } => format!("deprecated {} {warning}", operation.id),
            other => format!("{other:?}"),
        };
        heard.lock().expect("no panic").push(line);
    }
}

#[tokio::test]
async fn each_attempt_and_each_kept_answer_is_told() {
    let server = counting(|number, _| {
        Reply::Close(match number {
            0 => answer(502, &[], b"<html>"),
            _ => status(7, 30),
        })
    })
    .await;
    let heard = Heard::default();
    let esi = server
        .builder()
        .clock(clock())
        .attempts(5)
        .backoff(Duration::from_millis(1), Duration::from_millis(1))
        .listener(|_: &Event<'_>| panic!("a listener that panics breaks no call"))
        .listener(note(&heard))
        .build()
        .expect("a client");
    for source in [Source::Network, Source::Cache] {
        assert_eq!(esi.get_status().send().await.expect("an answer").source(), source);
    }
    let length = super::status_body(7).len();
    assert_eq!(
        *heard.lock().expect("no panic"),
        [
            "sent GetStatus 1".to_owned(),
            "Some(502) 1 Network 6 Some(\"Bad Gateway\")".to_owned(),
            "sent GetStatus 2".to_owned(),
            format!("Some(200) 2 Network {length} None"),
            format!("Some(200) 0 Cache {length} None"),
        ]
    );
}

#[tokio::test]
async fn a_lost_connection_is_told_with_its_reason() {
    let server = Server::new(Reply::Close(Vec::new())).await;
    let heard = Heard::default();
    let esi = server
        .builder()
        .attempts(1)
        .listener(note(&heard))
        .build()
        .expect("a client");
    esi.get_status().send().await.expect_err("nothing came");
    let heard = heard.lock().expect("no panic");
    assert!(
        heard[1].starts_with("None 1 Network 0 Some(\"GetStatus: the connection failed"),
        "{heard:?}"
    );
}

#[tokio::test]
async fn a_warning_of_esi_is_told_once_per_operation() {
    let body = super::status_body(7);
    let server = Server::answering(200, &[("Warning", "299 - \"This route is deprecated\"")], body).await;
    let heard = Heard::default();
    let esi = server.builder().listener(note(&heard)).build().expect("a client");
    for _ in 0..3 {
        esi.get_status().send().await.expect("an answer");
    }
    let heard = heard.lock().expect("no panic");
    let warnings: Vec<_> = heard
        .iter()
        .filter(|line| line.starts_with("deprecated"))
        .collect();
    assert_eq!(
        warnings,
        ["deprecated GetStatus 299 - \"This route is deprecated\""]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_listener_that_blocks_holds_up_its_own_call_only() {
    let server = Server::answering(200, &[], super::status_body(7)).await;
    let (go, wait) = std::sync::mpsc::channel::<()>();
    let (held_up, is_held) = std::sync::mpsc::channel::<()>();
    let wait = Mutex::new(wait);
    let esi = server
        .builder()
        .listener(move |event: &Event<'_>| {
            if matches!(event, Event::Sent { operation, .. } if operation.id == "GetMarketsPrices") {
                held_up.send(()).expect("the test listens");
                let _ = wait.lock().expect("no panic").recv();
            }
        })
        .build()
        .expect("a client");
    let held = tokio::spawn(esi.get_markets_prices().send());
    tokio::task::spawn_blocking(move || is_held.recv())
        .await
        .expect("no panic")
        .expect("it is held up");
    let other = esi.get_status().send().await.expect("it is not held up");
    assert_eq!(other.players, 7);
    go.send(()).expect("it waits");
    let _ = held.await.expect("no panic");
}

#[tokio::test]
async fn waits_and_what_happens_to_tokens_are_told() {
    let sso = Sso::new().await;
    let server = counting(|number, _| {
        let closed = [
            ("Retry-After", "1"),
            ("X-Ratelimit-Group", "char-asset"),
            ("X-Ratelimit-Limit", "1800/15m"),
        ];
        Reply::Close(match number {
            0 => answer(429, &closed, b""),
            _ => answer(200, &[], b"[]"),
        })
    })
    .await;
    let builder = sso.with_pkce().esi_url(&server.url);
    let security = builder.build().await.expect("a single sign-on");
    let login = sso.log_in(&security, 1).await;
    sso.expire();
    let heard = Heard::default();
    let builder = server.builder().attempts(2).listener(note(&heard));
    let esi = builder.security(login).build().expect("a client");
    let call = || esi.get_characters_character_id_assets(1).send();
    call().await.expect("the second attempt");
    sso.expire();
    sso.world().refresh_tokens.clear();
    call().await.expect_err("the login is over");
    let heard = heard.lock().expect("no panic").join("\n");
    let told: Vec<&str> = heard
        .lines()
        .map(|line| line.split([' ', '{']).next().unwrap_or_default())
        .collect();
    assert_eq!(
        told,
        [
            "TokenRefreshed",
            "sent",
            "Some(429)",
            "Waiting",
            "sent",
            "Some(200)",
            "TokenDead"
        ],
        "{heard}"
    );
    assert!(heard.contains("Bucket { group: \"char-asset\" }"), "{heard}");
}

#[tokio::test]
async fn spans_have_the_names_of_opentelemetry() {
    let log = Log::default();
    let guard = log.begin(LevelFilter::DEBUG);
    let server = Server::answering(404, &[], b"{\"error\":\"gone\"}").await;
    server.esi().get_status().send().await.expect_err("gone");
    drop(guard);
    let text = log.text();
    for field in [
        "esi.request",
        "otel.name=GET /status",
        "otel.kind=\"client\"",
        "http.request.method=\"GET\"",
        "http.request.resend_count=0",
        "url.template=\"/status\"",
        "server.address=\"127.0.0.1\"",
        "server.port=",
        "http.response.status_code=404",
        "error.type=\"404\"",
    ] {
        assert!(text.contains(field), "{field} is not in\n{text}");
    }
}
