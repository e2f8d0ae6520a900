//! A server that keeps ESI's two limits truly, and notes each request that it must refuse. It shares no code with the
//! limits that it tests.

use std::collections::{BTreeMap, HashMap};

use crate::headers::Headers;
use crate::operation::Operation;

const MINUTE: u64 = 60_000;
const FAILURES: u64 = 100;

/// When a request is charged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Charges {
    AtArrival,
    AtAnswer,
}

/// The server; its time is in milliseconds.
pub(super) struct Server {
    charges: Charges,
    /// What was charged to each bucket, by when.
    spent: HashMap<(&'static str, String), BTreeMap<u64, u64>>,
    /// When the present window of the error limit began, and its failures.
    window: (u64, u64),
    tells_errors: bool,
    pub(super) refused: Vec<String>,
    pub(super) least_remain: u64,
    pub(super) answered: u64,
}

/// What a request will be answered with.
#[derive(Debug, Clone, Copy)]
pub(super) struct Arrived {
    pub(super) operation: &'static Operation,
    pub(super) status: u16,
    refused: bool,
}

/// What ESI's documents say that an answer costs.
pub(super) fn cost(status: u16) -> u64 {
    match status / 100 {
        2 => 2,
        3 => 1,
        4 => 5,
        _ => 0,
    }
}

impl Server {
    pub(super) fn new(charges: Charges, phase: u64) -> Self {
        Self {
            charges,
            spent: HashMap::new(),
            window: (phase % MINUTE, 0),
            tells_errors: true,
            refused: Vec::new(),
            least_remain: FAILURES,
            answered: 0,
        }
    }

    /// Without the headers of the error limit: something before the server answers.
    pub(super) fn silent(mut self) -> Self {
        self.tells_errors = false;
        self
    }

    /// A request arrives that would be answered with `status`.
    pub(super) fn arrive(
        &mut self,
        now: u64,
        operation: &'static Operation,
        who: &str,
        status: u16,
    ) -> Arrived {
        self.roll(now);
        let mut arrived = Arrived {
            operation,
            status,
            refused: false,
        };
        if self.window.1 >= FAILURES {
            arrived.status = 420;
            arrived.refused = true;
        } else if let Some(limit) = operation.rate_limit {
            let used = self.used(now, limit.group, u64::from(limit.window) * 1000, who);
            if used >= u64::from(limit.tokens) {
                arrived.status = 429;
                arrived.refused = true;
            }
        }
        if arrived.refused {
            let words = format!("{now} ms: {} for {who:?} got {}", operation.id, arrived.status);
            self.refused.push(words);
        } else if self.charges == Charges::AtArrival {
            self.charge(now, arrived, who);
        }
        arrived
    }

    /// The answer leaves.
    pub(super) fn answer(&mut self, now: u64, arrived: Arrived, who: &str) -> (u16, Headers) {
        self.roll(now);
        if self.charges == Charges::AtAnswer && !arrived.refused {
            self.charge(now, arrived, who);
        }
        self.answered += 1;
        let mut lines: Vec<(&'static str, String)> = Vec::new();
        match arrived.operation.rate_limit {
            Some(limit) if arrived.status != 420 => {
                let used = self.used(now, limit.group, u64::from(limit.window) * 1000, who);
                let cost = if arrived.refused { 0 } else { cost(arrived.status) };
                lines.push(("x-ratelimit-group", limit.group.to_owned()));
                lines.push((
                    "x-ratelimit-limit",
                    format!("{}/{}m", limit.tokens, limit.window / 60),
                ));
                lines.push((
                    "x-ratelimit-remaining",
                    u64::from(limit.tokens).saturating_sub(used).to_string(),
                ));
                lines.push(("x-ratelimit-used", cost.to_string()));
                if arrived.refused {
                    lines.push(("retry-after", "1".to_owned()));
                }
            }
            _ => {
                if !(200..400).contains(&arrived.status) {
                    self.window.1 += 1;
                }
                let remain = FAILURES.saturating_sub(self.window.1);
                self.least_remain = self.least_remain.min(remain);
                if self.tells_errors {
                    let reset = (self.window.0 + MINUTE - now) / 1000;
                    lines.push(("x-esi-error-limit-remain", remain.to_string()));
                    lines.push(("x-esi-error-limit-reset", reset.to_string()));
                }
            }
        }
        let lines = lines.into_iter().map(|(name, value)| {
            let value = http::HeaderValue::from_str(&value).expect("a value");
            (http::HeaderName::from_static(name), value)
        });
        (arrived.status, Headers::new(lines.collect()))
    }

    fn charge(&mut self, now: u64, arrived: Arrived, who: &str) {
        if let Some(limit) = arrived.operation.rate_limit {
            let bucket = self.spent.entry((limit.group, who.to_owned())).or_default();
            *bucket.entry(now).or_default() += cost(arrived.status);
        }
    }

    /// Tokens charged in the window that ends now.
    fn used(&mut self, now: u64, group: &'static str, window: u64, who: &str) -> u64 {
        let bucket = self.spent.entry((group, who.to_owned())).or_default();
        if let Some(before) = now.checked_sub(window) {
            *bucket = bucket.split_off(&(before + 1));
        }
        bucket.values().sum()
    }

    fn roll(&mut self, now: u64) {
        while now >= self.window.0 + MINUTE {
            self.window = (self.window.0 + MINUTE, 0);
        }
    }
}
