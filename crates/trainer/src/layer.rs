//! The kinds of layers. What one kind does stays in its own file.

pub mod activate;
pub mod add;
pub mod attention;
pub mod batch_norm;
pub mod concat;
pub mod conv;
pub mod dense;
pub mod dense_settings;
pub mod drop;
pub mod embedding;
pub mod embedding_settings;
pub mod flatten;
pub(crate) mod interface;
pub mod learned;
pub mod norm;
pub mod parameters;
pub mod periodic;
pub mod piecewise;
pub mod pool;
pub mod positions;
pub mod recurrent;
pub(crate) mod settings;
pub mod smooth_clip;
pub(crate) mod start;
pub(crate) mod uses;
pub mod view;
pub mod window;

pub use activate::Activate;
pub use add::Add;
pub use attention::Attention;
pub use batch_norm::BatchNorm;
pub use concat::Concat;
pub use conv::Conv;
pub use dense::Dense;
pub use drop::Drop;
pub use embedding::Embedding;
pub use flatten::Flatten;
pub use learned::Learned;
pub use norm::Norm;
pub use parameters::{Block, Parameters, Role, Shape, Table};
pub use periodic::Periodic;
pub use piecewise::Piecewise;
pub use pool::Pool;
pub use positions::Positions;
pub use recurrent::Recurrent;
pub use settings::Planned;
pub use smooth_clip::SmoothClip;
pub use view::View;

use interface::Layer;

/// Declares the kinds of layers.
macro_rules! kinds {
    ($( $(#[$doc:meta])* $kind:ident ),+ $(,)?) => {
        /// A layer of any kind.
        #[derive(Debug, Clone, PartialEq)]
        pub enum Kind { $( $(#[$doc])* $kind($kind) ),+ }

        impl Kind {
            pub(crate) fn as_layer(&self) -> &dyn Layer {
                match self { $( Kind::$kind(layer) => layer ),+ }
            }
        }
    };
}

kinds! {
    /// A matrix, a bias and an activation.
    Dense,
    /// A vector for each category, looked up by its number.
    Embedding,
    /// A convolution of images or series.
    Conv,
    /// The largest or the mean of windows.
    Pool,
    /// Each channel normalised over the minibatch.
    BatchNorm,
    /// The channels of each position normalised.
    Norm,
    /// GRU or LSTM over the steps of a series.
    Recurrent,
    /// Attention between the positions of a sample.
    Attention,
    /// A learned vector added to each position.
    Positions,
    /// A function of each value with a learned number for each channel.
    Learned,
    /// The smooth clip of each value.
    SmoothClip,
    /// Each number with mixtures of waves of it.
    Periodic,
    /// Each feature as functions that bend at its quantiles.
    Piecewise,
    /// A function of each value.
    Activate,
    /// Drops values while training.
    Drop,
    /// The sum of its inputs.
    Add,
    /// The channels of its inputs side by side.
    Concat,
    /// Its input as plain numbers.
    Flatten,
}

impl Kind {
    /// How its values are arranged.
    pub fn output(&self) -> View {
        self.as_layer().output()
    }

    /// What it learns.
    pub fn parameters(&self) -> Parameters<'_> {
        self.as_layer().parameters()
    }

    /// Multiply-adds of a sample in the forward pass.
    pub fn work(&self) -> usize {
        self.as_layer().work()
    }
}
