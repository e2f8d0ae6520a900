//! The comparison as text for a terminal.

use super::Diff;
use super::change::{Change, Kind, Operation, What, shown};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// So many operations are named where many have a change in common.
const NAMED: usize = 4;

impl fmt::Display for Diff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines = lines(&self.changes);
        let shared = shared(&lines);
        let (common, own): (Vec<&Line<'_>>, Vec<&Line<'_>>) =
            lines.iter().partition(|line| line.is_in(&shared));
        write_document(f, &own)?;
        write_common(f, &common)?;
        write_operations(f, &own)?;
        self.write_summary(f)
    }
}

impl Diff {
    fn write_summary(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whole = |what| {
            self.changes
                .iter()
                .filter(|change| change.kind == Kind::Operation && change.what == what)
                .count()
        };
        let touched: BTreeSet<&Operation> = self
            .changes
            .iter()
            .filter_map(|c| c.place.operation.as_ref())
            .collect();
        let (added, removed) = (whole(What::Added), whole(What::Removed));
        let breaking = self.changes.iter().filter(|change| change.breaking).count();
        writeln!(
            f,
            "{}, {breaking} of them breaking; operations: {added} added, {removed} removed, {} changed",
            counted(self.changes.len(), "change"),
            touched.len() - added - removed,
        )
    }
}

/// One line of text: a change, or all values of an enum that came or went together.
struct Line<'a> {
    change: &'a Change,
    message: String,
}

/// Lines that say the same of several operations are one. Inside a component it is the component's place that counts.
type Key<'a> = (char, &'a str, &'a str);

impl<'a> Line<'a> {
    fn mark(&self) -> char {
        match (self.change.breaking, self.change.what) {
            (true, _) => '!',
            (false, What::Added) => '+',
            (false, What::Removed) => '-',
            (false, What::Changed) => '~',
        }
    }

    fn key(&self) -> Key<'_> {
        let place = &self.change.place;
        (
            self.mark(),
            place.component.as_ref().unwrap_or(&place.inside),
            &self.message,
        )
    }

    fn is_in(&self, shared: &BTreeSet<Key<'_>>) -> bool {
        self.change.place.operation.is_some() && shared.contains(&self.key())
    }

    /// Operations that came or went each have a line of their own.
    fn is_whole_operation(&self) -> bool {
        self.change.kind == Kind::Operation && self.change.what != What::Changed
    }

    fn operation(&self) -> Option<&'a Operation> {
        self.change.place.operation.as_ref()
    }

    fn write(&self, f: &mut fmt::Formatter<'_>, place: &str) -> fmt::Result {
        let colon = if place.is_empty() { "" } else { ": " };
        writeln!(f, "  {} {place}{colon}{}", self.mark(), self.message)
    }
}

/// Sorted changes as lines; values of one enum stand together, so that their neighbours can be folded.
fn lines(changes: &[Change]) -> Vec<Line<'_>> {
    let together = |a: &Change, b: &Change| {
        a.kind == Kind::EnumValue
            && (a.kind, a.what, a.breaking, &a.place) == (b.kind, b.what, b.breaking, &b.place)
    };
    let folded = changes.chunk_by(together).filter_map(|chunk| {
        let change = chunk.first()?;
        Some(Line {
            change,
            message: if chunk.len() > 1 {
                folded(chunk)
            } else {
                change.message.clone()
            },
        })
    });
    folded.collect()
}

fn folded(changes: &[Change]) -> String {
    let values = changes
        .iter()
        .filter_map(|change| change.to.as_ref().or(change.from.as_ref()));
    let list = shown(&Value::Array(values.cloned().collect()));
    let breaking = changes.iter().any(|change| change.breaking);
    let (state, reason) = match (changes.iter().any(|change| change.to.is_some()), breaking) {
        (true, _) => ("new", ""),
        (false, false) => ("gone", ""),
        (false, true) => ("gone", "; they must not be sent any more"),
    };
    format!("{list} are {state}{reason}")
}

fn shared<'a>(lines: &'a [Line<'a>]) -> BTreeSet<Key<'a>> {
    let mut operations: BTreeMap<Key<'_>, BTreeSet<&Operation>> = BTreeMap::new();
    for line in lines.iter().filter(|line| !line.is_whole_operation()) {
        operations.entry(line.key()).or_default().extend(line.operation());
    }
    operations
        .into_iter()
        .filter(|(_, operations)| operations.len() > 1)
        .map(|(key, _)| key)
        .collect()
}

fn write_document(f: &mut fmt::Formatter<'_>, own: &[&Line<'_>]) -> fmt::Result {
    let mut lines: Vec<_> = own.iter().filter(|line| line.operation().is_none()).collect();
    lines.sort_by_key(|line| line.mark());
    section(f, "The document", lines.is_empty())?;
    lines
        .iter()
        .try_for_each(|line| line.write(f, &line.change.place.inside))?;
    end_of_section(f, lines.is_empty())
}

fn write_common(f: &mut fmt::Formatter<'_>, common: &[&Line<'_>]) -> fmt::Result {
    let mut by_key: BTreeMap<Key<'_>, Vec<&Line<'_>>> = BTreeMap::new();
    for line in common {
        by_key.entry(line.key()).or_default().push(line);
    }
    section(f, "The same in several operations", by_key.is_empty())?;
    for ((_, place, _), lines) in &by_key {
        if let Some(line) = lines.first() {
            line.write(f, place)?;
        }
        let operations: BTreeSet<&Operation> = lines.iter().filter_map(|line| line.operation()).collect();
        writeln!(f, "      {}", list_of(&operations))?;
    }
    end_of_section(f, by_key.is_empty())
}

fn list_of(operations: &BTreeSet<&Operation>) -> String {
    let named = operations
        .iter()
        .take(NAMED)
        .map(|operation| format!("{} {}", operation.method, operation.path));
    let rest = operations.len().saturating_sub(NAMED);
    let more = if rest > 0 {
        format!(" and {rest} more")
    } else {
        String::new()
    };
    format!(
        "{}: {}{more}",
        counted(operations.len(), "operation"),
        named.collect::<Vec<_>>().join(", ")
    )
}

fn write_operations(f: &mut fmt::Formatter<'_>, own: &[&Line<'_>]) -> fmt::Result {
    let of_operations: Vec<_> = own.iter().filter(|line| line.operation().is_some()).collect();
    let (whole, parts): (Vec<&&Line<'_>>, Vec<&&Line<'_>>) =
        of_operations.iter().partition(|line| line.is_whole_operation());
    section(f, "Operations", whole.is_empty())?;
    for what in [What::Removed, What::Added] {
        for line in whole.iter().filter(|line| line.change.what == what) {
            let place = line.operation().map(ToString::to_string).unwrap_or_default();
            line.write(f, &place)?;
        }
    }
    end_of_section(f, whole.is_empty())?;
    for lines in parts.chunk_by(|a, b| a.operation() == b.operation()) {
        write_operation(f, lines)?;
    }
    Ok(())
}

fn write_operation(f: &mut fmt::Formatter<'_>, lines: &[&&Line<'_>]) -> fmt::Result {
    let Some(operation) = lines.first().and_then(|line| line.operation()) else {
        return Ok(());
    };
    writeln!(f, "{operation}")?;
    let mut lines = lines.to_vec();
    lines.sort_by_key(|line| line.mark());
    lines
        .iter()
        .try_for_each(|line| line.write(f, &line.change.place.inside))?;
    writeln!(f)
}

fn section(f: &mut fmt::Formatter<'_>, title: &str, empty: bool) -> fmt::Result {
    if empty { Ok(()) } else { writeln!(f, "{title}") }
}

fn end_of_section(f: &mut fmt::Formatter<'_>, empty: bool) -> fmt::Result {
    if empty { Ok(()) } else { writeln!(f) }
}

fn counted(number: usize, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{plural}")
}
