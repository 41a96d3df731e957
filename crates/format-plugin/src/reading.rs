//! The table that a plugin is given: an Arrow stream on standard input, rows out.

use crate::error::{Error, Result};
use crate::table::{Column, ColumnType, Value};
use arrow_array::cast::AsArray;
use arrow_array::types::{Float32Type, UInt8Type};
use arrow_array::{Array, RecordBatch};
use arrow_ipc::reader::StreamReader;
use arrow_schema::DataType;
use std::io::{BufReader, Read, Stdin, stdin};

/// A table that comes in.
pub struct Incoming {
    stream: StreamReader<BufReader<Checked>>,
    columns: Vec<Column>,
}

impl Incoming {
    pub(crate) fn open() -> Result<Incoming> {
        let stream = StreamReader::try_new(BufReader::new(Checked::new(stdin())), None)?;
        let schema = stream.schema();
        let columns = schema.fields().iter().map(|field| Column::of(field)).collect();
        Ok(Incoming { stream, columns })
    }

    /// Its columns: inputs, then targets, then weights.
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// Gives every row to `each`, in order.
    ///
    /// # Errors
    /// Those of `each`, and of a stream that is cut off.
    pub fn for_each_row(&mut self, mut each: impl FnMut(&[Value]) -> Result<()>) -> Result<()> {
        let mut row = vec![Value::Missing; self.columns.len()];
        for batch in self.stream.by_ref() {
            let batch = batch?;
            for index in 0..batch.num_rows() {
                for (column, value) in row.iter_mut().enumerate() {
                    *value = self.columns[column].value(&batch, column, index)?;
                }
                each(&row)?;
            }
        }
        self.stream.get_ref().get_ref().ended()
    }
}

impl Column {
    fn value(&self, batch: &RecordBatch, column: usize, row: usize) -> Result<Value> {
        let array = batch.column(column);
        if array.is_null(row) {
            return Ok(Value::Missing);
        }
        Ok(match (self.kind, array.data_type()) {
            (ColumnType::Text, _) => array.as_string::<i32>().value(row).into(),
            (_, DataType::Float32) => {
                Value::Number(array.as_primitive::<Float32Type>().value(row).into())
            }
            (_, DataType::UInt8) => {
                Value::Number(array.as_primitive::<UInt8Type>().value(row).into())
            }
            (_, other) => {
                return Err(format!("the column {} has the type {other}", self.name).into());
            }
        })
    }
}

/// Standard input, of which the last bytes are kept: Arrow's reader takes a stream that is cut off between two
/// batches for whole.
struct Checked {
    input: Stdin,
    last: [u8; 8],
}

impl Checked {
    fn new(input: Stdin) -> Checked {
        Checked { input, last: [0; 8] }
    }

    /// Whether the stream ended with its end mark.
    fn ended(&self) -> Result<()> {
        match self.last {
            [0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0] => Ok(()),
            _ => Err(Error::from("the table is cut off")),
        }
    }
}

impl Read for Checked {
    fn read(&mut self, bytes: &mut [u8]) -> std::io::Result<usize> {
        let count = self.input.read(bytes)?;
        let read = &bytes[..count];
        match read.last_chunk::<8>() {
            Some(last) => self.last = *last,
            None => {
                self.last.rotate_left(count);
                self.last[8 - count..].copy_from_slice(read);
            }
        }
        Ok(count)
    }
}
