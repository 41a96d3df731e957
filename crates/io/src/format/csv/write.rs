//! Writing tables as text with separators.

use crate::error::Result;
use crate::export::table::{Exported, write_number};
use crate::format::values::{Batch, Values};
use std::io::Write;

/// Writes all columns with a header, separated by tabs if the file's name says so, else by commas.
pub(super) fn export(table: &Exported, out: &mut (dyn Write + Send)) -> Result<()> {
    let is_tabbed = [".tsv", ".tab"].iter().any(|end| table.file_name().ends_with(end));
    let separator = if is_tabbed { b'\t' } else { b',' };
    let mut header = Vec::new();
    for (index, column) in table.columns().iter().enumerate() {
        if [&column.name].into_iter().chain(table.texts(index)).any(|text| text.contains('\0')) {
            return Err(table.refuse(index, "has a zero character, which text files must not"));
        }
        separate(&mut header, index, separator);
        write_text(&mut header, &column.name);
    }
    header.push(b'\n');
    let failed = table.failed();
    out.write_all(&header).map_err(&failed)?;
    let encode = |batch: &Batch| Ok(rows(batch, separator));
    table.for_each_batch(0..table.columns().len(), encode, |text| {
        out.write_all(&text).map_err(&failed)
    })
}

fn separate(out: &mut Vec<u8>, column: usize, separator: u8) {
    if column > 0 {
        out.push(separator);
    }
}

fn rows(batch: &Batch, separator: u8) -> Vec<u8> {
    let mut out = Vec::new();
    let mut texts: Vec<_> = batch.columns.iter().map(Values::texts).collect();
    for row in 0..batch.rows.len() {
        for (column, (values, texts)) in batch.columns.iter().zip(&mut texts).enumerate() {
            separate(&mut out, column, separator);
            match values {
                Values::Numbers(numbers) => write_number(&mut out, numbers[row]),
                Values::Texts(_) => write_text(&mut out, texts.next().unwrap_or_default()),
            }
        }
        out.push(b'\n');
    }
    out
}

/// Writes a text, quoted where it could be read as anything else.
fn write_text(out: &mut Vec<u8>, text: &str) {
    let is_plain = |byte: u8| !matches!(byte, b',' | b';' | b'\t' | b'|' | b'"' | b'\r' | b'\n');
    if !text.is_empty() && text.bytes().all(is_plain) && text == text.trim_ascii() {
        out.extend(text.bytes());
        return;
    }
    out.push(b'"');
    for byte in text.bytes() {
        out.extend(std::iter::repeat_n(byte, if byte == b'"' { 2 } else { 1 }));
    }
    out.push(b'"');
}
