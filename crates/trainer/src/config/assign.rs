//! Single options given as text, as on a command line: `optimizer.beta1=0.8`.

use super::{ConfigError, RunConfig};
use toml::{Table, Value};

impl RunConfig {
    /// The configuration with some options replaced. An assignment is a dotted key, `=`, and a TOML
    /// value; the quotes of text may be left out.
    ///
    /// # Errors
    /// An assignment is none, or its key or the type of its value is unknown to a configuration.
    pub fn assign(&self, assignments: &[String]) -> Result<RunConfig, ConfigError> {
        if assignments.is_empty() {
            return Ok(self.clone());
        }
        let mut table = Table::try_from(self).expect("every field has a TOML form");
        for assignment in assignments {
            merge(&mut table, parse(assignment)?);
            // At once, so that the message can name the assignment that is at fault.
            let checked: Result<RunConfig, _> = table.clone().try_into();
            checked.map_err(|error| wrong(assignment, error.message()))?;
        }
        table.try_into().map_err(|error: toml::de::Error| ConfigError::Syntax(error.to_string()))
    }
}

fn parse(assignment: &str) -> Result<Table, ConfigError> {
    let Some((key, value)) = assignment.split_once('=') else {
        return Err(wrong(assignment, "expected KEY=VALUE, as in optimizer.beta1=0.8"));
    };
    let quoted = || format!("{key} = {}", Value::String(value.trim().to_owned())).parse();
    let table = format!("{key} = {value}").parse().or_else(|_| quoted());
    table.map_err(|error: toml::de::Error| wrong(assignment, error.message()))
}

fn wrong(assignment: &str, reason: &str) -> ConfigError {
    ConfigError::Syntax(format!("`{assignment}`: {}", reason.trim_end()))
}

/// Puts what `from` has into `table`, deep.
fn merge(table: &mut Table, from: Table) {
    for (key, value) in from {
        match (table.get_mut(&key), value) {
            (Some(Value::Table(old)), Value::Table(new)) => merge(old, new),
            (_, value) => {
                table.insert(key, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assign(assignments: &[&str]) -> Result<RunConfig, ConfigError> {
        let assignments: Vec<String> = assignments.iter().map(|&a| a.to_owned()).collect();
        RunConfig::from_toml("optimizer.l1 = 0.5").unwrap().assign(&assignments)
    }

    #[test]
    fn values_replace_single_options() {
        let config = assign(&[
            "seed=3",
            "optimizer.beta1 = 0.8",
            "loss.kind=huber",
            "network.hidden=[4, 5]",
            "network.activation=elu(0.5)",
        ]);
        let expected = RunConfig::from_toml(
            "seed = 3
            network = { hidden = [4, 5], activation = 'elu(0.5)' }
            loss.kind = 'huber'
            optimizer = { l1 = 0.5, beta1 = 0.8 }",
        );
        assert_eq!(config, expected);
    }

    #[test]
    fn mistakes_name_the_assignment() {
        for (assignment, part) in [
            ("seed", "KEY=VALUE"),
            ("optimizer.beta=0.8", "unknown field"),
            ("training.epochs=many", "invalid type"),
            ("loss.kind=hinge", "huber"),
            ("=1", "key"),
        ] {
            let message = assign(&["seed=1", assignment]).unwrap_err().to_string();
            assert!(message.contains(&format!("`{assignment}`")), "{message}");
            assert!(message.contains(part), "{message}");
        }
    }
}
