//! Groups of arguments that several commands share. Parsing does nothing but parse.

mod network;
mod run;
mod table;

pub(crate) use network::NetworkArgs;
pub(crate) use run::RunArgs;
pub(crate) use table::{LearnArgs, TableArgs};
