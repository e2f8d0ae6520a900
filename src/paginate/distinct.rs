//! Records by their ids, each of them once.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::Hash;

use crate::client::Endpoint;

/// An operation whose answer holds records with an id.
pub(crate) trait Keyed: Endpoint {
    /// An entry of the answer's list.
    type Record: Send + 'static;
    /// Its id.
    type Key: Eq + Hash + Send + 'static;

    /// The id of a record; none where the server left it out.
    fn key(record: &Self::Record) -> Option<Self::Key>;
}

/// Records in the order in which they were first seen, each id once. A record without an id is like no other.
pub(super) struct Distinct<R, K> {
    key: fn(&R) -> Option<K>,
    records: Vec<R>,
    /// Where the record with an id is.
    places: HashMap<K, usize>,
}

impl<R, K: Eq + Hash> Distinct<R, K> {
    pub(super) fn new(key: fn(&R) -> Option<K>) -> Self {
        Self {
            key,
            records: Vec::new(),
            places: HashMap::new(),
        }
    }

    /// Adds what is new, and leaves what is there. Says how many ids are new.
    pub(super) fn add(&mut self, records: Vec<R>) -> usize {
        let before = self.places.len();
        for record in records {
            self.put(record, |_, _| {});
        }
        self.places.len() - before
    }

    /// Adds what is new, and replaces what is there.
    pub(super) fn replace(&mut self, records: Vec<R>) {
        for record in records {
            self.put(record, |there, newer| *there = newer);
        }
    }

    fn put(&mut self, record: R, known: impl FnOnce(&mut R, R)) {
        let Some(key) = (self.key)(&record) else {
            self.records.push(record);
            return;
        };
        match self.places.entry(key) {
            Entry::Vacant(place) => {
                place.insert(self.records.len());
                self.records.push(record);
            }
            Entry::Occupied(place) => {
                if let Some(there) = self.records.get_mut(*place.get()) {
                    known(there, record);
                }
            }
        }
    }

    pub(super) fn into_records(self) -> Vec<R> {
        self.records
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_there_stays_or_is_replaced_in_its_place() {
        let mut distinct = Distinct::new(|record: &(Option<i32>, char)| record.0);
        assert_eq!(
            distinct.add(vec![(Some(1), 'a'), (Some(2), 'a'), (Some(1), 'b')]),
            2
        );
        assert_eq!(distinct.add(vec![(Some(2), 'b'), (None, 'a'), (None, 'a')]), 0);
        distinct.replace(vec![(Some(2), 'c'), (Some(3), 'c'), (Some(3), 'd')]);
        let expected = [
            (Some(1), 'a'),
            (Some(2), 'c'),
            (None, 'a'),
            (None, 'a'),
            (Some(3), 'd'),
        ];
        assert_eq!(distinct.into_records(), expected);
    }
}
