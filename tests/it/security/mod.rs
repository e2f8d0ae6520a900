//! EVE single sign-on, against a single sign-on and an ESI on this machine.

mod backends;
mod bad_tokens;
mod browser;
mod concurrency;
#[cfg(feature = "login")]
mod desktop;
mod flows;
mod holds;
mod jwt;
pub mod log;
mod many;
mod moody;
mod network;
mod parameters;
mod pipeline;
mod properties;
mod races;
mod scopes;
mod secrets;
pub mod sso;
mod stores;
mod warnings;
mod web;
