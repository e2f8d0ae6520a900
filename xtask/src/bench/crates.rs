//! Crates made for measuring, in `target/bench`, built by a cargo of their own.

use esikit_codegen::cli::Failure;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

/// A crate that exists to be built.
pub(super) struct Made {
    folder: PathBuf,
    target: PathBuf,
}

impl Made {
    /// Writes a crate; `dependencies` is TOML from `[dependencies]` on. With a lock file, the very versions of the
    /// workspace are built.
    pub(super) fn new(
        package: &Path,
        name: &str,
        dependencies: &str,
        lib: &str,
        build: Option<&str>,
    ) -> Result<Self, Failure> {
        let bench = package.join("target/bench");
        let made = Self {
            folder: bench.join(name),
            target: bench.join("target"),
        };
        let manifest = format!(
            "[package]\nname = \"{name}\"\nversion = \"0.0.0\"\nedition = \"2024\"\n[workspace]\n{dependencies}"
        );
        let write = |file: &str, text: &str| {
            let path = made.folder.join(file);
            fs::create_dir_all(path.parent().unwrap_or(&bench))
                .and_then(|()| fs::write(&path, text))
                .map_err(failed)
        };
        write("Cargo.toml", &manifest)?;
        write("src/lib.rs", lib)?;
        if let Some(build) = build {
            write("build.rs", build)?;
        }
        fs::copy(package.join("Cargo.lock"), made.folder.join("Cargo.lock")).map_err(failed)?;
        Ok(made)
    }

    /// Builds from nothing and returns the seconds it took.
    pub(super) fn clean_build(&self) -> Result<f64, Failure> {
        if self.target.exists() {
            fs::remove_dir_all(&self.target).map_err(failed)?;
        }
        self.build(&[])
    }

    /// Builds what is not up to date.
    pub(super) fn build(&self, environment: &[(&str, &Path)]) -> Result<f64, Failure> {
        let mut cargo = Command::new("cargo");
        cargo
            .args(["build", "--quiet"])
            .current_dir(&self.folder)
            .env("CARGO_TARGET_DIR", &self.target);
        cargo
            .envs(environment.iter().copied())
            .env_remove("ESI_SPEC")
            .env_remove("RUSTFLAGS");
        #[allow(clippy::disallowed_methods, reason = "measuring is what this is for")]
        let start = Instant::now();
        let status = cargo.status().map_err(failed)?;
        let seconds = start.elapsed().as_secs_f64();
        if status.success() {
            Ok(seconds)
        } else {
            Err(Failure::new(format!("{} does not build", self.folder.display())))
        }
    }

    pub(super) fn touch(&self) -> Result<(), Failure> {
        let path = self.folder.join("src/lib.rs");
        let text = fs::read(&path).map_err(failed)?;
        fs::write(&path, text).map_err(failed)
    }
}

fn failed(error: std::io::Error) -> Failure {
    Failure::new(error.to_string())
}
