//! A training run: epochs of steps, each with its validation, until the last or early stopping.
//!
//! The order of rows, dropout and the learning rate are functions of (seed, epoch, step), so there is
//! little state: what the next step depends on is all in [`Session::checkpoint`].

pub(crate) mod build;
mod outcome;
mod quantiles;
mod report;
mod resume;
mod rollback;
mod snapshot;
mod soundness;
mod start;
mod trial;
mod watch;

pub use outcome::{Limit, Outcome, Reason};
pub use watch::{CheckpointView, Save};

use crate::config::TrainingPlan;
use crate::data::counted::Counting;
use crate::data::feed::{Feed, Paging};
use crate::data::memory;
use crate::data::order::{Order, Picker, Shuffling};
use crate::data::pass::Pass;
use crate::data::samples::Samples;
use crate::data::subset::Subset;
use crate::early_stopping::{EarlyStopping, Verdict};
use crate::error::TrainError;
use crate::evaluation::{Evaluator, Subject};
use crate::metrics::{LossMeter, Metric};
use crate::objective::{Objective, TargetKind};
use crate::observer::{Control, EpochReport, EpochStart, Observer, StepReport};
use crate::random::{Purpose, Random};
use crate::schedule::{self, PlateauState};
use crate::step::engine::{Engine, StepPlan};
use crate::threads;
use gristmill_io::{Advice, HistoryRow};
use gristmill_kernels::{Crew, Isa, Step};
use rayon::ThreadPool;
use snapshot::Snapshot;
use std::sync::Arc;
use std::time::{Duration, Instant};
use trial::Trial;
use watch::Watch;

/// A training run on data sets of type `S`.
pub struct Session<'d, S: Samples> {
    plan: TrainingPlan,
    shuffling: Shuffling,
    isa: Isa,
    pool: Arc<ThreadPool>,
    train: Arc<Subset<'d, S>>,
    steps_per_epoch: u64,
    /// Which of the rows to learn from count.
    counting: Counting,
    validation: Option<Subset<'d, S>>,
    engine: Engine,
    evaluator: Option<Evaluator>,
    position: Position,
    plateau: PlateauState,
    stopping: EarlyStopping,
    /// The weights of the best epoch so far, where they are to be restored.
    best: Option<Snapshot>,
    history: Vec<HistoryRow>,
    /// Rows to try the network on before it is saved.
    trial: Option<Trial>,
    /// How often the run went back to a good state, and that which it would go back to: where it was then.
    rollbacks: u32,
    safe: Option<(Position, Snapshot)>,
    paging: Paging,
    validation_paging: Paging,
    /// How long steps and validation waited for rows since the run began.
    waited: Duration,
    /// What the user should know before the first step.
    warnings: Vec<String>,
}

/// How far a run has come.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Position {
    /// Epochs completed.
    epoch: u32,
    /// Steps done in the epoch under way.
    step_in_epoch: u64,
    /// Steps done in all.
    step: u64,
    /// Weighted loss of the epoch under way, summed.
    loss: f64,
    /// Weight of the rows of the epoch under way, summed.
    weight: f64,
    /// What they scored, summed: see [`BatchLoss::score`](crate::step::engine::BatchLoss::score).
    score: f64,
}

/// The least time that reading a page from a disk takes.
const PAGE_READ: Duration = Duration::from_micros(100);

impl<S: Samples> Session<'_, S> {
    /// Trains to the end of the last epoch, or until the observer or early stopping ends it.
    ///
    /// # Errors
    /// Training came to what are no numbers or to a network of no use, the data cannot be read any more, or
    /// `save` failed.
    pub fn fit(
        &mut self,
        observer: &mut dyn Observer,
        save: &mut Save<'_>,
    ) -> Result<Outcome, TrainError> {
        let pool = Arc::clone(&self.pool);
        for warning in self.warnings.drain(..) {
            observer.warn(&warning);
        }
        pool.install(|| self.run(&mut Watch::new(observer, save)))
    }

    fn run(&mut self, watch: &mut Watch<'_, '_>) -> Result<Outcome, TrainError> {
        self.engine.profile(self.is_large_step());
        let (began, reads) = (Instant::now(), memory::page_reads());
        let reason = loop {
            if let Some(reason) = self.ended() {
                break reason;
            }
            match self.run_epoch(watch) {
                Ok(Control::Continue) => {}
                Ok(Control::Stop) => break Reason::Interrupted,
                Err(error) => self.roll_back(error, watch)?,
            }
        };
        if reason != Reason::Interrupted {
            self.check_use()?;
        }
        let restored = self.restored_epoch().filter(|_| reason != Reason::Interrupted);
        let profile = self.engine.take_profile();
        let reads = u32::try_from(memory::page_reads() - reads).unwrap_or(u32::MAX);
        let page_waits = (PAGE_READ * reads).min(profile.gather) / self.threads() as u32;
        Ok(Outcome {
            reason,
            epochs: self.position.epoch,
            restored,
            seconds: began.elapsed(),
            waited_for_data: std::mem::take(&mut self.waited) + page_waits,
            profile,
        })
    }

    /// Why there is nothing left to train; `None` while there is.
    pub fn ended(&self) -> Option<Reason> {
        if self.position.epoch >= self.plan.epochs {
            Some(Reason::Finished)
        } else {
            self.has_stopped().then_some(Reason::EarlyStopped)
        }
    }

    /// Whether the last epoch ended the patience of early stopping.
    fn has_stopped(&self) -> bool {
        let patience = self.plan.early_stopping.patience;
        let best = self.stopping.best().map_or(0, |best| best.epoch);
        patience > 0 && self.position.epoch - best.min(self.position.epoch) >= patience
    }

    fn run_epoch(&mut self, watch: &mut Watch<'_, '_>) -> Result<Control, TrainError> {
        let epoch = self.position.epoch + 1;
        let (epochs, steps) = (self.plan.epochs, self.steps_per_epoch);
        let done = self.position.step_in_epoch;
        watch.observer.epoch_begin(&EpochStart { epoch, epochs, steps, done });
        self.remember();
        let began = Instant::now();
        if self.run_steps(watch)? == Control::Stop {
            return Ok(Control::Stop);
        }
        let trained = began.elapsed();
        self.check_state(steps)?;
        let rows = self.train.len() - (done * self.plan.batch_size as u64).min(self.train.len());
        let learning_rate = self.learning_rate(self.position.step.saturating_sub(1));
        let mut loss = LossMeter::default();
        loss.add(self.position.loss, self.position.weight);
        let train_loss = loss.value(self.plan.loss);
        let validation = self.validate()?;
        let train = vec![self.train_metric()];
        self.check_metrics(&train, &validation, watch)?;
        self.finish_epoch(train_loss, &train, &validation, learning_rate);
        watch.observer.epoch_end(&EpochReport {
            epoch,
            epochs,
            learning_rate,
            train_loss,
            train,
            validation,
            seconds: began.elapsed().as_secs_f64(),
            samples_per_second: rows as f64 / trained.as_secs_f64().max(1e-9),
        });
        let every_epochs = self.plan.checkpoint.every_epochs;
        let last = epoch == epochs || self.has_stopped();
        let due = epoch.is_multiple_of(every_epochs.max(1))
            && watch.is_save_cheap(self.plan.checkpoint.max_share);
        if every_epochs > 0 && (due || last) {
            watch.save(&self.checkpoint())?;
        }
        Ok(Control::Continue)
    }

    /// The steps of the epoch under way that are still to be done, fed by a thread that reads ahead.
    fn run_steps(&mut self, watch: &mut Watch<'_, '_>) -> Result<Control, TrainError> {
        let train = Arc::clone(&self.train);
        train.samples().check_unchanged()?;
        let order = self.order();
        if self.paging == Paging::Scattered {
            train.samples().advise(0..train.samples().rows(), Advice::Random);
        }
        let next = (self.position.step_in_epoch * self.plan.batch_size as u64).min(train.len() - 1);
        std::thread::scope(|scope| {
            let mut feed = Feed::start(scope, &order, &train, next, self.paging)?;
            let mut picker = Picker::default();
            let control = threads::with_crew(self.engine.crew_size(), |crew| {
                while self.position.step_in_epoch < self.steps_per_epoch {
                    match self.step(crew, &order, &mut feed, &mut picker, watch) {
                        Ok(Control::Continue) => {}
                        end => return end,
                    }
                }
                Ok(Control::Continue)
            });
            self.waited += feed.finish();
            if self.paging == Paging::Scattered {
                train.samples().advise(0..train.samples().rows(), Advice::Normal);
            }
            let control = control?;
            // Before anything that came of other data is saved.
            train.samples().check_unchanged()?;
            Ok(control)
        })
    }

    /// The order of the epoch under way.
    fn order(&self) -> Order {
        let rows = memory::stretch_rows(&self.train, self.plan.memory);
        let epoch = u64::from(self.position.epoch) + 1;
        Order::new(self.shuffling, self.train.len(), rows, self.plan.seed, epoch)
    }

    /// One step, reported and, if it is time, saved.
    fn step(
        &mut self,
        crew: &mut Crew,
        order: &Order,
        feed: &mut Feed<'_>,
        picker: &mut Picker,
        watch: &mut Watch<'_, '_>,
    ) -> Result<Control, TrainError> {
        let start = self.position.step_in_epoch * self.plan.batch_size as u64;
        let positions = start..self.train.len().min(start + self.plan.batch_size as u64);
        feed.await_rows(order, &positions)?;
        picker.prepare(order, &positions);
        let learning_rate = self.learning_rate(self.position.step);
        let row = |i: usize| self.train.row(picker.index(order, start + i as u64));
        let count = (positions.end - positions.start) as usize;
        let plan = self.step_plan(learning_rate);
        let augmentation = self
            .plan
            .augment
            .map(|augment| augment.in_epoch(self.plan.seed, u64::from(self.position.epoch) + 1));
        let samples = self.counting.of(self.train.samples(), augmentation.as_ref());
        let batch = self.engine.step(crew, &samples, count, &row, plan);
        if let Some(row) = batch.stray {
            return Err(TrainError::stray(self.train.samples(), row));
        }
        let loss = batch.mean();
        let (epoch, step) = (self.position.epoch + 1, self.position.step_in_epoch + 1);
        if !loss.is_finite() {
            return Err(self.diverged(format!("the loss became {loss}"), step));
        }
        let position = &mut self.position;
        position.loss += batch.loss;
        position.weight += batch.weight;
        position.score += batch.score;
        position.step += 1;
        position.step_in_epoch += 1;
        let steps = self.steps_per_epoch;
        let report = StepReport { epoch, step, steps, rows: count, loss, learning_rate };
        let control = watch.observer.step(&report);
        let every = Duration::from_secs(u64::from(self.plan.checkpoint.every_seconds));
        let due = !every.is_zero() && self.looks_at_clock() && watch.saved.elapsed() >= every;
        if control == Control::Stop || due {
            self.train.samples().check_unchanged()?;
            self.check_state(step)?;
            watch.save(&self.checkpoint())?;
        }
        Ok(control)
    }

    fn step_plan(&self, learning_rate: f64) -> StepPlan {
        let optimizer = &self.plan.optimizer;
        StepPlan {
            step: Step {
                l1: optimizer.l1,
                l2: optimizer.l2,
                decay: optimizer.weight_decay,
                clip: optimizer.clip_value,
                ..Step::plain(optimizer.rule, learning_rate, self.position.step + 1)
            },
            dropout_seed: Random::new(self.plan.seed, Purpose::Dropout).bits(self.position.step),
        }
    }

    /// Whether a step takes long enough that a few looks at the clock do not count.
    fn is_large_step(&self) -> bool {
        self.plan.batch_size.saturating_mul(self.engine.network.work()) > 1 << 20
    }

    /// The clock is worth a look after a fair amount of work, not after every tiny step.
    fn looks_at_clock(&self) -> bool {
        self.is_large_step() || self.position.step.is_multiple_of(64)
    }

    /// Of the step with this number, counted from 0.
    fn learning_rate(&self, step: u64) -> f64 {
        let schedule = &self.plan.schedule;
        let factor = schedule.factor(step, self.steps_per_epoch, self.plan.epochs);
        let rate = self.plan.optimizer.learning_rate * factor * self.plateau.factor;
        rate * rollback::factor(self.rollbacks)
    }

    /// Measures the validation rows; nothing where there are none.
    fn validate(&mut self) -> Result<Vec<(Metric, f64)>, TrainError> {
        let Some(rows) = &self.validation else { return Ok(Vec::new()) };
        let isa = self.isa;
        let objective = Objective { class_weights: Vec::new(), ..self.engine.objective.clone() };
        let evaluator = self
            .evaluator
            .get_or_insert_with(|| Evaluator::new(isa, &self.engine.network, objective));
        let subject = Subject {
            network: &self.engine.network,
            preprocess: &self.engine.preprocess,
            output: build::output_kind(&self.plan),
        };
        let pass = Pass::new(rows, self.validation_paging, self.plan.memory);
        let (report, waited) = evaluator.measure(subject, &pass, &mut |_| ())?;
        self.waited += waited;
        Ok(report.values())
    }

    /// What the rows of the epoch scored, each before its step.
    fn train_metric(&self) -> (Metric, f64) {
        let Position { score, weight, .. } = self.position;
        match self.engine.objective.targets {
            TargetKind::Classes => (Metric::Accuracy, score / weight),
            TargetKind::Numbers => {
                let outputs = self.engine.network.outputs() as f64;
                (Metric::Rmse, (score / (weight * outputs)).sqrt())
            }
        }
    }

    fn finish_epoch(
        &mut self,
        train_loss: f64,
        train: &[(Metric, f64)],
        validation: &[(Metric, f64)],
        rate: f64,
    ) {
        let position = &mut self.position;
        *position =
            Position { epoch: position.epoch + 1, step: position.step, ..Position::default() };
        let epoch = position.epoch;
        let mut values = vec![("learning_rate".to_owned(), rate)];
        values.push(("train_loss".to_owned(), train_loss));
        values.extend(train.iter().map(|(m, value)| (format!("train_{}", m.name()), *value)));
        values.extend(validation.iter().map(|(m, value)| (format!("val_{}", m.name()), *value)));
        self.history.push(HistoryRow { epoch, values });

        let find = |metric| validation.iter().find(|(m, _)| *m == metric).map(|(_, value)| *value);
        let loss = find(Metric::Loss).unwrap_or(train_loss);
        if let schedule::Curve::Plateau(plateau) = self.plan.schedule.curve {
            plateau.observe(&mut self.plateau, loss);
        }
        let watched = match self.plan.early_stopping.metric {
            Metric::Loss => loss,
            other => find(other).unwrap_or(f64::NAN),
        };
        let keeps = self.plan.early_stopping.patience > 0 && self.plan.early_stopping.restore_best;
        if self.stopping.observe(epoch, watched) == Verdict::Improved && keeps {
            match &mut self.best {
                None => self.best = Some(Snapshot::of_weights(&self.engine)),
                Some(best) => best.renew(&self.engine),
            }
        }
    }

    /// The epoch whose weights the model gets, if they are not the latest.
    fn restored_epoch(&self) -> Option<u32> {
        self.best.as_ref()?;
        self.stopping.best().map(|best| best.epoch).filter(|&epoch| epoch != self.position.epoch)
    }
}
