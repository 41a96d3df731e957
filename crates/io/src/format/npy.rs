//! NPY, numpy's file of one array: rows of features, alone or followed among the sources by the file of
//! their targets. What is read of an array is in `array`, shared with NPZ.

pub(super) mod array;
pub(super) mod element;
pub(super) mod header;

pub(crate) use element::Element;
pub(crate) use header::Header;

use super::interface::{Format, ReadOptions};
use super::table::{Table, customary_target};
use crate::error::{Error, Place, Result};
use crate::source::Source;
use array::Array;

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
        let first = Array::open(&sources[0])?;
        let second = match sources.get(1) {
            Some(source) if self.is_mine(&source.head(super::interface::HEAD)?) => {
                Some(Array::open(source)?)
            }
            _ => None,
        };
        let (mut items, target) = match second {
            Some(second) if (first.width == 1) != (second.width == 1) => {
                let (items, target) =
                    if first.width == 1 { (second, first) } else { (first, second) };
                (items, Some(target))
            }
            _ => (first, None),
        };
        items.name_columns(|index| format!("f{index}"));
        let mut arrays = vec![items];
        let used = 1 + usize::from(target.is_some());
        if let Some(mut target) = target {
            if target.rows != arrays[0].rows {
                let rows = arrays[0].rows;
                let reason =
                    format!("has {} targets for the {rows} rows of the other", target.rows);
                return Err(Error::input(sources[0].path(), Place::FILE, reason));
            }
            target.name_columns(|_| "y".to_owned());
            arrays.push(target);
        }
        let mut table = array::table(sources[0].path(), arrays)?;
        table.named = false;
        table.sources = used;
        table.likely_target = customary_target(&table.columns);
        Ok(table)
    }
}
