//! What is sent again, and what never is.

use std::time::{Duration, Instant};

use esikit::{Error, Esi};

use super::{counting, status};
use crate::server::{Reply, Server, answer};

fn quick(server: &Server) -> Esi {
    let builder = server.builder().attempts(5);
    let builder = builder.backoff(Duration::from_millis(2), Duration::from_millis(5));
    builder.build().expect("a client")
}

fn cut_short(mut bytes: Vec<u8>) -> Vec<u8> {
    bytes.truncate(bytes.len() - 9);
    bytes
}

#[tokio::test]
async fn a_read_is_sent_again_until_it_comes_through() {
    let failures: [fn() -> Reply; 5] = [
        || Reply::Close(answer(502, &[], b"<html>bad gateway</html>")),
        || Reply::Close(answer(503, &[], b"")),
        || Reply::Close(Vec::new()),
        || Reply::Close(cut_short(status(7, 30))),
        || {
            Reply::Close(
                b"HTTP/1.1 200 X\r\nContent-Encoding: gzip\r\nContent-Length: 10\r\n\r\n0123456789".to_vec(),
            )
        },
    ];
    for failure in failures {
        let server = counting(move |number, _| {
            if number < 4 {
                failure()
            } else {
                Reply::Close(status(7, 30))
            }
        })
        .await;
        let answer = quick(&server)
            .get_status()
            .send()
            .await
            .expect("the fifth comes through");
        assert_eq!((answer.players, server.seen().len()), (7, 5));
    }
}

#[tokio::test]
async fn a_read_gives_up_after_five() {
    let server = Server::answering(504, &[], b"").await;
    let error = quick(&server)
        .get_status()
        .send()
        .await
        .expect_err("it never comes");
    assert_eq!((error.status(), server.seen().len()), (Some(504), 5));
    assert!(!error.may_have_been_applied());
}

#[tokio::test]
async fn what_another_attempt_would_not_change_is_not_sent_again() {
    for status in [400, 403, 404, 422, 500, 501] {
        let server = Server::answering(status, &[], b"{\"error\":\"no\"}").await;
        quick(&server).get_status().send().await.expect_err("it fails");
        assert_eq!(server.seen().len(), 1, "{status}");
    }
}

fn delete(esi: &Esi) -> esikit::Request<esikit::operations::DeleteCharactersCharacterIdContacts> {
    esi.delete_characters_character_id_contacts(1, [2_i64])
        .header("Authorization", "Bearer own")
}

fn add(esi: &Esi) -> esikit::Request<esikit::operations::PostCharactersCharacterIdContacts> {
    esi.post_characters_character_id_contacts(1, 5.0, &[2])
        .header("Authorization", "Bearer own")
}

#[tokio::test]
async fn a_write_is_sent_once_when_it_may_have_been_applied() {
    for reply in [
        Reply::Close(answer(502, &[], b"")),
        Reply::Close(answer(504, &[], b"")),
        Reply::Close(Vec::new()),
        Reply::Close(b"HTTP/1.1 200 X\r\nContent-Length: 10\r\n\r\n0".to_vec()),
    ] {
        let server = Server::new(reply).await;
        let error = add(&quick(&server))
            .retry_writes(true)
            .send()
            .await
            .expect_err("it fails");
        assert_eq!(server.seen().len(), 1, "a POST is never repeated: {error}");
        assert!(error.may_have_been_applied(), "{error}");
        let error = delete(&quick(&server)).send().await.expect_err("it fails");
        assert_eq!(server.seen().len(), 2, "{error}");
        assert!(error.may_have_been_applied(), "{error}");
        let error = delete(&quick(&server))
            .retry_writes(true)
            .send()
            .await
            .expect_err("it fails");
        assert_eq!(server.seen().len(), 2 + 5, "{error}");
        assert!(error.may_have_been_applied(), "{error}");
    }
}

#[tokio::test]
async fn a_write_that_was_refused_says_so() {
    let server = Server::answering(400, &[], b"{\"error\":\"no\"}").await;
    let error = add(&quick(&server)).send().await.expect_err("refused");
    assert!(!error.may_have_been_applied());
}

#[tokio::test]
async fn a_connection_that_is_never_made_is_tried_again_for_writes_too() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    drop(listener);
    let esi = Esi::builder()
        .no_proxy()
        .user_agent("a/1 (b@example.com)")
        .base_url(url)
        .backoff(Duration::from_millis(30), Duration::from_millis(30))
        .attempts(3)
        .build()
        .expect("a client");
    let error = add(&esi).send().await.expect_err("nobody listens");
    assert!(matches!(error, Error::Transport(_)), "{error}");
    assert!(!error.may_have_been_applied());
    assert!(error.is_retryable());
}

#[tokio::test]
async fn what_is_never_sent_costs_no_error_limit() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    drop(listener);
    let builder = Esi::builder()
        .no_proxy()
        .user_agent("a/1 (b@example.com)")
        .base_url(url);
    let esi = builder.attempts(1).build().expect("a client");
    for _ in 0..150 {
        let error = esi
            .get_universe_regions()
            .send()
            .await
            .expect_err("nobody listens");
        assert!(matches!(error, Error::Transport(_)), "{error}");
    }
}

/// The second attempt finds nobody, but the first may have been applied.
#[tokio::test]
async fn what_may_have_been_applied_stays_so_whatever_comes_after() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    tokio::spawn(async move {
        let (mut connection, _) = listener.accept().await.expect("a connection");
        drop(listener);
        let mut bytes = Vec::new();
        let _ = tokio::io::AsyncReadExt::read_buf(&mut connection, &mut bytes).await;
    });
    let esi = Esi::builder()
        .no_proxy()
        .user_agent("a/1 (b@example.com)")
        .base_url(url)
        .backoff(Duration::from_millis(1), Duration::from_millis(1))
        .build()
        .expect("a client");
    let error = delete(&esi)
        .retry_writes(true)
        .send()
        .await
        .expect_err("it is gone");
    assert!(error.may_have_been_applied(), "{error}");
}

#[tokio::test]
async fn a_pause_that_does_not_fit_into_the_call_ends_it_with_what_went_wrong() {
    let server = Server::answering(503, &[("Retry-After", "3600")], b"").await;
    #[allow(
        clippy::disallowed_methods,
        reason = "how long it really takes is what is tested"
    )]
    let began = Instant::now();
    let call = quick(&server).get_status().timeout(Duration::from_millis(300));
    assert_eq!(call.send().await.expect_err("it is down").status(), Some(503));
    assert!(began.elapsed() < Duration::from_secs(30));
    assert_eq!(server.seen().len(), 1);
}
