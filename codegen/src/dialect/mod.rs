//! The three forms in which ESI has published its specification, told apart by content.

mod swagger20;

use crate::error::Result;
use crate::node::Node;
use serde_json::Value;
use std::borrow::Cow;

/// A form of specification that can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// OpenAPI 3.1, what ESI serves today.
    OpenApi31,
    /// OpenAPI 3.0, also the form of the canonical document.
    OpenApi30,
    /// Swagger 2.0, the form of the retired `latest/swagger.json`.
    Swagger20,
}

impl Dialect {
    /// Tells the dialect of a document from its version member.
    ///
    /// # Errors
    /// Neither `openapi` nor `swagger` names a version that can be read.
    pub fn of(document: &Value) -> Result<Self> {
        let root = Node::root(document);
        root.object()?;
        let version = |key: &str| {
            root.get(key)
                .and_then(|version| version.value.as_str().map(str::to_owned))
        };
        match (version("openapi"), version("swagger")) {
            (Some(version), _) if version.starts_with("3.1.") => Ok(Self::OpenApi31),
            (Some(version), _) if version.starts_with("3.0.") => Ok(Self::OpenApi30),
            (_, Some(version)) if version == "2.0" => Ok(Self::Swagger20),
            (found, other) => {
                let found = found
                    .or(other)
                    .map_or("no version".to_owned(), |version| format!("`{version}`"));
                Err(root.error(
                    "dialect",
                    format!("found {found}; `openapi` must be 3.0.x or 3.1.x, or `swagger` must be 2.0"),
                ))
            }
        }
    }
}

/// Brings a document of any dialect into the outer shape of OpenAPI 3; schemas keep their dialect's keywords.
pub(crate) fn to_openapi3(document: &Value) -> Result<Cow<'_, Value>> {
    Ok(match Dialect::of(document)? {
        Dialect::OpenApi31 | Dialect::OpenApi30 => Cow::Borrowed(document),
        Dialect::Swagger20 => Cow::Owned(swagger20::to_openapi3(document)?),
    })
}
