//! What tables are made of, both ways.

use arrow_schema::{DataType, Field};
use std::collections::HashMap;

/// Where the metadata of a field says what its column is for.
const ROLE: &str = "gristmill.role";

/// A column of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// What is in it.
    pub kind: ColumnType,
    /// What it is for.
    pub role: Role,
}

/// What is in a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnType {
    /// Numbers.
    Number,
    /// Texts.
    Text,
}

/// What a column is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Something to predict from.
    Input,
    /// What is to be predicted.
    Target,
    /// How much each row counts.
    Weights,
}

impl Column {
    /// A column of numbers.
    pub fn number(name: impl Into<String>) -> Column {
        Column { name: name.into(), kind: ColumnType::Number, role: Role::Input }
    }

    /// A column of texts.
    pub fn text(name: impl Into<String>) -> Column {
        Column { name: name.into(), kind: ColumnType::Text, role: Role::Input }
    }

    /// The same, to be predicted.
    pub fn target(self) -> Column {
        Column { role: Role::Target, ..self }
    }

    pub(crate) fn field(&self) -> Field {
        let data_type = match self.kind {
            ColumnType::Number => DataType::Float64,
            ColumnType::Text => DataType::Utf8,
        };
        let role = match self.role {
            Role::Input => return Field::new(&self.name, data_type, true),
            Role::Target => "target",
            Role::Weights => "weights",
        };
        let metadata = HashMap::from([(ROLE.to_owned(), role.to_owned())]);
        Field::new(&self.name, data_type, true).with_metadata(metadata)
    }

    pub(crate) fn of(field: &Field) -> Column {
        let kind = match field.data_type() {
            DataType::Utf8 => ColumnType::Text,
            _ => ColumnType::Number,
        };
        let role = match field.metadata().get(ROLE).map(String::as_str) {
            Some("target") => Role::Target,
            Some("weights") => Role::Weights,
            _ => Role::Input,
        };
        Column { name: field.name().clone(), kind, role }
    }
}

/// A value of a row.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A number.
    Number(f64),
    /// A text.
    Text(String),
    /// Nothing is known.
    Missing,
}

impl From<f64> for Value {
    fn from(number: f64) -> Value {
        Value::Number(number)
    }
}

impl From<String> for Value {
    fn from(text: String) -> Value {
        Value::Text(text)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Value {
        Value::Text(text.to_owned())
    }
}
