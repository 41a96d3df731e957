//! Traces: start parameters and batches that every program trains on, to compare their losses.

use crate::workload::{Loss, Workload};
use anyhow::Result;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

/// Writes the trace of so many steps; `benches/peers/README.md` has the layout.
///
/// Weights are even in ± 1 / sqrt(inputs), biases 0, inputs even in ± 1.7 (deviation 1), targets at
/// random: the same numbers for the same workload.
///
/// # Errors
/// The file cannot be written.
pub(crate) fn write(workload: &Workload, steps: usize, path: &Path) -> Result<()> {
    let mut random = SplitMix(1);
    let mut out = BufWriter::new(File::create(path)?);
    for (inputs, outputs) in workload.links() {
        let scale = (inputs as f32).sqrt().recip();
        for _ in 0..inputs * outputs {
            out.write_all(&(random.even() * scale).to_le_bytes())?;
        }
        for _ in 0..outputs {
            out.write_all(&0f32.to_le_bytes())?;
        }
    }
    let outputs = workload.links().last().map_or(0, |(_, outputs)| outputs);
    let (targets, values) = match workload.loss {
        Loss::SoftmaxCrossEntropy => (1, outputs),
        _ => (outputs, 2),
    };
    for _ in 0..steps {
        for _ in 0..workload.batch * workload.layers[0] {
            out.write_all(&(random.even() * 1.7).to_le_bytes())?;
        }
        for _ in 0..workload.batch * targets {
            let target = (random.next() >> 32) as usize % values;
            out.write_all(&(target as f32).to_le_bytes())?;
        }
    }
    Ok(out.flush()?)
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
