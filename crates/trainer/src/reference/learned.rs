//! Functions with a learned number for each channel: a x, and the leaky ReLU with that slope.

use super::formula::{At, Formula};
use super::number::Number;
use crate::layer::Learned;
use crate::layer::learned::LearnedFunction;

impl Formula for Learned {
    fn values<N: Number>(&self, at: At<'_, N>) -> Vec<Vec<N>> {
        let learned = &at.parameters[0];
        at.each(|inputs, kinks| {
            let numbers = learned.iter().cycle();
            let function = |(&x, &a): (&N, &N)| match self.function {
                LearnedFunction::Scale => a * x,
                LearnedFunction::Prelu => match kinks.is_past(x.value() > 0.0) {
                    true => x,
                    false => a * x,
                },
            };
            inputs.iter().zip(numbers).map(function).collect()
        })
    }
}
