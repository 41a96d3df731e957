//! The middle of a graph, read: nodes that each take what the one before gives, as dense layers.

use super::proto::{FLOAT, NodeProto, TensorProto};
use crate::model::{Activation, Dense, OutputKind};
use crate::tensor::{Tensor, TensorInfo};
use std::collections::HashMap;

/// The operators that are understood, to be named to the user.
const UNDERSTOOD: &str = "Gemm, MatMul, Add, Sub and Div before the first layer, Softmax after the last, \
     Sigmoid, Tanh, Relu, LeakyRelu, Elu, Gelu, Softplus, Flatten, Identity and Dropout";

/// Constants by name.
pub(super) type Constants<'a> = HashMap<&'a str, &'a TensorProto>;

/// What the nodes so far do.
pub(super) struct Chain<'a> {
    constants: &'a Constants<'a>,
    /// The name of the last node's values.
    pub(super) last: String,
    /// Subtracted from features, one for each or one for all.
    pub(super) means: Option<Vec<f32>>,
    /// What they are divided by.
    pub(super) deviations: Option<Vec<f32>>,
    pub(super) layers: Vec<Dense>,
    /// Whether the last layer's sums are not changed yet.
    is_open: bool,
    /// What a last node turns the values into.
    pub(super) output: OutputKind,
}

impl<'a> Chain<'a> {
    /// A chain that begins with the features called `first`.
    pub(super) fn new(constants: &'a Constants<'a>, first: &str) -> Chain<'a> {
        Chain {
            constants,
            last: first.to_owned(),
            means: None,
            deviations: None,
            layers: Vec::new(),
            is_open: false,
            output: OutputKind::Values,
        }
    }

    /// Takes nodes to the last.
    ///
    /// # Errors
    /// Names the first node that is not understood.
    pub(super) fn read(&mut self, nodes: &[NodeProto]) -> Result<(), String> {
        let mut rest = nodes;
        while let Some((node, after)) = rest.split_first() {
            let refuse = |reason: String| format!("{} {reason}", shown(node));
            if self.output != OutputKind::Values {
                return Err(refuse("follows a Softmax, which only the last layer has".to_owned()));
            }
            rest = match after.split_first() {
                Some((next, after)) if self.is_silu(node, next) => {
                    self.activate(Activation::Silu).map_err(refuse)?;
                    self.last.clone_from(&next.output[0]);
                    after
                }
                _ => {
                    self.step(node).map_err(refuse)?;
                    let output =
                        node.output.first().ok_or_else(|| refuse("gives nothing".into()))?;
                    self.last.clone_from(output);
                    after
                }
            };
        }
        Ok(())
    }

    fn step(&mut self, node: &NodeProto) -> Result<(), String> {
        if !["", "ai.onnx"].contains(&node.domain.as_str()) {
            return Err(format!("is not supported; supported are {UNDERSTOOD}"));
        }
        let operator = node.op_type.as_str();
        if !node.input.contains(&self.last) {
            let last = &self.last;
            return Err(format!(
                "does not take \"{last}\" of the node before: only a chain of layers is read"
            ));
        }
        match operator {
            "Identity" | "Dropout" => Ok(()),
            "Flatten" if integer(node, "axis", 1) == 1 => Ok(()),
            "Sub"
                if self.layers.is_empty() && self.means.is_none() && self.deviations.is_none() =>
            {
                self.means = Some(self.second(node)?);
                Ok(())
            }
            "Div" if self.layers.is_empty() && self.deviations.is_none() => {
                self.deviations = Some(self.second(node)?);
                Ok(())
            }
            "Gemm" => self.gemm(node),
            "MatMul" => self.layer(node, false),
            "Add" => self.bias(node),
            "Sigmoid" => self.activate(Activation::Sigmoid),
            "Tanh" => self.activate(Activation::Tanh),
            "Relu" => self.activate(Activation::Relu),
            "LeakyRelu" => {
                self.activate(Activation::LeakyRelu { slope: float(node, "alpha", 0.01) })
            }
            "Elu" => self.activate(Activation::Elu { alpha: float(node, "alpha", 1.0) }),
            "Gelu"
                if attribute(node, "approximate")
                    .is_none_or(|a| a.s.as_deref() == Some(b"none")) =>
            {
                self.activate(Activation::Gelu)
            }
            "Softplus" => self.activate(Activation::Softplus),
            // Of two dimensions, the second is the last.
            "Softmax"
                if [1, -1].contains(&integer(node, "axis", -1)) && !self.layers.is_empty() =>
            {
                self.output = OutputKind::Softmax;
                Ok(())
            }
            _ => Err(format!("is not supported here; supported are {UNDERSTOOD}")),
        }
    }

    fn gemm(&mut self, node: &NodeProto) -> Result<(), String> {
        let is_plain = float(node, "alpha", 1.0) == 1.0
            && float(node, "beta", 1.0) == 1.0
            && integer(node, "transA", 0) == 0;
        if !is_plain {
            return Err("has alpha, beta or transA, which no dense layer has".to_owned());
        }
        self.layer(node, integer(node, "transB", 0) != 0)?;
        match node.input.get(2).filter(|name| !name.is_empty()) {
            Some(name) => self.set_bias(name),
            None => Ok(()),
        }
    }

    /// A product with a matrix of inputs x outputs, or of its transpose.
    fn layer(&mut self, node: &NodeProto, is_transposed: bool) -> Result<(), String> {
        let [data, matrix, ..] = node.input.as_slice() else {
            return Err("takes too little".to_owned());
        };
        if *data != self.last {
            return Err(format!("does not multiply \"{}\" from the right", self.last));
        }
        let matrix = self.constant(matrix)?;
        let &[rows, columns] = matrix.info.shape.as_slice() else {
            let shape = matrix.info.shape;
            return Err(format!(
                "multiplies by something of the shape {shape:?}, expected a matrix"
            ));
        };
        let (inputs, outputs, weights) = match is_transposed {
            true => (columns, rows, matrix.values.into_owned()),
            false => (rows, columns, transposed(&matrix.values, columns)),
        };
        let width = |size| u32::try_from(size).map_err(|_| "is too wide".to_owned());
        let (inputs, outputs) = (width(inputs)?, width(outputs)?);
        let activation = Activation::Identity;
        self.layers.push(Dense { inputs, outputs, activation, weights, bias: None });
        self.is_open = true;
        Ok(())
    }

    /// What is added to a product.
    fn bias(&mut self, node: &NodeProto) -> Result<(), String> {
        let mut others = node.input.iter().filter(|name| **name != self.last);
        match (others.next(), self.layers.last()) {
            (Some(name), Some(layer)) if self.is_open && layer.bias.is_none() => {
                self.set_bias(name)
            }
            _ => Err("is supported only after a MatMul, once".to_owned()),
        }
    }

    fn set_bias(&mut self, name: &str) -> Result<(), String> {
        let bias = self.constant(name)?.values.into_owned();
        let Some(layer) = self.layers.last_mut() else { return Ok(()) };
        if bias.len() != layer.outputs as usize {
            let (found, expected) = (bias.len(), layer.outputs);
            return Err(format!("adds {found} numbers to {expected}"));
        }
        layer.bias = Some(bias);
        Ok(())
    }

    fn activate(&mut self, activation: Activation) -> Result<(), String> {
        match self.layers.last_mut().filter(|_| self.is_open) {
            Some(layer) => layer.activation = activation,
            None => return Err("does not follow the sums of a layer".to_owned()),
        }
        self.is_open = false;
        Ok(())
    }

    /// Whether two nodes are x * sigmoid(x).
    fn is_silu(&self, node: &NodeProto, next: &NodeProto) -> bool {
        let takes = |name: &String| next.input.contains(name);
        node.op_type == "Sigmoid"
            && next.op_type == "Mul"
            && node.input == [self.last.as_str()]
            && next.input.len() == 2
            && next.output.len() == 1
            && takes(&self.last)
            && node.output.first().is_some_and(takes)
    }

    /// The constant that the chain's values are combined with from the right.
    fn second(&self, node: &NodeProto) -> Result<Vec<f32>, String> {
        match node.input.as_slice() {
            [first, second] if *first == self.last => {
                Ok(self.constant(second)?.values.into_owned())
            }
            _ => Err("does not take a constant as its second value".to_owned()),
        }
    }

    fn constant(&self, name: &str) -> Result<Tensor<'static>, String> {
        let constant = self.constants.get(name);
        let constant = constant.ok_or_else(|| format!("takes \"{name}\", which is no constant"))?;
        tensor(constant).map_err(|reason| format!("takes the constant \"{name}\", which {reason}"))
    }
}

/// The numbers of a constant.
///
/// # Errors
/// They are not f32, lie in another file, or do not fit their shape.
pub(super) fn tensor(constant: &TensorProto) -> Result<Tensor<'static>, String> {
    if constant.data_location != 0 {
        return Err("lies in another file; save the model with all its data in one".to_owned());
    }
    if constant.data_type != FLOAT {
        let code = constant.data_type;
        return Err(format!("has elements of type {code}, expected {FLOAT} (f32)"));
    }
    let size = |&size: &i64| usize::try_from(size).map_err(|_| "has a negative size".to_owned());
    let shape = constant.dims.iter().map(size).collect::<Result<Vec<_>, _>>()?;
    let info = TensorInfo::new(constant.name.as_str(), shape);
    match &constant.raw_data {
        Some(bytes) => Tensor::from_bytes(info, bytes),
        None => {
            let bytes: Vec<u8> = constant.float_data.iter().flat_map(|x| x.to_le_bytes()).collect();
            Tensor::from_bytes(info, &bytes)
        }
    }
}

/// A node as it is called in errors.
pub(super) fn shown(node: &NodeProto) -> String {
    let (operator, name) = (&node.op_type, &node.name);
    let output = node.output.first().map_or("", String::as_str);
    match name.is_empty() {
        true => format!("the node {operator:?} that gives {output:?}"),
        false => format!("the node {operator:?} called {name:?}"),
    }
}

/// The transpose of a matrix of `columns` columns.
fn transposed(matrix: &[f32], columns: usize) -> Vec<f32> {
    let column = |column| matrix.iter().skip(column).step_by(columns);
    (0..columns).flat_map(column).copied().collect()
}

fn attribute<'n>(node: &'n NodeProto, name: &str) -> Option<&'n super::proto::AttributeProto> {
    node.attribute.iter().find(|attribute| attribute.name == name)
}

fn integer(node: &NodeProto, name: &str, default: i64) -> i64 {
    attribute(node, name).map_or(default, |attribute| attribute.i.unwrap_or_default())
}

fn float(node: &NodeProto, name: &str, default: f32) -> f32 {
    attribute(node, name).map_or(default, |attribute| attribute.f.unwrap_or_default())
}
