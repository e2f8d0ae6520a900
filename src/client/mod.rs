//! The client: what is set once, and the way of each call.

mod bounds;
mod builder;
mod call;
mod checked;
mod exchange;
#[cfg(feature = "security")]
mod forwarding;
mod join;
#[cfg(feature = "cache")]
mod kept;
mod pipeline;
mod principal;
mod progress;
mod request;
mod transport;
mod untyped;
mod warned;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

pub use builder::EsiBuilder;
pub use request::{Endpoint, Request};
pub use untyped::{Untyped, UntypedRequest};

#[allow(unused_imports, reason = "a build without operations has no use for it")]
pub(crate) use request::endpoint;

#[cfg(feature = "cache")]
use crate::cache::{Cache, Flights, Key};
use crate::clock::Clock;
use crate::error::Error;
use crate::event::Listeners;
use crate::limit::Limits;
use crate::operation::{Operation, SecurityScheme};
#[cfg(feature = "security")]
use crate::security::EsiSecurity;
use crate::{retry, spec};
use call::{Call, Settings};
#[cfg(feature = "security")]
use forwarding::Forwarding;
#[cfg(feature = "cache")]
use pipeline::Answer;
use transport::Transport;
use warned::Warned;

/// A client of ESI: one method per operation, and [`call`](Esi::call) for an operation by its name.
///
/// Cheap to clone: clones share connections and everything else.
///
/// ```no_run
/// # #[cfg(feature = "status")]
/// # async fn example() -> Result<(), esikit::Error> {
/// let esi = esikit::Esi::builder().user_agent("my-app/1.0 (me@example.com)").build()?;
/// let status = esi.get_status().send().await?;
/// println!("{} pilots", status.players);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Esi {
    shared: Arc<Shared>,
    #[cfg(feature = "security")]
    security: Option<EsiSecurity>,
}

/// What clones of a client, and its views for other logins, have in common.
struct Shared {
    settings: Settings,
    /// Host and port of ESI, for traces.
    server: (String, u16),
    transport: Transport,
    limits: Arc<Limits>,
    max_wait: Duration,
    concurrency: usize,
    retry: retry::Policy,
    listeners: Listeners,
    warned: Warned,
    #[cfg(feature = "cache")]
    cache: Cache,
    #[cfg(feature = "cache")]
    flights: Flights<Key, Result<Answer, Error>>,
    clock: Arc<dyn Clock>,
    /// What is sent with every request and changes its answer.
    #[cfg(feature = "cache")]
    variant: String,
    #[cfg(feature = "security")]
    _forwarding: Forwarding,
}

impl Esi {
    /// Begins a client; [`user_agent`](EsiBuilder::user_agent) is the one setting it must have.
    pub fn builder() -> EsiBuilder {
        EsiBuilder::default()
    }

    /// A call of the operation with this operationId, in untyped JSON.
    ///
    /// ```no_run
    /// # async fn example(esi: esikit::Esi) -> Result<(), esikit::Error> {
    /// let status = esi.call("GetStatus")?.send().await?;
    /// println!("{} pilots", status["players"]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Error::UnknownOperation`] when the spec has no operation of this name; it suggests those that look like it.
    pub fn call(&self, operation: &str) -> Result<UntypedRequest, Error> {
        UntypedRequest::by_name(self.clone(), operation)
    }

    #[allow(dead_code, reason = "a build without operations has no use for it")]
    pub(crate) fn request<E: Endpoint>(&self, operation: &'static Operation) -> Request<E> {
        Request::new(self.clone(), Call::typed(operation))
    }

    /// The same client with another login: connections and everything else are shared.
    ///
    /// Secured calls return [`Error::Config`] when that login is for another origin than this client asks.
    #[cfg(feature = "security")]
    pub fn with_security(&self, security: EsiSecurity) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
            security: Some(security),
        }
    }

    /// The login that secured calls are made with.
    #[cfg(feature = "security")]
    pub fn security(&self) -> Option<&EsiSecurity> {
        self.security.as_ref()
    }

    /// The security scheme of the specification, for `EsiSecurity::builder().app(..)`.
    pub fn security_scheme(&self) -> SecurityScheme {
        spec::SECURITY_SCHEME
    }
}

impl fmt::Debug for Esi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Esi")
            .field("settings", &self.shared.settings)
            .finish_non_exhaustive()
    }
}
