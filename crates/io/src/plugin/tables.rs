//! Tables of plugins, both ways, as Arrow streams.

use super::description::Operation;
use super::exchange::exchange;
use super::process::Running;
use super::program::Plugin;
use crate::error::{Place, Result, RowNumber};
use crate::export::table::Exported;
use crate::format::arrow::{self, Batches, Messages};
use crate::format::columnar;
use crate::format::table::Table;
use crate::format::values::Batch;
use crate::source::Source;
use arrow_array::cast::AsArray;
use arrow_array::types::{Float16Type, Float32Type, Float64Type};
use arrow_array::{Array, ArrowPrimitiveType, RecordBatch};
use arrow_ipc::writer::StreamWriter;
use arrow_schema::{ArrowError, DataType, FieldRef, Schema, SchemaRef};
use std::collections::HashMap;
use std::io::{self, Write};
use std::sync::Arc;

/// What a column is for, in the metadata of its field...
const ROLE: &str = "gristmill.role";
/// ... if it is to be predicted...
const TARGET: &str = "target";
/// ... or says how much each row counts.
const WEIGHTS: &str = "weights";

/// Opens the table that a plugin gives of a source.
pub(crate) fn open(
    plugin: Arc<Plugin>,
    source: &Source,
    options: &[(String, String)],
) -> Result<Table> {
    let call = plugin.call(Operation::Read, Some(source.path()), options)?;
    let (mut running, output) = Running::start(&call)?;
    let messages = Messages::of_pipe(Box::new(output)).map_err(|reason| {
        let reason = running.blame(&format!("gave a table that {reason}"));
        plugin.failed(source.path(), Place::FILE, &reason)
    })?;
    let fields = messages.schema().fields().iter().enumerate();
    let is_target =
        |field: &FieldRef| field.metadata().get(ROLE).is_some_and(|role| role == TARGET);
    let targets: Vec<usize> =
        fields.filter(|(_, field)| is_target(field)).map(|(index, _)| index).collect();
    let batches = PluginBatches { plugin, source: source.clone(), running, messages };
    let mut table = arrow::table(source, Box::new(batches))?;
    if !targets.is_empty() {
        table.likely_targets = targets;
    }
    Ok(table)
}

/// The batches that a plugin gives.
struct PluginBatches {
    plugin: Arc<Plugin>,
    source: Source,
    running: Running,
    messages: Messages,
}

impl PluginBatches {
    fn next(
        &mut self,
        projection: &[usize],
        first: u64,
    ) -> std::result::Result<Option<RecordBatch>, (Place, String)> {
        let at_row = Place::row(RowNumber::Row(first));
        let wrong = |reason| (at_row.clone(), format!("gave a table that {reason}"));
        if let Some(batch) = self.messages.next_batch(projection).map_err(wrong)? {
            if let Some((row, column)) = not_finite(&batch) {
                let place = Place::cell(RowNumber::Row(first + row as u64), &column);
                let reason = "gave a number that is not finite; what is missing is to be null";
                return Err((place, reason.to_owned()));
            }
            return Ok(Some(batch));
        }
        if !self.messages.ends_here().map_err(wrong)? {
            return Err(wrong("goes on after its end mark".to_owned()));
        }
        Ok(None)
    }
}

impl Batches for PluginBatches {
    fn schema(&self) -> &Schema {
        self.messages.schema()
    }

    fn next_batch(&mut self, projection: &[usize], first: u64) -> Result<Option<RecordBatch>> {
        let batch = self.next(projection, first).map_err(|(place, symptom)| {
            let reason = self.running.blame(&symptom);
            self.plugin.failed(self.source.path(), place, &reason)
        })?;
        if batch.is_none() {
            let ended = self.running.finish();
            ended.map_err(|reason| self.plugin.failed(self.source.path(), Place::FILE, &reason))?;
            self.source.count(self.source.length()?);
        }
        Ok(batch)
    }
}

/// The row and column of the first number that is not finite.
fn not_finite(batch: &RecordBatch) -> Option<(usize, String)> {
    let columns = batch.columns().iter().zip(batch.schema_ref().fields());
    let mut wrong = columns.filter_map(|(array, field)| {
        let row = match array.data_type() {
            DataType::Float16 => position::<Float16Type>(array, |value| value.is_finite()),
            DataType::Float32 => position::<Float32Type>(array, f32::is_finite),
            DataType::Float64 => position::<Float64Type>(array, f64::is_finite),
            _ => None,
        };
        Some((row?, field.name().clone()))
    });
    wrong.next()
}

fn position<T: ArrowPrimitiveType>(
    array: &dyn Array,
    is_finite: impl Fn(T::Native) -> bool,
) -> Option<usize> {
    let values = array.as_primitive::<T>().values();
    let is_wrong = |(row, value): (usize, &T::Native)| !is_finite(*value) && array.is_valid(row);
    values.iter().enumerate().position(|(row, value)| is_wrong((row, value)))
}

/// Gives a table to a plugin, and what the plugin makes of it to `out`.
pub(crate) fn export(
    plugin: &Plugin,
    table: &Exported,
    options: &[(String, String)],
    out: &mut (dyn Write + Send),
) -> Result<()> {
    let call = plugin.call(Operation::Write, None, options)?;
    let schema = schema(table);
    let io = table.failed();
    let failed = |error: ArrowError| io(io::Error::other(error));
    exchange(plugin, &call, table.output(), out, |input| {
        let mut writer = StreamWriter::try_new(input, &schema).map_err(failed)?;
        let encode = |batch: &Batch| {
            let batch = columnar::record_batch(&schema, batch);
            batch.map_err(|error| table.failed()(io::Error::other(error)))
        };
        let columns = 0..table.columns().len();
        table.for_each_batch(columns, encode, |batch| writer.write(&batch).map_err(failed))?;
        writer.finish().map_err(failed)
    })
}

/// The schema of a table, with what its columns are for.
fn schema(table: &Exported) -> SchemaRef {
    let role = |column: usize| match column {
        column if table.targets().contains(&column) => Some(TARGET),
        column if table.weights() == Some(column) => Some(WEIGHTS),
        _ => None,
    };
    let with_role = |(column, field): (usize, &FieldRef)| match role(column) {
        None => Arc::clone(field),
        Some(role) => {
            let metadata = HashMap::from([(ROLE.to_owned(), role.to_owned())]);
            Arc::new(field.as_ref().clone().with_metadata(metadata))
        }
    };
    let plain = columnar::schema(table);
    Arc::new(Schema::new(plain.fields().iter().enumerate().map(with_role).collect::<Vec<_>>()))
}
