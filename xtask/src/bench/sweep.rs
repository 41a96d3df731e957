//! Sweeps: one number of a workload takes many values, and no value may cost a cliff.

use super::Measurement;
use crate::workload::Workload;
use anyhow::{Result, ensure};
use clap::ValueEnum;

/// What is varied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Sweep {
    /// The width of all hidden layers, around multiples of 16; compared with the multiples beside it.
    Widths,
    /// The batch, from 1 to 65,536; compared with the best.
    Batches,
    /// The threads asked for, from 1 to 8; compared with the best.
    Threads,
}

/// Widths that fill vectors badly.
const ODD_WIDTHS: [usize; 8] = [45, 46, 47, 63, 65, 100, 127, 129];
const LANES: usize = 16;

impl Sweep {
    /// The variants of a workload.
    ///
    /// # Errors
    /// It has no hidden layer to vary.
    pub(super) fn workloads(self, base: &Workload) -> Result<Vec<Workload>> {
        let named = |what: &str, value: usize, change: &dyn Fn(&mut Workload)| {
            let mut workload = base.clone();
            workload.name = format!("{} {what} {value}", base.name);
            change(&mut workload);
            workload
        };
        Ok(match self {
            Sweep::Widths => {
                let hidden = 1..base.layers.len() - 1;
                ensure!(!hidden.is_empty(), "{} has no hidden layers to sweep over", base.name);
                let width = |w| named("width", w, &|it| it.layers[hidden.clone()].fill(w));
                widths().into_iter().map(width).collect()
            }
            Sweep::Batches => {
                let batch = |b| named("batch", b, &|it| it.set_batch(b));
                (0..=16).step_by(2).map(|power| batch(1 << power)).collect()
            }
            Sweep::Threads => (1..=8).map(|t| named("threads", t, &|it| it.threads = t)).collect(),
        })
    }

    /// What the comparison is called in a table.
    pub(super) fn heading(self) -> &'static str {
        match self {
            Sweep::Widths => "of neighbours",
            Sweep::Batches | Sweep::Threads => "of best",
        }
    }

    /// Compares all variants of one workload.
    pub(super) fn compare(self, group: &mut [Measurement]) {
        let rates: Vec<f64> = group.iter().map(|m| m.gflops).collect();
        let best = rates.iter().copied().fold(0.0, f64::max);
        let by_width: Vec<(usize, f64)> =
            group.iter().map(|m| m.workload.layers[1]).zip(rates).collect();
        for (m, &(width, rate)) in group.iter_mut().zip(&by_width) {
            m.of_sweep = match self {
                Sweep::Widths => neighbours(width, &by_width).map(|beside| rate / beside),
                Sweep::Batches | Sweep::Threads => Some(rate / best),
            };
        }
    }
}

/// The odd widths and the multiples of 16 beside them, in order.
fn widths() -> Vec<usize> {
    let beside = |w: usize| [w / LANES * LANES, w, w.next_multiple_of(LANES)];
    let mut all: Vec<usize> = ODD_WIDTHS.into_iter().flat_map(beside).collect();
    all.sort_unstable();
    all.dedup();
    all
}

/// The mean rate of the multiples of 16 below and above; of a multiple, `None`.
fn neighbours(width: usize, by_width: &[(usize, f64)]) -> Option<f64> {
    if width.is_multiple_of(LANES) {
        return None;
    }
    let rate = |wanted| by_width.iter().find(|(w, _)| *w == wanted).map(|(_, rate)| rate);
    Some((rate(width / LANES * LANES)? + rate(width.next_multiple_of(LANES))?) / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workload::named;

    #[test]
    fn every_odd_width_has_neighbours() {
        let all: Vec<(usize, f64)> = widths().into_iter().map(|w| (w, w as f64)).collect();
        assert_eq!(neighbours(45, &all), Some(40.0));
        assert_eq!(neighbours(129, &all), Some(136.0));
        assert_eq!(neighbours(128, &all), None);
        assert!(ODD_WIDTHS.iter().all(|&w| neighbours(w, &all).is_some()));
    }

    #[test]
    fn hidden_layers_alone_are_varied() {
        let base = named("mnist", 2).unwrap();
        let first = &Sweep::Widths.workloads(&base).unwrap()[1];
        assert_eq!(first.layers, [784, 45, 45, 10]);
        assert_eq!(first.name, "mnist width 45");
        assert!(Sweep::Widths.workloads(&named("seed", 2).unwrap()).is_err());
    }
}
