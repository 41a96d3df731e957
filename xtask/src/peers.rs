//! `cargo xtask peers`: our training step beside those of other frameworks, interleaved in one run.

mod figure;
mod programs;

use crate::ceiling::{Ceilings, Prober};
use crate::network;
use crate::paths;
use crate::program::{Program, Start};
use crate::report::{Circumstances, median, percent, table, thousands};
use crate::trace::Trace;
use crate::workload::{Activation, Choice, Optimizer, Workload};
use anyhow::{Context, Result, ensure};
use gristmill_kernels::Isa;
pub(crate) use programs::python;
use programs::{FRAMEWORKS, Framework, OURS, Prepared, is_f32};
use serde::Serialize;
use std::fs;
use std::io::Write;
use std::path::PathBuf;

/// Time the training step of gristmill beside those of other frameworks.
///
/// All programs of a workload stay alive and train in turn for a slice each, for several rounds;
/// medians of the slices are compared. Before that, every program that can trains on the same
/// batches from the same start weights, and their losses must agree.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    choice: Choice,
    /// Which frameworks take part.
    #[arg(long, value_delimiter = ',', value_name = "NAMES", value_parser = names(), default_values = FRAMEWORKS.iter().map(|f| f.name))]
    only: Vec<String>,
    /// How often each program gets its turn.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Seconds of a turn.
    #[arg(long, default_value_t = 1.0)]
    slice: f64,
    /// Over how many steps losses are compared; 0 compares none. ReLU with Adam is compared over
    /// ten at most, because two correct programs may part after that, and with GELU over all.
    #[arg(long, default_value_t = 50)]
    agree: usize,
    /// Write the results as JSON to this file.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Draw the shares of the roofline to this SVG file.
    #[arg(long, value_name = "FILE")]
    figure: Option<PathBuf>,
    /// The virtual environment of the Python peers [default: ~/.cache/gristmill/peers]
    #[arg(long, value_name = "FOLDER")]
    venv: Option<PathBuf>,
}

fn names() -> clap::builder::PossibleValuesParser {
    FRAMEWORKS.iter().map(|framework| framework.name).collect::<Vec<_>>().into()
}

/// Losses of the same steps may differ by so much.
const AGREEMENT: f64 = 1e-4;

/// Everything that one run found out.
#[derive(Serialize)]
struct Results {
    circumstances: Circumstances,
    workloads: Vec<WorkloadResults>,
}

#[derive(Serialize)]
struct WorkloadResults {
    workload: Workload,
    programs: Vec<ProgramResults>,
    /// Over how many steps losses were compared.
    compared_steps: usize,
    /// Our median over that of the best f32 peer, where both took part.
    ours_over_best: Option<f64>,
    /// Measured in turn with the programs.
    ceilings: Ceilings,
    /// Samples per second that they allow.
    roofline: f64,
    /// Our median over the roofline, where we took part.
    ours_over_roofline: Option<f64>,
}

#[derive(Serialize)]
struct ProgramResults {
    program: String,
    version: String,
    f32: bool,
    ours: bool,
    /// Samples per second of each turn.
    rates: Vec<f64>,
    median: f64,
    gflops: f64,
    /// The largest difference of a loss from the first program's; `None` where none was compared.
    loss_difference: Option<f64>,
}

/// Times every chosen workload and reports.
///
/// # Errors
/// A program cannot be built, started or understood, or losses do not agree.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    ensure!(!cfg!(debug_assertions), "built without optimisation: use `cargo xtask peers`");
    ensure!(arguments.rounds > 0, "--rounds 0: expected at least 1");
    ensure!(
        arguments.slice > 0.0 && arguments.slice.is_finite(),
        "--slice {}: expected a positive number of seconds",
        arguments.slice
    );
    let workloads = arguments.choice.workloads()?;
    let venv = match &arguments.venv {
        Some(folder) => folder.clone(),
        None => paths::cache()?.join("peers"),
    };
    let mut prepared = Vec::new();
    for framework in FRAMEWORKS.iter().filter(|f| arguments.only.iter().any(|name| name == f.name))
    {
        prepared.push((framework, framework.prepare(&venv)?));
    }
    let mut results = Results {
        circumstances: Circumstances::now(),
        workloads: Vec::with_capacity(workloads.len()),
    };
    for workload in workloads {
        eprintln!("{}: starting", workload.name);
        results.workloads.push(time(workload, &prepared, arguments)?);
        if let Some(file) = &arguments.json {
            let json = serde_json::to_string_pretty(&results)? + "\n";
            fs::write(file, json).with_context(|| format!("cannot write {}", file.display()))?;
        }
    }
    if let Some(file) = &arguments.figure {
        figure::draw(&results.workloads, file)?;
    }
    std::io::stdout().write_all(show(&results).as_bytes())?;
    Ok(())
}

struct Contender {
    program: Program,
    results: ProgramResults,
}

fn time(
    workload: Workload,
    prepared: &[(&Framework, Prepared)],
    arguments: &Arguments,
) -> Result<WorkloadResults> {
    let mut contenders = start(&workload, prepared, |_| true)?;
    if arguments.agree > 0 {
        agree(&workload, prepared, arguments.agree, &mut contenders)?;
    }
    let mut prober = Prober::new(Isa::best(), workload.threads);
    for round in 1..=arguments.rounds {
        eprintln!("{}: round {round} of {}", workload.name, arguments.rounds);
        prober.measure(arguments.slice.min(0.25));
        for Contender { program, results } in &mut contenders {
            results.rates.push(program.rate(arguments.slice)?);
        }
    }
    let mut programs: Vec<_> = contenders.into_iter().map(|contender| contender.results).collect();
    for program in &mut programs {
        program.median = median(&program.rates);
        program.gflops = program.median * network::training(&workload).flops / 1e9;
    }
    let ceilings = prober.ceilings();
    let roofline = ceilings.roofline(network::training(&workload));
    Ok(WorkloadResults {
        compared_steps: arguments.agree,
        ours_over_best: ratio(&programs),
        ceilings,
        roofline,
        ours_over_roofline: best_f32(&programs, true).map(|rate| rate / roofline),
        workload,
        programs,
    })
}

fn start(
    workload: &Workload,
    prepared: &[(&Framework, Prepared)],
    wanted: fn(&str) -> bool,
) -> Result<Vec<Contender>> {
    let mut contenders = Vec::new();
    for (framework, prepared) in prepared {
        if workload.network.is_some() && !framework.has_networks {
            eprintln!("{}: not by {}: dense layers alone", workload.name, framework.name);
            continue;
        }
        for variant in framework.variants.iter().filter(|variant| wanted(variant)) {
            match Program::start(prepared.command(variant), workload)? {
                Start::Ready(program) => {
                    let results = ProgramResults {
                        program: program.name.clone(),
                        version: program.version.clone(),
                        f32: is_f32(variant),
                        ours: framework.name == OURS,
                        rates: Vec::new(),
                        median: 0.0,
                        gflops: 0.0,
                        loss_difference: None,
                    };
                    contenders.push(Contender { program, results });
                }
                Start::Unsupported(reason) => {
                    eprintln!("{}: not by {} {variant}: {reason}", workload.name, framework.name);
                }
            }
        }
    }
    Ok(contenders)
}

/// Steps over which two correct f32 programs agree where ReLU meets Adam.
///
/// Where a sum is within rounding of ReLU's kink, one program passes its gradient on and another does
/// not, and Adam, which divides by the gradient's size, makes whole steps of that. On `mnist` PyTorch
/// eager and compiled differ by 2e-7 after 10 steps and 8e-4 after 50; with GELU, or with momentum
/// in Adam's place, all programs stay within 5e-6 for 50.
const KINKED_STEPS: usize = 10;

/// Makes sure that all programs compute the same over so many steps: with GELU in ReLU's place where
/// the workload itself can be compared over fewer only.
fn agree(
    workload: &Workload,
    prepared: &[(&Framework, Prepared)],
    steps: usize,
    contenders: &mut [Contender],
) -> Result<()> {
    let kinked = (workload.activation, workload.optimizer) == (Activation::Relu, Optimizer::Adam);
    if !kinked || steps <= KINKED_STEPS {
        return compare_losses(workload, steps, contenders);
    }
    compare_losses(workload, KINKED_STEPS, contenders)?;
    let smooth = Workload { activation: Activation::Gelu, ..workload.clone() };
    let mut twins = start(&smooth, prepared, is_f32)?;
    compare_losses(&smooth, steps, &mut twins)?;
    for Contender { results, .. } in contenders {
        let twin = twins.iter().find(|twin| twin.results.program == results.program);
        results.loss_difference = twin.and_then(|twin| twin.results.loss_difference);
    }
    Ok(())
}

/// Lets the f32 programs train on one trace; their losses must agree with those of the first.
fn compare_losses(workload: &Workload, steps: usize, contenders: &mut [Contender]) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("trace.f32");
    Trace::random(workload, steps).write(workload, &file)?;
    let mut first: Option<(String, Vec<f64>)> = None;
    for Contender { program, results } in contenders.iter_mut().filter(|c| c.results.f32) {
        let Some(losses) = program.losses(steps, &file)? else { continue };
        ensure!(losses.len() == steps, "{} answered {} losses", program.name, losses.len());
        let (name, expected) = first.get_or_insert_with(|| (program.name.clone(), losses.clone()));
        let difference = largest_difference(&losses, expected);
        ensure!(
            difference <= AGREEMENT,
            "{}: losses of {} and {name} differ by {difference:e} within {steps} steps: they do \
             not compute the same",
            workload.name,
            program.name
        );
        results.loss_difference = Some(difference);
    }
    Ok(())
}

/// Infinite where either holds a NaN.
fn largest_difference(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, |largest, difference| {
        if difference.is_nan() { f64::INFINITY } else { f64::max(largest, difference) }
    })
}

/// The best median of the f32 programs that are ours, or of those that are not.
fn best_f32(programs: &[ProgramResults], ours: bool) -> Option<f64> {
    let medians = programs.iter().filter(|p| p.f32 && p.ours == ours).map(|p| p.median);
    medians.max_by(f64::total_cmp)
}

/// The median of ours over that of the best f32 peer.
fn ratio(programs: &[ProgramResults]) -> Option<f64> {
    Some(best_f32(programs, true)? / best_f32(programs, false)?)
}

/// The results as a table: programs down, workloads across.
fn show(results: &Results) -> String {
    let mut programs: Vec<&str> = Vec::new();
    for result in results.workloads.iter().flat_map(|w| &w.programs) {
        if !programs.contains(&result.program.as_str()) {
            programs.push(&result.program);
        }
    }
    let line = |first: &str, cell: &dyn Fn(&WorkloadResults) -> Option<String>| {
        let cells = results.workloads.iter().map(|w| cell(w).unwrap_or_else(|| "-".to_owned()));
        std::iter::once(first.to_owned()).chain(cells).collect::<Vec<_>>()
    };
    let mut rows = vec![line("samples/s", &|w| Some(w.workload.name.clone()))];
    for name in programs {
        rows.push(line(name, &|w| {
            w.programs.iter().find(|p| p.program == name).map(|p| thousands(p.median))
        }));
    }
    rows.push(line("ours / best f32 peer", &|w| w.ours_over_best.map(|r| format!("{r:.2}"))));
    rows.push(line("ours / roofline", &|w| w.ours_over_roofline.map(percent)));
    let Circumstances { date, cpu, commit } = &results.circumstances;
    format!("{}\n{cpu}, {date}, commit {commit}\n", table(&rows))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn result(program: &str, f32: bool, ours: bool, median: f64) -> ProgramResults {
        ProgramResults {
            program: program.to_owned(),
            version: String::new(),
            f32,
            ours,
            rates: vec![median],
            median,
            gflops: 0.0,
            loss_difference: None,
        }
    }

    #[test]
    fn the_best_f32_peer_counts() {
        let mut programs = vec![
            result("a", true, false, 2.0),
            result("b", true, false, 4.0),
            result("c", false, false, 9.0),
        ];
        assert_eq!(ratio(&programs), None);
        programs.push(result("ours", true, true, 10.0));
        assert_eq!(ratio(&programs), Some(2.5));
    }

    #[test]
    fn losses_that_are_no_numbers_do_not_agree() {
        assert_eq!(largest_difference(&[1.0, 2.0], &[1.0, 2.5]), 0.5);
        assert!(largest_difference(&[f64::NAN, 2.0], &[1.0, 2.0]) > AGREEMENT);
    }
}
