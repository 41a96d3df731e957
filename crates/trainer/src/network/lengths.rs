//! Series of unequal length: how many positions of each node's values belong to a series, by its number of steps. What
//! lies beyond is zero.
//!
//! A window of a convolution or a pool belongs to a series if its middle does, and the first one always.

use super::edges::Source;
use super::graph::Node;
use crate::layer::{Kind, View};

/// By the steps of a series, from none to the most that there is room for, the positions that belong to it.
type Positions = Vec<f32>;

/// The positions of all values of a network that belong to a series.
#[derive(Debug, Clone, PartialEq)]
pub struct Lengths {
    /// `None` where there are no steps.
    features: Option<Positions>,
    nodes: Vec<Option<Positions>>,
}

impl Lengths {
    /// Of a network of these nodes.
    ///
    /// # Errors
    /// Rows are no series, or a layer takes all positions alike.
    pub(super) fn of(features: View, nodes: &[Node]) -> Result<Lengths, String> {
        if features.height > 1 {
            return Err(format!(
                "rows that end early are series, and no images: arrange their features as STEPSxCHANNELS, not as {features}"
            ));
        }
        let steps = features.width;
        let of_features = (steps > 1).then(|| (0..=steps).map(|n| n as f32).collect());
        let mut found = Lengths { features: of_features, nodes: Vec::with_capacity(nodes.len()) };
        for node in nodes {
            let counts_all = match node.layer {
                Kind::BatchNorm(_) => Some("batch-norm, whose statistics"),
                Kind::Piecewise(_) => Some("piecewise-linear, whose quantiles"),
                _ => None,
            };
            if let Some(what) = counts_all {
                return Err(format!(
                    "the layer {} is {what} would count what lies beyond the end of a series: leave it out, or take \
                     layer-norm or rms-norm",
                    node.name
                ));
            }
            let before = node.inputs.first().and_then(|&source| found.of_source(source));
            let own = before.and_then(|before| positions(&node.layer, before));
            found.nodes.push(own);
        }
        Ok(found)
    }

    /// Of what a node takes; `None` where there are no positions.
    pub(crate) fn of_source(&self, source: Source) -> Option<&[f32]> {
        match source {
            Source::Features => self.features.as_deref(),
            Source::Node(node) => self.nodes[node].as_deref(),
        }
    }
}

/// Of a layer whose input has these.
fn positions(layer: &Kind, before: &[f32]) -> Option<Positions> {
    let output = layer.output();
    let window = match layer {
        Kind::Conv(conv) => {
            let shape = conv.shape();
            Some([shape.kernel[1], shape.stride[1], shape.dilation[1], shape.padding[1]])
        }
        Kind::Pool(pool) => {
            let windows = &pool.windows;
            Some([windows.window[1], windows.stride[1], 1, windows.padding[1]])
        }
        _ => None,
    };
    let of = |steps: f32| match window.map(|window| window.map(|n| n as f32)) {
        None => steps,
        Some([size, stride, dilation, padding]) => {
            // Window p has its middle at p * stride - padding + (size - 1) * dilation / 2.
            let reach = 2.0 * (steps + padding) - (size - 1.0) * dilation;
            (reach / (2.0 * stride)).ceil().clamp(steps.min(1.0), output.width as f32)
        }
    };
    (output.positions() > 1).then(|| before.iter().map(|&steps| of(steps)).collect())
}
