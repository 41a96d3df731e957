//! `cargo xtask bench`: how fast our training step is, how near to the ceilings of the machine, and
//! where its time goes; or how fast rows are run forward only.

mod inference;
mod record;
mod scalar;
mod sweep;

use crate::ceiling::{Ceilings, Prober};
use crate::network;
use crate::ours::Ours;
use crate::report::{Circumstances, median, percent, table, thousands};
use crate::trace::Trace;
use crate::workload::{Choice, Workload};
use anyhow::{Context, Result, ensure};
use gristmill_kernels::Isa;
use gristmill_trainer::on_threads;
use gristmill_trainer::step::profile::Profile;
use inference::Inference;
use scalar::Scalar;
use serde::{Deserialize, Serialize};
use std::fs;
use std::io::Write;
use std::path::PathBuf;
use sweep::Sweep;

/// Time training steps or inference, with their share of this machine's ceilings and a breakdown.
///
/// The roofline of a workload is the larger of the time for its nominal operations at the ceiling of
/// multiply-adds and the time for its least bytes at that of memory; both ceilings are measured in the
/// same run, in turn with the workloads. Figures are medians over the rounds.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    choice: Choice,
    /// The instruction set: portable, avx2 or avx512 [default: GRISTMILL_ISA, else the best].
    #[arg(long, value_name = "NAME", value_parser = |name: &str| Isa::named(name))]
    isa: Option<Isa>,
    /// Seconds of a turn.
    #[arg(long, default_value_t = 1.0)]
    seconds: f64,
    /// How often each workload gets its turn.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Vary the chosen workloads (higgs, if none is chosen).
    #[arg(long, value_enum)]
    sweep: Option<Sweep>,
    /// Time the rows predicted and evaluated in place of training steps.
    #[arg(long, conflicts_with_all = ["scalar", "sweep"])]
    inference: bool,
    /// Time a plain scalar step on one thread besides; meant for --threads 1.
    #[arg(long)]
    scalar: bool,
    /// Write the results as JSON to this file.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Keep the results under benches/record/.
    #[arg(long, value_name = "NAME", value_parser = record::name)]
    save: Option<String>,
    /// Compare with results that were kept; fail if anything is more than 5 % slower.
    #[arg(long, value_name = "NAME", value_parser = record::name)]
    against: Option<String>,
}

/// Everything that one run found out.
#[derive(Serialize, Deserialize)]
struct Results {
    circumstances: Circumstances,
    isa: String,
    ceilings: Ceilings,
    workloads: Vec<Measurement>,
}

#[derive(Serialize, Deserialize)]
struct Measurement {
    workload: Workload,
    #[serde(default)]
    task: Task,
    /// Samples per second of each turn.
    rates: Vec<f64>,
    /// Their median.
    samples_per_second: f64,
    gflops: f64,
    share_of_fma: f64,
    share_of_roofline: f64,
    /// Of training steps.
    parts: Option<Parts>,
    /// Samples per second of a plain scalar step on one thread.
    scalar: Option<f64>,
    /// How it compares with the others of its sweep.
    of_sweep: Option<f64>,
}

/// What is done with the rows of a workload.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Task {
    #[default]
    Train,
    Predict,
    Evaluate,
}

impl Task {
    fn name(self) -> &'static str {
        match self {
            Task::Train => "train",
            Task::Predict => "predict",
            Task::Evaluate => "evaluate",
        }
    }
}

impl Measurement {
    /// What it is called in tables.
    fn name(&self) -> String {
        match self.task {
            Task::Train => self.workload.name.clone(),
            task => format!("{} {}", self.workload.name, task.name()),
        }
    }
}

/// Shares of the threads' time; their sum is 1.
#[derive(Serialize, Deserialize)]
struct Parts {
    gather: f64,
    forward: f64,
    backward: f64,
    tiles: f64,
    update: f64,
    waiting: f64,
}

impl Parts {
    fn of(profiles: &[Profile]) -> Parts {
        let seconds = |part: fn(&Profile) -> std::time::Duration| {
            profiles.iter().map(part).sum::<std::time::Duration>().as_secs_f64()
        };
        let parts = [
            seconds(|p| p.gather),
            seconds(|p| p.forward),
            seconds(|p| p.backward),
            seconds(|p| p.tiles),
            seconds(|p| p.update),
            seconds(|p| p.waiting),
        ];
        let all: f64 = parts.iter().sum();
        let [gather, forward, backward, tiles, update, waiting] = parts.map(|part| part / all);
        Parts { gather, forward, backward, tiles, update, waiting }
    }
}

/// Times every chosen workload and reports.
///
/// # Errors
/// The options fit no network or record, or something became slower than the record.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    ensure!(!cfg!(debug_assertions), "built without optimisation: use `cargo xtask bench`");
    ensure!(arguments.rounds > 0, "--rounds 0: expected at least 1");
    ensure!(
        arguments.seconds > 0.0 && arguments.seconds.is_finite(),
        "--seconds {}: expected a positive number",
        arguments.seconds
    );
    let record = arguments.against.as_deref().map(record::load).transpose()?;
    let results = measure(arguments)?;
    let json = serde_json::to_string_pretty(&results)? + "\n";
    if let Some(file) = &arguments.json {
        fs::write(file, &json).with_context(|| format!("cannot write {}", file.display()))?;
    }
    if let Some(name) = &arguments.save {
        record::save(name, &json)?;
    }
    let mut out = std::io::stdout().lock();
    out.write_all(show(&results, arguments.sweep).as_bytes())?;
    match record {
        Some(record) => record::compare(&record, &results, &mut out),
        None => Ok(()),
    }
}

fn measure(arguments: &Arguments) -> Result<Results> {
    let isa = arguments.isa.map_or_else(Isa::from_env, Ok)?;
    // Workloads of a group take turns with each other.
    let groups = match arguments.sweep {
        None => vec![arguments.choice.workloads()?],
        Some(sweep) => {
            let bases = arguments.choice.workloads_or("higgs")?;
            bases.iter().map(|base| sweep.workloads(base)).collect::<Result<_>>()?
        }
    };
    let threads = groups.iter().flatten().map(|workload| workload.threads).max().unwrap_or(1);
    let mut prober = Prober::new(isa, threads);
    let mut measured = Vec::new();
    for group in groups {
        let mut subjects: Vec<Box<dyn Subject>> = Vec::new();
        for workload in group {
            if arguments.inference {
                for task in [Task::Predict, Task::Evaluate] {
                    subjects.push(Box::new(Inference::new(isa, workload.clone(), task)?));
                }
            } else {
                subjects.push(Box::new(Training::new(isa, workload, arguments.scalar)?));
            }
        }
        for round in 1..=arguments.rounds {
            eprintln!("round {round} of {}", arguments.rounds);
            prober.measure(arguments.seconds.min(0.25));
            for subject in &mut subjects {
                subject.take_turn(arguments.seconds)?;
            }
        }
        measured.push(subjects);
    }
    let ceilings = prober.ceilings();
    let mut workloads = Vec::new();
    for subjects in measured {
        let mut group: Vec<_> = subjects.into_iter().map(|s| s.measurement(&ceilings)).collect();
        if let Some(sweep) = arguments.sweep {
            sweep.compare(&mut group);
        }
        workloads.extend(group);
    }
    let circumstances = Circumstances::now();
    Ok(Results { circumstances, isa: isa.name().to_owned(), ceilings, workloads })
}

/// What takes turns with others of its kind.
trait Subject {
    fn take_turn(&mut self, seconds: f64) -> Result<()>;
    /// What its turns came to.
    fn measurement(self: Box<Self>, ceilings: &Ceilings) -> Measurement;
}

/// A workload with its network in training.
struct Training {
    workload: Workload,
    ours: Ours,
    scalar: Option<Scalar>,
    rates: Vec<f64>,
    scalar_rates: Vec<f64>,
    profiles: Vec<Profile>,
}

impl Training {
    fn new(isa: Isa, workload: Workload, scalar: bool) -> Result<Training> {
        eprintln!("preparing {}", workload.name);
        let trace = Trace::random(&workload, workload.batches());
        let ours = on_threads(workload.threads, || Ours::new(isa, &workload, &trace))??;
        let scalar = scalar.then(|| Scalar::new(&workload, trace)).transpose()?;
        let (rates, scalar_rates, profiles) = (Vec::new(), Vec::new(), Vec::new());
        Ok(Training { workload, ours, scalar, rates, scalar_rates, profiles })
    }
}

impl Subject for Training {
    fn take_turn(&mut self, seconds: f64) -> Result<()> {
        let ours = &mut self.ours;
        let (rate, profile) = on_threads(self.workload.threads, || {
            // The threads are new, and what others left in the caches goes.
            ours.losses(1);
            (ours.run(seconds).rate(), ours.profile(seconds / 4.0))
        })?;
        self.rates.push(rate);
        self.profiles.push(profile);
        if let Some(scalar) = &mut self.scalar {
            self.scalar_rates.push(scalar.run(seconds).rate());
        }
        Ok(())
    }

    fn measurement(self: Box<Self>, ceilings: &Ceilings) -> Measurement {
        let samples_per_second = median(&self.rates);
        let work = network::training(&self.workload);
        let gflops = samples_per_second * work.flops / 1e9;
        Measurement {
            task: Task::Train,
            samples_per_second,
            gflops,
            share_of_fma: gflops / ceilings.gflops,
            share_of_roofline: samples_per_second / ceilings.roofline(work),
            parts: Some(Parts::of(&self.profiles)),
            scalar: self.scalar.map(|_| median(&self.scalar_rates)),
            of_sweep: None,
            workload: self.workload,
            rates: self.rates,
        }
    }
}

/// The results as a table: workloads down.
fn show(results: &Results, sweep: Option<Sweep>) -> String {
    let mut head: Vec<String> =
        ["workload", "samples/s", "GFLOP/s", "of FMA", "of roofline"].map(str::to_owned).to_vec();
    if results.workloads.iter().any(|m| m.parts.is_some()) {
        let parts = ["gather", "forward", "backward", "tiles", "update", "waiting"];
        head.extend(parts.map(str::to_owned));
    }
    head.extend(sweep.map(|sweep| sweep.heading().to_owned()));
    if results.workloads.iter().any(|m| m.scalar.is_some()) {
        head.push("over scalar".to_owned());
    }
    let mut rows = vec![head];
    for m in &results.workloads {
        let mut row = vec![m.name()];
        row.push(thousands(m.samples_per_second));
        row.push(format!("{:.1}", m.gflops));
        let shares = [m.share_of_fma, m.share_of_roofline];
        row.extend(shares.into_iter().map(percent));
        if let Some(Parts { gather, forward, backward, tiles, update, waiting }) = m.parts {
            row.extend([gather, forward, backward, tiles, update, waiting].map(percent));
        }
        if sweep.is_some() {
            row.push(m.of_sweep.map_or_else(|| "-".to_owned(), percent));
        }
        row.extend(m.scalar.map(|scalar| format!("{:.2}", m.samples_per_second / scalar)));
        rows.push(row);
    }
    let Results { circumstances: Circumstances { date, cpu, commit }, isa, ceilings, .. } = results;
    format!(
        "{}\nceilings: {:.0} GFLOP/s of multiply-adds ({isa}), {:.1} GB/s of memory read and \
         written\n{cpu}, {date}, commit {commit}\n",
        table(&rows),
        ceilings.gflops,
        ceilings.gigabytes
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn parts_are_shares() {
        let profile = Profile {
            gather: Duration::from_secs(1),
            waiting: Duration::from_secs(3),
            ..Profile::default()
        };
        let parts = Parts::of(&[profile, profile]);
        assert_eq!((parts.gather, parts.tiles, parts.waiting), (0.25, 0.0, 0.75));
    }
}
