//! What the Rust peers share: the workload, its data, and the protocol of ../README.md.

use serde::Deserialize;
use serde_json::{Value, json};
use std::error::Error;
use std::io::{BufRead, Write, stdin, stdout};
use std::time::Instant;

/// What can go wrong in a peer; its message goes to standard error.
pub type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// One training step to be timed.
#[derive(Deserialize)]
pub struct Workload {
    pub layers: Vec<usize>,
    pub batch: usize,
    pub rows: usize,
    pub optimizer: String,
    pub learning_rate: f64,
    pub momentum: f64,
    pub loss: String,
    pub activation: String,
    pub output: String,
    pub threads: usize,
}

/// Rows in memory.
pub struct Rows {
    /// `[rows][inputs]`.
    pub x: Vec<f32>,
    /// `[rows][outputs]`, or `[rows]` class indices.
    pub y: Vec<f32>,
}

impl Workload {
    /// Whether a target is the index of a class rather than numbers.
    pub fn classes(&self) -> bool {
        self.loss == "softmax-cross-entropy"
    }

    /// (inputs, outputs) of every layer.
    pub fn links(&self) -> impl Iterator<Item = (usize, usize)> + '_ {
        self.layers.windows(2).map(|pair| (pair[0], pair[1]))
    }

    /// How many batches there are.
    pub fn batches(&self) -> usize {
        self.rows / self.batch
    }

    /// Random rows of one batch; the same for the same number.
    pub fn rows(&self, batch: usize) -> Rows {
        let mut state = batch as u64 + 1;
        let mut random = move || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as u32
        };
        let outputs = self.layers[self.layers.len() - 1];
        let (targets, values) = if self.classes() { (1, outputs) } else { (outputs, 2) };
        let x = (0..self.batch * self.layers[0])
            .map(|_| random() as f32 / (1u32 << 30) as f32 * 1.7 - 1.7)
            .collect();
        let y = (0..self.batch * targets).map(|_| (random() as usize % values) as f32).collect();
        Rows { x, y }
    }
}

/// Reads the command line, `VARIANT WORKLOAD-JSON`, and limits the thread pools that are made later.
pub fn start() -> Result<(String, Workload)> {
    let mut arguments = std::env::args().skip(1);
    let (Some(variant), Some(json)) = (arguments.next(), arguments.next()) else {
        return Err("usage: PROGRAM VARIANT WORKLOAD-JSON".into());
    };
    let workload: Workload = serde_json::from_str(&json)?;
    // SAFETY: this is called first thing in `main`, while there is only one thread.
    unsafe { std::env::set_var("RAYON_NUM_THREADS", workload.threads.to_string()) };
    Ok((variant, workload))
}

/// Says that there is no training step of this mathematics.
pub fn unsupported(reason: &str) -> Result<()> {
    say(&json!({ "unsupported": reason }))
}

fn say(message: &Value) -> Result<()> {
    writeln!(stdout(), "{message}")?;
    Ok(())
}

/// Warms up, says that the peer is ready, and answers requests until standard input ends.
///
/// `step(i)` trains on batch i, and has finished when it returns.
pub fn serve(
    peer: &str,
    version: &str,
    workload: &Workload,
    mut step: impl FnMut(usize) -> Result<()>,
) -> Result<()> {
    let batches = workload.batches();
    for batch in 0..3 {
        step(batch % batches)?;
    }
    say(&json!({ "ready": peer, "version": version }))?;
    let mut batch = 0;
    for line in stdin().lock().lines() {
        let line = line?;
        match line.strip_prefix("run ").map(str::parse::<f64>) {
            Some(Ok(seconds)) => {
                let (mut samples, begun) = (0, Instant::now());
                while begun.elapsed().as_secs_f64() < seconds {
                    step(batch)?;
                    samples += workload.batch;
                    batch = (batch + 1) % batches;
                }
                let seconds = begun.elapsed().as_secs_f64();
                say(&json!({ "samples": samples, "seconds": seconds }))?;
            }
            _ => say(&json!({ "error": format!("no such request: {line}") }))?,
        }
    }
    Ok(())
}
