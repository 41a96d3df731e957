//! A trained network with everything needed to predict from raw rows.

use super::layer::{Dense, Layer};
use super::loss::Loss;
use super::node::{FEATURES, Node};
use super::series::Series;
use crate::schema::{Encoding, InputColumn, Target};

/// A trained network.
#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    /// How the raw columns of a row become features, and what is predicted.
    pub encoding: Encoding,
    /// Which rows a sample has, if it has several; their features then follow one another.
    pub series: Option<Series>,
    /// Standardisation of each feature of a sample: `(x - mean) / deviation`.
    pub inputs: Vec<Scale>,
    /// Standardisation undone for each numeric target: `z * deviation + mean`; empty for classes.
    pub outputs: Vec<Scale>,
    /// The network: each node takes the features or what nodes before it give, and the last one's values
    /// are those of the network.
    pub nodes: Vec<Node>,
    /// What is done to the last node's values to get predictions.
    pub output: OutputKind,
    /// What training minimised, where that is known.
    pub loss: Option<Loss>,
    /// How it was trained, as names and values to show. Nothing else depends on them.
    pub training: Vec<(String, String)>,
}

/// An affine scale.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scale {
    /// What becomes 0.
    pub mean: f32,
    /// What becomes 1 after the mean was subtracted; positive.
    pub deviation: f32,
}

impl Scale {
    /// Leaves numbers as they are.
    pub const UNIT: Scale = Scale { mean: 0.0, deviation: 1.0 };
}

/// How the last node's values become predictions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutputKind {
    /// Logits of the classes: softmax gives probabilities.
    Softmax,
    /// Logits: the sigmoid of each is a probability.
    Sigmoid,
    /// The values themselves, after undoing the standardisation of the targets.
    Values,
}

impl OutputKind {
    /// Its name in descriptions.
    pub fn name(self) -> &'static str {
        match self {
            OutputKind::Softmax => "softmax",
            OutputKind::Sigmoid => "sigmoid",
            OutputKind::Values => "values",
        }
    }
}

impl Model {
    /// The network as dense layers each of which takes what the one before gives, with their names: what
    /// those can ask for who know no other networks.
    ///
    /// # Errors
    /// Names the first node that does not take what the node before it gives, or is of another kind.
    pub fn chain(&self) -> Result<Vec<(&str, &Dense)>, String> {
        let mut before = FEATURES;
        let mut layers = Vec::with_capacity(self.nodes.len());
        for Node { name, inputs, layer } in &self.nodes {
            if *inputs != [before] {
                return Err(format!(
                    "the node \"{name}\" takes {inputs:?}, and not \"{before}\" alone: only networks in \
                     which each layer follows the one before are supported here"
                ));
            }
            let Layer::Dense(dense) = layer else {
                return Err(format!(
                    "the node \"{name}\" is of the kind \"{}\": only networks of dense layers, each \
                     after the other, are supported here",
                    layer.kind()
                ));
            };
            layers.push((name.as_str(), dense));
            before = name;
        }
        Ok(layers)
    }

    /// Weights, biases and all else that was learned.
    pub fn parameters(&self) -> u64 {
        let tensors = self.nodes.iter().flat_map(Node::tensors);
        tensors.map(|tensor| tensor.values.len() as u64).sum()
    }

    /// Rows of a sample.
    fn window(&self) -> usize {
        self.series.map_or(1, |series| series.window as usize)
    }

    /// Features of a sample; `usize::MAX` where there are more.
    pub fn features(&self) -> usize {
        self.encoding.features().saturating_mul(self.window())
    }

    /// The columns of a sample as those of one row, which formats of other programs know: where a sample has several
    /// rows, the column `x` of the last is `x[t]`, and that of the row before `x[t-1]`.
    pub(crate) fn columns(&self) -> Encoding {
        let mut columns = self.encoding.clone();
        if self.series.is_some() {
            let of_row = |back: usize| {
                let time = if back == 0 { "[t]".to_owned() } else { format!("[t-{back}]") };
                self.encoding.inputs.iter().map(move |input| InputColumn {
                    name: format!("{}{time}", input.name),
                    kind: input.kind.clone(),
                })
            };
            columns.inputs = (0..self.window()).rev().flat_map(of_row).collect();
        }
        columns
    }

    /// How many numbers or classes it predicts.
    pub fn predictions(&self) -> usize {
        match &self.encoding.target {
            Target::Classes { names, .. } => names.len(),
            Target::Numbers { columns } => columns.len(),
            Target::None => 0,
        }
    }
}
