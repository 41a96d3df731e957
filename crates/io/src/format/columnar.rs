//! What Parquet and Arrow share: their columns as ours, both ways. Knows Arrow's arrays, and no file.

mod write;

pub(crate) use write::{record_batch, schema};

use super::caught::caught;
use super::number::{Number, number};
use super::table::{Chunk, Column, Decoder, Hints, Wanted, customary_targets_among, is_index};
use super::text::shortened;
use super::values::{Batch, ColumnKind, RowNumbers, Texts, Values};
use crate::error::{Error, Place, Result, RowNumber};
use arrow_array::cast::AsArray;
use arrow_array::types::{
    Decimal32Type, Decimal64Type, Decimal128Type, Float16Type, Float32Type, Float64Type, Int8Type,
    Int16Type, Int32Type, Int64Type, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{Array, ArrayRef, ArrowPrimitiveType};
use arrow_schema::{DataType, Schema};
use std::path::{Path, PathBuf};

/// The columns of a table by its schema. What cannot be read is refused when it is asked for.
pub(super) fn columns(schema: &Schema) -> Vec<Column> {
    let column = |field: &arrow_schema::FieldRef| {
        let kind = if is_number(field.data_type()) { ColumnKind::Number } else { ColumnKind::Text };
        Column { name: field.name().clone(), kind }
    };
    schema.fields().iter().map(column).collect()
}

/// The target by custom, which is never an index of pandas.
pub(super) fn likely_targets(schema: &Schema, columns: &[Column]) -> Vec<usize> {
    let indices = pandas_indices(schema);
    customary_targets_among(columns, |column| {
        is_index(&column.name) || indices.contains(&column.name)
    })
}

/// What the schema says of columns: which are an index of pandas.
pub(super) fn hints(schema: &Schema, columns: &[Column]) -> Hints {
    let indices = pandas_indices(schema);
    let is_index = |column: &usize| indices.contains(&columns[*column].name);
    Hints { row_numbers: (0..columns.len()).filter(is_index).collect(), ..Hints::default() }
}

/// The indices that pandas stored as columns, which its metadata name.
fn pandas_indices(schema: &Schema) -> Vec<String> {
    #[derive(serde::Deserialize)]
    struct Pandas {
        index_columns: Vec<serde_json::Value>,
    }
    let metadata = schema.metadata().get("pandas");
    let pandas = metadata.and_then(|text| serde_json::from_str::<Pandas>(text).ok());
    // An index that is a range is described by an object, and no column.
    let indices = pandas.map_or(Vec::new(), |pandas| pandas.index_columns);
    indices.iter().filter_map(|index| index.as_str().map(str::to_owned)).collect()
}

fn is_number(data_type: &DataType) -> bool {
    match data_type {
        DataType::Dictionary(_, values) => is_number(values),
        DataType::Null | DataType::Boolean => true,
        DataType::Decimal32(..) | DataType::Decimal64(..) | DataType::Decimal128(..) => true,
        other => other.is_integer() || other.is_floating(),
    }
}

fn is_text(data_type: &DataType) -> bool {
    use DataType::{Binary, LargeBinary, LargeUtf8, Utf8, Utf8View};
    match data_type {
        DataType::Dictionary(_, values) => is_text(values),
        other => matches!(other, Utf8 | LargeUtf8 | Utf8View | Binary | LargeBinary),
    }
}

/// Refuses a column wanted that is neither numbers nor texts.
pub(super) fn check_wanted(path: &Path, schema: &Schema, wanted: &[Wanted]) -> Result<()> {
    for field in wanted.iter().map(|wanted| schema.field(wanted.column)) {
        let (name, data_type) = (field.name(), field.data_type());
        if !is_number(data_type) && !is_text(data_type) {
            let what = if data_type.is_nested() { "is nested" } else { "is no number or text" };
            let reason = format!(
                "its type {data_type} {what}: convert it, or leave it out with --drop \"{name}\""
            );
            return Err(Error::input(path, Place::column(name), reason));
        }
    }
    Ok(())
}

/// A column of a batch whose first row is `first`.
pub(super) fn values(
    path: &Path,
    name: &str,
    first: u64,
    array: &dyn Array,
    kind: ColumnKind,
) -> Result<Values> {
    let converted = caught(|| match kind {
        ColumnKind::Number => numbers(array).map(Values::Numbers),
        ColumnKind::Text => texts(array).map(Values::Texts),
    });
    converted.unwrap_or_else(|reason| Err((0, reason))).map_err(|(row, reason)| {
        let place = Place::cell(RowNumber::Row(first + row as u64), name);
        Error::input(path, place, reason)
    })
}

/// What is wrong with the row at an index.
type Refused = (usize, String);

fn numbers(array: &dyn Array) -> std::result::Result<Vec<f32>, Refused> {
    let numbers = match array.data_type() {
        DataType::Float32 => primitive::<Float32Type>(array, |value| value),
        DataType::Float64 => primitive::<Float64Type>(array, |value| value as f32),
        DataType::Float16 => primitive::<Float16Type>(array, half::f16::to_f32),
        DataType::Int8 => primitive::<Int8Type>(array, f32::from),
        DataType::Int16 => primitive::<Int16Type>(array, f32::from),
        DataType::Int32 => primitive::<Int32Type>(array, |value| value as f32),
        DataType::Int64 => primitive::<Int64Type>(array, |value| value as f32),
        DataType::UInt8 => primitive::<UInt8Type>(array, f32::from),
        DataType::UInt16 => primitive::<UInt16Type>(array, f32::from),
        DataType::UInt32 => primitive::<UInt32Type>(array, |value| value as f32),
        DataType::UInt64 => primitive::<UInt64Type>(array, |value| value as f32),
        DataType::Boolean => {
            let number = |value: Option<bool>| value.map_or(f32::NAN, |v| f32::from(u8::from(v)));
            array.as_boolean().iter().map(number).collect()
        }
        DataType::Null => vec![f32::NAN; array.len()],
        DataType::Dictionary(..) => {
            let (keys, values) = dictionary(array);
            let values = numbers(&values)?;
            let number = |key: Option<usize>| key.and_then(|key| values.get(key).copied());
            keys.into_iter().map(|key| number(key).unwrap_or(f32::NAN)).collect()
        }
        _ => return parsed(&texts(array)?),
    };
    match numbers.iter().position(|number| number.is_infinite()) {
        Some(row) => Err((row, "expected a finite number that an f32 can hold".to_owned())),
        None => Ok(numbers),
    }
}

fn primitive<T: ArrowPrimitiveType>(
    array: &dyn Array,
    convert: impl Fn(T::Native) -> f32,
) -> Vec<f32> {
    let array = array.as_primitive::<T>();
    let mut numbers: Vec<f32> = array.values().iter().map(|value| convert(*value)).collect();
    if let Some(nulls) = array.nulls().filter(|nulls| nulls.null_count() > 0) {
        for (number, is_valid) in numbers.iter_mut().zip(nulls) {
            if !is_valid {
                *number = f32::NAN;
            }
        }
    }
    numbers
}

fn parsed(texts: &Texts) -> std::result::Result<Vec<f32>, Refused> {
    let parse = |(row, text): (usize, &str)| match number(text.trim_ascii().as_bytes()) {
        Number::Value(value) => Ok(value),
        Number::Missing => Ok(f32::NAN),
        Number::NotFinite | Number::Text => {
            Err((row, format!("expected a finite number, found \"{}\"", shortened(text))))
        }
    };
    texts.iter().enumerate().map(parse).collect()
}

/// The key of each row, and the values that keys stand for.
fn dictionary(array: &dyn Array) -> (Vec<Option<usize>>, ArrayRef) {
    let array = array.as_any_dictionary();
    let values = array.values().clone();
    if values.is_empty() {
        return (vec![None; array.len()], values);
    }
    let keys = array.normalized_keys();
    let key = |(row, key): (usize, usize)| array.keys().is_valid(row).then_some(key);
    (keys.into_iter().enumerate().map(key).collect(), values)
}

fn texts(array: &dyn Array) -> std::result::Result<Texts, Refused> {
    let mut texts = Texts::default();
    /// Appends what a closure makes of each row that is not null, and nothing for a null.
    macro_rules! push {
        ($array:expr, $text:expr) => {
            for value in $array.iter() {
                match value {
                    Some(value) => texts.push($text(value).as_ref()),
                    None => texts.push(""),
                }
            }
        };
    }
    macro_rules! push_numbers {
        ($type:ty) => {
            push!(array.as_primitive::<$type>(), |value: <$type as ArrowPrimitiveType>::Native| {
                value.to_string()
            })
        };
    }
    macro_rules! push_bytes {
        ($array:expr) => {
            for (row, value) in $array.iter().enumerate() {
                let text = std::str::from_utf8(value.unwrap_or_default());
                texts.push(text.map_err(|_| (row, "is no UTF-8 text".to_owned()))?);
            }
        };
    }
    macro_rules! push_decimals {
        ($type:ty, $precision:expr, $scale:expr) => {
            push!(array.as_primitive::<$type>(), |value| {
                <$type as arrow_array::types::DecimalType>::format_decimal(
                    value,
                    *$precision,
                    *$scale,
                )
            })
        };
    }
    match array.data_type() {
        DataType::Utf8 => push!(array.as_string::<i32>(), |text| text),
        DataType::LargeUtf8 => push!(array.as_string::<i64>(), |text| text),
        DataType::Utf8View => push!(array.as_string_view(), |text| text),
        DataType::Binary => push_bytes!(array.as_binary::<i32>()),
        DataType::LargeBinary => push_bytes!(array.as_binary::<i64>()),
        DataType::Boolean => push!(array.as_boolean(), |value| if value { "1" } else { "0" }),
        DataType::Int8 => push_numbers!(Int8Type),
        DataType::Int16 => push_numbers!(Int16Type),
        DataType::Int32 => push_numbers!(Int32Type),
        DataType::Int64 => push_numbers!(Int64Type),
        DataType::UInt8 => push_numbers!(UInt8Type),
        DataType::UInt16 => push_numbers!(UInt16Type),
        DataType::UInt32 => push_numbers!(UInt32Type),
        DataType::UInt64 => push_numbers!(UInt64Type),
        DataType::Float16 => push_numbers!(Float16Type),
        DataType::Float32 => push_numbers!(Float32Type),
        DataType::Float64 => push_numbers!(Float64Type),
        DataType::Decimal32(precision, scale) => push_decimals!(Decimal32Type, precision, scale),
        DataType::Decimal64(precision, scale) => push_decimals!(Decimal64Type, precision, scale),
        DataType::Decimal128(precision, scale) => push_decimals!(Decimal128Type, precision, scale),
        DataType::Dictionary(..) => {
            let (keys, values) = dictionary(array);
            let values = self::texts(&values)?;
            let values: Vec<&str> = values.iter().collect();
            let text = |key: Option<usize>| key.and_then(|key| values.get(key).copied());
            keys.into_iter().for_each(|key| texts.push(text(key).unwrap_or_default()));
        }
        // A column of nothing; any other type was refused.
        _ => (0..array.len()).for_each(|_| texts.push("")),
    }
    Ok(texts)
}

/// Gives on what was decoded while it was read.
pub(super) struct Decoded {
    pub(super) path: PathBuf,
}

impl Decoder for Decoded {
    fn decode(&self, chunk: &mut Chunk, _: &[Wanted]) -> Result<Batch> {
        let columns = std::mem::take(&mut chunk.columns);
        if columns.iter().any(|values| values.len() != chunk.rows) {
            let place = Place::row(RowNumber::Row(chunk.first));
            return Err(Error::input(&self.path, place, "has columns of different lengths"));
        }
        Ok(Batch { rows: RowNumbers::Rows(chunk.first, chunk.rows), columns })
    }
}
