//! GRU and LSTM, forward, backward or both, which are then two layers side by side.

use super::layout::Layout;
use super::operator::Operator;
use super::reader::{Reader, Value};
use crate::model::{Concat, Gru, Layer, Lstm, View, With};

/// The tensors of one direction, their gates in our order.
struct Direction {
    reversed: bool,
    input_weight: Vec<f32>,
    hidden_weight: Vec<f32>,
    /// Of the product of the input, and of that of the state.
    biases: [Vec<f32>; 2],
}

/// The layer of one direction that gives the states after all steps, or the last.
type Build = fn(&Direction, usize, usize, bool) -> Layer;

impl<'a> Reader<'a> {
    pub(super) fn gru(&mut self, operator: &Operator<'a>) -> Result<(), String> {
        operator.expect("linear_before_reset", 0, 1)?;
        // Theirs are z, r, h; ours r, z, n.
        self.recurrent(
            operator,
            &[1, 0, 2],
            &["Sigmoid", "Tanh"],
            |direction, channels, units, all| {
                let [input, state] = &direction.biases;
                let mut bias = input.clone();
                // That of the state's new part is within the product with the reset gate, and stays by itself.
                bias.iter_mut().zip(&state[..2 * units]).for_each(|(sum, x)| *sum += x);
                let hidden_bias = state[2 * units..].to_vec();
                let attributes = Gru { channels, units, reversed: direction.reversed, all };
                let (input, hidden) =
                    (direction.input_weight.clone(), direction.hidden_weight.clone());
                Layer::Gru(With { attributes, tensors: vec![input, hidden, bias, hidden_bias] })
            },
        )
    }

    pub(super) fn lstm(&mut self, operator: &Operator<'a>) -> Result<(), String> {
        operator.expect("input_forget", 0, 0)?;
        for (input, what) in [(6, "an initial state"), (7, "peepholes")] {
            self.expect_zeros(operator, input, what)?;
        }
        if self.is_taken(operator, 2) {
            return Err("gives its cells".to_owned());
        }
        // Theirs are i, o, f, c; ours i, f, g, o.
        let functions = ["Sigmoid", "Tanh", "Tanh"];
        self.recurrent(operator, &[0, 2, 3, 1], &functions, |direction, channels, units, all| {
            let [input, state] = &direction.biases;
            let bias = input.iter().zip(state).map(|(a, b)| a + b).collect();
            let attributes = Lstm { channels, units, reversed: direction.reversed, all };
            let (input, hidden) = (direction.input_weight.clone(), direction.hidden_weight.clone());
            Layer::Lstm(With { attributes, tensors: vec![input, hidden, bias] })
        })
    }

    fn expect_zeros(
        &self,
        operator: &Operator<'a>,
        input: usize,
        what: &str,
    ) -> Result<(), String> {
        let Some(_) = operator.input(input) else { return Ok(()) };
        let numbers = self.constant(operator, input)?.numbers()?;
        match numbers.values.iter().all(|&number| number == 0.0) {
            true => Ok(()),
            false => Err(format!("has {what} of other than zeros")),
        }
    }

    /// Reads a layer. `gates` are those of theirs in the order of ours.
    fn recurrent(
        &mut self,
        operator: &Operator<'a>,
        gates: &[usize],
        functions: &[&str],
        build: Build,
    ) -> Result<(), String> {
        operator.expect("layout", 0, 0)?;
        if operator.input(4).is_some() {
            return Err("has lengths of its series".to_owned());
        }
        self.expect_zeros(operator, 5, "an initial state")?;
        let reversed: &[bool] = match operator.text("direction", "forward").as_str() {
            "forward" => &[false],
            "reverse" => &[true],
            "bidirectional" => &[false, true],
            other => return Err(format!("has the attribute direction = {other:?}")),
        };
        let expected = functions.repeat(reversed.len());
        if let Some(found) = operator.texts("activations")
            && found != expected
        {
            return Err(format!(
                "has the attribute activations = {found:?}; {expected:?} are supported"
            ));
        }
        let value = self.value(operator, 0)?;
        let value = match value.layout.rows() {
            1 => self.positions(value)?,
            rows => {
                return Err(format!(
                    "takes rows as the dimension {rows}, expected steps, rows, channels"
                ));
            }
        };
        let (steps, channels) = (value.view.width, value.view.channels);
        let units = usize::try_from(operator.integer("hidden_size", 0)).unwrap_or(0);
        if units == 0 {
            return Err("has no attribute hidden_size".to_owned());
        }
        let rows = gates.len().checked_mul(units).ok_or("is too wide")?;
        let count =
            |width: usize| rows.checked_mul(width).and_then(|n| n.checked_mul(reversed.len()));
        let [of_input, of_state, of_bias] = [channels, units, 2].map(count);
        let weight = self.numbers(operator, 1, of_input.ok_or("is too wide")?)?;
        let hidden = self.numbers(operator, 2, of_state.ok_or("is too wide")?)?;
        let biases = match operator.input(3) {
            Some(_) => self.numbers(operator, 3, of_bias.ok_or("is too wide")?)?,
            None => vec![0.0; 2 * rows * reversed.len()],
        };
        let in_order = |numbers: &[f32]| -> Vec<f32> {
            let gate = numbers.len() / gates.len();
            gates.iter().flat_map(|&which| &numbers[which * gate..][..gate]).copied().collect()
        };
        let directions = reversed.iter().enumerate().map(|(d, &reversed)| {
            let part = |numbers: &[f32], each: usize| in_order(&numbers[d * each..][..each]);
            let [input, state] =
                [0, 1].map(|half| in_order(&biases[(2 * d + half) * rows..][..rows]));
            Direction {
                reversed,
                input_weight: part(&weight, rows * channels),
                hidden_weight: part(&hidden, rows * units),
                biases: [input, state],
            }
        });
        let directions = Vec::from_iter(directions);
        for (output, all) in [(0, true), (1, false)] {
            if !self.is_taken(operator, output) {
                continue;
            }
            let width = if all { steps } else { 1 };
            let mut sources = Vec::new();
            for direction in &directions {
                let layer = build(direction, channels, units, all);
                sources.push(self.push(layer, vec![value.source.clone()]));
            }
            let view = View { height: 1, width, channels: units * sources.len() };
            let source = match sources.as_slice() {
                [source] => source.clone(),
                _ => self.push(
                    Layer::Concat(With { attributes: Concat {}, tensors: Vec::new() }),
                    sources,
                ),
            };
            // steps x directions x rows x units, without the steps where there is the last state alone.
            let mut dimensions = vec![Some((directions.len(), units)), None, Some((units, 1))];
            if all {
                dimensions.insert(0, Some((steps, view.channels)));
            }
            let layout = Layout::strided(&dimensions);
            self.give(operator, output, Value { source, view, layout });
        }
        Ok(())
    }
}
