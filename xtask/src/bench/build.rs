//! Clean debug builds: everything and one tag against an empty crate with the same dependencies (the floor), and the
//! floor against what any HTTP client needs (the reference).

use super::crates::Made;
use super::{median, rounded};
use esikit_codegen::cli::Failure;
use serde_json::{Value, json};
use std::path::Path;

/// What a user needs for JSON over https whatever the client: the same features of the same versions.
const REFERENCE: &str = r#"[dependencies]
reqwest = { version = "0.13", default-features = false, features = ["brotli", "gzip", "http2", "rustls-no-provider"] }
rustls = { version = "0.23", default-features = false, features = ["ring", "std", "tls12"] }
serde = { version = "1", features = ["derive"] }
serde_json = "1"
tokio = { version = "1", features = ["time"] }
"#;

pub(super) fn measure(package: &Path, rounds: usize) -> Result<Value, Failure> {
    let esikit = |features: &str| format!("[dependencies]\nesikit = {{ path = {package:?}{features} }}\n");
    let lean = r#", default-features = false, features = ["market", "tls"]"#;
    let variants = [
        ("reference", Made::new(package, "reference", REFERENCE, "", None)?),
        ("floor", floor(package)?),
        ("one_tag", Made::new(package, "one-tag", &esikit(lean), "", None)?),
        (
            "everything",
            Made::new(package, "everything", &esikit(""), "", None)?,
        ),
    ];
    let mut measured = vec![Vec::new(); variants.len()];
    for round in 0..rounds {
        for ((name, made), seconds) in variants.iter().zip(&mut measured) {
            seconds.push(made.clean_build()?);
            eprintln!("round {}: {name} {:.1} s", round + 1, seconds[round]);
        }
    }
    let medians: Vec<f64> = measured.iter().map(|seconds| median(seconds)).collect();
    let [reference, floor, one_tag, everything] = medians[..] else {
        return Err(Failure::new("there are four variants"));
    };
    Ok(json!({
        "seconds": { "reference": rounded(reference), "floor": rounded(floor), "one_tag": rounded(one_tag), "everything": rounded(everything) },
        "one_tag_to_floor": rounded(one_tag / floor),
        "everything_to_floor": rounded(everything / floor),
        "floor_to_reference": rounded(floor / reference),
    }))
}

/// Our dependencies and build dependencies, and nothing of our own.
fn floor(package: &Path) -> Result<Made, Failure> {
    let manifest = std::fs::read_to_string(package.join("Cargo.toml"))
        .map_err(|error| Failure::new(error.to_string()))?;
    let table = |name: &str| {
        let rest = manifest
            .split_once(&format!("\n{name}\n"))
            .map_or("", |(_, rest)| rest);
        rest.split("\n[").next().unwrap_or_default()
    };
    let codegen = std::fs::read_to_string(package.join("codegen/Cargo.toml"))
        .map_err(|error| Failure::new(error.to_string()))?;
    let build = codegen
        .split_once("\n[dependencies]\n")
        .map_or("", |(_, rest)| rest);
    let build = build.split("\n[").next().unwrap_or_default();
    let required: String = build
        .lines()
        .filter(|line| !line.contains("optional = true"))
        .map(|line| format!("{line}\n"))
        .collect();
    let features = "[features]\ndefault = [\"dep:rustls\", \"dep:rustls-platform-verifier\", \"reqwest/rustls-no-provider\"]\n";
    let dependencies = format!(
        "[dependencies]\n{}\n[build-dependencies]\n{required}\n{features}",
        table("[dependencies]")
    );
    Made::new(package, "floor", &dependencies, "", Some("fn main() {}\n"))
}
