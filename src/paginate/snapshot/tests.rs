//! A snapshot as a sequence.

use super::super::all::{Page, Taken};
use super::super::stamp::Stamp;
use super::*;
use crate::operation::Method;

static OPERATION: Operation = Operation::new("GetThings", Method::Get, "/things", "Things");

fn snapshot<T: Send + Sync + 'static>(pages: Vec<Arc<Vec<T>>>) -> Snapshot<T> {
    let stamp = Stamp {
        last_modified: None,
        expires: None,
        date: None,
        pages: None,
        came: tokio::time::Instant::now(),
    };
    let pages = pages.into_iter().map(|records| Page { records, stamp });
    let taken = Taken {
        pages: pages.collect(),
        newest: None,
    };
    Snapshot::of(&OPERATION, taken).expect("pages of one type")
}

fn letters(pages: &[&str]) -> Snapshot<char> {
    snapshot(
        pages
            .iter()
            .map(|page| Arc::new(page.chars().collect()))
            .collect(),
    )
}

#[test]
fn pages_read_as_one_sequence() {
    let all = letters(&["abc", "", "d", "ef", ""]);
    assert_eq!((all.len(), all.is_empty(), all.pages().len()), (6, false, 5));
    assert_eq!(all.iter().collect::<String>(), "abcdef");
    assert_eq!(all.iter().rev().collect::<String>(), "fedcba");
    for (index, letter) in "abcdef".chars().enumerate() {
        assert_eq!((all[index], all.get(index)), (letter, Some(&letter)));
    }
    assert_eq!(
        (all.get(6), all.first(), all.last()),
        (None, Some(&'a'), Some(&'f'))
    );
    assert_eq!(
        all.pages().map(<[char]>::len).collect::<Vec<_>>(),
        [3, 0, 1, 2, 0]
    );
    assert_eq!(format!("{:?}", letters(&["a", "b"])), "['a', 'b']");
}

#[test]
fn iterators_know_how_many_are_left_from_both_ends() {
    let all = letters(&["abc", "", "de"]);
    let mut iter = all.iter();
    assert_eq!(
        (iter.len(), iter.next(), iter.next_back(), iter.len()),
        (5, Some(&'a'), Some(&'e'), 3)
    );
    assert_eq!(
        (iter.next_back(), iter.nth(1), iter.len(), iter.next()),
        (Some(&'d'), Some(&'c'), 0, None)
    );
    let mut owned = all.clone().into_iter();
    assert_eq!(
        (owned.len(), owned.next_back(), owned.next(), owned.len()),
        (5, Some('e'), Some('a'), 3)
    );
    assert_eq!((&all).into_iter().count(), 5);
}

#[test]
fn nothing_is_a_sequence_too() {
    for all in [letters(&[]), letters(&[""]), letters(&["", ""])] {
        assert!(all.is_empty() && all.iter().next().is_none() && all.last().is_none());
        assert!(all.into_vec().is_empty());
    }
}

#[test]
#[should_panic = "record 2 of a snapshot of 2"]
fn an_index_past_the_end_panics_as_a_slice_does() {
    let _ = letters(&["a", "b"])[2];
}

/// A record that cannot be copied unnoticed.
#[derive(Debug)]
struct Precious(u8);

impl Clone for Precious {
    fn clone(&self) -> Self {
        Self(self.0 + 100)
    }
}

#[test]
fn records_move_out_of_pages_that_nobody_shares() {
    let page = |number| Arc::new(vec![Precious(number)]);
    let shared = page(2);
    let pages = || vec![page(1), Arc::clone(&shared), page(3)];
    let numbers = |records: Vec<Precious>| records.into_iter().map(|record| record.0).collect::<Vec<_>>();
    assert_eq!(numbers(snapshot(pages()).into_vec()), [1, 102, 3]);
    assert_eq!(numbers(snapshot(pages()).into_iter().collect()), [1, 102, 3]);
    assert_eq!(numbers(snapshot(vec![page(4)]).into_vec()), [4]);
    let all = snapshot(vec![page(4)]);
    let place = all.clone()[0].0;
    assert_eq!(
        numbers(all.clone().into_vec()),
        [place + 100],
        "a clone shares the pages"
    );
}
