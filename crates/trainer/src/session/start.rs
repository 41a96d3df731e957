//! How a run starts: the data are checked and divided, and the order of their rows is decided.

use super::build::{self, class_counts};
use super::{Position, Session, quantiles};
use crate::config::{DataShape, RunConfig, Shuffle, TargetShape, TrainingPlan};
use crate::data::counted::Counting;
use crate::data::feed::Paging;
use crate::data::memory::RowShape;
use crate::data::order::{Order, Shuffling};
use crate::data::samples::Samples;
use crate::data::subset::Subset;
use crate::data::windows::Windows;
use crate::data::{in_time, memory, mixing, usable, validation};
use crate::early_stopping::EarlyStopping;
use crate::error::TrainError;
use crate::sampler::{Split, WindowShape};
use crate::schedule::PlateauState;
use crate::step::engine::{Engine, Setup};
use crate::threads;
use gristmill_io::Advice;
use gristmill_io::schema::Target;
use gristmill_kernels::Isa;
use std::sync::Arc;
use std::time::Duration;

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
        let Some(target) = TargetShape::of(&encoding.target) else {
            let hint = "import it again with --target COLUMN";
            return Err(TrainError::Data(format!("the data set has no target: {hint}")));
        };
        let series = config.data.series();
        usable::check_kept(train, series)?;
        if train.rows() == 0 {
            return Err(TrainError::Data(format!("{} has no rows to learn from", train.name())));
        }
        let windows = Windows::new(train, series)?;
        let config = config.clone().on_data_of(windows.view());
        let mut plan = config.resolve(&DataShape {
            features: windows.features(),
            index_columns: &windows.index_columns(),
            target,
        })?;
        if validation.is_some_and(|v| v.encoding() != encoding) {
            let hint = "import it with the encoding of the training data";
            return Err(TrainError::Data(format!(
                "the validation data have other columns, categories or classes than the training \
                 data: {hint}"
            )));
        }
        let pool = threads::pool(plan.threads)?;
        let mut warnings = Vec::new();
        let (train, validation) = match validation {
            Some(samples) => {
                (Subset::of(windows), Some(Subset::of(Windows::new(samples, series)?)))
            }
            None if plan.validation.split > 0.0 && series.is_some() => {
                let (share, memory) = (plan.validation.split, plan.memory);
                let [train, held_out] = pool.install(|| in_time::split(windows, share, memory))?;
                (train, Some(held_out))
            }
            None if plan.validation.split > 0.0 => {
                let (train, held_out) = Subset::both(train, split(&plan, train));
                warnings.extend(validation::shortfall(&held_out, plan.validation.split)?);
                (train, Some(held_out))
            }
            None => (Subset::of(windows), None),
        };
        plan.early_stopping.check_validation(validation.is_some())?;
        match &validation {
            Some(rows) => {
                validation::check(rows, &plan.early_stopping)?;
                warnings.extend(validation::doubt(rows));
            }
            None if plan.early_stopping.patience > 0 => warnings.push(
                "there are no rows to validate on: --patience watches the loss of training"
                    .to_owned(),
            ),
            None => {}
        }
        usable::check_tokens(train.samples(), plan.looked_up())?;
        memory::check_room(&plan, train.len())?;
        let (objective, preprocess) =
            (build::objective(&plan, &train), build::preprocess(&plan, train.samples()));
        let first = usable::first_counted(&train, &objective)?;
        let counting = Counting::new(train.samples(), objective.clone(), first);
        let features = build::input_scales(&plan, train.samples());
        usable::check_range(train.samples(), &features, &preprocess.targets)?;
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
        let mut network = build::network(&plan);
        if train.samples().is_ragged() {
            if plan.augment.is_some() {
                return Err(TrainError::Data(format!(
                    "the rows of {} are series of unequal length, which are not changed: leave --augment out",
                    train.samples().name()
                )));
            }
            network = network.of_unequal_lengths().map_err(TrainError::Data)?;
        }
        quantiles::set_edges(isa, &mut network, &preprocess, &objective, &train);
        let engine = pool.install(|| {
            Engine::new(Setup {
                threads: threads::useful(),
                isa,
                network,
                preprocess,
                objective,
                rule: plan.optimizer.rule,
                clip_norm: plan.optimizer.clip_norm,
                batch,
            })
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
            steps_per_epoch: train.len().div_ceil(plan.batch_size as u64),
            train: Arc::new(train),
            counting,
            evaluator: None,
            validation,
            engine,
            position: Position::default(),
            plateau: PlateauState::default(),
            stopping,
            best: None,
            history: Vec::new(),
            trial: None,
            rollbacks: 0,
            safe: None,
            paging,
            validation_paging,
            waited: Duration::ZERO,
            warnings,
            plan,
        })
    }
}

/// Decides what order `auto` means here, and writes it into the plan, so that a run that is resumed on
/// another machine keeps it. A window that mixes badly is made of smaller blocks; what is still bad is
/// told.
fn decide_order<S: Samples>(
    plan: &mut TrainingPlan,
    train: &Subset<'_, S>,
    warnings: &mut Vec<String>,
) -> Shuffling {
    let (rows, row) = (train.len(), RowShape::of(train.samples()));
    let training = &mut plan.config.training;
    let given = training.block_rows.zip(training.window_blocks);
    let mut shuffling = match (plan.shuffle, given) {
        (Shuffle::Auto | Shuffle::Window, Some((block_rows, blocks))) => {
            Shuffling::Window(WindowShape { block_rows, blocks })
        }
        (shuffle, _) => memory::choose(shuffle, rows, row, plan.memory),
    };
    let unevenness = |how: Shuffling| {
        let order = Order::new(how, rows, memory::stretch_rows(train, plan.memory), plan.seed, 1);
        mixing::unevenness(&order, train, plan.batch_size as u64)
    };
    train.samples().advise(0..train.samples().rows(), Advice::Random);
    let mut uneven = if shuffling == Shuffling::Full { 1.0 } else { unevenness(shuffling) };
    while let (Shuffling::Window(shape), None) = (shuffling, given) {
        if uneven <= mixing::UNEVEN {
            break;
        }
        let Some(smaller) = memory::smaller_blocks(shape, row) else { break };
        shuffling = Shuffling::Window(smaller);
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

fn split<S: Samples>(plan: &TrainingPlan, samples: &S) -> Split {
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
