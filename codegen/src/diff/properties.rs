//! Objects: which fields there are, and which must be.

use super::change::{Change, Kind, Place};
use super::pair::{members, pairs, texts};
use super::schema::{Direction, Walk};
use super::types::{self, Requirement};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// A field of an object.
#[derive(Clone, Copy)]
struct Field<'a> {
    schema: &'a Value,
    required: bool,
    /// A default matters only to those who send.
    requirement: Requirement,
}

impl<'a> Walk<'_, 'a> {
    pub(super) fn properties(&mut self, place: &Place, old: &'a Value, new: &'a Value) {
        let (old, new) = (
            fields(old, self.comparison.old, self.direction),
            fields(new, self.comparison.new, self.direction),
        );
        for (name, pair) in pairs(old, new) {
            let place = place.step(&format!(".{name}"));
            match pair {
                (Some(old), Some(new)) => {
                    self.field_requirement(&place, old, new);
                    match old.required {
                        true => self.schemas(&place, old.schema, new.schema),
                        false => self.optional(&place, old.schema, new.schema),
                    }
                }
                (Some(old), None) => self.field_gone(&place, old),
                (None, Some(new)) => self.field_new(&place, new),
                (None, None) => {}
            }
        }
    }

    fn field_requirement(&mut self, place: &Place, old: Field<'a>, new: Field<'a>) {
        let reason = match self.direction {
            Direction::Response if !new.required => Some("it was promised, and may be missing now"),
            Direction::Request if new.must_be_sent() => Some("bodies without it are refused"),
            _ => None,
        };
        let words = |field: Field<'_>| Some(json!(field.requirement.as_str()));
        let change = Change::between(Kind::Field, place, words(old), words(new));
        self.comparison.report(change.map(|change| match reason {
            Some(reason) => change.breaking(true).because(reason),
            None => change,
        }));
    }

    fn field_gone(&mut self, place: &Place, old: Field<'a>) {
        let (breaking, message) = match (self.direction, old.required) {
            (Direction::Request, _) => (true, "the field is taken no longer"),
            (Direction::Response, true) => (
                true,
                "the field is gone; it was promised, decoding fails without it",
            ),
            (Direction::Response, false) => (false, "the field is gone; it was optional and reads as absent"),
            (Direction::Error, _) => (false, "the field is gone"),
        };
        let label = json!(types::label_of(old.schema, self.comparison.old));
        let change = Change::between(Kind::Field, place, Some(label), None);
        self.comparison
            .report(change.map(|change| change.breaking(breaking).saying(message)));
    }

    fn field_new(&mut self, place: &Place, new: Field<'a>) {
        let must = self.direction == Direction::Request && new.must_be_sent();
        let message = match must {
            true => "a new field that must be sent; bodies without it are refused".to_owned(),
            false => format!("a new field, {}", new.requirement.as_str()),
        };
        let label = json!(types::label_of(new.schema, self.comparison.new));
        let change = Change::between(Kind::Field, place, None, Some(label));
        self.comparison
            .report(change.map(|change| change.breaking(must).saying(message)));
    }
}

impl Field<'_> {
    fn must_be_sent(self) -> bool {
        self.requirement == Requirement::Required
    }
}

/// The fields of an object; `*` stands for those that the schema does not name but types.
fn fields<'a>(facts: &'a Value, document: &'a Value, direction: Direction) -> Vec<(&'a str, Field<'a>)> {
    let required: BTreeSet<&str> = texts(facts, "required").collect();
    let others = facts
        .get("additionalProperties")
        .filter(|schema| schema.is_object());
    let fields = members(facts, "/properties")
        .chain(others.map(|schema| ("*", schema)))
        .map(|(name, schema)| {
            let required = required.contains(name);
            let has_default = direction == Direction::Request && types::has_default(schema, document);
            (
                name,
                Field {
                    schema,
                    required,
                    requirement: Requirement::new(required, has_default),
                },
            )
        });
    fields.collect()
}
