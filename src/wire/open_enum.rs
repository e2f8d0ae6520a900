//! Open enums: a set of strings that the server may enlarge.
//!
//! ESI adds values without a new compatibility date, so each enum has one variant that keeps a value it does not
//! know, and writes it back. The functions of this module do the work for all of them; what `open_enum!` writes
//! per enum only hands over.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserializer, Error, Visitor};

/// Declares an enum of wire strings; the name after `;` is the variant that keeps any other string.
macro_rules! open_enum {
    ($(#[$meta:meta])* pub enum $name:ident {
        $($(#[$variant_meta:meta])* $variant:ident = $wire:literal),* $(,)? ; $other:ident
    }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$variant_meta])* $variant,)*
            /// A value this version does not know, kept as it came.
            $other(Box<str>),
        }

        impl $name {
            /// Every value this version knows, as it stands in JSON.
            pub const KNOWN: &'static [&'static str] = &[$($wire),*];

            /// The value as it stands in JSON.
            #[inline]
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $wire,)*
                    Self::$other(value) => value,
                }
            }
        }

        impl $crate::wire::open_enum::OpenEnum for $name {
            #[inline]
            fn known(value: &str) -> ::core::option::Option<Self> {
                match value {
                    $($wire => Some(Self::$variant),)*
                    _ => None,
                }
            }

            #[inline]
            fn other(value: Box<str>) -> Self {
                Self::$other(value)
            }
        }

        impl PartialEq<str> for $name {
            #[inline]
            fn eq(&self, other: &str) -> bool {
                self.as_str() == other
            }
        }

        impl PartialEq<&str> for $name {
            #[inline]
            fn eq(&self, other: &&str) -> bool {
                self.as_str() == *other
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

        #[cfg(feature = "mock")]
        impl $crate::wire::sample::Sample for $name {
            fn sample_at(_: u8) -> Self {
                Self::KNOWN.first().copied().unwrap_or_default().into()
            }
        }

        $crate::wire::open_enum::open_enum_impls!($name);
    };
}
pub(crate) use open_enum;

macro_rules! open_enum_impls {
    ($name:ident) => {
        impl ::core::fmt::Display for $name {
            #[inline]
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl ::core::str::FromStr for $name {
            type Err = ::core::convert::Infallible;

            #[inline]
            fn from_str(value: &str) -> ::core::result::Result<Self, Self::Err> {
                Ok(value.into())
            }
        }

        impl From<&str> for $name {
            #[inline]
            fn from(value: &str) -> Self {
                $crate::wire::open_enum::from_str(value)
            }
        }

        impl From<String> for $name {
            #[inline]
            fn from(value: String) -> Self {
                $crate::wire::open_enum::from_string(value)
            }
        }

        impl AsRef<str> for $name {
            #[inline]
            fn as_ref(&self) -> &str {
                self.as_str()
            }
        }

        impl ::serde::Serialize for $name {
            fn serialize<S: ::serde::Serializer>(&self, into: S) -> ::core::result::Result<S::Ok, S::Error> {
                into.serialize_str(self.as_str())
            }
        }

        impl<'de> ::serde::Deserialize<'de> for $name {
            fn deserialize<D: ::serde::Deserializer<'de>>(from: D) -> ::core::result::Result<Self, D::Error> {
                $crate::wire::open_enum::read(from)
            }
        }
    };
}
pub(crate) use open_enum_impls;

/// A type that `open_enum!` declared.
pub(crate) trait OpenEnum: Sized {
    /// The variant of a value that is known.
    fn known(value: &str) -> Option<Self>;

    /// The variant that keeps any other value.
    fn other(value: Box<str>) -> Self;
}

/// The variant of a borrowed value.
pub(crate) fn from_str<T: OpenEnum>(value: &str) -> T {
    T::known(value).unwrap_or_else(|| T::other(value.into()))
}

/// The variant of an owned value.
pub(crate) fn from_string<T: OpenEnum>(value: String) -> T {
    T::known(&value).unwrap_or_else(|| T::other(value.into()))
}

/// Reads a string; one that is known costs no allocation.
pub(crate) fn read<'de, T: OpenEnum, D: Deserializer<'de>>(from: D) -> Result<T, D::Error> {
    from.deserialize_str(OpenEnumVisitor(PhantomData))
}

struct OpenEnumVisitor<T>(PhantomData<T>);

impl<T: OpenEnum> Visitor<'_> for OpenEnumVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<T, E> {
        Ok(from_str(value))
    }

    fn visit_string<E: Error>(self, value: String) -> Result<T, E> {
        Ok(from_string(value))
    }
}
