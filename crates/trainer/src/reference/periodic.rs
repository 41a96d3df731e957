//! Formulas for numbers: the smooth clip, and each number with mixtures of waves of it.

use super::formula::{At, Formula};
use super::number::{Number, sum};
use crate::layer::{Periodic, SmoothClip};

impl Formula for SmoothClip {
    fn values<N: Number>(&self, at: At<'_, N>) -> Vec<Vec<N>> {
        let (one, three) = (N::from(1.0), N::from(3.0));
        at.each_value(|x, _| x / (one + x / three * (x / three)).sqrt())
    }
}

impl Formula for Periodic {
    fn values<N: Number>(&self, at: At<'_, N>) -> Vec<Vec<N>> {
        let [frequency, phase, weight, bias] = at.parameters else { unreachable!("four tensors") };
        let (channels, waves, mixtures) = (self.input().channels, self.waves, self.size - 1);
        let turn = N::from(std::f64::consts::TAU);
        at.each(|numbers, _| {
            let of_number = |(i, &x): (usize, &N)| {
                let c = i % channels;
                let wave = |k: usize| (turn * frequency[k] * x + phase[k]).cos();
                let cosines: Vec<N> = (c * waves..(c + 1) * waves).map(wave).collect();
                let mixture = |m: usize| {
                    let weight = |k: usize| weight[(c * waves + k) * mixtures + m];
                    let terms = cosines.iter().enumerate().map(|(k, &cosine)| weight(k) * cosine);
                    bias[c * mixtures + m] + sum(terms)
                };
                let mixtures: Vec<N> = (0..mixtures).map(mixture).collect();
                std::iter::once(x).chain(mixtures)
            };
            numbers.iter().enumerate().flat_map(of_number).collect()
        })
    }
}
