//! Traces: start parameters and batches that a program trains on. `benches/peers/README.md` has their
//! layout in files.

use crate::named::Named;
use crate::network;
use crate::workload::{Loss, Workload};
use anyhow::{Context, Result, ensure};
use gristmill_trainer::data::samples::Table;
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::Path;

/// Start parameters and batches.
pub(crate) struct Trace {
    /// The tensors of each layer, of a dense one the weights (outputs x inputs) and the biases.
    pub(crate) parameters: Vec<Vec<Vec<f32>>>,
    /// The rows of all batches: rows x inputs.
    pub(crate) inputs: Vec<f32>,
    /// What is to be predicted of each row: rows x outputs, or the class of each.
    pub(crate) targets: Vec<f32>,
}

impl Trace {
    /// So many batches at random: the same numbers for the same workload.
    ///
    /// Weights are even in ± 1 / sqrt(inputs of a unit), gains and variances 1, biases and means 0. Inputs are
    /// even in ± 1.7 (deviation 1) or categories, targets classes or 0 or 1.
    pub(crate) fn random(workload: &Workload, batches: usize) -> Trace {
        let mut random = SplitMix(1);
        let mut start = |(name, shape): (&str, Vec<usize>)| {
            let numbers = shape.iter().product();
            match (&shape[..], name) {
                ([_], "gain" | "variance") => vec![1.0; numbers],
                ([_], _) => vec![0.0; numbers],
                ([_, inputs @ ..], _) => {
                    let scale = (inputs.iter().product::<usize>() as f32).sqrt().recip();
                    (0..numbers).map(|_| random.even() * scale).collect()
                }
                ([], _) => Vec::new(),
            }
        };
        let parameters = tensors(workload);
        let parameters =
            parameters.into_iter().map(|node| node.into_iter().map(&mut start).collect()).collect();
        let values = match workload.loss {
            Loss::SoftmaxCrossEntropy => workload.outputs(),
            _ => 2,
        };
        let rows = batches * workload.batch;
        let mut input = || match workload.network.and_then(Named::categories) {
            Some(count) => ((random.next() >> 32) as u32 % count) as f32,
            None => random.even() * 1.7,
        };
        let inputs = (0..rows * workload.layers[0]).map(|_| input()).collect();
        let mut target = || ((random.next() >> 32) as usize % values) as f32;
        let targets = (0..rows * workload.targets()).map(|_| target()).collect();
        Trace { parameters, inputs, targets }
    }

    /// Writes the trace to a file.
    ///
    /// # Errors
    /// The file cannot be written.
    pub(crate) fn write(&self, workload: &Workload, path: &Path) -> Result<()> {
        let mut out = BufWriter::new(File::create(path)?);
        let mut put = |numbers: &[f32]| {
            numbers.iter().try_for_each(|number| out.write_all(&number.to_le_bytes()))
        };
        self.parameters.iter().flatten().try_for_each(|tensor| put(tensor))?;
        let inputs = self.inputs.chunks_exact(workload.batch * workload.layers[0]);
        let targets = self.targets.chunks_exact(workload.batch * workload.targets());
        for (inputs, targets) in inputs.zip(targets) {
            put(inputs)?;
            put(targets)?;
        }
        Ok(out.flush()?)
    }

    /// Reads a trace of so many batches.
    ///
    /// # Errors
    /// The file cannot be read, or has another length.
    pub(crate) fn read(workload: &Workload, batches: usize, path: &Path) -> Result<Trace> {
        let bytes = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        let (words, _) = bytes.as_chunks::<4>();
        let mut numbers = words.iter().map(|word| f32::from_le_bytes(*word));
        let batch = [workload.layers[0], workload.targets()].map(|width| width * workload.batch);
        let tensors: Vec<Vec<usize>> = tensors(workload)
            .into_iter()
            .map(|node| node.iter().map(|(_, shape)| shape.iter().product()).collect())
            .collect();
        let parameters: usize = tensors.iter().flatten().sum();
        let expected = parameters + batches * (batch[0] + batch[1]);
        ensure!(
            bytes.len() == 4 * expected,
            "{} has {} bytes; expected {expected} numbers of 4 bytes",
            path.display(),
            bytes.len()
        );
        let mut take = |count: usize| numbers.by_ref().take(count).collect::<Vec<_>>();
        let parameters =
            tensors.into_iter().map(|node| node.into_iter().map(&mut take).collect()).collect();
        let (mut inputs, mut targets) = (Vec::new(), Vec::new());
        for _ in 0..batches {
            inputs.extend(take(batch[0]));
            targets.extend(take(batch[1]));
        }
        Ok(Trace { parameters, inputs, targets })
    }

    /// The rows as a data set in memory.
    ///
    /// # Errors
    /// Numbers that are not finite.
    pub(crate) fn table(&self, workload: &Workload) -> Result<Table> {
        let outputs = workload.outputs();
        Ok(match workload.loss {
            Loss::SoftmaxCrossEntropy => {
                let labels = self.targets.iter().map(|&class| class as u32).collect();
                let names = (0..outputs).map(|class| class.to_string()).collect();
                Table::of_classes(&self.inputs, labels, names)?
            }
            _ => Table::of_numbers(&self.inputs, self.targets.clone(), outputs)?,
        })
    }
}

/// The names and shapes of each layer's tensors.
fn tensors(workload: &Workload) -> Vec<Vec<(&'static str, Vec<usize>)>> {
    let network = network::network(workload);
    (0..network.nodes().len()).map(|node| network.parts(node)).collect()
}

/// The generator of Steele, Lea and Flood: a counter and a mix.
struct SplitMix(u64);

impl SplitMix {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Evenly in -1..1.
    fn even(&mut self) -> f32 {
        (self.next() >> 40) as f32 / (1u64 << 23) as f32 - 1.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workload::named;

    #[test]
    fn what_is_written_is_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("trace.f32");
        for name in ["seed", "tab", "mnist", "lenet", "residual", "gru"] {
            let workload = named(name, 1).unwrap();
            let trace = Trace::random(&workload, 3);
            trace.write(&workload, &file).unwrap();
            let again = Trace::read(&workload, 3, &file).unwrap();
            assert!(trace.parameters == again.parameters, "{name}");
            assert!(trace.inputs == again.inputs && trace.targets == again.targets, "{name}");
            assert!(Trace::read(&workload, 2, &file).is_err(), "{name}");
        }
    }
}
