//! What changed between two canonical documents, and what of it breaks those who call the old one.
//!
//! The measure is a client typed by the old document that goes on calling while the new one holds: it drops fields it
//! does not know, keeps unknown enum values and alternatives as `Other`, reads an absent optional field as `None`, and
//! sends what the old document allowed. Names in Rust that vanish with the next generation (a method, a setter, a
//! scope) count as breaking too.
//!
//! Operations are matched by method and path; a slash at the end and the names in braces say nothing there, since ids
//! and spelling differ between dialects. Schemas are compared through their references: the name of a component is no
//! contract, what it holds is.

mod bounds;
mod change;
mod display;
mod document;
mod extensions;
mod operation;
mod pair;
mod parameters;
mod properties;
mod responses;
mod schema;
mod security;
mod types;

pub use change::{Change, Kind, Operation, Place, What};

use serde_json::{Value, json};

/// Compares two canonical documents; see [`crate::canonical`].
///
/// The answer depends on the two values only, and is empty when they hold the same contract.
///
/// ```
/// let old = serde_json::json!({ "servers": [{ "url": "https://one.example" }] });
/// let new = serde_json::json!({ "servers": [{ "url": "https://two.example" }] });
/// let diff = esikit_codegen::diff::diff(&old, &new);
/// assert!(diff.is_breaking());
/// assert!(esikit_codegen::diff::diff(&new, &new).changes.is_empty());
/// ```
pub fn diff(old: &Value, new: &Value) -> Diff {
    let mut comparison = Comparison {
        old,
        new,
        changes: Vec::new(),
    };
    comparison.document();
    comparison.operations();
    let mut changes = comparison.changes;
    changes.sort_by(Change::order);
    changes.dedup();
    Diff { changes }
}

/// The changes from one document to another, sorted by path, method, place and kind.
///
/// Displayed as text for a terminal: first the document, then what is the same in several operations, then operation
/// by operation, then the counts. A line starts with `!` when it breaks callers, else with `+`, `-` or `~`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Diff {
    /// All changes. One inside a component stands here once for each operation and place that reach it.
    pub changes: Vec<Change>,
}

impl Diff {
    /// Whether any change breaks callers of the old document.
    pub fn is_breaking(&self) -> bool {
        self.changes.iter().any(|change| change.breaking)
    }

    /// The changes for programs.
    ///
    /// ```json
    /// {
    ///   "breaking": true,
    ///   "counts": { "breaking": 1, "compatible": 0, "added": 0, "removed": 1, "changed": 0 },
    ///   "changes": [{
    ///     "breaking": true, "kind": "field", "what": "removed",
    ///     "method": "GET", "path": "/markets/{region_id}/orders", "operation": "GetMarketsRegionIdOrders",
    ///     "inside": "response[].range", "component": "Order.range",
    ///     "from": "string enum", "to": null, "message": "..."
    ///   }]
    /// }
    /// ```
    ///
    /// Every member is always there. `method`, `path` and `operation` are null for a change of the whole document,
    /// `component` where no component is around the place, `from` and `to` where there is nothing on that side.
    pub fn to_json(&self) -> Value {
        let count = |what| self.changes.iter().filter(|change| change.what == what).count();
        let breaking = self.changes.iter().filter(|change| change.breaking).count();
        json!({
            "breaking": self.is_breaking(),
            "counts": {
                "breaking": breaking,
                "compatible": self.changes.len() - breaking,
                "added": count(What::Added),
                "removed": count(What::Removed),
                "changed": count(What::Changed),
            },
            "changes": self.changes.iter().map(Change::to_json).collect::<Vec<_>>(),
        })
    }
}

/// The two documents, and what was found so far.
struct Comparison<'a> {
    old: &'a Value,
    new: &'a Value,
    changes: Vec<Change>,
}

impl Comparison<'_> {
    /// Keeps a change, if there is one.
    fn report(&mut self, change: impl Into<Option<Change>>) {
        self.changes.extend(change.into());
    }
}
