//! The source of ESI's real documents.

use crate::source::Model;
use crate::support;
use esikit_codegen::docs::Docs;
use esikit_codegen::document::Document;
use esikit_codegen::select::{Selection, feature};
use esikit_codegen::settings::Settings;
use esikit_codegen::{Source, generate};
use std::collections::{BTreeMap, BTreeSet};

struct Esi {
    document: Document,
    settings: Settings,
    docs: Docs,
}

impl Esi {
    fn of(text: &str) -> Self {
        let settings = support::esi_settings();
        let document = Document::parse(text, "test", &settings).unwrap_or_else(|error| panic!("{error}"));
        Self {
            document,
            settings,
            docs: support::esi_docs(),
        }
    }

    fn source(&self, selection: &Selection) -> Source {
        generate(&self.document, selection, &self.settings, &self.docs)
            .unwrap_or_else(|error| panic!("{error}"))
    }

    /// Tag to the ids of its operations.
    fn tags(&self) -> BTreeMap<String, BTreeSet<String>> {
        let mut tags: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        let paths = self.document.value["paths"].as_object().expect("paths");
        for operation in paths
            .values()
            .filter_map(|item| item.as_object())
            .flat_map(|item| item.values())
        {
            let text = |pointer: &str| {
                operation
                    .pointer(pointer)
                    .and_then(|text| text.as_str())
                    .expect("a text")
                    .to_owned()
            };
            tags.entry(text("/tags/0"))
                .or_default()
                .insert(text("/operationId"));
        }
        tags
    }
}

/// What is asked of all the source of one document.
fn check(esi: &Esi, operations: usize, marked: usize, scheme: &str) {
    let source = esi.source(&Selection::Everything);
    let model = Model::of(&source).sound();
    assert_eq!(
        (model.markers.len(), model.methods.len()),
        (operations, operations)
    );
    let secured = model
        .statics
        .values()
        .filter(|facts| facts.replace(' ', "").contains(&format!("scheme:\"{scheme}\"")));
    assert_eq!(secured.count(), marked);
    assert_eq!(
        model.reached().len(),
        model.types.len() - 1,
        "all types but `Scope` are reached from operations"
    );
    sorted(&source, &model, operations);
    let again = Esi::of(&esi.document.to_text()).source(&Selection::Everything);
    assert!(again.files == source.files, "another run gives another source");
}

#[test]
fn lines_are_few_and_short() {
    sizes(&Esi::of(&support::committed()).source(&Selection::Everything));
    if let Some(text) = support::upstream(support::SWAGGER) {
        sizes(&Esi::of(&text).source(&Selection::Everything));
    }
}

fn sizes(source: &Source) {
    let lines = || {
        source
            .files
            .iter()
            .flat_map(|(name, text)| text.lines().map(move |line| (name, line)))
    };
    let code = lines()
        .filter(|(_, line)| !line.trim_start().starts_with("///"))
        .count();
    assert!(code < 25_000, "{code} lines that are not docs");
    let long: Vec<String> = lines()
        .filter(|(_, line)| line.chars().count() > 120)
        .map(|(name, line)| format!("{name}: {} characters: {line}", line.chars().count()))
        .collect();
    assert!(
        long.is_empty(),
        "{} lines are too long:\n{}",
        long.len(),
        long.join("\n")
    );
}

fn sorted(source: &Source, model: &Model, operations: usize) {
    let listed = source.files["esi.rs"]
        .lines()
        .filter_map(|line| line.trim().strip_prefix("&operations::"));
    let ids: Vec<&str> = listed
        .map(|name| {
            let facts = &model.statics[name.trim_end_matches(',')];
            facts.split('"').nth(1).expect("an id")
        })
        .collect();
    assert_eq!(ids.len(), operations);
    assert!(ids.is_sorted_by(|one, next| one < next), "{ids:?}");
}

#[test]
fn of_openapi_3_1() {
    check(&Esi::of(&support::committed()), 233, 145, "OAuth2");
}

#[test]
fn of_swagger() {
    let Some(text) = support::upstream(support::SWAGGER) else {
        return;
    };
    check(&Esi::of(&text), 204, 124, "evesso");
}

#[test]
fn every_field_and_operation_has_a_line_of_ours() {
    let source = Esi::of(&support::committed()).source(&Selection::Everything);
    assert!(
        source.undocumented.is_empty(),
        "{}",
        source.undocumented.join("\n")
    );
    assert!(source.notes.is_empty(), "{}", source.notes.join("\n"));
}

#[test]
fn a_tag_alone_is_what_it_is_among_all() {
    let esi = Esi::of(&support::committed());
    let all = Model::of(&esi.source(&Selection::Everything)).sound();
    let tags = esi.tags();
    assert_eq!(tags.len(), 39);
    for (tag, ids) in &tags {
        let source = esi.source(&Selection::Features(BTreeSet::from([feature(tag)])));
        let alone = Model::of(&source).sound();
        assert_eq!(
            alone.markers.keys().cloned().collect::<BTreeSet<_>>(),
            *ids,
            "{tag}"
        );
        assert_eq!(
            source
                .files
                .keys()
                .filter(|name| name.starts_with("operations/"))
                .count(),
            1,
            "{tag}"
        );
        let reached = alone.reached();
        for name in alone.types.keys().filter(|name| *name != "Scope") {
            assert!(reached.contains(name.as_str()), "{tag}: nothing reaches {name}");
            assert!(
                all.types.contains_key(name),
                "{tag}: {name} has another name among all"
            );
            let same = alone.types[name].kind == "open_enum" || alone.members(name) == all.members(name);
            assert!(same, "{tag}: {name} is not what it is among all");
        }
    }
}
