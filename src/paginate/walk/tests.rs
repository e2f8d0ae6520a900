//! Walks against a server whose records come and go.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use super::*;
use crate::chance::{Chance, Printed, new_seeds};
use crate::operation::Method;

type Record = (Option<u64>, u64);

/// Records in an order of time; every one that there ever was keeps its place in it.
struct Server {
    /// Place in time to id.
    order: Vec<u64>,
    gone: BTreeSet<u64>,
    direction: Direction,
    /// Whether the record that is asked from comes again.
    repeats: bool,
    size: usize,
    asked: usize,
    fresh: u64,
    chance: Chance,
}

impl Server {
    fn random(seed: u64, direction: Direction) -> Self {
        let mut chance = Chance::new(seed);
        let mut order: Vec<u64> = (0..chance.between(0, 200)).map(|id| id * 10).collect();
        if direction == Direction::Forwards {
            chance.shuffle(&mut order);
        }
        Self {
            fresh: order.len() as u64 * 10,
            order,
            gone: BTreeSet::new(),
            direction,
            repeats: chance.percent(50),
            size: chance.between(2, 20) as usize,
            asked: 0,
            chance,
        }
    }

    fn page(&mut self, from: Option<u64>) -> Vec<Record> {
        self.asked += 1;
        let mut order = self.order.clone();
        if self.direction == Direction::Backwards {
            order.reverse();
        }
        let start = match from.map(|from| {
            order
                .iter()
                .position(|id| *id == from)
                .expect("an id that was given")
        }) {
            Some(place) => place + usize::from(!self.repeats),
            None => 0,
        };
        let there = order[start..].iter().filter(|id| !self.gone.contains(id));
        let page: Vec<Record> = there.take(self.size).map(|id| (Some(*id), *id)).collect();
        self.change();
        page
    }

    /// Something new, at the end or in between, and something gone.
    fn change(&mut self) {
        for _ in 0..self.chance.between(0, 3) {
            self.fresh += 10;
            let place = match self.direction {
                Direction::Backwards => self.order.len() as u64,
                Direction::Forwards => self.chance.between(0, self.order.len() as u64 + 1),
            };
            self.order.insert(place as usize, self.fresh);
        }
        if self.chance.percent(30) && !self.order.is_empty() {
            let place = self.chance.between(0, self.order.len() as u64) as usize;
            self.gone.insert(self.order[place]);
        }
    }
}

async fn whole_walk(direction: Direction) {
    for seed in new_seeds() {
        let _printed = Printed(seed);
        let server = Arc::new(Mutex::new(Server::random(seed, direction)));
        let there = server.lock().expect("no panic").order.clone();
        let asked = Arc::clone(&server);
        let ask = Box::new(move |from: Option<u64>| {
            let page = asked.lock().expect("no panic").page(from);
            let page: Boxed<Vec<Record>> = Box::pin(async move { Ok(page) });
            page
        });
        let found = walk(ask, |record: &Record| record.0, direction)
            .await
            .expect("a walk");
        let ids: BTreeSet<u64> = found.iter().map(|record| record.1).collect();
        assert_eq!(ids.len(), found.len(), "a record is there twice");
        let server = server.lock().expect("no panic");
        let missing: Vec<_> = there
            .iter()
            .filter(|id| !ids.contains(id) && !server.gone.contains(id))
            .collect();
        assert!(missing.is_empty(), "missing: {missing:?}");
        assert!(server.asked <= found.len() + 2);
    }
}

#[tokio::test]
async fn backwards_nothing_is_missing_or_there_twice() {
    whole_walk(Direction::Backwards).await;
}

#[tokio::test]
async fn forwards_nothing_is_missing_or_there_twice() {
    whole_walk(Direction::Forwards).await;
}

/// A walk over pages given in turn: what was found, and from where each page was asked.
async fn scripted(direction: Direction, pages: &[&[Record]]) -> (Vec<Record>, Vec<Option<u64>>) {
    let pages: Vec<Vec<Record>> = pages.iter().map(|page| page.to_vec()).collect();
    let pages = Mutex::new(pages.into_iter());
    let asked = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&asked);
    let ask = Box::new(move |from| {
        log.lock().expect("no panic").push(from);
        let page = pages.lock().expect("no panic").next().expect("a page is left");
        let page: Boxed<Vec<Record>> = Box::pin(async move { Ok(page) });
        page
    });
    let found = walk(ask, |record: &Record| record.0, direction)
        .await
        .expect("a walk");
    let asked = asked.lock().expect("no panic").clone();
    (found, asked)
}

fn some(id: u64) -> Record {
    (Some(id), id)
}

#[tokio::test]
async fn backwards_goes_on_from_the_lowest_and_forwards_from_the_last() {
    let pages = [&[some(9), some(3), some(5)][..], &[some(3)]];
    let (found, asked) = scripted(Direction::Backwards, &pages).await;
    assert_eq!((found.len(), asked), (3, vec![None, Some(3)]));
    let (found, asked) = scripted(Direction::Forwards, &pages).await;
    assert_eq!((found.len(), asked), (3, vec![None, Some(5)]));
}

#[tokio::test]
async fn a_record_without_an_id_is_kept_and_leads_nowhere() {
    let (found, asked) = scripted(Direction::Forwards, &[&[some(4), (None, 1)], &[(None, 2)]]).await;
    assert_eq!(found, [some(4), (None, 1), (None, 2)]);
    assert_eq!(asked, [None, Some(4)]);
}

#[test]
fn each_pagination_has_its_way() {
    for (pagination, expected) in [
        (Pagination::FromId, ("from_id", Direction::Backwards)),
        (Pagination::LastMailId, ("last_mail_id", Direction::Backwards)),
        (Pagination::FromEvent, ("from_event", Direction::Forwards)),
    ] {
        let operation = Operation::new("GetThings", Method::Get, "/things", "Things").pagination(pagination);
        assert_eq!(way(&operation), expected);
    }
}
