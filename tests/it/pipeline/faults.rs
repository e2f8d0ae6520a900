//! Whatever ESI does: bounded time, a typed error or the right answer, never half an answer, never a double write.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use esikit::error::Limit;
use esikit::{Error, Esi};

use super::{counting, status};
use crate::server::{Reply, Seen, Server, answer};

/// The kinds of fault, each with a whole answer to spoil.
const FAULTS: &[fn() -> Reply] = &[
    || Reply::Close(Vec::new()),
    || Reply::Close(b"HTTP/1.1 200 X\r\nContent-Length: 500\r\n\r\n{\"players\":".to_vec()),
    || Reply::Close(b"HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\"pla\r\n".to_vec()),
    || {
        Reply::Close(b"HTTP/1.1 200 X\r\nContent-Encoding: gzip\r\nContent-Length: 12\r\n\r\n\x1f\x8b\x08\0\0\0\0\0\0\x03\xab\x56".to_vec())
    },
    || Reply::Close(b"not HTTP at all\r\n\r\n".to_vec()),
    || Reply::Hang(b"HTTP/1.1 200 X\r\nContent-Length: 500\r\n\r\n{".to_vec()),
    || Reply::Hang(Vec::new()),
    || {
        Reply::Close(answer(
            502,
            &[("Content-Type", "text/html")],
            b"<html>Bad Gateway</html>",
        ))
    },
    || Reply::Close(answer(503, &[], b"")),
    || {
        Reply::Close(answer(
            504,
            &[],
            b"{\"error\":\"Timeout contacting tranquility\"}",
        ))
    },
    || Reply::Close(answer(500, &[], b"{\"error\":\"oops\"}")),
    || {
        Reply::Close(answer(
            520,
            &[],
            b"{\"error\":\"ConStopSpamming, details: {\\\"remainingTime\\\": 1000}\"}",
        ))
    },
];

fn client(server: &Server) -> Esi {
    server
        .builder()
        .attempts(3)
        .backoff(Duration::from_millis(1), Duration::from_millis(2))
        .read_timeout(Duration::from_secs(1))
        .timeout(Duration::from_secs(10))
        .build()
        .expect("a client")
}

/// A server that fails once, and answers all others.
async fn first(fault: fn() -> Reply, good: Vec<u8>) -> Server {
    counting(move |number, _| match number {
        0 => fault(),
        _ => Reply::Close(good.clone()),
    })
    .await
}

#[tokio::test]
async fn a_read_meets_any_fault_with_an_error_or_the_right_answer() {
    for (index, fault) in FAULTS.iter().enumerate() {
        let server = first(*fault, status(7, 30)).await;
        let outcome = client(&server).get_status().send().await;
        match outcome {
            Ok(answer) => assert_eq!((answer.players, server.seen().len()), (7, 2), "fault {index}"),
            Err(error) => assert!(
                matches!(error.status(), Some(500 | 520)),
                "fault {index}: {error}"
            ),
        }
    }
}

#[tokio::test]
async fn a_write_reaches_the_server_once_whatever_happens() {
    for (index, fault) in FAULTS.iter().enumerate() {
        let server = first(*fault, answer(201, &[], b"[2]")).await;
        let call = client(&server).post_characters_character_id_contacts(1, 5.0, &[2]);
        let error = call
            .header("Authorization", "Bearer own")
            .send()
            .await
            .expect_err("it failed");
        assert_eq!(server.seen().len(), 1, "fault {index}: {error}");
        assert!(error.may_have_been_applied(), "fault {index}: {error}");
    }
}

#[tokio::test]
async fn many_calls_through_all_faults_apply_each_write_at_most_once() {
    let writes: Arc<Mutex<HashMap<String, usize>>> = Arc::default();
    let log = Arc::clone(&writes);
    let server = counting(move |number, seen: &Seen| {
        if seen.line.starts_with("POST") {
            let name = seen.target().to_owned();
            *log.lock().expect("no panic").entry(name).or_default() += 1;
        }
        match number % 3 {
            0 => FAULTS[number / 3 % FAULTS.len()](),
            _ if seen.line.starts_with("POST") => Reply::Close(answer(201, &[], b"[2]")),
            _ => Reply::Close(status(7, 30)),
        }
    })
    .await;
    let esi = client(&server);
    let mut calls = Vec::new();
    for character in 0..60 {
        let call = esi.post_characters_character_id_contacts(character, 5.0, &[2]);
        let call = call.header("Authorization", "Bearer own");
        calls.push(tokio::spawn(async move { call.send().await.err() }));
        let read = esi.get_status();
        calls.push(tokio::spawn(async move {
            read.send()
                .await
                .map(|answer| assert_eq!(answer.players, 7))
                .err()
        }));
    }
    let mut failed = 0;
    for call in calls {
        failed += usize::from(call.await.expect("no panic").is_some());
    }
    let writes = writes.lock().expect("no panic");
    println!(
        "{} requests, {failed} calls failed, {} writes",
        server.seen().len(),
        writes.len()
    );
    assert!(writes.values().all(|&times| times == 1), "{writes:?}");
}

#[tokio::test]
async fn a_420_stops_every_route_until_its_time_is_over() {
    let server = counting(|_, _| {
        Reply::Close(answer(
            420,
            &[
                ("X-ESI-Error-Limit-Remain", "0"),
                ("X-ESI-Error-Limit-Reset", "40"),
            ],
            b"",
        ))
    })
    .await;
    let esi = server
        .builder()
        .max_wait(Duration::from_secs(5))
        .build()
        .expect("a client");
    let error = esi.get_status().send().await.expect_err("closed");
    assert!(matches!(error, Error::ErrorLimited(_)), "{error}");
    for _ in 0..50 {
        let errors = [
            esi.get_markets_prices().send().await.map(|_| ()),
            esi.get_universe_regions().send().await.map(|_| ()),
            esi.get_markets_region_id_orders(1).send().await.map(|_| ()),
        ];
        for error in errors {
            let Err(Error::RateLimited(limited)) = error else {
                panic!("{error:?}");
            };
            assert_eq!(limited.limit, Limit::ErrorLimit);
            assert!(
                limited.wait > Duration::from_secs(30) && limited.wait <= Duration::from_secs(41),
                "{limited}"
            );
        }
    }
    assert_eq!(server.seen().len(), 1, "nothing is sent into a closed window");
}

#[tokio::test]
async fn a_429_closes_its_bucket_and_a_520_its_operation_only() {
    let server = Server::scripted(|seen| {
        Reply::Close(match seen.target() {
            target if target.starts_with("/status") => answer(
                429,
                &[
                    ("Retry-After", "30"),
                    ("X-Ratelimit-Group", "status"),
                    ("X-Ratelimit-Limit", "600/15m"),
                ],
                b"",
            ),
            target if target.contains("/mail") => answer(
                520,
                &[],
                br#"{"error":"MailStopSpamming, details: {\"remainingTime\": 12000000}"}"#,
            ),
            _ => answer(200, &[], b"[]"),
        })
    })
    .await;
    let esi = server
        .builder()
        .max_wait(Duration::from_secs(5))
        .build()
        .expect("a client");
    let read = || esi.get_status().send();
    assert_eq!(read().await.expect_err("refused").status(), Some(429));
    let Err(Error::RateLimited(limited)) = read().await else {
        panic!("it is closed")
    };
    assert_eq!(
        limited.limit,
        Limit::Bucket {
            group: "status".to_owned()
        }
    );
    let mail = || {
        esi.delete_characters_character_id_mail_mail_id(1, 2)
            .header("Authorization", "Bearer own")
            .send()
    };
    assert_eq!(mail().await.expect_err("refused").status(), Some(520));
    let Err(Error::RateLimited(limited)) = mail().await else {
        panic!("it is closed")
    };
    assert_eq!(limited.limit, Limit::Operation);
    assert!(limited.wait <= Duration::from_secs(12), "{limited}");
    esi.get_universe_regions()
        .send()
        .await
        .expect("everything else is open");
    assert_eq!(server.seen().len(), 3);
}
