//! The numbers of a model as named tensors, as every format that can be read back holds them.
//!
//! `layers.N.weight` is outputs x inputs and `layers.N.bias` has a number per output, as in a PyTorch
//! state dictionary; `inputs.mean`, `inputs.deviation`, `outputs.mean` and `outputs.deviation` are the
//! scales.

use super::metadata::{self, Metadata};
use crate::model::{DenseLayer, Model, Scale};
use crate::schema::Target;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// Numbers of some shape, row-major.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Tensor<'a> {
    pub(super) shape: Vec<usize>,
    pub(super) values: Cow<'a, [f32]>,
}

impl Tensor<'_> {
    /// A tensor of little-endian f32.
    ///
    /// # Errors
    /// The shape does not fit the bytes.
    pub(super) fn from_bytes(shape: Vec<usize>, bytes: &[u8]) -> Result<Tensor<'static>, String> {
        let (values, rest) = bytes.as_chunks::<4>();
        let count = shape.iter().try_fold(1usize, |count, size| count.checked_mul(*size));
        if count != Some(values.len()) || !rest.is_empty() {
            let length = bytes.len();
            return Err(format!(
                "has {length} bytes of data, which do not fit its shape {shape:?}"
            ));
        }
        if values.is_empty() {
            return Err("is empty".to_owned());
        }
        let values = values.iter().map(|value| f32::from_le_bytes(*value)).collect();
        Ok(Tensor { shape, values: Cow::Owned(values) })
    }

    /// Its values, little-endian.
    pub(super) fn bytes(&self) -> Vec<u8> {
        self.values.iter().flat_map(|value| value.to_le_bytes()).collect()
    }
}

/// The tensors of a model by name, in the order of its layers.
pub(super) fn of_model(model: &Model) -> Vec<(String, Tensor<'_>)> {
    let mut tensors = Vec::new();
    for (name, scales) in [("inputs", &model.inputs), ("outputs", &model.outputs)] {
        if !scales.is_empty() {
            let mut add = |part: &str, values| {
                tensors.push((format!("{name}.{part}"), vector(values)));
            };
            add("mean", scales.iter().map(|scale| scale.mean).collect());
            add("deviation", scales.iter().map(|scale| scale.deviation).collect());
        }
    }
    for (index, layer) in model.layers.iter().enumerate() {
        let shape = vec![layer.outputs as usize, layer.inputs as usize];
        let weight = Tensor { shape, values: Cow::Borrowed(layer.weights.as_slice()) };
        tensors.push((format!("layers.{index}.weight"), weight));
        if let Some(bias) = &layer.bias {
            let bias = Tensor { shape: vec![bias.len()], values: Cow::Borrowed(bias.as_slice()) };
            tensors.push((format!("layers.{index}.bias"), bias));
        }
    }
    tensors
}

/// A tensor of one dimension.
pub(super) fn vector(values: Vec<f32>) -> Tensor<'static> {
    Tensor { shape: vec![values.len()], values: Cow::Owned(values) }
}

/// The tensors of a file by name.
pub(super) type Named = BTreeMap<String, Tensor<'static>>;

/// The model of a file's tensors and metadata.
///
/// # Errors
/// A tensor is missing, left over or of the wrong shape.
pub(super) fn to_model(metadata: Metadata, mut tensors: Named) -> Result<Model, String> {
    let mut layers = Vec::with_capacity(metadata.activations.len());
    for (index, activation) in metadata.activations.into_iter().enumerate() {
        let name = format!("layers.{index}.weight");
        let weight = tensors.remove(&name).ok_or_else(|| {
            format!(
                "it has no tensor \"{name}\", which the activation {index} in its metadata asks for"
            )
        })?;
        let &[outputs, inputs] = weight.shape.as_slice() else {
            let shape = weight.shape;
            return Err(format!(
                "the tensor \"{name}\" has the shape {shape:?}, expected outputs x inputs"
            ));
        };
        let width = |size| u32::try_from(size).map_err(|_| format!("layer {index} is too wide"));
        let bias = take_vector(&mut tensors, &format!("layers.{index}.bias"), outputs)?;
        layers.push(DenseLayer {
            inputs: width(inputs)?,
            outputs: width(outputs)?,
            activation,
            weights: weight.values.into_owned(),
            bias,
        });
    }
    let (Some(first), Some(last)) = (layers.first(), layers.last()) else {
        return Err("its metadata have no activations, one per layer".to_owned());
    };
    let (features, width) = (first.inputs as usize, last.outputs as usize);
    let encoding = metadata
        .encoding
        .unwrap_or_else(|| metadata::unnamed_encoding(features, width, metadata.output));
    let targets = match &encoding.target {
        Target::Numbers { columns } => columns.len(),
        Target::Classes { .. } | Target::None => 0,
    };
    let inputs = take_scales(&mut tensors, "inputs", features)?;
    let outputs = take_scales(&mut tensors, "outputs", targets)?;
    if let Some(name) = tensors.keys().next() {
        return Err(format!("it has the tensor \"{name}\", which no layer needs"));
    }
    Ok(Model {
        encoding,
        inputs,
        outputs,
        layers,
        output: metadata.output,
        training: metadata.training,
    })
}

/// Scales that are not there leave numbers as they are.
fn take_scales(tensors: &mut Named, name: &str, count: usize) -> Result<Vec<Scale>, String> {
    let means = take_vector(tensors, &format!("{name}.mean"), count)?;
    let deviations = take_vector(tensors, &format!("{name}.deviation"), count)?;
    let means = means.unwrap_or_else(|| vec![0.0; count]);
    let deviations = deviations.unwrap_or_else(|| vec![1.0; count]);
    Ok(scales(&means, &deviations))
}

/// Means and deviations of the same features, side by side.
pub(super) fn scales(means: &[f32], deviations: &[f32]) -> Vec<Scale> {
    let scales = means.iter().zip(deviations);
    scales.map(|(&mean, &deviation)| Scale { mean, deviation }).collect()
}

fn take_vector(tensors: &mut Named, name: &str, length: usize) -> Result<Option<Vec<f32>>, String> {
    match tensors.remove(name) {
        None => Ok(None),
        Some(tensor) if tensor.shape == [length] => Ok(Some(tensor.values.into_owned())),
        Some(tensor) => {
            let shape = tensor.shape;
            Err(format!("the tensor \"{name}\" has the shape {shape:?}, expected [{length}]"))
        }
    }
}
