//! Counters and histograms for whoever installed a recorder of the crate `metrics`.

use crate::event::Event;
use crate::response::Source;

/// Counts what an event tells.
///
/// - `esikit_requests_total` (`operation`, `status`; `none` where no answer came)
/// - `esikit_request_seconds` (`operation`): from sending to the end of the body
/// - `esikit_kept_answers_total` (`operation`, `source`): answers that nobody was asked for
/// - `esikit_limit_wait_seconds` (`operation`)
/// - `esikit_token_refreshes_total`, `esikit_token_deaths_total`
pub(crate) fn count(event: &Event<'_>) {
    match event {
        Event::Answered {
            operation,
            source: source @ (Source::Cache | Source::Stale),
            ..
        } => {
            let source = if *source == Source::Cache {
                "cache"
            } else {
                "stale"
            };
            metrics::counter!("esikit_kept_answers_total", "operation" => operation.id, "source" => source)
                .increment(1);
        }
        Event::Answered {
            operation,
            status,
            elapsed,
            ..
        } => {
            let status = status.map_or_else(|| "none".to_owned(), |status| status.to_string());
            metrics::counter!("esikit_requests_total", "operation" => operation.id, "status" => status)
                .increment(1);
            metrics::histogram!("esikit_request_seconds", "operation" => operation.id)
                .record(elapsed.as_secs_f64());
        }
        Event::Waiting { operation, wait, .. } => {
            metrics::histogram!("esikit_limit_wait_seconds", "operation" => operation.id)
                .record(wait.as_secs_f64());
        }
        Event::TokenRefreshed { .. } => metrics::counter!("esikit_token_refreshes_total").increment(1),
        Event::TokenDead { .. } => metrics::counter!("esikit_token_deaths_total").increment(1),
        Event::Sent { .. } | Event::Deprecated { .. } => {}
    }
}
