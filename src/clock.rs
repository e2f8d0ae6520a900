//! What time it is. The only file that asks the operating system; everything else is handed a [`Clock`], so that
//! tests move time instead of waiting for it.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

/// Says what time it is.
pub trait Clock: Send + Sync + 'static {
    /// The time now.
    fn now(&self) -> DateTime<Utc>;
}

/// A moment for measuring how long something takes and for waiting until it: it never jumps, and stands still in tests
/// that pause Tokio's time.
pub(crate) fn instant() -> tokio::time::Instant {
    tokio::time::Instant::now()
}

/// The moment so long from now; for a time beyond all reckoning, one that nobody will see.
pub(crate) fn after(wait: Duration) -> tokio::time::Instant {
    const BEYOND: Duration = Duration::from_secs(30 * 365 * 24 * 3600);
    let now = instant();
    now.checked_add(wait).unwrap_or_else(|| now + BEYOND)
}

/// The clock of the operating system.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[allow(clippy::disallowed_methods, reason = "this is the one place")]
    fn now(&self) -> DateTime<Utc> {
        std::time::SystemTime::now().into()
    }
}

/// A clock that stands still until it is moved, for tests. Clones show the same time.
///
/// ```
/// use chrono::TimeDelta;
/// use esikit::clock::{Clock, ManualClock};
///
/// let clock = ManualClock::new("2026-11-01T10:00:00Z".parse()?);
/// clock.advance(TimeDelta::minutes(20));
/// assert_eq!(clock.now().to_rfc3339(), "2026-11-01T10:20:00+00:00");
/// # Ok::<(), chrono::ParseError>(())
/// ```
#[derive(Debug, Clone)]
pub struct ManualClock {
    milliseconds: Arc<AtomicI64>,
}

impl ManualClock {
    /// A clock that shows this time.
    pub fn new(now: DateTime<Utc>) -> Self {
        Self {
            milliseconds: Arc::new(AtomicI64::new(now.timestamp_millis())),
        }
    }

    /// Moves the clock; back where `by` is negative.
    pub fn advance(&self, by: TimeDelta) {
        self.milliseconds
            .fetch_add(by.num_milliseconds(), Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(self.milliseconds.load(Ordering::SeqCst)).unwrap_or_default()
    }
}
