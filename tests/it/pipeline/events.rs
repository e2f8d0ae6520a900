//! What listeners hear.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use esikit::Source;
use esikit::event::Event;

use super::{clock, counting, status};
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
    let wait = Mutex::new(Some(wait));
    let esi = server
        .builder()
        .listener(move |event: &Event<'_>| {
            let first = matches!(event, Event::Sent { .. }).then(|| wait.lock().expect("no panic").take());
            if let Some(Some(wait)) = first {
                let _ = wait.recv();
            }
        })
        .build()
        .expect("a client");
    let held = tokio::spawn(esi.get_markets_prices().send());
    let other = esi.get_status().send().await.expect("it is not held up");
    assert_eq!(other.players, 7);
    go.send(()).expect("it waits");
    let _ = held.await.expect("no panic");
}
