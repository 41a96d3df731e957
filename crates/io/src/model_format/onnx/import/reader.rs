//! A graph read node by node, each as the layer that it is.

use super::constant::{Constant, folded};
use super::layout::Layout;
use super::operator::Operator;
use crate::model::{Activation, FEATURES, Flatten, Layer, Node, Reshape, View, With};
use crate::model_format::onnx::proto::NodeProto;
use std::collections::{BTreeMap, HashMap, HashSet};

/// What the node is called that gives features their shape.
const SHAPED: &str = "shaped";

/// A value of the graph: what which node of ours gives, and how it lies there.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Value {
    /// The node that gives it, or the features.
    pub(super) source: String,
    /// How the node has it.
    pub(super) view: View,
    /// How the graph has it.
    pub(super) layout: Layout,
}

/// What the nodes so far are.
pub(in crate::model_format::onnx) struct Reader<'a> {
    graph: &'a [NodeProto],
    /// The nodes of the graph that take each value.
    takers: HashMap<&'a str, Vec<usize>>,
    /// Nodes of the graph that were read together with one before.
    done: HashSet<usize>,
    /// What the graph gives in the end.
    pub(super) end: &'a str,
    pub(super) constants: HashMap<&'a str, Constant>,
    values: HashMap<&'a str, Value>,
    /// Sums to which no function was applied yet, with their nodes.
    pub(super) open: HashMap<&'a str, usize>,
    counts: BTreeMap<&'static str, usize>,
    shaped: Option<View>,
    /// The layers.
    pub(in crate::model_format::onnx) nodes: Vec<Node>,
    /// Subtracted from each feature.
    pub(in crate::model_format::onnx) means: Option<Vec<f32>>,
    /// What each feature is divided by.
    pub(in crate::model_format::onnx) deviations: Option<Vec<f32>>,
    /// What each of the last layer's values is multiplied by, and what is added then.
    pub(in crate::model_format::onnx) scales: Option<(Vec<f32>, Vec<f32>)>,
    /// Whether the last layer's values are turned into probabilities.
    pub(in crate::model_format::onnx) is_softmax: bool,
}

impl<'a> Reader<'a> {
    /// A reader of nodes that take the features called `first`, laid out so, and give `end`.
    pub(in crate::model_format::onnx) fn new(
        graph: &'a [NodeProto],
        constants: HashMap<&'a str, Constant>,
        (first, layout): (&'a str, Layout),
        end: &'a str,
    ) -> Reader<'a> {
        let mut takers: HashMap<&str, Vec<usize>> = HashMap::new();
        for (index, node) in graph.iter().enumerate() {
            for name in &node.input {
                takers.entry(name).or_default().push(index);
            }
        }
        let view = View::flat(layout.units());
        let features = Value { source: FEATURES.to_owned(), view, layout };
        Reader {
            graph,
            takers,
            done: HashSet::new(),
            end,
            constants,
            values: HashMap::from([(first, features)]),
            open: HashMap::new(),
            counts: BTreeMap::new(),
            shaped: None,
            nodes: Vec::new(),
            means: None,
            deviations: None,
            scales: None,
            is_softmax: false,
        }
    }

    /// Reads all nodes.
    ///
    /// # Errors
    /// Names the first that is not understood.
    pub(in crate::model_format::onnx) fn read(&mut self) -> Result<(), String> {
        for (index, node) in self.graph.iter().enumerate() {
            let operator = Operator::new(node);
            if !self.done.contains(&index) {
                let read = self.step(index, &operator);
                read.map_err(|reason| format!("{} {reason}", operator.shown()))?;
            }
        }
        let last = self
            .values
            .get(self.end)
            .ok_or_else(|| format!("its output is \"{}\", which no node gives", self.end))?;
        let is_last = self.nodes.last().is_some_and(|node| node.name == last.source);
        match is_last {
            _ if self.nodes.is_empty() => Err("has no layers".to_owned()),
            true if last.layout.order().into_iter().eq(0..last.layout.units()) => Ok(()),
            true => Err(format!("its output \"{}\" is arranged by channels: flatten it", self.end)),
            false => {
                Err(format!("its output is \"{}\", which is not that of its last layer", self.end))
            }
        }
    }

    /// How many values the network gives.
    pub(in crate::model_format::onnx) fn width(&self) -> usize {
        self.values.get(self.end).map_or(0, |last| last.layout.units())
    }

    fn step(&mut self, index: usize, operator: &Operator<'a>) -> Result<(), String> {
        let node = operator.node;
        if !["", "ai.onnx"].contains(&node.domain.as_str()) {
            return Err(format!("is of the domain \"{}\", which is not supported", node.domain));
        }
        if node.op_type == "Constant" {
            let constant = Constant::given(&node.attribute)?;
            return operator.output(0).map_or(Ok(()), |output| {
                self.constants.insert(output, constant);
                Ok(())
            });
        }
        let constants = node.input.iter().map(|name| self.constants.get(name.as_str()));
        if let Some(inputs) = constants.collect::<Option<Vec<_>>>()
            && let Some(folded) = folded(operator, &inputs)
        {
            let constant = folded?;
            operator.finish()?;
            self.constants.insert(operator.output(0).ok_or("gives nothing")?, constant);
            return Ok(());
        }
        match node.op_type.as_str() {
            "Identity" | "Dropout" | "Flatten" | "Reshape" | "Transpose" | "Squeeze"
            | "Unsqueeze" | "Shape" | "Expand" | "ConstantOfShape" => self.shape(operator)?,
            "Sub" | "Div" => self.standardise(operator)?,
            "Gemm" => self.gemm(operator)?,
            "MatMul" => self.product(operator, false)?,
            "Add" | "Sum" => self.add(operator)?,
            "Mul" => self.multiply(index, operator)?,
            "Sigmoid" => self.sigmoid(operator)?,
            "Tanh" => self.function(operator, Activation::Tanh)?,
            "Relu" => self.function(operator, Activation::Relu)?,
            "LeakyRelu" => {
                let slope = operator.float("alpha", 0.01);
                self.function(operator, Activation::LeakyRelu { slope })?;
            }
            "Elu" => {
                let alpha = operator.float("alpha", 1.0);
                self.function(operator, Activation::Elu { alpha })?;
            }
            "Gelu" => {
                let approximate = operator.text("approximate", "none");
                if approximate != "none" {
                    return Err(format!(
                        "has the attribute approximate = {approximate:?}; \"none\" is supported"
                    ));
                }
                self.function(operator, Activation::Gelu)?;
            }
            "Softplus" => self.function(operator, Activation::Softplus)?,
            "Softmax" => self.softmax(operator)?,
            "PRelu" => self.prelu(operator)?,
            "Concat" => self.concat(operator)?,
            "Conv" => self.conv(operator)?,
            "MaxPool" | "AveragePool" => self.pool(operator)?,
            "GlobalMaxPool" | "GlobalAveragePool" | "ReduceMean" => self.global_pool(operator)?,
            "BatchNormalization" => self.batch_norm(operator)?,
            "LayerNormalization" => self.layer_norm(operator)?,
            "GRU" => self.gru(operator)?,
            "LSTM" => self.lstm(operator)?,
            _ => {
                return Err(
                    "is not supported; docs/formats.md lists the operators that are".to_owned()
                );
            }
        }
        operator.finish()
    }

    /// The value that an input is.
    pub(super) fn value(&self, operator: &Operator<'a>, input: usize) -> Result<Value, String> {
        let name = operator.needed(input)?;
        let value = self.values.get(name).cloned();
        let mut value = value.ok_or_else(|| match self.constants.contains_key(name) {
            true => format!("takes the constant \"{name}\" as its input {input}"),
            false => format!("takes \"{name}\", which no node before it gives"),
        })?;
        if value.source == FEATURES
            && let Some(view) = self.shaped
        {
            (value.source, value.view) = (SHAPED.to_owned(), view);
        }
        Ok(value)
    }

    /// Whether an input is a value, and no constant.
    pub(super) fn is_value(&self, operator: &Operator<'a>, input: usize) -> bool {
        operator.input(input).is_some_and(|name| self.values.contains_key(name))
    }

    /// The constant that an input is.
    pub(super) fn constant(
        &self,
        operator: &Operator<'a>,
        input: usize,
    ) -> Result<&Constant, String> {
        let name = operator.needed(input)?;
        self.constants.get(name).ok_or_else(|| format!("takes \"{name}\", which is no constant"))
    }

    /// The numbers of a constant that has `count` of them.
    pub(super) fn numbers(
        &self,
        operator: &Operator<'a>,
        input: usize,
        count: usize,
    ) -> Result<Vec<f32>, String> {
        let tensor = self.constant(operator, input)?.numbers()?;
        match tensor.values.len() == count {
            true => Ok(tensor.values.to_vec()),
            false => {
                let (name, found) = (operator.needed(input)?, tensor.values.len());
                Err(format!("takes the constant \"{name}\" of {found} numbers, expected {count}"))
            }
        }
    }

    /// Calls what a node gives by its name.
    pub(super) fn give(&mut self, operator: &Operator<'a>, output: usize, value: Value) {
        if let Some(name) = operator.output(output) {
            self.values.insert(name, value);
        }
    }

    /// Calls a constant by the name of what a node gives.
    pub(super) fn give_constant(&mut self, operator: &Operator<'a>, constant: Constant) {
        if let Some(name) = operator.output(0) {
            self.constants.insert(name, constant);
        }
    }

    /// Whether something takes an output.
    pub(super) fn is_taken(&self, operator: &Operator<'a>, output: usize) -> bool {
        let is_taken = |name: &str| name == self.end || self.takers.contains_key(name);
        operator.output(output).is_some_and(is_taken)
    }

    /// The only node that takes a value, if there is one.
    pub(super) fn only_taker(&self, name: &str) -> Option<(usize, Operator<'a>)> {
        match self.takers.get(name)?.as_slice() {
            &[index] if name != self.end => Some((index, Operator::new(&self.graph[index]))),
            _ => None,
        }
    }

    /// How many inputs of nodes are a value.
    pub(super) fn uses(&self, name: &str) -> usize {
        self.takers.get(name).map_or(0, Vec::len) + usize::from(name == self.end)
    }

    /// Takes a node as read.
    pub(super) fn pass(&mut self, index: usize) {
        self.done.insert(index);
    }

    /// Appends a layer that takes what these nodes give, and returns its name.
    pub(super) fn push(&mut self, layer: Layer, inputs: Vec<String>) -> String {
        let kind = layer.kind();
        let count = self.counts.entry(kind).or_default();
        *count += 1;
        let name = format!("{kind}{count}");
        self.nodes.push(Node { name: name.clone(), inputs, layer });
        name
    }

    /// A value as a node that has it arranged so, where there is one or can be.
    ///
    /// # Errors
    /// There is none.
    pub(super) fn arranged(&mut self, value: Value, view: View) -> Result<Value, String> {
        if value.view == view {
            return Ok(value);
        }
        if value.source == FEATURES && self.nodes.is_empty() {
            let View { height, width, channels } = view;
            let attributes = Reshape { height, width, channels, padded: false };
            let (name, inputs) = (SHAPED.to_owned(), vec![FEATURES.to_owned()]);
            let layer = Layer::Reshape(With { attributes, tensors: Vec::new() });
            self.nodes.push(Node { name: name.clone(), inputs, layer });
            self.shaped = Some(view);
            return Ok(Value { source: name, view, ..value });
        }
        if view == View::flat(value.view.units()) {
            let layer = Layer::Flatten(With { attributes: Flatten {}, tensors: Vec::new() });
            let source = self.push(layer, vec![value.source]);
            return Ok(Value { source, view, layout: value.layout });
        }
        Err(format!("takes values of the shape {}, and not as {view}", value.view))
    }

    /// A value whose second dimension are channels, and others positions, as a node that has it so.
    ///
    /// # Errors
    /// The graph has it otherwise.
    pub(super) fn image(&mut self, value: Value) -> Result<Value, String> {
        let sizes = value.layout.sizes();
        let view = match *sizes.as_slice() {
            [None, Some(channels)] => View::flat(channels),
            [None, Some(channels), Some(width)] => View { height: 1, width, channels },
            [None, Some(channels), Some(height), Some(width)] => View { height, width, channels },
            _ => {
                return Err(format!(
                    "takes a value of the sizes {sizes:?}, expected rows, channels, height, width"
                ));
            }
        };
        match value.layout == Layout::channels_first(view, sizes.len()) {
            true => self.arranged(value, view),
            false => {
                Err("takes values that do not lie position by position, channel by channel"
                    .to_owned())
            }
        }
    }

    /// A value whose last dimension are channels, and others positions, as a node that has it so.
    ///
    /// # Errors
    /// The graph has it otherwise.
    pub(super) fn positions(&mut self, value: Value) -> Result<Value, String> {
        let sizes = value.layout.sizes();
        let view = match *Vec::from_iter(sizes.iter().copied().flatten()).as_slice() {
            [channels] => View::flat(channels),
            [width, channels] => View { height: 1, width, channels },
            [height, width, channels] => View { height, width, channels },
            _ => {
                return Err(format!(
                    "takes a value of the sizes {sizes:?}, expected positions and channels"
                ));
            }
        };
        match value.layout == Layout::channels_last(view, sizes.len(), value.layout.rows()) {
            true => self.arranged(value, view),
            false => {
                Err("takes values that do not lie position by position, channel by channel"
                    .to_owned())
            }
        }
    }

    /// A value as a node whose channels are a dimension of it, where there is one.
    pub(super) fn with_channels(&mut self, value: Value) -> Value {
        let (rank, rows) = (value.layout.rank(), value.layout.rows());
        let fits = [
            Layout::channels_first(value.view, rank),
            Layout::channels_last(value.view, rank, rows),
        ];
        if fits.contains(&value.layout) {
            return value;
        }
        let image = self.image(value.clone());
        let found = image.or_else(|_| self.positions(value.clone()));
        found.unwrap_or(value)
    }
}
