//! One writer per identity at a time.
//!
//! What memory and the store have of an identity must agree in the end, whatever happens at once: so both are changed
//! in one turn. Nobody asks the single sign-on in a turn: it is as long as the store takes.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Mutex as Queue, OwnedMutexGuard};

/// Queues by identity; only those that somebody stands in.
#[derive(Default)]
pub(super) struct Turns(Mutex<HashMap<Box<str>, Arc<Queue<()>>>>);

/// Somebody's turn; the next one's begins when it is dropped.
#[must_use]
pub(super) struct Turn<'a> {
    turns: &'a Turns,
    identity: &'a str,
    guard: Option<OwnedMutexGuard<()>>,
}

impl Turns {
    /// Waits for everybody who came before.
    pub(super) async fn take<'a>(&'a self, identity: &'a str) -> Turn<'a> {
        let queue = Arc::clone(self.lock().entry(identity.into()).or_default());
        // Made before it waits: whoever is dropped while waiting leaves no queue behind.
        let mut turn = Turn {
            turns: self,
            identity,
            guard: None,
        };
        turn.guard = Some(queue.lock_owned().await);
        turn
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Box<str>, Arc<Queue<()>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.guard = None;
        let mut queues = self.turns.lock();
        if queues
            .get(self.identity)
            .is_some_and(|queue| Arc::strong_count(queue) == 1)
        {
            queues.remove(self.identity);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn turns_come_one_after_the_other_and_leave_nothing_behind() {
        let turns = Turns::default();
        let first = turns.take("a").await;
        let other = turns.take("b").await;
        let mut second = Box::pin(turns.take("a"));
        let mut given_up = Box::pin(turns.take("a"));
        for waiting in [&mut second, &mut given_up] {
            let at_once = tokio::time::timeout(std::time::Duration::ZERO, waiting);
            assert!(at_once.await.is_err(), "somebody else's turn");
        }
        drop(given_up);
        drop(first);
        let second = second.await;
        assert_eq!(turns.lock().len(), 2);
        drop((second, other));
        assert!(turns.lock().is_empty());
    }
}
