//! One change: what it is, where it is, and whether it breaks callers.

use serde_json::{Value, json};
use std::cmp::Ordering;
use std::fmt;

/// One difference between the old document and the new.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Change {
    /// Whether it breaks somebody who calls the old document with a client typed by it.
    pub breaking: bool,
    /// What sort of thing changed.
    pub kind: Kind,
    /// Whether it came, went, or is another now.
    pub what: What,
    /// Where.
    pub place: Place,
    /// What the old document says, if it says anything.
    pub from: Option<Value>,
    /// What the new document says, if it says anything.
    pub to: Option<Value>,
    /// For people: what happened, and why it breaks where that is not plain.
    pub message: String,
}

/// What sort of thing changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// A base URL.
    Server,
    /// A security scheme, its flows and addresses, or an operation's need of a login.
    SecurityScheme,
    /// A whole operation, or its id.
    Operation,
    /// The tag, and with it module and Cargo feature.
    Tag,
    /// An operation is to be avoided from now on.
    Deprecated,
    /// The date from which an operation, or the whole document, holds.
    CompatibilityDate,
    /// A scope that a call needs, or that the document knows.
    Scope,
    /// A corporation role, one of which a call needs.
    Role,
    /// The rate limit.
    Limit,
    /// How long answers are fresh.
    Cache,
    /// How a list goes on.
    Pagination,
    /// A vendor extension that this comparison has no word for.
    Extension,
    /// The status of an answer.
    Status,
    /// A parameter of a call, or a setting of the client.
    Parameter,
    /// The request body as a whole.
    Body,
    /// A field of an object.
    Field,
    /// One of the objects of a `oneOf`.
    Alternative,
    /// Type, format, or whether null may stand in its place.
    Type,
    /// A value of an enum.
    EnumValue,
    /// A bound on what may be sent.
    Bound,
    /// What ESI takes when nothing is sent.
    Default,
}

impl Kind {
    /// The word used in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Server => "server",
            Self::SecurityScheme => "security-scheme",
            Self::Operation => "operation",
            Self::Tag => "tag",
            Self::Deprecated => "deprecated",
            Self::CompatibilityDate => "compatibility-date",
            Self::Scope => "scope",
            Self::Role => "role",
            Self::Limit => "limit",
            Self::Cache => "cache",
            Self::Pagination => "pagination",
            Self::Extension => "extension",
            Self::Status => "status",
            Self::Parameter => "parameter",
            Self::Body => "body",
            Self::Field => "field",
            Self::Alternative => "alternative",
            Self::Type => "type",
            Self::EnumValue => "enum-value",
            Self::Bound => "bound",
            Self::Default => "default",
        }
    }
}

/// Whether a thing came, went, or is another now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum What {
    /// Only the new document has it.
    Added,
    /// Only the old document has it.
    Removed,
    /// Both have it, differently.
    Changed,
}

impl What {
    /// The word used in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Removed => "removed",
            Self::Changed => "changed",
        }
    }
}

/// Where a change is.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct Place {
    /// The operation; none for the document as a whole.
    pub operation: Option<Operation>,
    /// The place inside the operation, such as `response[].range`, `body.items[].flag` or `parameter page`; empty for
    /// the operation itself.
    pub inside: String,
    /// The same place seen from the nearest component around it, such as `Order.range`. Components are named as in the
    /// old document, or as in the new one where the old has none there.
    pub component: Option<String>,
}

/// An operation, as the old document writes it; one that was added, as the new document does.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Operation {
    /// The path, without a slash at its end.
    pub path: String,
    /// The method, in upper case.
    pub method: String,
    /// The `operationId`.
    pub id: String,
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.method, self.path, self.id)
    }
}

impl Place {
    pub(super) fn document() -> Self {
        Self::default()
    }

    pub(super) fn operation(operation: Operation) -> Self {
        Self {
            operation: Some(operation),
            ..Self::default()
        }
    }

    /// A part of the operation or the document.
    pub(super) fn part(&self, name: impl Into<String>) -> Self {
        Self {
            operation: self.operation.clone(),
            inside: name.into(),
            component: None,
        }
    }

    /// One step further in: `.range`, `[]`.
    pub(super) fn step(&self, step: &str) -> Self {
        Self {
            operation: self.operation.clone(),
            inside: format!("{}{step}", self.inside),
            component: self
                .component
                .as_ref()
                .map(|component| format!("{component}{step}")),
        }
    }

    /// The same place, at the top of a component.
    pub(super) fn at_component(&self, name: &str) -> Self {
        Self {
            component: Some(name.to_owned()),
            ..self.clone()
        }
    }
}

impl Change {
    /// The change from one fact to another; none when they are equal. It breaks nobody until [`Self::breaking`] says
    /// so.
    pub(super) fn between(kind: Kind, place: &Place, from: Option<Value>, to: Option<Value>) -> Option<Self> {
        let (what, message) = match (&from, &to) {
            (Some(from), Some(to)) if from == to => return None,
            (Some(from), Some(to)) => (What::Changed, format!("{} -> {}", shown(from), shown(to))),
            (Some(from), None) => (What::Removed, format!("{} is gone", shown(from))),
            (None, Some(to)) => (What::Added, format!("{} is new", shown(to))),
            (None, None) => return None,
        };
        Some(Self {
            breaking: false,
            kind,
            what,
            place: place.clone(),
            from,
            to,
            message,
        })
    }

    pub(super) fn breaking(mut self, breaking: bool) -> Self {
        self.breaking = breaking;
        self
    }

    /// Replaces the message.
    pub(super) fn saying(mut self, message: impl Into<String>) -> Self {
        self.message = message.into();
        self
    }

    /// Puts the name of the fact before the message: ``the cache time: `60` -> `120` ``.
    pub(super) fn about(mut self, fact: &str) -> Self {
        self.message = format!("{fact}: {}", self.message);
        self
    }

    /// Adds why it matters.
    pub(super) fn because(mut self, reason: &str) -> Self {
        self.message = format!("{}; {reason}", self.message);
        self
    }

    pub(super) fn order(&self, other: &Self) -> Ordering {
        let key = |change: &Self| {
            (
                change.kind,
                change.what,
                text_of(&change.from),
                text_of(&change.to),
            )
        };
        self.place
            .cmp(&other.place)
            .then_with(|| key(self).cmp(&key(other)))
            .then_with(|| self.message.cmp(&other.message))
    }

    pub(super) fn to_json(&self) -> Value {
        let operation = self.place.operation.as_ref();
        json!({
            "breaking": self.breaking,
            "kind": self.kind.as_str(),
            "what": self.what.as_str(),
            "method": operation.map(|operation| &operation.method),
            "path": operation.map(|operation| &operation.path),
            "operation": operation.map(|operation| &operation.id),
            "inside": self.place.inside,
            "component": self.place.component,
            "from": self.from,
            "to": self.to,
            "message": self.message,
        })
    }
}

fn text_of(value: &Option<Value>) -> String {
    value.as_ref().map(Value::to_string).unwrap_or_default()
}

/// A value as messages write it.
pub(super) fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => format!("`{text}`"),
        Value::Array(items) if items.is_empty() => "`[]`".to_owned(),
        Value::Array(items) => items.iter().map(shown).collect::<Vec<_>>().join(", "),
        other => format!("`{}`", crate::json::to_text(other).trim_end()),
    }
}
