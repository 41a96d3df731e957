//! Between the arenas of a network and named tensors in files: `parameters.dense1.weight`.

use super::graph::Node;
use super::layout::Layout;
use crate::error::TrainError;
use crate::layer::interface::block_rows;
use crate::layer::{Kind, Parameters};
use gristmill_io::{Checkpoint, TensorInfo, TensorStream};
use gristmill_kernels::Row;
use std::ops::Range;

/// The tensors of a layer: what they are called within it, and their shapes.
pub(crate) fn parts(layer: &Kind) -> Vec<(&'static str, Vec<usize>)> {
    match layer.parameters() {
        Parameters::None => Vec::new(),
        Parameters::Matrix(shape) => {
            let mut parts = vec![("weight", vec![shape.outputs, shape.inputs])];
            if shape.bias {
                parts.push(("bias", vec![shape.outputs]));
            }
            parts
        }
        Parameters::Table(table) => vec![("weight", vec![table.categories, table.width])],
        Parameters::Shared(blocks) => {
            blocks.iter().map(|block| (block.name, block.shape.clone())).collect()
        }
    }
}

/// The values of a node's tensors, out of an arena.
pub(crate) fn read_node(
    layer: &Kind,
    layout: &Layout,
    node: usize,
    arena: &[Row],
) -> Vec<Vec<f32>> {
    match layer.parameters() {
        Parameters::None => Vec::new(),
        Parameters::Matrix(shape) => {
            let (weights, bias) = layout.read_weights(node, arena);
            if shape.bias { vec![weights, bias] } else { vec![weights] }
        }
        Parameters::Table(table) => {
            vec![arena[layout.node_rows(node)].as_flattened()[..table.numbers()].to_vec()]
        }
        Parameters::Shared(blocks) => {
            let own = &arena[layout.node_rows(node)];
            let read = |(index, rows): (usize, Range<usize>)| {
                let mut numbers = vec![0.0; blocks[index].numbers()];
                layer.as_layer().read(index, &own[rows], &mut numbers);
                numbers
            };
            block_rows(blocks).enumerate().map(read).collect()
        }
    }
}

/// Copies the values of a node's tensors into an arena.
///
/// # Panics
/// There are not as many as the layer has.
pub(crate) fn write_node<V: AsRef<[f32]>>(
    layer: &Kind,
    layout: &Layout,
    node: usize,
    values: &[V],
    arena: &mut [Row],
) {
    assert_eq!(values.len(), parts(layer).len(), "a value for each tensor");
    match layer.parameters() {
        Parameters::None => {}
        Parameters::Matrix(_) => {
            let bias = values.get(1).map_or(&[][..], AsRef::as_ref);
            layout.write_weights(node, values[0].as_ref(), bias, arena);
        }
        Parameters::Table(table) => {
            let own = arena[layout.node_rows(node)].as_flattened_mut();
            own[..table.numbers()].copy_from_slice(values[0].as_ref());
        }
        Parameters::Shared(blocks) => {
            let own = &mut arena[layout.node_rows(node)];
            for ((index, rows), numbers) in block_rows(blocks).enumerate().zip(values) {
                let numbers = numbers.as_ref();
                assert_eq!(numbers.len(), blocks[index].numbers(), "{}", blocks[index].name);
                layer.as_layer().write(index, numbers, &mut own[rows]);
            }
        }
    }
}

fn tensor_name(prefix: &str, node: &Node, part: &str) -> String {
    format!("{prefix}.{}.{part}", node.name)
}

/// The values in an arena as tensors, which are read out of it while they are written to a file.
pub(crate) fn streams<'a>(
    prefix: &str,
    nodes: &'a [Node],
    layout: &'a Layout,
    arena: &'a [Row],
) -> Vec<TensorStream<'a>> {
    let mut tensors = Vec::new();
    for (index, node) in nodes.iter().enumerate() {
        for (part, (name, shape)) in parts(&node.layer).into_iter().enumerate() {
            let info = TensorInfo::new(tensor_name(prefix, node, name), shape);
            tensors.push(match (node.layer.parameters(), part) {
                (Parameters::Matrix(_), 0) => {
                    TensorStream::new(info, move |sink| layout.each_matrix_row(index, arena, sink))
                }
                (Parameters::Matrix(_), _) => {
                    TensorStream::new(info, move |sink| sink(&layout.read_bias(index, arena)))
                }
                (Parameters::Table(table), _) => {
                    let rows = arena[layout.node_rows(index)].as_flattened();
                    TensorStream::new(info, move |sink| sink(&rows[..table.numbers()]))
                }
                _ => TensorStream::new(info, move |sink| {
                    sink(&read_node(&node.layer, layout, index, arena)[part])
                }),
            });
        }
    }
    tensors
}

/// Whether a checkpoint has tensors of this prefix.
pub(crate) fn has(prefix: &str, checkpoint: &Checkpoint) -> bool {
    let is_of = |name: &str| name.strip_prefix(prefix).is_some_and(|rest| rest.starts_with('.'));
    checkpoint.tensors.iter().any(|tensor| is_of(&tensor.info.name))
}

/// Copies the tensors of this prefix into an arena.
///
/// # Errors
/// One is missing, or of another shape.
pub(crate) fn read(
    prefix: &str,
    checkpoint: &Checkpoint,
    nodes: &[Node],
    layout: &Layout,
    arena: &mut [Row],
) -> Result<(), TrainError> {
    for (index, node) in nodes.iter().enumerate() {
        let mut values = Vec::new();
        for (part, shape) in parts(&node.layer) {
            values.push(find(checkpoint, tensor_name(prefix, node, part), &shape)?);
        }
        write_node(&node.layer, layout, index, &values, arena);
    }
    Ok(())
}

fn find<'c>(
    checkpoint: &'c Checkpoint,
    name: String,
    shape: &[usize],
) -> Result<&'c [f32], TrainError> {
    let found = checkpoint.tensors.iter().find(|tensor| tensor.info.name == name);
    let tensor = found.ok_or_else(|| TrainError::Checkpoint(format!("it lacks {name}")))?;
    let count = shape.iter().product::<usize>();
    // Version 1 stored no shapes: its tensors have one dimension.
    let is_flat = tensor.info.shape == [count];
    if tensor.info.shape != shape && !is_flat {
        let found = &tensor.info.shape;
        return Err(TrainError::Checkpoint(format!(
            "{name} has the shape {found:?}, expected {shape:?}"
        )));
    }
    Ok(&tensor.values)
}
