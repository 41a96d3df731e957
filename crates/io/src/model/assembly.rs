//! The tensors of a model by name, and a model put together of its description and tensors.
//!
//! Tensors are called `NODE.PART`, as `dense1.weight`; `inputs.mean`, `inputs.deviation`, `outputs.mean` and
//! `outputs.deviation` are the scales.

use super::description::{Description, NodeDescription};
use super::layer::{Layer, MAX_UNITS};
use super::node::{Node, tensor_name};
use super::trained::{Model, OutputKind, Scale};
use crate::schema::{Encoding, InputColumn, InputKind, Target};
use crate::tensor::Tensor;
use std::collections::BTreeMap;

/// The tensors of a file by name.
pub(crate) type Tensors = BTreeMap<String, Tensor<'static>>;

/// Adds a tensor under a name that becomes its own.
pub(crate) fn insert(tensors: &mut Tensors, name: String, mut tensor: Tensor<'static>) {
    tensor.info.name.clone_from(&name);
    tensors.insert(name, tensor);
}

impl Model {
    /// All tensors, in the order in which files have them: scales, then the nodes'.
    pub fn tensors(&self) -> Vec<Tensor<'_>> {
        let mut tensors = Vec::new();
        for (name, scales) in [("inputs", &self.inputs), ("outputs", &self.outputs)] {
            if !scales.is_empty() {
                let mut add = |part: &str, values: Vec<f32>| {
                    tensors.push(Tensor::vector(tensor_name(name, part), values));
                };
                add("mean", scales.iter().map(|scale| scale.mean).collect());
                add("deviation", scales.iter().map(|scale| scale.deviation).collect());
            }
        }
        tensors.extend(self.nodes.iter().flat_map(Node::tensors));
        tensors
    }

    /// The model of a description and tensors. Whether its parts fit together is for the caller to validate.
    ///
    /// # Errors
    /// A tensor is missing, left over or of the wrong shape, or a kind or attribute is not known.
    pub(crate) fn assemble(
        description: Description,
        mut tensors: Tensors,
    ) -> Result<Model, String> {
        let Description { encoding, series, nodes, output, loss, training, .. } = description;
        let described = nodes.into_iter().map(|node| read_node(node, &mut tensors));
        let nodes = described.collect::<Result<Vec<Node>, String>>()?;
        let (Some(first), Some(last)) = (nodes.first(), nodes.last()) else {
            return Err("it has no nodes".to_owned());
        };
        let encoding = match (encoding, &first.layer, &last.layer) {
            (Some(encoding), ..) => encoding,
            (None, Layer::Dense(first), Layer::Dense(last)) => {
                unnamed_encoding(first.inputs as usize, last.outputs as usize, output)
            }
            (None, ..) => return Err("it does not name its columns".to_owned()),
        };
        let targets = match &encoding.target {
            Target::Numbers { columns } => columns.len(),
            Target::Classes { .. } | Target::None => 0,
        };
        let rows = series.map_or(1, |series| series.window as usize);
        let features = encoding.features().saturating_mul(rows);
        if features > MAX_UNITS {
            return Err(format!("its windows of {rows} rows have more than {MAX_UNITS} features"));
        }
        let inputs = take_scales(&mut tensors, "inputs", features)?;
        let outputs = take_scales(&mut tensors, "outputs", targets)?;
        if let Some(name) = tensors.keys().next() {
            return Err(format!("it has the tensor \"{name}\", which no node needs"));
        }
        Ok(Model { encoding, series, inputs, outputs, nodes, output, loss, training })
    }
}

fn read_node(node: NodeDescription, tensors: &mut Tensors) -> Result<Node, String> {
    let NodeDescription { name, kind, inputs, attributes } = node;
    let refuse = |reason: String| format!("the node \"{name}\": {reason}");
    let mut take = |part: &str| {
        let tensor = tensor_name(&name, part);
        tensors.remove(&tensor).ok_or_else(|| format!("there is no tensor \"{tensor}\""))
    };
    let layer = Layer::read(&kind, attributes, &mut take).map_err(refuse)?;
    Ok(Node { name, inputs, layer })
}

/// Scales that are not there leave numbers as they are.
fn take_scales(tensors: &mut Tensors, name: &str, count: usize) -> Result<Vec<Scale>, String> {
    let mut take = |part: &str, default: f32| {
        let name = tensor_name(name, part);
        match tensors.remove(&name) {
            None => Ok(vec![default; count]),
            Some(tensor) if tensor.info.shape == [count] => Ok(tensor.values.into_owned()),
            Some(tensor) => {
                let shape = tensor.info.shape;
                Err(format!("the tensor \"{name}\" has the shape {shape:?}, expected [{count}]"))
            }
        }
    };
    Ok(scales(&take("mean", Scale::UNIT.mean)?, &take("deviation", Scale::UNIT.deviation)?))
}

/// Means and deviations of the same features, side by side.
pub(crate) fn scales(means: &[f32], deviations: &[f32]) -> Vec<Scale> {
    let scales = means.iter().zip(deviations);
    scales.map(|(&mean, &deviation)| Scale { mean, deviation }).collect()
}

/// An encoding for a network that comes without names: features `f0`, `f1`, ... and either classes
/// `0`, `1`, ... of the column `class` or numbers `y0`, `y1`, ...
pub(crate) fn unnamed_encoding(features: usize, outputs: usize, output: OutputKind) -> Encoding {
    let input =
        |index| InputColumn { name: format!("f{index}"), kind: InputKind::Number { fill: None } };
    let classes = match output {
        OutputKind::Softmax => Some(outputs),
        OutputKind::Sigmoid if outputs == 1 => Some(2),
        OutputKind::Sigmoid | OutputKind::Values => None,
    };
    let target = match classes {
        Some(classes) => Target::Classes {
            column: "class".to_owned(),
            names: (0..classes).map(|class| class.to_string()).collect(),
        },
        None => {
            Target::Numbers { columns: (0..outputs).map(|index| format!("y{index}")).collect() }
        }
    };
    Encoding { inputs: (0..features).map(input).collect(), target }
}
