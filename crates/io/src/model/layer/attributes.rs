//! What kinds of layers other than dense have in common: attributes, and tensors whose shapes follow from them.

use crate::model::view::View;
use crate::tensor::Tensor;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// Most values of a node: a file that claims more is damaged.
pub(in crate::model) const MAX_UNITS: usize = 1 << 28;

/// All of a layer but its tensors. How it is serialized is how descriptions have it.
pub trait Attributes: Clone + PartialEq + Serialize + DeserializeOwned {
    /// The kind's name in descriptions.
    const KIND: &'static str;

    /// The names of its tensors within the node, and their shapes.
    fn tensors(&self) -> Vec<(&'static str, Vec<usize>)>;

    /// How its values are arranged, if it takes such inputs.
    ///
    /// # Errors
    /// It does not take them: says what it gets and what it needs.
    fn output(&self, inputs: &[View]) -> Result<View, String>;
}

/// A layer: its attributes, and the numbers of its tensors in their order.
#[derive(Debug, Clone, PartialEq)]
pub struct With<A> {
    /// All but its tensors.
    pub attributes: A,
    /// Of each tensor, row by row.
    pub tensors: Vec<Vec<f32>>,
}

impl<A: Attributes> With<A> {
    pub(super) fn attributes(&self) -> Result<Value, String> {
        serde_json::to_value(&self.attributes).map_err(|error| error.to_string())
    }

    pub(super) fn tensors(&self) -> Vec<Tensor<'_>> {
        let parts = self.attributes.tensors().into_iter().zip(&self.tensors);
        parts.map(|((name, shape), values)| Tensor::new(name, shape, values.as_slice())).collect()
    }

    pub(super) fn read(
        attributes: Value,
        take: &mut dyn FnMut(&str) -> Result<Tensor<'static>, String>,
    ) -> Result<With<A>, String> {
        let attributes: A =
            serde_json::from_value(attributes).map_err(|error| error.to_string())?;
        let mut tensors = Vec::new();
        for (name, shape) in attributes.tensors() {
            let tensor = take(name)?;
            if tensor.info.shape != shape {
                let found = tensor.info.shape;
                return Err(format!("its {name} has the shape {found:?}, expected {shape:?}"));
            }
            tensors.push(tensor.values.into_owned());
        }
        Ok(With { attributes, tensors })
    }

    pub(super) fn output(&self, inputs: &[View]) -> Result<View, String> {
        let shapes = self.attributes.tensors();
        if shapes.len() != self.tensors.len() {
            return Err(format!("has {} tensors, expected {}", self.tensors.len(), shapes.len()));
        }
        for ((name, shape), values) in shapes.iter().zip(&self.tensors) {
            let count = shape.iter().try_fold(1usize, |count, &size| count.checked_mul(size));
            if count != Some(values.len()) {
                let found = values.len();
                return Err(format!("its {name} has {found} numbers, expected {shape:?}"));
            }
        }
        let view = self.attributes.output(inputs)?;
        match view.units() {
            0 => Err("gives no values".to_owned()),
            1..=MAX_UNITS => Ok(view),
            units => Err(format!("gives {units} values, expected at most {MAX_UNITS}")),
        }
    }
}

/// The only input.
pub(super) fn only(inputs: &[View]) -> Result<View, String> {
    match inputs {
        &[input] => Ok(input),
        inputs => Err(format!("takes {} inputs, expected one", inputs.len())),
    }
}

/// The only input, if it has `channels` channels.
pub(super) fn of_channels(inputs: &[View], channels: usize) -> Result<View, String> {
    let input = only(inputs)?;
    match input.channels == channels {
        true => Ok(input),
        false => Err(format!("takes {channels} channels but gets {input}")),
    }
}
