//! Generates types and operations from `spec/esi.json`, or from the document that `ESI_SPEC` names.

use esikit_codegen::build::Build;
use std::process::ExitCode;

fn main() -> ExitCode {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=ESI_SPEC");
    match Build::from_environment().run() {
        Ok(told) => {
            for file in told.read {
                println!("cargo::rerun-if-changed={}", file.display());
            }
            for warning in told.warnings {
                println!("cargo::warning={warning}");
            }
            ExitCode::SUCCESS
        }
        Err(error) => {
            println!("cargo::error={}", error.to_string().replace('\n', " | "));
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
