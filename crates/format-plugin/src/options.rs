//! What a plugin is told: `--name=value` on its command line, checked before by gristmill.

use crate::error::Result;
use std::ffi::OsString;
use std::str::FromStr;

/// What the values of an option are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OptionType {
    /// Any text.
    String,
    /// A whole number.
    Integer,
    /// A finite number.
    Number,
    /// `true` or `false`.
    Boolean,
}

impl OptionType {
    pub(crate) fn name(self) -> &'static str {
        match self {
            OptionType::String => "string",
            OptionType::Integer => "integer",
            OptionType::Number => "number",
            OptionType::Boolean => "boolean",
        }
    }
}

/// The options given.
#[derive(Debug, Default)]
pub struct Options(Vec<(String, String)>);

impl Options {
    pub(crate) fn parse(arguments: impl Iterator<Item = OsString>) -> Result<Options> {
        let parse = |argument: OsString| {
            let text = argument.to_string_lossy();
            let option = text.strip_prefix("--").and_then(|option| option.split_once('='));
            let (name, value) = option.ok_or_else(|| format!("{text} is no --name=value"))?;
            Ok((name.to_owned(), value.to_owned()))
        };
        arguments.map(parse).collect::<Result<_>>().map(Options)
    }

    /// The value of an option, if it is given.
    ///
    /// # Errors
    /// It is no `T`.
    pub fn get<T: FromStr>(&self, name: &str) -> Result<Option<T>> {
        let Some((_, value)) = self.0.iter().rev().find(|(given, _)| given == name) else {
            return Ok(None);
        };
        match value.parse() {
            Ok(value) => Ok(Some(value)),
            Err(_) => Err(format!("the option {name} cannot be \"{value}\"").into()),
        }
    }
}
