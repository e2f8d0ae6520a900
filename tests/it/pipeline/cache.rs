//! What is kept, for how long, and for whom.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::TimeDelta;
use esikit::store::{CacheStore, CachedAnswer, StoreError, StoreFuture};
use esikit::{Error, Source};
use tokio::sync::Semaphore;

use super::{clock, counting, http_date, server_time, status, status_body};
use crate::server::{Reply, Server, answer};

#[tokio::test]
async fn a_fresh_answer_is_given_out_again_whatever_the_local_clock_says() {
    let server = Server::new(Reply::Close(status(7, 30))).await;
    let clock = clock();
    let esi = server.builder().clock(clock.clone()).build().expect("a client");
    let first = esi.get_status().send().await.expect("an answer");
    assert_eq!((first.players, first.source()), (7, Source::Network));
    clock.advance(TimeDelta::seconds(29));
    let second = esi.get_status().send().await.expect("an answer");
    assert_eq!((second.players, second.source()), (7, Source::Cache));
    assert_eq!(second.etag(), Some("\"a\""));
    assert!(
        Arc::ptr_eq(&first.into_arc(), &second.into_arc()),
        "the value is shared"
    );
    assert_eq!(server.seen().len(), 1);
    clock.advance(TimeDelta::seconds(1));
    esi.get_status().send().await.expect("an answer");
    assert_eq!(server.seen().len(), 2);
}

#[tokio::test]
async fn a_stale_answer_is_asked_for_with_a_condition() {
    let server = counting(|number, _| {
        let later = http_date(server_time() + TimeDelta::seconds(90));
        Reply::Close(match number {
            0 => status(7, 30),
            1 => answer(
                304,
                &[
                    ("Date", &http_date(server_time())),
                    ("Expires", &later),
                    ("X-New", "1"),
                ],
                b"",
            ),
            // A 304 that says nothing must not be asked for in a loop.
            2 => answer(304, &[], b""),
            _ => status(8, 30),
        })
    })
    .await;
    let clock = clock();
    let esi = server.builder().clock(clock.clone()).build().expect("a client");
    esi.get_status().send().await.expect("an answer");
    clock.advance(TimeDelta::seconds(30));
    let second = esi.get_status().send().await.expect("an answer");
    assert_eq!(
        (second.players, second.status(), second.source()),
        (7, 200, Source::Revalidated)
    );
    assert_eq!(
        (second.headers().get("x-new"), second.etag()),
        (Some("1"), Some("\"a\""))
    );
    let asked = server.seen()[1].clone();
    assert_eq!(asked.header("if-none-match"), Some("\"a\""));
    assert_eq!(
        asked.header("if-modified-since"),
        Some("Sun, 01 Nov 2026 09:10:00 GMT")
    );
    clock.advance(TimeDelta::seconds(89));
    assert_eq!(
        esi.get_status().send().await.expect("an answer").source(),
        Source::Cache
    );
    clock.advance(TimeDelta::seconds(1));
    assert_eq!(
        esi.get_status().send().await.expect("an answer").source(),
        Source::Revalidated
    );
    clock.advance(TimeDelta::seconds(4));
    assert_eq!(
        esi.get_status().send().await.expect("an answer").source(),
        Source::Cache
    );
    assert_eq!(server.seen().len(), 3);
    clock.advance(TimeDelta::seconds(1));
    assert_eq!(esi.get_status().send().await.expect("an answer").players, 8);
}

#[tokio::test]
async fn what_expired_before_it_came_is_fresh_for_a_few_seconds() {
    let server = Server::new(Reply::Close(status(7, -60))).await;
    let clock = clock();
    let esi = server.builder().clock(clock.clone()).build().expect("a client");
    for _ in 0..100 {
        esi.get_status().send().await.expect("an answer");
    }
    assert_eq!(server.seen().len(), 1);
    clock.advance(TimeDelta::seconds(5));
    esi.get_status().send().await.expect("an answer");
    assert_eq!(server.seen().len(), 2);
}

#[tokio::test]
async fn ten_thousand_equal_calls_are_one_request() {
    let leave = Arc::new(Semaphore::new(0));
    let held = Arc::clone(&leave);
    let server = Server::scripted(move |_| Reply::Held(Arc::clone(&held), status(7, 30))).await;
    let esi = server.builder().clock(clock()).build().expect("a client");
    let calls: Vec<_> = (0..10_000)
        .map(|_| tokio::spawn(esi.get_status().send()))
        .collect();
    tokio::task::yield_now().await;
    leave.add_permits(10);
    for call in calls {
        assert_eq!(call.await.expect("no panic").expect("an answer").players, 7);
    }
    assert_eq!(server.seen().len(), 1);
}

/// Some callers look at the cache before the answer lands in it, and board after the flight has gone.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn callers_between_a_look_and_a_flight_do_not_begin_another() {
    let server = Server::new(Reply::Close(status(7, 30))).await;
    for _ in 0..20 {
        let esi = server.builder().clock(clock()).build().expect("a client");
        let before = server.seen().len();
        let calls: Vec<_> = (0..2_000)
            .map(|_| tokio::spawn(esi.get_status().send()))
            .collect();
        for call in calls {
            call.await.expect("no panic").expect("an answer");
        }
        assert_eq!(server.seen().len() - before, 1);
    }
}

#[tokio::test]
async fn whoever_began_a_flight_may_go_and_the_others_still_land() {
    let leave = Arc::new(Semaphore::new(0));
    let held = Arc::clone(&leave);
    let server = Server::scripted(move |_| Reply::Held(Arc::clone(&held), status(7, 30))).await;
    let esi = server.builder().clock(clock()).build().expect("a client");
    let leader = tokio::spawn(esi.get_status().send());
    while server.seen().is_empty() {
        tokio::task::yield_now().await;
    }
    let follower = tokio::spawn(esi.get_status().send());
    tokio::task::yield_now().await;
    leader.abort();
    assert!(leader.await.expect_err("it was dropped").is_cancelled());
    leave.add_permits(1);
    let outcome = follower.await.expect("no panic").expect("an answer");
    assert_eq!((outcome.players, server.seen().len()), (7, 1));
}

#[tokio::test]
async fn everybody_in_a_flight_gets_the_same_failure() {
    let leave = Arc::new(Semaphore::new(0));
    let held = Arc::clone(&leave);
    let server =
        Server::scripted(move |_| Reply::Held(Arc::clone(&held), answer(404, &[], b"{\"error\":\"gone\"}")))
            .await;
    let esi = server.builder().clock(clock()).build().expect("a client");
    let calls: Vec<_> = (0..100).map(|_| tokio::spawn(esi.get_status().send())).collect();
    while server.seen().is_empty() {
        tokio::task::yield_now().await;
    }
    leave.add_permits(1);
    for call in calls {
        let error = call.await.expect("no panic").expect_err("a failure");
        assert_eq!(error.to_string(), "GetStatus: ESI answered 404: gone");
    }
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn cached_only_asks_nobody() {
    let server = Server::new(Reply::Close(status(7, 30))).await;
    let clock = clock();
    let esi = server.builder().clock(clock.clone()).build().expect("a client");
    let error = esi
        .get_status()
        .cached_only()
        .send()
        .await
        .expect_err("nothing is kept");
    assert!(matches!(error, Error::NotCached(_)), "{error}");
    esi.get_status().send().await.expect("an answer");
    assert_eq!(
        esi.get_status()
            .cached_only()
            .send()
            .await
            .expect("it is kept")
            .players,
        7
    );
    clock.advance(TimeDelta::minutes(1));
    let error = esi
        .get_status()
        .cached_only()
        .send()
        .await
        .expect_err("it is stale");
    assert!(matches!(error, Error::NotCached(_)), "{error}");
    let stale = esi
        .get_status()
        .cached_only()
        .stale_if_error(Duration::from_secs(60));
    assert_eq!(stale.send().await.expect("allowed").source(), Source::Stale);
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn a_stale_answer_stands_in_for_an_outage_as_long_as_is_allowed() {
    let server = counting(|number, _| {
        Reply::Close(match number {
            0 => status(7, 30),
            1 => answer(502, &[], b"<html>down</html>"),
            2 => Vec::new(),
            3 => answer(400, &[], b"{\"error\":\"bad\"}"),
            _ => answer(503, &[], b""),
        })
    })
    .await;
    let clock = clock();
    let esi = server
        .builder()
        .clock(clock.clone())
        .attempts(1)
        .build()
        .expect("a client");
    esi.get_status().send().await.expect("an answer");
    clock.advance(TimeDelta::seconds(60));
    let call = || esi.get_status().stale_if_error(Duration::from_secs(60));
    for _ in 0..2 {
        let answer = call().send().await.expect("the old one");
        assert_eq!((answer.players, answer.source()), (7, Source::Stale));
    }
    assert_eq!(
        call().send().await.expect_err("a refusal is no outage").status(),
        Some(400)
    );
    assert_eq!(
        esi.get_status().send().await.expect_err("not allowed").status(),
        Some(503)
    );
    clock.advance(TimeDelta::seconds(30));
    assert_eq!(call().send().await.expect_err("too old").status(), Some(503));
}

#[tokio::test]
async fn an_answer_decoded_for_one_is_read_again_for_another() {
    let server = Server::new(Reply::Close(status(7, 30))).await;
    let esi = server.builder().clock(clock()).build().expect("a client");
    let typed = esi.get_status().send().await.expect("an answer");
    let raw = esi.get_status().send_raw().await.expect("an answer");
    assert_eq!(raw.source(), Source::Cache);
    let parsed: serde_json::Value = serde_json::from_slice(raw.body()).expect("JSON");
    assert_eq!(parsed["players"], 7);
    let untyped = esi
        .call("GetStatus")
        .expect("known")
        .send()
        .await
        .expect("an answer");
    assert_eq!(
        (untyped["players"].as_i64(), untyped.source()),
        (Some(7), Source::Cache)
    );
    assert_eq!(typed.players, 7);
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn failures_are_not_kept_unless_refusals_are_wanted() {
    let server = Server::new(Reply::Close(answer(404, &[], b"{\"error\":\"gone\"}"))).await;
    let clock = clock();
    let plain = server.builder().clock(clock.clone()).build().expect("a client");
    let patient = server
        .builder()
        .clock(clock.clone())
        .cache_refusals(Duration::from_secs(60))
        .build()
        .expect("a client");
    for esi in [&plain, &patient] {
        for _ in 0..3 {
            assert_eq!(
                esi.get_status().send().await.expect_err("gone").status(),
                Some(404)
            );
        }
    }
    assert_eq!(server.seen().len(), 3 + 1);
    clock.advance(TimeDelta::seconds(60));
    patient.get_status().send().await.expect_err("gone");
    assert_eq!(server.seen().len(), 3 + 1 + 1);
}

#[tokio::test]
async fn a_refusal_counts_for_more_than_what_was_kept_before_it() {
    let server = counting(|number, _| {
        Reply::Close(match number {
            0 => status(7, 30),
            _ => answer(403, &[], b"{\"error\":\"closed\"}"),
        })
    })
    .await;
    let clock = clock();
    let builder = server.builder().clock(clock.clone());
    let esi = builder
        .cache_refusals(Duration::from_secs(60))
        .build()
        .expect("a client");
    esi.get_status().send().await.expect("an answer");
    clock.advance(TimeDelta::seconds(30));
    for _ in 0..3 {
        assert_eq!(
            esi.get_status().send().await.expect_err("closed").status(),
            Some(403)
        );
    }
    assert_eq!(server.seen().len(), 2);
}

#[tokio::test]
async fn what_does_not_decode_is_not_asked_for_again_before_it_expires() {
    let body = br#"{"players":"many","server_version":"1","start_time":"2026-11-01T00:00:00Z","vip":false}"#;
    let server = Server::scripted(move |_| {
        let now = server_time();
        let later = http_date(now + TimeDelta::seconds(30));
        Reply::Close(answer(
            200,
            &[("Date", &http_date(now)), ("Expires", &later)],
            body,
        ))
    })
    .await;
    let esi = server.builder().clock(clock()).build().expect("a client");
    for _ in 0..5 {
        let error = esi.get_status().send().await.expect_err("players is no number");
        let Error::Decode(error) = error else {
            panic!("{error}")
        };
        assert_eq!(error.path, "$.players");
    }
    let raw = esi.get_status().send_raw().await.expect("bytes are bytes");
    assert_eq!(raw.body().as_ref(), body);
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn an_empty_list_that_came_as_nothing_is_one_for_everybody() {
    let server = Server::scripted(|_| {
        let now = server_time();
        let later = http_date(now + TimeDelta::seconds(30));
        Reply::Close(answer(
            204,
            &[("Date", &http_date(now)), ("Expires", &later)],
            b"",
        ))
    })
    .await;
    let esi = server.builder().clock(clock()).build().expect("a client");
    assert!(
        esi.get_contracts_public_bids_contract_id(1)
            .send_raw()
            .await
            .expect("nothing")
            .body()
            .is_empty()
    );
    assert!(
        esi.get_contracts_public_bids_contract_id(1)
            .send()
            .await
            .expect("no bids")
            .is_empty()
    );
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn cached_only_sends_nothing_of_what_is_never_kept() {
    let server = Server::answering(200, &[], b"[]").await;
    let (esi, off) = (
        server.esi(),
        server.builder().cache_bytes(0).build().expect("a client"),
    );
    let own = |call: esikit::UntypedRequest| call.header("Authorization", "Bearer own").cached_only();
    let calls = [
        own(esi.delete_characters_character_id_contacts(1, [2_i64]).untyped()),
        own(esi.get_characters_character_id_assets(1).untyped()),
        esi.post_universe_names(&[1]).untyped().cached_only(),
        off.get_status().untyped().cached_only(),
    ];
    for call in calls {
        let error = call.send().await.expect_err("nothing is kept");
        assert!(matches!(error, Error::NotCached(_)), "{error}");
    }
    assert!(server.seen().is_empty());
}

#[tokio::test]
async fn half_an_answer_and_a_write_are_not_kept() {
    let cut = {
        let mut whole = status(7, 30);
        whole.truncate(whole.len() - 5);
        whole
    };
    let server =
        counting(move |number, _| Reply::Close(if number == 0 { cut.clone() } else { status(7, 30) })).await;
    let esi = server
        .builder()
        .clock(clock())
        .attempts(1)
        .build()
        .expect("a client");
    esi.get_status().send().await.expect_err("it was cut");
    assert_eq!(
        esi.get_status().send().await.expect("whole").source(),
        Source::Network
    );
    let ids = || esi.post_universe_names(&[1]).send();
    let _ = (ids().await, ids().await);
    assert_eq!(server.seen().len(), 4);
}

#[tokio::test]
async fn ignore_expires_asks_again_and_what_is_off_keeps_nothing() {
    let server = Server::new(Reply::Close(status(7, 30))).await;
    let esi = server.builder().clock(clock()).build().expect("a client");
    esi.get_status().send().await.expect("an answer");
    esi.get_status().ignore_expires().send().await.expect("an answer");
    assert_eq!(server.seen().len(), 2);
    let off = server.builder().cache_bytes(0).build().expect("a client");
    off.get_status().send().await.expect("an answer");
    off.get_status().send().await.expect("an answer");
    assert_eq!(server.seen().len(), 4);
}

#[tokio::test]
async fn memory_is_bounded_by_bytes() {
    let server = Server::scripted(|_| {
        let now = server_time();
        let later = http_date(now + TimeDelta::hours(1));
        Reply::Close(answer(
            200,
            &[("Date", &http_date(now)), ("Expires", &later)],
            b"[]",
        ))
    })
    .await;
    let esi = server
        .builder()
        .clock(clock())
        .cache_bytes(20_000)
        .build()
        .expect("a client");
    for region in 0..100 {
        esi.get_markets_region_id_orders(region)
            .send()
            .await
            .expect("an answer");
    }
    let mut kept = 0;
    for region in 0..100 {
        kept += usize::from(
            esi.get_markets_region_id_orders(region)
                .cached_only()
                .send()
                .await
                .is_ok(),
        );
    }
    let newest = esi.get_markets_region_id_orders(99).cached_only().send().await;
    assert!(newest.is_ok(), "the latest answer always finds a place");
    assert!(
        (1..=20).contains(&kept),
        "{kept} answers of about 1 KB each in 20 KB"
    );
}

/// A store in a map, which can be made to fail.
#[derive(Clone, Default)]
struct Shelf {
    answers: Arc<Mutex<HashMap<String, CachedAnswer>>>,
    is_broken: bool,
}

impl CacheStore for Shelf {
    fn get<'a>(&'a self, key: &'a str) -> StoreFuture<'a, Option<CachedAnswer>> {
        Box::pin(async move {
            if self.is_broken {
                return Err(StoreError::new("the shelf fell down"));
            }
            Ok(self.answers.lock().expect("no panic").get(key).cloned())
        })
    }

    fn put<'a>(&'a self, key: &'a str, answer: CachedAnswer) -> StoreFuture<'a, ()> {
        Box::pin(async move {
            self.answers
                .lock()
                .expect("no panic")
                .insert(key.to_owned(), answer);
            Ok(())
        })
    }

    fn remove<'a>(&'a self, key: &'a str) -> StoreFuture<'a, ()> {
        Box::pin(async move {
            self.answers.lock().expect("no panic").remove(key);
            Ok(())
        })
    }
}

#[tokio::test]
async fn a_store_answers_another_client_and_keeps_the_bytes_through_a_304() {
    let server = counting(|number, _| {
        let later = http_date(server_time() + TimeDelta::seconds(90));
        let body = String::from_utf8(status_body(7))
            .expect("text")
            .replace('}', r#","new_field":1}"#);
        let now = http_date(server_time());
        let soon = http_date(server_time() + TimeDelta::seconds(30));
        Reply::Close(match number {
            0 => answer(
                200,
                &[("Date", &now), ("Expires", &soon), ("ETag", "\"a\"")],
                body.as_bytes(),
            ),
            _ => answer(304, &[("Date", &now), ("Expires", &later)], b""),
        })
    })
    .await;
    let (shelf, clock) = (Shelf::default(), clock());
    let client = || {
        let builder = server.builder().clock(clock.clone()).cache_store(shelf.clone());
        builder.build().expect("a client")
    };
    let first = client();
    first.get_status().send().await.expect("an answer");
    assert_eq!(
        client().get_status().send().await.expect("kept").source(),
        Source::Cache
    );
    clock.advance(TimeDelta::seconds(30));
    assert_eq!(
        first.get_status().send().await.expect("kept").source(),
        Source::Revalidated
    );
    let other = client().get_status().send_raw().await.expect("kept");
    assert_eq!(other.source(), Source::Cache);
    let body: serde_json::Value = serde_json::from_slice(other.body()).expect("JSON");
    assert_eq!(
        body["new_field"], 1,
        "what the type does not know is kept in the store"
    );
    assert_eq!(server.seen().len(), 2);
}

#[tokio::test]
async fn a_broken_store_costs_a_request_and_no_more() {
    let server = Server::new(Reply::Close(status(7, 30))).await;
    let shelf = Shelf {
        is_broken: true,
        ..Shelf::default()
    };
    let esi = server
        .builder()
        .clock(clock())
        .cache_store(shelf)
        .build()
        .expect("a client");
    for _ in 0..2 {
        assert_eq!(esi.get_status().send().await.expect("an answer").players, 7);
    }
    assert_eq!(server.seen().len(), 1);
}
