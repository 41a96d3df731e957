//! Graphs of other programs, read: what each operator is as a layer of ours.

mod constant;
mod elements;
mod layout;
mod norms;
mod operator;
mod products;
mod reader;
mod recurrent;
mod shapes;
mod windows;

pub(super) use constant::{Constant, numbers};
pub(super) use layout::Layout;
pub(super) use operator::Operator;
pub(super) use reader::Reader;
