//! The `training.class_weights` key: a word, or a table of weights by class name.

use super::error::{ConfigError, require};
use super::shape::TargetShape;
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::BTreeMap;
use std::fmt;

const KEY: &str = "training.class_weights";

/// How much a row counts by its class.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum ClassWeights {
    /// Every class alike.
    #[default]
    None,
    /// In inverse proportion to how often a class occurs, so that all classes weigh the same:
    /// rows / (classes x rows of the class).
    Balanced,
    /// By class name; a class that is not named has weight 1.
    Explicit(BTreeMap<String, f64>),
}

impl ClassWeights {
    /// The weight of each class, given the classes' names and how many rows each has.
    ///
    /// Balanced, a class without rows has weight 0.
    pub fn by_class(&self, names: &[String], rows: &[u64]) -> Vec<f64> {
        let total = rows.iter().sum::<u64>() as f64;
        names
            .iter()
            .zip(rows)
            .map(|(name, &rows)| match self {
                ClassWeights::None => 1.0,
                ClassWeights::Balanced if rows == 0 => 0.0,
                ClassWeights::Balanced => total / (names.len() as f64 * rows as f64),
                ClassWeights::Explicit(weights) => weights.get(name).copied().unwrap_or(1.0),
            })
            .collect()
    }

    /// Checks what does not depend on the data.
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let ClassWeights::Explicit(weights) = self else { return Ok(()) };
        weights.iter().try_for_each(|(name, &weight)| {
            require(&format!("{KEY}.{name}"), weight, weight >= 0.0, "at least 0")
        })
    }

    /// Checks that the classes are there.
    pub(super) fn check_classes(&self, target: TargetShape<'_>) -> Result<(), ConfigError> {
        let (names, weights) = match (target, self) {
            (_, ClassWeights::None) => return Ok(()),
            (TargetShape::Numbers(_), _) => {
                let expected = "the target is numbers, only classes have weights";
                return Err(ConfigError::value(KEY, "given", expected));
            }
            (TargetShape::Classes(_), ClassWeights::Balanced) => return Ok(()),
            (TargetShape::Classes(names), ClassWeights::Explicit(weights)) => (names, weights),
        };
        for (name, &weight) in weights {
            if !names.contains(name) {
                let expected = format!("no such class; the data has {}", names.join(", "));
                return Err(ConfigError::value(format!("{KEY}.{name}"), weight, expected));
            }
        }
        Ok(())
    }
}

impl Serialize for ClassWeights {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            ClassWeights::None => serializer.serialize_str("none"),
            ClassWeights::Balanced => serializer.serialize_str("balanced"),
            ClassWeights::Explicit(weights) => weights.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for ClassWeights {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct WordOrTable;
        impl<'de> Visitor<'de> for WordOrTable {
            type Value = ClassWeights;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("\"none\", \"balanced\" or a table of weights by class name")
            }

            fn visit_str<E: Error>(self, word: &str) -> Result<ClassWeights, E> {
                match word {
                    "none" => Ok(ClassWeights::None),
                    "balanced" => Ok(ClassWeights::Balanced),
                    _ => Err(E::invalid_value(serde::de::Unexpected::Str(word), &self)),
                }
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<ClassWeights, A::Error> {
                let mut weights = BTreeMap::new();
                while let Some((class, weight)) = map.next_entry::<String, f64>()? {
                    weights.insert(class, weight);
                }
                Ok(ClassWeights::Explicit(weights))
            }
        }
        deserializer.deserialize_any(WordOrTable)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_by_class() {
        let names = ["a".to_owned(), "b".to_owned(), "c".to_owned()];
        let rows = [10, 30, 0];
        assert_eq!(ClassWeights::None.by_class(&names, &rows), [1.0; 3]);
        let balanced = ClassWeights::Balanced.by_class(&names[..2], &rows[..2]);
        // sklearn's compute_class_weight("balanced").
        assert_eq!(balanced, [2.0, 40.0 / 60.0]);
        assert_eq!(ClassWeights::Balanced.by_class(&names, &rows)[2], 0.0);
        let explicit = ClassWeights::Explicit([("b".to_owned(), 2.5)].into());
        assert_eq!(explicit.by_class(&names, &rows), [1.0, 2.5, 1.0]);
    }
}
