//! Records: JSON objects with a fixed set of fields.
//!
//! `record!` writes a struct with its `Serialize` and `Deserialize`. The loop over an object's keys exists once,
//! in [`read_fields`], and not once per struct: a struct only lends its empty slots to it. That keeps what rustc
//! must check and store per struct small, which is most of the time this crate takes to build.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, Visitor};
use serde::ser::{SerializeMap, Serializer};
use serde::{Deserialize, Serialize};

/// Declares a struct that reads and writes a JSON object.
///
/// Each field is `name: Type = kind "wire name"`. Kinds: `req` must be there; `opt` may be absent, and stays
/// absent when written; `null` is written as `null` when it is `None`.
macro_rules! record {
    ($(#[$meta:meta])* pub struct $name:ident {
        $($(#[$field_meta:meta])* $field:ident : $type:ty = $kind:ident $wire:literal),* $(,)?
    }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq)]
        #[non_exhaustive]
        pub struct $name {
            $($(#[$field_meta])* pub $field: $type,)*
        }

        impl $crate::wire::record::Record for $name {
            fn read<'de, A: ::serde::de::MapAccess<'de>>(map: A) -> ::core::result::Result<Self, A::Error> {
                $(let mut $field = $crate::wire::record::$kind::Slot::<$type>::default();)*
                $crate::wire::record::read_fields(map, &[$($wire),*], &mut [$(&mut $field),*])?;
                match ($($field.take(),)*) {
                    ($(Some($field),)*) => Ok(Self { $($field,)* }),
                    #[allow(unreachable_patterns)]
                    _ => Err($crate::wire::record::incomplete()),
                }
            }
        }

        impl<'de> ::serde::Deserialize<'de> for $name {
            fn deserialize<D: ::serde::Deserializer<'de>>(from: D) -> ::core::result::Result<Self, D::Error> {
                $crate::wire::record::read(from)
            }
        }

        impl ::serde::Serialize for $name {
            fn serialize<S: ::serde::Serializer>(&self, into: S) -> ::core::result::Result<S::Ok, S::Error> {
                $crate::wire::record::write_fields(into, &[
                    $(($wire, &$crate::wire::record::$kind::Field(&self.$field)),)*
                ])
            }
        }

        #[cfg(feature = "mock")]
        impl $crate::wire::sample::Sample for $name {
            #[allow(unused_variables)]
            fn sample_at(depth: u8) -> Self {
                Self { $($field: $crate::wire::sample::Sample::sample_at(depth.saturating_add(1)),)* }
            }
        }

        #[cfg(feature = "mock")]
        impl $name {
            /// A value that is valid by the schema, for tests to change.
            #[inline]
            pub fn sample() -> Self {
                $crate::wire::sample::Sample::sample_at(0)
            }
        }
    };
}
pub(crate) use record;

/// A type that `record!` declared.
pub(crate) trait Record: Sized {
    /// Reads the object.
    fn read<'de, A: MapAccess<'de>>(map: A) -> Result<Self, A::Error>;
}

/// Reads a record from any self-describing format.
pub(crate) fn read<'de, T: Record, D: Deserializer<'de>>(from: D) -> Result<T, D::Error> {
    from.deserialize_map(RecordVisitor(PhantomData))
}

struct RecordVisitor<T>(PhantomData<T>);

impl<'de, T: Record> Visitor<'de> for RecordVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
        T::read(map)
    }
}

/// The place a field's value is read into.
pub(crate) trait ReadField<'de, A: MapAccess<'de>> {
    /// Takes the next value of the object.
    fn read(&mut self, map: &mut A) -> Result<(), A::Error>;

    /// Whether the object lacked what it must have.
    fn is_missing(&self) -> bool;
}

/// Reads every key of an object: known ones into the field of the same index, the others are skipped. Of a key
/// that repeats, the last value stays. A required field that did not come is an error.
pub(crate) fn read_fields<'de, A: MapAccess<'de>>(
    mut map: A,
    names: &'static [&'static str],
    fields: &mut [&mut dyn ReadField<'de, A>],
) -> Result<(), A::Error> {
    let mut expected = 0;
    while let Some(found) = map.next_key_seed(FieldIndex { names, expected })? {
        match found.and_then(|index| fields.get_mut(index)) {
            Some(field) => field.read(&mut map)?,
            None => {
                map.next_value::<IgnoredAny>()?;
            }
        }
        expected = found.map_or(expected, |index| index + 1);
    }
    match names.iter().zip(fields).find(|(_, field)| field.is_missing()) {
        Some((name, _)) => Err(A::Error::missing_field(name)),
        None => Ok(()),
    }
}

/// The error of a record with an empty required field, which [`read_fields`] has refused already.
pub(crate) fn incomplete<E: Error>() -> E {
    E::custom("a required field is missing")
}

/// Finds a key's index among the names. The name after the last one found is tried first: an object whose keys
/// come in declared order costs one comparison per key.
struct FieldIndex {
    names: &'static [&'static str],
    expected: usize,
}

impl<'de> DeserializeSeed<'de> for FieldIndex {
    type Value = Option<usize>;

    fn deserialize<D: Deserializer<'de>>(self, key: D) -> Result<Option<usize>, D::Error> {
        key.deserialize_identifier(self)
    }
}

impl Visitor<'_> for FieldIndex {
    type Value = Option<usize>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a field name")
    }

    fn visit_str<E>(self, key: &str) -> Result<Option<usize>, E> {
        if self.names.get(self.expected) == Some(&key) {
            return Ok(Some(self.expected));
        }
        Ok(self.names.iter().position(|name| *name == key))
    }
}

/// How one field of a record is written.
pub(crate) trait WriteField<M: SerializeMap> {
    /// Adds the field to the object.
    fn write(&self, name: &'static str, map: &mut M) -> Result<(), M::Error>;
}

/// A record's fields in declared order: wire name, and how it is written.
type Fields<'a, M> = [(&'static str, &'a dyn WriteField<M>)];

/// Writes the fields as one object.
pub(crate) fn write_fields<S: Serializer>(
    into: S,
    fields: &Fields<'_, S::SerializeMap>,
) -> Result<S::Ok, S::Error> {
    let mut map = into.serialize_map(None)?;
    for (name, field) in fields {
        field.write(name, &mut map)?;
    }
    map.end()
}

/// Required fields.
pub(crate) mod req {
    use super::*;

    pub(crate) struct Slot<T>(Option<T>);

    impl<T> Slot<T> {
        pub(crate) fn take(self) -> Option<T> {
            self.0
        }
    }

    impl<T> Default for Slot<T> {
        fn default() -> Self {
            Self(None)
        }
    }

    impl<'de, A: MapAccess<'de>, T: Deserialize<'de>> ReadField<'de, A> for Slot<T> {
        fn read(&mut self, map: &mut A) -> Result<(), A::Error> {
            self.0 = Some(map.next_value()?);
            Ok(())
        }

        fn is_missing(&self) -> bool {
            self.0.is_none()
        }
    }

    pub(crate) struct Field<'a, T>(pub(crate) &'a T);

    impl<M: SerializeMap, T: Serialize> WriteField<M> for Field<'_, T> {
        fn write(&self, name: &'static str, map: &mut M) -> Result<(), M::Error> {
            map.serialize_entry(name, self.0)
        }
    }
}

/// Fields that may be absent.
pub(crate) mod opt {
    use super::*;

    /// `T` is an `Option`: what is absent is its default.
    #[derive(Default)]
    pub(crate) struct Slot<T>(T);

    impl<T> Slot<T> {
        pub(crate) fn take(self) -> Option<T> {
            Some(self.0)
        }
    }

    impl<'de, A: MapAccess<'de>, T: Deserialize<'de>> ReadField<'de, A> for Slot<T> {
        fn read(&mut self, map: &mut A) -> Result<(), A::Error> {
            self.0 = map.next_value()?;
            Ok(())
        }

        fn is_missing(&self) -> bool {
            false
        }
    }

    pub(crate) struct Field<'a, T>(pub(crate) &'a Option<T>);

    impl<M: SerializeMap, T: Serialize> WriteField<M> for Field<'_, T> {
        fn write(&self, name: &'static str, map: &mut M) -> Result<(), M::Error> {
            self.0
                .as_ref()
                .map_or(Ok(()), |value| map.serialize_entry(name, value))
        }
    }
}

/// Fields that may be `null`, and are written so.
pub(crate) mod null {
    pub(crate) use super::opt::Slot;
    pub(crate) use super::req::Field;
}
