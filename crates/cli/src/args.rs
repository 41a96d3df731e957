//! Groups of arguments that several commands share. Parsing does nothing but parse.
//!
//! A group that is made of others has no name: clap would not know which arguments it has, which
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
pub(crate) use table::{ReadArgs, TableArgs};
