//! What is counted for the crate `metrics`.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use metrics::{
    Counter, CounterFn, Gauge, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder, SharedString, Unit,
};

use super::{clock, status};
use crate::server::{Reply, Server};

/// Sums by name and labels; of a histogram, how many values there were.
#[derive(Clone, Default)]
struct Sums(Arc<Mutex<BTreeMap<String, u64>>>);

struct Sum(Sums, String);

impl Sum {
    fn add(&self, value: u64) {
        let mut sums = self.0.0.lock().expect("no panic");
        *sums.entry(self.1.clone()).or_default() += value;
    }
}

impl CounterFn for Sum {
    fn increment(&self, value: u64) {
        self.add(value);
    }

    fn absolute(&self, _: u64) {}
}

impl HistogramFn for Sum {
    fn record(&self, value: f64) {
        assert!((0.0..60.0).contains(&value), "seconds");
        self.add(1);
    }
}

impl Sums {
    fn of(&self, key: &Key) -> Arc<Sum> {
        let labels: Vec<_> = key
            .labels()
            .map(|label| format!("{}={}", label.key(), label.value()))
            .collect();
        Arc::new(Sum(self.clone(), format!("{} {}", key.name(), labels.join(" "))))
    }
}

impl Recorder for Sums {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(self.of(key))
    }

    fn register_gauge(&self, _: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::noop()
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::from_arc(self.of(key))
    }
}

#[tokio::test]
async fn requests_and_kept_answers_are_counted() {
    let sums = Sums::default();
    let _guard = metrics::set_default_local_recorder(&sums);
    let server = Server::new(Reply::Close(status(7, 30))).await;
    let esi = server.builder().clock(clock()).build().expect("a client");
    for _ in 0..3 {
        esi.get_status().send().await.expect("an answer");
    }
    let counted = sums.0.lock().expect("no panic").clone();
    let expected = [
        ("esikit_kept_answers_total operation=GetStatus source=cache", 2),
        ("esikit_request_seconds operation=GetStatus", 1),
        ("esikit_requests_total operation=GetStatus status=200", 1),
    ];
    let expected: BTreeMap<String, u64> = expected.map(|(name, sum)| (name.to_owned(), sum)).into();
    assert_eq!(counted, expected);
}
