//! Our columns as Arrow's.

use crate::dtype::Dtype;
use crate::export::table::Exported;
use crate::format::values::{Batch, ColumnKind, Values};
use arrow_array::{ArrayRef, Float32Array, RecordBatch, StringArray, UInt8Array};
use arrow_schema::{ArrowError, DataType, Field, Schema, SchemaRef};
use std::sync::Arc;

/// The schema of an exported table: bytes where features are bytes, else f32; texts.
pub(crate) fn schema(table: &Exported) -> SchemaRef {
    let field = |(index, column): (usize, &crate::format::table::Column)| {
        let data_type = match (column.kind, table.dtype(index)) {
            (ColumnKind::Text, _) => DataType::Utf8,
            (ColumnKind::Number, Dtype::U8) => DataType::UInt8,
            (ColumnKind::Number, Dtype::F16 | Dtype::F32) => DataType::Float32,
        };
        Field::new(&column.name, data_type, false)
    };
    Arc::new(Schema::new(table.columns().iter().enumerate().map(field).collect::<Vec<_>>()))
}

/// All columns of a batch.
pub(crate) fn record_batch(schema: &SchemaRef, batch: &Batch) -> Result<RecordBatch, ArrowError> {
    let array = |(field, values): (&Arc<Field>, &Values)| -> ArrayRef {
        match (values, field.data_type()) {
            (Values::Numbers(numbers), DataType::UInt8) => {
                Arc::new(UInt8Array::from_iter_values(numbers.iter().map(|number| *number as u8)))
            }
            (Values::Numbers(numbers), _) => Arc::new(Float32Array::from(numbers.clone())),
            (Values::Texts(texts), _) => Arc::new(StringArray::from_iter_values(texts.iter())),
        }
    };
    let arrays = schema.fields().iter().zip(&batch.columns).map(array).collect();
    RecordBatch::try_new(Arc::clone(schema), arrays)
}
