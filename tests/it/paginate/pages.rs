//! `pages` of numbered pages.

use std::future::poll_fn;
use std::pin::Pin;

use esikit::Error;
use esikit::ids::TypeId;
use futures_core::Stream;

use super::server::{Given, Server, page};

/// Pages of one number each; behind the fifth the data changes.
async fn server(pages: usize, changed: Option<usize>) -> Server {
    Server::new(move |seen| {
        let number = page(seen);
        let is_new = changed.is_some_and(|changed| number >= changed);
        let second = if is_new { "01" } else { "00" };
        Given::json(format!("[{number}]"))
            .with("X-Pages", pages)
            .with("Last-Modified", format!("Tue, 24 Nov 2026 11:55:{second} GMT"))
    })
    .await
}

#[tokio::test]
async fn pages_come_in_order_and_end() {
    let server = server(23, None).await;
    let mut pages = server.esi().get_universe_types().pages().cached();
    let mut numbers = Vec::new();
    while let Some(page) = poll_fn(|context| Pin::new(&mut pages).poll_next(context)).await {
        numbers.extend(page.expect("a page").into_inner());
    }
    assert_eq!(numbers, (1..=23).map(TypeId).collect::<Vec<_>>());
    assert!(pages.next().await.is_none());
    assert_eq!(server.seen().len(), 23);
}

#[tokio::test]
async fn no_page_is_asked_for_before_there_is_room() {
    let server = server(100, None).await;
    let esi = server.esi();
    let pages = esi.get_universe_types().pages();
    assert!(
        server.seen().is_empty(),
        "nothing is asked for before the first is taken"
    );
    let mut pages = pages;
    for taken in 1..20 {
        assert!(pages.next().await.is_some_and(|page| page.is_ok()));
        let ahead = |seen: &[String]| {
            seen.iter()
                .filter(|target| target.starts_with("/universe/types"))
                .count()
        };
        while ahead(&server.seen()) < taken + 6 {
            tokio::task::yield_now().await;
        }
        // Whatever were on its way too would have come before these.
        for _ in 0..3 {
            let _ = esi.get_universe_groups().send_raw().await;
        }
        assert_eq!(ahead(&server.seen()), taken + 6);
    }
}

#[tokio::test]
async fn a_change_ends_the_stream_and_says_how_many_pages_there_were() {
    let server = server(100, Some(8)).await;
    let mut pages = server.esi().get_universe_types().pages();
    for number in 1..8 {
        let page = pages.next().await.expect("a page").expect("of the same state");
        assert_eq!(page[0].0, number);
    }
    match pages.next().await {
        Some(Err(Error::SnapshotChanged(error))) => {
            assert_eq!(error.pages_yielded, 7);
            assert!(error.to_string().contains("page 8 of 100"), "{error}");
        }
        other => panic!("{other:?}"),
    }
    assert!(pages.next().await.is_none());
    let seen = server.seen().len();
    assert!(seen <= 8 + 6, "{seen} requests");
}

#[tokio::test]
async fn a_page_that_is_gone_is_a_change_and_other_failures_are_themselves() {
    let server = Server::new(|seen| match page(seen) {
        3 => Given::refusal(404, "Requested page does not exist!"),
        _ => Given::json("[1]").with("X-Pages", 5),
    })
    .await;
    let mut pages = server.esi().get_universe_types().pages();
    assert!(pages.next().await.is_some_and(|page| page.is_ok()));
    assert!(pages.next().await.is_some_and(|page| page.is_ok()));
    match pages.next().await {
        Some(Err(Error::SnapshotChanged(error))) => assert_eq!(error.pages_yielded, 2),
        other => panic!("{other:?}"),
    }
    let server = Server::new(|_| Given::refusal(404, "no such thing")).await;
    let mut pages = server.esi().get_wars_war_id_killmails(1).pages();
    assert!(matches!(pages.next().await, Some(Err(Error::Api(_)))));
    assert!(pages.next().await.is_none());
}
