//! Requests under way, shared by everybody who asks for the same.
//!
//! A flight is a task of its own: whoever began it may be dropped, and the others still get the outcome. When the last
//! of them is dropped the task is stopped, since nobody wants its answer any more.

use std::collections::HashMap;
use std::future::Future;
use std::hash::Hash;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;
use tokio::task::AbortHandle;
use tracing::Instrument;

/// Flights by key, each with an outcome of type `V`.
pub(crate) struct Flights<K, V> {
    under_way: Arc<Mutex<HashMap<K, Flight<V>>>>,
    next: AtomicU64,
}

struct Flight<V> {
    id: u64,
    passengers: usize,
    is_wanted: Arc<AtomicBool>,
    outcome: watch::Receiver<Option<V>>,
    task: AbortHandle,
}

impl<K: Hash + Eq + Clone + Send + 'static, V: Clone + Send + Sync + 'static> Flights<K, V> {
    pub(crate) fn new() -> Self {
        Self {
            under_way: Arc::default(),
            next: AtomicU64::new(0),
        }
    }

    /// The outcome of the flight with this key; begun by `work` when there is none. None when the task was lost, with
    /// the runtime that it ran in.
    ///
    /// The work is told whether anybody on board wants what it brings to be kept.
    pub(crate) async fn join<F>(
        &self,
        key: &K,
        wants: bool,
        work: impl FnOnce(Arc<AtomicBool>) -> F,
    ) -> Option<V>
    where
        F: Future<Output = V> + Send + 'static,
    {
        let mut seat = self.take_seat(key, wants, work);
        let outcome = seat.outcome.wait_for(Option::is_some).await;
        outcome.ok()?.clone()
    }

    fn take_seat<F>(&self, key: &K, wants: bool, work: impl FnOnce(Arc<AtomicBool>) -> F) -> Seat<K, V>
    where
        F: Future<Output = V> + Send + 'static,
    {
        let mut under_way = lock(&self.under_way);
        let flight = under_way.entry(key.clone()).or_insert_with(|| {
            let id = self.next.fetch_add(1, Ordering::Relaxed);
            let (tell, outcome) = watch::channel(None);
            let is_wanted = Arc::new(AtomicBool::new(false));
            let (flights, key, work) = (
                Arc::clone(&self.under_way),
                key.clone(),
                work(Arc::clone(&is_wanted)),
            );
            let work = async move {
                // Gone before its outcome is told, even when the work panics: nobody boards a flight that has ended.
                let landing = Landing { flights, key, id };
                let value = work.await;
                drop(landing);
                tell.send_replace(Some(value));
            };
            let task = tokio::spawn(work.in_current_span());
            Flight {
                id,
                passengers: 0,
                is_wanted,
                outcome,
                task: task.abort_handle(),
            }
        });
        flight.passengers += 1;
        flight.is_wanted.fetch_or(wants, Ordering::Relaxed);
        Seat {
            flights: Arc::clone(&self.under_way),
            key: key.clone(),
            id: flight.id,
            outcome: flight.outcome.clone(),
        }
    }
}

fn lock<K, V>(flights: &Mutex<HashMap<K, Flight<V>>>) -> MutexGuard<'_, HashMap<K, Flight<V>>> {
    flights.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Takes a flight off the list when its work ends, however it ends.
struct Landing<K: Hash + Eq, V> {
    flights: Arc<Mutex<HashMap<K, Flight<V>>>>,
    key: K,
    id: u64,
}

impl<K: Hash + Eq, V> Drop for Landing<K, V> {
    fn drop(&mut self) {
        let mut flights = lock(&self.flights);
        if flights.get(&self.key).is_some_and(|flight| flight.id == self.id) {
            flights.remove(&self.key);
        }
    }
}

/// Somebody who waits for a flight.
struct Seat<K: Hash + Eq, V> {
    flights: Arc<Mutex<HashMap<K, Flight<V>>>>,
    key: K,
    id: u64,
    outcome: watch::Receiver<Option<V>>,
}

impl<K: Hash + Eq, V> Drop for Seat<K, V> {
    fn drop(&mut self) {
        let mut flights = lock(&self.flights);
        let Some(flight) = flights.get_mut(&self.key).filter(|flight| flight.id == self.id) else {
            return;
        };
        flight.passengers -= 1;
        if flight.passengers == 0 {
            flight.task.abort();
            flights.remove(&self.key);
        }
    }
}
