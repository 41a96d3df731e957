//! The keys of a configuration, as its types have them: `optimizer.learning_rate`.

use super::{
    AugmentConfig, CheckpointConfig, DataConfig, EarlyStoppingConfig, LossConfig, NetworkConfig,
    OptimizerConfig, OutputConfig, RunConfig, ScheduleConfig, TrainingConfig, ValidationConfig,
};
use gristmill_io::suggest::{alike, closest};
use serde::de::value::Error;
use serde::de::{Deserialize, Deserializer, Visitor};

impl RunConfig {
    /// Every key that takes a value, as in `optimizer.learning_rate`.
    pub fn keys() -> Vec<String> {
        keys_below("")
    }
}

/// The keys of the section that begins with `prefix`, which is empty or ends with a dot.
fn keys_below(prefix: &str) -> Vec<String> {
    let section = prefix.trim_end_matches('.');
    let mut keys = Vec::new();
    for key in fields_of(section).unwrap_or_default() {
        let key = format!("{prefix}{key}");
        match fields_of(&key) {
            Some(_) => keys.extend(keys_below(&format!("{key}."))),
            None => keys.push(key),
        }
    }
    keys
}

/// The keys in a section; `None` for what is no section.
fn fields_of(section: &str) -> Option<&'static [&'static str]> {
    Some(match section {
        "" => fields::<RunConfig>(),
        "data" => fields::<DataConfig>(),
        "data.augment" => fields::<AugmentConfig>(),
        "network" => fields::<NetworkConfig>(),
        "network.output" => fields::<OutputConfig>(),
        "loss" => fields::<LossConfig>(),
        "optimizer" => fields::<OptimizerConfig>(),
        "schedule" => fields::<ScheduleConfig>(),
        "training" => fields::<TrainingConfig>(),
        "validation" => fields::<ValidationConfig>(),
        "early_stopping" => fields::<EarlyStoppingConfig>(),
        "checkpoint" => fields::<CheckpointConfig>(),
        _ => return None,
    })
}

/// The path of a key as configurations spell it, whatever case and separators it is given in.
///
/// # Errors
/// There is no such key: says what was meant, or what there is.
pub(super) fn spelled(path: &[String]) -> Result<Vec<String>, String> {
    let mut found: Vec<String> = Vec::with_capacity(path.len());
    for part in path {
        let section = found.join(".");
        match fields_of(&section) {
            // Names of classes are the user's own.
            None => found.push(part.clone()),
            Some(fields) => match fields.iter().find(|field| alike(field, part)) {
                Some(field) => found.push((*field).to_owned()),
                None => return Err(unknown(&path.join("."), &section, fields)),
            },
        }
    }
    let section = found.join(".");
    match fields_of(&section) {
        None => Ok(found),
        Some(fields) => Err(format!(
            "\"{section}\" is a section and not an option; it has {}",
            listed(&section, fields)
        )),
    }
}

fn unknown(given: &str, section: &str, fields: &[&str]) -> String {
    let keys = RunConfig::keys();
    // Users name the last part alone, or misspell some part.
    let last = keys.iter().find(|key| key.rsplit('.').next().is_some_and(|l| alike(l, given)));
    let meant = last.map(String::as_str).or(closest(given, keys.iter().map(String::as_str)));
    let there_is = match (meant, section) {
        (Some(key), _) => format!("did you mean \"{key}\"?"),
        (None, "") => format!("a configuration has {}", fields.join(", ")),
        (None, section) => format!("[{section}] has {}", listed(section, fields)),
    };
    format!("there is no option \"{given}\"; {there_is}")
}

fn listed(section: &str, fields: &[&str]) -> String {
    fields.iter().map(|field| format!("{section}.{field}")).collect::<Vec<_>>().join(", ")
}

/// The names of a type's fields, as it tells a deserializer.
fn fields<'de, T: Deserialize<'de>>() -> &'static [&'static str] {
    let mut names: &'static [&'static str] = &[];
    // The error that always comes back carries nothing: the names were noted before.
    let _ = T::deserialize(Fields(&mut names));
    names
}

/// Notes the fields of the type that asks to be deserialized, and gives it nothing.
struct Fields<'a>(&'a mut &'static [&'static str]);

impl<'de> Deserializer<'de> for Fields<'_> {
    type Error = Error;

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        _visitor: V,
    ) -> Result<V::Value, Error> {
        *self.0 = fields;
        Err(serde::de::Error::custom("only the fields are asked for"))
    }

    fn deserialize_any<V: Visitor<'de>>(self, _visitor: V) -> Result<V::Value, Error> {
        Err(serde::de::Error::custom("no struct"))
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf option unit
        unit_struct newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(key: &str) -> Vec<String> {
        key.split('.').map(str::to_owned).collect()
    }

    #[test]
    fn every_table_of_a_configuration_is_a_section() {
        let table = toml::Table::try_from(RunConfig::default()).unwrap();
        for (key, value) in &table {
            assert_eq!(fields_of(key).is_some(), value.is_table(), "{key}");
        }
        let keys = RunConfig::keys();
        for key in ["seed", "optimizer.beta1", "network.output.weights", "data.path"] {
            assert!(keys.iter().any(|k| k == key), "no {key} in {keys:?}");
        }
        assert!(!keys.iter().any(|key| key == "network.output" || key == "loss"));
    }

    #[test]
    fn keys_are_understood_or_suggested() {
        for (given, expected) in [
            ("optimizer.learning_rate", Ok("optimizer.learning_rate")),
            ("Optimizer.Learning-Rate", Ok("optimizer.learning_rate")),
            ("training.class_weights.A_b", Ok("training.class_weights.A_b")),
            ("optimizer.lerning_rate", Err("\"optimizer.learning_rate\"?")),
            ("optimiser.beta1", Err("\"optimizer.beta1\"?")),
            ("epochs", Err("\"training.epochs\"?")),
            ("loss.margin", Err("[loss] has loss.kind, loss.delta")),
            ("colour", Err("a configuration has seed, data,")),
            ("schedule", Err("\"schedule\" is a section")),
        ] {
            match (spelled(&path(given)), expected) {
                (Ok(found), Ok(expected)) => assert_eq!(found.join("."), expected),
                (Err(message), Err(part)) => assert!(message.contains(part), "{given}: {message}"),
                (found, _) => panic!("{given}: {found:?}"),
            }
        }
    }
}
