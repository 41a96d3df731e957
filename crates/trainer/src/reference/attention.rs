//! Attention: out[i] = sum over j of softmax(q[i] . k[j] / sqrt(width)) v[j], head by head; and learned positions.

use super::formula::{At, Formula};
use super::number::{Number, sum};
use crate::layer::{Attention, Positions};

impl Formula for Attention {
    fn values<N: Number>(&self, at: At<'_, N>) -> Vec<Vec<N>> {
        let (positions, units) = (self.view().positions(), self.view().channels);
        let width = units / self.heads;
        at.each_to_its_end(|sample, end, _| {
            let end = end.unwrap_or(positions);
            // Of a position the queries, keys or values of a head.
            let part = |position: usize, part: usize, head: usize| {
                let first = (position * 3 + part) * units + head * width;
                let vector = &sample[first..first + width];
                match self.is_rotary && part < 2 {
                    true => turned(vector, position),
                    false => vector.to_vec(),
                }
            };
            let of_position = |i: usize| {
                (0..self.heads).flat_map(move |head| {
                    let query = part(i, 0, head);
                    let seen = if self.is_causal { end.min(i + 1) } else { end };
                    let score = |j: usize| {
                        let products = query.iter().zip(part(j, 1, head)).map(|(&q, k)| q * k);
                        sum(products) / N::from((width as f64).sqrt())
                    };
                    let scores: Vec<N> = (0..seen).map(score).collect();
                    let most = scores.iter().map(|s| s.value()).fold(f64::NEG_INFINITY, f64::max);
                    let powers: Vec<N> =
                        scores.iter().map(|&s| (s - N::from(most)).exp()).collect();
                    let total = sum(powers.iter().copied());
                    (0..width)
                        .map(move |unit| {
                            let terms = powers.iter().enumerate();
                            sum(terms.map(|(j, &p)| p / total * part(j, 2, head)[unit]))
                        })
                        .collect::<Vec<N>>()
                })
            };
            (0..positions).flat_map(of_position).collect()
        })
    }
}

/// Unit c of the first half and unit c of the second, turned by position / 10000^(2 c / width).
fn turned<N: Number>(vector: &[N], position: usize) -> Vec<N> {
    let half = vector.len() / 2;
    let angle = |c: usize| position as f64 / 10_000f64.powf(2.0 * c as f64 / vector.len() as f64);
    let unit = |u: usize| {
        let c = u % half;
        let (sin, cos) = angle(c).sin_cos();
        let (a, b) = (vector[c], vector[c + half]);
        match u < half {
            true => a * N::from(cos) - b * N::from(sin),
            false => a * N::from(sin) + b * N::from(cos),
        }
    };
    (0..vector.len()).map(unit).collect()
}

impl Formula for Positions {
    fn values<N: Number>(&self, at: At<'_, N>) -> Vec<Vec<N>> {
        let learned = &at.parameters[0];
        at.each(|sample, _| sample.iter().zip(learned).map(|(&x, &p)| x + p).collect())
    }
}
