//! Writing tables as an object per line.

use crate::error::Result;
use crate::export::table::{Exported, write_number};
use crate::format::values::{Batch, Values};
use std::io::Write;

/// Writes all columns of every row.
pub(super) fn export(table: &Exported, out: &mut (dyn Write + Send)) -> Result<()> {
    let failed = table.failed();
    let mut keys = Vec::new();
    for (index, column) in table.columns().iter().enumerate() {
        let mut key = if index == 0 { b"{".to_vec() } else { b",".to_vec() };
        serde_json::to_writer(&mut key, &column.name).map_err(|error| failed(error.into()))?;
        key.push(b':');
        keys.push(key);
    }
    let encode = |batch: &Batch| rows(batch, &keys).map_err(|error| failed(error.into()));
    table.for_each_batch(0..keys.len(), encode, |text| out.write_all(&text).map_err(&failed))
}

fn rows(batch: &Batch, keys: &[Vec<u8>]) -> serde_json::Result<Vec<u8>> {
    let mut out = Vec::new();
    let mut texts: Vec<_> = batch.columns.iter().map(Values::texts).collect();
    for row in 0..batch.rows.len() {
        for ((values, texts), key) in batch.columns.iter().zip(&mut texts).zip(keys) {
            out.extend(key);
            match values {
                Values::Numbers(numbers) if numbers[row].is_nan() => out.extend(b"null"),
                Values::Numbers(numbers) => write_number(&mut out, numbers[row]),
                Values::Texts(_) => {
                    serde_json::to_writer(&mut out, texts.next().unwrap_or_default())?;
                }
            }
        }
        out.extend(b"}\n");
    }
    Ok(out)
}
