//! Models: trained networks with everything needed to predict from raw rows, and their files.
//!
//! A model is a graph of named nodes; each kind of layer has its file under `layer/`. One JSON description
//! (`description`) says all of a model that is no tensor, in files of ours and in those of every other
//! format that is read back.

mod activation;
mod assembly;
mod description;
mod file;
mod layer;
mod loss;
mod node;
mod series;
mod trained;
mod validate;
mod version1;
mod view;

pub use activation::Activation;
pub use layer::{
    Activate, Add, Attention, Attributes, BatchNorm, Combine, Concat, Conv, Dense, Dropout,
    Embedding, Flatten, Gru, IndexColumn, Layer, LayerNorm, Lstm, Periodic, PiecewiseLinear, Pool,
    PoolFunction, Positions, Prelu, Reshape, RmsNorm, Scale as ScaleLayer, SmoothClip, Window,
    With,
};
pub use loss::Loss;
pub use node::{FEATURES, Node};
pub use series::Series;
pub use trained::{Model, OutputKind, Scale};
pub use view::View;

pub(crate) use assembly::{Tensors, insert, scales, unnamed_encoding};
pub(crate) use description::{KEY, VERSION, write as write_description};
pub(crate) use file::read_description;
