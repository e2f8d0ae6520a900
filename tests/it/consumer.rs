//! Crates outside the workspace that use esikit: by path, from the packaged files, and with another specification.
//!
//! Each is built by a cargo of its own into `target/consumer`, from this workspace's lock file and without network.

use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::{Mutex, MutexGuard, PoisonError};
use tempfile::TempDir;

/// One build at a time: they share a target directory, and cores are few.
fn turn() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn target() -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from);
    target.join("consumer")
}

/// A copy of `tests/consumer` with its dependency put in.
struct Consumer {
    folder: TempDir,
}

impl Consumer {
    /// `patched` is where the packages lie; the workspace when left out.
    fn new(features: &[&str], patched: Option<(&Path, &Path)>) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let manifest =
            std::fs::read_to_string(root().join("tests/consumer/Cargo.toml")).expect("the manifest");
        let (esikit, codegen) = patched.map_or_else(
            || (root().to_owned(), root().join("codegen")),
            |(esikit, codegen)| (esikit.to_owned(), codegen.to_owned()),
        );
        let manifest = manifest
            .replace("\"FEATURES\"", &quoted(features))
            .replace("VERSION", env!("CARGO_PKG_VERSION"))
            + &format!(
                "\n[patch.crates-io]\nesikit = {{ path = {esikit:?} }}\nesikit-codegen = {{ path = {codegen:?} }}\n"
            );
        std::fs::write(folder.path().join("Cargo.toml"), manifest).expect("written");
        std::fs::create_dir(folder.path().join("src")).expect("a folder");
        std::fs::copy(
            root().join("tests/consumer/src/main.rs"),
            folder.path().join("src/main.rs"),
        )
        .expect("copied");
        std::fs::copy(root().join("Cargo.lock"), folder.path().join("Cargo.lock")).expect("copied");
        Self { folder }
    }

    /// Builds with `cargo build` and returns the path of the program.
    fn build(&self, features: &str, spec: Option<&Path>) -> PathBuf {
        self.built(features, spec).0
    }

    /// The path of the program, and what cargo said.
    fn built(&self, features: &str, spec: Option<&Path>) -> (PathBuf, String) {
        let mut cargo = cargo(self.folder.path());
        cargo.args(["build", "--features", features]);
        if let Some(spec) = spec {
            cargo.env("ESI_SPEC", spec);
        }
        let said = String::from_utf8_lossy(&succeed(&mut cargo).stderr).into_owned();
        (target().join("debug/consumer"), said)
    }
}

fn append(file: &Path, text: &str) {
    let before = std::fs::read_to_string(file).expect("a text file");
    std::fs::write(file, before + text).expect("written");
}

fn quoted(features: &[&str]) -> String {
    features
        .iter()
        .map(|feature| format!("{feature:?}"))
        .collect::<Vec<_>>()
        .join(", ")
}

fn cargo(folder: &Path) -> Command {
    let mut cargo = Command::new(env!("CARGO"));
    cargo
        .current_dir(folder)
        .env("CARGO_TARGET_DIR", target())
        .env_remove("ESI_SPEC")
        .env("CARGO_NET_OFFLINE", "true");
    for (name, _) in std::env::vars_os() {
        // What cargo gives to this test is not for the cargo it calls.
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_")
            || text.starts_with("CARGO_FEATURE_")
            || text == "CARGO_MANIFEST_DIR"
        {
            cargo.env_remove(&name);
        }
    }
    cargo
}

fn succeed(command: &mut Command) -> Output {
    let output = command.output().expect("the program starts");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(
        output.status.success(),
        "{command:?}\n{}\n{}",
        text(&output.stdout),
        text(&output.stderr)
    );
    output
}

fn printed(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// A server for the five endpoints; it runs in a thread of its own until the test ends.
fn serve() -> String {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    listener.set_nonblocking(true).expect("a non-blocking listener");
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::from_std(listener).expect("a listener");
            axum::serve(listener, endpoints()).await.expect("a server");
        });
    });
    url
}

fn endpoints() -> Router {
    let order = json!({
        "duration": 90, "is_buy_order": false, "issued": "2026-11-01T10:00:00Z", "location_id": 60003760,
        "min_volume": 1, "order_id": 1, "price": 4.5, "range": "region", "system_id": 30000142, "type_id": 34,
        "volume_remain": 5, "volume_total": 10,
    });
    let alliance = json!({
        "creator_corporation_id": 1, "creator_id": 2, "date_founded": "2010-01-01T00:00:00Z", "name": "Test Pilots",
        "ticker": "TEST",
    });
    let campaign = json!({
        "campaign_id": 1, "constellation_id": 2, "event_type": "ihub_defense", "solar_system_id": 30000856,
        "start_time": "2026-11-01T10:00:00Z", "structure_id": 3,
    });
    let names = json!([
        { "category": "solar_system", "id": 30000142, "name": "Jita" },
        { "category": "character", "id": 95465499, "name": "A Pilot" },
    ]);
    let fixed = |body: Value| get(move || async move { ([("X-Pages", "7")], Json(body)) });
    Router::new()
        .route("/status", fixed(json!({ "players": 9, "server_version": "1", "start_time": "2026-11-01T10:00:00Z", "vip": false })))
        .route("/markets/{region_id}/orders", fixed(json!([order])))
        .route("/alliances/{alliance_id}", fixed(alliance))
        .route("/sovereignty/campaigns", fixed(json!([campaign])))
        .route("/universe/names", post(move |Json(ids): Json<Vec<i64>>| async move {
            assert_eq!(ids, [30000142, 95465499]);
            Json(names)
        }))
        .route("/brand/new", fixed(json!({ "shine": 3 })))
        .route("/spec.json", fixed(newer_spec()))
}

/// The committed specification with a route that was "published yesterday", under a tag that has no feature.
fn newer_spec() -> Value {
    let text = std::fs::read_to_string(root().join("spec/esi.json")).expect("the specification");
    let mut spec: Value = serde_json::from_str(&text).expect("JSON");
    let schema =
        json!({ "type": "object", "required": ["shine"], "properties": { "shine": { "type": "integer" } } });
    spec["components"]["schemas"]["BrandNew"] = schema;
    let content = json!({ "application/json": { "schema": { "$ref": "#/components/schemas/BrandNew" } } });
    spec["paths"]["/brand/new"] = json!({ "get": {
        "operationId": "GetBrandNew", "tags": ["Brand New"], "parameters": [],
        "responses": { "200": { "description": "", "content": content } },
    } });
    spec
}

const FIVE_TAGS: &[&str] = &["alliance", "market", "sovereignty", "status", "universe"];

fn assert_five_calls(text: &str) {
    for line in [
        "status: 9 players",
        "market: 1 orders, the first of type 34, page 1 of Some(7)",
        "alliance: Test Pilots [TEST]",
        "universe: Jita, A Pilot",
        "sovereignty: 1 campaigns in Some(SolarSystemId(30000856))",
    ] {
        assert!(
            text.lines().any(|printed| printed == line),
            "`{line}` is not in\n{text}"
        );
    }
}

#[test]
fn a_crate_with_a_path_dependency_calls_five_endpoints_of_five_tags() {
    let _turn = turn();
    let program = Consumer::new(FIVE_TAGS, None).build("", None);
    assert_five_calls(&printed(&succeed(Command::new(program).arg(serve()))));
}

#[test]
fn the_packaged_files_build_a_consumer_and_take_in_a_newer_specification() {
    let _turn = turn();
    succeed(cargo(root()).args([
        "package",
        "--allow-dirty",
        "--no-verify",
        "-p",
        "esikit-codegen",
        "-p",
        "esikit",
    ]));
    let unpacked = tempfile::tempdir().expect("a temporary folder");
    for name in ["esikit", "esikit-codegen"] {
        let file = target().join(format!("package/{name}-{}.crate", env!("CARGO_PKG_VERSION")));
        succeed(
            Command::new("tar")
                .arg("-xzf")
                .arg(file)
                .arg("-C")
                .arg(unpacked.path()),
        );
    }
    let esikit = unpacked
        .path()
        .join(concat!("esikit-", env!("CARGO_PKG_VERSION")));
    let codegen = unpacked
        .path()
        .join(concat!("esikit-codegen-", env!("CARGO_PKG_VERSION")));
    for file in ["spec/esi.json", "spec/docs.toml", "spec/codegen.toml"] {
        assert!(esikit.join(file).is_file(), "{file} is not in the package");
    }

    let url = serve();
    let consumer = Consumer::new(FIVE_TAGS, Some((&esikit, &codegen)));
    assert_five_calls(&printed(&succeed(
        Command::new(consumer.build("", None)).arg(&url),
    )));

    // Only what the build reads makes it run again.
    let rebuilt = |consumer: &Consumer| consumer.built("", None).1.contains("Compiling esikit ");
    append(&consumer.folder.path().join("src/main.rs"), "\n");
    append(&esikit.join("README.md"), "\n");
    assert!(
        !rebuilt(&consumer),
        "the user's own code, or the README, made esikit build again"
    );
    append(&esikit.join("spec/esi.json"), "\n");
    assert!(
        rebuilt(&consumer),
        "a changed specification did not make esikit build again"
    );

    // What the README tells those who have only the published crates to do.
    let newer = unpacked.path().join("newer.json");
    std::fs::copy(root().join("Cargo.lock"), codegen.join("Cargo.lock")).expect("copied");
    let mut fetch = cargo(&codegen);
    fetch.args([
        "run",
        "--quiet",
        "--features",
        "cli",
        "--",
        "fetch",
        "--compatibility-date",
        "2026-08-18",
    ]);
    succeed(
        fetch
            .args(["--spec", &format!("{url}/spec.json"), "--output"])
            .arg(&newer),
    );
    let mut compare = cargo(&codegen);
    compare
        .args(["run", "--quiet", "--features", "cli", "--", "diff"])
        .arg(esikit.join("spec/esi.json"))
        .arg(&newer);
    let changes = printed(&succeed(&mut compare));
    assert!(changes.contains("/brand/new"), "{changes}");
    let program = consumer.build("newer-spec", Some(&newer));
    let text = printed(&succeed(Command::new(program).arg(&url)));
    assert!(text.contains("newer: BrandNew { shine: 3 }"), "{text}");
}

/// Example payloads of the retired document: what stands in them for each operation, and what came of it.
#[test]
fn every_example_of_the_swagger_document_survives_its_generated_type() {
    let spec = root().join("../shared/spec/esi-swagger-2.0-v1.17.json");
    if !spec.is_file() {
        // Past the capture of a passing test's output: nobody is to think that this was tried.
        let _ = writeln!(
            std::io::stderr(),
            "SKIPPED: the upstream Swagger document is not beside this checkout, so its 184 examples were not tried"
        );
        return;
    }
    let _turn = turn();
    let examples = examples(&spec);
    assert_eq!(examples.len(), 184);
    let consumer = Consumer::new(&["all-operations"], None);
    let file = consumer.folder.path().join("examples.json");
    std::fs::write(&file, serde_json::to_string(&examples).expect("JSON")).expect("written");
    let program = consumer.build("payloads", Some(&spec.canonicalize().expect("a path")));
    let text = printed(&succeed(Command::new(program).arg("payloads").arg(&file)));
    let results: Vec<(String, String, Value)> = text
        .lines()
        .map(|line| serde_json::from_str(line).expect("a line of JSON"))
        .collect();
    assert_eq!(results.len(), examples.len());
    for ((operation, example), (_, outcome, back)) in examples.iter().zip(&results) {
        let problem = match outcome.as_str() {
            "ok" => crate::json_equality::difference(example, back),
            _ => Some(format!("{outcome}: {back}")),
        };
        match (
            problem,
            BROKEN_EXAMPLES.iter().find(|(name, ..)| name == operation),
        ) {
            (None, None) => {}
            (Some(problem), Some((_, expected, _))) if problem.contains(expected) => {}
            (problem, listed) => panic!("{operation}: {problem:?}, listed as {listed:?}"),
        }
    }
}

/// Examples that break their own schema: operation, what is reported, and why.
const BROKEN_EXAMPLES: &[(&str, &str, &str)] = &[];

fn examples(spec: &Path) -> Vec<(String, Value)> {
    let text = std::fs::read_to_string(spec).expect("the Swagger document");
    let spec: Value = serde_json::from_str(&text).expect("JSON");
    let paths = spec["paths"].as_object().expect("paths");
    let operations = paths
        .values()
        .filter_map(Value::as_object)
        .flat_map(|item| item.values());
    operations
        .filter_map(|operation| {
            let responses = operation["responses"].as_object()?;
            let success = responses.iter().find(|(code, _)| code.starts_with('2'))?.1;
            let example = success["examples"]["application/json"].clone();
            (!example.is_null()).then(|| {
                (
                    operation["operationId"].as_str().unwrap_or_default().to_owned(),
                    example,
                )
            })
        })
        .collect()
}
