//! What is known of an operation before it is called.
//!
//! Generated code has one static [`Operation`] per operation of the spec. The runtime reads nothing else: it never
//! downloads a spec.

/// The facts of one operation of ESI.
///
/// ```
/// for operation in esikit::OPERATIONS.iter().filter(|operation| operation.security.is_empty()) {
///     println!("{} {}: no login needed", operation.method, operation.path);
/// }
/// ```
#[derive(PartialEq)]
#[non_exhaustive]
pub struct Operation {
    /// The spec's operationId, such as `GetStatus`.
    pub id: &'static str,
    /// The HTTP method.
    pub method: Method,
    /// The path, with its parameters in braces.
    pub path: &'static str,
    /// The tag it stands under in the spec.
    pub tag: &'static str,
    /// Path and query parameters.
    pub parameters: &'static [Parameter],
    /// What it requires of the caller's login: any of these. Empty: no login.
    pub security: &'static [Security],
    /// Corporation roles of which the character needs any one.
    pub roles: &'static [&'static str],
    /// Its bucket; none where only the error limit applies.
    pub rate_limit: Option<RateLimit>,
    /// For how many seconds an answer is fresh; none where the spec does not say.
    pub cache_ttl: Option<u32>,
    /// How the server decides that an answer is fresh.
    pub cache_mode: Option<CacheMode>,
    /// How the rest of a long answer is asked for.
    pub pagination: Pagination,
    /// The request body; none where it takes none.
    pub body: Option<BodyFacts>,
    /// The spec's bounds on parameters and body, checked before sending.
    pub bounds: &'static [Bound],
    /// Whether it changes anything.
    pub effect: Effect,
    /// What a success carries.
    pub success: Success,
    /// For how many seconds the server remembers deleted records of a cursor listing.
    pub tombstone_ttl: Option<u32>,
    /// The date its present form was introduced.
    pub compatibility_date: Option<&'static str>,
    /// Whether the spec calls it deprecated.
    pub deprecated: bool,
}

/// Short, since every error shows it: the facts are public fields.
impl std::fmt::Debug for Operation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Operation({} {} {})", self.id, self.method, self.path)
    }
}

/// An HTTP method.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Method {
    /// `GET`
    Get,
    /// `POST`
    Post,
    /// `PUT`
    Put,
    /// `DELETE`
    Delete,
    /// `PATCH`
    Patch,
}

impl Method {
    /// The method as it stands in a request line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Delete => "DELETE",
            Self::Patch => "PATCH",
        }
    }
}

impl std::fmt::Display for Method {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

/// A path or query parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Parameter {
    /// Its name in the spec.
    pub name: &'static str,
    /// Where it stands.
    pub place: Place,
    /// Whether a list is written as `x=1&x=2` instead of `x=1,2`.
    pub exploded: bool,
    /// Whether a call must set it.
    pub required: bool,
}

#[allow(dead_code, reason = "a build of few operations needs few of them")]
impl Parameter {
    pub(crate) const fn path(name: &'static str) -> Self {
        Self {
            name,
            place: Place::Path,
            exploded: false,
            required: true,
        }
    }

    pub(crate) const fn query(name: &'static str) -> Self {
        Self {
            name,
            place: Place::Query,
            exploded: false,
            required: false,
        }
    }

    pub(crate) const fn exploded(mut self) -> Self {
        self.exploded = true;
        self
    }

    pub(crate) const fn required(mut self) -> Self {
        self.required = true;
        self
    }
}

/// Where a parameter stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Place {
    /// In the path, always required.
    Path,
    /// In the query.
    Query,
}

/// A security requirement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Security {
    /// The security scheme's name in the spec.
    pub scheme: &'static str,
    /// The scopes a token needs, all of them.
    pub scopes: &'static [&'static str],
}

/// A security scheme of the specification, as plain data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct SecurityScheme {
    /// Its name in the specification, such as `OAuth2`.
    pub name: &'static str,
    /// Where a login begins.
    pub authorization_url: Option<&'static str>,
    /// Where tokens are given out; none for the implicit flow of the retired Swagger document.
    pub token_url: Option<&'static str>,
    /// Every scope that it declares.
    pub scopes: &'static [&'static str],
}

/// The bucket that calls of an operation draw from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct RateLimit {
    /// The group of operations that share the bucket.
    pub group: &'static str,
    /// How many tokens a window holds.
    pub tokens: u32,
    /// The window's length in seconds.
    pub window: u32,
}

/// How the server decides that an answer is fresh.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum CacheMode {
    /// For a fixed time.
    Ttl,
    /// Until something changes.
    Event,
    /// Every request is answered anew.
    NotCached,
}

/// How the rest of a long answer is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Pagination {
    /// It comes whole.
    None,
    /// By number, `page`; `X-Pages` says how many.
    Pages,
    /// By opaque tokens, `before` and `after`.
    Cursor,
    /// Backwards by `from_id`.
    FromId,
    /// Backwards by `last_mail_id`.
    LastMailId,
    /// Forwards by `from_event`.
    FromEvent,
}

/// What is known of a request body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct BodyFacts {
    /// Whether it must be there.
    pub required: bool,
    /// How many entries a list may have.
    pub max_items: Option<u32>,
}

/// A bound on one value of a request.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Bound {
    /// Which value: a parameter's name, or `body` with a path in it such as `body.items[].quantity`.
    pub at: &'static str,
    /// What it must keep to.
    pub rule: Rule,
}

#[allow(dead_code, reason = "a build of few operations needs few of them")]
impl Bound {
    pub(crate) const fn new(at: &'static str, rule: Rule) -> Self {
        Self { at, rule }
    }
}

/// What a bounded value must keep to.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Rule {
    /// No number below this.
    Minimum(f64),
    /// No number above this.
    Maximum(f64),
    /// Only numbers greater than this.
    Above(f64),
    /// Only numbers less than this.
    Below(f64),
    /// No text of fewer characters.
    MinLength(u32),
    /// No text of more characters.
    MaxLength(u32),
    /// No list of fewer entries.
    MinItems(u32),
    /// No list of more entries.
    MaxItems(u32),
}

/// Whether an operation changes anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Effect {
    /// It only reads: sending it twice does no harm.
    Read,
    /// It changes something.
    Write,
}

/// What a success carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Success {
    /// A JSON value.
    Json,
    /// Nothing.
    Empty,
    /// A JSON list, or nothing (204), which means an empty list.
    JsonOrEmptyList,
}

/// The facts, one by one: what generated code is written in.
#[allow(dead_code, reason = "a build of few operations needs few of them")]
impl Operation {
    pub(crate) const fn new(id: &'static str, method: Method, path: &'static str, tag: &'static str) -> Self {
        Self {
            id,
            method,
            path,
            tag,
            parameters: &[],
            security: &[],
            roles: &[],
            rate_limit: None,
            cache_ttl: None,
            cache_mode: None,
            pagination: Pagination::None,
            body: None,
            bounds: &[],
            effect: if matches!(method, Method::Get) {
                Effect::Read
            } else {
                Effect::Write
            },
            success: Success::Json,
            tombstone_ttl: None,
            compatibility_date: None,
            deprecated: false,
        }
    }

    pub(crate) const fn parameters(mut self, parameters: &'static [Parameter]) -> Self {
        self.parameters = parameters;
        self
    }

    pub(crate) const fn security(mut self, any_of: &'static [Security]) -> Self {
        self.security = any_of;
        self
    }

    pub(crate) const fn roles(mut self, any_of: &'static [&'static str]) -> Self {
        self.roles = any_of;
        self
    }

    pub(crate) const fn rate_limit(mut self, group: &'static str, tokens: u32, window: u32) -> Self {
        self.rate_limit = Some(RateLimit {
            group,
            tokens,
            window,
        });
        self
    }

    pub(crate) const fn cache(mut self, ttl: u32, mode: CacheMode) -> Self {
        self.cache_ttl = Some(ttl);
        self.cache_mode = Some(mode);
        self
    }

    pub(crate) const fn cache_mode(mut self, mode: CacheMode) -> Self {
        self.cache_mode = Some(mode);
        self
    }

    pub(crate) const fn pagination(mut self, pagination: Pagination) -> Self {
        self.pagination = pagination;
        self
    }

    pub(crate) const fn body(mut self, facts: BodyFacts) -> Self {
        self.body = Some(facts);
        self
    }

    pub(crate) const fn bounds(mut self, bounds: &'static [Bound]) -> Self {
        self.bounds = bounds;
        self
    }

    pub(crate) const fn effect(mut self, effect: Effect) -> Self {
        self.effect = effect;
        self
    }

    pub(crate) const fn success(mut self, success: Success) -> Self {
        self.success = success;
        self
    }

    pub(crate) const fn tombstone_ttl(mut self, seconds: u32) -> Self {
        self.tombstone_ttl = Some(seconds);
        self
    }

    pub(crate) const fn compatibility_date(mut self, date: &'static str) -> Self {
        self.compatibility_date = Some(date);
        self
    }

    pub(crate) const fn deprecated(mut self) -> Self {
        self.deprecated = true;
        self
    }
}
