//! Comma-separated values and their kin: any separator of `,` `;` tab `|`, or blanks between numbers, with or
//! without a header. How a text is written is found out in `opening`, records are read in `decoder`.

mod decoder;
mod header;
mod look;
mod opening;
mod record;
mod separator;
mod write;

use super::interface::{Format, ReadOptions};
use super::table::Table;
use super::text::is_text;
use crate::error::Result;
use crate::export::table::Exporter;
use crate::source::Source;

/// The format.
pub(super) struct Csv;

impl Format for Csv {
    fn name(&self) -> &'static str {
        "csv"
    }

    fn description(&self) -> &'static str {
        "text separated by commas, tabs, semicolons or bars, numbers also by blanks"
    }

    fn extensions(&self) -> &'static [&'static str] {
        &["csv", "tsv", "tab", "txt", "data"]
    }

    fn is_mine(&self, head: &[u8]) -> bool {
        is_text(head)
    }

    fn is_certain(&self) -> bool {
        false
    }

    fn keeps_types(&self) -> bool {
        false
    }

    fn is_loose(&self) -> bool {
        true
    }

    fn open(&self, sources: &[Source], options: &ReadOptions) -> Result<Table> {
        opening::open(&sources[0], options)
    }

    fn exporter(&self) -> Option<Exporter> {
        Some(write::export)
    }
}
