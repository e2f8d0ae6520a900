//! What a build script does, in a package of its own.

use crate::support;
use esikit_codegen::Error;
use esikit_codegen::build::{Build, Told};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::SystemTime;
use tempfile::TempDir;

/// A package as it is committed, and an empty `OUT_DIR`.
struct Package(TempDir);

impl Package {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        for name in ["spec", "out"] {
            fs::create_dir(folder.path().join(name)).expect("a folder");
        }
        for file in [
            "Cargo.toml",
            "spec/codegen.toml",
            "spec/docs.toml",
            "spec/esi.json",
        ] {
            fs::copy(root.join(file), folder.path().join(file)).expect("copied");
        }
        Self(folder)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn build(&self, spec: Option<&Path>, features: &[&str]) -> Result<Told, Error> {
        let build = Build {
            package: self.0.path().to_owned(),
            out: self.path("out"),
            spec: spec.map(Path::to_owned),
            features: features.iter().map(|feature| (*feature).to_owned()).collect(),
        };
        build.run()
    }

    /// Another document: the committed one, but for a change.
    fn other(&self, change: impl FnOnce(&mut Value)) -> PathBuf {
        let mut document = serde_json::from_str(&support::committed()).expect("JSON");
        change(&mut document);
        let path = self.path("other.json");
        fs::write(&path, document.to_string()).expect("written");
        path
    }

    /// Every file of `OUT_DIR`.
    fn files(&self) -> BTreeMap<PathBuf, String> {
        let mut files = BTreeMap::new();
        let mut folders = vec![self.path("out")];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).expect("a folder") {
                let path = entry.expect("an entry").path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    let text = fs::read_to_string(&path).expect("text");
                    files.insert(path, text);
                }
            }
        }
        files
    }

    /// The operations that the generated root lists, in the spelling of their statics.
    fn operations(&self) -> BTreeSet<String> {
        let root = fs::read_to_string(self.path("out/esi.rs")).expect("the root");
        root.lines()
            .filter_map(|line| line.trim().strip_prefix("&operations::"))
            .map(|name| name.trim_end_matches(',').to_owned())
            .collect()
    }
}

/// Moves the only operation of the tag `Status` to another tag.
fn retag(document: &mut Value) {
    support::put(document, "/paths/~1status/get/tags", json!(["Brand New"]));
}

fn status() -> BTreeSet<String> {
    BTreeSet::from(["GET_STATUS".to_owned()])
}

#[test]
fn a_relative_spec_is_refused_with_the_entry_to_write() {
    let error = Package::new()
        .build(Some(Path::new("specs/mine.json")), &["status"])
        .expect_err("it is relative");
    assert_eq!(error.rule(), "esi-spec");
    let entry = "[env]\nESI_SPEC = { value = \"specs/mine.json\", relative = true }";
    assert!(error.message().contains(entry), "{error}");
}

#[test]
fn a_tag_without_a_feature_is_generated_from_a_spec_of_the_user_s() {
    let package = Package::new();
    let other = package.other(retag);
    let told = package.build(Some(&other), &[]).expect("it builds");
    assert_eq!(package.operations(), status());
    assert_eq!(told.warnings.len(), 1, "{:?}", told.warnings);
    assert!(told.warnings[0].contains("`Brand New`"), "{:?}", told.warnings);
    assert!(told.read.contains(&other), "{:?}", told.read);
}

#[test]
fn a_tag_without_a_feature_waits_for_one_in_the_committed_spec() {
    let package = Package::new();
    fs::rename(package.other(retag), package.path("spec/esi.json")).expect("renamed");
    let told = package.build(None, &["status"]).expect("it builds");
    assert_eq!(package.operations(), BTreeSet::new());
    assert_eq!(told.warnings, Vec::<String>::new());
}

#[test]
fn a_feature_may_have_no_tag() {
    let package = Package::new();
    let other = package.other(|document| drop(support::take_out(document, "/paths/~1status")));
    let told = package
        .build(Some(&other), &["status", "tls"])
        .expect("it builds");
    assert_eq!(package.operations(), BTreeSet::new());
    assert_eq!(told.warnings, Vec::<String>::new());
}

#[test]
fn features_choose_the_operations() {
    let package = Package::new();
    let told = package.build(None, &[]).expect("it builds");
    assert_eq!(package.operations(), BTreeSet::new());
    assert_eq!(told.warnings, Vec::<String>::new());
    for file in [
        "Cargo.toml",
        "spec/codegen.toml",
        "spec/docs.toml",
        "spec/esi.json",
    ] {
        assert!(
            told.read.contains(&package.path(file)),
            "{file} is not among {:?}",
            told.read
        );
    }
    package.build(None, &["status"]).expect("it builds");
    assert_eq!(package.operations(), status());
    package.build(None, &["all-operations"]).expect("it builds");
    assert_eq!(package.operations().len(), 233);
}

#[test]
fn a_second_run_touches_nothing() {
    let package = Package::new();
    package.build(None, &["status"]).expect("it builds");
    let first = package.files();
    assert!(first.len() > 4, "{:?}", first.keys());
    for path in first.keys() {
        let file = File::options().write(true).open(path).expect("a file");
        file.set_modified(SystemTime::UNIX_EPOCH).expect("an old date");
    }
    package.build(None, &["status"]).expect("it builds");
    assert_eq!(package.files(), first);
    for path in first.keys() {
        let modified = fs::metadata(path).and_then(|facts| facts.modified());
        assert_eq!(modified.expect("a date"), SystemTime::UNIX_EPOCH, "{path:?}");
    }
}

#[test]
fn a_spec_that_is_missing_is_named() {
    let package = Package::new();
    let missing = package.path("missing.json");
    let shown = missing.display().to_string();
    let error = package.build(Some(&missing), &[]).expect_err("no such file");
    assert_eq!((error.rule(), error.file()), ("file", Some(shown.as_str())));
    assert_eq!(package.files(), BTreeMap::new());
}
