//! What a run has come to is looked at before it is saved: what are no numbers, or are of no use, is an
//! error, or leads the run back to where its epoch began.

use super::rollback;
use super::snapshot::Snapshot;
use super::trial::{self, Trial};
use super::watch::Watch;
use super::{Position, Session};
use crate::config::{EarlyStoppingConfig, OnNan};
use crate::data::order::Picker;
use crate::data::samples::Samples;
use crate::data::{suspects, validation};
use crate::error::TrainError;
use crate::metrics::Metric;
use crate::model::Trained;
use crate::step::engine::Engine;

impl<S: Samples> Session<'_, S> {
    /// Keeps the state in which an epoch begins, if the run may go back to it.
    pub(super) fn remember(&mut self) {
        if self.plan.config.training.on_nan != OnNan::Rollback {
            return;
        }
        let engine = &self.engine;
        match &mut self.safe {
            None => self.safe = Some((self.position, Snapshot::of_state(engine))),
            Some((position, snapshot)) if self.position.step_in_epoch == 0 => {
                *position = self.position;
                snapshot.renew(engine);
            }
            // The run was resumed within an epoch, whose beginning the checkpoint had.
            Some(_) => {}
        }
    }

    /// Goes back to where the epoch began, if the learning rate is to blame for the error and that is what
    /// the user wants.
    pub(super) fn roll_back(
        &mut self,
        error: TrainError,
        watch: &mut Watch<'_, '_>,
    ) -> Result<(), TrainError> {
        let TrainError::Diverged { what, epoch, step, culprit: None, .. } = &error else {
            return Err(error);
        };
        let Some((position, snapshot)) = &self.safe else { return Err(error) };
        if self.rollbacks == rollback::MOST {
            return Err(error);
        }
        self.rollbacks += 1;
        self.position = *position;
        snapshot.restore(&mut self.engine);
        let rate = self.learning_rate(self.position.step);
        watch.observer.warn(&format!(
            "{what} at step {step} of epoch {epoch}: back to the beginning of the epoch, with half the \
             learning rate ({rate:.3e})"
        ));
        Ok(())
    }

    /// Checks that what the steps of the epoch so far have come to can be gone on from.
    pub(super) fn check_state(&mut self, steps: u64) -> Result<(), TrainError> {
        let slots = &self.engine.state.slots;
        let what = if !trial::is_finite(self.engine.network.weights()) {
            "a weight of the network became no number".to_owned()
        } else if !slots.iter().all(|slot| trial::is_finite(slot)) {
            "what the optimizer keeps of the gradients became too large for a number".to_owned()
        } else {
            let loss = self.trial_loss();
            let limit = if self.is_limited(steps) { self.hopeless_loss() } else { f64::MAX };
            if loss <= limit {
                return Ok(());
            }
            format!("the loss became {loss:.3e}")
        };
        Err(self.diverged(what, steps))
    }

    /// Whether the network must be of use after `steps` steps of the epoch: at its end, if the run can go back,
    /// or if the model gets these weights.
    fn is_limited(&self, steps: u64) -> bool {
        let can_go_back = self.plan.config.training.on_nan == OnNan::Rollback;
        let is_last = self.position.epoch + 1 == self.plan.epochs;
        let keeps_best = self.plan.early_stopping.patience > 0;
        steps == self.steps_per_epoch && (can_go_back || (is_last && !keeps_best))
    }

    /// The loss from which on the network is of no use.
    fn hopeless_loss(&self) -> f64 {
        let statistics = self.train.samples().target_statistics().iter().enumerate();
        let scales = &self.engine.preprocess.targets;
        let sizes = statistics.map(|(i, s)| {
            let scale = scales.get(i).copied().unwrap_or(Trained::UNSCALED);
            let size = |value: f32| f64::from((value - scale.mean) / scale.deviation).abs();
            size(s.min).max(size(s.max))
        });
        let largest = sizes.fold(0.0, f64::max);
        trial::hopeless_loss(&self.engine.objective, self.engine.network.outputs(), largest)
    }

    /// The loss of some of the rows that were learned from.
    fn trial_loss(&mut self) -> f64 {
        let (engine, train) = (&self.engine, &self.train);
        let trial = self.trial.get_or_insert_with(|| Trial::new(engine, train));
        trial.loss(self.isa, engine, train.samples())
    }

    /// Checks what was measured after an epoch.
    pub(super) fn check_metrics(
        &self,
        train: &[(Metric, f64)],
        validation: &[(Metric, f64)],
        watch: &mut Watch<'_, '_>,
    ) -> Result<(), TrainError> {
        let find = |metric| validation.iter().find(|(m, _)| *m == metric).map(|(_, value)| *value);
        if let (Some(loss), Some(rows)) = (find(Metric::Loss), &self.validation)
            && !loss.is_finite()
        {
            let what = format!("the loss of the rows to validate on became {loss}");
            let Engine { preprocess, objective, .. } = &self.engine;
            let indices = (0..rows.len()).map(|index| rows.row(index));
            let found = suspects::find(rows.samples(), indices, preprocess, objective);
            let mut error = self.diverged(what, self.steps_per_epoch);
            if let TrainError::Diverged { culprit, .. } = &mut error {
                *culprit = found.or(culprit.take());
            }
            return Err(error);
        }
        let EarlyStoppingConfig { patience, metric, .. } = self.plan.early_stopping;
        if patience > 0 && metric != Metric::Loss && find(metric).is_none_or(f64::is_nan) {
            return Err(validation::undefined(metric, "they do not determine it"));
        }
        let named =
            |prefix: &'static str| move |(m, v): &(Metric, f64)| (format!("{prefix}_{m}"), *v);
        let mut all = train.iter().map(named("train")).chain(validation.iter().map(named("val")));
        if let Some((name, value)) = all.find(|(_, value)| !value.is_finite())
            && self.history.is_empty()
        {
            watch
                .observer
                .warn(&format!("{name} is {value}: its squares are too large for a number"));
        }
        Ok(())
    }

    /// Checks that the model that a run ends with is of some use.
    pub(super) fn check_use(&mut self) -> Result<(), TrainError> {
        let restored = self.restored_epoch();
        let swap = |session: &mut Self| {
            if let (Some(best), Some(_)) = (&mut session.best, restored) {
                best.swap_weights(&mut session.engine);
            }
        };
        swap(self);
        let loss = self.trial_loss();
        swap(self);
        if loss <= self.hopeless_loss() {
            return Ok(());
        }
        let what = format!(
            "the network is of no use: its loss on rows that it learned from is {loss:.3e}"
        );
        // The run has ended: its last step was that of the epoch before.
        let rate = self.learning_rate(self.position.step.saturating_sub(1));
        Err(TrainError::Diverged {
            what,
            epoch: self.position.epoch,
            step: self.steps_per_epoch,
            culprit: None,
            learning_rate: rate,
        })
    }

    /// The error that training diverged after `steps` steps of the epoch, and what is to blame: a row of
    /// the last two minibatches, since what one does to the weights shows in the next, else the learning
    /// rate.
    pub(super) fn diverged(&self, what: String, steps: u64) -> TrainError {
        let Position { epoch, step_in_epoch, step, .. } = self.position;
        let batch = self.plan.batch_size as u64;
        let end = (steps * batch).min(self.train.len());
        let positions = (steps.saturating_sub(2) * batch).min(end)..end;
        let order = self.order();
        let mut picker = Picker::default();
        picker.prepare(&order, &positions);
        let rows = positions.map(|position| self.train.row(picker.index(&order, position)));
        let Engine { preprocess, objective, .. } = &self.engine;
        let culprit = suspects::find(self.train.samples(), rows, preprocess, objective);
        let learning_rate = self.learning_rate((step - step_in_epoch + steps).saturating_sub(1));
        TrainError::Diverged { what, epoch: epoch + 1, step: steps, culprit, learning_rate }
    }
}
