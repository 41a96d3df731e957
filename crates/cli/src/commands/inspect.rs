//! `gristmill inspect`: what is in a file of ours.

use crate::failure::Failure;
use crate::model_source;
use crate::output::Output;
use crate::report;
use crate::table::{Table, thousands};
use gristmill_io::schema::Target;
use gristmill_io::model::Loss;
use gristmill_io::{Checkpoint, Dataset, FileKind, Layer, Model, Node, TensorInfo};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// Features that are shown unless all are asked for.
const FEATURES: usize = 20;

/// Say what is in a data set, a model or a checkpoint
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  gristmill inspect iris.grist
  gristmill inspect runs/iris-1/model.gristmill
  gristmill inspect --json runs/iris-1/checkpoints/step-000000000020.checkpoint")]
pub(crate) struct Inspect {
    /// A data set, a model, a checkpoint, or the directory of a run
    file: PathBuf,
    /// Show every feature of a data set and every input column of a model, not only the first
    #[arg(long)]
    all: bool,
    /// Print JSON, with all that is known
    #[arg(long)]
    json: bool,
}

impl Inspect {
    pub(crate) fn run(self, output: &Output) -> Result<(), Failure> {
        let path = &model_source::file_of(&self.file, output)?;
        match FileKind::of(path)? {
            Some(FileKind::Dataset) => {
                let dataset = Dataset::open(path)?;
                match self.json {
                    true => output.print_data(dataset_json(&dataset)),
                    false => output.print(self.dataset(&dataset)),
                }
            }
            Some(FileKind::Model) => {
                let model = Model::load(path)?;
                match self.json {
                    true => output.print_data(model_json(&model)),
                    false => output.print(self.model(path, &model)),
                }
            }
            Some(FileKind::Checkpoint) if self.all => {
                let path = path.display();
                Err(Failure::usage(format!("--all: {path} is a checkpoint, of which all is shown")))
            }
            Some(FileKind::Checkpoint) => {
                let checkpoint = Checkpoint::describe(path)?;
                match self.json {
                    true => output.print_data(checkpoint_json(&checkpoint)),
                    false => output.print(checkpoint_text(path, &checkpoint)),
                }
            }
            None => Err(Failure::new(format!(
                "{} is no gristmill data set, model or checkpoint: a table has to be imported first",
                path.display()
            ))),
        }
    }

    fn dataset(&self, dataset: &Dataset) -> String {
        let weights = if dataset.has_weights() { ", weighted" } else { "" };
        let arranged = dataset
            .view()
            .map_or_else(String::new, |view| format!(", arranged as {}", report::lengths(view)));
        let series = if dataset.is_ragged() { ", series of unequal length" } else { "" };
        let mut text = format!(
            "{}: data set\nrows: {}{weights}\nfeatures: {} stored as {}{arranged}{series}\n{}\n",
            dataset.path().display(),
            thousands(dataset.rows()),
            thousands(dataset.features() as u64),
            dataset.dtype().name(),
            report::target_line(dataset.encoding()),
        );
        if let Some(indices) = report::index_line(dataset.encoding()) {
            text += &format!("{indices}\n");
        }
        if let Some(classes) = report::class_table(dataset) {
            text += &format!("\n{classes}\n");
        }
        let mut table = Table::new(&["feature", "mean", "deviation", "min", "max", "missing"]);
        let names = dataset.encoding().feature_names();
        let shown = if self.all { names.len() } else { FEATURES };
        for (name, statistics) in names.iter().zip(dataset.statistics()).take(shown) {
            table.row(report::statistics_cells(name, statistics));
        }
        if let Target::Numbers { columns } = &dataset.encoding().target {
            for (name, statistics) in columns.iter().zip(dataset.target_statistics()) {
                table.row(report::statistics_cells(&format!("{name} (target)"), statistics));
            }
        }
        text += &format!("\n{table}");
        if names.len() > shown {
            text += &format!("\n  ... {} more features: --all shows them", names.len() - shown);
        }
        text
    }

    fn model(&self, path: &Path, model: &Model) -> String {
        let columns: Vec<String> = model.encoding.inputs.iter().map(|i| i.name.clone()).collect();
        let columns = if self.all { columns.join(", ") } else { report::list(&columns) };
        let loss = model.loss.map_or("not stored".to_owned(), |loss| loss.to_string());
        let mut text = format!(
            "{}: model\nnetwork: {}\nparameters: {}\nloss: {loss}\n{}\ninput columns: {columns}\n",
            path.display(),
            report::model_line(model),
            thousands(model.parameters()),
            report::target_line(&model.encoding),
        );
        if let Some(series) = model.series {
            text += &format!("windows of {}\n", report::series_line(series));
        }
        if let Some(indices) = report::index_line(&model.encoding) {
            text += &format!("{indices}\n");
        }
        let titles = ["node", "kind", "takes", "inputs", "outputs", "activation", "bias"];
        let mut nodes = Table::new(&titles);
        let views = model.views().unwrap_or_default();
        for (Node { name, inputs, layer }, view) in model.nodes.iter().zip(views) {
            let (takes, kind) = (report::list(inputs), layer.kind().to_owned());
            let none = || "-".to_owned();
            let [width, gives, activation, bias] = match layer {
                Layer::Dense(dense) => [
                    thousands(dense.inputs.into()),
                    thousands(dense.outputs.into()),
                    dense.activation.to_string(),
                    if dense.bias.is_some() { "yes" } else { "no" }.to_owned(),
                ],
                _ => [none(), view.to_string(), none(), none()],
            };
            nodes.row([name.clone(), kind, takes, width, gives, activation, bias]);
        }
        text += &format!("\n{nodes}\n\n");
        let mut training = Table::new(&["trained", "with"]);
        for (name, value) in &model.training {
            training.row([name.clone(), value.clone()]);
        }
        text + &training.to_string()
    }
}

fn dataset_json(dataset: &Dataset) -> Value {
    let names = dataset.encoding().feature_names();
    let features = names.iter().zip(dataset.statistics());
    let features = features.map(|(name, s)| report::statistics_json(name, s)).collect::<Vec<_>>();
    let targets = match &dataset.encoding().target {
        Target::Numbers { columns } => columns.as_slice(),
        _ => &[],
    };
    let targets = targets.iter().zip(dataset.target_statistics());
    let targets = targets.map(|(name, s)| report::statistics_json(name, s)).collect::<Vec<_>>();
    json!({
        "kind": "data set",
        "rows": dataset.rows(),
        "dtype": dataset.dtype().name(),
        "weighted": dataset.has_weights(),
        "ragged": dataset.is_ragged(),
        "shape": dataset.view().map(|view| [view.height, view.width, view.channels]),
        "encoding": report::encoding_json(dataset.encoding()),
        "class_counts": dataset.class_counts(),
        "features": features,
        "targets": targets,
        "fingerprint": format!("{:016x}", dataset.fingerprint()),
    })
}

fn model_json(model: &Model) -> Value {
    let views = model.views().unwrap_or_default();
    let nodes = model.nodes.iter().zip(views).map(|(node, view)| match &node.layer {
        Layer::Dense(dense) => json!({
            "name": node.name,
            "kind": node.layer.kind(),
            "takes": node.inputs,
            "inputs": dense.inputs,
            "outputs": dense.outputs,
            "activation": dense.activation.to_string(),
            "bias": dense.bias.is_some(),
        }),
        layer => json!({
            "name": node.name,
            "kind": layer.kind(),
            "takes": node.inputs,
            "outputs": view.units(),
            "shape": [view.height, view.width, view.channels],
        }),
    });
    let loss = model.loss.map(|loss| match loss {
        Loss::Huber { delta } => json!({ "kind": loss.name(), "delta": delta }),
        _ => json!({ "kind": loss.name() }),
    });
    let training = model.training.iter().map(|(name, value)| (name.clone(), json!(value)));
    json!({
        "kind": "model",
        "series": model.series.map(|s| json!({ "window": s.window, "horizon": s.horizon })),
        "parameters": model.parameters(),
        "loss": loss,
        "nodes": nodes.collect::<Vec<_>>(),
        "encoding": report::encoding_json(&model.encoding),
        "training": training.collect::<serde_json::Map<_, _>>(),
    })
}

fn checkpoint_text(path: &Path, checkpoint: &Checkpoint<TensorInfo>) -> String {
    let mut text = format!(
        "{}: checkpoint\nepochs completed: {}\nstep: {} ({} in the epoch under way)\n\
         {}\ndata set: {:016x}\n",
        path.display(),
        checkpoint.epoch,
        thousands(checkpoint.step),
        thousands(checkpoint.step_in_epoch),
        report::target_line(&checkpoint.encoding),
        checkpoint.fingerprint,
    );
    if let Some(row) = checkpoint.history.last() {
        text += &format!("{}\n", report::history_line(row));
    }
    let mut tensors = Table::new(&["tensor", "type", "shape"]);
    for TensorInfo { name, dtype, shape } in &checkpoint.tensors {
        let shape: Vec<String> = shape.iter().map(usize::to_string).collect();
        tensors.row([name.clone(), dtype.to_string(), shape.join(" x ")]);
    }
    text + &format!("\n{tensors}\n\n{}", checkpoint.config.trim_end())
}

fn checkpoint_json(checkpoint: &Checkpoint<TensorInfo>) -> Value {
    let tensors = checkpoint.tensors.iter().map(|TensorInfo { name, dtype, shape }| {
        (name.clone(), json!({ "dtype": dtype.name(), "shape": shape }))
    });
    json!({
        "kind": "checkpoint",
        "epoch": checkpoint.epoch,
        "step": checkpoint.step,
        "step_in_epoch": checkpoint.step_in_epoch,
        "config": checkpoint.config,
        "encoding": report::encoding_json(&checkpoint.encoding),
        "history": checkpoint.history.iter().map(report::history_json).collect::<Vec<_>>(),
        "tensors": tensors.collect::<serde_json::Map<String, Value>>(),
        "fingerprint": format!("{:016x}", checkpoint.fingerprint),
    })
}
