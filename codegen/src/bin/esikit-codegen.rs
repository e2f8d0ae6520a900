//! For people who have only the published crates: fetch a specification for `ESI_SPEC`, compare two.

use clap::Parser;
use esikit_codegen::cli::{Compare, Failure, Fetch, Outcome};
use std::process::ExitCode;

/// Works with the specification of ESI.
#[derive(Parser)]
#[command(version)]
enum Command {
    Fetch(Fetch),
    Diff(Compare),
}

fn main() -> ExitCode {
    let run = || -> Result<Outcome, Failure> {
        match Command::parse() {
            Command::Fetch(fetch) => fetch.run().map(|()| Outcome::Fine),
            Command::Diff(compare) => compare.run(None),
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
