//! The pages of one answer, read as one sequence.

use std::fmt;
use std::iter::FusedIterator;
use std::ops::Index;
use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::all::Taken;
use super::plan::changed;
use crate::error::Error;
use crate::operation::Operation;

/// The records of all pages of an answer, all of one state of the data.
///
/// The pages stay as they came, shared with the cache and with every clone, and are read as one sequence. Nothing is
/// copied until the records are taken out of a snapshot whose pages somebody else holds too.
///
/// ```no_run
/// # #[cfg(feature = "market")]
/// # async fn example(esi: esikit::Esi) -> Result<(), esikit::Error> {
/// let orders = esi.get_markets_region_id_orders(10000002).all().await?;
/// println!("{} orders of {:?}", orders.len(), orders.last_modified());
/// let dearest = orders.iter().max_by(|one, other| one.price.total_cmp(&other.price));
/// # Ok(())
/// # }
/// ```
pub struct Snapshot<T> {
    pages: Vec<Arc<Vec<T>>>,
    /// For each page, how many records there are up to its end.
    ends: Vec<usize>,
    last_modified: Option<DateTime<Utc>>,
    expires: Option<DateTime<Utc>>,
    checked: bool,
}

impl<T> Snapshot<T> {
    /// How many records there are on all pages.
    pub fn len(&self) -> usize {
        self.ends.last().copied().unwrap_or_default()
    }

    /// Whether there is no record at all.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The record at this place of the whole sequence. Finding its page takes a binary search.
    pub fn get(&self, index: usize) -> Option<&T> {
        let page = self.ends.partition_point(|end| *end <= index);
        let before = page.checked_sub(1).and_then(|before| self.ends.get(before));
        self.pages
            .get(page)?
            .get(index - before.copied().unwrap_or_default())
    }

    /// The first record.
    pub fn first(&self) -> Option<&T> {
        self.get(0)
    }

    /// The last record.
    pub fn last(&self) -> Option<&T> {
        self.get(self.len().checked_sub(1)?)
    }

    /// Every record in order.
    pub fn iter(&self) -> Iter<'_, T> {
        let pages: Records<'_, T> = self.pages.iter().flat_map(|page| page.iter());
        Iter {
            records: pages,
            left: self.len(),
        }
    }

    /// The pages, each as a slice.
    pub fn pages(&self) -> impl ExactSizeIterator<Item = &[T]> + DoubleEndedIterator {
        self.pages.iter().map(|page| page.as_slice())
    }

    /// The records in one vector: moved out of pages that nobody shares, else cloned.
    pub fn into_vec(mut self) -> Vec<T>
    where
        T: Clone,
    {
        if self.pages.len() == 1 {
            return self.pages.pop().map(Arc::unwrap_or_clone).unwrap_or_default();
        }
        let mut records = Vec::with_capacity(self.len());
        for page in self.pages {
            match Arc::try_unwrap(page) {
                Ok(mut owned) => records.append(&mut owned),
                Err(shared) => records.extend_from_slice(&shared),
            }
        }
        records
    }

    /// When the data last changed.
    pub fn last_modified(&self) -> Option<DateTime<Utc>> {
        self.last_modified
    }

    /// Until when every page is fresh: ESI asks not to be asked again before.
    pub fn expires(&self) -> Option<DateTime<Utc>> {
        self.expires
    }

    /// Whether every page said of which state it is (`Last-Modified`). Without, the pages agree in how many there
    /// are and in when they expire, which is all that can be told.
    pub fn snapshot_checked(&self) -> bool {
        self.checked
    }
}

impl<T: Send + Sync + 'static> Snapshot<T> {
    /// Puts pages together that fit together.
    pub(super) fn of(operation: &'static Operation, taken: Taken) -> Result<Self, Error> {
        let stamps = || taken.pages.iter().map(|page| page.stamp);
        let expires = stamps().filter_map(|stamp| stamp.expires).min();
        let checked = stamps().all(|stamp| stamp.last_modified.is_some());
        let last_modified = taken.newest.and_then(|newest| newest.last_modified);
        let typed = taken.pages.into_iter().map(|page| page.records.downcast().ok());
        // They are what the request decodes to, so that none is of another type.
        let pages = typed.collect::<Option<Vec<Arc<Vec<T>>>>>();
        let pages =
            pages.ok_or_else(|| changed(operation, 0, "a page holds other records than asked for"))?;
        Ok(Self {
            ends: ends(&pages),
            pages,
            last_modified,
            expires,
            checked,
        })
    }
}

fn ends<T>(pages: &[Arc<Vec<T>>]) -> Vec<usize> {
    let mut end = 0;
    let lengths = pages.iter().map(|page| page.len());
    lengths
        .map(|length| {
            end += length;
            end
        })
        .collect()
}

/// Shares the pages.
impl<T> Clone for Snapshot<T> {
    fn clone(&self) -> Self {
        Self {
            pages: self.pages.clone(),
            ends: self.ends.clone(),
            ..*self
        }
    }
}

impl<T: fmt::Debug> fmt::Debug for Snapshot<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self).finish()
    }
}

impl<T> Index<usize> for Snapshot<T> {
    type Output = T;

    /// The record at this place of the whole sequence.
    ///
    /// # Panics
    /// There are not so many records; [`get`](Snapshot::get) tells without.
    fn index(&self, index: usize) -> &T {
        match self.get(index) {
            Some(record) => record,
            None => panic!("record {index} of a snapshot of {}", self.len()),
        }
    }
}

type Records<'a, T> = std::iter::FlatMap<
    std::slice::Iter<'a, Arc<Vec<T>>>,
    std::slice::Iter<'a, T>,
    fn(&'a Arc<Vec<T>>) -> std::slice::Iter<'a, T>,
>;

type OwnedRecords<T> = std::iter::FlatMap<
    std::vec::IntoIter<Arc<Vec<T>>>,
    std::vec::IntoIter<T>,
    fn(Arc<Vec<T>>) -> std::vec::IntoIter<T>,
>;

/// Every record of a [`Snapshot`] in order.
pub struct Iter<'a, T> {
    records: Records<'a, T>,
    left: usize,
}

/// Every record of a [`Snapshot`] in order, owned: moved out of pages that nobody shares, else cloned.
pub struct IntoIter<T> {
    records: OwnedRecords<T>,
    left: usize,
}

/// How both iterators go: as the pages do, one after the other, and knowing how many records are left.
macro_rules! goes_through_pages {
    ([$($generics:tt)*] $name:ty => $item:ty) => {
        impl<$($generics)*> Iterator for $name {
            type Item = $item;

            fn next(&mut self) -> Option<$item> {
                let record = self.records.next()?;
                self.left -= 1;
                Some(record)
            }

            fn size_hint(&self) -> (usize, Option<usize>) {
                (self.left, Some(self.left))
            }

            fn fold<A, F: FnMut(A, $item) -> A>(self, first: A, add: F) -> A {
                self.records.fold(first, add)
            }
        }

        impl<$($generics)*> DoubleEndedIterator for $name {
            fn next_back(&mut self) -> Option<$item> {
                let record = self.records.next_back()?;
                self.left -= 1;
                Some(record)
            }
        }

        impl<$($generics)*> ExactSizeIterator for $name {}

        impl<$($generics)*> FusedIterator for $name {}
    };
}

goes_through_pages!(['a, T] Iter<'a, T> => &'a T);
goes_through_pages!([T: Clone] IntoIter<T> => T);

impl<'a, T> IntoIterator for &'a Snapshot<T> {
    type Item = &'a T;
    type IntoIter = Iter<'a, T>;

    fn into_iter(self) -> Iter<'a, T> {
        self.iter()
    }
}

impl<T: Clone> IntoIterator for Snapshot<T> {
    type Item = T;
    type IntoIter = IntoIter<T>;

    fn into_iter(self) -> IntoIter<T> {
        let left = self.len();
        let records: OwnedRecords<T> = self
            .pages
            .into_iter()
            .flat_map(|page| Arc::unwrap_or_clone(page).into_iter());
        IntoIter { records, left }
    }
}

#[cfg(test)]
mod tests;
