//! Whether the parts of a model fit together.

use super::loss::Loss;
use super::node::{FEATURES, Node, RESERVED};
use super::trained::{Model, OutputKind, Scale};
use super::view::View;
use crate::schema::Target;
use std::collections::HashMap;

impl Model {
    /// Checks that each node gets what it takes, that the output fits the target and the loss, and that all
    /// numbers are finite.
    ///
    /// # Errors
    /// Says which part does not fit.
    pub fn validate(&self) -> Result<(), String> {
        let features = self.features();
        if self.series.is_some_and(|series| series.window == 0) {
            return Err("its windows have no rows".to_owned());
        }
        if self.inputs.len() != features {
            return Err(format!("{} input scales for {features} features", self.inputs.len()));
        }
        let width = self.views()?.last().map_or(0, |last| last.units());
        let (fits, scales) = match &self.encoding.target {
            Target::Classes { names, .. } => {
                (width == names.len() || (width == 1 && names.len() == 2), 0)
            }
            Target::Numbers { columns } => {
                (width == columns.len() && self.output != OutputKind::Softmax, columns.len())
            }
            Target::None => (false, 0),
        };
        if !fits {
            return Err(format!("its {width} outputs do not fit its target"));
        }
        if self.outputs.len() != scales {
            let found = self.outputs.len();
            return Err(format!("{found} output scales for {scales} numeric targets"));
        }
        if let Some(loss) = self.loss
            && output_of(loss) != self.output
        {
            let output = self.output.name();
            return Err(format!(
                "its loss \"{}\" does not fit its output \"{output}\"",
                loss.name()
            ));
        }
        let is_stray = |value: f32| !value.is_finite();
        if let Some(stray) = self.tensors().iter().find_map(|tensor| tensor.stray(is_stray)) {
            return Err(stray);
        }
        for (name, scales) in [("inputs", &self.inputs), ("outputs", &self.outputs)] {
            let is_flat = |scale: &Scale| scale.deviation <= 0.0;
            if let Some(index) = scales.iter().position(is_flat) {
                let found = scales[index].deviation;
                return Err(format!(
                    "the tensor \"{name}.deviation\" has {found} at [{index}], expected a positive number"
                ));
            }
        }
        Ok(())
    }
}

/// What the values of a network that was trained with this loss are.
fn output_of(loss: Loss) -> OutputKind {
    match loss {
        Loss::SoftmaxCrossEntropy => OutputKind::Softmax,
        Loss::BinaryCrossEntropy => OutputKind::Sigmoid,
        Loss::MeanSquared | Loss::HalfSumSquares | Loss::MeanAbsolute | Loss::Huber { .. } => {
            OutputKind::Values
        }
    }
}

impl Model {
    /// How the values of each node are arranged.
    ///
    /// # Errors
    /// Names the first node that does not get what it takes.
    pub fn views(&self) -> Result<Vec<View>, String> {
        views(&self.nodes, self.features())
    }
}

/// How the values of each node are arranged, if every node gets what it takes and every value is taken.
fn views(nodes: &[Node], features: usize) -> Result<Vec<View>, String> {
    let mut positions = HashMap::new();
    for (index, node) in nodes.iter().enumerate() {
        if positions.insert(node.name.as_str(), index).is_some() {
            return Err(format!("there are several nodes \"{}\"", node.name));
        }
    }
    let mut views: Vec<View> = Vec::with_capacity(nodes.len());
    let mut is_taken = vec![false; nodes.len()];
    for (index, node) in nodes.iter().enumerate() {
        let refuse = |reason: String| format!("the node \"{}\" {reason}", node.name);
        check_name(&node.name).map_err(&refuse)?;
        let mut taken = Vec::with_capacity(node.inputs.len());
        for input in &node.inputs {
            taken.push(match positions.get(input.as_str()).copied() {
                _ if input == FEATURES => View::flat(features),
                Some(before) if before < index => {
                    is_taken[before] = true;
                    views[before]
                }
                Some(_) => {
                    return Err(refuse(format!(
                        "takes \"{input}\", which does not come before it"
                    )));
                }
                None => return Err(refuse(format!("takes \"{input}\", which no node is called"))),
            });
        }
        views.push(node.layer.output(&taken).map_err(refuse)?);
    }
    let Some((_, others)) = views.split_last() else {
        return Err("it has no nodes".to_owned());
    };
    match is_taken[..others.len()].iter().position(|taken| !taken) {
        Some(index) => Err(format!("no node takes what \"{}\" gives", nodes[index].name)),
        None => Ok(views),
    }
}

fn check_name(name: &str) -> Result<(), String> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if name.is_empty() || !name.chars().all(is_plain) {
        return Err("has a name of other than letters, digits, _ and -".to_owned());
    }
    match RESERVED.contains(&name) {
        true => Err("has a name that means something else".to_owned()),
        false => Ok(()),
    }
}
