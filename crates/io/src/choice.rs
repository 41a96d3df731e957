//! Which format a file is in, as a user says it.

use crate::error::{Error, Result};
use crate::plugin::search::Plugins;

/// Which format, what it is told, and which plugins it may be. The default is to find out, among those built
/// in.
#[derive(Debug, Clone, Default)]
pub struct FormatChoice {
    /// Its name; else it is recognised.
    pub name: Option<String>,
    /// What it is told. No format that is built in takes options.
    pub options: Vec<(String, String)>,
    /// The plugins that may be used.
    pub plugins: Plugins,
}

impl From<Option<&str>> for FormatChoice {
    /// The built-in format of this name, if there is one, or the one recognised.
    fn from(name: Option<&str>) -> FormatChoice {
        FormatChoice { name: name.map(str::to_owned), ..FormatChoice::default() }
    }
}

impl FormatChoice {
    /// A format that is built in.
    pub fn named(name: &str) -> FormatChoice {
        Some(name).into()
    }

    /// Refuses options for a format that is built in.
    pub(crate) fn without_options(&self, name: &str) -> Result<()> {
        match self.options.first() {
            None => Ok(()),
            Some((key, _)) => Err(Error::Options(format!(
                "the format {name} takes no options, but \"{key}\" was given: options are for plugins"
            ))),
        }
    }

    /// What to say of a name that no format has.
    pub(crate) fn no_plugin(&self, name: &str) -> String {
        match self.plugins.are_searched() {
            true => format!("; nor is there a program gristmill-format-{name} among the plugins"),
            false => String::new(),
        }
    }
}
