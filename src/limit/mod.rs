//! Stand-in until the real one is merged.
use crate::error::Limit;
use crate::headers::Headers;
use crate::operation::Operation;
use std::sync::Arc;
use std::time::Duration;
pub(crate) struct Limits {}
pub(crate) struct Settings {
    pub(crate) concurrency: usize,
    pub(crate) reserve: u32,
}
pub(crate) struct Closed {
    pub(crate) limit: Limit,
    pub(crate) wait: Duration,
}
pub(crate) struct Permit;
pub(crate) enum Outcome<'a> {
    NotSent,
    NoAnswer,
    Answered {
        status: u16,
        headers: &'a Headers,
        body: &'a [u8],
    },
}
impl Limits {
    pub(crate) fn new(settings: Settings) -> Self {
        let _ = (settings.concurrency, settings.reserve);
        Self {}
    }
    pub(crate) async fn admit(
        self: &Arc<Self>,
        operation: &'static Operation,
        principal: &Arc<str>,
        deadline: tokio::time::Instant,
        tell: &(dyn Fn(&Closed) + Send + Sync),
    ) -> Result<Permit, Closed> {
        let _ = (operation, principal, deadline, tell);
        Ok(Permit)
    }
}
impl Permit {
    pub(crate) fn settle(self, outcome: Outcome<'_>) {
        if let Outcome::Answered {
            status,
            headers,
            body,
        } = outcome
        {
            let _ = (status, headers, body);
        }
    }
}
