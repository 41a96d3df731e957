//! Layers in one line: `conv 32 3x3, batch-norm, relu, pool 2, dense 128, dropout 0.3`.
//!
//! Layers are separated by commas. A layer is its kind, then values for the first keys of that kind, then
//! `key=value`; an activation may be named alone.

use super::ConfigError;
use super::layers::{LayerConfig, LayerKind, kind_named};
use gristmill_io::suggest::alike;
use gristmill_kernels::Activation;
use toml::{Table, Value};

/// The layers of a line, as the value of `network.layers`.
///
/// # Errors
/// A layer is of no known kind, or has a value that its kind does not take.
pub fn layers_of_line(line: &str) -> Result<Value, ConfigError> {
    let layers = parts(line);
    let layers = layers.into_iter().map(|text| layer(text).map(Value::Table));
    Ok(Value::Array(layers.collect::<Result<_, _>>()?))
}

/// What stands between commas that are not in brackets.
fn parts(line: &str) -> Vec<&str> {
    let (mut parts, mut depth, mut start) = (Vec::new(), 0usize, 0);
    for (at, c) in line.char_indices() {
        match c {
            '(' | '[' => depth += 1,
            ')' | ']' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                parts.push(line[start..at].trim());
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(line[start..].trim());
    parts
}

fn layer(text: &str) -> Result<Table, ConfigError> {
    let wrong =
        |expected: String| ConfigError::value("network.layers", format!("{text:?}"), expected);
    let mut words = text.split_whitespace();
    let Some(first) = words.next() else {
        return Err(wrong("expected a layer between commas".to_owned()));
    };
    let mut table = Table::new();
    let kind = match is_activation(first) {
        true => {
            table.insert("function".to_owned(), Value::String(first.to_owned()));
            "activation"
        }
        false => kind_named(first).map_err(wrong)?,
    };
    table.insert("kind".to_owned(), Value::String(kind.to_owned()));
    let mut keys = LayerKind::positional(kind).iter().filter(|_| !is_activation(first));
    for word in words {
        let (key, value) = match word.split_once('=') {
            Some((key, value)) => (key.replace('-', "_"), value),
            None => match keys.next() {
                Some(key) => ((*key).to_owned(), word),
                None => {
                    let names = LayerKind::positional(kind).join(" and ");
                    let takes = if names.is_empty() { "nothing".to_owned() } else { names };
                    return Err(wrong(format!(
                        "{kind} takes {takes} here, not {word:?}; name what else it is, as in key=value"
                    )));
                }
            },
        };
        let value = if key == "from" { sources(value) } else { value_of(value) };
        if table.insert(key.clone(), value).is_some() {
            return Err(wrong(format!("{key} is given twice")));
        }
    }
    LayerConfig::try_from(table.clone()).map_err(wrong)?;
    Ok(table)
}

/// Whether it is the name of an activation, perhaps with a parameter in brackets.
fn is_activation(word: &str) -> bool {
    let name = word.split('(').next().unwrap_or(word);
    Activation::NAMES.iter().any(|known| alike(known, name))
}

/// `a+b` names two layers.
fn sources(text: &str) -> Value {
    Value::Array(text.split('+').map(|name| Value::String(name.to_owned())).collect())
}

/// A number, `3x5`, a truth value or a text.
fn value_of(text: &str) -> Value {
    let lengths: Option<Vec<i64>> = text.split('x').map(|part| part.parse().ok()).collect();
    match lengths.as_deref() {
        Some(&[length]) => return Value::Integer(length),
        Some(lengths) => {
            return Value::Array(lengths.iter().copied().map(Value::Integer).collect());
        }
        None => {}
    }
    match (text.parse(), text) {
        (Ok(number), _) => Value::Float(number),
        (_, "true") => Value::Boolean(true),
        (_, "false") => Value::Boolean(false),
        _ => Value::String(text.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::RunConfig;

    fn long(line: &str) -> RunConfig {
        let mut config = Table::new();
        let mut network = Table::new();
        network.insert("layers".to_owned(), layers_of_line(line).unwrap());
        config.insert("network".to_owned(), Value::Table(network));
        config.try_into().unwrap()
    }

    #[test]
    fn a_line_is_short_for_tables() {
        let line = "conv 32 3x5 padding=same, leaky-relu(0.1), pool 2, dense 128 dropout=0.5, \
                    dropout 0.3, add from=dense1+dropout1";
        let text = "
            [[network.layers]]
            kind = 'conv'
            filters = 32
            kernel = [3, 5]
            padding = 'same'
            [[network.layers]]
            kind = 'activation'
            function = 'leaky-relu(0.1)'
            [[network.layers]]
            kind = 'pool'
            window = 2
            [[network.layers]]
            units = 128
            dropout = 0.5
            [[network.layers]]
            kind = 'dropout'
            rate = 0.3
            [[network.layers]]
            kind = 'add'
            from = ['dense1', 'dropout1']";
        let config = long(line);
        assert_eq!(config, RunConfig::from_toml(text).unwrap());
        assert_eq!(RunConfig::from_toml(&config.to_toml()).unwrap(), config);
    }

    #[test]
    fn mistakes_are_named() {
        for (line, part) in [
            ("convv 3 3", "did you mean \"conv\"?"),
            ("conv 3 3 3", "conv takes filters and kernel here, not \"3\""),
            ("dense", "missing field `units`"),
            ("dense 3 unit=4", "unknown field `unit`"),
            ("relu 3", "takes"),
            ("dense 3,,relu", "expected a layer between commas"),
            ("dense 3 units=4", "units is given twice"),
        ] {
            let message = layers_of_line(line).unwrap_err().to_string();
            assert!(message.contains(part), "{line}: {message}");
        }
    }
}
