//! Between the layers of a network and the nodes of a model.
//!
//! A network whose features have a shape begins in a model with a node that gives them theirs.

use super::activation::{loaded, stored};
use crate::layer::embedding::Combine;
use crate::layer::learned::LearnedFunction;
use crate::layer::pool::PoolFunction;
use crate::layer::recurrent::Cell;
use crate::layer::{self, Kind, Shape, View};
use crate::network::{self, Network, Source};
use gristmill_io::model::{self as file, FEATURES, With};
use gristmill_io::{Layer, Model, Node};
use gristmill_kernels::pooling::Windows;
use gristmill_kernels::{convolution, embedding};

/// What the node is called that gives features their shape.
const SHAPED: &str = "shaped";

/// The nodes of a network as a model file holds them.
pub(super) fn nodes(network: &Network) -> Vec<Node> {
    let View { height, width, channels } = network.features();
    let padded = network.lengths().is_some();
    let is_shaped = padded || network.features() != View::flat(network.inputs());
    let features = if is_shaped { SHAPED } else { FEATURES };
    let name = |source: &Source| match source {
        Source::Features => features.to_owned(),
        Source::Node(node) => network.nodes()[*node].name.clone(),
    };
    let mut nodes = Vec::with_capacity(network.nodes().len() + 1);
    if is_shaped {
        let attributes = file::Reshape { height, width, channels, padded };
        let layer = Layer::Reshape(With { attributes, tensors: Vec::new() });
        nodes.push(Node { name: SHAPED.to_owned(), inputs: vec![FEATURES.to_owned()], layer });
    }
    nodes.extend(network.nodes().iter().enumerate().map(|(i, node)| Node {
        name: node.name.clone(),
        inputs: node.inputs.iter().map(name).collect(),
        layer: stored_layer(&node.layer, network.read(i, network.weights())),
    }));
    nodes
}

/// What a layer with these tensors is in a model.
fn stored_layer(layer: &Kind, tensors: Vec<Vec<f32>>) -> Layer {
    let channels = |view: View| view.channels;
    match layer {
        Kind::Dense(layer) => {
            let mut tensors = tensors.into_iter();
            let mut take = || tensors.next().expect("a value for each tensor");
            Layer::Dense(gristmill_io::Dense {
                inputs: layer.shape.inputs as u32,
                outputs: layer.shape.outputs as u32,
                activation: stored(layer.activation),
                weights: take(),
                bias: layer.shape.bias.then(take),
            })
        }
        Kind::Embedding(layer) => {
            let column = |column: &embedding::Column| file::IndexColumn {
                unit: column.unit,
                first: column.first,
                categories: column.categories,
            };
            let attributes = file::Embedding {
                size: layer.table().width,
                categories: layer.table().categories,
                columns: layer.columns().iter().map(column).collect(),
                combine: match layer.combine() {
                    Combine::Concat => file::Combine::Concat,
                    Combine::Sum => file::Combine::Sum,
                    Combine::Mean => file::Combine::Mean,
                },
            };
            Layer::Embedding(With { attributes, tensors })
        }
        Kind::Conv(layer) => {
            let shape = *layer.shape();
            let attributes = file::Conv {
                channels: shape.channels,
                filters: shape.outputs,
                groups: shape.groups,
                window: file::Window {
                    size: shape.kernel,
                    stride: shape.stride,
                    dilation: shape.dilation,
                    padding: shape.padding,
                    output: shape.out,
                },
                activation: stored(layer.activation),
                bias: layer.bias,
            };
            Layer::Conv(With { attributes, tensors })
        }
        Kind::Pool(layer) => {
            let windows = &layer.windows;
            let attributes = file::Pool {
                function: match layer.function {
                    PoolFunction::Max => file::PoolFunction::Max,
                    PoolFunction::Average => file::PoolFunction::Average,
                },
                window: file::Window {
                    size: windows.window,
                    stride: windows.stride,
                    dilation: [1, 1],
                    padding: windows.padding,
                    output: windows.output,
                },
            };
            Layer::Pool(With { attributes, tensors })
        }
        Kind::BatchNorm(layer) => {
            let attributes = file::BatchNorm {
                channels: channels(layer.view()),
                epsilon: layer.epsilon.into(),
                momentum: layer.momentum.into(),
            };
            Layer::BatchNorm(With { attributes, tensors })
        }
        Kind::Norm(layer) => {
            let (channels, epsilon) = (channels(layer.view()), layer.epsilon.into());
            match layer.is_centred {
                true => {
                    let attributes = file::LayerNorm { channels, epsilon };
                    Layer::LayerNorm(With { attributes, tensors })
                }
                false => {
                    let attributes = file::RmsNorm { channels, epsilon };
                    Layer::RmsNorm(With { attributes, tensors })
                }
            }
        }
        Kind::Recurrent(layer) => {
            let (channels, units) = (layer.channels, layer.units);
            let (reversed, all) = (layer.is_reversed, layer.gives_all);
            match layer.cell {
                Cell::Gru => {
                    let attributes = file::Gru { channels, units, reversed, all };
                    Layer::Gru(With { attributes, tensors })
                }
                Cell::Lstm => {
                    let attributes = file::Lstm { channels, units, reversed, all };
                    Layer::Lstm(With { attributes, tensors })
                }
            }
        }
        Kind::Attention(layer) => {
            let attributes = file::Attention {
                channels: layer.view().channels,
                heads: layer.heads,
                causal: layer.is_causal,
                rotary: layer.is_rotary,
            };
            Layer::Attention(With { attributes, tensors })
        }
        Kind::Positions(layer) => {
            let View { height, width, channels } = layer.view();
            let attributes = file::Positions { positions: height * width, channels };
            Layer::Positions(With { attributes, tensors })
        }
        Kind::Learned(layer) => {
            let channels = channels(layer.view());
            match layer.function {
                LearnedFunction::Scale => {
                    Layer::Scale(With { attributes: file::ScaleLayer { channels }, tensors })
                }
                LearnedFunction::Prelu => {
                    Layer::Prelu(With { attributes: file::Prelu { channels }, tensors })
                }
            }
        }
        Kind::SmoothClip(_) => Layer::SmoothClip(With { attributes: file::SmoothClip {}, tensors }),
        Kind::Periodic(layer) => {
            let (channels, size, waves) = (channels(layer.input()), layer.size, layer.waves);
            Layer::Periodic(With { attributes: file::Periodic { channels, size, waves }, tensors })
        }
        Kind::Piecewise(layer) => {
            let (channels, size, bins) = (channels(layer.input()), layer.size, layer.bins);
            let attributes = file::PiecewiseLinear { channels, size, bins };
            Layer::PiecewiseLinear(With { attributes, tensors })
        }
        Kind::Activate(layer) => {
            let attributes = file::Activate { function: stored(layer.activation) };
            Layer::Activate(With { attributes, tensors })
        }
        Kind::Drop(layer) => {
            Layer::Dropout(With { attributes: file::Dropout { rate: layer.rate.into() }, tensors })
        }
        Kind::Add(_) => Layer::Add(With { attributes: file::Add {}, tensors }),
        Kind::Concat(_) => Layer::Concat(With { attributes: file::Concat {}, tensors }),
        Kind::Flatten(_) => Layer::Flatten(With { attributes: file::Flatten {}, tensors }),
    }
}

/// The network of a model's nodes.
///
/// # Errors
/// Names the first node that does not fit what it takes.
pub(super) fn network(model: &Model) -> Result<Network, String> {
    let views = model.views()?;
    let flat = View::flat(model.features());
    let (mut features, mut is_padded) = (flat, false);
    let mut sources = vec![(FEATURES, Source::Features)];
    let (mut nodes, mut tensors) = (Vec::new(), Vec::new());
    for (node, view) in model.nodes.iter().zip(views) {
        let refuse = |reason: &str| Err(format!("the node \"{}\" {reason}", node.name));
        let taken = node.inputs.iter().map(|input| {
            let found = sources.iter().find(|(name, _)| *name == input.as_str());
            found.map(|(_, source)| *source)
        });
        let Some(inputs) = taken.collect::<Option<Vec<Source>>>() else {
            return refuse("takes what is no node before it");
        };
        if let Layer::Reshape(reshape) = &node.layer {
            if inputs != [Source::Features] || !nodes.is_empty() {
                return refuse("gives a shape to what are no plain features");
            }
            features = loaded_view(view);
            is_padded = reshape.attributes.padded;
            sources = vec![(node.name.as_str(), Source::Features)];
            continue;
        }
        let views: Vec<View> =
            inputs.iter().map(|&source| network::Node::input(&nodes, features, source)).collect();
        let (layer, values) = loaded_layer(&node.layer, &views, loaded_view(view));
        sources.push((node.name.as_str(), Source::Node(nodes.len())));
        nodes.push(network::Node { name: node.name.clone(), inputs, layer });
        tensors.push(values);
    }
    if nodes.is_empty() {
        return Err("it has no layers".to_owned());
    }
    let mut network = Network::new(features, nodes);
    for (node, values) in tensors.iter().enumerate() {
        network.write(node, values);
    }
    match is_padded {
        true => network.of_unequal_lengths(),
        false => Ok(network),
    }
}

fn loaded_view(view: file::View) -> View {
    View { height: view.height, width: view.width, channels: view.channels }
}

/// The layer that a node is, given how its inputs and its values are arranged, and its tensors.
fn loaded_layer(layer: &Layer, inputs: &[View], output: View) -> (Kind, Vec<Vec<f32>>) {
    let input = inputs.first().copied().unwrap_or(output);
    let bare = |kind| (kind, Vec::new());
    match layer {
        Layer::Dense(dense) => {
            let shape = Shape {
                inputs: dense.inputs as usize,
                outputs: dense.outputs as usize,
                bias: dense.bias.is_some(),
            };
            let activation = loaded(dense.activation);
            let mut tensors = vec![dense.weights.clone()];
            tensors.extend(dense.bias.clone());
            (Kind::Dense(layer::Dense { shape, activation, dropout: 0.0 }), tensors)
        }
        Layer::Embedding(With { attributes, tensors }) => {
            let column = |column: &file::IndexColumn| embedding::Column {
                unit: column.unit,
                first: column.first,
                categories: column.categories,
            };
            let columns = attributes.columns.iter().map(column).collect();
            let combine = match attributes.combine {
                file::Combine::Concat => Combine::Concat,
                file::Combine::Sum => Combine::Sum,
                file::Combine::Mean => Combine::Mean,
            };
            let layer = layer::Embedding::new(input, columns, attributes.size, combine);
            (Kind::Embedding(layer), tensors.clone())
        }
        Layer::Conv(With { attributes: conv, tensors }) => {
            let shape = convolution::Shape {
                size: [input.height, input.width],
                channels: conv.channels,
                outputs: conv.filters,
                kernel: conv.window.size,
                stride: conv.window.stride,
                dilation: conv.window.dilation,
                padding: conv.window.padding,
                out: conv.window.output,
                groups: conv.groups,
            };
            let conv = layer::Conv::new(shape, loaded(conv.activation), conv.bias);
            (Kind::Conv(conv), tensors.clone())
        }
        Layer::Pool(With { attributes: pool, .. }) => {
            let windows = Windows {
                channels: input.channels,
                image: [input.height, input.width],
                window: pool.window.size,
                stride: pool.window.stride,
                padding: pool.window.padding,
                output: pool.window.output,
            };
            let function = match pool.function {
                file::PoolFunction::Max => PoolFunction::Max,
                file::PoolFunction::Average => PoolFunction::Average,
            };
            bare(Kind::Pool(layer::Pool { windows, function }))
        }
        Layer::BatchNorm(With { attributes: norm, tensors }) => {
            let (epsilon, momentum) = (norm.epsilon as f32, norm.momentum as f32);
            let norm = layer::BatchNorm::new(input, epsilon, momentum);
            (Kind::BatchNorm(norm), tensors.clone())
        }
        Layer::LayerNorm(With { attributes: norm, tensors }) => {
            let norm = layer::Norm::new(input, true, norm.epsilon as f32);
            (Kind::Norm(norm), tensors.clone())
        }
        Layer::RmsNorm(With { attributes: norm, tensors }) => {
            let norm = layer::Norm::new(input, false, norm.epsilon as f32);
            (Kind::Norm(norm), tensors.clone())
        }
        Layer::Gru(With { attributes: a, tensors }) => {
            let layer = layer::Recurrent::new(Cell::Gru, input, a.units, a.reversed, a.all);
            (Kind::Recurrent(layer), tensors.clone())
        }
        Layer::Lstm(With { attributes: a, tensors }) => {
            let layer = layer::Recurrent::new(Cell::Lstm, input, a.units, a.reversed, a.all);
            (Kind::Recurrent(layer), tensors.clone())
        }
        Layer::Attention(With { attributes: a, .. }) => {
            bare(Kind::Attention(layer::Attention::new(input, a.heads, a.causal, a.rotary)))
        }
        Layer::Positions(With { tensors, .. }) => {
            (Kind::Positions(layer::Positions::new(input)), tensors.clone())
        }
        Layer::Scale(With { tensors, .. }) => {
            let layer = layer::Learned::new(input, LearnedFunction::Scale);
            (Kind::Learned(layer), tensors.clone())
        }
        Layer::Prelu(With { tensors, .. }) => {
            let layer = layer::Learned::new(input, LearnedFunction::Prelu);
            (Kind::Learned(layer), tensors.clone())
        }
        Layer::SmoothClip(_) => bare(Kind::SmoothClip(layer::SmoothClip { view: input })),
        Layer::Periodic(With { attributes: a, tensors }) => {
            (Kind::Periodic(layer::Periodic::new(input, a.size, a.waves)), tensors.clone())
        }
        Layer::PiecewiseLinear(With { attributes: a, tensors }) => {
            (Kind::Piecewise(layer::Piecewise::new(input, a.size, a.bins)), tensors.clone())
        }
        Layer::Activate(With { attributes, .. }) => {
            let activation = loaded(attributes.function);
            bare(Kind::Activate(layer::Activate { view: input, activation }))
        }
        Layer::Dropout(With { attributes, .. }) => {
            bare(Kind::Drop(layer::Drop { view: input, rate: attributes.rate as f32 }))
        }
        Layer::Add(_) => bare(Kind::Add(layer::Add { view: output })),
        Layer::Concat(_) => {
            let channels = inputs.iter().map(|view| view.channels).collect();
            bare(Kind::Concat(layer::Concat { view: output, channels }))
        }
        Layer::Flatten(_) | Layer::Reshape(_) => {
            bare(Kind::Flatten(layer::Flatten { units: output.units() }))
        }
    }
}
