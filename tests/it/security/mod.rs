//! EVE single sign-on, against a single sign-on and an ESI on this machine.

mod backends;
mod bad_tokens;
mod browser;
mod concurrency;
#[cfg(feature = "login")]
mod desktop;
mod flows;
mod jwt;
mod many;
mod parameters;
mod pipeline;
mod properties;
mod secrets;
pub mod sso;
mod web;
