//! Enums that users write by name: one macro gives each its names, their parsing and their TOML.
//!
//! Names are written with `_`; parsing takes `-` as well, as is usual on command lines.

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
        write!(f, "unknown name {:?}; expected one of {}", self.given, self.expected.join(", "))
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
        #[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
        pub enum $type { $( $(#[$variant_meta])* #[serde(rename = $name)] $variant ),+ }

        impl $type {
            /// Every name, in the order in which help lists them.
            pub const NAMES: &'static [&'static str] = &[$($name),+];

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
                match text.replace('-', "_").as_str() {
                    $( $name => Ok($type::$variant), )+
                    _ => Err($crate::names::UnknownName {
                        given: text.to_owned(),
                        expected: $type::NAMES,
                    }),
                }
            }
        }
    };
}
pub(crate) use named;
