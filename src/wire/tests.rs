//! The macros, by what they write and read.

#![allow(unreachable_pub, reason = "the macros declare public types")]

use std::collections::HashSet;

use serde_json::{Value, json};

crate::id! {
    /// An id.
    pub struct ThingId;
}
crate::uuid_id! {
    /// An id.
    pub struct JobId;
}
crate::open_enum! {
    /// A size.
    pub enum Size {
        /// Small.
        Small = "small",
        /// Large.
        Large = "Large-1",
        /// A value that wants the name of the catch-all.
        Other = "other";
        Unlisted
    }
}
crate::record! {
    /// A thing.
    pub struct Thing {
        /// Required.
        id: ThingId = req "id",
        /// A keyword.
        r#type: String = req "type",
        /// Optional.
        label_ids: Option<Vec<i64>> = opt "label_ids",
        /// Nullable.
        transit: Option<bool> = null "transit",
        /// An open enum.
        size: Option<Size> = opt "size",
        /// Itself.
        inner: Option<Box<Thing>> = opt "inner",
    }
}
crate::record! {
    /// Nothing.
    pub struct Nothing {}
}
crate::choice! {
    /// A price.
    pub enum Price {
        /// In ISK.
        Isk(f64) = "isk",
        /// In PLEX.
        Plex(i64) = "plex",
        /// In things.
        Things(Vec<Thing>) = "things";
        Other
    }
}

fn thing(value: Value) -> Result<Thing, serde_json::Error> {
    serde_json::from_str(&value.to_string())
}

fn round_trip<T: serde::de::DeserializeOwned + serde::Serialize>(text: &str) -> Value {
    let value: T = serde_json::from_str(text).expect("it decodes");
    serde_json::to_value(&value).expect("it encodes")
}

#[test]
fn records_write_back_what_they_read() {
    let full = json!({"id": 7, "type": "t", "label_ids": [3, 1, 3], "transit": true, "size": "small",
        "inner": {"id": 8, "type": "u", "transit": null}});
    assert_eq!(round_trip::<Thing>(&full.to_string()), full);
    let least = json!({"id": 7, "type": "t", "transit": null});
    assert_eq!(round_trip::<Thing>(&least.to_string()), least);
    assert_eq!(round_trip::<Nothing>(r#"{"a": 1}"#), json!({}));
}

#[test]
fn absent_stays_absent_and_null_reads_as_absent() {
    let read = round_trip::<Thing>(r#"{"id":1,"type":"t","label_ids":null,"size":null}"#);
    assert_eq!(read, json!({"id": 1, "type": "t", "transit": null}));
}

#[test]
fn order_escapes_unknown_and_repeated_keys_do_not_matter() {
    let text =
        r#"{"new":{"deep":[1,{"x":null}]},"type":"a","size":"small","\u0069d":3,"type":"b","more":"id"}"#;
    let read: Thing = serde_json::from_str(text).expect("it decodes");
    assert_eq!(
        (read.id, read.r#type.as_str(), read.size),
        (ThingId(3), "b", Some(Size::Small))
    );
    let owned: Thing = serde_json::from_reader(text.as_bytes()).expect("it decodes from owned keys");
    assert_eq!(owned.id, ThingId(3));
    let from_value: Thing =
        serde_json::from_value(json!({"id": 1, "type": "t"})).expect("it decodes from a value");
    assert_eq!(from_value.id, ThingId(1));
}

#[test]
fn a_missing_field_is_named() {
    let error = thing(json!({"id": 1})).expect_err("type is missing");
    assert!(error.to_string().contains("missing field `type`"), "{error}");
    let error = thing(json!({"type": "t"})).expect_err("id is missing");
    assert!(error.to_string().contains("missing field `id`"), "{error}");
    let error = thing(json!({"id": null, "type": "t"})).expect_err("id is null");
    assert!(error.to_string().contains("expected i64"), "{error}");
    let error = thing(json!([1, "t"])).expect_err("a list is no record");
    assert!(error.to_string().contains("expected an object"), "{error}");
}

#[test]
fn every_way_into_an_open_enum_knows_the_known() {
    for known in Size::KNOWN {
        let text = format!("{known:?}");
        let ways = [
            Size::from(*known),
            Size::from((*known).to_owned()),
            known.parse().expect("infallible"),
            serde_json::from_str(&text).expect("it decodes"),
            serde_json::from_value(json!(known)).expect("it decodes"),
        ];
        for way in ways {
            assert!(!matches!(way, Size::Unlisted(_)), "{way:?}");
            assert_eq!(way.as_str(), *known);
            assert_eq!(way.to_string(), *known);
            assert_eq!(way.as_ref(), *known);
            assert_eq!(serde_json::to_string(&way).expect("it encodes"), text);
        }
    }
    assert_eq!(Size::KNOWN, ["small", "Large-1", "other"]);
    assert_eq!(format!("{:>7}|", Size::Small), "  small|");
}

#[test]
fn an_open_enum_keeps_what_it_does_not_know() {
    assert_eq!(Size::from("huge"), Size::Unlisted("huge".into()));
    assert_eq!(
        round_trip::<Vec<Size>>(r#"["huge","Small","","\u00fc"]"#),
        json!(["huge", "Small", "", "ü"])
    );
    assert!(serde_json::from_str::<Size>("3").is_err());
    let set: HashSet<Size> = ["a", "a", "other"].map(Size::from).into();
    assert_eq!(set.len(), 2);
    // A `Box<str>` and a tag, which also has room for `None`.
    assert_eq!(std::mem::size_of::<Size>(), 24);
    assert_eq!(std::mem::size_of::<Option<Size>>(), 24);
}

#[test]
fn a_choice_is_told_by_its_key() {
    assert_eq!(
        serde_json::from_str::<Price>(r#"{"isk":1.5}"#).expect("it decodes"),
        Price::Isk(1.5)
    );
    assert_eq!(
        serde_json::from_str::<Price>(r#"{"new":[1],"plex":2,"isk":1.5}"#).expect("it decodes"),
        Price::Plex(2)
    );
    assert_eq!(
        round_trip::<Price>(r#"{"plex":2,"new":{"a":[{}]}}"#),
        json!({"plex": 2})
    );
    assert_eq!(
        round_trip::<Price>(r#"{"isk":1801793343883.8418}"#),
        json!({"isk": 1801793343883.8418})
    );
}

#[test]
fn a_choice_keeps_an_object_without_any_known_key() {
    for kept in [json!({}), json!({"new": {"a": [1, null]}, "newer": 1})] {
        let read: Price = serde_json::from_str(&kept.to_string()).expect("it decodes");
        assert!(matches!(read, Price::Other(_)), "{read:?}");
        assert_eq!(serde_json::to_value(&read).expect("it encodes"), kept);
    }
    assert!(serde_json::from_str::<Price>(r#"{"isk":"much"}"#).is_err());
    assert!(serde_json::from_str::<Price>("[]").is_err());
}

#[test]
fn ids_are_numbers_on_the_wire_and_in_text() {
    assert_eq!(round_trip::<Vec<ThingId>>("[1,-2]"), json!([1, -2]));
    assert_eq!(ThingId::from(5).to_string(), "5");
    assert_eq!("5".parse(), Ok(ThingId(5)));
    assert_eq!(i64::from(ThingId(5)), 5);
    let uuid = "01905d5e-7000-7000-8000-000000000001";
    assert_eq!(round_trip::<JobId>(&format!("{uuid:?}")), json!(uuid));
    assert_eq!(uuid.parse::<JobId>().expect("a uuid").to_string(), uuid);
}

#[cfg(feature = "mock")]
#[test]
fn samples_decode_as_what_they_are_and_end() {
    let sample = Thing::sample();
    assert_eq!((sample.id, sample.size.clone()), (ThingId(1), Some(Size::Small)));
    let text = serde_json::to_string(&sample).expect("it encodes");
    assert_eq!(serde_json::from_str::<Thing>(&text).expect("it decodes"), sample);
    assert_eq!(text.matches("\"id\"").count(), 7);
    assert_eq!(Price::sample(), Price::Isk(1.0));
}
