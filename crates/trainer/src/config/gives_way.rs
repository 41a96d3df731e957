//! What of a configuration gives way to single options that are given beside it.
//!
//! A configuration that a run wrote spells out every option. When its optimiser is to be another one,
//! the learning rate in it is that of the last, and means nothing to the new.

use super::assignment::Assignment;
use super::{ConfigError, RunConfig};
use toml::{Table, Value};

/// An option of a configuration that gave way to one that was given.
#[derive(Debug, Clone, PartialEq)]
pub struct GaveWay {
    /// The key, as in `optimizer.momentum`.
    pub key: String,
    /// What it was.
    pub value: String,
    /// What was given, as the user wrote it.
    pub given: String,
}

/// Sections whose options belong to their kind, and the options that every kind has.
const KINDS: &[(&str, &[&str])] = &[
    ("optimizer", &["kind", "l1", "l2", "clip_value", "clip_norm"]),
    ("loss", &["kind"]),
    ("schedule", &["kind", "warmup"]),
];

/// Options, and what says the same for a part of the network or in another way. `[]` is every layer.
const OTHERS: &[(&str, &[&str])] = &[
    (
        "data.augment",
        &[
            "data.augment.shift",
            "data.augment.flip",
            "data.augment.crop",
            "data.augment.cutout",
            "data.augment.mixup",
        ],
    ),
    ("network.hidden", &["network.layers", "network.output.weights"]),
    ("network.layers", &["network.hidden", "network.output.weights"]),
    ("network.activation", &["network.layers.[].activation"]),
    ("network.bias", &["network.layers.[].bias", "network.output.bias"]),
    ("network.dropout", &["network.layers.[].dropout"]),
    (
        "network.init",
        &[
            "network.init_scale",
            "network.layers.[].init",
            "network.layers.[].init_scale",
            "network.layers.[].weights",
            "network.output.init",
            "network.output.init_scale",
            "network.output.weights",
        ],
    ),
    ("network.init_scale", &["network.layers.[].init_scale", "network.output.init_scale"]),
    ("training.memory", &["training.block_rows", "training.window_blocks"]),
    ("training.shuffle", &["training.block_rows", "training.window_blocks"]),
    ("validation.file", &["validation.split"]),
    ("validation.split", &["validation.file"]),
];

/// Takes out of a configuration what gives way to the assignments.
pub(super) fn remove(
    table: &mut Table,
    assignments: &[Assignment],
) -> Result<Vec<GaveWay>, ConfigError> {
    let default = Table::try_from(RunConfig::default()).expect("every field has a TOML form");
    let mut removed = Vec::new();
    for assignment in assignments {
        for key in giving_way(table, assignment)? {
            let path: Vec<&str> = key.split('.').collect();
            let usual = find(&default, &path).cloned();
            for value in take(table, &path) {
                if Some(&value) != usual.as_ref() {
                    let (key, given) = (key.replace(".[]", "[]"), assignment.given().to_owned());
                    removed.push(GaveWay { key, value: shown(&value), given });
                }
            }
        }
    }
    Ok(removed)
}

/// The keys that give way to an assignment.
fn giving_way(table: &Table, assignment: &Assignment) -> Result<Vec<String>, ConfigError> {
    let key = assignment.key();
    for (section, kept) in KINDS {
        if key == format!("{section}.kind") {
            let options = table.get(*section).and_then(Value::as_table);
            let is_other = |option: &&String| !kept.contains(&option.as_str());
            let options = options.into_iter().flat_map(Table::keys).filter(is_other);
            return Ok(match changes(table, assignment)? {
                true => options.map(|option| format!("{section}.{option}")).collect(),
                false => Vec::new(),
            });
        }
    }
    // These say again what the configuration says.
    let is_same = matches!(
        key.as_str(),
        "data.augment" | "network.hidden" | "network.layers" | "training.shuffle"
    ) && !changes(table, assignment)?;
    let others = OTHERS.iter().filter(|(other, _)| *other == key && !is_same);
    Ok(others.flat_map(|(_, keys)| keys.iter().map(|key| (*key).to_owned())).collect())
}

/// Whether the configuration has another value.
fn changes(table: &Table, assignment: &Assignment) -> Result<bool, ConfigError> {
    let path: Vec<&str> = assignment.path().iter().map(String::as_str).collect();
    let given = Table::try_from(assignment.alone()?).expect("every field has a TOML form");
    Ok(find(table, &path) != find(&given, &path))
}

fn find<'t>(table: &'t Table, path: &[&str]) -> Option<&'t Value> {
    let (key, rest) = path.split_first()?;
    match (table.get(*key), rest) {
        (found, []) => found,
        (Some(Value::Table(inner)), rest) => find(inner, rest),
        _ => None,
    }
}

/// Takes out what a path leads to, of every element of an array where it has `[]`.
fn take(table: &mut Table, path: &[&str]) -> Vec<Value> {
    match path {
        [] => Vec::new(),
        [key] => table.remove(*key).into_iter().collect(),
        [key, "[]", rest @ ..] => {
            let layers = table.get_mut(*key).and_then(Value::as_array_mut);
            let layers = layers.into_iter().flatten().filter_map(Value::as_table_mut);
            layers.flat_map(|layer| take(layer, rest)).collect()
        }
        [key, rest @ ..] => {
            let inner = table.get_mut(*key).and_then(Value::as_table_mut);
            inner.map_or_else(Vec::new, |inner| take(inner, rest))
        }
    }
}

/// A value in a line, cut short: it may be a matrix.
fn shown(value: &Value) -> String {
    const SHOWN: usize = 40;
    let text = value.to_string().replace('\n', " ");
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::LayerKind;

    /// Assigns to a configuration: what it is then, and what gave way.
    fn assign(config: &str, text: &str) -> (RunConfig, Vec<String>) {
        let config = RunConfig::from_toml(config).unwrap();
        let (config, gave_way) = config.assign(&Assignment::parse(text, text).unwrap()).unwrap();
        let line = |gone: &GaveWay| {
            assert_eq!(gone.given, text);
            format!("{} = {}", gone.key, gone.value)
        };
        (config, gave_way.iter().map(line).collect())
    }

    #[test]
    fn options_of_another_kind_give_way() {
        let nesterov = "optimizer = { kind = 'nesterov', momentum = 0.8, l2 = 0.5, clip_norm = 2 }";
        let (config, gave_way) = assign(nesterov, "optimizer.kind=adam");
        assert_eq!(gave_way, ["optimizer.momentum = 0.8"]);
        let kept = RunConfig::from_toml("optimizer = { l2 = 0.5, clip_norm = 2 }").unwrap();
        assert_eq!(config, kept);
        let (config, gave_way) = assign(nesterov, "optimizer.kind=Nesterov");
        assert_eq!((config, gave_way.len()), (RunConfig::from_toml(nesterov).unwrap(), 0));

        let step = "schedule = { kind = 'step', every = 3, warmup = 1 }";
        let (config, gave_way) = assign(step, "schedule.kind=cosine");
        assert_eq!(gave_way, ["schedule.every = 3.0"]);
        assert_eq!(config.schedule.warmup, 1.0);
        let (_, gave_way) = assign("loss = { kind = 'huber', delta = 2 }", "loss.kind=auto");
        assert_eq!(gave_way, ["loss.delta = 2.0"]);
    }

    #[test]
    fn what_is_said_in_another_way_gives_way() {
        let layers =
            "network.layers = [{ units = 3, activation = 'tanh', bias = true, dropout = 0.5 }]
            network.output = { bias = true, weights = [[1, 2, 3]] }";
        let (config, gave_way) = assign(layers, "network.hidden=[4]");
        assert_eq!(gave_way.len(), 2, "{gave_way:?}");
        assert_eq!(config.network.hidden, Some(vec![4]));
        assert_eq!((config.network.layers.len(), config.network.output.weights), (0, None));

        let (config, gave_way) = assign(layers, "network.activation=relu");
        assert_eq!(gave_way, ["network.layers[].activation = \"tanh\""]);
        let LayerKind::Dense(layer) = &config.network.layers[0].kind else { panic!("{config:?}") };
        assert_eq!(layer.activation, None);
        let (config, gave_way) = assign(layers, "network.bias=false");
        assert_eq!((gave_way.len(), config.network.output.bias), (2, None));
        let (_, gave_way) = assign(layers, "network.dropout=0.25");
        assert_eq!(gave_way, ["network.layers[].dropout = 0.5"]);
        let (config, gave_way) = assign(layers, "network.init=he");
        assert_eq!((gave_way.len(), config.network.output.weights), (1, None));

        let (config, gave_way) = assign("validation.split = 0.25", "validation.file=a.csv");
        assert_eq!(gave_way, ["validation.split = 0.25"]);
        assert_eq!(config.validation.split, 0.0);
        let (config, gave_way) = assign("validation.file = 'a.csv'", "validation.split=0.25");
        assert_eq!((gave_way.len(), config.validation.file), (1, None));
    }
}
