//! Groups of arguments that several commands share. Parsing does nothing but parse.
//!
//! The groups do not contain each other: clap would not know then which arguments a group has, which
//! `train --resume` needs.

mod count;
mod network;
mod plugins;
mod run;
mod table;

pub(crate) use count::count;
pub(crate) use network::NetworkArgs;
pub(crate) use plugins::PluginArgs;
pub(crate) use run::RunArgs;
pub(crate) use table::{LearnArgs, TableArgs};
