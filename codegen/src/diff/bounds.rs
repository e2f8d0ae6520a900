//! What may be sent: bounds that became tighter are refusals to come. Answers are read whatever their bounds say.

use super::change::{Change, Kind, Place};
use super::pair::{fact, flag};
use serde_json::{Value, json};

/// Name of a bound, its flag for "not the bound itself", and whether more of it is tighter.
const LIMITS: &[(&str, &str, bool)] = &[
    ("minimum", "exclusiveMinimum", true),
    ("minItems", "", true),
    ("minLength", "", true),
    ("minProperties", "", true),
    ("maximum", "exclusiveMaximum", false),
    ("maxItems", "", false),
    ("maxLength", "", false),
    ("maxProperties", "", false),
];

/// Rules that are there or not, and are another rule when they change.
const RULES: &[&str] = &["multipleOf", "pattern", "uniqueItems"];

/// Bounds and default of a schema that is sent.
pub(super) fn compare(place: &Place, old: &Value, new: &Value) -> Vec<Change> {
    let limits = LIMITS
        .iter()
        .filter_map(|limit| limit_change(place, limit, old, new));
    let rules = RULES.iter().filter_map(|rule| rule_change(place, rule, old, new));
    let default = Change::between(Kind::Default, place, fact(old, "default"), fact(new, "default"));
    limits
        .chain(rules)
        .chain(default.map(|change| change.about("default")))
        .collect()
}

fn limit_change(place: &Place, limit: &(&str, &str, bool), old: &Value, new: &Value) -> Option<Change> {
    let (name, exclusive, more_is_tighter) = *limit;
    let read = |facts: &Value| Limit::read(facts, name, exclusive);
    let (before, after) = (read(old), read(new));
    let tighter = match (&before, &after) {
        (None, Some(_)) => true,
        (Some(before), Some(after)) if before.number == after.number => after.exclusive && !before.exclusive,
        (Some(before), Some(after)) => (after.number > before.number) == more_is_tighter,
        (_, None) => false,
    };
    let written = |limit: Option<Limit>| limit.map(Limit::written);
    let change = Change::between(Kind::Bound, place, written(before), written(after))?.about(name);
    Some(if tighter {
        change.breaking(true).because("what was allowed may be refused")
    } else {
        change
    })
}

fn rule_change(place: &Place, rule: &str, old: &Value, new: &Value) -> Option<Change> {
    let read = |facts: &Value| fact(facts, rule).filter(|value| value != &json!(false));
    let change = Change::between(Kind::Bound, place, read(old), read(new))?.about(rule);
    let tighter = change.to.is_some();
    Some(if tighter {
        change.breaking(true).because("what was allowed may be refused")
    } else {
        change
    })
}

struct Limit {
    value: Value,
    number: f64,
    exclusive: bool,
}

impl Limit {
    /// A least length of nothing is no bound.
    fn read(facts: &Value, name: &str, exclusive: &str) -> Option<Self> {
        let value = facts.get(name)?;
        let number = value.as_f64()?;
        let idle = number == 0.0 && name.starts_with("min") && name != "minimum";
        (!idle).then(|| Self {
            value: value.clone(),
            number,
            exclusive: flag(facts, exclusive),
        })
    }

    fn written(self) -> Value {
        if self.exclusive {
            json!(format!("beyond {}", self.value))
        } else {
            self.value
        }
    }
}
