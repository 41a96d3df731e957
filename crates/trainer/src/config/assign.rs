//! Single options in place of those of a configuration.
//!
//! All of them are put into the configuration at once, so that their order does not matter: first what
//! gives way to them is taken out of the configuration, then each is put in.

use super::assignment::Assignment;
use super::gives_way::{self, GaveWay};
use super::{ConfigError, RunConfig};
use toml::Table;

impl RunConfig {
    /// The configuration with these values in place of its own, and what of its own gave way to them: a
    /// kind that is changed takes its options along, unless they are given too.
    ///
    /// # Errors
    /// A value is of the wrong type, or one key is given two values.
    pub fn assign(
        &self,
        assignments: &[Assignment],
    ) -> Result<(RunConfig, Vec<GaveWay>), ConfigError> {
        self.check_paths()?;
        check_once(assignments)?;
        let mut table = Table::try_from(self).expect("every field has a TOML form");
        let gave_way = gives_way::remove(&mut table, assignments)?;
        // One after the other, so that the message can name the assignment that is at fault.
        assignments.iter().try_for_each(|assignment| assignment.put_into(&mut table))?;
        let config = table.try_into();
        let config = config.map_err(|e: toml::de::Error| ConfigError::Syntax(e.to_string()))?;
        Ok((config, gave_way))
    }
}

/// Refuses two values for one key: neither is silently lost.
fn check_once(assignments: &[Assignment]) -> Result<(), ConfigError> {
    for (index, assignment) in assignments.iter().enumerate() {
        for before in &assignments[..index] {
            let (a, b) = (before.path(), assignment.path());
            let is_same = a == b && before.alone()? == assignment.alone()?;
            if (a.starts_with(b) || b.starts_with(a)) && !is_same {
                let other = before.given();
                let reason = format!("`{other}` gives the same option a value; leave out one");
                return Err(assignment.wrong(reason));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assign(
        config: &str,
        assignments: &[&str],
    ) -> Result<(RunConfig, Vec<GaveWay>), ConfigError> {
        let mut parsed = Vec::new();
        for text in assignments {
            parsed.extend(Assignment::parse(*text, text)?);
        }
        RunConfig::from_toml(config).unwrap().assign(&parsed)
    }

    fn assigned(config: &str, assignments: &[&str], expected: &str) {
        let expected = RunConfig::from_toml(expected).unwrap();
        let mut reversed = assignments.to_vec();
        reversed.reverse();
        for assignments in [assignments, &reversed] {
            assert_eq!(assign(config, assignments).unwrap().0, expected, "{assignments:?}");
        }
    }

    #[test]
    fn values_replace_single_options() {
        assigned(
            "optimizer.l1 = 0.5",
            &[
                "seed=3",
                "optimizer.beta1 = 0.8",
                "loss.kind=huber",
                "network.hidden=[4, 5]",
                "network.activation=elu(0.5)",
                "training.class_weights.\"a=b\"=2",
                "checkpoint={keep=7, every_epochs=2}",
            ],
            "seed = 3
            network = { hidden = [4, 5], activation = 'elu(0.5)' }
            loss.kind = 'huber'
            optimizer = { l1 = 0.5, beta1 = 0.8 }
            training.class_weights = { 'a=b' = 2.0 }
            checkpoint = { keep = 7, every_epochs = 2 }",
        );
    }

    #[test]
    fn kinds_and_their_options_are_given_together_in_any_order() {
        for (assignments, expected) in [
            (
                ["optimizer.kind=sgd", "optimizer.learning_rate=0.5"],
                "optimizer = { kind = 'sgd', learning_rate = 0.5 }",
            ),
            (["loss.kind=huber", "loss.delta=0.1"], "loss = { kind = 'huber', delta = 0.1 }"),
            (
                ["schedule.kind=step", "schedule.factor=0.3"],
                "schedule = { kind = 'step', factor = 0.3 }",
            ),
            (
                ["network.hidden=[4]", "network.output.weights=[[1, 2, 3, 4]]"],
                "network = { hidden = [4], output.weights = [[1, 2, 3, 4]] }",
            ),
        ] {
            assigned("", &assignments, expected);
        }
    }

    #[test]
    fn one_key_has_one_value() {
        for assignments in [
            ["seed=1", "seed=2"],
            ["optimizer.kind=sgd", "optimizer.kind=adam"],
            ["training.class_weights=balanced", "training.class_weights.a=2"],
        ] {
            let message = assign("", &assignments).unwrap_err().to_string();
            assert!(message.contains(&format!("`{}`", assignments[0])), "{message}");
            assert!(message.starts_with(&format!("`{}`", assignments[1])), "{message}");
        }
        let same = ["optimizer.learning_rate=1", "optimizer.learning-rate=1.0"];
        assigned("", &same, "optimizer.learning_rate = 1");
    }

    #[test]
    fn mistakes_name_the_assignment() {
        for (assignment, part) in [
            ("seed", "KEY=VALUE"),
            ("optimizer.beta=0.8", "did you mean \"optimizer.beta1\"?"),
            ("training.epochs=many", "invalid type"),
            ("training.epochs.a=1", "invalid type"),
            ("loss.kind=hubr", "did you mean \"huber\"?"),
            ("loss=huber", "it has loss.kind"),
            ("=1", "key"),
        ] {
            let message = assign("", &["seed=1", assignment]).unwrap_err().to_string();
            assert!(message.contains(&format!("`{assignment}`")), "{message}");
            assert!(message.contains(part), "{message}");
        }
    }

    #[test]
    fn every_key_can_be_assigned() {
        for key in RunConfig::keys() {
            let value = match key.as_str() {
                "data.path" | "validation.file" | "training.instruction_set" => "text",
                "network.activation" | "network.output.activation" => "tanh",
                "network.init" | "network.output.init" => "he",
                "loss.kind" => "huber",
                "optimizer.kind" => "sgd",
                "schedule.kind" => "step",
                "training.shuffle" => "full",
                "training.memory" => "2G",
                "training.on_nan" => "rollback",
                "training.class_weights" => "balanced",
                "early_stopping.metric" => "accuracy",
                "network.hidden" => "[7]",
                "network.layers" => "[{units=7}]",
                "data.shape" => "[7]",
                "network.output.weights" => "[[7.0]]",
                "network.output.biases" => "[7.0]",
                "network.bias"
                | "network.output.bias"
                | "training.standardize_inputs"
                | "validation.stratified"
                | "early_stopping.restore_best" => "false",
                "data.augment.flip" => "true",
                "training.standardize_targets" => "true",
                _ => "7",
            };
            let (config, gave_way) = assign("", &[&format!("{key}={value}")]).unwrap();
            assert_ne!(config, RunConfig::default(), "{key}={value} changes nothing");
            assert_eq!(gave_way, [], "{key}");
            let (again, _) = assign(&config.to_toml(), &[]).unwrap();
            assert_eq!(again, config, "{key}");
        }
    }
}
