//! A local ESI and SSO of EVE Online, made from ESI's own specification.
//!
//! Nobody can log in to EVE from a test, and nobody should develop against an interface that closes after 100 errors.
//! A [`Sandbox`] answers every operation of the specification with values that satisfy its schemas, and refuses what ESI
//! refuses: a wrong parameter, a missing scope, another character's data, too many requests.
//!
//! It shares no code with the client `esikit`, so that each can catch the other's mistakes.
//!
//! - **Values** come from a seed: the same seed, path and query give the same answer on every machine. [`Sandbox::put`]
//!   sets one.
//! - **Requests** are checked: parameters (400), bodies (422), the compatibility date (400, or 404 where the operation is
//!   younger; a request that names none has the oldest).
//! - **Access** needs a token of the sandbox's single sign-on ([`Sandbox::token_for`], or a login): 401 without, 403 for
//!   another character's or corporation's data, or without the scope or the role.
//! - **Limits** are both of ESI's. [`Sandbox::violations`] counts what a client should not have done.
//! - **Time** is that of a [`Clock`], which a test can move.
//!
//! Not there yet: writes change nothing, cursors and walks by id end after one answer, and no faults are injected.

mod access;
mod clock;
mod contract;
mod draw;
mod error;
mod esi;
mod freshness;
mod http;
mod limits;
mod parameters;
mod refusal;
mod sandbox;
mod schema;
mod sso;
mod values;
mod violations;

pub use clock::Clock;
pub use error::Error;
pub use sandbox::{Builder, Sandbox};
pub use sso::{Application, RefreshTokens};
pub use violations::Violations;
