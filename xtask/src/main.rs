//! Development commands: `cargo xtask codegen`, `cargo xtask diff` and `cargo xtask bench`.

mod bench;

use clap::Parser;
use esikit_codegen::cli::{self, Compare, Outcome, TakeIn};
use std::path::Path;
use std::process::ExitCode;

/// Development commands of esikit.
#[derive(Parser)]
enum Command {
    Codegen(TakeIn),
    Diff(Compare),
    Bench(bench::Bench),
}

fn main() -> ExitCode {
    if bench::is_wrapper() {
        return bench::wrap();
    }
    let package = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap_or(Path::new("."));
    cli::exit(match Command::parse() {
        Command::Codegen(take_in) => take_in.run(package).map(|()| Outcome::Fine),
        Command::Diff(compare) => compare.run(Some(package)),
        Command::Bench(bench) => bench.run(package).map(|()| Outcome::Fine),
    })
}
