//! The kinds of layers that a node may be. What one kind is made of stays in its own file.

mod attention;
mod attributes;
mod conv;
mod dense;
mod embedding;
mod norm;
mod periodic;
mod piecewise;
mod pool;
mod recurrent;
mod simple;
mod window;

pub use attention::{Attention, Positions};
pub(super) use attributes::MAX_UNITS;
pub use attributes::{Attributes, With};
pub use conv::Conv;
pub use dense::Dense;
pub use embedding::{Combine, Embedding, IndexColumn};
pub use norm::{BatchNorm, LayerNorm, RmsNorm};
pub use periodic::Periodic;
pub use piecewise::PiecewiseLinear;
pub use pool::{Pool, PoolFunction};
pub use recurrent::{Gru, Lstm};
pub use simple::{Activate, Add, Concat, Dropout, Flatten, Prelu, Reshape, Scale, SmoothClip};
pub use window::Window;

use super::view::View;
use crate::tensor::Tensor;
use serde_json::Value;

/// Declares the kinds of layers besides dense.
macro_rules! kinds {
    ($( $(#[$doc:meta])* $kind:ident ),+ $(,)?) => {
        /// What a node computes.
        #[derive(Debug, Clone, PartialEq)]
        pub enum Layer {
            /// A matrix, a bias and an activation.
            Dense(Dense),
            $( $(#[$doc])* $kind(With<$kind>) ),+
        }

        /// Every kind's name in descriptions.
        const KINDS: &[&str] = &[dense::KIND, $($kind::KIND),+];

        impl Layer {
            /// The name of its kind in descriptions.
            pub fn kind(&self) -> &'static str {
                match self {
                    Layer::Dense(_) => dense::KIND,
                    $( Layer::$kind(_) => $kind::KIND ),+
                }
            }

            /// All that it is but its tensors, as JSON.
            ///
            /// # Errors
            /// A number is not finite.
            pub(super) fn attributes(&self) -> Result<Value, String> {
                match self {
                    Layer::Dense(dense) => dense.attributes(),
                    $( Layer::$kind(layer) => layer.attributes() ),+
                }
            }

            /// Its tensors by their names within the node.
            pub fn tensors(&self) -> Vec<Tensor<'_>> {
                match self {
                    Layer::Dense(dense) => dense.tensors(),
                    $( Layer::$kind(layer) => layer.tensors() ),+
                }
            }

            /// The layer of this kind, with the tensors that `take` gives by their names within the node.
            ///
            /// # Errors
            /// The kind or an attribute is not known, or a tensor is missing or of another shape.
            pub(super) fn read(
                kind: &str,
                attributes: Value,
                take: &mut dyn FnMut(&str) -> Result<Tensor<'static>, String>,
            ) -> Result<Layer, String> {
                match kind {
                    dense::KIND => Dense::read(attributes, take).map(Layer::Dense),
                    $( $kind::KIND => With::read(attributes, take).map(Layer::$kind), )+
                    _ => Err(format!(
                        "is of the kind \"{kind}\", which this program does not know; it knows {}",
                        KINDS.join(", ")
                    )),
                }
            }

            /// How the values are arranged that it gives of inputs arranged so.
            ///
            /// # Errors
            /// It does not take such inputs, or its own parts do not fit together.
            pub fn output(&self, inputs: &[View]) -> Result<View, String> {
                match self {
                    Layer::Dense(dense) => {
                        let widths: Vec<usize> = inputs.iter().map(|input| input.units()).collect();
                        dense.width(&widths).map(View::flat)
                    }
                    $( Layer::$kind(layer) => layer.output(inputs) ),+
                }
            }
        }
    };
}

kinds! {
    /// A vector for each category, looked up by its number.
    Embedding,
    /// A convolution of images or series.
    Conv,
    /// The largest or the mean of windows.
    Pool,
    /// Each channel normalised by statistics of the training.
    BatchNorm,
    /// The channels of each position normalised.
    LayerNorm,
    /// The channels of each position normalised, without a mean.
    RmsNorm,
    /// A gated recurrent unit over the steps of a series.
    Gru,
    /// A long short-term memory over the steps of a series.
    Lstm,
    /// Attention between the positions of a sample.
    Attention,
    /// A learned vector added to each position.
    Positions,
    /// Each value times a number of its channel.
    Scale,
    /// ReLU with a slope for each channel.
    Prelu,
    /// Each value brought within 3 of 0.
    SmoothClip,
    /// Each number with mixtures of waves of it.
    Periodic,
    /// Each number as functions that bend at the edges of bins.
    PiecewiseLinear,
    /// A function of each value.
    Activate,
    /// Drops values in training.
    Dropout,
    /// The sum of its inputs.
    Add,
    /// The channels of its inputs side by side.
    Concat,
    /// All values as channels of a single position.
    Flatten,
    /// Features arranged otherwise.
    Reshape,
}
