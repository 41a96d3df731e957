//! An activation by itself, and dropout, which is off wherever gradients are compared.

use super::formula::{At, Formula};
use super::functions;
use super::number::Number;
use crate::layer::{Activate, Drop};

impl Formula for Activate {
    fn values<N: Number>(&self, at: At<'_, N>) -> Vec<Vec<N>> {
        at.each_value(|z, kinks| functions::activation(self.activation, z, kinks))
    }
}

impl Formula for Drop {
    fn values<N: Number>(&self, at: At<'_, N>) -> Vec<Vec<N>> {
        at.each_value(|x, _| x)
    }
}
