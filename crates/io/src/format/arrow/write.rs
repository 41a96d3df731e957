//! Writing tables as Arrow IPC files.

use crate::error::Result;
use crate::export::table::Exported;
use crate::format::columnar;
use crate::format::values::Batch;
use arrow_ipc::writer::{FileWriter, StreamWriter};
use arrow_schema::ArrowError;
use std::io::Write;

/// Writes all columns, not compressed, so that readers can map them: as a stream if the file's name says
/// so, else as a file.
pub(super) fn export(table: &Exported, out: &mut (dyn Write + Send)) -> Result<()> {
    let schema = columnar::schema(table);
    let io = table.failed();
    let failed = |error: ArrowError| io(std::io::Error::other(error));
    let encode = |batch: &Batch| {
        let batch = columnar::record_batch(&schema, batch);
        batch.map_err(|error| table.failed()(std::io::Error::other(error)))
    };
    let columns = 0..table.columns().len();
    if table.file_name().ends_with(".arrows") {
        let mut writer = StreamWriter::try_new(out, &schema).map_err(failed)?;
        table.for_each_batch(columns, encode, |batch| writer.write(&batch).map_err(failed))?;
        writer.finish().map_err(failed)
    } else {
        let mut writer = FileWriter::try_new(out, &schema).map_err(failed)?;
        table.for_each_batch(columns, encode, |batch| writer.write(&batch).map_err(failed))?;
        writer.finish().map_err(failed)
    }
}
