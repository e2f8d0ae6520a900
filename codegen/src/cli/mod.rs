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
use std::fs::File;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

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

/// What a program ends with: 0, 1 for breaking changes that were asked about, 2 for a failure, which is printed.
pub fn exit(result: Result<Outcome, Failure>) -> ExitCode {
    match result {
        Ok(Outcome::Fine) => ExitCode::SUCCESS,
        Ok(Outcome::Breaking) => ExitCode::FAILURE,
        Err(failure) => {
            eprintln!("error: {failure}");
            ExitCode::from(2)
        }
    }
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
    let failed = |error| Failure::file(path, &error);
    let (beside, mut file) = new_beside(path).map_err(failed)?;
    let written = file.write_all(text.as_bytes());
    drop(file);
    let replaced = written.and_then(|()| std::fs::rename(&beside, path));
    replaced.map_err(|error| {
        // What matters is why it could not be written.
        let _ = std::fs::remove_file(&beside);
        failed(error)
    })
}

/// A new file in the folder of `path`, under a name that nothing there has yet.
fn new_beside(path: &Path) -> std::io::Result<(PathBuf, File)> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let process = std::process::id();
    let mut number = 0;
    loop {
        let beside = path.with_file_name(match number {
            0 => format!(".{name}.{process}.new"),
            _ => format!(".{name}.{process}.{number}.new"),
        });
        match File::create_new(&beside) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => number += 1,
            created => return Ok((beside, created?)),
        }
    }
}
