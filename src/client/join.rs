//! Many calls at once.

use std::future::IntoFuture;
use std::sync::Arc;

use futures_util::future::join_all;
use tokio::sync::Semaphore;

use super::Esi;

impl Esi {
    /// Sends calls side by side, as many at once as the client allows, and returns their outcomes in the order of the
    /// calls. One that fails fails alone.
    ///
    /// The calls must be of one type; [`Request::untyped`](super::Request::untyped) makes them so.
    ///
    /// ```no_run
    /// # #[cfg(feature = "universe")]
    /// # async fn example(esi: esikit::Esi) -> Result<(), esikit::Error> {
    /// let calls = [34, 35, 36].map(|id| esi.get_universe_types_type_id(id));
    /// for outcome in esi.join(calls).await {
    ///     println!("{}", outcome?.name);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn join<I>(&self, calls: I) -> Vec<<I::Item as IntoFuture>::Output>
    where
        I: IntoIterator,
        I::Item: IntoFuture,
    {
        // More of them begun at once would only wait in memory for a turn.
        let seats = Arc::new(Semaphore::new(self.shared.concurrency.saturating_mul(2).max(1)));
        let begun = calls.into_iter().map(|call| {
            let (seats, call) = (Arc::clone(&seats), call.into_future());
            async move {
                let _seat = seats.acquire().await;
                call.await
            }
        });
        join_all(begun).await
    }
}
