//! Taking a document into a checkout of esikit, and checking what is committed there.

use super::download::From;
use super::{Failure, replace, settings};
use crate::diff::diff;
use crate::docs::Docs;
use crate::document::Document;
use crate::emit::{Source, generate};
use crate::select::Selection;
use crate::settings::Settings;
use std::collections::BTreeMap;
use std::path::Path;

/// Takes a specification in as `spec/esi.json` and prints what changed; with `--check`, looks and writes nothing.
#[derive(Debug, Clone, clap::Args)]
pub struct TakeIn {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub from: From,
    /// Fail where the committed file is not what this command would write, or where something has no docs.
    #[arg(long)]
    pub check: bool,
    /// Print how many lines are generated per tag, not counting docs.
    #[arg(long)]
    pub stats: bool,
}

impl TakeIn {
    /// Runs the command in the checkout at `package`.
    ///
    /// # Errors
    /// The document cannot be had or breaks a rule, or `--check` found something; `spec/esi.json` is then as it was.
    pub fn run(&self, package: &Path) -> Result<(), Failure> {
        let settings = settings(Some(package))?;
        let docs_file = package.join("spec/docs.toml");
        let docs = std::fs::read_to_string(&docs_file).map_err(|error| Failure::file(&docs_file, &error))?;
        let checkout = Checkout {
            package,
            settings,
            docs: Docs::parse(&docs)?,
        };
        if self.check || (self.stats && self.from.spec.is_none()) {
            let source = checkout.check(&self.from)?;
            if self.stats {
                print!("{}", stats(&source.files));
            }
            return Ok(());
        }
        let source = checkout.take_in(&self.from)?;
        if self.stats {
            print!("{}", stats(&source.files));
        }
        Ok(())
    }
}

struct Checkout<'a> {
    package: &'a Path,
    settings: Settings,
    docs: Docs,
}

impl Checkout<'_> {
    fn take_in(&self, from: &From) -> Result<Source, Failure> {
        let path = self.package.join("spec/esi.json");
        let (text, name) = from.text()?;
        let new = Document::parse(&text, &name, &self.settings)?;
        let source = self.generate(&new)?;
        match Document::read(&path, &self.settings) {
            Ok(old) => print!("{}", diff(&old.value, &new.value)),
            Err(error) => println!("no comparison with what was there: {error}"),
        }
        replace(&path, &new.to_text())?;
        for entry in source.notes.iter().chain(&source.undocumented) {
            println!("to do: {entry}");
        }
        println!("wrote spec/esi.json: {} operations", operations(&new));
        Ok(source)
    }

    /// The committed document must be what this version would write, its source the same each time, and nothing
    /// without docs.
    fn check(&self, from: &From) -> Result<Source, Failure> {
        let path = self.package.join("spec/esi.json");
        let committed = std::fs::read_to_string(&path).map_err(|error| Failure::file(&path, &error))?;
        let (text, name) = match &from.spec {
            Some(_) => from.text()?,
            None => (committed.clone(), path.display().to_string()),
        };
        let mends = match &from.spec {
            Some(spec) => format!("cargo xtask codegen --spec {spec}"),
            None => "cargo xtask codegen --spec spec/esi.json".to_owned(),
        };
        let document = Document::parse(&text, &name, &self.settings)?;
        if document.to_text() != committed {
            return Err(Failure::new(format!(
                "spec/esi.json is not what would be written now; run:\n    {mends}"
            )));
        }
        let source = self.generate(&document)?;
        if self.generate(&document)?.files != source.files {
            return Err(Failure::new(
                "two runs on one document gave different source: codegen is not deterministic",
            ));
        }
        let todo: Vec<&String> = source.notes.iter().chain(&source.undocumented).collect();
        if !todo.is_empty() {
            let list = todo
                .into_iter()
                .map(|entry| format!("\n    {entry}"))
                .collect::<String>();
            return Err(Failure::new(format!(
                "spec/codegen.toml and spec/docs.toml do not cover everything:{list}"
            )));
        }
        println!(
            "spec/esi.json is up to date: {} operations",
            operations(&document)
        );
        Ok(source)
    }

    fn generate(&self, document: &Document) -> Result<Source, Failure> {
        Ok(generate(
            document,
            &Selection::Everything,
            &self.settings,
            &self.docs,
        )?)
    }
}

fn operations(document: &Document) -> usize {
    let paths = document.value.get("paths").and_then(serde_json::Value::as_object);
    paths
        .into_iter()
        .flat_map(|paths| paths.values())
        .filter_map(|item| item.as_object())
        .map(|item| item.len())
        .sum()
}

/// Lines per tag, without doc comments.
fn stats(files: &BTreeMap<String, String>) -> String {
    let mut lines: BTreeMap<&str, usize> = BTreeMap::new();
    let mut longest = 0;
    for (name, text) in files {
        let tag = name.rsplit('/').next().unwrap_or(name).trim_end_matches(".rs");
        *lines.entry(tag).or_default() += text
            .lines()
            .filter(|line| !line.trim_start().starts_with("///"))
            .count();
        longest = longest.max(text.lines().map(|line| line.chars().count()).max().unwrap_or(0));
    }
    let total: usize = lines.values().sum();
    let rows = lines
        .iter()
        .map(|(tag, count)| format!("{count:>6} {tag}\n"))
        .collect::<String>();
    format!("{rows}{total:>6} in all; the longest line has {longest} characters\n")
}
