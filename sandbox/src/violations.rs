//! What a client did that ESI's rules forbid.

/// Counts of what ESI's rules forbid, since the sandbox started. A client that keeps the rules leaves all at 0.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Violations {
    /// The same answer was fetched again before its `Expires`: ESI calls it cache circumvention, and bans for it.
    pub before_expires: u64,
    /// Requests while the error limit was used up: answered with 420.
    pub while_error_limited: u64,
    /// Requests into a bucket that was used up: answered with 429.
    pub while_rate_limited: u64,
    /// Requests that did not say who they come from, whether or not the sandbox refused them.
    pub without_user_agent: u64,
    /// Requests that no operation takes, or with a parameter or a body that it does not take: 400, 404 for a route, 405
    /// and 422.
    pub invalid: u64,
}

impl Violations {
    /// All of them together.
    pub fn total(&self) -> u64 {
        self.before_expires
            + self.while_error_limited
            + self.while_rate_limited
            + self.without_user_agent
            + self.invalid
    }
}
