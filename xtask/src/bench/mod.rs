//! `cargo xtask bench`: figures, each a ratio of things measured side by side in one run.

mod build;
mod crates;
mod rustc;

pub(crate) use rustc::{is_wrapper, wrap};

use esikit_codegen::cli::Failure;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// Measures builds: clean ones against their floor, and rustc's time for the crate against progenitor's own output.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Bench {
    /// Rounds; each measures everything once, and medians are taken over rounds.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Only rustc's time for the crate: a few minutes less.
    #[arg(long)]
    only_rustc: bool,
    /// Only clean builds, and of them only these: reference, lean_reference, lean_floor, floor, one_tag, everything.
    #[arg(long, value_delimiter = ',', conflicts_with = "only_rustc")]
    only: Vec<String>,
    /// Write the figures to this file too.
    #[arg(long)]
    json: Option<PathBuf>,
}

impl Bench {
    pub(crate) fn run(&self, package: &Path) -> Result<(), Failure> {
        let mut figures = json!({ "rounds": self.rounds });
        if self.only.is_empty() {
            figures["rustc"] = rustc::measure(package, self.rounds)?;
        }
        if !self.only_rustc {
            figures["clean_build"] = build::measure(package, self.rounds, &self.only)?;
        }
        let text = format!("{figures:#}");
        println!("{text}");
        if let Some(file) = &self.json {
            std::fs::write(file, text + "\n")
                .map_err(|error| Failure::new(format!("{}: {error}", file.display())))?;
        }
        Ok(())
    }
}

/// The middle of several measurements, in seconds.
fn median(measured: &[f64]) -> f64 {
    let mut sorted = measured.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or_default()
}

fn rounded(number: f64) -> Value {
    json!((number * 1000.0).round() / 1000.0)
}
