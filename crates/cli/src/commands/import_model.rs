//! `gristmill import-model`: a model of another program in.

use crate::args::PluginArgs;
use crate::failure::Failure;
use crate::output::Output;
use crate::report;
use gristmill_io::{import_model, refuse_overwriting};
use gristmill_trainer::model::Trained;
use std::path::PathBuf;

/// Make a model of an ONNX, safetensors or NPZ file
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  gristmill import-model iris.onnx -o iris.gristmill
  gristmill import-model iris.safetensors -o iris.gristmill
  gristmill import-model --from npz weights -o iris.gristmill

ONNX files of any program are read where their operators are layers: products, convolutions, pools,
norms, GRU, LSTM, activations, sums and concatenations. Columns that come without names are called f0, f1, ... docs/formats.md says what
is in the files.")]
pub(crate) struct ImportModel {
    /// A model in the format of another program
    file: PathBuf,
    /// The model to write
    #[arg(short, long = "output", value_name = "MODEL.gristmill")]
    output: PathBuf,
    /// Format: onnx, safetensors, npz or a plugin [default: recognised by content, then by extension]
    #[arg(long, value_name = "FORMAT")]
    from: Option<String>,
    #[command(flatten)]
    plugins: PluginArgs,
}

impl ImportModel {
    pub(crate) fn run(self, output: &Output) -> Result<(), Failure> {
        refuse_overwriting(std::slice::from_ref(&self.file), &self.output)?;
        let model = import_model(&self.file, &self.plugins.choice(self.from)?)?;
        // What cannot be run is better refused now than when rows are predicted.
        Trained::from_model(&model).map_err(Failure::at(&self.file))?;
        model.save(&self.output)?;
        output.talk(format_args!("network: {}", report::model_line(&model)));
        output.talk(report::target_line(&model.encoding));
        output.talk(format_args!("wrote {}", self.output.display()));
        Ok(())
    }
}
