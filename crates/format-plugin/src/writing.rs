//! The table that a plugin gives: rows in, an Arrow stream on standard output.

use crate::error::{Error, Result};
use crate::table::{Column, ColumnType, Value};
use arrow_array::builder::{Float64Builder, StringBuilder};
use arrow_array::{ArrayRef, RecordBatch};
use arrow_ipc::writer::StreamWriter;
use arrow_schema::{Schema, SchemaRef};
use std::io::{Stdout, Write, stdout};
use std::sync::Arc;

/// Values in a batch.
const BATCH_VALUES: usize = 1 << 18;

/// Takes the rows of a table.
#[derive(Default)]
pub struct TableWriter(Option<Open>);

struct Open {
    stream: StreamWriter<Stdout>,
    schema: SchemaRef,
    columns: Vec<Builder>,
    rows: usize,
    batch_rows: usize,
}

enum Builder {
    Numbers(Float64Builder),
    Texts(StringBuilder),
}

impl TableWriter {
    /// Says which columns there are, once, before the first row.
    ///
    /// # Errors
    /// Nobody reads the table any more.
    pub fn begin(&mut self, columns: &[Column]) -> Result<()> {
        let fields = columns.iter().map(Column::field).collect::<Vec<_>>();
        let schema = Arc::new(Schema::new(fields));
        let builder = |column: &Column| match column.kind {
            ColumnType::Number => Builder::Numbers(Float64Builder::new()),
            ColumnType::Text => Builder::Texts(StringBuilder::new()),
        };
        self.0 = Some(Open {
            stream: StreamWriter::try_new(stdout(), &schema)?,
            columns: columns.iter().map(builder).collect(),
            schema,
            rows: 0,
            batch_rows: (BATCH_VALUES / columns.len().max(1)).max(1),
        });
        Ok(())
    }

    /// Appends a row: a value for each column.
    ///
    /// # Errors
    /// The values do not fit the columns, or nobody reads the table any more.
    pub fn push(&mut self, row: &[Value]) -> Result<()> {
        let open = self.0.as_mut().ok_or("a row was pushed before the table was begun")?;
        if row.len() != open.columns.len() {
            return Err(format!("a row of {} for {} columns", row.len(), open.columns.len()).into());
        }
        for (builder, value) in open.columns.iter_mut().zip(row) {
            match (builder, value) {
                (Builder::Numbers(numbers), Value::Number(number)) => numbers.append_value(*number),
                (Builder::Numbers(numbers), Value::Missing) => numbers.append_null(),
                (Builder::Texts(texts), Value::Text(text)) => texts.append_value(text),
                (Builder::Texts(texts), Value::Missing) => texts.append_null(),
                (Builder::Numbers(_), Value::Text(text)) => {
                    return Err(format!("expected a number, found \"{text}\"").into());
                }
                (Builder::Texts(_), Value::Number(number)) => {
                    return Err(format!("expected a text, found {number}").into());
                }
            }
        }
        open.rows += 1;
        if open.rows == open.batch_rows { open.flush() } else { Ok(()) }
    }

    pub(crate) fn finish(self) -> Result<()> {
        let mut open = self.0.ok_or("no table was begun")?;
        if open.rows > 0 {
            open.flush()?;
        }
        open.stream.finish()?;
        open.stream.get_mut().flush().map_err(Error::from)
    }
}

impl Open {
    fn flush(&mut self) -> Result<()> {
        let finish = |builder: &mut Builder| -> ArrayRef {
            match builder {
                Builder::Numbers(numbers) => Arc::new(numbers.finish()),
                Builder::Texts(texts) => Arc::new(texts.finish()),
            }
        };
        let arrays = self.columns.iter_mut().map(finish).collect();
        self.rows = 0;
        self.stream.write(&RecordBatch::try_new(Arc::clone(&self.schema), arrays)?)?;
        Ok(())
    }
}
