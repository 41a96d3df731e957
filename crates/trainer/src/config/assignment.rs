//! One option given by itself, as on a command line: `optimizer.beta1=0.8`.

use super::{ConfigError, RunConfig, keys};
use toml::{Table, Value};

/// A value that an option is given.
#[derive(Debug, Clone, PartialEq)]
pub struct Assignment {
    /// As the user wrote it, which errors about it quote.
    given: String,
    /// The key, in its parts.
    path: Vec<String>,
    value: Value,
}

impl Assignment {
    /// A value for `key`, as in `optimizer.beta1`. Errors about it quote `given`.
    pub fn new(given: impl Into<String>, key: &str, value: impl Into<Value>) -> Assignment {
        let path = key.split('.').map(str::to_owned).collect();
        Assignment { given: given.into(), path, value: value.into() }
    }

    /// Reads a dotted key, `=`, and a TOML value; the quotes of text may be left out. A table is one
    /// assignment for each of its keys.
    ///
    /// # Errors
    /// It is no assignment, or there is no such key.
    pub fn parse(given: impl Into<String>, text: &str) -> Result<Vec<Assignment>, ConfigError> {
        let given = given.into();
        let wrong = |reason: String| ConfigError::Assignment { given: given.clone(), reason };
        let Some((key, value)) = text.split_once('=') else {
            return Err(wrong("expected KEY=VALUE, as in optimizer.beta1=0.8".to_owned()));
        };
        let quoted = || format!("{key} = {}", Value::String(value.trim().to_owned())).parse();
        let table: Result<Table, toml::de::Error> = text.parse().or_else(|_| quoted());
        let table = table.map_err(|error| wrong(error.message().trim_end().to_owned()))?;
        let mut found = Vec::new();
        flatten(Vec::new(), Value::Table(table), &mut found);
        let assignment = |(path, value): (Vec<String>, Value)| {
            let path = keys::spelled(&path).map_err(wrong)?;
            Ok(Assignment { given: given.clone(), path, value })
        };
        found.into_iter().map(assignment).collect()
    }

    /// The key, as in `optimizer.beta1`.
    pub fn key(&self) -> String {
        self.path.join(".")
    }

    /// As the user wrote it.
    pub fn given(&self) -> &str {
        &self.given
    }

    /// The key, in its parts.
    pub(super) fn path(&self) -> &[String] {
        &self.path
    }

    /// The configuration of nothing but this.
    pub(super) fn alone(&self) -> Result<RunConfig, ConfigError> {
        let mut table = Table::new();
        self.put_into(&mut table)?;
        table.try_into().map_err(|error: toml::de::Error| self.wrong(error.message()))
    }

    /// Puts the value into a configuration, which must still be one then.
    pub(super) fn put_into(&self, table: &mut Table) -> Result<(), ConfigError> {
        put(table, &self.path, self.value.clone());
        let read: Result<RunConfig, _> = table.clone().try_into();
        read.map(drop).map_err(|error| self.wrong(error.message()))
    }

    pub(super) fn wrong(&self, reason: impl Into<String>) -> ConfigError {
        ConfigError::Assignment {
            given: self.given.clone(),
            reason: reason.into().trim_end().to_owned(),
        }
    }
}

/// Cuts tables into their values, each with its path.
fn flatten(path: Vec<String>, value: Value, found: &mut Vec<(Vec<String>, Value)>) {
    match value {
        Value::Table(table) if !table.is_empty() => {
            for (key, value) in table {
                flatten([&path[..], &[key]].concat(), value, found);
            }
        }
        value => found.push((path, value)),
    }
}

/// Puts a value where its path leads, in place of what is in the way.
fn put(table: &mut Table, path: &[String], value: Value) {
    let [key, rest @ ..] = path else { return };
    if rest.is_empty() {
        table.insert(key.clone(), value);
        return;
    }
    let slot = table.entry(key.clone()).or_insert_with(|| Value::Table(Table::new()));
    if !slot.is_table() {
        *slot = Value::Table(Table::new());
    }
    if let Value::Table(inner) = slot {
        put(inner, rest, value);
    }
}
