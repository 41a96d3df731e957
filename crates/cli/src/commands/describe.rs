//! `gristmill describe`: the layers of a network that is yet to be trained.

use crate::args::{Described, count};
use crate::failure::Failure;
use crate::output::Output;
use crate::table::{Table, thousands};
use gristmill_trainer::config::TrainingPlan;
use gristmill_trainer::network::summary::{LayerSummary, summary};
use serde_json::{Value, json};

/// Say what the layers of a network would be: shapes, parameters, work and memory
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  gristmill describe --features 30 --classes 5 --hidden 64,64
  gristmill describe --shape 28x28x1 --classes 10 --layers \"conv 32 3x3, batch-norm, relu, pool 2, dense 128\"
  gristmill describe --config runs/digits-1/config.toml --data digits.grist

Multiply-adds are those of a row in the forward pass; memory is that of a minibatch in training: values, errors and
what layers keep for the backward pass. Parameters and the optimiser's state come on top.")]
pub(crate) struct Describe {
    /// Rows of a minibatch [default: that of the configuration, or 128]
    #[arg(long, value_name = "N", value_parser = count::<usize>)]
    batch_size: Option<usize>,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    described: Described,
}

impl Describe {
    pub(crate) fn run(self, output: &Output) -> Result<(), Failure> {
        let mut plan = self.described.plan(None)?;
        plan.batch_size = self.batch_size.unwrap_or(plan.batch_size);
        match self.json {
            true => output.print_data(as_json(&plan)),
            false => output.print(as_text(&plan)),
        }
    }
}

fn as_text(plan: &TrainingPlan) -> String {
    let layers = summary(plan);
    let mut table = Table::new(&["layer", "kind", "from", "shape", "parameters", "multiply-adds", "memory"]);
    let bytes = |of_row: usize| memory(of_row as u64 * plan.batch_size as u64);
    table.row(["features".into(), String::new(), String::new(), plan.features.to_string()]);
    for layer in &layers {
        let LayerSummary { name, kind, from, shape, parameters, multiply_adds, row_bytes } = layer;
        table.row([
            name.clone(),
            (*kind).to_owned(),
            from.join("+"),
            shape.to_string(),
            thousands(*parameters as u64),
            thousands(*multiply_adds as u64),
            bytes(*row_bytes),
        ]);
    }
    let sum = |of: fn(&LayerSummary) -> usize| layers.iter().map(of).sum::<usize>();
    table.row([
        "all".into(),
        String::new(),
        String::new(),
        String::new(),
        thousands(sum(|layer| layer.parameters) as u64),
        thousands(sum(|layer| layer.multiply_adds) as u64),
        bytes(sum(|layer| layer.row_bytes)),
    ]);
    format!("{table}\nof a row, and memory of a minibatch of {} rows in training", plan.batch_size)
}

/// `340 B`, `1.5 KiB`, `20 MiB`.
fn memory(bytes: u64) -> String {
    let units = [("GiB", 30), ("MiB", 20), ("KiB", 10)];
    match units.into_iter().find(|(_, shift)| bytes >= 1 << shift) {
        Some((unit, shift)) => format!("{:.1} {unit}", bytes as f64 / f64::from(1u32 << shift)),
        None => format!("{bytes} B"),
    }
}

fn as_json(plan: &TrainingPlan) -> Value {
    let layer = |layer: LayerSummary| {
        json!({
            "name": layer.name,
            "kind": layer.kind,
            "from": layer.from,
            "shape": [layer.shape.height, layer.shape.width, layer.shape.channels],
            "parameters": layer.parameters,
            "multiply_adds": layer.multiply_adds,
            "row_bytes": layer.row_bytes,
        })
    };
    let features = plan.features;
    json!({
        "features": [features.height, features.width, features.channels],
        "batch_size": plan.batch_size,
        "layers": summary(plan).into_iter().map(layer).collect::<Vec<_>>(),
    })
}
