//! What belongs to no single operation: servers, version, and the settings of the client.

use super::change::{Change, Kind, Place};
use super::pair::{fact, items, members, pairs, text};
use super::{Comparison, parameters, types};
use serde_json::{Value, json};

/// Its one allowed value is the date of the document itself, which the version says already.
const DATE_HEADER: &str = "x-compatibility-date";

impl<'a> Comparison<'a> {
    pub(super) fn document(&mut self) {
        self.servers();
        self.version();
        self.settings();
        self.security_schemes();
    }

    /// One address for another is one change; beyond that each address counts by itself.
    fn servers(&mut self) {
        let place = Place::document().part("servers");
        let (old, new) = (urls(self.old), urls(self.new));
        let gone: Vec<&str> = old.iter().filter(|url| !new.contains(url)).copied().collect();
        let come: Vec<&str> = new.iter().filter(|url| !old.contains(url)).copied().collect();
        if let ([from], [to]) = (&gone[..], &come[..]) {
            let change = Change::between(Kind::Server, &place, Some(json!(from)), Some(json!(to)));
            self.report(
                change.map(|change| change.breaking(true).because("old clients call the old address")),
            );
            return;
        }
        for url in gone {
            let change = Change::between(Kind::Server, &place, Some(json!(url)), None);
            self.report(change.map(|change| change.breaking(true).because("old clients may call it")));
        }
        for url in come {
            self.report(Change::between(Kind::Server, &place, None, Some(json!(url))));
        }
    }

    /// Old clients go on sending the date they were made for.
    fn version(&mut self) {
        let place = Place::document().part("version");
        let version = |document: &Value| document.get("info").and_then(|info| fact(info, "version"));
        self.report(Change::between(
            Kind::CompatibilityDate,
            &place,
            version(self.old),
            version(self.new),
        ));
    }

    fn settings(&mut self) {
        for ((_, name), pair) in pairs(settings(self.old), settings(self.new)) {
            let ((Some(any), _) | (None, Some(any))) = pair else {
                continue;
            };
            let place = Place::document().part(format!("setting {}", text(any, "name").unwrap_or_default()));
            match pair {
                (Some(old), Some(new)) if name == DATE_HEADER => self.requirement(&place, old, new),
                (Some(old), Some(new)) => self.parameter(&place, old, new),
                (Some(old), None) => {
                    let from = Some(json!(types::label_of(parameters::schema(old), self.old)));
                    let change = Change::between(Kind::Parameter, &place, from, None);
                    self.report(change.map(|change| change.saying("ESI takes this setting no longer")));
                }
                (None, Some(new)) => self.new_parameter(&place, new),
                (None, None) => {}
            }
        }
    }
}

fn urls(document: &Value) -> Vec<&str> {
    items(document, "servers")
        .filter_map(|server| text(server, "url"))
        .collect()
}

/// Parameters that are lifted out of the operations, by place and name; headers are the same in any case.
fn settings(document: &Value) -> impl Iterator<Item = ((&str, String), &Value)> {
    members(document, "/components/parameters").map(|(_, parameter)| {
        let place = text(parameter, "in").unwrap_or_default();
        let name = text(parameter, "name").unwrap_or_default();
        (
            (
                place,
                if place == "header" {
                    name.to_ascii_lowercase()
                } else {
                    name.to_owned()
                },
            ),
            parameter,
        )
    })
}
