//! A training run: epochs of steps, validation, early stopping, and the state to resume from.
//!
//! Everything that the next step depends on is in [`Session::checkpoint`]. The order of rows, dropout
//! and the learning rate are functions of (seed, epoch, step), so there is little of it.

use crate::config::{ClassWeights, DataShape, LayerPlan, Plan, RunConfig, Shuffle, TargetShape};
use crate::early_stopping::{Best, EarlyStopping, Verdict};
use crate::engine::{Engine, StepPlan};
use crate::error::TrainError;
use crate::evaluation::{Evaluator, Subject};
use crate::feed::{Feed, Order, Paging, Picker, Shuffling};
use crate::layout::Shape;
use crate::memory;
use crate::metrics::{LossMeter, Metric};
use crate::mixing;
use crate::model::Trained;
use crate::network::{Layer, Network};
use crate::objective::{Objective, TargetKind};
use crate::observer::{Control, EpochReport, EpochStart, Observer, StepReport};
use crate::pass::Pass;
use crate::preprocess::{Preprocess, feature_scale, standard_scale};
use crate::profile::Profile;
use crate::random::{Purpose, Random};
use crate::sampler::{Split, WindowShape};
use crate::samples::Samples;
use crate::schedule::{self, PlateauState};
use crate::subset::Subset;
use crate::threads;
use crate::validation;
use gristmill_io::schema::Target;
use gristmill_io::{Advice, Checkpoint, HistoryRow, Model, OutputKind, Scale};
use gristmill_kernels::{Crew, Isa, Loss, Rows, Step};
use rayon::ThreadPool;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A training run on data sets of type `S`.
pub struct Session<'d, S: Samples> {
    plan: Plan,
    shuffling: Shuffling,
    isa: Isa,
    pool: Arc<ThreadPool>,
    train: Arc<Subset<'d, S>>,
    validation: Option<Subset<'d, S>>,
    engine: Engine,
    evaluator: Option<Evaluator>,
    position: Position,
    plateau: PlateauState,
    stopping: EarlyStopping,
    /// The weights of the best epoch so far, where they are to be restored.
    best_weights: Option<Rows>,
    history: Vec<HistoryRow>,
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
    /// What they scored, summed: see [`BatchLoss::score`](crate::engine::BatchLoss::score).
    score: f64,
}

/// Why a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// All epochs are done.
    Finished,
    /// It no longer improved.
    EarlyStopped,
    /// The observer asked for it.
    Interrupted,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Outcome {
    /// Why.
    pub reason: Reason,
    /// Epochs completed.
    pub epochs: u32,
    /// The epoch whose weights the model has, where it is not the last.
    pub restored: Option<u32>,
    /// How long it took.
    pub seconds: Duration,
    /// For how much of that steps and validation waited until their rows had been read: for stretches
    /// that are read ahead, and at least so long for pages that were not.
    pub waited_for_data: Duration,
    /// Where the time of the steps went; all zero where they are too short to be measured.
    pub profile: Profile,
}

/// What set the speed of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// The arithmetic of the steps.
    Compute,
    /// Reading rows from the disk.
    Disk,
    /// Finding rows in memory.
    Memory,
}

impl Outcome {
    /// What set the speed of the run.
    pub fn limit(&self) -> Limit {
        let share = |part: Duration, whole: Duration| part.as_secs_f64() / whole.as_secs_f64();
        if share(self.waited_for_data, self.seconds) > 0.1 {
            Limit::Disk
        } else if share(self.profile.gather, self.profile.total()) > 0.4 {
            Limit::Memory
        } else {
            Limit::Compute
        }
    }
}

/// What it takes at least until a page has been read.
const PAGE_READ: Duration = Duration::from_micros(100);

/// Those who follow a run.
struct Watch<'a, 's> {
    observer: &'a mut dyn Observer,
    save: &'a mut Save<'s>,
    /// When the last checkpoint had been saved, and how long that took.
    saved: Instant,
    cost: Duration,
}

impl<'a, 's> Watch<'a, 's> {
    fn new(observer: &'a mut dyn Observer, save: &'a mut Save<'s>) -> Watch<'a, 's> {
        Watch { observer, save, saved: Instant::now(), cost: Duration::ZERO }
    }

    fn save(&mut self, checkpoint: &Checkpoint) -> Result<(), TrainError> {
        let began = Instant::now();
        (self.save)(checkpoint)?;
        self.saved = Instant::now();
        self.cost = self.saved - began;
        Ok(())
    }

    /// Whether saving now takes no more than this share of the time since before the last save.
    fn is_save_cheap(&self, share: f64) -> bool {
        let since = (self.saved.elapsed() + self.cost).as_secs_f64();
        share >= 1.0 || self.cost.as_secs_f64() <= share * since
    }
}

/// Is handed a checkpoint whenever one is due.
pub type Save<'a> = dyn FnMut(&Checkpoint) -> Result<(), TrainError> + Send + 'a;

impl<'d, S: Samples> Session<'d, S> {
    /// A run from the start, or to be [restored](Self::restore). `validation` holds rows to validate
    /// on; else the configuration may hold out a part of `train`.
    ///
    /// # Errors
    /// A configuration that does not fit the data, or data that cannot be learned from.
    pub fn new(
        config: &RunConfig,
        isa: Isa,
        train: &'d S,
        validation: Option<&'d S>,
    ) -> Result<Session<'d, S>, TrainError> {
        let encoding = train.encoding();
        let target = match &encoding.target {
            Target::Classes { names, .. } => TargetShape::Classes(names),
            Target::Numbers { columns } => TargetShape::Numbers(columns.len()),
            Target::None => {
                let hint = "import it again with --target COLUMN";
                return Err(TrainError::Data(format!("the data set has no target: {hint}")));
            }
        };
        let mut plan = config.resolve(&DataShape { features: encoding.features(), target })?;
        if validation.is_some_and(|v| v.encoding() != encoding) {
            let hint = "import it with the encoding of the training data";
            return Err(TrainError::Data(format!(
                "the validation data have other columns, categories or classes than the training \
                 data: {hint}"
            )));
        }
        let pool = threads::pool(plan.threads)?;
        let (train, validation) = match validation {
            Some(samples) => (Subset::all(train), Some(Subset::all(samples))),
            None if plan.validation.split > 0.0 => {
                let (train, held_out) = Subset::both(train, split(&plan, train));
                (train, Some(held_out))
            }
            None => (Subset::all(train), None),
        };
        if train.is_empty() {
            return Err(TrainError::Data("there are no rows to learn from".to_owned()));
        }
        let validation = validation.filter(|rows| !rows.is_empty());
        plan.early_stopping.check_validation(validation.is_some())?;
        let mut warnings = Vec::from_iter(validation.as_ref().and_then(validation::doubt));
        let shuffling = decide_order(&mut plan, &train, &mut warnings);
        let paging = memory::paging(shuffling, train.samples(), plan.memory);
        if paging != Paging::Scattered {
            train.samples().advise(0..train.samples().rows(), Advice::Parts);
        }
        let mut validation_paging = Paging::None;
        if let Some(samples) = validation.as_ref().map(Subset::samples) {
            validation_paging =
                memory::validation_paging(paging, train.samples(), samples, plan.memory);
            if !std::ptr::eq(samples, train.samples()) {
                samples.advise(0..samples.rows(), Advice::Parts);
            }
        }
        if paging == Paging::Scattered {
            warnings.push(
                "the file does not fit in memory, and in full shuffle every row is read by itself: \
                 --shuffle window reads ahead"
                    .to_owned(),
            );
        }
        plan.config.training.instruction_set = Some(isa.name().to_owned());
        let batch = plan.batch_size.min(usize::try_from(train.len()).unwrap_or(usize::MAX));
        let engine = pool.install(|| {
            Engine::new(
                threads::useful(),
                isa,
                start_network(&plan),
                preprocess(&plan, train.samples()),
                objective(&plan, &train),
                plan.optimizer.rule,
                plan.optimizer.clip_norm,
                batch,
            )
        });
        // What was read of the files so far, to check and to divide them, is not what the first steps need.
        let held_out = validation.as_ref().map(Subset::samples);
        for (paging, samples) in [(paging, Some(train.samples())), (validation_paging, held_out)] {
            if let (Paging::AheadAndDrop, Some(samples)) = (paging, samples) {
                samples.advise(0..samples.rows(), Advice::DontNeed);
            }
        }
        let stopping = EarlyStopping::new(plan.early_stopping.clone(), None);
        Ok(Session {
            shuffling,
            isa,
            pool: Arc::new(pool),
            train: Arc::new(train),
            evaluator: None,
            validation,
            engine,
            position: Position::default(),
            plateau: PlateauState::default(),
            stopping,
            best_weights: None,
            history: Vec::new(),
            paging,
            validation_paging,
            waited: Duration::ZERO,
            warnings,
            plan,
        })
    }

    /// The configuration with every default spelled out.
    pub fn config(&self) -> &RunConfig {
        &self.plan.config
    }

    /// The instruction set that it runs with.
    pub fn isa(&self) -> Isa {
        self.isa
    }

    /// Threads that it runs on.
    pub fn threads(&self) -> usize {
        self.pool.current_num_threads()
    }

    /// The network as it stands.
    pub fn network(&self) -> &Network {
        &self.engine.network
    }

    /// In which order an epoch visits the rows.
    pub fn shuffling(&self) -> Shuffling {
        self.shuffling
    }

    /// How rows get into memory.
    pub fn paging(&self) -> Paging {
        self.paging
    }

    /// About how long an epoch takes if its rows are in memory, without validation.
    pub fn expected_epoch_seconds(&self) -> f64 {
        self.engine.expected_seconds(self.train.len())
    }

    /// Rows that are learned from, and rows that are validated on.
    pub fn row_counts(&self) -> (u64, u64) {
        (self.train.len(), self.validation.as_ref().map_or(0, Subset::len))
    }

    /// What was measured after each epoch.
    pub fn history(&self) -> &[HistoryRow] {
        &self.history
    }

    /// Bytes of a row's features in the data set.
    pub fn row_bytes(&self) -> u64 {
        self.train.samples().row_bytes()
    }

    /// Epochs completed, and steps done in the epoch under way.
    pub fn position(&self) -> (u32, u64) {
        (self.position.epoch, self.position.step_in_epoch)
    }

    fn steps_per_epoch(&self) -> u64 {
        self.train.len().div_ceil(self.plan.batch_size as u64)
    }

    /// Trains to the end of the last epoch, or until the observer or early stopping ends it.
    ///
    /// # Errors
    /// The loss is no longer a number, the data cannot be read any more, or `save` failed.
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
            if self.run_epoch(watch)? == Control::Stop {
                break Reason::Interrupted;
            }
        };
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
        let (epochs, steps) = (self.plan.epochs, self.steps_per_epoch());
        let done = self.position.step_in_epoch;
        watch.observer.epoch_begin(&EpochStart { epoch, epochs, steps, done });
        let began = Instant::now();
        if self.run_steps(watch)? == Control::Stop {
            return Ok(Control::Stop);
        }
        let trained = began.elapsed();
        let rows = self.train.len() - (done * self.plan.batch_size as u64).min(self.train.len());
        let learning_rate = self.learning_rate(self.position.step.saturating_sub(1));
        let mut loss = LossMeter::default();
        loss.add(self.position.loss, self.position.weight);
        let train_loss = loss.value(self.plan.loss);
        let validation = self.validate()?;
        let train = vec![self.train_metric()];
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
        let (rows, stretch) = (train.len(), memory::stretch_rows(&train, self.plan.memory));
        let epoch = u64::from(self.position.epoch) + 1;
        let order = Order::new(self.shuffling, rows, stretch, self.plan.seed, epoch);
        if self.paging == Paging::Scattered {
            train.samples().advise(0..train.samples().rows(), Advice::Random);
        }
        let next = (self.position.step_in_epoch * self.plan.batch_size as u64).min(rows - 1);
        std::thread::scope(|scope| {
            let mut feed = Feed::start(scope, &order, &train, next, self.paging);
            let mut picker = Picker::default();
            let control = threads::with_crew(self.engine.crew_size(), |crew| {
                while self.position.step_in_epoch < self.steps_per_epoch() {
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
        let batch = self.engine.step(crew, self.train.samples(), count, &row, plan);
        if let Some(row) = batch.stray {
            return Err(TrainError::stray(self.train.samples(), row));
        }
        let loss = batch.mean();
        let position = &mut self.position;
        let (epoch, step) = (position.epoch + 1, position.step_in_epoch + 1);
        if !loss.is_finite() {
            return Err(TrainError::Diverged { epoch, step, loss, learning_rate });
        }
        position.loss += batch.loss;
        position.weight += batch.weight;
        position.score += batch.score;
        position.step += 1;
        position.step_in_epoch += 1;
        let steps = self.steps_per_epoch();
        let report = StepReport { epoch, step, steps, rows: count, loss, learning_rate };
        let control = watch.observer.step(&report);
        let every = Duration::from_secs(u64::from(self.plan.checkpoint.every_seconds));
        let due = !every.is_zero() && self.looks_at_clock() && watch.saved.elapsed() >= every;
        if control == Control::Stop || due {
            self.train.samples().check_unchanged()?;
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
        self.plan.batch_size.saturating_mul(self.engine.network.layout().parameters()) > 1 << 20
    }

    /// The clock is worth a look after a fair amount of work, not after every tiny step.
    fn looks_at_clock(&self) -> bool {
        self.is_large_step() || self.position.step.is_multiple_of(64)
    }

    /// Of the step with this number, counted from 0.
    fn learning_rate(&self, step: u64) -> f64 {
        let schedule = &self.plan.schedule;
        let factor = schedule.factor(step, self.steps_per_epoch(), self.plan.epochs);
        self.plan.optimizer.learning_rate * factor * self.plateau.factor
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
            output: output_kind(&self.plan),
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
        if let schedule::Shape::Plateau(plateau) = self.plan.schedule.shape {
            plateau.observe(&mut self.plateau, loss);
        }
        let watched = match self.plan.early_stopping.metric {
            Metric::Loss => loss,
            other => find(other).unwrap_or(f64::NAN),
        };
        let keeps = self.plan.early_stopping.patience > 0 && self.plan.early_stopping.restore_best;
        if self.stopping.observe(epoch, watched) == Verdict::Improved && keeps {
            let weights = self.engine.network.weights();
            let best = self.best_weights.get_or_insert_with(|| Rows::zeroed(weights.len()));
            best.copy_from_slice(weights);
        }
    }

    /// The epoch whose weights the model gets, if they are not the latest.
    fn restored_epoch(&self) -> Option<u32> {
        self.best_weights.as_ref()?;
        self.stopping.best().map(|best| best.epoch).filter(|&epoch| epoch != self.position.epoch)
    }

    /// The model as it stands: with the weights of the best epoch where these are to be restored.
    pub fn model(&self) -> Model {
        let mut network = self.engine.network.clone();
        if let Some(best) = &self.best_weights {
            network.weights_mut().copy_from_slice(best);
        }
        let samples = self.train.samples();
        let inputs = input_scales(&self.plan, samples);
        Model {
            encoding: samples.encoding().clone(),
            inputs,
            outputs: self.engine.preprocess.targets.clone(),
            layers: Trained::dense_layers(&network),
            output: output_kind(&self.plan),
            training: self.training_notes(),
        }
    }

    fn training_notes(&self) -> Vec<(String, String)> {
        let note = |name: &str, value: String| (name.to_owned(), value);
        let mut notes = vec![
            note("epochs", self.position.epoch.to_string()),
            note("rows", self.train.len().to_string()),
            note("loss", self.plan.loss.name().to_owned()),
            note("optimizer", self.plan.config.optimizer.kind.to_string()),
            note("instruction set", self.isa.to_string()),
        ];
        if let Some(epoch) = self.restored_epoch() {
            notes.push(note("best epoch", epoch.to_string()));
        }
        if let Some(last) = self.history.last() {
            notes.extend(last.values.iter().map(|(name, value)| (name.clone(), value.to_string())));
        }
        notes
    }

    /// Everything that the next step depends on.
    pub fn checkpoint(&self) -> Checkpoint {
        let position = &self.position;
        let layout = self.engine.network.layout();
        let mut tensors = Vec::new();
        let mut add = |prefix: &str, arena: &Rows| {
            if arena.is_empty() {
                return;
            }
            for layer in 0..self.engine.network.layers().len() {
                let (weights, bias) = layout.read_weights(layer, arena);
                tensors.push((format!("{prefix}.{layer}.weight"), weights));
                if !bias.is_empty() {
                    tensors.push((format!("{prefix}.{layer}.bias"), bias));
                }
            }
        };
        add("parameters", self.engine.network.weights());
        add("moments0", &self.engine.state.slots[0]);
        add("moments1", &self.engine.state.slots[1]);
        if let Some(best) = &self.best_weights {
            add("best", best);
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
        if checkpoint.step_in_epoch > self.steps_per_epoch() {
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
        let tensors = Tensors(checkpoint);
        let (network, state) = (&mut self.engine.network, &mut self.engine.state);
        let layout = network.layout().clone();
        tensors.read("parameters", &layout, network.weights_mut())?;
        for (slot, name) in state.slots.iter_mut().zip(["moments0", "moments1"]) {
            if !slot.is_empty() {
                tensors.read(name, &layout, slot)?;
            }
        }
        self.best_weights = match tensors.find("best.0.weight") {
            None => None,
            Some(_) => {
                let mut best = Rows::zeroed(layout.rows());
                tensors.read("best", &layout, &mut best)?;
                Some(best)
            }
        };
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
        let best = counter("best.value").zip(counter("best.epoch"));
        let best = best.map(|(value, epoch)| Best { value, epoch: epoch as u32 });
        self.stopping = EarlyStopping::new(self.plan.early_stopping.clone(), best);
        self.history = checkpoint.history.clone();
        Ok(())
    }
}

/// The counter of a checkpoint that has the rows of its data set.
const ROWS: &str = "data.rows";

/// The tensors of a checkpoint by name.
struct Tensors<'a>(&'a Checkpoint);

impl Tensors<'_> {
    fn find(&self, name: &str) -> Option<&[f32]> {
        let found = self.0.tensors.iter().find(|(n, _)| n == name);
        found.map(|(_, values)| values.as_slice())
    }

    fn read(
        &self,
        prefix: &str,
        layout: &crate::layout::Layout,
        arena: &mut [gristmill_kernels::Row],
    ) -> Result<(), TrainError> {
        for (layer, shape) in layout.shapes().iter().enumerate() {
            let fetch = |part: &str, len: usize| {
                let name = format!("{prefix}.{layer}.{part}");
                let values = self.find(&name).unwrap_or(&[]);
                let reason = || format!("{name} has {} values, expected {len}", values.len());
                if values.len() == len { Ok(values) } else { Err(TrainError::Checkpoint(reason())) }
            };
            let weights = fetch("weight", shape.inputs * shape.outputs)?;
            let bias = fetch("bias", if shape.bias { shape.outputs } else { 0 })?;
            layout.write_weights(layer, weights, bias, arena);
        }
        Ok(())
    }
}

/// Decides what order `auto` means here, and writes it into the plan, so that a run that is resumed on
/// another machine keeps it. A window that mixes badly is made of smaller blocks; what is still bad is
/// told.
fn decide_order<S: Samples>(
    plan: &mut Plan,
    train: &Subset<'_, S>,
    warnings: &mut Vec<String>,
) -> Shuffling {
    let (rows, row_bytes) = (train.len(), train.samples().row_bytes());
    let training = &mut plan.config.training;
    let given = training.block_rows.zip(training.window_blocks);
    let mut shuffling = match (plan.shuffle, given) {
        (Shuffle::Auto | Shuffle::Window, Some((block_rows, blocks))) => {
            Shuffling::Window(WindowShape { block_rows, blocks })
        }
        (shuffle, _) => memory::choose(shuffle, rows, row_bytes, plan.memory),
    };
    let unevenness = |how: Shuffling| {
        let order = Order::new(how, rows, memory::stretch_rows(train, plan.memory), plan.seed, 1);
        mixing::unevenness(&order, train, plan.batch_size as u64)
    };
    train.samples().advise(0..train.samples().rows(), Advice::Random);
    let mut uneven = if shuffling == Shuffling::Full { 1.0 } else { unevenness(shuffling) };
    while let (Shuffling::Window(shape), None) = (shuffling, given) {
        if uneven <= mixing::UNEVEN || shape.block_rows * row_bytes <= memory::SMALLEST_BLOCK {
            break;
        }
        let block_rows = shape.block_rows.div_ceil(2);
        shuffling = Shuffling::Window(WindowShape { block_rows, blocks: shape.blocks * 2 });
        uneven = unevenness(shuffling);
    }
    train.samples().advise(0..train.samples().rows(), Advice::Normal);
    if uneven > mixing::UNEVEN {
        let advice = match shuffling {
            Shuffling::Stored => "shuffle them with --shuffle auto",
            _ if given.is_some() => {
                "leave training.block_rows and training.window_blocks out, or --shuffle full"
            }
            _ => "give more --memory, or --shuffle full",
        };
        warnings.push(format!(
            "the targets of minibatches differ {uneven:.1} times as much as in a true shuffle \
             (the file may be sorted): {advice}"
        ));
    }
    match shuffling {
        Shuffling::Stored => {}
        Shuffling::Full => training.shuffle = Shuffle::Full,
        Shuffling::Window(shape) => {
            training.shuffle = Shuffle::Window;
            training.block_rows = Some(shape.block_rows);
            training.window_blocks = Some(shape.blocks);
        }
    }
    plan.shuffle = training.shuffle;
    shuffling
}

fn split<S: Samples>(plan: &Plan, samples: &S) -> Split {
    let rows = samples.rows();
    let Target::Classes { names, .. } = &samples.encoding().target else {
        return Split::random(rows, plan.validation.split, plan.seed);
    };
    if !plan.validation.stratified {
        return Split::random(rows, plan.validation.split, plan.seed);
    }
    let counts = class_counts(samples, 0..rows, names.len());
    Split::stratified(&counts, |row| samples.label(row), plan.validation.split, plan.seed)
}

/// How many of these rows there are of each class.
fn class_counts<S: Samples>(
    samples: &S,
    rows: impl Iterator<Item = u64>,
    classes: usize,
) -> Vec<u64> {
    let mut counts = vec![0; classes];
    for row in rows {
        if let Some(count) = counts.get_mut(samples.label(row) as usize) {
            *count += 1;
        }
    }
    counts
}

pub(crate) fn start_network(plan: &Plan) -> Network {
    let layer = |plan: &LayerPlan| Layer {
        shape: Shape { inputs: plan.inputs, outputs: plan.outputs, bias: plan.bias.is_some() },
        activation: plan.activation,
        dropout: plan.dropout as f32,
    };
    let mut network = Network::zeroed(plan.layers.iter().map(layer).collect());
    for (i, layer) in plan.layers.iter().enumerate() {
        let weights = layer.init.weights(plan.seed, i, layer.inputs, layer.outputs);
        network.set_layer_weights(i, &weights, layer.bias.as_deref().unwrap_or(&[]));
    }
    network
}

fn input_scales<S: Samples>(plan: &Plan, samples: &S) -> Vec<Scale> {
    let statistics = samples.statistics();
    if plan.standardize_inputs {
        statistics.iter().map(|s| feature_scale(s, samples.element())).collect()
    } else {
        vec![Trained::UNSCALED; statistics.len()]
    }
}

fn preprocess<S: Samples>(plan: &Plan, samples: &S) -> Preprocess {
    let targets = samples.target_statistics();
    let targets = if plan.standardize_targets {
        targets.iter().map(standard_scale).collect()
    } else {
        vec![Trained::UNSCALED; targets.len()]
    };
    Preprocess::new(&input_scales(plan, samples), targets)
}

fn output_kind(plan: &Plan) -> OutputKind {
    match plan.loss {
        Loss::SoftmaxCrossEntropy => OutputKind::Softmax,
        Loss::BinaryCrossEntropy => OutputKind::Sigmoid,
        _ => OutputKind::Values,
    }
}

fn objective<S: Samples>(plan: &Plan, train: &Subset<'_, S>) -> Objective {
    let names = match &train.samples().encoding().target {
        Target::Classes { names, .. } => names.as_slice(),
        _ => &[],
    };
    let targets = TargetKind::of(&train.samples().encoding().target);
    let class_weights = match &plan.class_weights {
        ClassWeights::None => Vec::new(),
        weights => {
            let rows = (0..train.len()).map(|i| train.row(i));
            let counts = class_counts(train.samples(), rows, names.len());
            weights.by_class(names, &counts).into_iter().map(|w| w as f32).collect()
        }
    };
    Objective { loss: plan.loss, targets, class_weights }
}
