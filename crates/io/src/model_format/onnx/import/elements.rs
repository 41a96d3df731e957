//! Functions of each value, sums, and values side by side.

use super::layout::Layout;
use super::operator::Operator;
use super::reader::{Reader, Value};
use crate::model::{
    Activate, Activation, Add, Concat, FEATURES, Layer, Prelu, ScaleLayer, View, With,
};

impl<'a> Reader<'a> {
    /// Applies a function: as part of the layer whose sums it takes, if nothing else takes them.
    pub(super) fn function(
        &mut self,
        operator: &Operator<'a>,
        function: Activation,
    ) -> Result<(), String> {
        self.apply(operator, operator.needed(0)?, self.value(operator, 0)?, function, 1);
        Ok(())
    }

    /// Applies a function to `value`, which `uses` inputs take for it.
    fn apply(
        &mut self,
        operator: &Operator<'a>,
        name: &str,
        value: Value,
        function: Activation,
        uses: usize,
    ) {
        if let Some(&node) = self.open.get(name)
            && self.uses(name) == uses
        {
            match &mut self.nodes[node].layer {
                Layer::Dense(dense) => dense.activation = function,
                Layer::Conv(conv) => conv.attributes.activation = function,
                _ => {}
            }
            return self.give(operator, 0, value);
        }
        let layer =
            Layer::Activate(With { attributes: Activate { function }, tensors: Vec::new() });
        let source = self.push(layer, vec![value.source.clone()]);
        self.give(operator, 0, Value { source, ..value });
    }

    /// The sigmoid, or with the product that follows x * sigmoid(x).
    pub(super) fn sigmoid(&mut self, operator: &Operator<'a>) -> Result<(), String> {
        let name = operator.needed(0)?;
        let next = operator.output(0).and_then(|output| Some((output, self.only_taker(output)?)));
        if let Some((gate, (index, next))) = next {
            let inputs = [next.input(0), next.input(1)];
            let is_silu = inputs == [Some(name), Some(gate)] || inputs == [Some(gate), Some(name)];
            if next.node.op_type == "Mul" && is_silu {
                let value = self.value(operator, 0)?;
                self.pass(index);
                self.apply(&next, name, value, Activation::Silu, 2);
                return Ok(());
            }
        }
        self.function(operator, Activation::Sigmoid)
    }

    pub(super) fn softmax(&mut self, operator: &Operator<'a>) -> Result<(), String> {
        let value = self.value(operator, 0)?;
        let axis = value.layout.axis(operator.integer("axis", -1))?;
        let is_last = operator.output(0) == Some(self.end) && !self.nodes.is_empty();
        if axis != 1 || value.layout.rank() != 2 || !is_last {
            return Err("is supported only as the last node, over the values of a row".to_owned());
        }
        self.is_softmax = true;
        self.give(operator, 0, value);
        Ok(())
    }

    /// Features less a constant, or divided by one.
    pub(super) fn standardise(&mut self, operator: &Operator<'a>) -> Result<(), String> {
        let value = self.value(operator, 0)?;
        let is_first =
            value.source == FEATURES && self.nodes.is_empty() && self.deviations.is_none();
        let is_mean = operator.node.op_type == "Sub";
        if !is_first || (is_mean && self.means.is_some()) || self.uses(operator.needed(0)?) != 1 {
            return Err(
                "is supported only before the first layer: what standardises features".to_owned()
            );
        }
        let constant = self.constant(operator, 1)?.numbers()?;
        let elements = value.layout.combined_with(&constant.info.shape)?;
        let numbers = Some(elements.into_iter().map(|element| constant.values[element]).collect());
        match is_mean {
            true => self.means = numbers,
            false => self.deviations = numbers,
        }
        self.give(operator, 0, value);
        Ok(())
    }

    /// A number of each channel that a constant gives.
    fn per_channel(
        &self,
        operator: &Operator<'a>,
        input: usize,
        value: &Value,
    ) -> Result<Vec<f32>, String> {
        let constant = self.constant(operator, input)?.numbers()?;
        let elements = value.layout.combined_with(&constant.info.shape)?;
        let channels = value.view.channels;
        match elements
            .iter()
            .enumerate()
            .all(|(unit, element)| *element == elements[unit % channels])
        {
            true => {
                Ok(elements[..channels].iter().map(|&element| constant.values[element]).collect())
            }
            false => Err("has other numbers than one for each channel".to_owned()),
        }
    }

    /// A product with a constant, or the beginning of an RMS norm.
    pub(super) fn multiply(&mut self, index: usize, operator: &Operator<'a>) -> Result<(), String> {
        if operator.input(0) == operator.input(1) {
            return self.rms_norm(index, operator);
        }
        let input = if self.is_value(operator, 0) { 0 } else { 1 };
        let value = self.value(operator, input)?;
        if self.is_value(operator, 1 - input) {
            return Err(
                "multiplies two values, of which one is not the sigmoid of the other".to_owned()
            );
        }
        let value = self.with_channels(value);
        let scale = self.per_channel(operator, 1 - input, &value)?;
        if self.undo_standardisation(operator, &value, &scale)? {
            return Ok(());
        }
        let attributes = ScaleLayer { channels: scale.len() };
        let layer = Layer::Scale(With { attributes, tensors: vec![scale] });
        let source = self.push(layer, vec![value.source.clone()]);
        self.give(operator, 0, Value { source, ..value });
        Ok(())
    }

    /// A product and a sum in the end put predictions in the unit of the targets; whether this is the one.
    fn undo_standardisation(
        &mut self,
        operator: &Operator<'a>,
        value: &Value,
        scale: &[f32],
    ) -> Result<bool, String> {
        let next = operator.output(0).and_then(|output| Some((output, self.only_taker(output)?)));
        let Some((output, (index, next))) = next else { return Ok(false) };
        let is_end = next.node.op_type == "Add" && next.output(0) == Some(self.end);
        let constant = if next.input(0) == Some(output) { 1 } else { 0 };
        let is_flat =
            value.layout == Layout::flat(scale.len()) && scale.iter().all(|&scale| scale > 0.0);
        if !is_end || !is_flat || self.is_value(&next, constant) || self.nodes.is_empty() {
            return Ok(false);
        }
        let means = self.per_channel(&next, constant, value)?;
        self.scales = Some((scale.to_vec(), means));
        self.pass(index);
        self.give(&next, 0, value.clone());
        Ok(true)
    }

    /// The sum of values, or of a product and a bias.
    pub(super) fn add(&mut self, operator: &Operator<'a>) -> Result<(), String> {
        let count = operator.node.input.len();
        if let Some(constant) = (0..count).find(|&input| !self.is_value(operator, input)) {
            self.constant(operator, constant)?;
            return match count == 2 && self.bias(operator, 1 - constant)? {
                true => Ok(()),
                false => {
                    Err("adds a constant to other than the product of a MatMul, once".to_owned())
                }
            };
        }
        let values = (0..count).map(|input| self.value(operator, input));
        let values = values.collect::<Result<Vec<_>, _>>()?;
        let layout = values[0].layout.clone();
        // Where layers have them arranged otherwise, all are plain numbers.
        let view = match values.iter().all(|value| value.view == values[0].view) {
            true => values[0].view,
            false => View::flat(values[0].view.units()),
        };
        let mut sources = Vec::with_capacity(count);
        for value in values {
            if value.layout != layout {
                let (one, other) = (layout.sizes(), value.layout.sizes());
                return Err(format!(
                    "adds values that are arranged otherwise: {one:?} and {other:?}"
                ));
            }
            sources.push(self.arranged(value, view)?.source);
        }
        let layer = Layer::Add(With { attributes: Add {}, tensors: Vec::new() });
        let source = self.push(layer, sources);
        self.give(operator, 0, Value { source, view, layout });
        Ok(())
    }

    pub(super) fn concat(&mut self, operator: &Operator<'a>) -> Result<(), String> {
        let values = (0..operator.node.input.len()).map(|input| self.value(operator, input));
        let values = values.collect::<Result<Vec<_>, _>>()?;
        let axis = operator.integer("axis", 0);
        let (mut sources, mut channels, mut last) = (Vec::new(), 0, None);
        for value in values {
            let axis = value.layout.axis(axis)?;
            let (rank, rows) = (value.layout.rank(), value.layout.rows());
            let is_image = axis == 1 && rows == 0;
            let value = match is_image {
                true => self.image(value)?,
                false if axis + 1 == rank => self.positions(value)?,
                false => {
                    return Err(format!(
                        "has the attribute axis = {axis}, which is not that of channels"
                    ));
                }
            };
            channels += value.view.channels;
            sources.push(value.source);
            last = Some((value.view, is_image, rank, rows));
        }
        let (view, is_image, rank, rows) = last.ok_or("takes nothing")?;
        let view = View { channels, ..view };
        let layout = match is_image {
            true => Layout::channels_first(view, rank),
            false => Layout::channels_last(view, rank, rows),
        };
        let layer = Layer::Concat(With { attributes: Concat {}, tensors: Vec::new() });
        let source = self.push(layer, sources);
        self.give(operator, 0, Value { source, view, layout });
        Ok(())
    }

    pub(super) fn prelu(&mut self, operator: &Operator<'a>) -> Result<(), String> {
        let value = self.value(operator, 0)?;
        let value = self.with_channels(value);
        let slope = self.per_channel(operator, 1, &value)?;
        let attributes = Prelu { channels: slope.len() };
        let layer = Layer::Prelu(With { attributes, tensors: vec![slope] });
        let source = self.push(layer, vec![value.source.clone()]);
        self.give(operator, 0, Value { source, ..value });
        Ok(())
    }
}
