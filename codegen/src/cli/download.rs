//! Fetching a document, from a file or from ESI.

use super::{Failure, replace, settings};
use crate::document::Document;
use chrono::{Duration, NaiveDate, Utc};
use serde_json::Value;
use std::path::{Path, PathBuf};

/// What ESI serves today.
const DEFAULT: &str = "https://esi.evetech.net/meta/openapi.json";

/// Longest document that is taken, in bytes.
const LIMIT: u64 = 64 * 1024 * 1024;

/// Fetches a specification and writes it in canonical form, for `ESI_SPEC`.
#[derive(Debug, Clone, clap::Args)]
pub struct Fetch {
    /// Where to write it.
    #[arg(short, long)]
    pub output: PathBuf,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub from: From,
}

/// Where a document comes from.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct From {
    /// A file or a URL; what ESI serves when left out.
    #[arg(long)]
    pub spec: Option<String>,
    /// The compatibility date to ask for (YYYY-MM-DD); the newest when left out.
    #[arg(long)]
    pub compatibility_date: Option<NaiveDate>,
}

impl Fetch {
    /// Runs the command.
    ///
    /// # Errors
    /// The document cannot be had or breaks a rule. The file at `output` is then as it was.
    pub fn run(&self) -> Result<(), Failure> {
        let settings = settings(None)?;
        let (text, name) = self.from.text()?;
        let document = Document::parse(&text, &name, &settings)?;
        replace(&self.output, &document.to_text())?;
        for note in &document.notes {
            eprintln!("note: {note}");
        }
        println!(
            "wrote {}; build with ESI_SPEC set to its absolute path",
            self.output.display()
        );
        Ok(())
    }
}

impl From {
    /// The raw text and its name.
    pub(super) fn text(&self) -> Result<(String, String), Failure> {
        let source = self.spec.as_deref().unwrap_or(DEFAULT);
        let text = if is_url(source) {
            self.download(source)?
        } else {
            read(Path::new(source))?
        };
        self.check_date(&text, source)?;
        Ok((text, source.to_owned()))
    }

    fn download(&self, url: &str) -> Result<String, Failure> {
        let date = match self.compatibility_date {
            Some(date) => date,
            None => newest_date(url)?,
        };
        get(url, Some(date))
    }

    /// A document of another date than the one asked for would be taken in silently.
    fn check_date(&self, text: &str, source: &str) -> Result<(), Failure> {
        let Some(asked) = self.compatibility_date else {
            return Ok(());
        };
        let document: Value = serde_json::from_str(text).unwrap_or_default();
        let stated = document.pointer("/components/parameters/CompatibilityDate/schema/enum/0");
        match stated.and_then(Value::as_str) {
            Some(stated) if stated != asked.to_string() => Err(Failure::new(format!(
                "{source} is of {stated}, not of {asked}: leave --compatibility-date out or correct it"
            ))),
            _ => Ok(()),
        }
    }
}

fn is_url(source: &str) -> bool {
    source.starts_with("https://") || source.starts_with("http://")
}

fn read(path: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(path).map_err(|error| Failure::file(path, &error))
}

/// The newest compatibility date that ESI lists and that has begun: a date begins at 11:00 UTC, with ESI's day.
fn newest_date(url: &str) -> Result<NaiveDate, Failure> {
    let (origin, _) = url.split_once("/meta/").ok_or_else(|| {
        Failure::new(format!(
            "{url} has no /meta/ in it, so the dates cannot be looked up: give --compatibility-date"
        ))
    })?;
    let list = format!("{origin}/meta/compatibility-dates");
    let dates: Value =
        serde_json::from_str(&get(&list, None)?).map_err(|error| Failure::new(format!("{list}: {error}")))?;
    let today = (Utc::now() - Duration::hours(11)).date_naive();
    let dates = dates
        .get("compatibility_dates")
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    let begun = dates
        .filter_map(|date| date.as_str()?.parse::<NaiveDate>().ok())
        .filter(|date| *date <= today);
    begun
        .max()
        .ok_or_else(|| Failure::new(format!("{list} lists no date that has begun")))
}

fn get(url: &str, date: Option<NaiveDate>) -> Result<String, Failure> {
    let agent = concat!("esikit-codegen/", env!("CARGO_PKG_VERSION"));
    let mut request = ureq::get(url)
        .header("User-Agent", agent)
        .header("Accept", "application/json");
    if let Some(date) = date {
        request = request.header("X-Compatibility-Date", date.to_string());
    }
    let failed = |error: ureq::Error| Failure::new(format!("{url}: {error}"));
    let mut response = request.call().map_err(failed)?;
    response
        .body_mut()
        .with_config()
        .limit(LIMIT)
        .read_to_string()
        .map_err(failed)
}
