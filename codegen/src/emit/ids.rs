//! The id newtypes that the selected operations use.

use super::{Context, rust};
use crate::signatures::Shape;

pub(super) fn module(context: &Context<'_>) -> String {
    let mut out = String::new();
    let ids = &context.settings.ids;
    for (macro_name, table) in [("id", &ids.number), ("uuid_id", &ids.uuid)] {
        for (name, line) in table {
            if matches!(context.signatures.types.get(name), Some(Shape::Newtype)) {
                let docs = rust::docs("    ", line);
                out.push_str(&format!(
                    "crate::{macro_name}! {{\n{docs}    pub struct {name};\n}}\n"
                ));
            }
        }
    }
    out
}
