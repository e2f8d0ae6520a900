//! Why a request is refused, and the answer that says so.

use crate::http::Answer;
use crate::schema::Fault;
use serde_json::{Value, json};

/// A refusal with ESI's status and message.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    message: String,
    details: Vec<Fault>,
    headers: Vec<(&'static str, String)>,
}

impl Refusal {
    pub(crate) fn new(status: u16, message: impl Into<String>) -> Self {
        Self {
            status,
            message: message.into(),
            details: Vec::new(),
            headers: Vec::new(),
        }
    }

    /// A refusal that shows each place with what is wrong there.
    pub(crate) fn of_faults(status: u16, faults: Vec<Fault>) -> Self {
        let message = faults
            .first()
            .map_or_else(|| "the request is not valid".to_owned(), ToString::to_string);
        Self {
            details: faults,
            ..Self::new(status, message)
        }
    }

    pub(crate) fn with(mut self, name: &'static str, value: impl ToString) -> Self {
        self.headers.push((name, value.to_string()));
        self
    }

    /// The answer in ESI's form.
    pub(crate) fn into_answer(self) -> Answer {
        let mut body = json!({ "error": self.message });
        if !self.details.is_empty() {
            let details = self.details.iter().map(
                |fault| json!({ "location": fault.place, "message": fault.message, "value": fault.value }),
            );
            body["details"] = Value::Array(details.collect());
        }
        let mut answer = Answer::json(self.status, &body);
        answer.headers.extend(self.headers);
        answer
    }
}
