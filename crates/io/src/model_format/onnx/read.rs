//! Graphs as models: our own with all that they say, those of others where they are dense networks.

use super::chain::{self, Chain, Constants};
use super::columns::{self, node_names};
use super::graph::Graph;
use super::network;
use super::predictions;
use super::proto::{FLOAT, GraphProto, ModelProto, NodeProto, TensorProto};
use crate::model::{
    self, Activation, KEY, Layer, Model, Node, OutputKind, Scale, Tensors, VERSION, scales,
};
use crate::schema::Target;
use prost::Message;

/// Reads a file.
///
/// # Errors
/// It is damaged, or has a node that no dense network has.
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
    let constants = constants(graph, &[]);
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
    let features = columns::write(&mut ends, &model.encoding, &names);
    let first = ends.nodes.len();
    let last = graph.node.iter().position(is_prediction).unwrap_or(graph.node.len());
    let middle = graph.node.get(first..last).ok_or("lacks nodes that its description asks for")?;
    let mut chain = Chain::new(&constants, &features);
    chain.read(middle)?;
    let is_described = chain.output == OutputKind::Values
        && standardisation(&chain, model.encoding.features())? == model.inputs
        && chain.layers.iter().eq(layers.iter().map(|(_, layer)| *layer));
    if !is_described {
        return Err("has other layers than its description asks for".to_owned());
    }
    let width = layers.last().map_or(0, |(_, layer)| layer.outputs as usize);
    predictions::write(&mut ends, &model, chain.last, width);
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
        chain::tensor(constant).map(|tensor| (name.clone(), tensor)).map_err(refuse)
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
        return Err(format!("{} is not what its description asks for", chain::shown(other)));
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
    let (fixed, nodes): (Vec<_>, Vec<_>) =
        graph.node.iter().cloned().partition(|node| node.op_type == "Constant");
    let constants = constants(graph, &fixed);
    let inputs = graph.input.iter().filter(|input| !constants.contains_key(input.name.as_str()));
    let inputs: Vec<&str> = inputs.map(|input| input.name.as_str()).collect();
    let &[input] = inputs.as_slice() else {
        let count = inputs.len();
        return Err(format!("is a graph with {count} inputs, expected one"));
    };
    let mut chain = Chain::new(&constants, input);
    chain.read(&nodes)?;
    if let [output] = graph.output.as_slice() {
        if output.name != chain.last {
            let (last, name) = (&chain.last, &output.name);
            return Err(format!("its nodes end with \"{last}\", but its output is \"{name}\""));
        }
    } else {
        let count = graph.output.len();
        return Err(format!("is a graph with {count} outputs, expected one"));
    }
    let (features, width) = match (chain.layers.first(), chain.layers.last()) {
        (Some(first), Some(last)) => (first.inputs as usize, last.outputs as usize),
        _ => return Err("has no layers".to_owned()),
    };
    let inputs = standardisation(&chain, features)?;
    let (mut layers, mut output) = (chain.layers, chain.output);
    if let Some(last) = layers.last_mut()
        && width == 1
        && last.activation == Activation::Sigmoid
    {
        // One sigmoid: the probability of the second of two classes.
        last.activation = Activation::Identity;
        output = OutputKind::Sigmoid;
    }
    let encoding = model::unnamed_encoding(features, width, output);
    let targets = match &encoding.target {
        Target::Numbers { columns } => columns.len(),
        Target::Classes { .. } | Target::None => 0,
    };
    let outputs = vec![Scale::UNIT; targets];
    let training = vec![("imported from".to_owned(), "ONNX".to_owned())];
    let nodes = Node::chain(layers.into_iter().map(Layer::Dense));
    Ok(Model { encoding, inputs, outputs, nodes, output, loss: None, training })
}

/// Constants by name: those beside the nodes, and those that nodes give.
fn constants<'g>(graph: &'g GraphProto, fixed: &'g [NodeProto]) -> Constants<'g> {
    let beside = graph.initializer.iter().map(|tensor| (tensor.name.as_str(), tensor));
    let given = fixed.iter().filter_map(|node| {
        let value = node.attribute.iter().find_map(|attribute| attribute.t.as_ref());
        Some((node.output.first()?.as_str(), value?))
    });
    beside.chain(given).collect()
}

/// What is done to each feature.
fn standardisation(chain: &Chain, features: usize) -> Result<Vec<Scale>, String> {
    let per_feature = |numbers: &Option<Vec<f32>>, default| match numbers.as_deref() {
        None => Ok(vec![default; features]),
        Some([one]) => Ok(vec![*one; features]),
        Some(numbers) if numbers.len() == features => Ok(numbers.to_vec()),
        Some(numbers) => {
            let count = numbers.len();
            Err(format!("standardises {count} features, but the first layer takes {features}"))
        }
    };
    let means = per_feature(&chain.means, 0.0)?;
    Ok(scales(&means, &per_feature(&chain.deviations, 1.0)?))
}
