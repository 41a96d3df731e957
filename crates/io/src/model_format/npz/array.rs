//! NPY arrays of the two types that model files have: f32, and bytes.

use crate::format::{NpyElement, NpyHeader};
use crate::tensor::{Tensor, TensorInfo};

/// What an array holds.
pub(super) enum Array<'a> {
    Numbers(Tensor<'static>),
    Bytes(&'a [u8]),
}

/// An array of f32, given as little-endian bytes.
pub(super) fn write_numbers(shape: &[usize], values: &[u8]) -> Vec<u8> {
    let shape: Vec<u64> = shape.iter().map(|&size| size as u64).collect();
    [&NpyHeader::write("<f4", &shape), values].concat()
}

/// An array of bytes.
pub(super) fn write_bytes(values: &[u8]) -> Vec<u8> {
    [&NpyHeader::write("|u1", &[values.len() as u64]), values].concat()
}

/// Reads an array.
///
/// # Errors
/// Its header is not understood, it is of another type, or its data are cut off.
pub(super) fn read(mut bytes: &[u8]) -> Result<Array<'_>, String> {
    let header = NpyHeader::read(&mut bytes)?;
    if header.fortran && header.shape.len() > 1 {
        return Err("is in Fortran order: save numpy.ascontiguousarray of it".to_owned());
    }
    let size = |&size: &u64| usize::try_from(size).map_err(|_| "is too large".to_owned());
    let shape = header.shape.iter().map(size).collect::<Result<Vec<_>, _>>()?;
    if header.element == NpyElement::parse("<f4")? {
        return Ok(Array::Numbers(Tensor::from_bytes(TensorInfo::new("", shape), bytes)?));
    }
    if header.element != NpyElement::parse("|u1")? {
        return Err("has elements of another type than '<f4' (f32)".to_owned());
    }
    if shape != [bytes.len()] {
        let length = bytes.len();
        return Err(format!("has {length} bytes of data, which do not fit its shape {shape:?}"));
    }
    Ok(Array::Bytes(bytes))
}
