//! Decisions, one at a time.

use super::*;
use crate::error::{Limit, RateLimited};
use crate::operation::Method;

static OPERATION: Operation = Operation::new("GetThings", Method::Get, "/things", "Things");
const MINUTE: Duration = Duration::from_secs(60);

fn plan() -> Plan {
    Plan::new(&OPERATION, MINUTE)
}

fn at(second: i64) -> Option<chrono::DateTime<chrono::Utc>> {
    chrono::DateTime::from_timestamp(1_800_000_000 + second, 0)
}

/// A page of the state of a second, given out at 100, which lives until `expires`.
fn page(state: i64, expires: i64, pages: u32) -> Stamp {
    Stamp {
        last_modified: at(state),
        expires: at(expires),
        date: at(100),
        pages: Some(pages),
        came: Instant::now(),
    }
}

impl Plan {
    fn asks(&mut self) -> Vec<u32> {
        std::iter::from_fn(|| self.next()).collect()
    }

    fn comes(&mut self, number: u32, stamp: Stamp) {
        self.came(number, stamp, Instant::now());
    }

    fn settles(&mut self) -> Result<Settled, String> {
        self.settle(Instant::now()).map_err(|error| error.to_string())
    }
}

#[tokio::test(start_paused = true)]
async fn one_page_is_all_there_is() {
    for pages in [None, Some(0), Some(1)] {
        let mut plan = plan();
        assert_eq!(plan.asks(), [1]);
        plan.comes(
            1,
            Stamp {
                pages,
                ..page(0, 300, 1)
            },
        );
        assert!(plan.asks().is_empty());
        assert_eq!(plan.settles(), Ok(Settled::Done), "X-Pages: {pages:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn there_is_a_window_and_no_barrier() {
    let mut plan = plan();
    plan.asks();
    plan.comes(1, page(0, 300, 3000));
    assert_eq!(plan.asks(), (2..34).collect::<Vec<_>>());
    plan.comes(20, page(0, 300, 3000));
    assert_eq!(plan.asks(), [34]);
}

/// A plan of which every page came, with these states.
fn came(states: &[(i64, i64)]) -> Plan {
    let mut plan = plan();
    let pages = states.len() as u32;
    for (number, (state, expires)) in (1..).zip(states) {
        plan.asks();
        plan.comes(number, page(*state, *expires, pages));
    }
    plan
}

#[tokio::test(start_paused = true)]
async fn pages_of_an_older_state_are_taken_again_when_the_last_of_them_has_expired() {
    let mut plan = came(&[(0, 110), (1, 400), (0, 130), (1, 400)]);
    assert_eq!(plan.settles(), Ok(Settled::After(Duration::from_secs(30))));
    assert_eq!(plan.asks(), [1, 3]);
    plan.comes(1, page(1, 400, 4));
    plan.comes(3, page(1, 400, 4));
    assert_eq!(plan.settles(), Ok(Settled::Done));
    assert_eq!(
        (
            plan.progress(),
            plan.newest().and_then(|newest| newest.last_modified)
        ),
        ((4, 4), at(1))
    );
}

#[tokio::test(start_paused = true)]
async fn time_that_has_passed_need_not_be_waited_for() {
    let mut plan = came(&[(0, 130), (1, 400)]);
    tokio::time::advance(Duration::from_secs(20)).await;
    assert_eq!(plan.settles(), Ok(Settled::After(Duration::from_secs(10))));
}

#[tokio::test(start_paused = true)]
async fn more_and_fewer_pages_are_followed() {
    let mut plan = plan();
    plan.asks();
    plan.comes(1, page(0, 110, 3));
    assert_eq!(plan.asks(), [2, 3]);
    plan.comes(2, page(1, 105, 5));
    assert_eq!(plan.asks(), [4, 5], "what is new is asked for at once");
    plan.comes(3, page(2, 400, 3));
    plan.comes(4, page(1, 105, 5));
    plan.is_gone(5);
    assert_eq!(plan.settles(), Ok(Settled::After(Duration::from_secs(10))));
    assert_eq!(plan.asks(), [1, 2]);
    plan.comes(1, page(2, 400, 3));
    plan.comes(2, page(2, 400, 3));
    assert_eq!((plan.settles(), plan.progress()), (Ok(Settled::Done), (3, 3)));
}

#[tokio::test(start_paused = true)]
async fn a_page_that_is_gone_sends_the_walk_back_to_the_first() {
    let mut plan = plan();
    plan.asks();
    plan.comes(1, page(0, 120, 100));
    assert_eq!(plan.asks().len(), 32);
    plan.is_gone(9);
    assert!(plan.asks().is_empty(), "those behind it would fail too");
    for number in (2..34).filter(|number| *number != 9) {
        plan.comes(number, page(0, 120, 100));
    }
    assert_eq!(plan.settles(), Ok(Settled::After(Duration::from_secs(20))));
    assert_eq!(plan.next(), Some(1));
    plan.comes(1, page(1, 400, 8));
    assert!(plan.asks().is_empty());
    // The first page knows of eight: the others of the old state are taken again.
    assert!(matches!(plan.settles(), Ok(Settled::After(_))));
    assert_eq!(plan.asks(), (2..9).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn a_page_that_stays_gone_is_a_change() {
    let mut plan = plan();
    plan.asks();
    plan.comes(1, page(0, 120, 2));
    plan.asks();
    plan.is_gone(2);
    assert!(plan.settles().is_ok());
    assert_eq!(plan.asks(), [1]);
    plan.comes(1, page(0, 130, 2));
    assert!(matches!(plan.settles(), Ok(Settled::After(_))));
    assert_eq!(plan.asks(), [2]);
    plan.is_gone(2);
    assert!(
        plan.settles()
            .is_err_and(|error| error.contains("page 2 of 2 is gone"))
    );
}

#[tokio::test(start_paused = true)]
async fn a_page_that_stays_as_it_was_is_given_up() {
    let mut plan = came(&[(0, 100), (1, 400)]);
    let mut rounds = 0;
    let refusal = loop {
        match plan.settles() {
            Ok(Settled::After(wait)) => {
                rounds += 1;
                assert!(!wait.is_zero(), "a page that comes as it was is given time");
                assert_eq!(plan.asks(), [1]);
                plan.comes(1, page(0, 100, 2));
            }
            Ok(Settled::Done) => panic!("they differ"),
            Err(refusal) => break refusal,
        }
    };
    assert_eq!(rounds, ROUNDS);
    assert!(
        refusal.contains("1 of 2 pages were of another state still after 5 more tries"),
        "{refusal}"
    );
}

#[tokio::test(start_paused = true)]
async fn all_waiting_together_is_bounded() {
    let mut plan = came(&[(0, 140), (1, 400)]);
    assert_eq!(plan.settles(), Ok(Settled::After(Duration::from_secs(40))));
    plan.asks();
    plan.comes(1, page(0, 130, 2));
    let refusal = plan
        .settles()
        .expect_err("40 and 30 seconds are more than a minute");
    assert!(refusal.contains("page 1 of 2 is of another state"), "{refusal}");
}

#[tokio::test(start_paused = true)]
async fn a_closed_limit_is_a_change_only_while_pages_are_taken_again() {
    let limited = || {
        Error::RateLimited(Box::new(RateLimited {
            operation: &OPERATION,
            limit: Limit::ErrorLimit,
            wait: MINUTE * 5,
        }))
    };
    let mut plan = came(&[(0, 100), (1, 400)]);
    assert!(matches!(plan.failed(limited()), Error::RateLimited(_)));
    assert!(plan.settles().is_ok());
    assert!(matches!(plan.failed(limited()), Error::SnapshotChanged(_)));
}
