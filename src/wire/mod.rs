//! How typed values stand in JSON: the macros that generated code is written in, and what they share.
//!
//! Nothing here knows the network.

#![allow(
    dead_code,
    unused_imports,
    unused_macros,
    reason = "a build of few operations needs few of them"
)]

pub(crate) mod choice;
pub(crate) mod id;
pub(crate) mod open_enum;
pub(crate) mod record;
#[cfg(feature = "mock")]
pub(crate) mod sample;
#[cfg(test)]
mod tests;
