//! Records: results that are kept under `benches/record/` to compare later ones with.

use super::{Measurement, Results};
use crate::paths;
use crate::report::{percent, table, thousands};
use anyhow::{Context, Result, ensure};
use std::fs;
use std::io::Write;
use std::path::PathBuf;

/// A workload may lose this share of its speed before it counts as slower.
const TOLERANCE: f64 = 0.05;

/// Accepts the name of a record.
pub(super) fn name(name: &str) -> Result<String, String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if name.is_empty() || name.starts_with('.') || !name.chars().all(plain) {
        return Err("expected letters, digits, - _ . only".to_owned());
    }
    Ok(name.to_owned())
}

fn path(name: &str) -> PathBuf {
    paths::repository().join("benches/record").join(name).with_extension("json")
}

/// Keeps results.
pub(super) fn save(name: &str, json: &str) -> Result<()> {
    let file = path(name);
    let shown = || format!("cannot write {}", file.display());
    fs::create_dir_all(file.parent().expect("a record is in a folder")).with_context(shown)?;
    fs::write(&file, json).with_context(shown)
}

/// Reads results that were kept.
pub(super) fn load(name: &str) -> Result<Results> {
    let file = path(name);
    let text = fs::read_to_string(&file).with_context(|| {
        format!("cannot read {}: keep results with --save first", file.display())
    })?;
    serde_json::from_str(&text).with_context(|| format!("{} is no record", file.display()))
}

/// Prints each workload's speed over that of the record.
///
/// What counts is the speed over the ceiling of multiply-adds that the same run measured: a machine
/// that was busier, or another one, lowers both.
///
/// # Errors
/// A workload became slower, or no workload is in both.
pub(super) fn compare(record: &Results, now: &Results, out: &mut impl Write) -> Result<()> {
    ensure!(record.isa == now.isa, "the record is of {}, this run of {}", record.isa, now.isa);
    let head = ["workload", "then", "now", "now / then", "relative to ceilings"];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    let mut slower = Vec::new();
    for m in &now.workloads {
        let Some(then) = record.workloads.iter().find(|then| is_same(then, m)) else {
            continue;
        };
        let relative = m.share_of_fma / then.share_of_fma;
        rows.push(row(then, m, relative));
        if relative < 1.0 - TOLERANCE {
            slower.push(format!("{} runs at {}", m.name(), percent(relative)));
        }
    }
    ensure!(rows.len() > 1, "the record has none of these workloads");
    write!(out, "\n{}", table(&rows))?;
    ensure!(slower.is_empty(), "slower than the record: {}", slower.join(", "));
    Ok(())
}

fn is_same(then: &Measurement, now: &Measurement) -> bool {
    then.workload == now.workload && then.task == now.task
}

fn row(then: &Measurement, now: &Measurement, relative: f64) -> Vec<String> {
    vec![
        now.name(),
        thousands(then.samples_per_second),
        thousands(now.samples_per_second),
        format!("{:.3}", now.samples_per_second / then.samples_per_second),
        format!("{relative:.3}"),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::{Parts, Task};
    use crate::ceiling::Ceilings;
    use crate::report::Circumstances;
    use crate::workload;

    fn results(share_of_fma: f64) -> Results {
        let unknown = String::new;
        let parts = Parts {
            gather: 0.0,
            forward: 0.0,
            backward: 0.0,
            tiles: 0.0,
            update: 0.0,
            waiting: 1.0,
        };
        Results {
            circumstances: Circumstances { date: unknown(), cpu: unknown(), commit: unknown() },
            isa: "portable".to_owned(),
            ceilings: Ceilings { gflops: 1.0, gigabytes: 1.0 },
            workloads: vec![Measurement {
                workload: workload::named("tab", 2).unwrap(),
                task: Task::Train,
                rates: vec![1.0],
                samples_per_second: 1.0,
                gflops: share_of_fma,
                share_of_fma,
                share_of_roofline: share_of_fma,
                parts: Some(parts),
                scalar: None,
                of_sweep: None,
            }],
        }
    }

    #[test]
    fn more_than_the_tolerance_is_slower() {
        let mut out = Vec::new();
        compare(&results(0.5), &results(0.48), &mut out).unwrap();
        let error = compare(&results(0.5), &results(0.47), &mut out).unwrap_err();
        assert_eq!(error.to_string(), "slower than the record: tab runs at 94 %");
    }

    #[test]
    fn other_workloads_tasks_and_instruction_sets_do_not_compare() {
        let mut other = results(0.5);
        other.workloads[0].workload.threads = 1;
        assert!(compare(&results(0.5), &other, &mut Vec::new()).is_err());
        let mut other = results(0.5);
        other.workloads[0].task = Task::Predict;
        assert!(compare(&results(0.5), &other, &mut Vec::new()).is_err());
        let mut other = results(0.5);
        other.isa = "avx2".to_owned();
        assert!(compare(&results(0.5), &other, &mut Vec::new()).is_err());
    }

    #[test]
    fn records_stay_in_their_folder() {
        assert!(name("2026-11-23").is_ok());
        for bad in ["", "../x", "a/b", ".x"] {
            assert!(name(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn results_survive_json() {
        let json = serde_json::to_string(&results(0.5)).unwrap();
        let again: Results = serde_json::from_str(&json).unwrap();
        assert_eq!(serde_json::to_string(&again).unwrap(), json);
    }
}
