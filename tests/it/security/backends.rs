//! A crate outside of the workspace that compiles both backends of `jsonwebtoken` in.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use esikit::clock::{Clock, SystemClock};
use serde_json::json;

use super::jwt::{Signer, claims, header};

#[test]
fn a_token_is_verified_whichever_backends_others_compile_in_and_whoever_came_first() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    let target = target.join("jwt-backends");
    let cargo = |command: &str| {
        let mut cargo = Command::new(env!("CARGO"));
        cargo
            .arg(command)
            .arg("--manifest-path")
            .arg(root.join("tests/jwt_backends/Cargo.toml"));
        cargo.env("CARGO_TARGET_DIR", &target).env_remove("ESI_SPEC");
        cargo.output().expect("cargo starts")
    };
    if !cargo("fetch").status.success() && std::env::var_os("CI").is_none() {
        // Past the capture of a passing test's output: nobody is to think that this was tried.
        let _ = writeln!(
            std::io::stderr(),
            "SKIPPED: the backends of jsonwebtoken cannot be fetched, and this is not CI"
        );
        return;
    }
    let built = cargo("build");
    assert!(
        built.status.success(),
        "{}",
        String::from_utf8_lossy(&built.stderr)
    );

    let url = "http://127.0.0.1:1";
    let claims = claims(7, "owner", &[], url, SystemClock.now().timestamp());
    for signer in [Signer::rsa(), Signer::ec()] {
        let keys = json!({ "keys": [signer.jwk("key-1")] }).to_string();
        let token = signer.sign(&header(signer.algorithm(), "key-1"), &claims);
        for (others_first, expected) in [(false, "7\n"), (true, "jsonwebtoken itself panics: true\n7\n")] {
            let mut program = Command::new(target.join("debug/jwt-backends"));
            program
                .args([&keys, &token, url])
                .args(others_first.then_some("first"));
            let output = program.output().expect("it runs");
            let errors = String::from_utf8_lossy(&output.stderr);
            assert_eq!(String::from_utf8_lossy(&output.stdout), expected, "{errors}");
        }
    }
}
