//! Writing tables as Parquet.

use crate::error::Result;
use crate::export::table::Exported;
use crate::format::columnar;
use crate::format::values::Batch;
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::file::properties::WriterProperties;
use std::io::Write;
use std::sync::Arc;

/// Values of a row group, which is in memory until it is written.
const GROUP_VALUES: usize = 1 << 24;

/// Writes all columns, compressed by snappy, which every reader knows.
pub(super) fn export(table: &Exported, out: &mut (dyn Write + Send)) -> Result<()> {
    let schema = columnar::schema(table);
    let columns = table.columns().len();
    let properties = WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .set_max_row_group_row_count(Some((GROUP_VALUES / columns).max(1)))
        .build();
    let io = table.failed();
    let failed = |error: parquet::errors::ParquetError| io(std::io::Error::other(error));
    let writer = ArrowWriter::try_new(out, Arc::clone(&schema), Some(properties));
    let mut writer = writer.map_err(failed)?;
    let encode = |batch: &Batch| {
        columnar::record_batch(&schema, batch).map_err(|e| table.failed()(std::io::Error::other(e)))
    };
    table.for_each_batch(0..columns, encode, |batch| writer.write(&batch).map_err(failed))?;
    writer.close().map_err(failed)?;
    Ok(())
}
