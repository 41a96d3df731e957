//! NPY, numpy's file of one array: rows of features, alone or with the file of their targets (`pair`). What is read
//! of an array is in `array`, shared with NPZ.

pub(super) mod array;
pub(super) mod element;
pub(super) mod header;
mod padded;
mod pair;

pub(crate) use element::Element;
pub(crate) use header::Header;

use super::interface::{Format, HEAD, ReadOptions};
use super::table::{Table, customary_targets};
use crate::error::Result;
use crate::source::Source;
use pair::Pair;

/// The format.
pub(super) struct Npy;

impl Format for Npy {
    fn name(&self) -> &'static str {
        "npy"
    }

    fn description(&self) -> &'static str {
        "a numpy array, X.npy alone or with y.npy"
    }

    fn extensions(&self) -> &'static [&'static str] {
        &["npy"]
    }

    fn is_mine(&self, head: &[u8]) -> bool {
        head.starts_with(header::MAGIC)
    }

    fn open(&self, sources: &[Source], _: &ReadOptions) -> Result<Table> {
        let Pair { mut items, targets } =
            pair::open(sources, |source| Ok(self.is_mine(&source.head(HEAD)?)))?;
        items.name_columns(|index| format!("f{index}"));
        let inputs = items.width;
        let mut arrays = vec![items];
        if let Some(mut targets) = targets {
            let width = targets.width;
            targets.name_columns(|index| pair::target_name(width, index));
            arrays.push(targets);
        }
        let used = arrays.len();
        let mut table = array::table(sources[0].path(), arrays)?;
        table.named = false;
        table.sources = used;
        table.likely_targets = match used {
            1 => customary_targets(&table.columns),
            _ => (inputs..table.columns.len()).collect(),
        };
        Ok(table)
    }
}
