//! What can be wrong with a sandbox's settings and with what it is told to serve.

use std::net::SocketAddr;

/// A sandbox could not start, or was told something that its specification does not allow.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The specification cannot be read, or breaks a rule of the canonical form.
    #[error("the specification cannot be served: {0}")]
    Specification(#[from] esikit_codegen::Error),
    /// The specification says something that the sandbox cannot answer truly.
    #[error("the specification cannot be served: {place}: {reason}")]
    Unserved {
        /// Operation or schema.
        place: String,
        /// What stands in the way.
        reason: String,
    },
    /// No operation has this name.
    #[error("the specification has no operation `{name}`{}", near.as_ref().map(|near| format!("; did you mean `{near}`?")).unwrap_or_default())]
    UnknownOperation {
        /// The name that was asked for.
        name: String,
        /// An operation of nearly this name.
        near: Option<String>,
    },
    /// The path is none of the operation's.
    #[error("`{path}` is no path of {operation}: it must be like `{template}`")]
    Path {
        /// The operation.
        operation: String,
        /// The path that was given.
        path: String,
        /// The operation's own.
        template: String,
    },
    /// The value is not what the operation answers with.
    #[error("this is no answer of {operation}: {}", faults.join("; "))]
    Value {
        /// The operation.
        operation: String,
        /// Each place in the value, with what is wrong there.
        faults: Vec<String>,
    },
    /// The address to approve is none that the single sign-on would accept.
    #[error("the single sign-on refuses this address: {0}")]
    Authorization(String),
    /// Nothing can listen there.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why not: another program may have the port.
        source: std::io::Error,
    },
    /// A key of the sandbox cannot be read.
    #[error("the sandbox's signing key cannot be read: {0}")]
    Key(String),
}
