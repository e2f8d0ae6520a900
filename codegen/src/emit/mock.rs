//! For tests of feature `mock`: every answer decoded and encoded again, by the name of its operation.

use super::usage::method_of;
use super::{Context, rust};
use crate::error::Result;
use std::fmt::Write;

pub(super) fn module(context: &Context<'_>) -> Result<String> {
    let mut arms = String::new();
    let mut samples = String::new();
    for operation in &context.operations {
        let output = &method_of(operation, &context.signatures)?.output;
        if output != "()" {
            samples.push_str(&arm(&operation.id, &format!("sampled::<{output}>(),")));
        }
        arms.push_str(&arm(&operation.id, &format!("again::<{output}>(body),")));
    }
    let mut out = String::from(super::PRELUDE);
    out.push_str("use crate::mock::{again, sampled};\n\n/// Decodes the answer of an operation and encodes it again.\n");
    out.push_str(
        "pub(crate) fn reencoded(operation: &str, body: &str) -> Option<crate::mock::Reencoded> {\n",
    );
    let _ = writeln!(
        out,
        "    Some(match operation {{\n{arms}        _ => return None,\n    }})\n}}\n"
    );
    out.push_str("/// A sample of the answer of an operation.\n");
    out.push_str("pub(crate) fn sample(operation: &str) -> Option<serde_json::Value> {\n");
    let _ = writeln!(
        out,
        "    match operation {{\n{samples}        _ => None,\n    }}\n}}"
    );
    Ok(out)
}

fn arm(operation: &str, value: &str) -> String {
    rust::entry("        ", &format!("{} =>", rust::literal(operation)), value)
}
