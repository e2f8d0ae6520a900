//! How words of the specification become words of Rust.

use std::collections::BTreeSet;

/// `market_group_id` and `Market groups` become `MarketGroupId` and `MarketGroups`; anything that is not a letter or a
/// digit parts words. Letters that are upper case already stay.
pub(crate) fn pascal(text: &str) -> String {
    let mut word = String::with_capacity(text.len());
    let mut start = true;
    for letter in text.chars() {
        if !letter.is_ascii_alphanumeric() {
            start = true;
        } else if start {
            word.push(letter.to_ascii_uppercase());
            start = false;
        } else {
            word.push(letter);
        }
    }
    word
}

/// `MarketGroupID` becomes `market_group_id`; `Corporation Projects` becomes `corporation_projects`.
pub(crate) fn snake(text: &str) -> String {
    let plain = text.replace(|letter: char| !letter.is_ascii_alphanumeric(), "_");
    parts(&plain).join("_").to_ascii_lowercase()
}

/// The name that `progenitor` gives to a type or to a variant of an enum.
pub(crate) fn type_name(text: &str) -> String {
    let named = match text {
        "+1" => "plus1".to_owned(),
        "-1" => "minus1".to_owned(),
        _ => parts(&text.replace('\'', ""))
            .iter()
            .map(|part| capital(part))
            .collect(),
    };
    reserved_or(match named.chars().next() {
        None => "X".to_owned(),
        Some(first) if first.is_alphabetic() => named,
        Some(_) => format!("X{named}"),
    })
}

/// The names that `progenitor` gives to the variants of an enum. Where two would be equal it tries to show what else
/// is left out of names; it panics where they are equal still.
pub(crate) fn variant_names(values: &[&str]) -> Vec<String> {
    let names: Vec<String> = values.iter().map(|value| type_name(value)).collect();
    if first_repeated(&names).is_none() {
        return names;
    }
    let shown = |value: &str| value.replace(|letter: char| !letter.is_alphanumeric(), "X");
    values.iter().map(|value| type_name(&shown(value))).collect()
}

/// The name that `progenitor` gives to a field.
pub(crate) fn field_name(text: &str) -> String {
    let named = parts(&text.replace('\'', "")).join("_").to_lowercase();
    reserved_or(match named.chars().next() {
        None => "x".to_owned(),
        Some(first) if first.is_alphabetic() => named,
        Some(_) => format!("x{named}"),
    })
}

/// Whether `progenitor` makes the same word of a name as [`snake`] does.
pub(crate) fn is_plain(text: &str) -> bool {
    text.is_ascii() && !text.contains('\'') && !matches!(text, "+1" | "-1")
}

/// The first that is there a second time.
pub(crate) fn first_repeated(names: &[String]) -> Option<usize> {
    let mut seen = BTreeSet::new();
    names.iter().position(|name| !seen.insert(name))
}

fn capital(part: &str) -> String {
    let mut letters = part.chars();
    let first = letters.next().into_iter().flat_map(char::to_uppercase);
    first.chain(letters.flat_map(char::to_lowercase)).collect()
}

fn reserved_or(name: String) -> String {
    if is_keyword(&name) {
        format!("{name}_")
    } else {
        name
    }
}

/// The parts of a name, as `progenitor` parts them: at anything that is no letter or digit, before a capital that
/// follows a small letter (`type|ID`), and before the last of several capitals when a small one follows (`ID|List`).
fn parts(text: &str) -> Vec<String> {
    let mut parts = Vec::new();
    for run in text
        .split(|letter: char| !letter.is_alphanumeric())
        .filter(|run| !run.is_empty())
    {
        let letters: Vec<char> = run.chars().collect();
        let mut part = String::new();
        // Whether the last letter of the part with a case was a capital.
        let mut capital = None;
        for (index, &letter) in letters.iter().enumerate() {
            let next = letters.get(index + 1).copied();
            let here = if letter.is_lowercase() {
                Some(false)
            } else {
                letter.is_uppercase().then_some(true).or(capital)
            };
            if here == Some(false) && next.is_some_and(char::is_uppercase) {
                part.push(letter);
                parts.push(std::mem::take(&mut part));
                capital = None;
            } else if capital == Some(true) && letter.is_uppercase() && next.is_some_and(char::is_lowercase) {
                parts.push(std::mem::replace(&mut part, letter.to_string()));
                capital = None;
            } else {
                part.push(letter);
                capital = here;
            }
        }
        parts.push(part);
    }
    parts.retain(|part| !part.is_empty());
    parts
}

/// The schema name that ESI gives to the answer of a route it has carried over from its Swagger days.
pub(crate) fn old_schema_name(path: &str, method: &str) -> String {
    let segments = path.split('/').filter(|segment| !segment.is_empty());
    segments.map(pascal).collect::<String>() + &pascal(method)
}

/// The path's fixed segments as one word: `/markets/{region_id}/orders` gives `MarketsOrders`.
pub(crate) fn fixed_segments(path: &str) -> String {
    path.split('/')
        .filter(|segment| !segment.is_empty() && !segment.starts_with('{'))
        .map(pascal)
        .collect()
}

/// `Orders` gives `Order`; a word without a singular of its own form is returned as `None`.
pub(crate) fn singular(word: &str) -> Option<String> {
    if let Some(stem) = word.strip_suffix("ies") {
        return Some(format!("{stem}y"));
    }
    if ["ss", "us", "is", "News"].iter().any(|end| word.ends_with(end)) {
        return None;
    }
    word.strip_suffix('s').map(str::to_owned)
}

/// Names that generated code uses for something else.
pub(crate) const TAKEN: &[&str] = &[
    "AsRef",
    "BodyFacts",
    "Bound",
    "Box",
    "BTreeMap",
    "CacheMode",
    "Cow",
    "DateTime",
    "Default",
    "Effect",
    "Endpoint",
    "Err",
    "Error",
    "Esi",
    "From",
    "Into",
    "IntoIterator",
    "Iterator",
    "Map",
    "Method",
    "NaiveDate",
    "None",
    "Ok",
    "Operation",
    "Option",
    "Pagination",
    "Parameter",
    "Request",
    "Response",
    "Result",
    "Rule",
    "Scope",
    "Security",
    "Self",
    "Send",
    "Some",
    "String",
    "Success",
    "Sync",
    "Utc",
    "Uuid",
    "Value",
    "Vec",
];

/// Whether generated code uses the name for something else.
pub(crate) fn is_taken(name: &str) -> bool {
    TAKEN.contains(&name)
}

/// Whether Rust reserves the word.
pub(crate) fn is_keyword(word: &str) -> bool {
    word == "gen" || syn::parse_str::<syn::Ident>(word).is_err()
}
