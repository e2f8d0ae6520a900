//! Clean debug builds: everything and one tag against an empty crate with the same dependencies (their floor), and the
//! floors against what any HTTP client needs: as `cargo add` writes it down, and with our choice of features.
//! `cargo build --timings` in `target/bench/<name>` shows which dependency costs what.

use super::crates::Made;
use super::{median, rounded};
use esikit_codegen::cli::Failure;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::path::Path;

/// What a user without a client adds: TLS and the runtime as they come.
const REFERENCE: &str = r#"[dependencies]
reqwest = { version = "0.13", features = ["json"] }
serde = { version = "1", features = ["derive"] }
tokio = { version = "1", features = ["full"] }
"#;

/// The same with the features that ours enable: ring for aws-lc, compression, no more of tokio than is needed.
const LEAN_REFERENCE: &str = r#"[dependencies]
reqwest = { version = "0.13", default-features = false, features = ["brotli", "gzip", "http2", "rustls-no-provider"] }
rustls = { version = "0.23", default-features = false, features = ["ring", "std", "tls12"] }
serde = { version = "1", features = ["derive"] }
serde_json = "1"
tokio = { version = "1", features = ["time"] }
"#;

/// `only` leaves out all variants but those named; ratios that need others are null.
pub(super) fn measure(package: &Path, rounds: usize, only: &[String]) -> Result<Value, Failure> {
    let esikit = |features: &str| format!("[dependencies]\nesikit = {{ path = {package:?}{features} }}\n");
    let lean = r#", default-features = false, features = ["market", "tls"]"#;
    let variants = [
        ("reference", Made::new(package, "reference", REFERENCE, "", None)?),
        (
            "lean_reference",
            Made::new(package, "lean-reference", LEAN_REFERENCE, "", None)?,
        ),
        ("lean_floor", floor(package, "lean-floor", &["tls"])?),
        ("floor", floor(package, "floor", &["tls", "security"])?),
        ("one_tag", Made::new(package, "one-tag", &esikit(lean), "", None)?),
        (
            "everything",
            Made::new(package, "everything", &esikit(""), "", None)?,
        ),
    ];
    let variants: Vec<_> = variants
        .into_iter()
        .filter(|(name, _)| only.is_empty() || only.iter().any(|wanted| wanted == name))
        .collect();
    let mut measured = vec![Vec::new(); variants.len()];
    for round in 0..rounds {
        for ((name, made), seconds) in variants.iter().zip(&mut measured) {
            seconds.push(made.clean_build()?);
            eprintln!("round {}: {name} {:.1} s", round + 1, seconds[round]);
        }
    }
    let medians: BTreeMap<&str, f64> = variants
        .iter()
        .zip(&measured)
        .map(|((name, _), seconds)| (*name, median(seconds)))
        .collect();
    let ratio = |of: &str, to: &str| match (medians.get(of), medians.get(to)) {
        (Some(of), Some(to)) => rounded(of / to),
        _ => Value::Null,
    };
    Ok(json!({
        "seconds": medians.iter().map(|(name, seconds)| (name.to_string(), rounded(*seconds))).collect::<Map<_, _>>(),
        "one_tag_to_lean_floor": ratio("one_tag", "lean_floor"),
        "everything_to_floor": ratio("everything", "floor"),
        "floor_to_reference": ratio("floor", "reference"),
        "lean_floor_to_reference": ratio("lean_floor", "reference"),
        "floor_to_lean_reference": ratio("floor", "lean_reference"),
        "lean_floor_to_lean_reference": ratio("lean_floor", "lean_reference"),
    }))
}

/// Our dependencies and build dependencies with some of our features on, and nothing of our own.
fn floor(package: &Path, name: &str, features: &[&str]) -> Result<Made, Failure> {
    let read = |file: &str| {
        std::fs::read_to_string(package.join(file)).map_err(|error| Failure::new(format!("{file}: {error}")))
    };
    let (manifest, codegen) = (read("Cargo.toml")?, read("codegen/Cargo.toml")?);
    let build: String = table(&codegen, "dependencies")
        .lines()
        .filter(|line| !line.contains("optional = true"))
        .map(|line| format!("{line}\n"))
        .collect();
    let enabled: Vec<&str> = features
        .iter()
        .flat_map(|feature| entries(&manifest, feature))
        .collect();
    let dependencies = format!(
        "[dependencies]\n{}\n[build-dependencies]\n{build}\n[features]\ndefault = [{}]\n",
        table(&manifest, "dependencies"),
        enabled.join(", ")
    );
    Made::new(package, name, &dependencies, "", Some("fn main() {}\n"))
}

/// The lines of a table of a manifest.
fn table<'a>(manifest: &'a str, name: &str) -> &'a str {
    let rest = manifest
        .split_once(&format!("\n[{name}]\n"))
        .map_or("", |(_, rest)| rest);
    rest.split("\n[").next().unwrap_or_default()
}

/// What a feature enables, each in its quotes.
fn entries<'a>(manifest: &'a str, feature: &str) -> Vec<&'a str> {
    let rest = manifest
        .split_once(&format!("\n{feature} = ["))
        .map_or("", |(_, rest)| rest);
    let list = rest.split(']').next().unwrap_or_default();
    list.split(',')
        .map(str::trim)
        .filter(|entry| !entry.is_empty())
        .collect()
}
