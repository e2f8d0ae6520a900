//! Typed client for **ESI**, the REST API of EVE Online, generated from the API's own specification.
//!
//! ```no_run
//! # #[cfg(feature = "market")]
//! # async fn example() -> Result<(), esikit::Error> {
//! use esikit::Esi;
//! use esikit::ids::RegionId;
//!
//! let esi = Esi::builder().user_agent("my-app/1.0 (me@example.com)").build()?;
//! let orders = esi.get_markets_region_id_orders(RegionId(10000002)).all().await?;
//! println!("{} orders, fresh until {:?}", orders.len(), orders.expires());
//! # Ok(())
//! # }
//! ```
//!
//! - [`Esi`] has one method per operation; it returns a [`Request`] that takes optional parameters and is sent.
//! - `EsiSecurity` (feature `security`) logs characters in and keeps their tokens fresh.
//! - [`Response`] is the decoded value with its headers.
//! - [`paginate`] has what puts the parts of long answers together.
//! - [`Error`] says what went wrong, and whether ESI may have acted on the request.
//! - [`OPERATIONS`] and [`operation()`] tell what is known of each operation.

#[cfg(feature = "cache")]
mod cache;
#[cfg(test)]
mod chance;
mod client;
pub mod clock;
mod decode;
pub mod error;
pub mod event;
mod generated;
mod headers;
mod json_path;
mod limit;
mod loopback;
#[cfg(feature = "metrics")]
mod metrics;
#[cfg(feature = "mock")]
#[doc(hidden)]
pub mod mock;
pub mod operation;
pub mod paginate;
mod percent;
mod response;
mod retry;
#[cfg(feature = "security")]
pub mod security;
mod spec;
#[cfg(any(feature = "cache", feature = "security"))]
pub mod store;
#[cfg(feature = "tls")]
mod tls;
#[cfg(feature = "security")]
pub mod token;
mod wire;

pub use client::{Endpoint, Esi, EsiBuilder, Request, Untyped, UntypedRequest};
pub use error::Error;
pub use generated::{ids, operations, types};
pub use headers::{ErrorLimitStatus, Headers, RateLimitStatus};
pub use operation::{Operation, SecurityScheme};
pub use response::{RawResponse, Response, Source};
#[cfg(feature = "security")]
pub use security::EsiSecurity;
pub use spec::{COMPATIBILITY_DATE, DEFAULT_BASE_URL, OPERATIONS, SECURITY_SCHEME, Scope, operation};

// Their types stand in this crate's public signatures.
pub use {bytes, chrono, serde_json, uuid};

#[cfg(feature = "mock")]
#[doc(hidden)]
pub use wire::sample::Sample;

#[allow(unused_imports, reason = "a build of few operations needs few of them")]
pub(crate) use {
    client::endpoint,
    paginate::finish::{bulk, bulk_list, listed, paged, resolved, walked},
    wire::choice::choice,
    wire::id::{id, uuid_id},
    wire::open_enum::open_enum,
    wire::record::record,
};
