//! Development commands: `cargo xtask codegen` and `cargo xtask diff`.

use clap::Parser;
use esikit_codegen::cli::{Compare, Failure, Outcome, TakeIn};
use std::path::Path;
use std::process::ExitCode;

/// Development commands of esikit.
#[derive(Parser)]
enum Command {
    Codegen(TakeIn),
    Diff(Compare),
}

fn main() -> ExitCode {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap_or(Path::new("."));
    let run = || -> Result<Outcome, Failure> {
        match Command::parse() {
            Command::Codegen(take_in) => take_in.run(package).map(|()| Outcome::Fine),
            Command::Diff(compare) => compare.run(Some(package)),
        }
    };
    match run() {
        Ok(Outcome::Fine) => ExitCode::SUCCESS,
        Ok(Outcome::Breaking) => ExitCode::FAILURE,
        Err(failure) => {
            eprintln!("error: {failure}");
            ExitCode::from(2)
        }
    }
}
