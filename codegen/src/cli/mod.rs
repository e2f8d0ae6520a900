//! Commands around the specification: take one in, fetch one, compare two.
//!
//! `cargo xtask` and the binary `esikit-codegen` are thin callers of this module (feature `cli`).

mod compare;
mod download;
mod take_in;

pub use compare::Compare;
pub use download::Fetch;
pub use take_in::TakeIn;

use crate::settings::Settings;
use std::fmt;
use std::path::{Path, PathBuf};

/// Why a command failed, as a text for its user.
#[derive(Debug)]
pub struct Failure(String);

impl Failure {
    /// A failure that says what is wrong and what to do.
    pub fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }

    fn file(path: &Path, error: &std::io::Error) -> Self {
        Self(format!("{}: {error}", path.display()))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Failure {}

impl From<crate::Error> for Failure {
    fn from(error: crate::Error) -> Self {
        Self(error.to_string())
    }
}

/// What a command leaves to its caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Exit code 0.
    Fine,
    /// Exit code 1: there are breaking changes, and the caller asked to fail on them.
    Breaking,
}

/// The settings of a checkout, or what is built in: enough to canonicalise and compare.
fn settings(package: Option<&Path>) -> Result<Settings, Failure> {
    let Some(package) = package else {
        return Ok(Settings::builtin()?);
    };
    let path = package.join("spec/codegen.toml");
    let text = std::fs::read_to_string(&path).map_err(|error| Failure::file(&path, &error))?;
    Settings::parse(&text).map_err(|error| error.in_file(path.display().to_string()).into())
}

/// Replaces a file in one step: whoever reads it sees the old text or the new one, whatever happens in between.
fn replace(path: &Path, text: &str) -> Result<(), Failure> {
    let beside: PathBuf = path.with_extension("new");
    std::fs::write(&beside, text)
        .and_then(|()| std::fs::rename(&beside, path))
        .map_err(|error| Failure::file(path, &error))
}
