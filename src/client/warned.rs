//! Which operations ESI has warned of already.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use crate::operation::Operation;

#[derive(Default)]
pub(super) struct Warned(Mutex<HashSet<&'static str>>);

impl Warned {
    /// Whether this is the first warning of the operation.
    pub(super) fn first_time(&self, operation: &'static Operation) -> bool {
        let mut warned = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        warned.insert(operation.id)
    }
}
