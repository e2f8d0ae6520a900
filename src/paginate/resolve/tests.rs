//! The search for unknown ids.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use super::super::bulk::Entries;
use super::super::flight::Boxed;
use super::*;
use crate::chance::{Chance, Printed, new_seeds};
use crate::error::{ApiError, Limit, RateLimited};
use crate::operation::{BodyFacts, Method, Operation};

static OPERATION: Operation = Operation::new("PostNames", Method::Post, "/names", "Things").body(BodyFacts {
    required: true,
    max_items: Some(1000),
});

/// As [`OPERATION`], with shorter lists, so that many runs take little time.
static SHORTER: Operation =
    Operation::new("PostFewNames", Method::Post, "/names", "Things").body(BodyFacts {
        required: true,
        max_items: Some(100),
    });

/// What the server saw.
#[derive(Default)]
struct Log {
    lists: usize,
    refusals: u32,
    under_way: u32,
    most_at_risk: u32,
}

/// Refuses lists with an unknown id; after so many lists its limit is closed.
fn server(unknown: BTreeSet<i64>, open_for: usize, log: &Arc<Mutex<Log>>) -> Asking<Vec<i64>> {
    let (unknown, log) = (Arc::new(unknown), Arc::clone(log));
    let ask = Box::new(move |list: String| {
        let (unknown, log) = (Arc::clone(&unknown), Arc::clone(&log));
        let answer: Boxed<Vec<i64>> = Box::pin(async move {
            let mut ids: Vec<i64> = serde_json::from_str(&list).expect("a list");
            {
                let mut log = log.lock().expect("no panic");
                log.lists += 1;
                log.under_way += 1;
                log.most_at_risk = log.most_at_risk.max(log.refusals + log.under_way);
            }
            tokio::time::sleep(std::time::Duration::from_millis(ids.len() as u64)).await;
            let mut log = log.lock().expect("no panic");
            log.under_way -= 1;
            if log.lists > open_for {
                return Err(Error::RateLimited(Box::new(RateLimited {
                    operation: &OPERATION,
                    limit: Limit::ErrorLimit,
                    wait: std::time::Duration::from_secs(900),
                })));
            }
            if ids.iter().any(|id| unknown.contains(id)) {
                log.refusals += 1;
                return Err(Error::Api(Box::new(ApiError {
                    operation: &OPERATION,
                    status: 404,
                    message: "Ensure all IDs are valid before resolving.".to_owned(),
                    body: String::new(),
                    headers: Arc::default(),
                })));
            }
            ids.reverse();
            Ok(ids)
        });
        answer
    });
    Asking {
        operation: &OPERATION,
        ask,
    }
}

async fn resolve(
    operation: &'static Operation,
    ids: &[i64],
    unknown: &BTreeSet<i64>,
    failures: u32,
    open_for: usize,
) -> (Result<Resolved<i64>, Error>, Log) {
    let log = Arc::new(Mutex::new(Log::default()));
    let entries = Entries::read(operation, &serde_json::to_vec(ids).expect("JSON")).expect("a list");
    let asking = server(unknown.clone(), open_for, &log);
    let outcome = resolved(entries, asking, |id| Some(*id), failures).await;
    let log = std::mem::take(&mut *log.lock().expect("no panic"));
    (outcome, log)
}

#[tokio::test(start_paused = true)]
async fn each_id_is_found_unknown_or_undecided_within_the_bound() {
    let mut decided = 0;
    for seed in new_seeds() {
        let _printed = Printed(seed);
        let mut chance = Chance::new(seed);
        let mut ids: Vec<i64> = (0..chance.between(0, 250) as i64).collect();
        chance.shuffle(&mut ids);
        let bad = chance.between(0, 12).min(ids.len() as u64) as usize;
        let unknown: BTreeSet<i64> = ids.iter().rev().step_by(7).take(bad).copied().collect();
        chance.shuffle(&mut ids);
        let failures = chance.between(0, 60) as u32;
        let (outcome, log) = resolve(&SHORTER, &ids, &unknown, failures, usize::MAX).await;
        let outcome = outcome.expect("an outcome");
        assert!(
            log.most_at_risk <= failures,
            "{} could have been refused",
            log.most_at_risk
        );
        let undecided: BTreeSet<i64> = outcome.undecided.iter().copied().collect();
        let order = |wanted: &dyn Fn(&i64) -> bool| ids.iter().copied().filter(wanted).collect::<Vec<_>>();
        assert_eq!(outcome.undecided, order(&|id| undecided.contains(id)));
        assert_eq!(
            outcome.unknown,
            order(&|id| unknown.contains(id) && !undecided.contains(id))
        );
        assert_eq!(
            outcome.found,
            order(&|id| !unknown.contains(id) && !undecided.contains(id))
        );
        if log.refusals < failures {
            assert!(undecided.is_empty(), "{} refusals of {failures}", log.refusals);
            decided += 1;
        }
    }
    println!("{decided} of the runs were decided to the last id");
}

#[tokio::test(start_paused = true)]
async fn one_unknown_id_among_a_thousand_costs_few_refusals() {
    let ids: Vec<i64> = (0..1000).collect();
    for unknown in [0, 499, 500, 999] {
        let (outcome, log) =
            resolve(&OPERATION, &ids, &BTreeSet::from([unknown]), FAILURES, usize::MAX).await;
        let outcome = outcome.expect("an outcome");
        assert_eq!((outcome.found.len(), outcome.unknown), (999, vec![unknown]));
        assert!(log.refusals <= 11, "{} refusals", log.refusals);
    }
}

#[tokio::test(start_paused = true)]
async fn a_limit_that_closes_leaves_the_rest_undecided() {
    let ids: Vec<i64> = (0..3000).collect();
    let (outcome, log) = resolve(&OPERATION, &ids, &BTreeSet::from([5]), FAILURES, 3).await;
    let outcome = outcome.expect("two lists were answered before");
    assert_eq!(
        (outcome.found.len(), outcome.undecided),
        (2000, (0..1000).collect())
    );
    assert!(log.lists <= 3 + 4);
    let (outcome, _) = resolve(&OPERATION, &ids, &BTreeSet::new(), FAILURES, 0).await;
    assert!(
        matches!(outcome, Err(Error::RateLimited(_))),
        "nothing was decided"
    );
}
