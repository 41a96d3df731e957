//! Enums that users write by name: one macro gives each its names, their parsing and their TOML.
//!
//! Names are written with `-`, but for those that also head columns; parsing minds neither case nor separators.

use gristmill_io::suggest::did_you_mean;
use std::fmt;

/// A name that is not among those expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownName {
    /// What was given.
    pub given: String,
    /// What may be given.
    pub expected: &'static [&'static str],
}

impl fmt::Display for UnknownName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let suggestion = did_you_mean(&self.given, self.expected.iter().copied());
        let expected = self.expected.join(", ");
        write!(f, "unknown name {:?}{suggestion}; expected one of {expected}", self.given)
    }
}

impl std::error::Error for UnknownName {}

/// Declares an enum of plain variants with `NAMES`, `name()`, `Display`, `FromStr` and serde.
macro_rules! named {
    (
        $(#[$meta:meta])*
        pub enum $type:ident { $( $(#[$variant_meta:meta])* $variant:ident = $name:literal ),+ $(,)? }
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $type { $( $(#[$variant_meta])* $variant ),+ }

        impl $type {
            /// Every name, in the order in which help lists them.
            pub const NAMES: &'static [&'static str] = &[$($name),+];

            /// Every variant, in the order of [`NAMES`](Self::NAMES).
            pub const ALL: &'static [$type] = &[$($type::$variant),+];

            /// The name that users write.
            pub fn name(self) -> &'static str {
                match self { $( $type::$variant => $name ),+ }
            }
        }

        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.name())
            }
        }

        impl std::str::FromStr for $type {
            type Err = $crate::names::UnknownName;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                $( if gristmill_io::suggest::alike($name, text) { return Ok($type::$variant); } )+
                Err($crate::names::UnknownName { given: text.to_owned(), expected: $type::NAMES })
            }
        }

        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.name())
            }
        }

        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}
pub(crate) use named;
