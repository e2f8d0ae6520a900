//! Choices: JSON objects with one of several keys, `{"isk": 1.5}`.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, Visitor};
use serde_json::{Map, Value};

/// Declares an enum of one-key objects; the name after `;` is the variant that keeps an object without any
/// known key.
macro_rules! choice {
    ($(#[$meta:meta])* pub enum $name:ident {
        $($(#[$variant_meta:meta])* $variant:ident($type:ty) = $wire:literal),+ $(,)? ; $other:ident
    }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$variant_meta])* $variant($type),)+
            /// An object without any key this version knows, kept as it came.
            $other(Box<::serde_json::Map<String, ::serde_json::Value>>),
        }

        impl $crate::wire::choice::Choice for $name {
            const KEYS: &'static [&'static str] = &[$($wire),+];

            fn read_variant<'de, A: ::serde::de::MapAccess<'de>>(
                key: &'static str,
                map: &mut A,
            ) -> ::core::result::Result<Self, A::Error> {
                match key {
                    $($wire => map.next_value().map(Self::$variant),)+
                    _ => Err($crate::wire::choice::unknown(key, Self::KEYS)),
                }
            }

            fn other(object: ::serde_json::Map<String, ::serde_json::Value>) -> Self {
                Self::$other(Box::new(object))
            }
        }

        impl<'de> ::serde::Deserialize<'de> for $name {
            fn deserialize<D: ::serde::Deserializer<'de>>(from: D) -> ::core::result::Result<Self, D::Error> {
                $crate::wire::choice::read(from)
            }
        }

        impl ::serde::Serialize for $name {
            fn serialize<S: ::serde::Serializer>(&self, into: S) -> ::core::result::Result<S::Ok, S::Error> {
                match self {
                    $(Self::$variant(value) => into.collect_map([($wire, value)]),)+
                    Self::$other(object) => ::serde::Serialize::serialize(object, into),
                }
            }
        }

        #[cfg(feature = "mock")]
        impl $crate::wire::sample::Sample for $name {
            #[allow(unreachable_code)]
            fn sample_at(depth: u8) -> Self {
                $(return Self::$variant($crate::wire::sample::Sample::sample_at(depth.saturating_add(1)));)+
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
pub(crate) use choice;

/// A type that `choice!` declared.
pub(crate) trait Choice: Sized {
    /// The known keys.
    const KEYS: &'static [&'static str];

    /// Reads the value that belongs to a known key.
    fn read_variant<'de, A: MapAccess<'de>>(key: &'static str, map: &mut A) -> Result<Self, A::Error>;

    /// The variant that keeps an object without any known key.
    fn other(object: Map<String, Value>) -> Self;
}

/// Reads an object: its first known key decides, what stands beside that is dropped.
pub(crate) fn read<'de, T: Choice, D: Deserializer<'de>>(from: D) -> Result<T, D::Error> {
    from.deserialize_map(ChoiceVisitor(PhantomData))
}

/// The error of a key that is not among the known ones.
pub(crate) fn unknown<E: Error>(key: &str, keys: &'static [&'static str]) -> E {
    E::unknown_variant(key, keys)
}

struct ChoiceVisitor<T>(PhantomData<T>);

impl<'de, T: Choice> Visitor<'de> for ChoiceVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with one key")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<T, A::Error> {
        let mut unknown = Map::new();
        while let Some(key) = map.next_key_seed(ChoiceKey(T::KEYS))? {
            match key {
                Ok(known) => {
                    let chosen = T::read_variant(known, &mut map)?;
                    while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                    return Ok(chosen);
                }
                Err(key) => {
                    unknown.insert(key, map.next_value()?);
                }
            }
        }
        Ok(T::other(unknown))
    }
}

/// Reads a key: the static one where it is known, else its text.
struct ChoiceKey(&'static [&'static str]);

impl<'de> DeserializeSeed<'de> for ChoiceKey {
    type Value = Result<&'static str, String>;

    fn deserialize<D: Deserializer<'de>>(self, key: D) -> Result<Self::Value, D::Error> {
        key.deserialize_identifier(self)
    }
}

impl Visitor<'_> for ChoiceKey {
    type Value = Result<&'static str, String>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E>(self, key: &str) -> Result<Self::Value, E> {
        Ok(self
            .0
            .iter()
            .find(|known| **known == key)
            .copied()
            .ok_or_else(|| key.to_owned()))
    }
}
