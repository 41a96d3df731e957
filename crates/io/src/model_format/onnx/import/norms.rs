//! Normalisation.

use super::operator::Operator;
use super::reader::{Reader, Value};
use crate::model::{BatchNorm, Layer, LayerNorm, RmsNorm, With};

impl<'a> Reader<'a> {
    pub(super) fn batch_norm(&mut self, operator: &Operator<'a>) -> Result<(), String> {
        operator.expect("training_mode", 0, 0)?;
        operator.expect("spatial", 1, 1)?;
        let value = self.value(operator, 0)?;
        let value = self.image(value)?;
        let channels = value.view.channels;
        let epsilon = f64::from(operator.float("epsilon", 1e-5));
        // Theirs is the share of what was there before.
        let momentum = 1.0 - f64::from(operator.float("momentum", 0.9));
        let attributes = BatchNorm { channels, epsilon, momentum };
        let tensors = (1..5).map(|input| self.numbers(operator, input, channels));
        let tensors = tensors.collect::<Result<Vec<_>, _>>()?;
        self.normed(operator, value, Layer::BatchNorm(With { attributes, tensors }));
        Ok(())
    }

    pub(super) fn layer_norm(&mut self, operator: &Operator<'a>) -> Result<(), String> {
        operator.expect("stash_type", 1, 1)?;
        let value = self.value(operator, 0)?;
        let axis = operator.integer("axis", -1);
        if value.layout.axis(axis)? + 1 != value.layout.rank() {
            return Err(format!(
                "has the attribute axis = {axis}; the last dimension is supported"
            ));
        }
        if self.is_taken(operator, 1) || self.is_taken(operator, 2) {
            return Err("gives its statistics".to_owned());
        }
        let value = self.positions(value)?;
        let channels = value.view.channels;
        let gain = self.numbers(operator, 1, channels)?;
        let bias = match operator.input(2) {
            Some(_) => self.numbers(operator, 2, channels)?,
            None => vec![0.0; channels],
        };
        let epsilon = f64::from(operator.float("epsilon", 1e-5));
        let attributes = LayerNorm { channels, epsilon };
        self.normed(
            operator,
            value,
            Layer::LayerNorm(With { attributes, tensors: vec![gain, bias] }),
        );
        Ok(())
    }

    /// The nodes from a square to the product with a gain, of which an RMS norm is made.
    pub(super) fn rms_norm(&mut self, index: usize, operator: &Operator<'a>) -> Result<(), String> {
        let refuse = || "multiplies a value by itself, and no RMS norm follows".to_owned();
        let name = operator.needed(0)?;
        let value = self.value(operator, 0)?;
        let mut chain = vec![(index, Operator::new(operator.node))];
        for kind in ["ReduceMean", "Add", "Sqrt", "Div", "Mul"] {
            let (_, before) = &chain[chain.len() - 1];
            let next = before.output(0).and_then(|output| self.only_taker(output));
            chain.push(next.filter(|(_, next)| next.node.op_type == kind).ok_or_else(refuse)?);
        }
        let [_, (_, mean), (_, sum), (_, root), (_, ratio), (_, product)] = chain.as_slice() else {
            return Err(refuse());
        };
        let axes = self.axes(mean)?.unwrap_or_default();
        let is_last = match axes.as_slice() {
            &[axis] => value.layout.axis(axis)? + 1 == value.layout.rank(),
            _ => false,
        };
        let is_ratio = ratio.input(0) == Some(name) && ratio.input(1) == root.output(0);
        if !is_last || mean.integer("keepdims", 1) != 1 || !is_ratio {
            return Err(refuse());
        }
        let other =
            |operator: &Operator, value: Option<&str>| usize::from(operator.input(0) == value);
        let epsilon = self.numbers(sum, other(sum, mean.output(0)), 1)?[0];
        let value = self.positions(value)?;
        let channels = value.view.channels;
        let gain = self.numbers(product, other(product, ratio.output(0)), channels)?;
        let attributes = RmsNorm { channels, epsilon: f64::from(epsilon) };
        chain.iter().for_each(|(index, _)| self.pass(*index));
        let (_, product) = &chain[chain.len() - 1];
        self.normed(product, value, Layer::RmsNorm(With { attributes, tensors: vec![gain] }));
        Ok(())
    }

    fn normed(&mut self, operator: &Operator<'a>, value: Value, layer: Layer) {
        let source = self.push(layer, vec![value.source.clone()]);
        self.give(operator, 0, Value { source, ..value });
    }
}
