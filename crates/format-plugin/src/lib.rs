//! Makes a plugin format for gristmill: a program `gristmill-format-NAME` whose `main` is
//!
//! ```no_run
//! use gristmill_format_plugin::{Column, Plugin};
//! use std::{fs::File, io::{BufRead, BufReader}, process::ExitCode};
//!
//! fn main() -> ExitCode {
//!     Plugin::new("lengths", "The lengths of the lines of a text")
//!         .extensions(&["text"])
//!         .read(|source, _options, table| {
//!             table.begin(&[Column::number("length"), Column::text("line")])?;
//!             for line in BufReader::new(File::open(source)?).lines() {
//!                 let line = line?;
//!                 table.push(&[(line.len() as f64).into(), line.into()])?;
//!             }
//!             Ok(())
//!         })
//!         .run()
//! }
//! ```
//!
//! Rows stream: neither side holds more than a batch of them. What the closures return as an error is said on
//! standard error, with exit code 1, as the protocol (`docs/plugin-protocol.md`) asks.

#![forbid(unsafe_code)]

mod error;
mod options;
mod plugin;
mod reading;
mod table;
mod writing;

pub use error::{Error, Result};
pub use options::{OptionType, Options};
pub use plugin::Plugin;
pub use reading::Incoming;
pub use table::{Column, ColumnType, Role, Value};
pub use writing::TableWriter;
