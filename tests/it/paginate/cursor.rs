//! Listings with a cursor.

use std::sync::Mutex;

use esikit::Error;
use esikit::paginate::{Listing, ListingCursor};
use esikit::types::FreelanceJobsDetailFreelanceJob;

use super::server::{Given, Server, query};

const DATE: &str = "Tue, 24 Nov 2026 11:55:00 GMT";

/// A part of the listing of jobs: each with the last two digits of its id, and its name.
fn part(jobs: &[(u8, &str)], before: Option<&str>, after: Option<&str>) -> Given {
    let jobs: Vec<_> = jobs
        .iter()
        .map(|(id, name)| {
            serde_json::json!({
                "id": format!("01905d5e-7000-7000-8000-0000000000{id:02}"),
                "last_modified": "2026-11-24T11:00:00Z",
                "name": name,
                "state": "Active",
                "progress": { "current": 0, "desired": 1 },
            })
        })
        .collect();
    let mut cursor = serde_json::json!({});
    for (name, token) in [("before", before), ("after", after)] {
        if let Some(token) = token {
            cursor[name] = token.into();
        }
    }
    let mut body = serde_json::json!({ "freelance_jobs": jobs });
    if before.or(after).is_some() {
        body["cursor"] = cursor;
    }
    Given::json(body.to_string()).with("Date", DATE)
}

async fn server(parts: Vec<Given>) -> Server {
    let parts = Mutex::new(parts.into_iter());
    Server::new(move |seen| {
        let query = query(seen);
        assert!(
            !(query.contains_key("before") && query.contains_key("after")),
            "{query:?}"
        );
        parts.lock().expect("no panic").next().expect("an answer is left")
    })
    .await
}

fn names(listing: &Listing<FreelanceJobsDetailFreelanceJob>) -> Vec<&str> {
    listing.records.iter().map(|job| job.name.as_str()).collect()
}

#[tokio::test]
async fn the_whole_listing_and_then_what_changed() {
    let server = server(vec![
        part(&[(1, "one"), (2, "two")], Some("b1"), Some("a1")),
        part(&[(3, "three"), (1, "one of old")], Some("b2"), None),
        part(&[], None, None),
        part(&[(3, "three anew")], Some("b3"), Some("a2")),
        part(&[], None, None),
        part(&[(4, "four"), (1, "one anew")], None, Some("a/3")),
        part(&[(4, "four anew")], None, Some("a4")),
        part(&[], Some("b"), Some("a4")),
    ])
    .await;
    let esi = server.esi();
    let all = esi
        .get_freelance_jobs_listing()
        .before("x")
        .after("y")
        .all()
        .await
        .expect("a listing");
    assert_eq!(names(&all), ["one", "two", "three anew"]);
    let stored = serde_json::to_value(&all.cursor).expect("it serialises");
    let expected = serde_json::json!({
        "operation": "GetFreelanceJobsListing", "path": "/freelance-jobs", "after": "a2", "taken_at": "2026-11-24T11:55:00Z"
    });
    assert_eq!(stored, expected);
    let cursor: ListingCursor = serde_json::from_value(stored).expect("it is read again");
    let changed = esi
        .get_freelance_jobs_listing()
        .limit(50)
        .changes(&cursor)
        .await
        .expect("a listing");
    assert_eq!(names(&changed), ["four anew", "one anew"]);
    assert_eq!(
        changed.cursor,
        serde_json::from_value(serde_json::json!({
            "operation": "GetFreelanceJobsListing", "path": "/freelance-jobs", "after": "a4", "taken_at": "2026-11-24T11:55:00Z"
        }))
        .expect("a cursor")
    );
    let queries: Vec<_> = server
        .seen()
        .iter()
        .map(|target| target.replace("/freelance-jobs?", ""))
        .collect();
    let expected = [
        "limit=100",
        "before=b1&limit=100",
        "before=b2&limit=100",
        "after=a1&limit=100",
        "after=a2&limit=100",
        "after=a2&limit=50",
        "after=a%2F3&limit=50",
        "after=a4&limit=50",
    ];
    assert_eq!(queries, expected);
}

#[tokio::test]
async fn cursors_that_cannot_be_used_send_nothing() {
    let server = server(Vec::new()).await;
    let esi = server.esi();
    let cursor = |operation: &str| -> ListingCursor {
        let stored =
            serde_json::json!({ "operation": operation, "after": "a", "taken_at": "2020-01-01T00:00:00Z" });
        serde_json::from_value(stored).expect("a cursor")
    };
    let other = esi
        .get_freelance_jobs_listing()
        .changes(&cursor("GetParagonHubSkinr"))
        .await;
    let refusal = other.expect_err("another operation's cursor");
    assert!(matches!(refusal, Error::Request(_)), "{refusal}");
    let old = esi
        .get_paragon_hub_skinr()
        .header("Authorization", "Bearer token")
        .changes(&cursor("GetParagonHubSkinr"))
        .await;
    match old {
        Err(Error::CursorExpired(error)) => assert_eq!(error.remembered.as_secs(), 604_800),
        other => panic!("{other:?}"),
    }
    assert!(server.seen().is_empty());
    // What is not deleted by and by needs no tombstones.
    let server = self::server(vec![part(&[], None, None)]).await;
    let cursor = cursor("GetFreelanceJobsListing");
    let changed = server
        .esi()
        .get_freelance_jobs_listing()
        .changes(&cursor)
        .await
        .expect("a listing");
    assert!(changed.records.is_empty());
}

#[tokio::test]
async fn a_limit_that_breaks_the_rules_is_not_replaced() {
    let server = server(Vec::new()).await;
    let refusal = server
        .esi()
        .get_freelance_jobs_listing()
        .limit(5)
        .all()
        .await
        .expect_err("5 is below 10");
    assert!(refusal.to_string().contains("limit: 5 is below 10"), "{refusal}");
}
