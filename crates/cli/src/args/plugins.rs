//! Formats that are programs of their own, and what they are told.

use crate::failure::Failure;
use clap::Args;
use gristmill_io::{FormatChoice, Plugins};
use std::path::PathBuf;

/// Where plugins are, and their options.
#[derive(Args)]
#[command(next_help_heading = "Plugin formats (see gristmill formats --help)")]
pub(crate) struct PluginArgs {
    /// Option of a plugin format, as in table=iris; again for each further one
    #[arg(long = "option", value_name = "KEY=VALUE", value_parser = key_and_value)]
    options: Vec<(String, String)>,
    /// Directory of programs gristmill-format-NAME; again for each further one
    /// [default: those of GRISTMILL_PLUGINS, then PATH]
    #[arg(long, value_name = "DIR")]
    plugins: Vec<PathBuf>,
}

impl PluginArgs {
    /// The choice of the format `name`, or of the one that is recognised.
    pub(crate) fn choice(self, name: Option<String>) -> Result<FormatChoice, Failure> {
        let plugins = Plugins::from_env(&self.plugins)?;
        Ok(FormatChoice { name, options: self.options, plugins })
    }
}

fn key_and_value(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("expected KEY=VALUE")?;
    Ok((key.to_owned(), value.to_owned()))
}
