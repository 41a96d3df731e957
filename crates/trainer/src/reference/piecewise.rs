//! Each feature as a linear function, and one that bends at the edges of bins.

use super::formula::{At, Formula};
use super::number::{Number, sum};
use crate::layer::Piecewise;

impl Formula for Piecewise {
    fn values<N: Number>(&self, at: At<'_, N>) -> Vec<Vec<N>> {
        let [edges, slope, bias, weight] = at.parameters else { unreachable!("four tensors") };
        let (channels, bins, size) = (self.input().channels, self.bins, self.size);
        at.each(|features, kinks| {
            let mut values = Vec::with_capacity(features.len() * size);
            for (i, &x) in features.iter().enumerate() {
                let c = i % channels;
                // What is learned by no gradient is a constant.
                let edge = |t: usize| N::from(edges[c * (bins + 1) + t].value());
                let mut code = |t: usize| {
                    let width = edge(t + 1) - edge(t);
                    if width.value() <= 0.0 {
                        return N::from(0.0);
                    }
                    let code = (x - edge(t)) / width;
                    if t > 0 && !kinks.is_past(code.value() > 0.0) {
                        return N::from(0.0);
                    }
                    if t + 1 < bins && kinks.is_past(code.value() > 1.0) {
                        return N::from(1.0);
                    }
                    code
                };
                let codes: Vec<N> = (0..bins).map(&mut code).collect();
                for j in 0..size {
                    let terms = codes.iter().enumerate();
                    let terms = terms.map(|(t, &e)| e * weight[(c * bins + t) * size + j]);
                    values.push(bias[c * size + j] + slope[c * size + j] * x + sum(terms));
                }
            }
            values
        })
    }
}
