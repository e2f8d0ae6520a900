//! Schemas, compared through their references, from the outside in.

use super::Comparison;
use super::bounds;
use super::change::{Change, Kind, Place};
use super::pair::{items, pairs};
use super::types::{self, View};
use serde_json::{Value, json};
use std::ptr;

/// Which way a value goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    /// The client sends it: the new document must accept what the old one did.
    Request,
    /// The client reads it: the new document must promise what the old one did.
    Response,
    /// The client reads it leniently: nothing breaks.
    Error,
}

/// One way through a pair of schemas.
pub(super) struct Walk<'c, 'a> {
    pub(super) comparison: &'c mut Comparison<'a>,
    pub(super) direction: Direction,
    /// Pairs of schemas that the walk is inside of; one that comes again has no end.
    trail: Vec<(&'a Value, &'a Value)>,
}

impl<'c, 'a> Walk<'c, 'a> {
    pub(super) fn new(comparison: &'c mut Comparison<'a>, direction: Direction) -> Self {
        Self {
            comparison,
            direction,
            trail: Vec::new(),
        }
    }

    /// Compares two schemas where a value must stand.
    pub(super) fn schemas(&mut self, place: &Place, old: &'a Value, new: &'a Value) {
        let (old, new) = self.views(old, new);
        self.compare(place, old, new);
    }

    /// Compares two schemas where the old client copes with nothing as well as with a value.
    pub(super) fn optional(&mut self, place: &Place, old: &'a Value, new: &'a Value) {
        let (mut old, new) = self.views(old, new);
        old.may_be_absent = true;
        self.compare(place, old, new);
    }

    fn views(&self, old: &'a Value, new: &'a Value) -> (View<'a>, View<'a>) {
        (
            View::of(old, self.comparison.old),
            View::of(new, self.comparison.new),
        )
    }

    fn compare(&mut self, place: &Place, old: View<'a>, new: View<'a>) {
        let named = old.component.or(new.component);
        let place = named.map_or_else(|| place.clone(), |name| place.at_component(name));
        self.types(&place, &old, &new);
        if old.shape() != new.shape() || self.is_inside(old.facts, new.facts) {
            return;
        }
        self.trail.push((old.facts, new.facts));
        self.enum_values(&place, old.facts, new.facts);
        if self.direction == Direction::Request {
            let found = bounds::compare(&place, old.facts, new.facts);
            self.comparison.changes.extend(found);
        }
        self.children(&place, &old, &new);
        self.trail.pop();
    }

    fn is_inside(&self, old: &Value, new: &Value) -> bool {
        self.trail
            .iter()
            .any(|(before, after)| ptr::eq(*before, old) && ptr::eq(*after, new))
    }

    fn children(&mut self, place: &Place, old: &View<'a>, new: &View<'a>) {
        match old.shape() {
            "array" => self.schemas(
                &place.step("[]"),
                member(old.facts, "items"),
                member(new.facts, "items"),
            ),
            "object" => self.properties(place, old.facts, new.facts),
            "map" => {
                let values = "additionalProperties";
                self.schemas(
                    &place.step(".*"),
                    member(old.facts, values),
                    member(new.facts, values),
                );
            }
            "choice" => self.alternatives(place, old.facts, new.facts),
            _ => {}
        }
    }

    fn types(&mut self, place: &Place, old: &View<'a>, new: &View<'a>) {
        let change = Change::between(
            Kind::Type,
            place,
            Some(json!(old.label())),
            Some(json!(new.label())),
        );
        let reason = types::why_breaking(old, new, self.direction);
        self.comparison.report(change.map(|change| match reason {
            Some(reason) => change.breaking(true).because(reason),
            None => change,
        }));
    }

    /// Enums are open where they are read. Whether a schema is an enum at all is part of its type.
    fn enum_values(&mut self, place: &Place, old: &'a Value, new: &'a Value) {
        if old.get("enum").is_none() || new.get("enum").is_none() {
            return;
        }
        let values = |facts| {
            items(facts, "enum")
                .map(|value| (value.to_string(), value))
                .collect::<Vec<_>>()
        };
        for (_, (old, new)) in pairs(values(old), values(new)) {
            let change = Change::between(Kind::EnumValue, place, old.cloned(), new.cloned());
            let refused = self.direction == Direction::Request && new.is_none();
            self.comparison.report(change.map(|change| match refused {
                true => change.breaking(true).because("it must not be sent any more"),
                false => change,
            }));
        }
    }

    /// A choice is open where it is read; what can be sent must go on being accepted.
    fn alternatives(&mut self, place: &Place, old: &'a Value, new: &'a Value) {
        let alternatives = |facts| {
            items(facts, "oneOf")
                .map(|branch| (tag_of(branch), branch))
                .collect::<Vec<_>>()
        };
        for (tag, pair) in pairs(alternatives(old), alternatives(new)) {
            match pair {
                (Some(old), Some(new)) => self.schemas(place, old, new),
                (old, new) => {
                    let side = |side: Option<_>| side.map(|_| json!(tag));
                    let refused = self.direction == Direction::Request && new.is_none();
                    let change = Change::between(Kind::Alternative, place, side(old), side(new));
                    self.comparison
                        .report(change.map(|change| change.about("alternative").breaking(refused)));
                }
            }
        }
    }
}

fn member<'a>(facts: &'a Value, key: &str) -> &'a Value {
    facts.get(key).unwrap_or(&Value::Null)
}

/// Canonical alternatives are objects of one property, which names them.
fn tag_of(branch: &Value) -> String {
    let properties = branch.get("properties").and_then(Value::as_object);
    properties
        .and_then(|properties| properties.keys().next())
        .cloned()
        .unwrap_or_else(|| branch.to_string())
}
