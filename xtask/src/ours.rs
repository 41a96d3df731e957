//! The training step of gristmill on a workload.

use crate::network;
use crate::trace::Trace;
use crate::workload::{self, Workload};
use anyhow::Result;
use gristmill_kernels::{Crew, Isa, Loss, Step, UpdateRule};
use gristmill_trainer::data::samples::{Samples, Table};
use gristmill_trainer::model::Trained;
use gristmill_trainer::network::Network;
use gristmill_trainer::objective::{Objective, TargetKind};
use gristmill_trainer::preprocess::Preprocess;
use gristmill_trainer::step::engine::{Engine, Setup, StepPlan};
use gristmill_trainer::step::profile::Profile;
use gristmill_trainer::{useful_threads, with_crew};
use std::time::Instant;

/// A network in training on the batches of a trace, one after the other and over again.
pub(crate) struct Ours {
    engine: Engine,
    rule: UpdateRule,
    learning_rate: f64,
    table: Table,
    batch: usize,
    steps: u64,
}

/// What was done in some time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Slice {
    pub(crate) samples: u64,
    pub(crate) seconds: f64,
}

impl Slice {
    /// Samples per second.
    pub(crate) fn rate(self) -> f64 {
        self.samples as f64 / self.seconds
    }
}

/// Takes steps of so many samples for at least so many seconds.
///
/// The clock is read once every few thousand samples, for it costs as much as the smallest steps.
pub(crate) fn timed(seconds: f64, batch: usize, mut step: impl FnMut()) -> Slice {
    let steps = usize::max(1, 4096 / batch);
    let (mut samples, begun) = (0, Instant::now());
    loop {
        (0..steps).for_each(|_| step());
        samples += (steps * batch) as u64;
        let elapsed = begun.elapsed().as_secs_f64();
        if elapsed >= seconds {
            return Slice { samples, seconds: elapsed };
        }
    }
}

impl Ours {
    /// Starts from the parameters of the trace, on the threads of the current pool.
    ///
    /// # Errors
    /// The trace has numbers that are not finite.
    pub(crate) fn new(isa: Isa, workload: &Workload, trace: &Trace) -> Result<Ours> {
        let rule = rule(workload);
        let features = vec![Trained::UNSCALED; workload.layers[0]];
        let engine = Engine::new(Setup {
            threads: useful_threads(),
            isa,
            network: network(workload, trace),
            preprocess: Preprocess::new(&features, Vec::new()),
            objective: objective(workload.loss),
            rule,
            clip_norm: None,
            batch: workload.batch,
        });
        Ok(Ours {
            engine,
            rule,
            learning_rate: workload.learning_rate,
            table: trace.table(workload)?,
            batch: workload.batch,
            steps: 0,
        })
    }

    /// Trains on the next batches and returns the loss of each before its update.
    pub(crate) fn losses(&mut self, steps: usize) -> Vec<f64> {
        with_crew(self.engine.crew_size(), |crew| (0..steps).map(|_| self.step(crew)).collect())
    }

    fn step(&mut self, crew: &mut Crew) -> f64 {
        let first = self.steps * self.batch as u64 % self.table.rows();
        self.steps += 1;
        let step = Step::plain(self.rule, self.learning_rate, self.steps);
        let row = |i: usize| first + i as u64;
        let plan = StepPlan { step, dropout_seed: 0 };
        self.engine.step(crew, &self.table, self.batch, &row, plan).mean()
    }

    /// Trains for at least so many seconds.
    pub(crate) fn run(&mut self, seconds: f64) -> Slice {
        with_crew(self.engine.crew_size(), |crew| {
            timed(seconds, self.batch, || {
                self.step(crew);
            })
        })
    }

    /// Trains for at least so many seconds and tells where the time went.
    pub(crate) fn profile(&mut self, seconds: f64) -> Profile {
        self.engine.profile(true);
        self.run(seconds);
        let profile = self.engine.take_profile();
        self.engine.profile(false);
        profile
    }
}

/// The network of a workload with the parameters of a trace.
pub(crate) fn network(workload: &Workload, trace: &Trace) -> Network {
    let mut network = network::network(workload);
    for (node, values) in trace.parameters.iter().enumerate() {
        network.write(node, values);
    }
    network
}

/// What a loss is taken against.
pub(crate) fn objective(loss: workload::Loss) -> Objective {
    let (loss, targets) = match loss {
        workload::Loss::MeanSquared => (Loss::MeanSquared, TargetKind::Numbers),
        workload::Loss::MeanAbsolute => (Loss::MeanAbsolute, TargetKind::Numbers),
        workload::Loss::BinaryCrossEntropy => (Loss::BinaryCrossEntropy, TargetKind::Numbers),
        workload::Loss::SoftmaxCrossEntropy => (Loss::SoftmaxCrossEntropy, TargetKind::Classes),
    };
    Objective { loss, targets, class_weights: Vec::new() }
}

fn rule(workload: &Workload) -> UpdateRule {
    match workload.optimizer {
        workload::Optimizer::Sgd => UpdateRule::Sgd,
        workload::Optimizer::Momentum => {
            UpdateRule::Momentum { beta: workload.momentum, nesterov: false }
        }
        workload::Optimizer::Adam => UpdateRule::Adam { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 },
    }
}
