//! Groups of arguments that several commands share. Parsing does nothing but parse.
//!
//! A group that is made of others has no name: clap would not know which arguments it has, which
//! `train --resume` needs.

mod count;
mod described;
mod plugins;
mod setting;
mod settings;
mod table;

pub(crate) use count::count;
pub(crate) use described::Described;
pub(crate) use plugins::PluginArgs;
pub(crate) use setting::Given;
pub(crate) use settings::{Course, Network, Training};
pub(crate) use table::{ReadArgs, Reading, TableArgs};
