//! Between the arenas of a network and named tensors in files: `parameters.dense1.weight`.

use super::layout::Layout;
use crate::error::TrainError;
use gristmill_io::{Checkpoint, TensorInfo, TensorStream};
use gristmill_kernels::Row;

/// What the layer with this index is called in files.
pub(crate) fn node_name(layer: usize) -> String {
    format!("dense{}", layer + 1)
}

fn tensor_name(prefix: &str, layer: usize, part: &str) -> String {
    format!("{prefix}.{}.{part}", node_name(layer))
}

/// The values in an arena as tensors, which are read out of it while they are written to a file.
pub(crate) fn streams<'a>(
    prefix: &str,
    layout: &'a Layout,
    arena: &'a [Row],
) -> Vec<TensorStream<'a>> {
    let mut tensors = Vec::new();
    for (layer, shape) in layout.shapes().iter().enumerate() {
        let info =
            |part: &str, shape: &[usize]| TensorInfo::new(tensor_name(prefix, layer, part), shape);
        let matrix = info("weight", &[shape.outputs, shape.inputs]);
        tensors.push(TensorStream::new(matrix, move |sink| {
            layout.each_matrix_row(layer, arena, sink)
        }));
        if shape.bias {
            let bias = info("bias", &[shape.outputs]);
            tensors
                .push(TensorStream::new(bias, move |sink| sink(&layout.read_bias(layer, arena))));
        }
    }
    tensors
}

/// Whether a checkpoint has tensors of this prefix.
pub(crate) fn has(prefix: &str, checkpoint: &Checkpoint) -> bool {
    let first = tensor_name(prefix, 0, "weight");
    checkpoint.tensors.iter().any(|tensor| tensor.info.name == first)
}

/// Copies the tensors of this prefix into an arena.
///
/// # Errors
/// One is missing, or of another shape.
pub(crate) fn read(
    prefix: &str,
    checkpoint: &Checkpoint,
    layout: &Layout,
    arena: &mut [Row],
) -> Result<(), TrainError> {
    for (layer, shape) in layout.shapes().iter().enumerate() {
        let weights =
            find(checkpoint, tensor_name(prefix, layer, "weight"), &[shape.outputs, shape.inputs])?;
        let bias: &[f32] = match shape.bias {
            true => find(checkpoint, tensor_name(prefix, layer, "bias"), &[shape.outputs])?,
            false => &[],
        };
        layout.write_weights(layer, weights, bias, arena);
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
