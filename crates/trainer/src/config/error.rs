//! Why a configuration cannot be used, and the checks that find it.

use std::fmt;

/// Why a configuration cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// The text is not the TOML of a configuration; the message says where and why.
    #[error("the configuration cannot be read: {0}")]
    Syntax(String),
    /// An option that was given by itself cannot be what it was given.
    #[error("`{given}`: {reason}")]
    Assignment {
        /// As the user wrote it.
        given: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A key has a value that it may not have, by itself or together with another.
    #[error("`{key}` is {value}: {expected}")]
    Value {
        /// The key, as in `optimizer.learning_rate`.
        key: String,
        /// The value that it has.
        value: String,
        /// What is allowed, or what to do.
        expected: String,
    },
}

impl ConfigError {
    pub(crate) fn value(
        key: impl Into<String>,
        value: impl fmt::Display,
        expected: impl Into<String>,
    ) -> ConfigError {
        ConfigError::Value { key: key.into(), value: value.to_string(), expected: expected.into() }
    }
}

/// An error that says what was `expected`, unless the number is finite and it `holds`.
pub(crate) fn require(
    key: &str,
    value: f64,
    holds: bool,
    expected: &str,
) -> Result<(), ConfigError> {
    if holds && value.is_finite() {
        Ok(())
    } else {
        Err(ConfigError::value(key, value, format!("expected {expected}")))
    }
}

/// Key, value if given, the kinds that use it, what must hold, and how to say that.
pub(super) type NumberOption<'a, K> = (&'a str, Option<f64>, &'a [K], fn(f64) -> bool, &'a str);

/// Checks the options of a section whose `kind` decides which of them have a meaning.
pub(super) fn check_options<K: Copy + PartialEq + fmt::Display>(
    section: &str,
    kind: K,
    options: &[NumberOption<'_, K>],
) -> Result<(), ConfigError> {
    for &(key, value, used_by, holds, expected) in options {
        let Some(value) = value else { continue };
        let key = format!("{section}.{key}");
        if !used_by.contains(&kind) {
            let kinds: Vec<_> = used_by.iter().map(K::to_string).collect();
            let expected =
                format!("{kind} does not use it, only {}; leave it out", kinds.join(", "));
            return Err(ConfigError::value(key, value, expected));
        }
        require(&key, value, holds(value), expected)?;
    }
    Ok(())
}
