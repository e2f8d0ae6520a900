//! rustc's own time for the crate, against its time for what `progenitor` makes of the same document by itself.

use super::crates::Made;
use super::{median, rounded};
use esikit_codegen::cli::Failure;
use progenitor::{GenerationSettings, Generator};
use serde_json::{Value, json};
use std::ffi::OsString;
use std::io::Write;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::Instant;

/// Set, cargo calls this program in place of rustc, and it notes how long each crate took.
const LOG: &str = "XTASK_RUSTC_LOG";

/// What the output of `progenitor` needs.
const PEER: &str = r#"[dependencies]
bytes = "1"
chrono = { version = "0.4", default-features = false, features = ["serde", "std"] }
futures-core = "0.3"
progenitor-client = "0.15.1"
regress = "0.12"
reqwest = { version = "0.13", default-features = false, features = ["json", "query", "stream"] }
serde = { version = "1", features = ["derive"] }
serde_json = "1"
uuid = { version = "1", features = ["serde"] }
"#;

pub(super) fn measure(package: &Path, rounds: usize) -> Result<Value, Failure> {
    let positional = positional(package)?;
    let lines = positional
        .lines()
        .filter(|line| !line.trim_start().starts_with("///"))
        .count();
    let peer = Made::new(package, "positional", PEER, &positional, None)?;
    let ours = Made::new(
        package,
        "ours",
        &format!("[dependencies]\nesikit = {{ path = {package:?} }}\n"),
        "",
        None,
    )?;
    let log = package.join("target/bench/rustc.log");
    let program = std::env::current_exe().map_err(|error| Failure::new(error.to_string()))?;
    let environment = [
        ("RUSTC_WRAPPER", program.as_path()),
        (LOG, log.as_path()),
        ("CARGO_INCREMENTAL", Path::new("0")),
    ];
    let (mut of_peer, mut of_ours) = (Vec::new(), Vec::new());
    peer.build(&environment)?;
    ours.build(&environment)?;
    let root = package.join("src/lib.rs");
    for _ in 0..rounds {
        let _ = std::fs::remove_file(&log);
        peer.touch()?;
        peer.build(&environment)?;
        // Our own source is measured where it is: touched, not changed.
        let text = std::fs::read(&root).map_err(|error| Failure::new(error.to_string()))?;
        std::fs::write(&root, text).map_err(|error| Failure::new(error.to_string()))?;
        ours.build(&environment)?;
        of_peer.push(seconds(&log, "positional")?);
        of_ours.push(seconds(&log, "esikit")?);
    }
    let (of_peer, of_ours) = (median(&of_peer), median(&of_ours));
    Ok(json!({
        "positional_lines": lines,
        "seconds": { "esikit": rounded(of_ours), "positional": rounded(of_peer) },
        "esikit_to_positional": rounded(of_ours / of_peer),
    }))
}

/// What `progenitor` makes of the committed document in positional style.
fn positional(package: &Path) -> Result<String, Failure> {
    let text = std::fs::read_to_string(package.join("spec/esi.json"))
        .map_err(|error| Failure::new(error.to_string()))?;
    let document = serde_json::from_str(&text).map_err(|error| Failure::new(error.to_string()))?;
    let tokens = Generator::new(&GenerationSettings::default())
        .generate_tokens(&document)
        .map_err(|error| Failure::new(error.to_string()))?;
    let file = syn::parse2(tokens).map_err(|error| Failure::new(error.to_string()))?;
    Ok(prettyplease::unparse(&file))
}

fn seconds(log: &Path, name: &str) -> Result<f64, Failure> {
    let text = std::fs::read_to_string(log).map_err(|error| Failure::new(error.to_string()))?;
    let line = text
        .lines()
        .filter_map(|line| line.split_once(' '))
        .rfind(|(crate_name, _)| *crate_name == name);
    line.and_then(|(_, seconds)| seconds.parse().ok())
        .ok_or_else(|| Failure::new(format!("rustc was not called for {name}")))
}

/// Whether cargo called this program in place of rustc.
pub(crate) fn is_wrapper() -> bool {
    std::env::var_os(LOG).is_some()
}

/// Calls rustc and notes the crate's name with the seconds it took.
pub(crate) fn wrap() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    let Some((rustc, rest)) = arguments.split_first() else {
        return ExitCode::FAILURE;
    };
    #[allow(clippy::disallowed_methods, reason = "measuring is what this is for")]
    let start = Instant::now();
    let status = Command::new(rustc).args(rest).status();
    let name = rest
        .iter()
        .skip_while(|argument| *argument != "--crate-name")
        .nth(1);
    if let (Some(log), Some(name)) = (std::env::var_os(LOG), name) {
        let line = format!("{} {}\n", name.to_string_lossy(), start.elapsed().as_secs_f64());
        let file = std::fs::OpenOptions::new().create(true).append(true).open(log);
        // A lost line is found out when the log is read.
        let _ = file.and_then(|mut file| file.write_all(line.as_bytes()));
    }
    match status {
        Ok(status) if status.success() => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    }
}
