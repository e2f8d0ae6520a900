//! What comes back: status, content, pages, and the shape of errors.

use super::Comparison;
use super::change::{Change, Kind, Place};
use super::pair::{flag, members, text};
use super::parameters::content;
use super::schema::{Direction, Walk};
use super::types;
use serde_json::{Value, json};

impl<'a> Comparison<'a> {
    pub(super) fn responses(&mut self, place: &Place, old: &'a Value, new: &'a Value) {
        self.success(&place.part("response"), old, new);
        self.empty_list(&place.part("response"), old, new);
        self.pagination(place, old, new);
        self.errors(place, old, new);
    }

    fn success(&mut self, place: &Place, old: &'a Value, new: &'a Value) {
        let (before, after) = (success(old), success(new));
        let code = |found: Option<(&str, &Value)>| found.map(|(code, _)| json!(code));
        self.report(Change::between(Kind::Status, place, code(before), code(after)));
        let schema = |found: Option<(&'a str, &'a Value)>| found.and_then(|(_, response)| content(response));
        match (schema(before), schema(after)) {
            (Some(old), Some(new)) => Walk::new(self, Direction::Response).schemas(place, old, new),
            (old, new) => {
                let from = old.map(|old| json!(types::label_of(old, self.old)));
                let to = new.map(|new| json!(types::label_of(new, self.new)));
                let gone = old.is_some();
                let message = if gone {
                    "nothing comes back any more"
                } else {
                    "there is something to read now"
                };
                let change = Change::between(Kind::Type, place, from, to);
                self.report(change.map(|change| change.breaking(gone).saying(message)));
            }
        }
    }

    /// A 204 beside the 200 is read as an empty list by any client.
    fn empty_list(&mut self, place: &Place, old: &Value, new: &Value) {
        let code = |facts| flag(facts, "x-empty-list").then(|| json!("204"));
        let change = Change::between(Kind::Status, place, code(old), code(new));
        self.report(change.map(|change| change.because("it stands for an empty list")));
    }

    /// A client that does not know of further pages takes the first for the whole.
    fn pagination(&mut self, place: &Place, old: &Value, new: &Value) {
        let kind = |facts| pagination(facts).map(Value::from);
        let change = Change::between(Kind::Pagination, place, kind(old), kind(new));
        self.report(change.map(|change| {
            change
                .about("pages")
                .breaking(true)
                .because("old clients go from page to page in another way")
        }));
    }

    /// Both classes mostly have one shape: that is said once.
    fn errors(&mut self, place: &Place, old: &'a Value, new: &'a Value) {
        let error = |facts: &'a Value, class: &str| facts.get("responses").and_then(|all| all.get(class));
        if [old, new]
            .iter()
            .all(|facts| error(facts, "4XX") == error(facts, "5XX"))
        {
            return self.error(&place.part("error"), error(old, "4XX"), error(new, "4XX"));
        }
        for class in ["4XX", "5XX"] {
            self.error(
                &place.part(format!("error {class}")),
                error(old, class),
                error(new, class),
            );
        }
    }

    /// Errors are read leniently, so nothing in them breaks callers.
    fn error(&mut self, place: &Place, old: Option<&'a Value>, new: Option<&'a Value>) {
        match (old.and_then(content), new.and_then(content)) {
            (Some(old), Some(new)) => Walk::new(self, Direction::Error).schemas(place, old, new),
            (old, new) => {
                let from = old.map(|old| json!(types::label_of(old, self.old)));
                let to = new.map(|new| json!(types::label_of(new, self.new)));
                let message = if to.is_some() {
                    "a shape is stated"
                } else {
                    "no shape is stated any more"
                };
                let change = Change::between(Kind::Status, place, from, to);
                self.report(change.map(|change| change.saying(message)));
            }
        }
    }
}

/// The one successful answer that a canonical operation has.
fn success(facts: &Value) -> Option<(&str, &Value)> {
    members(facts, "/responses")
        .filter(|(code, _)| code.starts_with('2'))
        .min_by_key(|(code, _)| *code)
}

fn pagination(facts: &Value) -> Option<&str> {
    let numbered = success(facts).is_some_and(|(_, response)| response.pointer("/headers/X-Pages").is_some());
    text(facts, "x-pagination").or(numbered.then_some("numbered"))
}
