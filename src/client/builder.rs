//! What a client is told when it is built.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::header::{ACCEPT, ACCEPT_LANGUAGE, HeaderMap, HeaderName, HeaderValue, USER_AGENT};
use url::Url;

use super::call::{HeaderNames, Settings, header};
use super::checked::{base_url, checked_date, header_value, http_url, user_agent, with_compatibility_date};
#[cfg(feature = "security")]
use super::forwarding::Forwarding;
use super::transport::Transport;
use super::warned::Warned;
use super::{Esi, Shared};
#[cfg(feature = "cache")]
use crate::cache::{Cache, Flights};
use crate::clock::{Clock, SystemClock};
use crate::error::Error;
use crate::event::{EventListener, Listeners};
use crate::limit::{self, Limits};
use crate::loopback::is_loopback;
#[cfg(feature = "security")]
use crate::security::EsiSecurity;
#[cfg(feature = "cache")]
use crate::store::CacheStore;
use crate::{retry, spec};

/// Builds an [`Esi`]. [`Esi::builder`] begins one.
///
/// ```
/// use std::time::Duration;
///
/// let esi = esikit::Esi::builder()
///     .user_agent("my-app/1.0 (me@example.com)")
///     .base_url("http://localhost:8080")
///     .language("de")
///     .timeout(Duration::from_secs(30))
///     .build()?;
/// # Ok::<(), esikit::Error>(())
/// ```
#[must_use = "a builder does nothing until `build`"]
pub struct EsiBuilder {
    user_agent: Option<String>,
    base_url: String,
    tenant: Option<String>,
    language: Option<String>,
    compatibility_date: Option<String>,
    connect_timeout: Duration,
    read_timeout: Duration,
    timeout: Duration,
    max_body: usize,
    headers: Vec<(String, String)>,
    proxy: Option<String>,
    no_proxy: bool,
    #[cfg(feature = "tls")]
    root_certificates: Vec<Vec<u8>>,
    #[cfg(feature = "reqwest-builder")]
    hook: Option<Hook>,
    #[cfg(feature = "security")]
    security: Option<EsiSecurity>,
    max_wait: Duration,
    concurrency: usize,
    error_reserve: u32,
    retry: retry::Policy,
    listeners: Vec<Arc<dyn EventListener>>,
    clock: Arc<dyn Clock>,
    #[cfg(feature = "cache")]
    keeping: Keeping,
}

/// What is said about kept answers.
#[cfg(feature = "cache")]
struct Keeping {
    bytes: u64,
    store: Option<Arc<dyn CacheStore>>,
    refusals: Option<Duration>,
}

#[cfg(feature = "reqwest-builder")]
type Hook = Box<dyn FnOnce(reqwest::ClientBuilder) -> reqwest::ClientBuilder + Send>;

impl Default for EsiBuilder {
    fn default() -> Self {
        Self {
            user_agent: None,
            base_url: spec::DEFAULT_BASE_URL.to_owned(),
            tenant: None,
            language: None,
            compatibility_date: None,
            connect_timeout: Duration::from_secs(10),
            read_timeout: Duration::from_secs(30),
            timeout: Duration::from_secs(120),
            max_body: 64 * 1024 * 1024,
            headers: Vec::new(),
            proxy: None,
            no_proxy: false,
            #[cfg(feature = "tls")]
            root_certificates: Vec::new(),
            #[cfg(feature = "reqwest-builder")]
            hook: None,
            #[cfg(feature = "security")]
            security: None,
            max_wait: Duration::from_secs(60),
            concurrency: 20,
            error_reserve: 10,
            retry: retry::Policy::default(),
            listeners: Vec::new(),
            clock: Arc::new(SystemClock),
            #[cfg(feature = "cache")]
            keeping: Keeping {
                bytes: 64 * 1024 * 1024,
                store: None,
                refusals: None,
            },
        }
    }
}

impl EsiBuilder {
    /// Who asks, and how to reach them: `my-app/1.0 (me@example.com)`. Required.
    ///
    /// CCP writes to the address when an application causes trouble, and blocks it when there is none.
    pub fn user_agent(mut self, user_agent: impl Into<String>) -> Self {
        self.user_agent = Some(user_agent.into());
        self
    }

    /// Where ESI is; the spec's own server unless this is said.
    ///
    /// `https` needs the feature `tls`, which is on by default.
    pub fn base_url(mut self, url: impl Into<String>) -> Self {
        self.base_url = url.into();
        self
    }

    /// Which game server to ask about, sent as `X-Tenant`; ESI takes its own default when this is not said.
    pub fn tenant(mut self, tenant: impl Into<String>) -> Self {
        self.tenant = Some(tenant.into());
        self
    }

    /// The language of names and texts, sent as `Accept-Language`: `en`, `de`, `fr`, ...
    pub fn language(mut self, language: impl Into<String>) -> Self {
        self.language = Some(language.into());
        self
    }

    /// The compatibility date to ask for, `2026-08-18`, instead of the one the types were generated from.
    ///
    /// Another date may change what answers look like: with one, only [`Esi::call`] works, and typed calls return
    /// [`Error::CompatibilityDate`].
    pub fn compatibility_date(mut self, date: impl Into<String>) -> Self {
        self.compatibility_date = Some(date.into());
        self
    }

    /// How long to wait for a connection; 10 seconds unless this is said.
    pub fn connect_timeout(mut self, limit: Duration) -> Self {
        self.connect_timeout = limit;
        self
    }

    /// How long the server may be silent; 30 seconds unless this is said.
    pub fn read_timeout(mut self, limit: Duration) -> Self {
        self.read_timeout = limit;
        self
    }

    /// How long a call may take as a whole; 120 seconds unless this is said.
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.timeout = limit;
        self
    }

    /// How many bytes a body may have after decompression; 64 MiB unless this is said.
    pub fn max_body(mut self, bytes: usize) -> Self {
        self.max_body = bytes;
        self
    }

    /// How long a call may wait for one of ESI's limits to open; 60 seconds unless this is said. One that would have
    /// to wait longer fails at once, with [`Error::RateLimited`].
    pub fn max_wait(mut self, limit: Duration) -> Self {
        self.max_wait = limit;
        self
    }

    /// How many requests may be under way at once; 20 unless this is said. Logins take turns.
    pub fn concurrency(mut self, requests: usize) -> Self {
        self.concurrency = requests.max(1);
        self
    }

    /// How many failures of ESI's error limit (100 a minute and address) this client leaves to others on the same
    /// address; 10 unless this is said.
    pub fn error_reserve(mut self, failures: u32) -> Self {
        self.error_reserve = failures;
        self
    }

    /// How many requests one call may send, where another may help; 5 unless this is said, 1 for no second one but that
    /// with another token in place of one that ESI refused.
    ///
    /// Reads are sent again after a lost connection, a timeout, and 502, 503 and 504; writes only when ESI is sure not
    /// to have acted on them.
    pub fn attempts(mut self, requests: u32) -> Self {
        self.retry.attempts = requests.max(1);
        self
    }

    /// How long to wait between attempts: a random time up to `first`, which doubles with each attempt until it is
    /// `longest`; half a second and 20 seconds unless this is said. A `Retry-After` counts for more.
    pub fn backoff(mut self, first: Duration, longest: Duration) -> Self {
        (self.retry.first, self.retry.longest) = (first, longest);
        self
    }

    /// Adds somebody who hears of each [`Event`](crate::event::Event). What happens to tokens is heard of the single
    /// sign-on that the client is built with, whichever of its logins a call is made with.
    pub fn listener(mut self, listener: impl EventListener) -> Self {
        self.listeners.push(Arc::new(listener));
        self
    }

    /// How many bytes of answers are kept in memory, counted by the bodies they came in; 64 MiB unless this is said.
    ///
    /// With 0 and without a [`cache_store`](Self::cache_store) nothing is kept. It is then yours to keep to ESI's rule
    /// that nothing is asked for again before it expires: whoever breaks it is banned.
    #[cfg(feature = "cache")]
    pub fn cache_bytes(mut self, bytes: u64) -> Self {
        self.keeping.bytes = bytes;
        self
    }

    /// Keeps answers in this store too, behind the memory.
    #[cfg(feature = "cache")]
    pub fn cache_store(mut self, store: impl CacheStore) -> Self {
        self.keeping.store = Some(Arc::new(store));
        self
    }

    /// Takes a 403 or a 404 of a read as said for so long, without asking again: deleted ids and closed structures
    /// otherwise cost budget each time. Off unless this is said.
    #[cfg(feature = "cache")]
    pub fn cache_refusals(mut self, lasts: Duration) -> Self {
        self.keeping.refusals = Some(lasts);
        self
    }

    /// Reads the time from here, to decide what is fresh and which cursor is too old: for tests.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Adds a header to every request. What the client sets itself, such as `User-Agent`, cannot be set here.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Sends every request through this proxy, `http://proxy.example.com:3128`.
    ///
    /// Without it, the environment's `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY` say which proxy is used,
    /// except for plain http to this machine; [`no_proxy`](Self::no_proxy) uses none.
    pub fn proxy(mut self, url: impl Into<String>) -> Self {
        self.proxy = Some(url.into());
        self.no_proxy = false;
        self
    }

    /// Uses no proxy, whatever the environment says.
    pub fn no_proxy(mut self) -> Self {
        self.no_proxy = true;
        self.proxy = None;
        self
    }

    /// Trusts the certificates of this PEM text beside those of the operating system.
    #[cfg(feature = "tls")]
    pub fn root_certificate(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.root_certificates.push(pem.into());
        self
    }

    /// Makes secured calls with this login. [`Esi::with_security`] gives the same client with another.
    #[cfg(feature = "security")]
    pub fn security(mut self, security: EsiSecurity) -> Self {
        self.security = Some(security);
        self
    }

    /// Changes the builder of the HTTP library underneath, for what has no setting here. Applied before redirects
    /// and decompression are set, which this client decides.
    #[cfg(feature = "reqwest-builder")]
    pub fn reqwest_builder(
        mut self,
        change: impl FnOnce(reqwest::ClientBuilder) -> reqwest::ClientBuilder + Send + 'static,
    ) -> Self {
        self.hook = Some(Box::new(change));
        self
    }

    /// Makes the client.
    ///
    /// # Errors
    /// [`Error::Config`] names the setting that cannot be used, and what to do. No user agent is such an error.
    ///
    /// With `security`, `base_url` must have the origin of its `esi_url`: tokens are sent nowhere else.
    pub fn build(self) -> Result<Esi, Error> {
        let base_url = base_url(&self.base_url)?;
        #[cfg(feature = "security")]
        if let Some(security) = &self.security {
            super::principal::check_origin(base_url.as_str(), security)?;
        }
        #[cfg(feature = "security")]
        let security = self.security.clone();
        let listeners = Listeners::new(self.listeners.clone());
        let shared = Arc::new(Shared {
            settings: self.settings(&base_url)?,
            server: (
                base_url.host_str().unwrap_or_default().to_owned(),
                base_url.port_or_known_default().unwrap_or_default(),
            ),
            limits: Arc::new(Limits::new(limit::Settings {
                concurrency: self.concurrency,
                reserve: self.error_reserve,
            })),
            max_wait: self.max_wait,
            concurrency: self.concurrency,
            retry: self.retry,
            warned: Warned::default(),
            #[cfg(feature = "cache")]
            cache: self.keeping.cache(&self.clock),
            #[cfg(feature = "cache")]
            flights: Flights::new(),
            clock: Arc::clone(&self.clock),
            #[cfg(feature = "cache")]
            variant: self.variant(),
            #[cfg(feature = "security")]
            _forwarding: Forwarding::new(self.security.as_ref(), &listeners),
            listeners,
            transport: self.transport(&base_url)?,
        });
        Ok(Esi {
            shared,
            #[cfg(feature = "security")]
            security,
        })
    }

    fn settings(&self, base_url: &Url) -> Result<Settings, Error> {
        let headers = self.fixed_headers()?;
        let compatibility_date = match &self.compatibility_date {
            Some(date) => Some(checked_date(date)?),
            None => spec::COMPATIBILITY_DATE.map(str::to_owned),
        };
        Ok(Settings {
            base_url: base_url.as_str().trim_end_matches('/').to_owned(),
            headers: HeaderNames(with_compatibility_date(headers, compatibility_date.as_deref())?),
            compatibility_date,
            timeout: self.timeout,
        })
    }

    /// What the client says with every request that changes the answer.
    #[cfg(feature = "cache")]
    fn variant(&self) -> String {
        let date = self.compatibility_date.as_deref().or(spec::COMPATIBILITY_DATE);
        let parts = [self.tenant.as_deref(), self.language.as_deref(), date];
        parts.map(Option::unwrap_or_default).join(" ")
    }

    fn transport(self, base_url: &Url) -> Result<Transport, Error> {
        let (connect_timeout, read_timeout, max_body) =
            (self.connect_timeout, self.read_timeout, self.max_body);
        // What never leaves this machine is nothing for the environment's proxy.
        let is_local = base_url.scheme() == "http" && is_loopback(base_url);
        let no_proxy = self.no_proxy || (is_local && self.proxy.is_none());
        Ok(Transport {
            client: Self { no_proxy, ..self }.reqwest_client(base_url.scheme() == "https")?,
            connect_timeout,
            read_timeout,
            max_body,
        })
    }

    /// The headers of every request.
    fn fixed_headers(&self) -> Result<HeaderMap, Error> {
        let mut headers = HeaderMap::new();
        for (name, value) in &self.headers {
            let (name, value) = header(name, value).map_err(|reason| Error::config("header", reason))?;
            headers.append(name, value);
        }
        headers.insert(USER_AGENT, user_agent(self.user_agent.as_deref())?);
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        if let Some(language) = &self.language {
            headers.insert(ACCEPT_LANGUAGE, header_value("language", language)?);
        }
        if let Some(tenant) = &self.tenant {
            headers.insert(
                HeaderName::from_static("x-tenant"),
                header_value("tenant", tenant)?,
            );
        }
        Ok(headers)
    }

    fn reqwest_client(self, is_https: bool) -> Result<reqwest::Client, Error> {
        let mut builder = reqwest::Client::builder()
            .connect_timeout(self.connect_timeout)
            .read_timeout(self.read_timeout);
        let proxy = self
            .proxy
            .as_deref()
            .map(|url| http_url("proxy", url, "http://localhost:3128"))
            .transpose()?;
        #[cfg(feature = "tls")]
        {
            let roots = self
                .root_certificates
                .iter()
                .map(|pem| crate::tls::certificates(pem));
            let roots = roots.collect::<Result<Vec<_>, _>>()?.concat();
            let proxy_is_https = proxy.as_ref().is_some_and(|url| url.scheme() == "https");
            let trust = is_https
                || proxy_is_https
                || !roots.is_empty()
                || (!self.no_proxy && environment_has_proxy());
            builder = builder.tls_backend_preconfigured(crate::tls::config(trust, roots)?);
        }
        #[cfg(not(feature = "tls"))]
        let _ = is_https;
        if self.no_proxy {
            builder = builder.no_proxy();
        } else if let Some(url) = proxy {
            let proxy =
                reqwest::Proxy::all(url).map_err(|error| Error::config("proxy", error.to_string()))?;
            builder = builder.proxy(proxy);
        }
        #[cfg(feature = "reqwest-builder")]
        if let Some(change) = self.hook {
            builder = change(builder);
        }
        builder
            .redirect(reqwest::redirect::Policy::none())
            .gzip(true)
            .brotli(true)
            .build()
            .map_err(|error| Error::config("build", format!("the HTTP client cannot be made: {error}")))
    }
}

#[cfg(feature = "cache")]
impl Keeping {
    fn cache(&self, clock: &Arc<dyn Clock>) -> Cache {
        Cache::new(self.bytes, self.refusals, self.store.clone(), Arc::clone(clock))
    }
}

impl fmt::Debug for EsiBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let header_names: Vec<_> = self.headers.iter().map(|(name, _)| name).collect();
        f.debug_struct("EsiBuilder")
            .field("user_agent", &self.user_agent)
            .field("tenant", &self.tenant)
            .field("language", &self.language)
            .field("compatibility_date", &self.compatibility_date)
            .field("headers", &header_names)
            .finish_non_exhaustive()
    }
}

/// Whether the environment may name a proxy that is spoken to by TLS.
#[cfg(feature = "tls")]
fn environment_has_proxy() -> bool {
    ["http_proxy", "all_proxy", "HTTP_PROXY", "ALL_PROXY"]
        .iter()
        .any(|name| std::env::var(name).is_ok_and(|url| url.starts_with("https:")))
}
