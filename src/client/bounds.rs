//! The spec's bounds on what is sent, checked before sending.
//!
//! ESI refuses what breaks them, and a refusal costs the error limit. Answers are not checked: ESI may be looser
//! than its spec.

use serde_json::Value as Json;

use super::call::Given;
use crate::error::Error;
use crate::operation::{Bound, Effect, Operation, Rule};

/// Checks every bound of the operation against what was set.
pub(crate) fn check(
    operation: &'static Operation,
    given: &[Given],
    body: Option<&[u8]>,
) -> Result<(), Error> {
    let is_of_body = |bound: &&Bound| body_path(bound.at).is_some();
    for bound in operation.bounds.iter().filter(|bound| !is_of_body(bound)) {
        check_parameter(operation, bound, given)?;
    }
    let max_items = operation.body.and_then(|facts| facts.max_items);
    let mut of_body = operation.bounds.iter().filter(is_of_body).peekable();
    let Some(bytes) = body.filter(|_| of_body.peek().is_some() || max_items.is_some()) else {
        return Ok(());
    };
    let body: Json = serde_json::from_slice(bytes)
        .map_err(|error| Error::request(operation, "body", format!("not JSON: {error}")))?;
    if let (Some(most), Json::Array(entries)) = (max_items, &body) {
        of_count(Rule::MaxItems(most), entries.len())
            .map_err(|reason| Error::request(operation, "body", too_long(operation, reason)))?;
    }
    for bound in of_body {
        check_json(
            operation,
            &body,
            body_path(bound.at).unwrap_or_default(),
            bound.rule,
            "body".to_owned(),
        )?;
    }
    Ok(())
}

/// The part of `body.items[].x` after `body`; none for a parameter's bound.
fn body_path(at: &str) -> Option<&str> {
    at.strip_prefix("body")
        .filter(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}

fn check_parameter(operation: &'static Operation, bound: &Bound, given: &[Given]) -> Result<(), Error> {
    let (name, of_entries) = match bound.at.strip_suffix("[]") {
        Some(name) => (name, true),
        None => (bound.at, false),
    };
    let Some(given) = given.iter().find(|given| given.name == name) else {
        return Ok(());
    };
    let texts = given.value.texts();
    if let (Rule::MinItems(_) | Rule::MaxItems(_), false) = (bound.rule, of_entries) {
        return of_count(bound.rule, texts.len()).map_err(|reason| Error::request(operation, name, reason));
    }
    for text in texts {
        let outcome = match (bound.rule, text.parse::<f64>()) {
            (Rule::Minimum(_) | Rule::Maximum(_) | Rule::Above(_) | Rule::Below(_), Ok(number)) => {
                of_number(bound.rule, number, text)
            }
            _ => of_text(bound.rule, text),
        };
        outcome.map_err(|reason| Error::request(operation, name, reason))?;
    }
    Ok(())
}

/// Follows `path` into the JSON, through every entry of a list, and checks what is there. What is not there has
/// no bound to break.
fn check_json(
    operation: &'static Operation,
    json: &Json,
    path: &str,
    rule: Rule,
    at: String,
) -> Result<(), Error> {
    if let Some(rest) = path.strip_prefix("[]") {
        let entries = json.as_array().map(Vec::as_slice).unwrap_or_default();
        return entries.iter().enumerate().try_for_each(|(index, entry)| {
            check_json(operation, entry, rest, rule, format!("{at}[{index}]"))
        });
    }
    if let Some(rest) = path.strip_prefix('.') {
        let (key, rest) = rest.split_at(rest.find(['.', '[']).unwrap_or(rest.len()));
        return match json.get(key) {
            Some(value) => check_json(operation, value, rest, rule, format!("{at}.{key}")),
            None => Ok(()),
        };
    }
    let outcome = match json {
        Json::Number(number) => of_number(rule, number.as_f64().unwrap_or(f64::NAN), &number.to_string()),
        Json::String(text) => of_text(rule, text),
        Json::Array(entries) => of_count(rule, entries.len()),
        _ => Ok(()),
    };
    outcome.map_err(|reason| Error::request(operation, at, reason))
}

/// What only reads has `all()`, which splits such a body.
fn too_long(operation: &Operation, reason: String) -> String {
    match operation.effect {
        Effect::Read => format!("{reason}: `all()` of the typed call asks for them in parts"),
        Effect::Write => reason,
    }
}

fn of_number(rule: Rule, number: f64, shown: &str) -> Result<(), String> {
    match rule {
        Rule::Minimum(least) if number < least => Err(format!("{shown} is below {least}")),
        Rule::Maximum(most) if number > most => Err(format!("{shown} is above {most}")),
        Rule::Above(limit) if number <= limit => Err(format!("{shown} is not greater than {limit}")),
        Rule::Below(limit) if number >= limit => Err(format!("{shown} is not less than {limit}")),
        _ => Ok(()),
    }
}

/// Texts are not shown: they may be somebody's mail.
fn of_text(rule: Rule, text: &str) -> Result<(), String> {
    let has = text.chars().count();
    match rule {
        Rule::MinLength(least) if has < least as usize => {
            Err(format!("a text of {has} characters, fewer than {least}"))
        }
        Rule::MaxLength(most) if has > most as usize => {
            Err(format!("a text of {has} characters, more than {most}"))
        }
        _ => Ok(()),
    }
}

fn of_count(rule: Rule, has: usize) -> Result<(), String> {
    match rule {
        Rule::MinItems(least) if has < least as usize => Err(format!("{has} entries, fewer than {least}")),
        Rule::MaxItems(most) if has > most as usize => Err(format!("{has} entries, more than {most}")),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::call::Value;
    use crate::operation::{BodyFacts, Method, Place};

    static THING: Operation = Operation::new("PostThing", Method::Post, "/a", "Things")
        .body(BodyFacts {
            required: true,
            max_items: Some(3),
        })
        .bounds(&[
            Bound::new("page", Rule::Minimum(1.0)),
            Bound::new("page", Rule::Maximum(9.0)),
            Bound::new("search", Rule::MinLength(3)),
            Bound::new("ids", Rule::MinItems(1)),
            Bound::new("ids", Rule::MaxItems(2)),
            Bound::new("ids[]", Rule::Minimum(1.0)),
            Bound::new("body[]", Rule::MaxLength(3)),
            Bound::new("body.items[].quantity", Rule::Minimum(1.0)),
            Bound::new("body.name", Rule::MinLength(1)),
            Bound::new("bodyguard", Rule::Maximum(5.0)),
        ]);

    fn parameter(name: &'static str, value: Value) -> String {
        outcome(check(
            &THING,
            &[Given {
                place: Place::Query,
                name,
                value,
            }],
            None,
        ))
    }

    fn one(name: &'static str, text: &str) -> String {
        parameter(name, Value::One(text.to_owned()))
    }

    fn body(text: &str) -> String {
        outcome(check(&THING, &[], Some(text.as_bytes())))
    }

    fn outcome(checked: Result<(), Error>) -> String {
        checked.map_or_else(|error| error.to_string(), |()| "ok".to_owned())
    }

    #[test]
    fn parameters_are_held_to_their_bounds() {
        assert_eq!(one("page", "1"), "ok");
        assert_eq!(
            one("page", "0"),
            "PostThing: page: 0 is below 1; nothing was sent"
        );
        assert_eq!(
            one("page", "9.5"),
            "PostThing: page: 9.5 is above 9; nothing was sent"
        );
        assert_eq!(one("search", "äöü"), "ok");
        assert!(one("search", "äö").contains("a text of 2 characters, fewer than 3"));
        assert!(one("bodyguard", "6").contains("bodyguard: 6 is above 5"));
    }

    #[test]
    fn lists_are_counted_and_their_entries_checked() {
        let list = |texts: &[&str]| Value::List(texts.iter().map(|text| (*text).to_owned()).collect());
        assert_eq!(parameter("ids", list(&["1", "2"])), "ok");
        assert!(parameter("ids", list(&[])).contains("0 entries, fewer than 1"));
        assert!(parameter("ids", list(&["1", "2", "3"])).contains("3 entries, more than 2"));
        assert!(parameter("ids", list(&["1", "-2"])).contains("-2 is below 1"));
    }

    #[test]
    fn bodies_are_followed_to_where_the_bound_is() {
        assert_eq!(body(r#"["abc","d"]"#), "ok");
        assert!(body(r#"["abc","abcd"]"#).contains("body[1]: a text of 4 characters, more than 3"));
        assert!(body("[1,2,3,4]").contains("body: 4 entries, more than 3"));
        assert_eq!(body(r#"{"name":"x","items":[{"quantity":1},{}]}"#), "ok");
        assert!(
            body(r#"{"items":[{"quantity":1},{"quantity":0}]}"#)
                .contains("body.items[1].quantity: 0 is below 1")
        );
        assert!(body(r#"{"name":""}"#).contains("body.name: a text of 0 characters, fewer than 1"));
        assert_eq!(body(r#"{"name":null,"items":3}"#), "ok");
    }

    #[test]
    fn the_bodys_own_limit_needs_no_bound_beside_it() {
        static BULK: Operation = Operation::new("PostBulk", Method::Post, "/a", "Things").body(BodyFacts {
            required: true,
            max_items: Some(1),
        });
        assert_eq!(outcome(check(&BULK, &[], Some(b"[1]"))), "ok");
        let refusal = outcome(check(&BULK, &[], Some(b"[1,2]")));
        assert_eq!(
            refusal,
            "PostBulk: body: 2 entries, more than 1; nothing was sent"
        );
        static READING: Operation = Operation::new("PostNames", Method::Post, "/a", "Things")
            .body(BodyFacts {
                required: true,
                max_items: Some(1),
            })
            .effect(Effect::Read);
        let refusal = outcome(check(&READING, &[], Some(b"[1,2]")));
        assert!(
            refusal.contains("2 entries, more than 1: `all()` of the typed call"),
            "{refusal}"
        );
    }

    #[test]
    fn texts_are_counted_and_not_shown() {
        let refusal = body(r#"["a secret"]"#);
        assert!(
            refusal.contains("8 characters") && !refusal.contains("secret"),
            "{refusal}"
        );
    }

    #[test]
    fn exclusive_bounds_exclude_the_limit() {
        assert!(of_number(Rule::Above(0.0), 0.0, "0").is_err());
        assert!(of_number(Rule::Above(0.0), 0.1, "0.1").is_ok());
        assert!(of_number(Rule::Below(1.0), 1.0, "1").is_err());
        assert!(of_number(Rule::Below(1.0), 0.9, "0.9").is_ok());
    }
}
