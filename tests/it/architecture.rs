//! Invariants of `docs/architecture.md` that the compiler does not hold.

use std::path::{Path, PathBuf};

/// The hand-written files of the crate, as path and text.
fn sources() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut waiting = vec![root.clone()];
    let mut sources = Vec::new();
    while let Some(path) = waiting.pop() {
        if path.is_dir() {
            let entries = std::fs::read_dir(&path).expect("a folder");
            waiting.extend(
                entries
                    .map(|entry| entry.expect("an entry").path())
                    .collect::<Vec<PathBuf>>(),
            );
        } else {
            let name = path
                .strip_prefix(&root)
                .expect("below src")
                .to_string_lossy()
                .replace('\\', "/");
            sources.push((name, std::fs::read_to_string(&path).expect("a text file")));
        }
    }
    assert!(sources.len() > 15, "the sources were not found");
    sources
}

/// Lines of code: without comments, docs and unit tests.
fn code(text: &str) -> impl Iterator<Item = &str> {
    let text = text.split("#[cfg(test)]").next().unwrap_or_default();
    text.lines().map(str::trim).filter(|line| !line.starts_with("//"))
}

/// Another specification must not need another runtime.
#[test]
fn the_runtime_names_nothing_that_is_generated() {
    for (file, text) in sources() {
        if matches!(file.as_str(), "lib.rs" | "spec.rs" | "mock.rs" | "generated.rs") {
            continue;
        }
        for line in code(&text) {
            for word in [
                "generated::",
                "crate::types",
                "crate::ids",
                "crate::operations",
                "Request<Get",
            ] {
                assert!(!line.contains(word), "src/{file} names generated code: {line}");
            }
        }
    }
}

/// A login service must not need the rest; a store needs the token only; and only the client puts the phases of a call
/// together.
#[test]
fn each_part_knows_no_more_than_it_must() {
    for (file, text) in sources() {
        let others: &[&str] = match file.split('/').next() {
            Some("security") => &[
                "crate::client",
                "crate::Esi",
                "operation::Operation",
                "crate::decode",
            ],
            Some("store") => &[
                "crate::client",
                "crate::security",
                "crate::operation",
                "crate::error",
            ],
            Some("cache") => &["crate::client", "crate::security", "crate::limit", "crate::retry"],
            Some("limit") => &[
                "crate::client",
                "crate::security",
                "crate::cache",
                "crate::retry",
                "crate::error::Error",
            ],
            Some("retry.rs") => &["crate::client", "crate::security", "crate::cache", "crate::limit"],
            Some("event.rs") => &[
                "crate::client",
                "crate::security",
                "crate::cache",
                "crate::limit",
                "crate::retry",
            ],
            Some("token.rs") => &[
                "crate::client",
                "crate::security",
                "crate::store",
                "crate::operation",
            ],
            _ => continue,
        };
        for line in code(&text) {
            for other in others {
                assert!(!line.contains(other), "src/{file} knows {other}: {line}");
            }
        }
    }
}

/// The HTTP library may change without a breaking release; the feature `reqwest-builder` is the one way to it.
#[test]
fn no_type_of_the_http_library_is_public() {
    for (file, text) in sources() {
        let lines: Vec<&str> = code(&text).collect();
        for (index, line) in lines.iter().enumerate() {
            let public = line.starts_with("pub ");
            let gated = lines[..index]
                .iter()
                .rev()
                .take(3)
                .any(|line| line.contains("reqwest-builder"));
            for library in ["reqwest", "hyper", "rustls"] {
                assert!(!public || gated || !line.contains(library), "src/{file}: {line}");
            }
        }
    }
}
