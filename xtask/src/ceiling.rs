//! The ceilings of this machine, measured, and the roofline of a workload under them.

use crate::report::median;
use crate::workload::Work;
use gristmill_kernels::ceiling::{fma_loop, stream};
use gristmill_kernels::{Isa, Rows};
use serde::{Deserialize, Serialize};
use std::sync::Barrier;
use std::thread;
use std::time::Instant;

/// What the machine can do at most.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct Ceilings {
    /// Multiply-adds in registers, on all threads together: 10^9 floating-point operations a second.
    pub(crate) gflops: f64,
    /// Memory read and written, on all threads together: 10^9 bytes a second.
    pub(crate) gigabytes: f64,
}

/// Bytes passed over by all threads together: more than caches hold.
const STREAMED: usize = 256 << 20;

/// Multiply-adds of a chain between looks at the clock: some 10 µs.
const CHAIN: u64 = 10_000;

/// Measures ceilings again and again: what else the machine does hits them as it hits the workloads.
pub(crate) struct Prober {
    isa: Isa,
    /// One per thread.
    buffers: Vec<Rows>,
    found: Vec<Ceilings>,
}

impl Prober {
    /// For this instruction set on so many threads, but no more than there are cores.
    pub(crate) fn new(isa: Isa, threads: usize) -> Prober {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        let threads = threads.min(cores);
        let mut buffers: Vec<Rows> =
            (0..threads).map(|_| Rows::zeroed(STREAMED / threads / 64)).collect();
        // The first touch of a page is the system's work, not the memory's.
        buffers.iter_mut().for_each(|rows| stream(isa, rows));
        Prober { isa, buffers, found: Vec::new() }
    }

    /// Measures each ceiling for about so many seconds.
    pub(crate) fn measure(&mut self, seconds: f64) {
        let isa = self.isa;
        let gflops = together(&mut self.buffers, seconds, &|_| fma_loop(isa, CHAIN) as f64 / 1e9);
        let gigabytes = together(&mut self.buffers, seconds, &|rows| {
            stream(isa, rows);
            (2 * size_of_val(&**rows)) as f64 / 1e9
        });
        self.found.push(Ceilings { gflops, gigabytes });
    }

    /// The medians of what was measured.
    pub(crate) fn ceilings(&self) -> Ceilings {
        let of =
            |value: fn(&Ceilings) -> f64| median(&self.found.iter().map(value).collect::<Vec<_>>());
        Ceilings { gflops: of(|c| c.gflops), gigabytes: of(|c| c.gigabytes) }
    }
}

/// What all threads together do a second; `work` tells how much it did.
fn together(buffers: &mut [Rows], seconds: f64, work: &(impl Fn(&mut Rows) -> f64 + Sync)) -> f64 {
    let start = Barrier::new(buffers.len());
    let one = |rows: &mut Rows| {
        start.wait();
        let (mut done, begun) = (0.0, Instant::now());
        loop {
            done += work(rows);
            let elapsed = begun.elapsed().as_secs_f64();
            if elapsed >= seconds {
                return done / elapsed;
            }
        }
    };
    thread::scope(|scope| {
        let threads: Vec<_> = buffers.iter_mut().map(|rows| scope.spawn(|| one(rows))).collect();
        threads.into_iter().map(|thread| thread.join().expect("loops do not panic")).sum()
    })
}

impl Ceilings {
    /// Samples per second that no program can exceed: each takes at least the time of its nominal
    /// operations, and at least that of its least bytes.
    pub(crate) fn roofline(&self, work: Work) -> f64 {
        let computing = work.flops / (1e9 * self.gflops);
        let moving = work.bytes / (1e9 * self.gigabytes);
        1.0 / computing.max(moving)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[test]
    fn the_slower_of_two_ceilings_counts() {
        let work = Work { flops: 4e9, bytes: 2e9 };
        let computing = Ceilings { gflops: 1.0, gigabytes: 1.0 };
        assert_eq!(computing.roofline(work), 0.25);
        let moving = Ceilings { gflops: 16.0, gigabytes: 1.0 };
        assert_eq!(moving.roofline(work), 0.5);
    }

    #[test]
    fn medians_are_reported() {
        let mut prober = Prober { isa: Isa::best(), buffers: Vec::new(), found: Vec::new() };
        for x in [3.0, 1.0, 2.0] {
            prober.found.push(Ceilings { gflops: x, gigabytes: 10.0 * x });
        }
        assert_eq!(prober.ceilings(), Ceilings { gflops: 2.0, gigabytes: 20.0 });
    }
}
