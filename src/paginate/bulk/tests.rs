//! Lists that are split, against a server that answers in an order of its own.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use super::*;
use crate::chance::{Chance, Printed, new_seeds};
use crate::operation::{BodyFacts, Method};

const MOST: u32 = 10;
static OPERATION: Operation = Operation::new("PostNames", Method::Post, "/names", "Things").body(BodyFacts {
    required: true,
    max_items: Some(MOST),
});

/// Answers a list, shuffled and without what it does not know; counts what is under way.
fn server(chance: Chance, log: Arc<Mutex<Log>>) -> Asking<Vec<i64>> {
    let chance = Arc::new(Mutex::new(chance));
    let ask = Box::new(move |list: String| {
        let (chance, log) = (Arc::clone(&chance), Arc::clone(&log));
        let answer: Boxed<Vec<i64>> = Box::pin(async move {
            let mut ids: Vec<i64> = serde_json::from_str(&list).expect("a list of numbers");
            let wait = {
                let mut log = log.lock().expect("no panic");
                log.lists.push(ids.clone());
                log.under_way += 1;
                log.most_under_way = log.most_under_way.max(log.under_way);
                chance.lock().expect("no panic").between(0, 50)
            };
            tokio::time::sleep(std::time::Duration::from_millis(wait)).await;
            log.lock().expect("no panic").under_way -= 1;
            ids.retain(|id| id % 7 != 0);
            chance.lock().expect("no panic").shuffle(&mut ids);
            Ok(ids)
        });
        answer
    });
    Asking {
        operation: &OPERATION,
        ask,
    }
}

#[derive(Default)]
struct Log {
    lists: Vec<Vec<i64>>,
    under_way: usize,
    most_under_way: usize,
}

#[tokio::test(start_paused = true)]
async fn answers_come_in_the_order_of_the_entries_each_sent_once() {
    for seed in new_seeds() {
        let _printed = Printed(seed);
        let mut chance = Chance::new(seed);
        let count = chance.between(0, 200);
        let ids: Vec<i64> = (0..count).map(|_| chance.between(0, 150) as i64 - 20).collect();
        let entries = Entries::read(&OPERATION, &serde_json::to_vec(&ids).expect("JSON")).expect("a list");
        let log = Arc::new(Mutex::new(Log::default()));
        let parts = gather(entries.parts(), server(chance, Arc::clone(&log)))
            .await
            .expect("answers");
        let mut found: Vec<i64> = parts.into_iter().flatten().collect();
        entries.sort(&mut found, |id| Some(*id));
        let mut seen = BTreeSet::new();
        let expected: Vec<i64> = ids
            .iter()
            .copied()
            .filter(|id| seen.insert(*id) && id % 7 != 0)
            .collect();
        assert_eq!(found, expected);
        let log = log.lock().expect("no panic");
        let sent: Vec<i64> = log.lists.iter().flatten().copied().collect();
        assert_eq!(
            (sent.len(), sent.iter().copied().collect::<BTreeSet<_>>()),
            (seen.len(), seen)
        );
        assert!(
            log.lists
                .iter()
                .all(|list| list.len() <= MOST as usize && !list.is_empty())
        );
        assert!(log.most_under_way <= AT_ONCE);
    }
}

#[tokio::test]
async fn a_part_that_fails_fails_the_whole() {
    let entries = Entries::read(&OPERATION, b"[1,2,3,4,5,6,7,8,9,10,11,12]").expect("a list");
    let ask = Box::new(|list: String| {
        let answer: Boxed<()> = Box::pin(async move {
            match list.contains("12") {
                true => Err(Error::request(&OPERATION, "body", list)),
                false => Ok(()),
            }
        });
        answer
    });
    let asking = Asking {
        operation: &OPERATION,
        ask,
    };
    let failure = gather(entries.parts(), asking)
        .await
        .expect_err("the second part fails");
    assert_eq!(failure.to_string(), "PostNames: body: [11,12]; nothing was sent");
}

#[test]
fn texts_are_entries_too_and_what_nobody_asked_for_comes_last() {
    let entries = Entries::read(&OPERATION, r#"["b","a\"", "b"]"#.as_bytes()).expect("a list");
    assert_eq!(entries.parts().collect::<Vec<_>>(), [r#"["b","a\""]"#]);
    let mut records = ["else", "a\"", "none", "b"];
    entries.sort(&mut records, |text| Some(*text).filter(|text| *text != "none"));
    assert_eq!(records, ["b", "a\"", "else", "none"]);
    assert!(Entries::read(&OPERATION, b"{}").is_err());
}

#[test]
fn lists_that_may_be_absent_are_joined() {
    let mut whole = None;
    whole.join(None::<Vec<u8>>);
    assert_eq!(whole, None);
    whole.join(Some(vec![1]));
    whole.join(None);
    whole.join(Some(vec![2, 1]));
    assert_eq!(whole, Some(vec![1, 2, 1]));
}
