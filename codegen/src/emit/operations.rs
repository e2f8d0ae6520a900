//! Operations of a tag: marker, facts, method, setters.

use super::usage::method_of;
use super::{Context, PRELUDE, bounds, finishers, rust};
use crate::document::{Operation, Parameter};
use crate::error::{Error, Result};
use crate::signatures::Method;
use crate::words;
use std::fmt::Write;

/// Methods that every request has: a setter of the same name gets an underscore.
const REQUEST_METHODS: &[&str] = &[
    "all",
    "all_with",
    "asks_nobody",
    "body",
    "body_json",
    "body_map",
    "by_name",
    "cached",
    "cached_only",
    "call",
    "call_mut",
    "changes",
    "clone",
    "esi",
    "fmt",
    "has_query",
    "header",
    "identity",
    "ignore_expires",
    "into_future",
    "join",
    "json",
    "later_than",
    "max_wait",
    "may_have_been_sent",
    "new",
    "not_kept",
    "now",
    "operation",
    "pages",
    "param",
    "param_list",
    "path",
    "path_asked",
    "query",
    "query_each",
    "query_list",
    "resolve",
    "resolve_within",
    "retry_writes",
    "security",
    "send",
    "send_raw",
    "stale_if_error",
    "timeout",
    "untyped",
    "url",
    "with_body",
    "with_body_json",
    "without_query",
];

/// The file of one tag.
pub(super) fn module(context: &Context<'_>, tag: &str) -> Result<String> {
    let mut markers = String::new();
    let mut items = String::new();
    let mut methods = String::new();
    for operation in context
        .operations
        .iter()
        .filter(|operation| words::snake(&operation.tag) == tag)
    {
        let call = Call {
            context,
            operation,
            method: method_of(operation, &context.signatures)?,
        };
        markers.push_str(&call.marker());
        // What is missing for one is noted, once for all tags.
        markers.push_str(&finishers::of(context, operation)?.unwrap_or_default());
        items.push_str(&call.facts());
        methods.push_str(&call.method()?);
        items.push_str(&call.setters()?);
    }
    let items = format!("impl Esi {{\n{methods}}}\n{items}");
    Ok(format!("{PRELUDE}\n{markers}\n{}", rust::formatted(&items)?))
}

/// `GetStatus` gives `GET_STATUS`.
pub(super) fn static_name(id: &str) -> String {
    words::snake(id).to_uppercase()
}

/// One operation with its method.
struct Call<'a> {
    context: &'a Context<'a>,
    operation: &'a Operation,
    method: &'a Method,
}

impl Call<'_> {
    fn marker_name(&self) -> String {
        words::pascal(&self.operation.id)
    }

    fn marker(&self) -> String {
        let name = &self.method.name;
        let docs = rust::docs("    ", &format!("Marks requests of [`Esi::{name}`]."));
        format!(
            "crate::endpoint! {{\n{docs}    pub {} => {}\n}}\n",
            self.marker_name(),
            self.method.output
        )
    }

    /// The `&'static Operation`.
    fn facts(&self) -> String {
        let operation = self.operation;
        let mut chain =
            self.parameter_facts() + &self.access_facts() + &self.cache_facts() + &self.body_facts();
        if let Some(date) = &operation.compatibility_date {
            let _ = write!(chain, ".compatibility_date({})", rust::literal(date));
        }
        if operation.deprecated {
            chain.push_str(".deprecated()");
        }
        let method = words::pascal(&operation.method);
        format!(
            "pub(crate) static {}: Operation = Operation::new({}, Method::{method}, {}, {}){chain};\n",
            static_name(&operation.id),
            rust::literal(&operation.id),
            rust::literal(&operation.path),
            rust::literal(&operation.tag),
        )
    }

    fn parameter_facts(&self) -> String {
        let list = self.operation.parameters.iter().map(|parameter| {
            let place = if parameter.in_path { "path" } else { "query" };
            let mut facts = format!("Parameter::{place}({})", rust::literal(&parameter.name));
            if parameter.is_list() && !parameter.comma {
                facts.push_str(".exploded()");
            }
            if parameter.required && !parameter.in_path {
                facts.push_str(".required()");
            }
            facts
        });
        fact_list("parameters", list.collect())
    }

    /// Who may call it, and how often.
    fn access_facts(&self) -> String {
        let operation = self.operation;
        let requirements = self.marked().map(|(scheme, scopes)| requirement(scheme, scopes));
        let roles = operation.roles.iter().map(|role| rust::literal(role));
        let mut chain = fact_list("security", requirements.collect()) + &fact_list("roles", roles.collect());
        if let Some(limit) = &operation.rate_limit {
            let group = rust::literal(&limit.group);
            let _ = write!(
                chain,
                ".rate_limit({group}, {}, {})",
                limit.tokens, limit.window_seconds
            );
        }
        chain
    }

    fn cache_facts(&self) -> String {
        let operation = self.operation;
        let mut chain = String::new();
        let mode = match operation.cache_mode.as_deref() {
            Some("event-based") => Some("Event"),
            Some("not-cached") => Some("NotCached"),
            Some("ttl-based") => Some("Ttl"),
            // The canonical form has noted it: what it would mean to keep such an answer is not known.
            Some(_) => None,
            None => operation.cache_ttl.map(|_| "Ttl"),
        };
        match (operation.cache_ttl, mode) {
            (Some(ttl), Some(mode)) => drop(write!(chain, ".cache({ttl}, CacheMode::{mode})")),
            (None, Some(mode)) => drop(write!(chain, ".cache_mode(CacheMode::{mode})")),
            _ => {}
        }
        if let Some(pagination) = pagination(self.operation) {
            let _ = write!(chain, ".pagination(Pagination::{pagination})");
        }
        if let Some(ttl) = operation.tombstone_ttl {
            let _ = write!(chain, ".tombstone_ttl({ttl})");
        }
        chain
    }

    fn body_facts(&self) -> String {
        let operation = self.operation;
        let mut chain = String::new();
        if let Some(body) = &operation.body {
            let _ = write!(
                chain,
                ".body(BodyFacts {{ required: {}, max_items: {:?} }})",
                body.required,
                operation.max_items()
            );
        }
        chain.push_str(&fact_list("bounds", bounds::of(self.context.document, operation)));
        if operation.method != "get" && self.is_read() {
            chain.push_str(".effect(Effect::Read)");
        }
        if self.method.output == "()" {
            chain.push_str(".success(Success::Empty)");
        } else if operation.empty_list {
            chain.push_str(".success(Success::JsonOrEmptyList)");
        }
        chain
    }

    fn is_read(&self) -> bool {
        self.operation.method == "get" || self.context.settings.read_only.contains(&self.operation.id)
    }

    /// The requirements that name the marked scheme.
    fn marked(&self) -> impl Iterator<Item = (&String, &Vec<String>)> {
        let scheme = self.context.scheme.as_ref();
        self.operation
            .security
            .iter()
            .filter(move |(name, _)| Some(name) == scheme)
            .map(|(name, scopes)| (name, scopes))
    }

    fn method(&self) -> Result<String> {
        let mut arguments = String::new();
        let mut chain = String::new();
        for (name, content) in &self.method.arguments {
            if name == "body" && self.operation.body.is_some() {
                if self.operation.body.as_ref().is_some_and(|body| body.required) {
                    let content = rust::inside("Vec", content)
                        .map_or_else(|| content.clone(), |item| format!("[{item}]"));
                    let _ = write!(arguments, ", body: &{content}");
                    chain.push_str(".json(body)");
                }
                continue;
            }
            let parameter = self.parameter(name)?;
            if parameter.required {
                let (accepted, set) = self.setting(parameter, name, content)?;
                let _ = write!(arguments, ", {name}: {accepted}");
                chain.push_str(&set);
            }
        }
        let deprecated = if self.operation.deprecated {
            "#[deprecated = \"ESI will remove this operation\"]"
        } else {
            ""
        };
        Ok(format!(
            "{}{deprecated}{}pub fn {}(&self{arguments}) -> Request<{}> {{ self.request(&{}){chain} }}\n",
            self.docs()?,
            rust::inline(&arguments),
            self.method.name,
            self.marker_name(),
            static_name(&self.operation.id),
        ))
    }

    /// One setter for each thing that may be left out.
    fn setters(&self) -> Result<String> {
        let mut setters = String::new();
        for (name, content) in &self.method.arguments {
            if name == "body" && self.operation.body.is_some() {
                if self.operation.body.as_ref().is_some_and(|body| !body.required) {
                    let _ = write!(
                        setters,
                        "/// The body.\npub fn with_body(self, body: &{content}) -> Self {{ self.json(body) }}\n"
                    );
                }
                continue;
            }
            let parameter = self.parameter(name)?;
            if parameter.required {
                continue;
            }
            let setter = rust::apart_from(REQUEST_METHODS, name);
            let (accepted, set) = self.setting(parameter, name, content)?;
            let line = self.context.docs.field(&self.operation.id, &parameter.name);
            let line = line.map_or_else(
                || format!("`{}` of the specification.", parameter.name),
                str::to_owned,
            );
            setters.push_str(&rust::docs("", &line));
            let _ = writeln!(
                setters,
                "{}pub fn {setter}(self, {name}: {accepted}) -> Self {{ self{set} }}",
                rust::inline(&accepted)
            );
        }
        Ok(if setters.is_empty() {
            setters
        } else {
            format!("impl Request<{}> {{\n{setters}}}\n", self.marker_name())
        })
    }

    /// What an argument accepts, and the call that puts it into the request.
    fn setting(&self, parameter: &Parameter, name: &str, content: &str) -> Result<(String, String)> {
        let wire = rust::literal(&parameter.name);
        if let Some(item) = rust::inside("Vec", content) {
            let way = if parameter.comma {
                "query_list"
            } else {
                "query_each"
            };
            let accepted = format!("impl IntoIterator<Item = impl Into<{item}>>");
            return Ok((
                accepted,
                format!(".{way}({wire}, {name}.into_iter().map(Into::<{item}>::into))"),
            ));
        }
        let way = if parameter.in_path { "path" } else { "query" };
        let (accepted, value) = match content {
            "i64" | "f64" | "bool" | "NaiveDate" => (content.to_owned(), name.to_owned()),
            "DateTime<Utc>" => (
                content.to_owned(),
                format!("{name}.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true)"),
            ),
            "String" => ("impl AsRef<str>".to_owned(), format!("{name}.as_ref()")),
            other if other.contains('<') || matches!(other, "Value" | "Map") => {
                let message = format!(
                    "`{}` is of a type that no parameter can have: {other}",
                    parameter.name
                );
                return Err(Error::new("parameter", &self.operation.at(), message));
            }
            other => (
                format!("impl Into<{other}>"),
                format!("Into::<{other}>::into({name})"),
            ),
        };
        Ok((accepted, format!(".{way}({wire}, {value})")))
    }

    fn parameter(&self, argument: &str) -> Result<&Parameter> {
        let plain = argument.trim_start_matches("r#");
        let found = self.operation.parameters.iter().find(|parameter| {
            let word = words::snake(&parameter.name);
            word == plain || format!("{word}_") == plain || format!("_{word}") == plain
        });
        found.ok_or_else(|| {
            let message = format!("the argument `{argument}` belongs to no parameter");
            Error::new("parameter", &self.operation.at(), message)
        })
    }

    fn docs(&self) -> Result<String> {
        let operation = self.operation;
        let first = self.context.docs.operations.get(&operation.id);
        let first = first.map_or_else(|| format!("The operation `{}`.", operation.id), String::clone);
        let mut text = format!(
            "{first}\n\n`{} {}`\n\n",
            operation.method.to_uppercase(),
            operation.path
        );
        for line in self.fact_lines() {
            let _ = writeln!(text, "- {line}");
        }
        let optional: Vec<String> = self
            .method
            .arguments
            .iter()
            .filter(|(name, _)| self.parameter(name).is_ok_and(|parameter| !parameter.required))
            .map(|(name, _)| format!("`{}`", rust::apart_from(REQUEST_METHODS, name)))
            .collect();
        if !optional.is_empty() {
            let _ = writeln!(text, "- Optional: {}", optional.join(", "));
        }
        text.push_str("\n# Errors\nSending it fails as [`Request::send`] says");
        match (self.marked().next().is_some(), operation.roles.is_empty()) {
            (true, false) => text.push_str("; without the scope or the role ESI answers 403.\n"),
            (true, true) => text.push_str("; without the scope ESI answers 403.\n"),
            _ => text.push_str(".\n"),
        }
        Ok(rust::docs("", &text))
    }

    /// What can be said from facts alone.
    fn fact_lines(&self) -> Vec<String> {
        let operation = self.operation;
        let mut lines = vec![self.login_line()];
        if !operation.roles.is_empty() {
            let roles: Vec<String> = operation.roles.iter().map(|role| format!("`{role}`")).collect();
            lines.push(format!("Corporation role: any of {}", roles.join(", ")));
        }
        lines.push(self.effect_line());
        lines.push(match &operation.rate_limit {
            Some(limit) => format!(
                "Rate limit: group `{}`, {} tokens in {} s",
                limit.group, limit.tokens, limit.window_seconds
            ),
            None => "Rate limit: none of its own; failures count against the error limit".to_owned(),
        });
        lines.extend(self.pages_line());
        let most = operation.max_items();
        let split = if finishers::splits_body(self.context.settings, operation) {
            "; `all` takes more"
        } else {
            ""
        };
        lines.extend(most.map(|max| format!("Body: at most {max} entries{split}")));
        lines
    }

    fn login_line(&self) -> String {
        let scopes: Vec<String> = self
            .marked()
            .flat_map(|(_, scopes)| scopes)
            .map(|scope| format!("`{scope}`"))
            .collect();
        match (self.marked().next().is_some(), scopes.is_empty()) {
            (true, false) => format!("Login: with {}", scopes.join(", ")),
            (true, true) => "Login: any".to_owned(),
            _ => "Login: not needed".to_owned(),
        }
    }

    /// For how long the answer of a read is kept, or what else is called.
    fn effect_line(&self) -> String {
        let operation = self.operation;
        if operation.method == "get" {
            return match (operation.cache_ttl, operation.cache_mode.as_deref()) {
                (Some(ttl), Some(mode)) => format!("Cache: {ttl} s ({mode})"),
                (Some(ttl), None) => format!("Cache: {ttl} s"),
                (None, Some(mode)) => format!("Cache: time not stated ({mode})"),
                (None, None) => "Cache: not stated".to_owned(),
            };
        }
        let kind = if self.is_read() {
            "reads only, so it may be sent again"
        } else {
            "writes"
        };
        format!("Effect: {kind}")
    }

    fn pages_line(&self) -> Option<String> {
        let pages = match pagination(self.operation)? {
            "Pages" => "by number, `page`, or together, `all` and `pages`",
            "Cursor" => "by cursor, `before` and `after`, or together, `all` and `changes`",
            "FromId" => "backwards, `from_id`, or together, `all`",
            "LastMailId" => "backwards, `last_mail_id`, or together, `all`",
            "FromEvent" => "forwards, `from_event`, or together, `all`",
            _ => return None,
        };
        Some(format!("Pages: {pages}"))
    }
}

/// How the rest of a long answer is asked for.
pub(super) fn pagination(operation: &Operation) -> Option<&'static str> {
    let is_get = operation.method == "get";
    match () {
        () if operation.cursor => Some("Cursor"),
        () if operation.x_pages => Some("Pages"),
        () if is_get && operation.has_parameter("from_id") => Some("FromId"),
        () if is_get && operation.has_parameter("last_mail_id") => Some("LastMailId"),
        () if is_get && operation.has_parameter("from_event") => Some("FromEvent"),
        () => None,
    }
}

/// A fact that is a list, unless there is nothing in it.
fn fact_list(name: &str, entries: Vec<String>) -> String {
    if entries.is_empty() {
        String::new()
    } else {
        format!(".{name}(&[{}])", entries.join(", "))
    }
}

fn requirement(scheme: &str, scopes: &[String]) -> String {
    let scopes: Vec<String> = scopes.iter().map(|scope| rust::literal(scope)).collect();
    format!(
        "Security {{ scheme: {}, scopes: &[{}] }}",
        rust::literal(scheme),
        scopes.join(", ")
    )
}
