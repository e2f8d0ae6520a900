//! What a build script does: choose the document, select by features, generate, write.

use crate::docs::Docs;
use crate::document::Document;
use crate::emit::{Source, generate};
use crate::error::{At, Error, Result};
use crate::select::{Selection, feature};
use crate::settings::Settings;
use crate::tables;
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The surroundings of a build script, as Cargo gives them in environment variables.
#[derive(Debug, Clone)]
pub struct Build {
    /// `CARGO_MANIFEST_DIR`: the package with `spec/` and `Cargo.toml`.
    pub package: PathBuf,
    /// `OUT_DIR`.
    pub out: PathBuf,
    /// `ESI_SPEC`: another document, by an absolute path.
    pub spec: Option<PathBuf>,
    /// Names of the enabled features, as in `CARGO_FEATURE_*` but in lower case and with hyphens.
    pub features: BTreeSet<String>,
}

/// What Cargo is to be told.
#[derive(Debug, Default)]
pub struct Told {
    /// Files whose change makes another run necessary.
    pub read: Vec<PathBuf>,
    /// Warnings for the person who builds.
    pub warnings: Vec<String>,
}

impl Build {
    /// Reads the environment of a build script.
    pub fn from_environment() -> Self {
        let variable = |name: &str| std::env::var_os(name).unwrap_or_default();
        let features = std::env::vars_os().filter_map(|(name, _)| {
            let name = name.into_string().ok()?;
            Some(
                name.strip_prefix("CARGO_FEATURE_")?
                    .to_lowercase()
                    .replace('_', "-"),
            )
        });
        Self {
            package: variable("CARGO_MANIFEST_DIR").into(),
            out: variable("OUT_DIR").into(),
            spec: std::env::var_os("ESI_SPEC")
                .filter(|path| !path.is_empty())
                .map(PathBuf::from),
            features: features.collect(),
        }
    }

    /// Generates the source into the output folder. Files that would stay the same are not touched.
    ///
    /// # Errors
    /// A file that cannot be read or written, a relative `ESI_SPEC`, or a document that breaks a rule.
    pub fn run(&self) -> Result<Told> {
        let committed = self.package.join("spec/esi.json");
        let spec = self.spec.as_deref().map_or(Ok(committed.as_path()), absolute)?;
        let settings_file = self.package.join("spec/codegen.toml");
        let docs_file = self.package.join("spec/docs.toml");
        let manifest = self.package.join("Cargo.toml");
        let settings = in_file(&settings_file, Settings::parse)?;
        let docs = in_file(&docs_file, Docs::parse)?;
        let declared = in_file(&manifest, declared_features)?;
        let document = Document::read(spec, &settings)?;
        let mut told = Told {
            read: vec![spec.to_owned(), settings_file, docs_file, manifest],
            warnings: Vec::new(),
        };
        let selection = self.selection(&document, &declared, &mut told);
        let source = generate(&document, &selection, &settings, &docs)
            .map_err(|error| error.in_file(spec.display().to_string()))?;
        self.write(&source)?;
        Ok(told)
    }

    /// A tag that was published after this release has no feature: it is generated whenever `ESI_SPEC` is set.
    fn selection(&self, document: &Document, declared: &BTreeSet<String>, told: &mut Told) -> Selection {
        let tags = document.value.pointer("/tags").and_then(Value::as_array);
        let tags = tags
            .into_iter()
            .flatten()
            .filter_map(|tag| tag.get("name")?.as_str());
        let unknown: Vec<&str> = tags.filter(|tag| !declared.contains(&feature(tag))).collect();
        if self.spec.is_some() {
            told.warnings.extend(unknown.iter().map(|tag| {
                format!("the tag `{tag}` has no feature in this version of esikit; its operations are always generated")
            }));
        }
        if self.features.contains("all-operations") {
            return Selection::Everything;
        }
        let mut features = self.features.clone();
        if self.spec.is_some() {
            features.extend(unknown.into_iter().map(feature));
        }
        Selection::Features(features)
    }

    fn write(&self, source: &Source) -> Result<()> {
        for (name, text) in &source.files {
            let path = self.out.join(name);
            if fs::read_to_string(&path).is_ok_and(|before| before == *text) {
                continue;
            }
            let folder = path.parent().unwrap_or(&self.out);
            fs::create_dir_all(folder)
                .and_then(|()| fs::write(&path, text))
                .map_err(|error| io(&path, &error))?;
        }
        Ok(())
    }
}

fn absolute(path: &Path) -> Result<&Path> {
    if path.is_absolute() {
        return Ok(path);
    }
    let shown = path.display();
    let message = format!(
        "ESI_SPEC is the relative path `{shown}`, and a build script does not run where you do. Write in .cargo/config.toml:\n\
         [env]\nESI_SPEC = {{ value = \"{shown}\", relative = true }}"
    );
    Err(Error::new("esi-spec", &At::root(), message))
}

fn in_file<T>(path: &Path, parse: impl Fn(&str) -> Result<T>) -> Result<T> {
    let text = fs::read_to_string(path).map_err(|error| io(path, &error))?;
    parse(&text).map_err(|error| error.in_file(path.display().to_string()))
}

fn io(path: &Path, error: &std::io::Error) -> Error {
    Error::new("file", &At::root(), error.to_string()).in_file(path.display().to_string())
}

fn declared_features(manifest: &str) -> Result<BTreeSet<String>> {
    let manifest = tables::parse("manifest", manifest)?;
    let features = manifest["features"].as_object();
    Ok(features
        .into_iter()
        .flatten()
        .map(|(name, _)| name.clone())
        .collect())
}
