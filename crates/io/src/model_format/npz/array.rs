//! NPY arrays of the two types that model files have: f32, and bytes.

use crate::model_format::tensors::Tensor;

const MAGIC: &[u8] = b"\x93NUMPY";
/// Data begin at a multiple of this.
const ALIGNMENT: usize = 64;

/// What an array holds.
pub(super) enum Array<'a> {
    Numbers(Tensor<'static>),
    Bytes(&'a [u8]),
}

/// An array of f32, given as little-endian bytes.
pub(super) fn write_numbers(shape: &[usize], values: &[u8]) -> Vec<u8> {
    [header("<f4", shape), values.to_vec()].concat()
}

/// An array of bytes.
pub(super) fn write_bytes(values: &[u8]) -> Vec<u8> {
    [header("|u1", &[values.len()]), values.to_vec()].concat()
}

fn header(element: &str, shape: &[usize]) -> Vec<u8> {
    let shape: String = shape.iter().map(|size| format!("{size}, ")).collect();
    let mut text =
        format!("{{'descr': '{element}', 'fortran_order': False, 'shape': ({shape}), }}");
    // Magic, version and length are 10 bytes; a newline ends the text.
    let padded = (10 + text.len() + 1).next_multiple_of(ALIGNMENT) - 10;
    text += &" ".repeat(padded - 1 - text.len());
    text.push('\n');
    let length = u16::try_from(text.len()).expect("tensors have few dimensions");
    [MAGIC, &[1, 0], &length.to_le_bytes(), text.as_bytes()].concat()
}

/// Reads an array.
///
/// # Errors
/// Its header is not understood, it is of another type, or its data are cut off.
pub(super) fn read(bytes: &[u8]) -> Result<Array<'_>, String> {
    let short = || "ends within its header".to_owned();
    let rest = bytes.strip_prefix(MAGIC).ok_or("does not begin like an NPY array")?;
    let (version, rest) = rest.split_at_checked(2).ok_or_else(short)?;
    let size = match version[0] {
        1 => 2,
        2 | 3 => 4,
        other => return Err(format!("is of NPY version {other}; 1 to 3 are read")),
    };
    let (length, rest) = rest.split_at_checked(size).ok_or_else(short)?;
    let length = length.iter().rev().fold(0, |sum, byte| sum << 8 | usize::from(*byte));
    let (text, data) = rest.split_at_checked(length).ok_or_else(short)?;
    let text = std::str::from_utf8(text).map_err(|_| "has a header that is not UTF-8 text")?;
    let malformed = || {
        let shown: String = text.trim().chars().take(200).collect();
        format!("has a header that is not understood: {shown:?}")
    };
    // Keys are in any order, and no value has a quote, a parenthesis or a comma that is not its own.
    let value = |key: &str| Some(text.split_once(&format!("'{key}':"))?.1.trim_start());
    let element = value("descr").and_then(|v| v.strip_prefix('\'')?.split_once('\''));
    let (element, _) = element.ok_or_else(malformed)?;
    let order = value("fortran_order").ok_or_else(malformed)?;
    let shape = value("shape").and_then(|v| v.strip_prefix('(')?.split_once(')'));
    let sizes = shape.ok_or_else(malformed)?.0.split(',').map(str::trim);
    let sizes = sizes.filter(|size| !size.is_empty()).map(str::parse::<usize>);
    let shape = sizes.collect::<Result<Vec<_>, _>>().map_err(|_| malformed())?;
    if !order.starts_with("False") && shape.len() > 1 {
        return Err("is in Fortran order: save numpy.ascontiguousarray of it".to_owned());
    }
    match element {
        "<f4" => Ok(Array::Numbers(Tensor::from_bytes(shape, data)?)),
        "|u1" if shape == [data.len()] => Ok(Array::Bytes(data)),
        "|u1" => {
            let length = data.len();
            Err(format!("has {length} bytes of data, which do not fit its shape {shape:?}"))
        }
        other => Err(format!("has elements of type '{other}', expected '<f4' (f32)")),
    }
}
