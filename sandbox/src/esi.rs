//! The way of one request to ESI, from top to bottom.

use crate::access;
use crate::clock::{Clock, http_date};
use crate::contract::{Contract, Operation, PathValues, Route};
use crate::draw::Draw;
use crate::error::Error;
use crate::freshness::{Freshness, dressed};
use crate::http::{Answer, Incoming};
use crate::limits::{Limits, Principal, cost};
use crate::parameters::{self, Given};
use crate::refusal::Refusal;
use crate::schema::is_date;
use crate::sso::{Sso, Who};
use crate::values::{Maker, Question, Records, World};
use crate::violations::Violations;
use chrono::{DateTime, Utc};
use serde_json::Value;
use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The compatibility date of a request that names none.
const OLDEST: &str = "2020-01-01";

/// Answers that are remembered; beyond that, those that are no longer fresh are forgotten.
const MOST_FETCHED: usize = 10_000;

/// Parameters that walk through a list: what they ask for lies beyond what a sandbox has made.
const WALKS: [&str; 5] = ["after", "before", "from_event", "from_id", "last_mail_id"];

/// What a sandbox tells its ESI.
#[derive(Debug)]
pub(crate) struct Setup {
    pub(crate) contract: Arc<Contract>,
    pub(crate) world: World,
    pub(crate) clock: Clock,
    pub(crate) sso: Arc<Sso>,
    /// Refuse requests that do not say who they come from.
    pub(crate) strict_user_agent: bool,
    /// Records of a page.
    pub(crate) page_size: usize,
}

/// ESI of one sandbox.
#[derive(Debug)]
pub(crate) struct Esi {
    setup: Setup,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    limits: Limits,
    violations: Violations,
    /// Answers that were put, by operation and path.
    put: HashMap<(String, String), Value>,
    /// Until when each answer that was fetched is fresh.
    fetched: HashMap<String, DateTime<Utc>>,
    /// Roles of characters that do not have all.
    roles: HashMap<i64, BTreeSet<String>>,
}

/// What is known of a request on its way.
struct Way<'a> {
    incoming: &'a Incoming,
    operation: &'a Operation,
    now: DateTime<Utc>,
    /// Whose bucket pays; the address until a token is verified.
    principal: Principal,
}

/// A value to answer with, and how many pages there are.
struct Content {
    value: Value,
    pages: Option<usize>,
}

impl Esi {
    pub(crate) fn new(setup: Setup) -> Self {
        Self {
            setup,
            state: Mutex::default(),
        }
    }

    /// Answers one request.
    pub(crate) fn answer(&self, incoming: &Incoming) -> Answer {
        let now = self.setup.clock.second();
        let mut state = self.state();
        let said_who = ["user-agent", "x-user-agent"]
            .iter()
            .any(|name| incoming.header(name).is_some_and(|text| !text.trim().is_empty()));
        if !said_who {
            state.violations.without_user_agent += 1;
        }
        let route = self.setup.contract.route(&incoming.method, &incoming.path);
        let is_unknown = matches!(route, Route::Unknown);
        let answer = match route {
            Route::Found(operation, path_values) => {
                let way = Way {
                    incoming,
                    operation,
                    now,
                    principal: Principal::Address(incoming.address),
                };
                self.answer_operation(way, path_values, said_who, &mut state)
            }
            // The error limit closes every route, those that do not exist too.
            _ if state.limits.errors_left(incoming.address, now).remain == 0 => {
                error_limited(incoming, now, &mut state)
            }
            Route::OtherMethod(methods) => {
                let refusal = Refusal::new(405, "Method not allowed").with("allow", methods.join(", "));
                count_error(refusal.into_answer(), incoming, now, &mut state)
            }
            Route::Unknown => count_error(Answer::error(404, "Not found"), incoming, now, &mut state),
        };
        if matches!(answer.status, 400 | 405 | 422) || is_unknown && answer.status == 404 {
            state.violations.invalid += 1;
        }
        answer.with("date", http_date(now))
    }

    fn answer_operation(
        &self,
        mut way: Way<'_>,
        path_values: PathValues,
        said_who: bool,
        state: &mut State,
    ) -> Answer {
        if state.limits.errors_left(way.incoming.address, way.now).remain == 0 {
            return error_limited(way.incoming, way.now, state);
        }
        let who = access::who(way.operation, way.incoming, &self.setup.sso);
        if let Ok(Some(who)) = &who {
            way.principal = Principal::Character {
                application: who.application.clone(),
                character: who.character,
            };
        }
        if let Some(limited) = way.rate_limited(state) {
            return limited;
        }
        let answer = self
            .check_headers(&way, said_who)
            .and_then(|()| self.answer_who(&way, path_values, who?, state))
            .unwrap_or_else(Refusal::into_answer);
        way.settled(answer, state)
    }

    /// Who sends, and for which compatibility date.
    fn check_headers(&self, way: &Way<'_>, said_who: bool) -> Result<(), Refusal> {
        if self.setup.strict_user_agent && !said_who {
            return Err(Refusal::new(400, "a User-Agent is required: say who you are"));
        }
        let date =
            match way.incoming.headers.get("x-compatibility-date") {
                None => OLDEST,
                Some(value) => value.to_str().ok().filter(|date| is_date(date)).ok_or_else(|| {
                    Refusal::new(400, "X-Compatibility-Date must be a day such as 2026-08-18")
                })?,
            };
        // Days written so compare as texts.
        if date > way.now.format("%Y-%m-%d").to_string().as_str() {
            return Err(Refusal::new(400, "X-Compatibility-Date lies in the future"));
        }
        match &way.operation.since {
            Some(since) if date < since.as_str() => {
                let message =
                    format!("Not found: this route is there from the compatibility date {since} on");
                Err(Refusal::new(404, message))
            }
            _ => Ok(()),
        }
    }

    fn answer_who(
        &self,
        way: &Way<'_>,
        path_values: PathValues,
        who: Option<Who>,
        state: &mut State,
    ) -> Result<Answer, Refusal> {
        let (operation, schemas) = (way.operation, &self.setup.contract.schemas);
        let given = Given::read(operation, &path_values, way.incoming, schemas)?;
        if let Some(who) = &who {
            let corporation = self.setup.world.corporation_of(who.character);
            let all = &self.setup.contract.roles;
            let roles = state.roles.get(&who.character).unwrap_or(all);
            access::check(operation, &given, who, corporation, roles)?;
        }
        let body = parameters::body(operation, way.incoming, schemas)?;
        let content = self.content(way, &given, body.as_ref(), state)?;
        let mut answer = if operation.answer.is_some() {
            Answer::json(operation.status, &content.value)
        } else {
            Answer::empty(operation.status)
        };
        if let Some(pages) = content.pages {
            answer = answer.with("x-pages", pages);
        }
        if operation.method != "GET" {
            return Ok(answer);
        }
        let place = Draw::of(self.setup.world.seed).under(&way.incoming.path);
        let freshness = operation.ttl.map(|ttl| Freshness::at(way.now, ttl, place));
        if let Some(freshness) = freshness {
            way.note_fetch(freshness.expires, state);
        }
        Ok(dressed(answer, freshness, way.incoming))
    }

    /// What was put, or what the seed says.
    fn content(
        &self,
        way: &Way<'_>,
        given: &Given,
        body: Option<&Value>,
        state: &State,
    ) -> Result<Content, Refusal> {
        let operation = way.operation;
        let page = given
            .integer("page")
            .and_then(|page| usize::try_from(page).ok())
            .unwrap_or(1);
        let page = page.saturating_sub(1);
        let size = self.setup.page_size;
        if let Some(value) = state.put.get(&(operation.id.clone(), way.incoming.path.clone())) {
            return match value {
                Value::Array(records) if operation.has_pages => {
                    let pages = records.len().div_ceil(size).max(1);
                    check_page(page, pages)?;
                    let records = records.iter().skip(page * size).take(size).cloned();
                    Ok(Content {
                        value: records.collect(),
                        pages: Some(pages),
                    })
                }
                value => Ok(Content {
                    value: value.clone(),
                    pages: None,
                }),
            };
        }
        let query = given.query_text(operation);
        let place = Draw::of(self.setup.world.seed)
            .under("size")
            .under(&way.incoming.path)
            .under(&query);
        let walks_on = WALKS.iter().any(|name| given.has(name));
        let (records, pages) = if operation.has_pages {
            let pages = 1 + place.under("pages").below(3) as usize;
            check_page(page, pages)?;
            let last = 1 + place.under("last").below(size as u64) as usize;
            let count = if page + 1 == pages { last } else { size };
            (
                Records {
                    from: page * size,
                    count,
                },
                Some(pages),
            )
        } else {
            let count = if walks_on { 0 } else { 1 + place.below(10) as usize };
            (Records { from: 0, count }, None)
        };
        let maker = Maker {
            contract: &self.setup.contract,
            world: self.setup.world,
        };
        let mut value = maker.answer(&Question {
            operation,
            path: &way.incoming.path,
            path_values: &given.ids(),
            query: &query,
            ids: &parameters::listed_ids(body),
            buys: match given.text("order_type") {
                Some("buy") => Some(true),
                Some("sell") => Some(false),
                _ => None,
            },
            records,
        });
        if operation.has_cursor && walks_on {
            empty_lists(&mut value);
        }
        Ok(Content { value, pages })
    }

    /// Sets what an operation answers at a path.
    pub(crate) fn put(&self, name: &str, path: &str, value: Value) -> Result<(), Error> {
        let operation = self.setup.contract.operation(name)?;
        if operation.values_in(path).is_none() {
            return Err(Error::Path {
                operation: name.to_owned(),
                path: path.to_owned(),
                template: operation.path.clone(),
            });
        }
        let faults = match &operation.answer {
            Some(schema) => self.setup.contract.schemas.faults(schema, &value, "answer"),
            None => {
                let faults = vec!["it answers without a body".to_owned()];
                return Err(Error::Value {
                    operation: name.to_owned(),
                    faults,
                });
            }
        };
        if !faults.is_empty() {
            return Err(Error::Value {
                operation: name.to_owned(),
                faults: faults.iter().map(ToString::to_string).collect(),
            });
        }
        self.state().put.insert((name.to_owned(), path.to_owned()), value);
        Ok(())
    }

    pub(crate) fn set_roles(&self, character: i64, roles: BTreeSet<String>) {
        self.state().roles.insert(character, roles);
    }

    pub(crate) fn violations(&self) -> Violations {
        self.state().violations
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Way<'_> {
    /// The refusal of a bucket that is used up.
    fn rate_limited(&self, state: &mut State) -> Option<Answer> {
        let bucket = self.operation.bucket.as_ref()?;
        let left = state.limits.tokens_left(bucket, &self.principal, self.now);
        if left.remaining > 0 {
            return None;
        }
        state.violations.while_rate_limited += 1;
        let answer = Answer::error(429, "Too many requests").with("retry-after", left.wait);
        Some(self.settled(answer, state))
    }

    /// Takes what the answer costs, and says what is left.
    fn settled(&self, answer: Answer, state: &mut State) -> Answer {
        let Some(bucket) = &self.operation.bucket else {
            return count_error(answer, self.incoming, self.now, state);
        };
        let cost = cost(answer.status);
        state.limits.spend(bucket, &self.principal, self.now, cost);
        let left = state.limits.tokens_left(bucket, &self.principal, self.now);
        answer
            .with("x-ratelimit-group", &bucket.group)
            .with(
                "x-ratelimit-limit",
                format!("{}/{}", bucket.tokens, bucket.window),
            )
            .with("x-ratelimit-remaining", left.remaining)
            .with("x-ratelimit-used", cost)
    }

    /// Remembers until when the answer is fresh, and counts whoever asks before.
    fn note_fetch(&self, expires: DateTime<Utc>, state: &mut State) {
        let incoming = self.incoming;
        let settings = ["accept-language", "x-compatibility-date", "x-tenant"]
            .map(|name| incoming.header(name).unwrap_or_default());
        let mut query: Vec<&str> = incoming.query.split('&').collect();
        query.sort_unstable();
        let key = format!("{:?} {} {query:?} {settings:?}", self.principal, incoming.path);
        if state.fetched.len() > MOST_FETCHED {
            state.fetched.retain(|_, expires| self.now < *expires);
        }
        let before = state.fetched.insert(key, expires);
        if before.is_some_and(|before| self.now < before) {
            state.violations.before_expires += 1;
        }
    }
}

fn error_limited(incoming: &Incoming, now: DateTime<Utc>, state: &mut State) -> Answer {
    state.violations.while_error_limited += 1;
    let left = state.limits.errors_left(incoming.address, now);
    Answer::error(420, "This software has exceeded the error limit for ESI.")
        .with("x-esi-error-limit-remain", left.remain)
        .with("x-esi-error-limit-reset", left.reset)
}

/// Counts an answer against the error limit, and says what is left.
fn count_error(answer: Answer, incoming: &Incoming, now: DateTime<Utc>, state: &mut State) -> Answer {
    if !(200..400).contains(&answer.status) {
        state.limits.count_error(incoming.address, now);
    }
    let left = state.limits.errors_left(incoming.address, now);
    answer
        .with("x-esi-error-limit-remain", left.remain)
        .with("x-esi-error-limit-reset", left.reset)
}

fn check_page(page: usize, pages: usize) -> Result<(), Refusal> {
    if page < pages {
        Ok(())
    } else {
        Err(Refusal::new(404, "Requested page does not exist!"))
    }
}

/// A cursor that has come to its end: the records are there, and there are none.
fn empty_lists(value: &mut Value) {
    for (_, member) in value.as_object_mut().into_iter().flatten() {
        if let Value::Array(records) = member {
            records.clear();
        }
    }
}
