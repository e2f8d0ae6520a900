//! The client against real sockets, its types against the specification, and crates that use it.

#![allow(unreachable_pub, reason = "nothing is outside of a test binary")]

#[cfg(feature = "all-operations")]
mod answers;
mod architecture;
mod building;
mod consumer;
#[cfg(feature = "all-operations")]
mod failures;
mod json_equality;
#[cfg(feature = "all-operations")]
mod paginate;
#[cfg(all(feature = "all-operations", feature = "cache", feature = "security"))]
mod pipeline;
#[cfg(feature = "all-operations")]
mod requests;
mod round_trip;
mod schema_values;
#[cfg(all(feature = "all-operations", feature = "security"))]
mod security;
#[cfg(feature = "all-operations")]
mod server;
#[cfg(all(feature = "all-operations", feature = "tls"))]
mod tls;
#[cfg(feature = "all-operations")]
mod untyped;
