//! Options that would mean nothing beside the others: they are refused rather than ignored.

use super::{Assignment, ConfigError, InitKind, RunConfig, Shuffle};

/// Keys, when they mean something, and what to do where they do not.
type Rule = (&'static [&'static str], fn(&RunConfig) -> bool, &'static str);

const RULES: &[Rule] = &[
    (
        &["network.activation", "network.dropout"],
        RunConfig::has_hidden_layers,
        "there are no hidden layers; leave it out, or give --hidden",
    ),
    (
        &["network.init_scale"],
        |config| config.network.init != InitKind::Zeros,
        "zeros have no scale; leave it out, or give another --init",
    ),
    (
        &["data.horizon"],
        |config| config.data.window.is_some(),
        "each row is a sample by itself; leave it out, or give --window",
    ),
    (
        &["validation.stratified"],
        |config| config.validation.split > 0.0,
        "no rows of the data are held out; leave it out, or give --validation-split",
    ),
    (
        &["validation.stratified"],
        |config| config.data.window.is_none(),
        "of windows of a series the last are held out, whatever their class; leave it out",
    ),
    (
        &["early_stopping.metric", "early_stopping.min_delta", "early_stopping.restore_best"],
        |config| config.early_stopping.patience > 0,
        "the run never stops early; leave it out, or give --patience",
    ),
    (
        &["training.block_rows", "training.window_blocks"],
        |config| matches!(config.training.shuffle, Shuffle::Auto | Shuffle::Window),
        "rows are not shuffled in windows; leave it out, or give --shuffle window",
    ),
    (
        &["checkpoint.max_share"],
        |config| config.checkpoint.every_epochs > 0,
        "nothing is saved after epochs; leave it out, or give checkpoint.every_epochs",
    ),
    (
        &["training.instruction_set"],
        |_| false,
        "the program writes down what it runs with; the variable GRISTMILL_ISA chooses it",
    ),
];

impl RunConfig {
    /// Refuses an assignment that, in this configuration, nothing would heed.
    ///
    /// # Errors
    /// There is one: says why, and what to do.
    pub fn check_heeded(&self, assignments: &[Assignment]) -> Result<(), ConfigError> {
        for assignment in assignments {
            let key = assignment.key();
            let is_broken =
                |(keys, is_heeded, _): &&Rule| keys.contains(&key.as_str()) && !is_heeded(self);
            if let Some((.., reason)) = RULES.iter().find(is_broken) {
                return Err(assignment.wrong(*reason));
            }
        }
        Ok(())
    }

    fn has_hidden_layers(&self) -> bool {
        !self.network.layers.is_empty() || self.network.hidden.as_ref() != Some(&Vec::new())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nothing_heeds_is_refused() {
        for (config, text, part) in [
            ("network.hidden = []", "network.activation=tanh", "no hidden layers"),
            ("network.hidden = []", "network.dropout=0.5", "no hidden layers"),
            ("network.init = 'zeros'", "network.init_scale=2", "--init"),
            ("", "data.horizon=2", "--window"),
            ("", "validation.stratified=false", "--validation-split"),
            (
                "validation.split = 0.5\ndata.window = 3",
                "validation.stratified=true",
                "the last are held out",
            ),
            ("", "early_stopping.metric=f1", "--patience"),
            ("", "early_stopping.min_delta=1", "--patience"),
            ("training.shuffle = 'full'", "training.block_rows=8", "--shuffle window"),
            ("checkpoint.every_epochs = 0", "checkpoint.max_share=0.5", "every_epochs"),
            ("", "training.instruction_set=avx2", "GRISTMILL_ISA"),
        ] {
            let given = Assignment::parse(text, text).unwrap();
            let config = RunConfig::from_toml(config).unwrap();
            let message = config.check_heeded(&given).unwrap_err().to_string();
            assert!(message.starts_with(&format!("`{text}`: ")), "{message}");
            assert!(message.contains(part), "{message}");
        }
    }

    #[test]
    fn what_is_heeded_is_not() {
        for (config, text) in [
            ("", "network.activation=tanh"),
            ("network.layers = [{ units = 2 }]", "network.dropout=0.5"),
            ("data.window = 3", "data.horizon=0"),
            ("validation.split = 0.2", "validation.stratified=false"),
            ("early_stopping.patience = 3", "early_stopping.metric=f1"),
            ("training.shuffle = 'window'", "training.block_rows=8"),
        ] {
            let given = Assignment::parse(text, text).unwrap();
            let config = RunConfig::from_toml(config).unwrap();
            assert_eq!(config.check_heeded(&given), Ok(()), "{text}");
        }
    }
}
