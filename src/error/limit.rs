//! Errors of limits, of the cache, and of answers that come in parts.

use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::operation::Operation;

/// The call would be sent into a limit that is known to be closed, for longer than the client may wait.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{}: {}", operation.id, closed(limit, *wait))]
#[non_exhaustive]
pub struct RateLimited {
    /// The operation that was called.
    pub operation: &'static Operation,
    /// What is closed.
    pub limit: Limit,
    /// How long to wait before calling again.
    pub wait: Duration,
}

/// A limit of ESI.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Limit {
    /// The bucket of this group, for the principal that calls.
    Bucket {
        /// The bucket's group.
        group: String,
    },
    /// The error limit of this address, which closes everything.
    ErrorLimit,
    /// This one operation, for the principal that calls: the game server behind it asked for a pause.
    Operation,
    /// Nothing of ESI's: the client has as many requests under way as it may.
    Concurrency,
}

impl std::fmt::Display for Limit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Bucket { group } => write!(f, "the rate limit of group `{group}`"),
            Self::ErrorLimit => f.write_str("the error limit of this address"),
            Self::Operation => f.write_str("this operation"),
            Self::Concurrency => f.write_str("the number of requests at once"),
        }
    }
}

/// Only a kept answer was wanted, and there is none.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{}: no fresh answer is kept, and `cached_only` asks nobody", operation.id)]
#[non_exhaustive]
pub struct NotCached {
    /// The operation that was called.
    pub operation: &'static Operation,
}

/// The data changed while its pages were fetched, and they do not fit together.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{}: the data changed while its pages were fetched ({reason}); {pages_yielded} pages had been given out: begin again", operation.id)]
#[non_exhaustive]
pub struct SnapshotChanged {
    /// The operation that was called.
    pub operation: &'static Operation,
    /// How many pages the caller has got already, all of one state of the data.
    pub pages_yielded: u32,
    /// What does not fit.
    pub reason: String,
}

/// The server no longer remembers what was deleted since the cursor was given out.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{}: the cursor is of {taken_at}, and ESI remembers deleted records for {} s only: walk the whole listing again with `all`", operation.id, remembered.as_secs())]
#[non_exhaustive]
pub struct CursorExpired {
    /// The operation that was called.
    pub operation: &'static Operation,
    /// When the cursor was given out.
    pub taken_at: DateTime<Utc>,
    /// For how long the server remembers deleted records.
    pub remembered: Duration,
}

/// The character lacks a role in its corporation.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{}: ESI answered {status}: {message}; the operation needs any of the corporation roles {}", operation.id, any_of.join(", "))]
#[non_exhaustive]
pub struct RoleMissing {
    /// The operation that was called.
    pub operation: &'static Operation,
    /// The HTTP status.
    pub status: u16,
    /// ESI's own words.
    pub message: String,
    /// The roles of which any one suffices.
    pub any_of: &'static [&'static str],
}

/// What is closed and for how long: seconds, rounded up, so that nobody calls too early.
fn closed(limit: &Limit, wait: Duration) -> String {
    let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
    match seconds {
        0 => format!("no turn came in time, since others wait for {limit} too; nothing was sent"),
        _ => format!(
            "{limit} is closed for another {seconds} s, which is longer than this call may wait: call later, or raise \
             `max_wait` and `timeout`"
        ),
    }
}
