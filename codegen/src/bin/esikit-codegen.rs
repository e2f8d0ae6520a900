//! For people who have only the published crates: fetch a specification for `ESI_SPEC`, compare two.

use clap::Parser;
use esikit_codegen::cli::{self, Compare, Fetch, Outcome};
use std::process::ExitCode;

/// Works with the specification of ESI.
#[derive(Parser)]
#[command(version)]
enum Command {
    Fetch(Fetch),
    Diff(Compare),
}

fn main() -> ExitCode {
    cli::exit(match Command::parse() {
        Command::Fetch(fetch) => fetch.run().map(|()| Outcome::Fine),
        Command::Diff(compare) => compare.run(None),
    })
}
