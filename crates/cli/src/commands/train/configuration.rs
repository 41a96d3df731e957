//! The configuration of a new run: that of a file, if one is given, with flags and `--set` in its place.

use super::Train;
use crate::config_file::read;
use crate::failure::Failure;
use crate::output::Output;
use gristmill_trainer::config::{Assignment, OptimizerKind, RunConfig};

impl Train {
    /// The configuration that the arguments ask for, checked as far as that is possible without data.
    pub(super) fn configuration(&self, output: &Output) -> Result<RunConfig, Failure> {
        let given = self.assignments()?;
        let of_file = match &self.config {
            Some(path) => read(path)?,
            None => RunConfig::default(),
        };
        let (mut config, gave_way) = of_file.assign(&given)?;
        if let (Some(file), [_, ..]) = (&self.config, &gave_way[..]) {
            for gone in &gave_way {
                let (key, value, given) = (&gone.key, &gone.value, &gone.given);
                let file = file.display();
                output.warn(format_args!("{key} = {value} of {file} gives way to {given}"));
            }
        }
        config.check()?;
        config.check_heeded(&given)?;
        if let Some(file) = &self.validation {
            // As it is: what is imported need not be text.
            config.validation.file = Some(file.clone());
        }
        if config.optimizer.kind == OptimizerKind::Adamw && config.optimizer.l2 > 0.0 {
            output.warn(
                "--l2 (optimizer.l2) with adamw goes into the gradient, which adamw rescales; \
                 --weight-decay takes a share of the weights themselves",
            );
        }
        Ok(config)
    }

    /// All options of the configuration that were given by themselves, in whatever way.
    fn assignments(&self) -> Result<Vec<Assignment>, Failure> {
        let groups = [&self.course.assignments, &self.network.assignments];
        let mut given = groups.into_iter().flatten().cloned().collect::<Vec<_>>();
        given.extend_from_slice(&self.training.assignments);
        if let Some(file) = &self.validation {
            let file = file.to_string_lossy();
            given.push(Assignment::new(format!("--validation {file}"), "validation.file", &*file));
        }
        for text in &self.set {
            given.extend(Assignment::parse(format!("--set {text}"), text)?);
        }
        let names_data = |assignment: &&Assignment| assignment.key() == "data.path";
        if let (false, Some(path)) = (self.data.is_empty(), given.iter().find(names_data)) {
            let path = path.given();
            return Err(Failure::usage(format!(
                "`{path}`: the data are named as DATA as well; leave out one"
            )));
        }
        Ok(given)
    }
}
