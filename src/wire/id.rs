//! Identifiers: a number, or a UUID, that says in its type what it identifies.

/// Declares a newtype over `i64`.
macro_rules! id {
    ($(#[$meta:meta])* pub struct $name:ident;) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
        pub struct $name(pub i64);

        $crate::wire::id::id_impls!($name, i64);
    };
}
pub(crate) use id;

/// Declares a newtype over [`uuid::Uuid`].
macro_rules! uuid_id {
    ($(#[$meta:meta])* pub struct $name:ident;) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub ::uuid::Uuid);

        $crate::wire::id::id_impls!($name, ::uuid::Uuid);
    };
}
pub(crate) use uuid_id;

macro_rules! id_impls {
    ($name:ident, $inner:ty) => {
        impl From<$inner> for $name {
            #[inline]
            fn from(value: $inner) -> Self {
                Self(value)
            }
        }

        impl From<$name> for $inner {
            #[inline]
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl ::core::fmt::Display for $name {
            #[inline]
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                ::core::fmt::Display::fmt(&self.0, f)
            }
        }

        impl ::core::str::FromStr for $name {
            type Err = <$inner as ::core::str::FromStr>::Err;

            #[inline]
            fn from_str(text: &str) -> ::core::result::Result<Self, Self::Err> {
                text.parse().map(Self)
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
            fn sample_at(depth: u8) -> Self {
                Self($crate::wire::sample::Sample::sample_at(depth))
            }
        }

        impl ::serde::Serialize for $name {
            fn serialize<S: ::serde::Serializer>(&self, into: S) -> ::core::result::Result<S::Ok, S::Error> {
                ::serde::Serialize::serialize(&self.0, into)
            }
        }

        impl<'de> ::serde::Deserialize<'de> for $name {
            fn deserialize<D: ::serde::Deserializer<'de>>(from: D) -> ::core::result::Result<Self, D::Error> {
                ::serde::Deserialize::deserialize(from).map(Self)
            }
        }
    };
}
pub(crate) use id_impls;
