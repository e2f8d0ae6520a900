//! The spec this crate was built from. The one door through which the runtime sees generated code.

use crate::operation::Operation;

pub use crate::generated::{COMPATIBILITY_DATE, DEFAULT_BASE_URL, OPERATIONS, SECURITY_SCHEME, Scope};

/// The operation with this operationId.
pub fn operation(id: &str) -> Option<&'static Operation> {
    let at = OPERATIONS
        .binary_search_by(|operation| operation.id.cmp(id))
        .ok()?;
    OPERATIONS.get(at).copied()
}

/// Operations whose ids look like what somebody wrote, the nearest first; a few at most.
pub(crate) fn near(written: &str) -> Vec<&'static str> {
    const ENOUGH: usize = 3;
    let written = plain(written);
    let furthest = written.len() / 3;
    let mut found: Vec<_> = OPERATIONS
        .iter()
        .map(|operation| (distance(&written, &plain(operation.id)), operation.id))
        .filter(|(distance, _)| *distance <= furthest)
        .collect();
    found.sort_unstable();
    found.into_iter().take(ENOUGH).map(|(_, id)| id).collect()
}

/// The letters and digits of a name, in lower case: `get_status` and `GetStatus` are alike.
fn plain(name: &str) -> Vec<char> {
    const LONGEST: usize = 100;
    name.chars()
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .take(LONGEST)
        .collect()
}

/// How many letters to add, drop or change to get from one name to the other (Levenshtein).
fn distance(from: &[char], to: &[char]) -> usize {
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (i, a) in from.iter().enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        for (b, cell) in to.iter().zip(row.iter_mut().skip(1)) {
            let above = *cell;
            left = (diagonal + usize::from(a != b)).min(above + 1).min(left + 1);
            diagonal = above;
            *cell = left;
        }
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operations_are_sorted_for_the_search() {
        assert!(OPERATIONS.windows(2).all(|pair| pair[0].id < pair[1].id));
        for known in OPERATIONS {
            assert_eq!(operation(known.id), Some(*known));
        }
    }

    #[test]
    fn distances_count_edits() {
        let distance = |a: &str, b: &str| super::distance(&plain(a), &plain(b));
        assert_eq!(distance("GetStatus", "get_status"), 0);
        assert_eq!(distance("GetStats", "GetStatus"), 1);
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("abc", ""), 3);
    }

    #[cfg(feature = "status")]
    #[test]
    fn near_names_come_first_and_strangers_not_at_all() {
        assert_eq!(near("get_status").first(), Some(&"GetStatus"));
        assert_eq!(near("GetStatuss").first(), Some(&"GetStatus"));
        assert!(near("Zzzzzzzzzz").is_empty());
        assert!(near("").is_empty());
    }
}
