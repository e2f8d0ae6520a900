//! Comparing two documents.

use super::{Failure, Outcome, settings};
use crate::diff::diff;
use crate::document::Document;
use crate::settings::Settings;
use std::path::{Path, PathBuf};

/// Lists what changed between two specifications, each change classed breaking or not for a caller of the old one.
#[derive(Debug, Clone, clap::Args)]
pub struct Compare {
    /// The older document, in any dialect.
    pub old: PathBuf,
    /// The newer document, in any dialect.
    pub new: PathBuf,
    /// Print JSON instead of text.
    #[arg(long)]
    pub json: bool,
    /// Exit with 1 when there is a breaking change.
    #[arg(long)]
    pub fail_on_breaking: bool,
}

impl Compare {
    /// Runs the command, by the settings of `package` or the built-in ones.
    ///
    /// # Errors
    /// A document that cannot be read or breaks a rule.
    pub fn run(&self, package: Option<&Path>) -> Result<Outcome, Failure> {
        let settings = settings(package)?;
        let (old, new) = (read(&self.old, &settings)?, read(&self.new, &settings)?);
        let diff = diff(&old.value, &new.value);
        if self.json {
            print!("{}", crate::json::to_text(&diff.to_json()));
        } else {
            print!("{diff}");
        }
        Ok(if self.fail_on_breaking && diff.is_breaking() {
            Outcome::Breaking
        } else {
            Outcome::Fine
        })
    }
}

fn read(path: &Path, settings: &Settings) -> Result<Document, Failure> {
    Ok(Document::read(path, settings)?)
}
