//! Which limits an operation is under: by the specification until an answer says otherwise.

use std::collections::HashMap;
use std::time::Duration;

use super::answer::Answer;
use super::bucket::Quota;
use super::turns::Track;
use crate::operation::Operation;

/// More groups than this are not taken from headers: the specification has 46.
const MOST_GROUPS: usize = 1000;

/// A group of operations that share buckets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct GroupId(usize);

/// The limits an operation is under.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Route {
    pub(super) group: Option<GroupId>,
    /// Whether its failures count against the error limit.
    pub(super) errors: bool,
}

impl Route {
    pub(super) fn track(self) -> Track {
        if self.errors {
            Track::Errors
        } else {
            Track::Buckets
        }
    }
}

/// What is known of operations and groups.
#[derive(Debug, Default)]
pub(super) struct Routes {
    routes: HashMap<&'static str, Route>,
    groups: Vec<Group>,
    names: HashMap<Box<str>, GroupId>,
}

#[derive(Debug)]
struct Group {
    name: Box<str>,
    quota: Quota,
}

impl Routes {
    pub(super) fn of(&mut self, operation: &'static Operation) -> Route {
        if let Some(route) = self.routes.get(operation.id) {
            return *route;
        }
        let group = operation.rate_limit.and_then(|limit| {
            let quota = Quota {
                tokens: limit.tokens.max(1),
                window: Duration::from_secs(u64::from(limit.window.max(1))),
            };
            self.group(limit.group, Some(quota))
        });
        let route = Route {
            group,
            errors: group.is_none(),
        };
        self.routes.insert(operation.id, route);
        route
    }

    pub(super) fn quota(&self, group: GroupId) -> Quota {
        self.groups[group.0].quota
    }

    pub(super) fn name(&self, group: GroupId) -> &str {
        &self.groups[group.0].name
    }

    /// Takes what an answer says of the operation and its group. Returns the group that the call was charged to,
    /// when the answer speaks of one.
    pub(super) fn learn(&mut self, operation: &'static Operation, answer: &Answer<'_>) -> Option<GroupId> {
        let known = self.of(operation);
        let words = &answer.bucket;
        let has_errors = answer.error_limit.is_some();
        let group = match words.group {
            Some(name) => self.group(name, words.quota),
            None => known.group.filter(|_| !words.is_empty()),
        };
        if let Some(group) = group {
            if let Some(quota) = words.quota {
                self.groups[group.0].quota = quota;
            }
            let route = Route {
                group: Some(group),
                errors: has_errors,
            };
            self.routes.insert(operation.id, route);
        } else if has_errors && answer.status != 420 {
            // The headers of the two limits exclude each other; a 420 speaks of the address, not of the operation.
            let route = Route {
                errors: true,
                ..known
            };
            self.routes.insert(operation.id, route);
        }
        group
    }

    /// The group of this name, a new one where its quota is known.
    fn group(&mut self, name: &str, quota: Option<Quota>) -> Option<GroupId> {
        if let Some(&known) = self.names.get(name) {
            return Some(known);
        }
        let quota = quota.filter(|_| self.groups.len() < MOST_GROUPS)?;
        let group = GroupId(self.groups.len());
        self.groups.push(Group {
            name: name.into(),
            quota,
        });
        self.names.insert(name.into(), group);
        Some(group)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::headers::Headers;
    use crate::operation::Method;

    static PLAIN: Operation = Operation::new("Plain", Method::Get, "/plain", "t");
    static FITTINGS: Operation =
        Operation::new("Fittings", Method::Get, "/fittings", "t").rate_limit("fitting", 150, 900);

    fn learn(
        routes: &mut Routes,
        operation: &'static Operation,
        status: u16,
        lines: &[(&'static str, &'static str)],
    ) {
        let lines = lines.iter().map(|(name, value)| {
            (
                http::HeaderName::from_static(name),
                http::HeaderValue::from_static(value),
            )
        });
        let headers = Headers::new(lines.collect());
        routes.learn(operation, &Answer::read(status, &headers, b""));
    }

    /// The operation's group and quota, and whether the error limit concerns it.
    fn route(routes: &mut Routes, operation: &'static Operation) -> (Option<(String, u32, u64)>, bool) {
        let route = routes.of(operation);
        let group = route.group.map(|group| {
            let quota = routes.quota(group);
            (
                routes.name(group).to_owned(),
                quota.tokens,
                quota.window.as_secs(),
            )
        });
        (group, route.errors)
    }

    fn group(name: &str, tokens: u32, window: u64) -> Option<(String, u32, u64)> {
        Some((name.to_owned(), tokens, window))
    }

    #[test]
    fn the_specification_holds_until_an_answer_says_otherwise() {
        let mut routes = Routes::default();
        assert_eq!(route(&mut routes, &PLAIN), (None, true));
        assert_eq!(route(&mut routes, &FITTINGS), (group("fitting", 150, 900), false));
        learn(&mut routes, &FITTINGS, 200, &[("x-ratelimit-limit", "300/1h")]);
        assert_eq!(
            route(&mut routes, &FITTINGS),
            (group("fitting", 300, 3_600), false)
        );
        learn(
            &mut routes,
            &FITTINGS,
            200,
            &[("x-ratelimit-group", "fitting"), ("x-ratelimit-limit", "no")],
        );
        assert_eq!(
            route(&mut routes, &FITTINGS),
            (group("fitting", 300, 3_600), false),
            "what does not read is not said"
        );
    }

    #[test]
    fn a_group_that_the_specification_does_not_know_is_taken_from_headers() {
        let mut routes = Routes::default();
        learn(&mut routes, &PLAIN, 200, &[("x-ratelimit-group", "new")]);
        assert_eq!(
            route(&mut routes, &PLAIN),
            (None, true),
            "what it holds is not known"
        );
        learn(
            &mut routes,
            &PLAIN,
            200,
            &[("x-ratelimit-group", "new"), ("x-ratelimit-limit", "60/15m")],
        );
        assert_eq!(route(&mut routes, &PLAIN), (group("new", 60, 900), false));
        learn(&mut routes, &FITTINGS, 200, &[("x-ratelimit-group", "new")]);
        assert_eq!(
            route(&mut routes, &FITTINGS),
            (group("new", 60, 900), false),
            "an operation may move"
        );
    }

    #[test]
    fn an_operation_that_shows_the_error_limit_is_under_it() {
        let errors: &[_] = &[
            ("x-esi-error-limit-remain", "99"),
            ("x-esi-error-limit-reset", "30"),
        ];
        let mut routes = Routes::default();
        learn(&mut routes, &FITTINGS, 420, errors);
        assert_eq!(
            route(&mut routes, &FITTINGS),
            (group("fitting", 150, 900), false),
            "a 420 says nothing of it"
        );
        learn(&mut routes, &FITTINGS, 404, errors);
        assert_eq!(route(&mut routes, &FITTINGS), (group("fitting", 150, 900), true));
        learn(&mut routes, &FITTINGS, 200, &[("x-ratelimit-group", "fitting")]);
        assert_eq!(route(&mut routes, &FITTINGS), (group("fitting", 150, 900), false));
    }

    #[test]
    fn headers_cannot_make_groups_without_end() {
        let mut routes = Routes::default();
        for number in 0..2 * MOST_GROUPS {
            routes.group(
                &format!("group-{number}"),
                Some(Quota {
                    tokens: 1,
                    window: Duration::from_secs(1),
                }),
            );
        }
        assert_eq!(routes.groups.len(), MOST_GROUPS);
    }
}
