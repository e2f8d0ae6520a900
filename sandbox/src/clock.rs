//! What time it is. The only file that asks the operating system.

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

/// The clock of a sandbox: `Date`, `Expires`, windows of limits and the age of tokens all follow it.
/// Clones show the same time.
#[derive(Debug, Clone, Default)]
pub struct Clock(Source);

#[derive(Debug, Clone, Default)]
enum Source {
    #[default]
    System,
    /// Milliseconds since 1970.
    Manual(Arc<AtomicI64>),
}

impl Clock {
    /// The clock of the operating system.
    pub fn system() -> Self {
        Self::default()
    }

    /// A clock that stands still until [`Clock::advance`] moves it.
    ///
    /// ```
    /// use chrono::TimeDelta;
    /// use esikit_sandbox::Clock;
    ///
    /// let clock = Clock::manual("2026-11-01T10:00:00Z".parse()?);
    /// clock.advance(TimeDelta::minutes(20));
    /// assert_eq!(clock.now().to_rfc3339(), "2026-11-01T10:20:00+00:00");
    /// # Ok::<(), chrono::ParseError>(())
    /// ```
    pub fn manual(now: DateTime<Utc>) -> Self {
        Self(Source::Manual(Arc::new(AtomicI64::new(now.timestamp_millis()))))
    }

    /// Moves a manual clock, back where `by` is negative. The clock of the operating system stays as it is.
    pub fn advance(&self, by: TimeDelta) {
        if let Source::Manual(milliseconds) = &self.0 {
            milliseconds.fetch_add(by.num_milliseconds(), Ordering::SeqCst);
        }
    }

    /// The time now.
    #[allow(clippy::disallowed_methods, reason = "this is the one place")]
    pub fn now(&self) -> DateTime<Utc> {
        match &self.0 {
            Source::System => std::time::SystemTime::now().into(),
            Source::Manual(milliseconds) => {
                DateTime::from_timestamp_millis(milliseconds.load(Ordering::SeqCst)).unwrap_or_default()
            }
        }
    }

    /// The time now in whole seconds, as HTTP's headers and tokens give it.
    pub(crate) fn second(&self) -> DateTime<Utc> {
        self.now().trunc_subsecs(0)
    }
}

/// A moment as HTTP writes it.
pub(crate) fn http_date(moment: DateTime<Utc>) -> String {
    moment.format("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

/// A moment that HTTP wrote; none when it is of another form.
pub(crate) fn from_http_date(text: &str) -> Option<DateTime<Utc>> {
    let naive = chrono::NaiveDateTime::parse_from_str(text, "%a, %d %b %Y %H:%M:%S GMT").ok()?;
    Some(naive.and_utc())
}
