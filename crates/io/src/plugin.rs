//! Formats that are programs of their own: where they are found, and how they are asked what they are.
//!
//! A program `gristmill-format-NAME` describes itself, gives a table as an Arrow stream or takes one, and
//! models as safetensors likewise. `docs/plugin-protocol.md` is the protocol. What a plugin does wrong is an
//! error that names it; it costs bounded memory and time, and nothing stays of the plugin.

#[cfg(feature = "arrow")]
mod check;
pub(crate) mod description;
mod exchange;
mod models;
mod pipes;
mod process;
pub(crate) mod program;
pub(crate) mod search;
#[cfg(feature = "arrow")]
pub(crate) mod tables;
#[cfg(not(feature = "arrow"))]
#[path = "plugin/no_tables.rs"]
pub(crate) mod tables;

#[cfg(feature = "arrow")]
pub use check::{Clause, Finding, check};
pub use description::{Description, Magic, Operation, OptionKind, OptionSpec, PROTOCOL};
pub use process::{TIMEOUT_VARIABLE, kill_plugins};
pub use program::Plugin;
pub use search::{DIRECTORIES_VARIABLE, Plugins};
