//! Turns the specification of ESI into the source of `esikit`.
//!
//! The way of a document: [`dialect`] tells its form, [`canonical`] brings it into one, and the emitter writes Rust.

pub mod build;
pub mod canonical;
#[cfg(feature = "cli")]
pub mod cli;
mod components;
pub mod dialect;
#[cfg(feature = "diff")]
pub mod diff;
pub mod docs;
pub mod document;
mod emit;
mod error;
pub mod json;
mod lower;
mod node;
mod openapi;
pub mod select;
pub mod settings;
mod signatures;
mod tables;
mod words;

pub use emit::{Source, generate};
pub use error::{Error, Result};
