//! Text of Rust: docs, literals, and the one formatting of items.

use crate::error::{At, Error, Result};

/// Generated lines stay within this many characters.
const WIDTH: usize = 110;

/// Doc comments, wrapped, each line behind `indent`.
pub(super) fn docs(indent: &str, text: &str) -> String {
    let mut out = String::new();
    for paragraph in text.lines() {
        let mut line = String::new();
        for word in paragraph.split(' ') {
            if !line.is_empty() && indent.len() + line.len() + word.len() + 5 > WIDTH {
                push_doc(&mut out, indent, &line);
                // The rest of a list item is indented, so that Markdown keeps it in the item.
                line = if paragraph.starts_with("- ") {
                    "  ".to_owned()
                } else {
                    String::new()
                };
            }
            if !line.trim().is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
        push_doc(&mut out, indent, &line);
    }
    out
}

fn push_doc(out: &mut String, indent: &str, line: &str) {
    out.push_str(format!("{indent}/// {line}").trim_end());
    out.push('\n');
}

/// Two parts of an entry, on one line where they fit.
pub(super) fn entry(indent: &str, first: &str, second: &str) -> String {
    if indent.len() + first.len() + second.len() < WIDTH {
        format!("{indent}{first} {second}\n")
    } else {
        format!("{indent}{first}\n{indent}    {second}\n")
    }
}

/// A string literal.
pub(super) fn literal(text: &str) -> String {
    format!("{text:?}")
}

/// Formats items as `prettyplease` does.
pub(super) fn formatted(items: &str) -> Result<String> {
    let file = syn::parse_file(items).map_err(|error| {
        Error::new(
            "emit",
            &At::root(),
            format!("{error} in generated items:\n{items}"),
        )
    })?;
    Ok(prettyplease::unparse(&file))
}
