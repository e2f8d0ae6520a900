//! What a call sends: parameters and body.

use super::Comparison;
use super::change::{Change, Kind, Place};
use super::operation::Found;
use super::pair::{flag, items, pairs, text};
use super::schema::{Direction, Walk};
use super::types::{self, Requirement};
use serde_json::{Value, json};

impl<'a> Comparison<'a> {
    pub(super) fn parameters(&mut self, place: &Place, old: &Found<'a>, new: &Found<'a>) {
        for (_, pair) in pairs(keyed(old), keyed(new)) {
            let ((Some(any), _) | (None, Some(any))) = pair else {
                continue;
            };
            let place = place.part(format!("parameter {}", name(any)));
            match pair {
                (Some(old), Some(new)) => {
                    self.parameter_name(&place, old, new);
                    self.parameter(&place, old, new);
                }
                (Some(old), None) => {
                    let from = Some(json!(types::label_of(schema(old), self.old)));
                    let change = Change::between(Kind::Parameter, &place, from, None);
                    let message = "the parameter is gone; what was asked with it cannot be asked any more";
                    self.report(change.map(|change| change.breaking(true).saying(message)));
                }
                (None, Some(new)) => self.new_parameter(&place, new),
                (None, None) => {}
            }
        }
    }

    /// Only a path parameter can be matched under another name. Calls pass it by position.
    fn parameter_name(&mut self, place: &Place, old: &'a Value, new: &'a Value) {
        let change = Change::between(
            Kind::Parameter,
            place,
            Some(json!(name(old))),
            Some(json!(name(new))),
        );
        self.report(change.map(|change| change.about("the name").because("calls pass it by position")));
    }

    /// A parameter that both have.
    pub(super) fn parameter(&mut self, place: &Place, old: &'a Value, new: &'a Value) {
        self.requirement(place, old, new);
        let style = |parameter| Some(json!(style(parameter)));
        let change = Change::between(Kind::Parameter, place, style(old), style(new));
        self.report(change.map(|change| {
            change
                .about("the way lists are written")
                .breaking(true)
                .because("lists are read wrongly or refused")
        }));
        Walk::new(self, Direction::Request).schemas(place, schema(old), schema(new));
    }

    /// Whether a call must name it.
    pub(super) fn requirement(&mut self, place: &Place, old: &Value, new: &Value) {
        let (before, after) = (Requirement::of(old, self.old), Requirement::of(new, self.new));
        let words = |requirement: Requirement| Some(json!(requirement.as_str()));
        let change = Change::between(Kind::Parameter, place, words(before), words(after));
        let must = after == Requirement::Required;
        self.report(change.map(|change| match must {
            true => change.breaking(true).because("calls without it are refused"),
            false => change,
        }));
    }

    /// A parameter that only the new document has.
    pub(super) fn new_parameter(&mut self, place: &Place, new: &'a Value) {
        let requirement = Requirement::of(new, self.new);
        let must = requirement == Requirement::Required;
        let label = types::label_of(schema(new), self.new);
        let change = Change::between(Kind::Parameter, place, None, Some(json!(label)));
        let message = match must {
            true => "a new parameter that must be sent; calls without it are refused".to_owned(),
            false => format!("a new parameter, {}", requirement.as_str()),
        };
        self.report(change.map(|change| change.breaking(must).saying(message)));
    }

    pub(super) fn body(&mut self, place: &Place, old: &'a Value, new: &'a Value) {
        let place = place.part("body");
        match (old.get("requestBody"), new.get("requestBody")) {
            (Some(old), Some(new)) => self.changed_body(&place, old, new),
            (Some(old), None) => {
                let from = Some(json!(types::label_of(schema_of_body(old), self.old)));
                let change = Change::between(Kind::Body, &place, from, None);
                self.report(change.map(|change| change.breaking(true).saying("a body is taken no longer")));
            }
            (None, Some(new)) => {
                let must = flag(new, "required");
                let message = match must {
                    true => "a body must be sent; calls without it are refused",
                    false => "a body may be sent",
                };
                let to = Some(json!(types::label_of(schema_of_body(new), self.new)));
                let change = Change::between(Kind::Body, &place, None, to);
                self.report(change.map(|change| change.breaking(must).saying(message)));
            }
            (None, None) => {}
        }
    }

    fn changed_body(&mut self, place: &Place, old: &'a Value, new: &'a Value) {
        let words = |body| {
            Some(json!(if flag(body, "required") {
                "required"
            } else {
                "optional"
            }))
        };
        let change = Change::between(Kind::Body, place, words(old), words(new));
        let must = flag(new, "required");
        self.report(change.map(|change| change.breaking(must)));
        Walk::new(self, Direction::Request).schemas(place, schema_of_body(old), schema_of_body(new));
    }
}

/// Path parameters by their position, others by name: the template's names are the document's own affair.
fn keyed<'a>(operation: &Found<'a>) -> Vec<((&'a str, String), &'a Value)> {
    let in_path = operation.path_names();
    let parameters = items(operation.facts, "parameters").map(|parameter| {
        let place = text(parameter, "in").unwrap_or_default();
        let position = in_path
            .iter()
            .position(|name| Some(*name) == text(parameter, "name"));
        let key = match position {
            Some(position) if place == "path" => format!("{position:04}"),
            _ => name(parameter).to_owned(),
        };
        ((place, key), parameter)
    });
    parameters.collect()
}

impl Requirement {
    fn of(parameter: &Value, document: &Value) -> Self {
        Self::new(
            flag(parameter, "required"),
            types::has_default(schema(parameter), document),
        )
    }
}

fn name(parameter: &Value) -> &str {
    text(parameter, "name").unwrap_or_default()
}

pub(super) fn schema(parameter: &Value) -> &Value {
    parameter.get("schema").unwrap_or(&Value::Null)
}

fn schema_of_body(body: &Value) -> &Value {
    content(body).unwrap_or(&Value::Null)
}

/// The JSON schema of a body or a response.
pub(super) fn content(holder: &Value) -> Option<&Value> {
    holder.pointer("/content/application~1json/schema")
}

fn style(parameter: &Value) -> &'static str {
    match parameter.get("explode").and_then(Value::as_bool) {
        Some(false) => "a=1,2",
        _ => "a=1&a=2",
    }
}
