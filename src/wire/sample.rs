//! Sample values, for the tests of programs that use this crate.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};

/// How deep records nest before optional fields and lists stay empty: a schema that refers to itself ends here.
const DEEPEST: u8 = 6;

/// A type with a sample value that its schema allows.
pub trait Sample {
    /// The sample, `depth` records down.
    fn sample_at(depth: u8) -> Self;
}

macro_rules! samples {
    ($($type:ty = $value:expr;)*) => {
        $(impl Sample for $type {
            fn sample_at(_: u8) -> Self {
                $value
            }
        })*
    };
}

samples! {
    i64 = 1;
    f64 = 1.0;
    bool = true;
    String = "sample".to_owned();
    () = ();
    // 2026-01-02 03:04:05 UTC
    DateTime<Utc> = DateTime::from_timestamp_nanos(1_767_323_045_000_000_000);
    NaiveDate = DateTime::from_timestamp_nanos(1_767_323_045_000_000_000).date_naive();
    uuid::Uuid = uuid::Uuid::from_u128(0x0190_5d5e_7000_7000_8000_0000_0000_0001);
    serde_json::Value = serde_json::Value::Object(serde_json::Map::new());
    serde_json::Map<String, serde_json::Value> = serde_json::Map::new();
}

impl<T: Sample> Sample for Option<T> {
    fn sample_at(depth: u8) -> Self {
        (depth <= DEEPEST).then(|| T::sample_at(depth))
    }
}

impl<T: Sample> Sample for Vec<T> {
    fn sample_at(depth: u8) -> Self {
        Option::<T>::sample_at(depth).into_iter().collect()
    }
}

impl<T: Sample> Sample for BTreeMap<String, T> {
    fn sample_at(depth: u8) -> Self {
        Option::<T>::sample_at(depth)
            .map(|value| ("sample".to_owned(), value))
            .into_iter()
            .collect()
    }
}

impl<T: Sample> Sample for Box<T> {
    fn sample_at(depth: u8) -> Self {
        Box::new(T::sample_at(depth))
    }
}
