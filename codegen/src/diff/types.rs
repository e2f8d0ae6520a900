//! What type a schema has, and whether another one can stand in its place.

use super::pair::{flag, text};
use super::schema::Direction;
use serde_json::Value;

/// Longer chains of references than this lead nowhere.
const LONGEST_CHAIN: usize = 32;

/// Text that becomes a type of its own in Rust.
const TYPED_TEXT: &[&str] = &["date", "date-time", "ip", "ipv4", "ipv6", "uuid"];

/// A schema, its references followed.
#[derive(Debug, Clone, Copy)]
pub(super) struct View<'a> {
    pub(super) facts: &'a Value,
    /// The component that it is, if it is one.
    pub(super) component: Option<&'a str>,
    /// Null may stand in its place.
    nullable: bool,
    /// Nothing at all may stand in its place; a client reads null there as nothing.
    pub(super) may_be_absent: bool,
}

impl<'a> View<'a> {
    pub(super) fn of(schema: &'a Value, document: &'a Value) -> Self {
        let mut view = Self {
            facts: schema,
            component: None,
            nullable: false,
            may_be_absent: false,
        };
        for _ in 0..LONGEST_CHAIN {
            view.nullable |= flag(view.facts, "nullable");
            if let Some(reference) = text(view.facts, "$ref") {
                view.component = reference.rsplit('/').next();
                let pointer = reference.strip_prefix('#').unwrap_or(reference);
                view.facts = document.pointer(pointer).unwrap_or(&Value::Null);
            } else if let Some([only]) = view
                .facts
                .get("allOf")
                .and_then(Value::as_array)
                .map(Vec::as_slice)
            {
                view.facts = only;
            } else {
                break;
            }
        }
        view
    }

    /// The JSON type; `map`, `choice` and `any` are ours.
    pub(super) fn shape(&self) -> &'a str {
        let has = |key: &str, test: fn(&Value) -> bool| self.facts.get(key).is_some_and(test);
        if has("oneOf", Value::is_array) {
            return "choice";
        }
        match text(self.facts, "type") {
            Some("object")
                if has("additionalProperties", Value::is_object) && !has("properties", Value::is_object) =>
            {
                "map"
            }
            Some(kind) => kind,
            None => "any",
        }
    }

    fn format(&self) -> Option<&'a str> {
        text(self.facts, "format")
    }

    fn is_enum(&self) -> bool {
        self.facts.get("enum").is_some()
    }

    /// The type in a few words: `integer/int64`, `string enum`, `object or null`.
    pub(super) fn label(&self) -> String {
        let format = self
            .format()
            .map(|format| format!("/{format}"))
            .unwrap_or_default();
        let closed = if self.is_enum() { " enum" } else { "" };
        let null = if self.nullable { " or null" } else { "" };
        format!("{}{format}{closed}{null}", self.shape())
    }
}

/// What a document asks of senders. A required thing with a default may be left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Requirement {
    Required,
    RequiredWithDefault,
    Optional,
}

impl Requirement {
    pub(super) fn new(required: bool, has_default: bool) -> Self {
        match (required, has_default) {
            (true, false) => Self::Required,
            (true, true) => Self::RequiredWithDefault,
            (false, _) => Self::Optional,
        }
    }

    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Required => "required",
            Self::RequiredWithDefault => "required with a default",
            Self::Optional => "optional",
        }
    }
}

/// Whether something is taken where nothing is sent.
pub(super) fn has_default(schema: &Value, document: &Value) -> bool {
    View::of(schema, document).facts.get("default").is_some()
}

/// The label of a schema.
pub(super) fn label_of(schema: &Value, document: &Value) -> String {
    View::of(schema, document).label()
}

/// Why the new type breaks a client typed by the old one; none when it does not.
pub(super) fn why_breaking(old: &View<'_>, new: &View<'_>, direction: Direction) -> Option<&'static str> {
    match direction {
        Direction::Error => None,
        Direction::Response => why_unreadable(old, new),
        Direction::Request => why_refused(old, new),
    }
}

fn why_unreadable(old: &View<'_>, new: &View<'_>) -> Option<&'static str> {
    let text_type = |view: &View<'_>| {
        view.format()
            .filter(|format| TYPED_TEXT.contains(format))
            .map(str::to_owned)
    };
    if old.shape() == "any" {
        None
    } else if old.shape() != new.shape() {
        Some("old clients read it as what it was")
    } else if old.shape() == "string" && text_type(old) != text_type(new) {
        Some("the text is another type in Rust")
    } else if new.nullable && !old.nullable && !old.may_be_absent {
        Some("a value was promised, null cannot be read")
    } else {
        None
    }
}

fn why_refused(old: &View<'_>, new: &View<'_>) -> Option<&'static str> {
    if new.shape() == "any" {
        None
    } else if old.shape() != new.shape() && (old.shape(), new.shape()) != ("integer", "number") {
        Some("what old clients send is of the old type")
    } else if old.nullable && !new.nullable {
        Some("null is accepted no longer")
    } else if new.is_enum() && !old.is_enum() {
        Some("only the listed values are accepted")
    } else if new.shape() == "string" && new.format().is_some() && new.format() != old.format() {
        Some("text of another form is refused")
    } else if new.shape() == "integer" && new.format() == Some("int32") && old.format() != Some("int32") {
        Some("large numbers are refused")
    } else {
        None
    }
}
