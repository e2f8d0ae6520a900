//! What is sent again, and what never is.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use esikit::event::Event;
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
    let attempts = Arc::new(AtomicUsize::new(0));
    let heard = Arc::clone(&attempts);
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    drop(listener);
    let esi = Esi::builder()
        .no_proxy()
        .user_agent("a/1 (b@example.com)")
        .base_url(url)
        .backoff(Duration::from_millis(30), Duration::from_millis(30))
        .attempts(3)
        .listener(move |event: &Event<'_>| {
            if matches!(event, Event::Sent { .. }) {
                heard.fetch_add(1, Ordering::SeqCst);
            }
        })
        .build()
        .expect("a client");
    let error = add(&esi).send().await.expect_err("nobody listens");
    assert_eq!(attempts.load(Ordering::SeqCst), 3);
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
    // That it does not fit is known at once.
    let call = quick(&server).get_status().timeout(Duration::from_secs(3000));
    assert_eq!(call.send().await.expect_err("it is down").status(), Some(503));
}

#[tokio::test]
async fn no_time_is_too_long() {
    let server = Server::new(Reply::Close(status(7, 30))).await;
    let builder = server.builder().timeout(Duration::MAX).max_wait(Duration::MAX);
    let esi = builder.cache_refusals(Duration::MAX).build().expect("a client");
    esi.get_status().send().await.expect("an answer");
    esi.get_status()
        .ignore_expires()
        .timeout(Duration::MAX)
        .send()
        .await
        .expect("an answer");
}

/// Deleted by the first attempt, whose answer was lost: the second one's 404 is no sign that nothing was done.
#[tokio::test]
async fn a_404_after_an_unclear_attempt_does_not_take_it_back() {
    let server = counting(|number, _| {
        Reply::Close(match number {
            0 => answer(504, &[], b""),
            _ => answer(404, &[], b"{\"error\":\"gone\"}"),
        })
    })
    .await;
    let error = delete(&quick(&server))
        .retry_writes(true)
        .send()
        .await
        .expect_err("unclear");
    assert!(error.may_have_been_applied(), "{error}");
    let error = quick(&server).get_status().send().await.expect_err("gone");
    assert!(!error.may_have_been_applied(), "{error}");
}

#[tokio::test]
async fn many_calls_keep_their_order_and_fail_alone() {
    let server = Server::scripted(|seen| {
        Reply::Close(match seen.target() {
            target if target.contains("/3/") => answer(404, &[], b"{\"error\":\"gone\"}"),
            target => {
                let region = target.split('/').nth(2).expect("a region");
                answer(200, &[], format!("[{region}]").as_bytes())
            }
        })
    })
    .await;
    let esi = server.builder().concurrency(4).build().expect("a client");
    let calls = (0..50).map(|region| esi.get_markets_region_id_types(region).untyped());
    let outcomes = esi.join(calls).await;
    assert_eq!(outcomes.len(), 50);
    for (region, outcome) in outcomes.into_iter().enumerate() {
        match outcome {
            Ok(answer) => assert_eq!(answer[0], region),
            Err(error) => assert_eq!((region, error.status()), (3, Some(404))),
        }
    }
}
