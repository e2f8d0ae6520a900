//! Whole walks through a listing that changes while they go on.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use chrono::TimeDelta;

use super::*;
use crate::chance::{Chance, Printed, new_seeds};
use crate::clock::{Clock, SystemClock};
use crate::operation::Method;

static OPERATION: Operation =
    Operation::new("GetThings", Method::Get, "/things", "Things").tombstone_ttl(604_800);

#[derive(Debug, Clone, PartialEq)]
struct Thing {
    id: u64,
    version: u64,
    is_deleted: bool,
}

/// A listing in the order of its changes, whose tokens are numbers of changes.
struct Server {
    things: BTreeMap<u64, Thing>,
    changes: u64,
    limit: usize,
    /// The first answer has no `after`, or no older one either.
    first_lacks_after: bool,
    older_lack_after: bool,
    asked: Vec<Place>,
    chance: Chance,
    /// Whether anything happens between two answers.
    is_busy: bool,
}

impl Server {
    fn random(seed: u64) -> Self {
        let mut chance = Chance::new(seed);
        let mut server = Self {
            things: BTreeMap::new(),
            changes: 0,
            limit: chance.between(1, 12) as usize,
            first_lacks_after: chance.percent(20),
            older_lack_after: chance.percent(50),
            asked: Vec::new(),
            is_busy: chance.percent(90),
            chance,
        };
        for _ in 0..server.chance.between(0, 60) {
            server.change();
        }
        server
    }

    /// Something new, something else, or something less: it moves to the front.
    fn change(&mut self) {
        self.changes += 1;
        let id = self.chance.between(0, 40);
        let is_deleted = self.things.contains_key(&id) && self.chance.percent(30);
        let thing = Thing {
            id,
            version: self.changes,
            is_deleted,
        };
        self.things.insert(id, thing);
    }

    fn part(&mut self, place: &Place) -> Part<Thing> {
        self.asked.push(place.clone());
        let number = |token: &String| token.parse::<u64>().expect("one of our tokens");
        let mut things: Vec<Thing> = self.things.values().cloned().collect();
        things.sort_by_key(|thing| thing.version);
        match place {
            Place::After(token) => things.retain(|thing| thing.version > number(token)),
            Place::Before(token) => things.retain(|thing| thing.version < number(token)),
            Place::Latest => {}
        }
        if *place != Place::Latest && !matches!(place, Place::Before(_)) {
            things.truncate(self.limit);
        } else {
            things.reverse();
            things.truncate(self.limit);
        }
        let versions = || things.iter().map(|thing| thing.version);
        let is_empty = things.is_empty();
        let lacks_after = match place {
            Place::Latest => self.first_lacks_after,
            Place::Before(_) => self.older_lack_after,
            // An empty answer may say nothing, or where it was asked.
            Place::After(_) => is_empty && self.chance.percent(50),
        };
        let asked = match place {
            Place::After(token) => Some(number(token)),
            _ => None,
        };
        let part = Part {
            before: versions().min().map(|first| first.to_string()),
            after: versions()
                .max()
                .or(asked)
                .filter(|_| !lacks_after)
                .map(|last| last.to_string()),
            records: things,
        };
        while self.is_busy && self.chance.percent(40) && self.asked.len() < 200 {
            self.change();
        }
        part
    }
}

fn walk(server: &Arc<Mutex<Server>>) -> Walk<Thing, u64> {
    let server = Arc::clone(server);
    let ask = Box::new(move |place: Place| {
        let part = server.lock().expect("no panic").part(&place);
        let dated: Boxed<_> = Box::pin(async move {
            Ok(Dated {
                part,
                date: Some(SystemClock.now()),
            })
        });
        dated
    });
    Walk::new(&OPERATION, ask, |thing| Some(thing.id), SystemClock.now())
}

/// What somebody has who takes the listing and then what changed, against what there is.
#[tokio::test]
async fn nothing_is_missing_or_there_twice_whatever_changes_meanwhile() {
    let mut moved = 0;
    for seed in new_seeds() {
        let _printed = Printed(seed);
        let server = Arc::new(Mutex::new(Server::random(seed)));
        let all = walk(&server).all().await.expect("a listing");
        let mut known: BTreeMap<u64, Thing> = BTreeMap::new();
        let mut take = |records: Vec<Thing>| {
            let ids: std::collections::BTreeSet<u64> = records.iter().map(|thing| thing.id).collect();
            assert_eq!(ids.len(), records.len(), "a record is there twice");
            for thing in records {
                // What comes later never is of an earlier state.
                let before = known.insert(thing.id, thing.clone());
                assert!(before.is_none_or(|before| before.version <= thing.version));
            }
            known.clone()
        };
        let asked = server.lock().expect("no panic").asked.clone();
        moved += usize::from(
            asked
                .iter()
                .filter(|place| matches!(place, Place::After(_)))
                .count()
                > 1,
        );
        let known_then = take(all.records);
        {
            let mut server = server.lock().expect("no panic");
            if !server.first_lacks_after && asked.len() > 1 {
                // The last answer was empty: up to it, all is known.
                let newest = known_then.values().map(|thing| thing.version).max();
                let is_missing = |thing: &&Thing| known_then.get(&thing.id) != Some(thing);
                let missing: Vec<_> = server.things.values().filter(is_missing).collect();
                let came_later = missing.iter().all(|thing| Some(thing.version) > newest);
                assert!(came_later, "missing: {missing:?}");
            }
            server.is_busy = false;
            for _ in 0..server.chance.between(0, 30) {
                server.change();
            }
        }
        let stored = serde_json::to_string(&all.cursor).expect("it serialises");
        let cursor: ListingCursor = serde_json::from_str(&stored).expect("it is read again");
        let changed = walk(&server).changes(cursor).await.expect("a listing");
        let known = take(changed.records);
        assert_eq!(
            known,
            server.lock().expect("no panic").things,
            "all and what changed are not what there is"
        );
        let nothing = walk(&server)
            .changes(changed.cursor.clone())
            .await
            .expect("a listing");
        assert!(changed.cursor.after.is_none() || nothing.records.is_empty());
    }
    println!("in {moved} of the runs something changed while the listing was walked");
}

/// Records as id and version, and the two tokens.
type Scripted<'a> = (&'a [(u64, u64)], Option<&'a str>, Option<&'a str>);

/// A server that gives these answers in turn.
fn scripted(answers: Vec<Scripted<'_>>) -> (Walk<Thing, u64>, Arc<Mutex<Vec<Place>>>) {
    let parts: Vec<Part<Thing>> = answers
        .into_iter()
        .map(|(things, before, after)| Part {
            records: things
                .iter()
                .map(|(id, version)| Thing {
                    id: *id,
                    version: *version,
                    is_deleted: false,
                })
                .collect(),
            before: before.map(str::to_owned),
            after: after.map(str::to_owned),
        })
        .collect();
    let parts = Mutex::new(parts.into_iter());
    let asked = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&asked);
    let ask = Box::new(move |place: Place| {
        log.lock().expect("no panic").push(place);
        let part = parts.lock().expect("no panic").next().expect("an answer is left");
        let dated: Boxed<_> = Box::pin(async move { Ok(Dated { part, date: None }) });
        dated
    });
    (
        Walk::new(&OPERATION, ask, |thing| Some(thing.id), SystemClock.now()),
        asked,
    )
}

fn versions(listing: &Listing<Thing>) -> Vec<(u64, u64)> {
    listing
        .records
        .iter()
        .map(|thing| (thing.id, thing.version))
        .collect()
}

#[tokio::test]
async fn older_never_replaces_newer_and_after_always_does() {
    let (walk, asked) = scripted(vec![
        (&[(1, 9), (2, 8)], Some("b1"), Some("a1")),
        (&[(1, 3), (3, 2)], Some("b2"), Some("a0")),
        (&[], None, None),
        (&[(3, 1), (4, 1)], Some("b9"), Some("a2")),
        (&[], None, None),
    ]);
    let listing = walk.all().await.expect("a listing");
    assert_eq!(versions(&listing), [(1, 9), (2, 8), (3, 1), (4, 1)]);
    assert_eq!(listing.cursor.after.as_deref(), Some("a2"));
    let before = |token: &str| Place::Before(token.to_owned());
    let after = |token: &str| Place::After(token.to_owned());
    let places = asked.lock().expect("no panic").clone();
    assert_eq!(
        places,
        [
            Place::Latest,
            before("b1"),
            before("b2"),
            after("a1"),
            after("a2")
        ]
    );
}

#[tokio::test]
async fn a_listing_of_nothing_and_one_without_tokens_are_one_request() {
    for (answer, token) in [
        ((&[][..], None, None), None),
        ((&[][..], Some("b"), Some("a")), Some("a")),
        ((&[(1, 1)][..], None, None), None),
    ] {
        let (walk, asked) = scripted(vec![answer]);
        let listing = walk.all().await.expect("a listing");
        assert_eq!(listing.cursor.after.as_deref(), token);
        assert_eq!(*asked.lock().expect("no panic"), [Place::Latest]);
    }
}

#[tokio::test]
async fn tokens_that_lead_in_a_circle_are_followed_once() {
    let (walk, asked) = scripted(vec![
        (&[(1, 1)], Some("b1"), None),
        (&[(2, 1)], Some("b2"), None),
        (&[(3, 1)], Some("b1"), None),
    ]);
    assert_eq!(
        versions(&walk.all().await.expect("a listing")),
        [(1, 1), (2, 1), (3, 1)]
    );
    assert_eq!(asked.lock().expect("no panic").len(), 3);
    let (walk, _) = scripted(vec![(&[(1, 1)], None, Some("a1")), (&[(2, 1)], None, Some("a0"))]);
    let cursor = walk.cursor(Some("a0".to_owned()), None);
    assert_eq!(
        versions(&walk.changes(cursor).await.expect("a listing")),
        [(1, 1), (2, 1)]
    );
}

#[test]
fn cursors_are_of_one_operation_and_grow_old() {
    let now = SystemClock.now();
    let cursor = |operation: &Operation, age: TimeDelta| ListingCursor {
        operation: operation.id.to_owned(),
        path: Some("/things/1".to_owned()),
        after: Some("a".to_owned()),
        taken_at: now - age,
    };
    static OTHER: Operation = Operation::new("GetOthers", Method::Get, "/others", "Things");
    assert!(
        cursor(&OPERATION, TimeDelta::days(7))
            .check(&OPERATION, Some("/things/1"), now)
            .is_ok()
    );
    assert!(
        cursor(&OTHER, TimeDelta::days(70))
            .check(&OTHER, None, now)
            .is_ok(),
        "it forgets nothing"
    );
    assert!(
        cursor(&OPERATION, TimeDelta::days(-1))
            .check(&OPERATION, None, now)
            .is_ok(),
        "our clock is behind"
    );
    let old = cursor(&OPERATION, TimeDelta::days(7) + TimeDelta::seconds(1));
    match old.check(&OPERATION, None, now) {
        Err(Error::CursorExpired(error)) => {
            assert_eq!(
                (error.taken_at, error.remembered.as_secs()),
                (old.taken_at, 604_800)
            );
        }
        other => panic!("{other:?}"),
    }
    let everything = ListingCursor { after: None, ..old };
    assert!(
        everything.check(&OPERATION, None, now).is_ok(),
        "it asks for everything anyway"
    );
    let refusal = cursor(&OTHER, TimeDelta::zero())
        .check(&OPERATION, None, now)
        .expect_err("another operation's");
    assert_eq!(
        refusal.to_string(),
        "GetThings: cursor: is of GetOthers, and means nothing here; nothing was sent"
    );
    let refusal = cursor(&OPERATION, TimeDelta::zero())
        .check(&OPERATION, Some("/things/2"), now)
        .expect_err("another listing's");
    assert_eq!(
        refusal.to_string(),
        "GetThings: cursor: is of /things/1, and means nothing here; nothing was sent"
    );
}

#[tokio::test]
async fn a_cursor_knows_when_all_was_known() {
    let (walk, _) = scripted(vec![(&[], None, None)]);
    let then = SystemClock.now() - TimeDelta::days(3);
    let dated = move |part| -> Boxed<Dated<Thing>> {
        Box::pin(async move {
            Ok(Dated {
                part,
                date: Some(then),
            })
        })
    };
    let empty = || Part {
        records: Vec::new(),
        before: None,
        after: None,
    };
    let cursor = walk.cursor(Some("a".to_owned()), Some(then - TimeDelta::days(3)));
    let ask = Box::new(move |_| dated(empty()));
    let walk = Walk::new(&OPERATION, ask, |thing: &Thing| Some(thing.id), then);
    let later = walk.changes(cursor).await.expect("a listing").cursor;
    assert_eq!(
        (later.taken_at(), later.operation(), later.after.as_deref()),
        (then, "GetThings", Some("a"))
    );
}
