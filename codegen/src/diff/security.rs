//! Who may call: schemes, scopes, roles.

use super::Comparison;
use super::change::{Change, Kind, Place};
use super::pair::{fact, items, members, pairs, text, texts};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

const SCHEMES: &str = "/components/securitySchemes";

impl<'a> Comparison<'a> {
    pub(super) fn security_schemes(&mut self) {
        let renamed = self.renamed_scheme();
        let name_in_new = |name| {
            renamed
                .filter(|(before, _)| *before == name)
                .map_or(name, |(_, after)| after)
        };
        let old = members(self.old, SCHEMES).map(|(name, scheme)| (name_in_new(name), scheme));
        if let Some((before, after)) = renamed {
            let place = Place::document().part("security scheme");
            let change = Change::between(
                Kind::SecurityScheme,
                &place,
                Some(json!(before)),
                Some(json!(after)),
            );
            self.report(change.map(|change| change.about("the name")));
        }
        for (name, pair) in pairs(old, members(self.new, SCHEMES)) {
            let place = Place::document().part(format!("security scheme {name}"));
            match pair {
                (Some(old), Some(new)) => self.scheme(&place, old, new),
                (old, new) => {
                    let name = |scheme: Option<_>| scheme.map(|_| json!(name));
                    let change = Change::between(Kind::SecurityScheme, &place, name(old), name(new));
                    self.report(change.map(|change| change.breaking(old.is_some())));
                }
            }
        }
    }

    /// Where one scheme of a type went and one of the same type came, it is the same under another name.
    fn renamed_scheme(&self) -> Option<(&'a str, &'a str)> {
        let mut gone = Vec::new();
        let mut come = Vec::new();
        for (name, pair) in pairs(members(self.old, SCHEMES), members(self.new, SCHEMES)) {
            match pair {
                (Some(old), None) => gone.push((name, text(old, "type"))),
                (None, Some(new)) => come.push((name, text(new, "type"))),
                _ => {}
            }
        }
        match (&gone[..], &come[..]) {
            ([(before, kind)], [(after, other)]) if kind == other => Some((*before, *after)),
            _ => None,
        }
    }

    fn scheme(&mut self, place: &Place, old: &'a Value, new: &'a Value) {
        let kind = Change::between(Kind::SecurityScheme, place, fact(old, "type"), fact(new, "type"));
        self.report(kind.map(|change| change.about("the type").breaking(true)));
        for (flow, (old, new)) in pairs(members(old, "/flows"), members(new, "/flows")) {
            let name = |side: Option<_>| side.map(|_| json!(flow));
            let change = Change::between(Kind::SecurityScheme, place, name(old), name(new));
            self.report(change.map(|change| change.about("the login flow").breaking(old.is_some())));
            for key in ["authorizationUrl", "refreshUrl", "tokenUrl"] {
                let (Some(old), Some(new)) = (old, new) else {
                    continue;
                };
                let change = Change::between(Kind::SecurityScheme, place, fact(old, key), fact(new, key));
                let reason = "clients read the addresses of the SSO from its discovery document";
                self.report(change.map(|change| change.about(&format!("{flow} {key}")).because(reason)));
            }
        }
        for (scope, (old, new)) in pairs(known_scopes(old), known_scopes(new)) {
            let change = Change::between(Kind::Scope, place, old.map(Value::from), new.map(Value::from));
            let gone = new.is_none();
            self.report(change.map(|change| {
                match gone {
                    true => change
                        .breaking(true)
                        .saying(format!("`{scope}` is gone; a login that asks for it is refused")),
                    false => change,
                }
            }));
        }
    }

    /// Scopes and login of one operation. What was enough for the old document must be enough for the new one.
    pub(super) fn security(&mut self, place: &Place, old: &'a Value, new: &'a Value) {
        let (before, after) = (self.requirements(old), self.requirements(new));
        if let ([before], [after]) = (&before[..], &after[..]) {
            return self.requirement_parts(place, before, after);
        }
        let list =
            |requirements: &[Requirement<'_>]| json!(requirements.iter().map(written).collect::<Vec<_>>());
        let locked_out = before
            .iter()
            .any(|had| !after.iter().any(|need| need.is_subset(had)));
        let change = Change::between(Kind::Scope, place, Some(list(&before)), Some(list(&after)));
        self.report(change.map(|change| change.about("any of").breaking(locked_out)));
    }

    fn requirement_parts(&mut self, place: &Place, before: &Requirement<'a>, after: &Requirement<'a>) {
        let parts =
            |requirement: &Requirement<'a>| requirement.iter().map(|part| (*part, ())).collect::<Vec<_>>();
        for ((scheme, scope), (old, new)) in pairs(parts(before), parts(after)) {
            let (kind, name, need) = match scope {
                Some(scope) => (Kind::Scope, scope, "a token without it is refused"),
                None => (Kind::SecurityScheme, scheme, "the call needs a login now"),
            };
            let side = |side: Option<()>| side.map(|()| json!(name));
            let change = Change::between(kind, place, side(old), side(new));
            let needed = old.is_none();
            self.report(change.map(|change| match needed {
                true => change.breaking(true).because(need),
                false if scope.is_none() => change.saying("the call needs no login of this scheme any more"),
                false => change.because("the call needs it no longer"),
            }));
        }
    }

    /// The alternatives of an operation, under the names of the new document; one empty one where no login is needed.
    fn requirements(&self, facts: &'a Value) -> Vec<Requirement<'a>> {
        let renamed = self.renamed_scheme();
        let name_in_new = |name| {
            renamed
                .filter(|(before, _)| *before == name)
                .map_or(name, |(_, after)| after)
        };
        let mut all: Vec<Requirement<'a>> = Vec::new();
        for alternative in items(facts, "security") {
            let mut requirement = Requirement::new();
            for (scheme, _) in members(alternative, "") {
                let name = name_in_new(scheme);
                requirement.insert((name, None));
                requirement.extend(texts(alternative, scheme).map(|scope| (name, Some(scope))));
            }
            all.push(requirement);
        }
        all.sort();
        all.dedup();
        if all.is_empty() {
            all.push(Requirement::new());
        }
        all
    }

    /// Any one of the roles is enough, so a longer list lets more people in; an empty one lets everybody in.
    pub(super) fn roles(&mut self, place: &Place, old: &'a Value, new: &'a Value) {
        let roles = |facts| {
            texts(facts, "x-required-roles")
                .map(|role| (role, role))
                .collect::<BTreeMap<_, _>>()
        };
        let (before, after) = (roles(old), roles(new));
        let (free_before, free_after) = (before.is_empty(), after.is_empty());
        for (_, (old, new)) in pairs(before, after) {
            let breaking = if new.is_some() {
                free_before && old.is_none()
            } else {
                !free_after
            };
            let change = Change::between(Kind::Role, place, old.map(Value::from), new.map(Value::from));
            self.report(change.map(|change| match (breaking, old.is_some()) {
                (true, true) => change.breaking(true).because("who has only this role is refused"),
                (true, false) => change.breaking(true).because("until now no role was needed"),
                (false, true) => change.because("no role is needed any more"),
                (false, false) => change.because("it is enough, as the others are"),
            }));
        }
    }
}

/// All of these are needed: a login by a scheme, and scopes of it.
type Requirement<'a> = BTreeSet<(&'a str, Option<&'a str>)>;

fn written(requirement: &Requirement<'_>) -> String {
    let parts = requirement.iter().map(|(scheme, scope)| scope.unwrap_or(scheme));
    let text = parts.collect::<Vec<_>>().join(" + ");
    if text.is_empty() {
        "no login".to_owned()
    } else {
        text
    }
}

/// The scopes that any flow of a scheme lists.
fn known_scopes(scheme: &Value) -> BTreeMap<&str, &str> {
    let flows = members(scheme, "/flows").flat_map(|(_, flow)| members(flow, "/scopes"));
    flows.map(|(scope, _)| (scope, scope)).collect()
}
