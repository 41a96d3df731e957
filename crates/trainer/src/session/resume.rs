//! The state of a run on disk: everything that the next step depends on, written and read back.

use super::snapshot::Snapshot;
use super::{CheckpointView, Position, Session};
use crate::config::RunConfig;
use crate::data::samples::Samples;
use crate::early_stopping::{Best, EarlyStopping};
use crate::error::TrainError;
use crate::network::weights;
use crate::schedule::PlateauState;
use gristmill_io::Checkpoint;

/// The counter of a checkpoint that has the rows of its data set.
const ROWS: &str = "data.rows";

/// The counter of a checkpoint that has how often the run went back; there is none where it never did.
const ROLLBACKS: &str = "rollback.count";

/// The tensors of a checkpoint that have the state of the run, that of its best epoch, and that in which its
/// epoch began. Those of the best epoch are of the weights alone.
const STATE: [&str; 3] = ["parameters", "moments0", "moments1"];
const BEST: [&str; 3] = ["best", "best_moments0", "best_moments1"];
const SAFE: [&str; 3] = ["safe", "safe_moments0", "safe_moments1"];

impl<S: Samples> Session<'_, S> {
    /// Everything that the next step depends on. Its tensors are not copied.
    pub fn checkpoint(&self) -> CheckpointView<'_> {
        let position = &self.position;
        let network = &self.engine.network;
        let layout = network.layout();
        let [first, second] = &self.engine.state.slots;
        let state: [&[_]; 3] = [self.engine.network.weights(), first, second];
        let mut kept = Vec::from_iter(STATE.into_iter().zip(state));
        if let Some(best) = &self.best {
            kept.extend(BEST.into_iter().zip(best.arenas()));
        }
        // Where an epoch began is what a run that is resumed within it would have gone back to.
        if let Some((begin, safe)) = &self.safe
            && begin.step_in_epoch == 0
            && position.step_in_epoch > 0
        {
            kept.extend(SAFE.into_iter().zip(safe.arenas()));
        }
        let mut tensors = Vec::new();
        for (prefix, arena) in kept {
            if !arena.is_empty() {
                tensors.extend(weights::streams(prefix, network.nodes(), layout, arena));
            }
        }
        let counter = |name: &str, value: f64| (name.to_owned(), value);
        let mut counters = vec![
            counter(ROWS, self.train.samples().rows() as f64),
            counter("epoch.loss", position.loss),
            counter("epoch.weight", position.weight),
            counter("epoch.score", position.score),
            counter("plateau.factor", self.plateau.factor),
            counter("plateau.best", self.plateau.best),
            counter("plateau.waited", f64::from(self.plateau.waited)),
        ];
        if let Some(best) = self.stopping.best() {
            counters.push(counter("best.value", best.value));
            counters.push(counter("best.epoch", f64::from(best.epoch)));
        }
        if self.rollbacks > 0 {
            counters.push(counter(ROLLBACKS, f64::from(self.rollbacks)));
        }
        Checkpoint {
            config: self.plan.config.to_toml(),
            fingerprint: self.train.samples().fingerprint(),
            encoding: self.train.samples().encoding().clone(),
            epoch: position.epoch,
            step_in_epoch: position.step_in_epoch,
            step: position.step,
            counters,
            history: self.history.clone(),
            tensors,
        }
    }

    /// Goes on from a checkpoint of this run.
    ///
    /// # Errors
    /// The checkpoint is of another network, or the training data have changed since it was saved.
    pub fn restore(&mut self, checkpoint: &Checkpoint) -> Result<(), TrainError> {
        match self.changed_data(checkpoint) {
            None => self.restore_state(checkpoint),
            Some(change) => Err(TrainError::DataChanged { name: self.data_name(), change }),
        }
    }

    /// As [`restore`](Self::restore), but goes on with training data that have changed, from the
    /// beginning of the epoch. The warnings of the run tell it.
    ///
    /// # Errors
    /// The checkpoint is of another network, or the data have other columns or classes.
    pub fn restore_on_changed_data(&mut self, checkpoint: &Checkpoint) -> Result<(), TrainError> {
        let Some(change) = self.changed_data(checkpoint) else {
            return self.restore_state(checkpoint);
        };
        if let Some(reason) = self.other_columns(checkpoint) {
            let name = self.data_name();
            return Err(TrainError::Data(format!("{name} does not fit the checkpoint: {reason}")));
        }
        let name = self.data_name();
        self.warnings.push(format!("{name} has changed since the checkpoint was saved: {change}"));
        let epoch_begin = |counter: &(String, f64)| match counter.0.starts_with("epoch.") {
            true => (counter.0.clone(), 0.0),
            false => counter.clone(),
        };
        let counters = checkpoint.counters.iter().map(epoch_begin).collect();
        self.restore_state(&Checkpoint { step_in_epoch: 0, counters, ..checkpoint.clone() })
    }

    fn data_name(&self) -> String {
        self.train.samples().name()
    }

    /// How the training data differ from those of a checkpoint.
    fn changed_data(&self, checkpoint: &Checkpoint) -> Option<String> {
        let samples = self.train.samples();
        if checkpoint.fingerprint == samples.fingerprint() {
            return None;
        }
        let rows = samples.rows();
        let saved = checkpoint.counters.iter().find(|(name, _)| name == ROWS);
        let saved = saved.map_or(rows, |(_, saved)| *saved as u64);
        Some(match self.other_columns(checkpoint) {
            Some(reason) => reason,
            None if saved != rows => format!("it had {saved} rows and now has {rows}"),
            None => "it has as many rows and the same columns, but other values".to_owned(),
        })
    }

    fn other_columns(&self, checkpoint: &Checkpoint) -> Option<String> {
        checkpoint.encoding.mismatch(self.train.samples().encoding(), true)
    }

    fn restore_state(&mut self, checkpoint: &Checkpoint) -> Result<(), TrainError> {
        if checkpoint.step_in_epoch > self.steps_per_epoch {
            let reason = "it stands beyond the end of an epoch; the batch size has changed";
            return Err(TrainError::Checkpoint(reason.to_owned()));
        }
        let saved = RunConfig::from_toml(&checkpoint.config)?.training.instruction_set;
        if let Some(saved) = saved.filter(|saved| *saved != self.isa.name()) {
            self.warnings.push(format!(
                "the run was started with instruction set {saved} and goes on with {}: the last \
                 bits of its results may differ from an uninterrupted run (GRISTMILL_ISA={saved} \
                 where this CPU has it)",
                self.isa
            ));
        }
        let (network, state) = (&mut self.engine.network, &mut self.engine.state);
        let (nodes, layout) = (network.nodes().to_vec(), network.layout().clone());
        let [parameters, moments @ ..] = STATE;
        weights::read(parameters, checkpoint, &nodes, &layout, network.weights_mut())?;
        for (slot, name) in state.slots.iter_mut().zip(moments) {
            if !slot.is_empty() {
                weights::read(name, checkpoint, &nodes, &layout, slot)?;
            }
        }
        let read = |names: [&str; 3], mut into: Snapshot| -> Result<Snapshot, TrainError> {
            for (name, arena) in names.into_iter().zip(into.arenas_mut()) {
                if !arena.is_empty() {
                    weights::read(name, checkpoint, &nodes, &layout, arena)?;
                }
            }
            Ok(into)
        };
        let has = |names: [&str; 3]| weights::has(names[0], checkpoint);
        let best = has(BEST).then(|| read(BEST, Snapshot::of_weights(&self.engine)));
        self.best = best.transpose()?;
        let safe = has(SAFE).then(|| read(SAFE, Snapshot::of_state(&self.engine)));
        let step = checkpoint.step.saturating_sub(checkpoint.step_in_epoch);
        let begin = Position { epoch: checkpoint.epoch, step, ..Position::default() };
        self.safe = safe.transpose()?.map(|safe| (begin, safe));
        let counter = |name: &str| {
            let found = checkpoint.counters.iter().find(|(n, _)| n == name);
            found.map(|(_, value)| *value)
        };
        let required = |name: &str| {
            counter(name).ok_or_else(|| TrainError::Checkpoint(format!("it lacks {name}")))
        };
        self.position = Position {
            epoch: checkpoint.epoch,
            step_in_epoch: checkpoint.step_in_epoch,
            step: checkpoint.step,
            loss: required("epoch.loss")?,
            weight: required("epoch.weight")?,
            score: required("epoch.score")?,
        };
        self.plateau = PlateauState {
            factor: required("plateau.factor")?,
            best: required("plateau.best")?,
            waited: required("plateau.waited")? as u32,
        };
        self.rollbacks = counter(ROLLBACKS).unwrap_or(0.0) as u32;
        let best = counter("best.value").zip(counter("best.epoch"));
        let best = best.map(|(value, epoch)| Best { value, epoch: epoch as u32 });
        self.stopping = EarlyStopping::new(self.plan.early_stopping.clone(), best);
        self.history = checkpoint.history.clone();
        Ok(())
    }
}
