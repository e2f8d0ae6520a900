//! The commands, against files in a temporary checkout and a server in this process.

use clap::Parser;
use esikit_codegen::cli::{Compare, Fetch, Outcome, TakeIn};
use serde_json::Value;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::Path;
use tempfile::TempDir;

#[derive(Parser)]
enum Command {
    Codegen(TakeIn),
    Fetch(Fetch),
    Diff(Compare),
}

/// Runs a command line in `package`; the error is its text.
fn run(package: &Path, line: &[&str]) -> Result<Outcome, String> {
    let command =
        Command::try_parse_from([&["program"], line].concat()).map_err(|error| error.to_string())?;
    match command {
        Command::Codegen(take_in) => take_in.run(package).map(|()| Outcome::Fine),
        Command::Fetch(fetch) => fetch.run().map(|()| Outcome::Fine),
        Command::Diff(compare) => compare.run(Some(package)),
    }
    .map_err(|error| error.to_string())
}

/// A folder with `spec/` as it is committed.
fn checkout() -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    fs::create_dir(folder.path().join("spec")).expect("a folder");
    for file in ["esi.json", "docs.toml", "codegen.toml"] {
        let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("../spec").join(file);
        fs::copy(from, folder.path().join("spec").join(file)).expect("copied");
    }
    folder
}

fn spec(folder: &TempDir) -> String {
    fs::read_to_string(folder.path().join("spec/esi.json")).expect("the specification")
}

/// Answers every request with `status` and `body`, and keeps the last request's head.
fn serve(status: &'static str, body: String) -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.expect("a connection");
            let mut head = [0; 4096];
            let length = stream.read(&mut head).unwrap_or_default();
            let head = String::from_utf8_lossy(&head[..length]).into_owned();
            let body = if head.starts_with("GET /meta/compatibility-dates") {
                "{\"compatibility_dates\":[\"2020-01-01\",\"2026-08-18\",\"9999-01-01\"]}".to_owned()
            } else if !head.to_lowercase().contains("x-compatibility-date: 2026-08-18") {
                "{}".to_owned()
            } else {
                body.clone()
            };
            let length = body.len();
            let answer =
                format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}");
            // The client may have gone already.
            let _ = stream.write_all(answer.as_bytes());
        }
    });
    url
}

#[test]
fn the_committed_specification_passes_the_check() {
    run(checkout().path(), &["codegen", "--check"]).expect("it is up to date");
}

#[test]
fn an_edited_specification_fails_the_check_with_the_command_that_mends_it() {
    let folder = checkout();
    let edited = spec(&folder).replacen("{\n", "{ \n", 1);
    fs::write(folder.path().join("spec/esi.json"), edited).expect("written");
    let message = run(folder.path(), &["codegen", "--check"]).expect_err("it is not up to date");
    assert!(
        message.contains("cargo xtask codegen --spec spec/esi.json"),
        "{message}"
    );
}

#[test]
fn a_field_without_docs_fails_the_check_with_the_entry_to_add() {
    let folder = checkout();
    let docs = folder.path().join("spec/docs.toml");
    let text = fs::read_to_string(&docs).expect("the docs");
    let without: String = text
        .lines()
        .filter(|line| !line.starts_with("players ="))
        .map(|line| format!("{line}\n"))
        .collect();
    fs::write(&docs, without).expect("written");
    let message = run(folder.path(), &["codegen", "--check"]).expect_err("a line is missing");
    assert!(
        message.contains("add `players = \"...\"` to [fields]"),
        "{message}"
    );
}

#[test]
fn a_download_that_fails_leaves_the_file_as_it_was() {
    let folder = checkout();
    let before = spec(&folder);
    let whole = before.clone();
    let cut = whole[..whole.len() / 2].to_owned();
    for (status, body) in [
        ("502 Bad Gateway", "<html>".to_owned()),
        ("200 OK", cut),
        ("200 OK", "{}".to_owned()),
    ] {
        let url = serve(status, body) + "/meta/openapi.json";
        run(folder.path(), &["codegen", "--spec", &url]).expect_err("nothing that could be taken in");
        assert_eq!(spec(&folder), before);
    }
    let nobody = "http://127.0.0.1:1/meta/openapi.json";
    run(
        folder.path(),
        &["codegen", "--spec", nobody, "--compatibility-date", "2026-08-18"],
    )
    .expect_err("no server");
    assert_eq!(spec(&folder), before);
}

#[test]
fn the_newest_date_that_has_begun_is_asked_for() {
    let folder = checkout();
    let mut newer: Value = serde_json::from_str(&spec(&folder)).expect("JSON");
    newer["paths"]["/status"]["get"]["x-client-cache-ttl"] = Value::from(31);
    let url = serve("200 OK", newer.to_string()) + "/meta/openapi.json";
    run(folder.path(), &["codegen", "--spec", &url]).expect("taken in");
    assert!(spec(&folder).contains("\"x-client-cache-ttl\": 31"));
}

#[test]
fn a_document_of_another_date_than_asked_for_is_refused() {
    let folder = checkout();
    let file = folder.path().join("spec/esi.json").display().to_string();
    let message = run(
        folder.path(),
        &["codegen", "--spec", &file, "--compatibility-date", "2026-09-01"],
    )
    .expect_err("it is of another date");
    assert!(
        message.contains("is of 2026-08-18, not of 2026-09-01"),
        "{message}"
    );
}

#[test]
fn fetch_writes_the_canonical_form() {
    let folder = checkout();
    let raw: Value = serde_json::from_str(&spec(&folder)).expect("JSON");
    let url = serve("200 OK", raw.to_string()) + "/meta/openapi.json";
    let output = folder.path().join("fetched.json");
    run(
        folder.path(),
        &["fetch", "--spec", &url, "--output", &output.display().to_string()],
    )
    .expect("fetched");
    assert_eq!(fs::read_to_string(output).expect("the file"), spec(&folder));
}

#[test]
fn a_file_beside_the_output_is_left_alone() {
    let folder = checkout();
    let from = folder.path().join("spec/esi.json").display().to_string();
    let path = |name: &str| folder.path().join("out").join(name);
    fs::create_dir(path("")).expect("a folder");
    fs::write(path("esi.new"), "somebody's").expect("written");
    fs::create_dir(path("taken.json")).expect("a folder");
    let fetch = |name: &str| {
        let output = path(name).display().to_string();
        run(folder.path(), &["fetch", "--spec", &from, "--output", &output])
    };
    fetch("esi.json").expect("written");
    let message = fetch("taken.json").expect_err("a folder is there");
    assert!(message.contains("taken.json"), "{message}");
    assert_eq!(
        fs::read_to_string(path("esi.new")).expect("still there"),
        "somebody's"
    );
    let mut left: Vec<_> = fs::read_dir(path(""))
        .expect("the folder")
        .map(|entry| entry.expect("an entry").file_name())
        .collect();
    left.sort();
    assert_eq!(left, ["esi.json", "esi.new", "taken.json"]);
}

#[test]
fn diff_fails_on_breaking_changes_where_it_is_asked_to() {
    let folder = checkout();
    let old = folder.path().join("spec/esi.json").display().to_string();
    let mut changed: Value = serde_json::from_str(&spec(&folder)).expect("JSON");
    changed["paths"]
        .as_object_mut()
        .and_then(|paths| paths.remove("/status"))
        .expect("an operation to remove");
    let file = folder.path().join("changed.json");
    fs::write(&file, changed.to_string()).expect("written");
    let new = file.display().to_string();
    let diff = |old: &str, new: &str, options: &[&str]| {
        run(folder.path(), &[&["diff", old, new], options].concat()).expect("compared")
    };
    for json in [&[][..], &["--json"]] {
        let failing = [&["--fail-on-breaking"], json].concat();
        assert_eq!(diff(&old, &new, json), Outcome::Fine);
        assert_eq!(diff(&old, &new, &failing), Outcome::Breaking);
        assert_eq!(diff(&old, &old, &failing), Outcome::Fine);
        assert_eq!(
            diff(&new, &old, &failing),
            Outcome::Fine,
            "an operation more breaks nothing"
        );
    }
    let message = run(folder.path(), &["diff", &old, "nowhere.json"]).expect_err("no such file");
    assert!(message.contains("nowhere.json"), "{message}");
}
