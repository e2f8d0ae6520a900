//! What can be wrong with a specification or a settings file, and where.

use std::fmt;

/// A result whose error names file, JSON pointer, operation and rule.
pub type Result<T> = std::result::Result<T, Error>;

/// Why a document cannot be turned into code.
///
/// Displayed as `file#/json/pointer (operation Id): rule: message`, so that the place can be opened at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error(Box<Detail>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Detail {
    file: Option<String>,
    pointer: String,
    operation: Option<String>,
    rule: &'static str,
    message: String,
}

impl Error {
    pub(crate) fn new(rule: &'static str, at: &At, message: impl Into<String>) -> Self {
        Self(Box::new(Detail {
            file: None,
            pointer: at.pointer.clone(),
            operation: at.operation.clone(),
            rule,
            message: message.into(),
        }))
    }

    /// Names the file that the document came from, unless one is named already.
    #[must_use]
    pub fn in_file(mut self, file: impl Into<String>) -> Self {
        self.0.file.get_or_insert_with(|| file.into());
        self
    }

    /// The same complaint as one of the step that came upon it.
    pub(crate) fn under(mut self, rule: &'static str) -> Self {
        self.0.rule = rule;
        self
    }

    /// The file that holds the mistake.
    pub fn file(&self) -> Option<&str> {
        self.0.file.as_deref()
    }

    /// The place in the document, as an RFC 6901 JSON pointer; empty for the document as a whole.
    pub fn pointer(&self) -> &str {
        &self.0.pointer
    }

    /// The `operationId` of the operation that contains the place, if one does.
    pub fn operation(&self) -> Option<&str> {
        self.0.operation.as_deref()
    }

    /// The short name of the rule that was broken, such as `reference` or `operation-id`.
    pub fn rule(&self) -> &'static str {
        self.0.rule
    }

    /// What is wrong and what to do.
    pub fn message(&self) -> &str {
        &self.0.message
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let detail = &self.0;
        write!(
            f,
            "{}#{}",
            detail.file.as_deref().unwrap_or("specification"),
            detail.pointer
        )?;
        if let Some(operation) = &detail.operation {
            write!(f, " (operation {operation})")?;
        }
        write!(f, ": {}: {}", detail.rule, detail.message)
    }
}

impl std::error::Error for Error {}

/// A place in a document: a JSON pointer and the operation around it.
#[derive(Debug, Clone, Default)]
pub(crate) struct At {
    pointer: String,
    operation: Option<String>,
}

impl At {
    pub(crate) fn root() -> Self {
        Self::default()
    }

    /// The place one step further in.
    pub(crate) fn join(&self, step: impl fmt::Display) -> Self {
        let step = step.to_string().replace('~', "~0").replace('/', "~1");
        Self {
            pointer: format!("{}/{step}", self.pointer),
            operation: self.operation.clone(),
        }
    }

    /// Another place, within the operation of this one.
    pub(crate) fn around(&self, other: &Self) -> Self {
        Self {
            pointer: other.pointer.clone(),
            operation: self.operation.clone(),
        }
    }

    pub(crate) fn in_operation(mut self, operation: &str) -> Self {
        self.operation = Some(operation.to_owned());
        self
    }
}
