//! What options are where a user says nothing: for help, so that it says what the types say.

use super::{DataShape, RunConfig, TargetShape};
use toml::{Table, Value};

impl RunConfig {
    /// The value of a key as text, where it is left out that which numbers are trained with; `None` where
    /// there is none.
    pub fn complete_value(&self, key: &str) -> Option<String> {
        let shape = DataShape { features: 1, index_columns: &[], target: TargetShape::Numbers(1) };
        let complete = || self.resolve(&shape).ok().map(|plan| plan.config);
        value_of(self, key).or_else(|| value_of(&complete()?, key))
    }
}

fn value_of(config: &RunConfig, key: &str) -> Option<String> {
    let table = Table::try_from(config).expect("every field has a TOML form");
    let mut value = Value::Table(table);
    for part in key.split('.') {
        value = value.as_table_mut()?.remove(part)?;
    }
    Some(text(&value))
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Float(number) => number.to_string(),
        Value::Array(values) => values.iter().map(text).collect::<Vec<_>>().join(","),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_those_of_a_complete_configuration() {
        let config = RunConfig::default();
        for (key, value) in [
            ("training.epochs", Some("20")),
            ("network.hidden", Some("128")),
            ("network.dropout", Some("0")),
            ("optimizer.learning_rate", Some("0.001")),
            ("loss.kind", Some("auto")),
            ("optimizer.clip_norm", None),
            ("no.key", None),
        ] {
            assert_eq!(config.complete_value(key).as_deref(), value, "{key}");
        }
    }
}
