//! Finishers beside `send`, such as `all`: one invocation of a macro of the runtime for each operation that has them.

use super::operations::pagination;
use super::usage::method_of;
use super::{Context, rust};
use crate::document::Operation;
use crate::error::Result;
use crate::settings::Settings;
use crate::signatures::{Field, Shape};
use crate::words;

/// The code, which may be empty, or a note that says what the settings lack for it.
type Finishers = std::result::Result<String, String>;

/// The finishers of an operation.
pub(super) fn of(context: &Context<'_>, operation: &Operation) -> Result<Finishers> {
    if context.settings.parts.without.contains(&operation.id) {
        return Ok(Ok(String::new()));
    }
    let output = &method_of(operation, &context.signatures)?.output;
    let call = Call {
        context,
        operation,
        output,
    };
    Ok(match pagination(operation) {
        Some("Pages") => call.paged(),
        Some("Cursor") => call.listed(),
        Some(_) => call.walked(),
        None if splits_body(context.settings, operation) => call.bulk(),
        None => Ok(String::new()),
    })
}

/// Whether a body that is longer than the operation takes can be sent in parts.
pub(super) fn splits_body(settings: &Settings, operation: &Operation) -> bool {
    operation.method != "get"
        && operation.max_items().is_some()
        && operation.body.as_ref().is_some_and(|body| body.required)
        && settings.read_only.contains(&operation.id)
        && !settings.parts.without.contains(&operation.id)
}

struct Call<'a> {
    context: &'a Context<'a>,
    operation: &'a Operation,
    /// What a success decodes to.
    output: &'a str,
}

impl Call<'_> {
    /// Numbered pages, each a list.
    fn paged(&self) -> Finishers {
        let record = self.list_entry()?;
        Ok(self.invocation("paged", record, None))
    }

    /// Parts of a listing: an object of one list and the cursor's tokens.
    fn listed(&self) -> Finishers {
        let fields = self.fields(self.output);
        let cursor = fields.iter().find(|field| field.wire == "cursor");
        let cursor = cursor.filter(|field| self.has_tokens(content(field)));
        let lists = fields
            .iter()
            .filter_map(|field| Some((field, rust::inside("Vec", content(field))?)));
        let lists: Vec<_> = lists.collect();
        let (Some(cursor), [(list, record)]) = (cursor, lists.as_slice()) else {
            return Err(self.unfit("an object of one list and a `cursor` of texts `before` and `after`"));
        };
        let (id, key) = self.id(record)?;
        let members = format!(
            "{} by {id}: {key}, {}: {}",
            list.name,
            cursor.name,
            content(cursor)
        );
        Ok(self.invocation("listed", record, Some(&members)))
    }

    fn has_tokens(&self, cursor: &str) -> bool {
        let fields = self.fields(cursor);
        ["before", "after"].iter().all(|token| {
            let field = fields.iter().find(|field| field.name == *token);
            field.is_some_and(|field| content(field) == "String")
        })
    }

    /// Lists that go on from the id of one of their records.
    fn walked(&self) -> Finishers {
        let record = self.list_entry()?;
        let (id, key) = self.id(record)?;
        if key != "i64" && !self.context.settings.ids.number.contains_key(key) {
            return Err(self.unfit("a list of records whose id is a number"));
        }
        Ok(self.invocation("walked", record, Some(&format!("{id}: {key}"))))
    }

    /// Answers to the parts of a list.
    fn bulk(&self) -> Finishers {
        if matches!(self.output, "f64" | "i64") {
            return Ok(self.invocation("bulk", self.output, None));
        }
        if let Some(record) = rust::inside("Vec", self.output) {
            let (id, key) = self.id(record)?;
            let mut code = self.invocation("bulk_list", record, Some(&format!("{id}: {key}")));
            if self.context.settings.parts.resolved.contains(&self.operation.id) {
                code.push_str(&self.invocation("resolved", record, None));
            }
            return Ok(code);
        }
        let fields = self.fields(self.output);
        let are_lists = fields
            .iter()
            .all(|field| rust::inside("Vec", content(field)).is_some());
        if fields.is_empty() || !are_lists {
            return Err(self.unfit("a list of records, an object of lists, or a number"));
        }
        let names = fields.iter().map(|field| format!("        {},\n", field.name));
        let head = rust::entry(
            "    ",
            &format!("{} =>", self.marker()),
            &format!("{} {{", self.output),
        );
        let names: String = names.collect();
        Ok(format!("crate::bulk! {{\n{head}{names}    }}\n}}\n"))
    }

    fn marker(&self) -> String {
        words::pascal(&self.operation.id)
    }

    fn invocation(&self, name: &str, of: &str, members: Option<&str>) -> String {
        let comma = if members.is_some() { "," } else { "" };
        let head = rust::entry("    ", &format!("{} =>", self.marker()), &format!("{of}{comma}"));
        let members = members.map_or_else(String::new, |members| format!("    {members}\n"));
        format!("crate::{name}! {{\n{head}{members}}}\n")
    }

    fn fields(&self, name: &str) -> &[Field] {
        match self.context.signatures.types.get(name) {
            Some(Shape::Record(fields)) => fields,
            _ => &[],
        }
    }

    /// The entries of an answer that is a list.
    fn list_entry(&self) -> std::result::Result<&str, String> {
        rust::inside("Vec", self.output).ok_or_else(|| self.unfit("a list"))
    }

    /// The field of a record that tells it apart from others, and its type.
    fn id(&self, record: &str) -> std::result::Result<(&str, &str), String> {
        let ids = &self.context.settings.parts.ids;
        let stated = ids.get(&self.operation.id).map(String::as_str);
        let wire = stated.or_else(|| self.operation.cursor.then_some("id"));
        let fields = self.fields(record);
        let field = wire.and_then(|wire| fields.iter().find(|field| field.wire == wire));
        let settings = &self.context.settings.ids;
        let is_id = |content: &str| matches!(content, "i64" | "String") || settings.is_newtype(content);
        match field.map(|field| (field.name.as_str(), content(field))) {
            Some((name, content)) if is_id(content) => Ok((name, content)),
            _ => Err(format!(
                "add `{} = \"...\"` to [parts.ids]: the property of `{record}` that tells records apart",
                self.operation.id
            )),
        }
    }

    fn unfit(&self, expected: &str) -> String {
        format!(
            "add `{}` to `without` in [parts]: it comes in parts, and what it answers with is not {expected}",
            self.operation.id
        )
    }
}

/// The type of a field where it is there.
fn content(field: &Field) -> &str {
    rust::inside("Option", &field.content).unwrap_or(&field.content)
}
