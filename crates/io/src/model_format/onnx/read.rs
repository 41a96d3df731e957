//! Graphs as models: our own with all that they say, those of others where their operators are layers.

use super::columns::{self, node_names};
use super::features;
use super::graph::Graph;
use super::import::{Constant, Layout, Operator, Reader, numbers};
use super::network;
use super::predictions;
use super::proto::{FLOAT, GraphProto, ModelProto, NodeProto, TensorProto};
use crate::model::{
    self, Activation, KEY, Layer, Model, Node, OutputKind, Scale, Tensors, VERSION, scales,
};
use crate::schema::Target;
use prost::Message;
use std::collections::HashMap;

/// Constants by name.
type Constants<'g> = HashMap<&'g str, &'g TensorProto>;

/// Reads a file.
///
/// # Errors
/// It is damaged, or has a node that no layer is.
pub(super) fn read(bytes: &[u8]) -> Result<Model, String> {
    let file = ModelProto::decode(bytes);
    let file = file.map_err(|error| format!("is no sound ONNX file: {error}"))?;
    let graph = file.graph.ok_or("is an ONNX file without a graph")?;
    match file.metadata_props.iter().find(|entry| entry.key == KEY) {
        Some(entry) => own(&entry.value, &graph),
        None => foreign(&graph),
    }
}

/// A graph that this program wrote: it must be what its description says.
fn own(text: &str, graph: &GraphProto) -> Result<Model, String> {
    let constants = graph.initializer.iter();
    let constants = constants.map(|constant| (constant.name.as_str(), constant)).collect();
    let mut tensors = named_tensors(graph)?;
    let description = model::read_description(text, &mut tensors)?;
    if description.encoding.is_none() {
        return Err("has a description that names no columns".to_owned());
    }
    // Graphs of version 1 called layers by their numbers alone.
    let is_current = description.version == VERSION;
    let model = Model::assemble(description, tensors)?;
    model.validate()?;
    let Ok(layers) = model.chain() else {
        compare(&network::graph(&model)?, graph.node.iter().collect(), graph, &constants)?;
        return Ok(model);
    };
    let names = if is_current { node_names(&model.nodes) } else { Vec::new() };
    let mut ends = Graph::default();
    let features = columns::write(&mut ends, &model.columns(), &names);
    let first = ends.nodes.len();
    let last = graph.node.iter().position(is_prediction).unwrap_or(graph.node.len());
    let middle = graph.node.get(first..last).ok_or("lacks nodes that its description asks for")?;
    let Some(end) = middle.last().and_then(|node| node.output.first()) else {
        return Err("lacks the layers that its description asks for".to_owned());
    };
    let is_number = |constant: &&TensorProto| constant.data_type == FLOAT;
    let numbers = graph.initializer.iter().filter(is_number).map(|constant| {
        let refuse = |reason| format!("the constant \"{}\" {reason}", constant.name);
        Ok((constant.name.as_str(), Constant::read(constant).map_err(refuse)?))
    });
    let numbers = numbers.collect::<Result<HashMap<_, _>, String>>()?;
    let layout = Layout::flat(model.inputs.len());
    let mut reader = Reader::new(middle, numbers, (&features, layout), end);
    reader.read()?;
    let found = reader.nodes.iter().map(|node| &node.layer);
    let is_described = !reader.is_softmax
        && reader.scales.is_none()
        && standardisation(&reader, model.inputs.len()) == model.inputs
        && found.eq(model.nodes.iter().map(|node| &node.layer));
    if !is_described {
        return Err("has other layers than its description asks for".to_owned());
    }
    let width = layers.last().map_or(0, |(_, layer)| layer.outputs as usize);
    predictions::write(&mut ends, &model, end.clone(), width);
    let found = graph.node[..first].iter().chain(&graph.node[last..]);
    compare(&ends, found.collect(), graph, &constants)?;
    Ok(model)
}

/// The constants of a graph of ours that are tensors of the model: names of others begin with `/`.
fn named_tensors(graph: &GraphProto) -> Result<Tensors, String> {
    let constants = graph.initializer.iter();
    let own = constants.filter(|c| c.data_type == FLOAT && !c.name.starts_with('/'));
    let named = own.map(|constant| {
        let name = constant.name.clone();
        let refuse = |reason| format!("the constant \"{name}\" {reason}");
        numbers(constant).map(|tensor| (name.clone(), tensor)).map_err(refuse)
    });
    named.collect()
}

/// Whether a node is of the end of a graph of ours.
fn is_prediction(node: &NodeProto) -> bool {
    let is_its = |name: &String| {
        name.starts_with("/predictions/") || ["probabilities", "values"].contains(&name.as_str())
    };
    node.output.first().is_some_and(is_its)
}

fn compare(
    expected: &Graph,
    found: Vec<&NodeProto>,
    graph: &GraphProto,
    constants: &Constants,
) -> Result<(), String> {
    if let Some((_, other)) = expected.nodes.iter().zip(&found).find(|(e, f)| e != *f) {
        return Err(format!(
            "{} is not what its description asks for",
            Operator::new(other).shown()
        ));
    }
    if expected.nodes.len() != found.len() {
        return Err("has more or fewer nodes than its description asks for".to_owned());
    }
    let differs =
        |constant: &&TensorProto| constants.get(constant.name.as_str()).copied() != Some(*constant);
    if let Some(constant) = expected.constants.iter().find(differs) {
        let name = &constant.name;
        return Err(format!("the constant \"{name}\" is not what its description asks for"));
    }
    if expected.inputs != graph.input || expected.outputs != graph.output {
        return Err("has other inputs or outputs than its description asks for".to_owned());
    }
    Ok(())
}

/// A graph of another program, whose columns have no names.
fn foreign(graph: &GraphProto) -> Result<Model, String> {
    let mut constants = HashMap::new();
    for proto in &graph.initializer {
        let refuse = |reason| format!("the constant \"{}\" {reason}", proto.name);
        constants.insert(proto.name.as_str(), Constant::read(proto).map_err(refuse)?);
    }
    let inputs = graph.input.iter().filter(|input| !constants.contains_key(input.name.as_str()));
    let [input] = *Vec::from_iter(inputs) else {
        let count = graph.input.len();
        return Err(format!("is a graph with {count} inputs, expected one"));
    };
    let [output] = graph.output.as_slice() else {
        let count = graph.output.len();
        return Err(format!("is a graph with {count} outputs, expected one"));
    };
    let mut refused = None;
    for layout in features::layouts(input, &graph.node, &constants)? {
        let features = (input.name.as_str(), layout.clone());
        let mut reader = Reader::new(&graph.node, constants.clone(), features, &output.name);
        match reader.read() {
            Ok(()) => return model_of(reader, layout.units()),
            Err(reason) => refused = refused.or(Some(reason)),
        }
    }
    Err(refused.unwrap_or_else(|| "has no layers".to_owned()))
}

/// The model of what was read.
fn model_of(reader: Reader, features: usize) -> Result<Model, String> {
    let width = reader.width();
    let inputs = standardisation(&reader, features);
    let mut nodes = reader.nodes;
    let mut output = if reader.is_softmax { OutputKind::Softmax } else { OutputKind::Values };
    if width == 1
        && output == OutputKind::Values
        && reader.scales.is_none()
        && ends_with_sigmoid(&mut nodes)
    {
        // One sigmoid: the probability of the second of two classes.
        output = OutputKind::Sigmoid;
    }
    let encoding = model::unnamed_encoding(features, width, output);
    let targets = match &encoding.target {
        Target::Numbers { columns } => columns.len(),
        Target::Classes { .. } | Target::None => 0,
    };
    let outputs = match reader.scales {
        Some((deviations, means)) => scales(&means, &deviations),
        None => vec![Scale::UNIT; targets],
    };
    let training = vec![("imported from".to_owned(), "ONNX".to_owned())];
    Ok(Model { encoding, series: None, inputs, outputs, nodes, output, loss: None, training })
}

/// Takes a sigmoid from the end of a network; whether there was one.
fn ends_with_sigmoid(nodes: &mut Vec<Node>) -> bool {
    let is_more = nodes.len() > 1;
    match nodes.last_mut().map(|node| &mut node.layer) {
        Some(Layer::Dense(last)) if last.activation == Activation::Sigmoid => {
            last.activation = Activation::Identity;
            true
        }
        Some(Layer::Activate(last))
            if last.attributes.function == Activation::Sigmoid && is_more =>
        {
            nodes.pop();
            true
        }
        _ => false,
    }
}

/// What is done to each feature.
fn standardisation(reader: &Reader, features: usize) -> Vec<Scale> {
    let of =
        |numbers: &Option<Vec<f32>>, default| numbers.clone().unwrap_or(vec![default; features]);
    scales(&of(&reader.means, 0.0), &of(&reader.deviations, 1.0))
}
