//! Tensors as files hold them: a name, the type of the numbers, a shape, and the numbers row by row.
//! What a tensor is for is known to those who name it.

use crate::dtype::Dtype;
use std::borrow::Cow;
use std::collections::HashSet;
use std::io;

/// All of a tensor but its numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TensorInfo {
    /// The name, unique within its file: `dense1.weight`.
    pub name: String,
    /// The type of its numbers.
    pub dtype: Dtype,
    /// Its dimensions, outermost first.
    pub shape: Vec<usize>,
}

impl TensorInfo {
    /// A tensor of f32.
    pub fn new(name: impl Into<String>, shape: impl Into<Vec<usize>>) -> TensorInfo {
        TensorInfo { name: name.into(), dtype: Dtype::F32, shape: shape.into() }
    }

    /// How many numbers it has; `None` where that is more than any machine holds.
    pub fn count(&self) -> Option<usize> {
        self.shape.iter().try_fold(1usize, |count, &size| count.checked_mul(size))
    }

    /// Where the number with this index lies: its index along each dimension.
    pub fn place(&self, mut index: usize) -> Vec<usize> {
        let mut place = vec![0; self.shape.len()];
        for (at, &size) in place.iter_mut().zip(&self.shape).rev() {
            *at = index % size.max(1);
            index /= size.max(1);
        }
        place
    }
}

/// A tensor in memory.
#[derive(Debug, Clone, PartialEq)]
pub struct Tensor<'a> {
    /// What it is called and how it is shaped.
    pub info: TensorInfo,
    /// Its numbers, row by row.
    pub values: Cow<'a, [f32]>,
}

impl<'a> Tensor<'a> {
    /// A tensor of f32 with these numbers.
    pub fn new(
        name: impl Into<String>,
        shape: impl Into<Vec<usize>>,
        values: impl Into<Cow<'a, [f32]>>,
    ) -> Tensor<'a> {
        Tensor { info: TensorInfo::new(name, shape), values: values.into() }
    }

    /// A tensor of one dimension.
    pub fn vector(name: impl Into<String>, values: impl Into<Cow<'a, [f32]>>) -> Tensor<'a> {
        let values = values.into();
        Tensor { info: TensorInfo::new(name, [values.len()]), values }
    }

    /// A tensor of little-endian f32.
    ///
    /// # Errors
    /// The shape does not fit the bytes, or there are none.
    pub(crate) fn from_bytes(info: TensorInfo, bytes: &[u8]) -> Result<Tensor<'static>, String> {
        let (values, rest) = bytes.as_chunks::<4>();
        if info.count() != Some(values.len()) || !rest.is_empty() {
            let (length, shape) = (bytes.len(), &info.shape);
            return Err(format!(
                "has {length} bytes of data, which do not fit its shape {shape:?}"
            ));
        }
        if values.is_empty() {
            return Err("is empty".to_owned());
        }
        let values = values.iter().map(|value| f32::from_le_bytes(*value)).collect();
        Ok(Tensor { info, values: Cow::Owned(values) })
    }

    /// Its numbers, little-endian.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.values.iter().flat_map(|value| value.to_le_bytes()).collect()
    }

    /// Which number is not finite, and where: `the tensor "dense1.weight" has NaN at [0, 3]`.
    pub(crate) fn stray(&self, is_stray: impl Fn(f32) -> bool) -> Option<String> {
        let index = self.values.iter().position(|&value| is_stray(value))?;
        let (name, value, place) = (&self.info.name, self.values[index], self.info.place(index));
        Some(format!("the tensor \"{name}\" has {value} at {place:?}"))
    }
}

/// What takes the numbers of a tensor, part by part.
pub type Sink<'s> = dyn FnMut(&[f32]) -> io::Result<()> + 's;

/// What can be written as a tensor. Its numbers may lie anywhere in memory: they are handed out in parts.
pub trait TensorData {
    /// What it is called and how it is shaped.
    fn info(&self) -> &TensorInfo;

    /// Hands its numbers to `sink`, row by row.
    ///
    /// # Errors
    /// That of the sink.
    fn send(&self, sink: &mut Sink<'_>) -> io::Result<()>;
}

impl TensorData for Tensor<'_> {
    fn info(&self) -> &TensorInfo {
        &self.info
    }

    fn send(&self, sink: &mut Sink<'_>) -> io::Result<()> {
        sink(&self.values)
    }
}

/// Hands the numbers of a tensor to a sink, row by row.
type Send<'a> = Box<dyn Fn(&mut Sink<'_>) -> io::Result<()> + 'a>;

/// A tensor whose numbers are gathered from somewhere while it is written.
pub struct TensorStream<'a> {
    info: TensorInfo,
    send: Send<'a>,
}

impl<'a> TensorStream<'a> {
    /// A tensor whose numbers `send` hands out, as many as its shape asks for.
    pub fn new(
        info: TensorInfo,
        send: impl Fn(&mut Sink<'_>) -> io::Result<()> + 'a,
    ) -> TensorStream<'a> {
        TensorStream { info, send: Box::new(send) }
    }

    /// A copy that stands by itself.
    pub fn collect(&self) -> Tensor<'static> {
        let mut values = Vec::with_capacity(self.info.count().unwrap_or(0));
        // The sink never fails.
        let _ = self.send(&mut |part| {
            values.extend_from_slice(part);
            Ok(())
        });
        Tensor { info: self.info.clone(), values: Cow::Owned(values) }
    }
}

impl std::fmt::Debug for TensorStream<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("TensorStream").field(&self.info).finish()
    }
}

impl TensorData for TensorStream<'_> {
    fn info(&self) -> &TensorInfo {
        &self.info
    }

    fn send(&self, sink: &mut Sink<'_>) -> io::Result<()> {
        (self.send)(sink)
    }
}

/// The first name that several tensors have.
pub(crate) fn duplicate<'t>(tensors: impl Iterator<Item = &'t TensorInfo>) -> Option<&'t str> {
    let mut names = HashSet::new();
    tensors.map(|info| info.name.as_str()).find(|name| !names.insert(*name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_finite_is_found_by_its_place() {
        let mut values = vec![0.0; 24];
        let stray =
            |values: &[f32]| Tensor::new("w", [2, 3, 4], values).stray(|value| !value.is_finite());
        assert_eq!(stray(&values), None);
        values[23] = f32::INFINITY;
        assert_eq!(stray(&values).unwrap(), "the tensor \"w\" has inf at [1, 2, 3]");
        values[5] = f32::NAN;
        assert_eq!(stray(&values).unwrap(), "the tensor \"w\" has NaN at [0, 1, 1]");
    }

    #[test]
    fn a_stream_gives_what_it_is_made_of() {
        let rows = [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]];
        let stream = TensorStream::new(TensorInfo::new("w", [3, 2]), |sink| {
            rows.iter().try_for_each(|row| sink(row))
        });
        assert_eq!(stream.collect(), Tensor::new("w", [3, 2], vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0]));
    }

    #[test]
    fn shapes_that_overflow_have_no_count() {
        assert_eq!(TensorInfo::new("w", [usize::MAX, 2]).count(), None);
        assert_eq!(TensorInfo::new("w", [3, 2]).count(), Some(6));
        assert_eq!(TensorInfo::new("w", []).count(), Some(1));
    }
}
