//! Fetching a document, from a file or from ESI.

use super::{Failure, replace, settings};
use crate::document::Document;
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What ESI serves today.
const DEFAULT: &str = "https://esi.evetech.net/meta/openapi.json";

/// ESI's day begins at this hour, UTC.
const DAY_BEGINS: i64 = 11;

/// How long one request may take as a whole.
const PATIENCE: Duration = Duration::from_secs(60);

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
        get(url, Some(date), PATIENCE)
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

/// The newest compatibility date that ESI lists and that has begun.
#[allow(
    clippy::disallowed_methods,
    reason = "no test moves the clock of this command"
)]
fn newest_date(url: &str) -> Result<NaiveDate, Failure> {
    let (origin, _) = url.split_once("/meta/").ok_or_else(|| {
        Failure::new(format!(
            "{url} has no /meta/ in it, so the dates cannot be looked up: give --compatibility-date"
        ))
    })?;
    let list = format!("{origin}/meta/compatibility-dates");
    let dates: Value = serde_json::from_str(&get(&list, None, PATIENCE)?)
        .map_err(|error| Failure::new(format!("{list}: {error}")))?;
    newest(&dates, Utc::now()).ok_or_else(|| Failure::new(format!("{list} lists no date that has begun")))
}

fn newest(dates: &Value, now: DateTime<Utc>) -> Option<NaiveDate> {
    let today = (now - TimeDelta::hours(DAY_BEGINS)).date_naive();
    let dates = dates.get("compatibility_dates")?.as_array()?;
    let dates = dates
        .iter()
        .filter_map(|date| date.as_str()?.parse::<NaiveDate>().ok());
    dates.filter(|date| *date <= today).max()
}

/// The body of a page, if all of it is there within `patience`.
fn get(url: &str, date: Option<NaiveDate>, patience: Duration) -> Result<String, Failure> {
    let agent = concat!("esikit-codegen/", env!("CARGO_PKG_VERSION"));
    let mut request = ureq::get(url)
        .config()
        .timeout_global(Some(patience))
        .build()
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

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use std::io::{Read, Write};
    use std::net::TcpListener;

    #[test]
    fn a_server_that_stalls_is_given_up() {
        for answer in ["", "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{"] {
            let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
            let url = format!("http://{}", listener.local_addr().expect("an address"));
            let server = std::thread::spawn(move || {
                let (mut stream, _) = listener.accept().expect("a connection");
                stream.write_all(answer.as_bytes()).expect("written");
                // Until the client has gone.
                let _ = stream.read_to_end(&mut Vec::new());
            });
            let failure = get(&url, None, Duration::from_millis(300)).expect_err("nothing whole came");
            assert!(failure.to_string().contains("timeout"), "{failure}");
            server.join().expect("the server");
        }
    }

    #[test]
    fn a_date_begins_with_the_day_of_esi() {
        let dates =
            json!({ "compatibility_dates": ["2026-08-04", "2026-08-18", "2026-08-19", "no date", 7] });
        let newest_at =
            |now: &str| newest(&dates, now.parse().expect("a moment")).map(|date| date.to_string());
        assert_eq!(newest_at("2026-08-18T10:59:59Z").as_deref(), Some("2026-08-04"));
        assert_eq!(newest_at("2026-08-18T11:00:00Z").as_deref(), Some("2026-08-18"));
        assert_eq!(newest_at("2026-12-01T00:00:00Z").as_deref(), Some("2026-08-19"));
        assert_eq!(newest_at("2020-01-01T12:00:00Z"), None);
        assert_eq!(newest(&json!([]), DateTime::<Utc>::MAX_UTC), None);
    }
}
