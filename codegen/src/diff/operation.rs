//! Operations: matched by method and path, then compared part by part.

use super::Comparison;
use super::change::{Change, Kind, Operation, Place};
use super::pair::{flag, members, pairs, text};
use crate::words;
use serde_json::{Value, json};
use std::collections::BTreeMap;

const METHODS: &[&str] = &[
    "delete", "get", "head", "options", "patch", "post", "put", "trace",
];

/// An operation where a document has it.
pub(super) struct Found<'a> {
    pub(super) method: &'a str,
    pub(super) path: &'a str,
    pub(super) facts: &'a Value,
}

impl<'a> Comparison<'a> {
    pub(super) fn operations(&mut self) {
        let (old, new) = (index(self.old), index(self.new));
        for (key, pair) in pairs(&old, &new) {
            match pair {
                (Some(old), Some(new)) => self.operation(old, new),
                (Some(old), None) => self.gone(old, &other_methods(&key.path, &new)),
                (None, Some(new)) => {
                    let to = Some(json!(new.id()));
                    let change = Change::between(Kind::Operation, &new.place(), None, to);
                    self.report(change.map(|change| change.saying("the operation is new")));
                }
                (None, None) => {}
            }
        }
    }

    fn gone(&mut self, old: &Found<'a>, still_there: &[String]) {
        let change = Change::between(Kind::Operation, &old.place(), Some(json!(old.id())), None);
        let message = match still_there {
            [] => "the operation is gone".to_owned(),
            methods => format!(
                "the operation is gone; its path is still there for {}",
                methods.join(", ")
            ),
        };
        self.report(change.map(|change| change.breaking(true).saying(message)));
    }

    fn operation(&mut self, old: &Found<'a>, new: &Found<'a>) {
        let place = old.place();
        self.id(&place, old, new);
        self.tag(&place, old.facts, new.facts);
        self.deprecation(&place, old.facts, new.facts);
        self.security(&place, old.facts, new.facts);
        self.roles(&place, old.facts, new.facts);
        self.extensions(&place, old.facts, new.facts);
        self.parameters(&place, old, new);
        self.body(&place, old.facts, new.facts);
        self.responses(&place, old.facts, new.facts);
    }

    /// Dialects spell ids differently; callers see the method's name only.
    fn id(&mut self, place: &Place, old: &Found<'a>, new: &Found<'a>) {
        let (before, after) = (words::snake(old.id()), words::snake(new.id()));
        let change = Change::between(
            Kind::Operation,
            place,
            Some(json!(old.id())),
            Some(json!(new.id())),
        );
        self.report(change.map(|change| {
            match before == after {
                true => change.saying("its id is spelled another way, the method keeps its name"),
                false => change
                    .breaking(true)
                    .saying(format!("the method `{before}` is called `{after}` now")),
            }
        }));
    }

    fn tag(&mut self, place: &Place, old: &Value, new: &Value) {
        let tag = |facts: &Value| {
            facts
                .pointer("/tags/0")
                .and_then(Value::as_str)
                .map(str::to_owned)
        };
        let (before, after) = (tag(old), tag(new));
        let module = |tag: &Option<String>| tag.as_deref().map(words::snake);
        let moved = module(&before) != module(&after);
        let change = Change::between(Kind::Tag, place, before.map(Value::from), after.map(Value::from));
        let change = change.map(|change| change.about("the tag").breaking(moved));
        self.report(change.map(|change| match moved {
            true => change.because("the operation is in another module and behind another feature"),
            false => change,
        }));
    }

    fn deprecation(&mut self, place: &Place, old: &Value, new: &Value) {
        let state = |facts: &Value| {
            facts
                .get("deprecated")
                .filter(|state| **state == json!(true))
                .cloned()
        };
        let change = Change::between(Kind::Deprecated, place, state(old), state(new));
        let message = if flag(new, "deprecated") {
            "deprecated from now on"
        } else {
            "no longer deprecated"
        };
        self.report(change.map(|change| change.saying(message)));
    }
}

impl<'a> Found<'a> {
    fn id(&self) -> &'a str {
        text(self.facts, "operationId").unwrap_or_default()
    }

    fn place(&self) -> Place {
        Place::operation(Operation {
            path: without_slash(self.path).to_owned(),
            method: self.method.to_ascii_uppercase(),
            id: self.id().to_owned(),
        })
    }

    /// The names in braces, in order.
    pub(super) fn path_names(&self) -> Vec<&'a str> {
        self.path.split('/').filter_map(in_braces).collect()
    }
}

/// What operations are matched by. Paths that are the same but for names in braces are told apart by their order.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Key<'a> {
    path: String,
    method: &'a str,
    order: usize,
}

fn index(document: &Value) -> BTreeMap<Key<'_>, Found<'_>> {
    let paths: BTreeMap<&str, &Value> = members(document, "/paths").collect();
    let mut index = BTreeMap::new();
    for (path, item) in paths {
        for (method, facts) in members(item, "").filter(|(method, _)| METHODS.contains(method)) {
            let mut key = Key {
                path: shape_of(path),
                method,
                order: 0,
            };
            while index.contains_key(&key) {
                key.order += 1;
            }
            index.insert(key, Found { method, path, facts });
        }
    }
    index
}

fn other_methods(path: &str, index: &BTreeMap<Key<'_>, Found<'_>>) -> Vec<String> {
    index
        .keys()
        .filter(|key| key.path == path)
        .map(|key| key.method.to_ascii_uppercase())
        .collect()
}

/// `/markets/{region_id}/orders/` and `/markets/{id}/orders` have one shape.
fn shape_of(path: &str) -> String {
    let segments = without_slash(path).split('/');
    segments
        .map(|segment| in_braces(segment).map_or(segment, |_| "{}"))
        .collect::<Vec<_>>()
        .join("/")
}

fn without_slash(path: &str) -> &str {
    path.strip_suffix('/').unwrap_or(path)
}

fn in_braces(segment: &str) -> Option<&str> {
    segment.strip_prefix('{')?.strip_suffix('}')
}
