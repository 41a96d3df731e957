//! `gristmill formats`: which formats there are.

#[cfg(feature = "arrow")]
mod check;

use crate::args::PluginArgs;
use crate::failure::Failure;
use crate::output::Output;
use crate::table::Table;
use gristmill_io::plugin::Operation;
use gristmill_io::{FORMATS, FormatChoice, MODEL_FORMATS, Plugin};
use serde_json::{Value, json};
use std::path::PathBuf;

/// List the formats of data and models, built in and found, or check a plugin
#[derive(clap::Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "\
Examples:
  gristmill formats
  gristmill formats --plugins ./plugins --json
  gristmill formats check sqlite --sample irises.sqlite --option table=iris

A format that is not built in is a program gristmill-format-NAME, in any language, in a
directory given by --plugins, in one of those that GRISTMILL_PLUGINS lists, or on PATH. What it
prints must be as docs/plugin-protocol.md says, which is a page; `check` tries every clause of it. A
plugin that stands still for GRISTMILL_PLUGIN_TIMEOUT seconds (300) is stopped."
)]
pub(crate) struct Formats {
    #[command(subcommand)]
    action: Option<Action>,
    /// Print JSON, with the options of plugins
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    plugins: PluginArgs,
}

#[derive(clap::Subcommand)]
enum Action {
    #[cfg(feature = "arrow")]
    Check(check::Check),
}

impl Formats {
    pub(crate) fn run(self, output: &Output) -> Result<(), Failure> {
        match self.action {
            #[cfg(feature = "arrow")]
            Some(Action::Check(check)) => check.run(output),
            #[cfg(not(feature = "arrow"))]
            Some(action) => match action {},
            None => list(&self.plugins.choice(None)?, self.json, output),
        }
    }
}

/// A format, wherever it is from.
struct Line {
    name: String,
    description: String,
    extensions: Vec<String>,
    /// Of data or of models.
    kind: &'static str,
    detected_by: &'static str,
    reads: bool,
    writes: bool,
    compressed: bool,
    plugin: Option<PathBuf>,
    options: Value,
}

fn list(choice: &FormatChoice, as_json: bool, output: &Output) -> Result<(), Failure> {
    let mut lines = built_in();
    for (program, plugin) in choice.plugins.all() {
        match plugin {
            Ok(plugin) => lines.extend(of_plugin(&plugin)),
            Err(error) => output.warn(format_args!("{} is left out: {error}", program.display())),
        }
    }
    match as_json {
        true => output.print_data(json_of(&lines)),
        false => output.print(text_of(&lines)),
    }
}

fn built_in() -> Vec<Line> {
    let owned = |extensions: &[&str]| extensions.iter().map(|e| (*e).to_owned()).collect();
    let data = FORMATS.iter().map(|format| Line {
        name: format.name().to_owned(),
        description: format.description().to_owned(),
        extensions: owned(format.extensions()),
        kind: "data",
        detected_by: "content",
        reads: true,
        writes: format.exporter().is_some(),
        compressed: format.is_stream(),
        plugin: None,
        options: json!([]),
    });
    let models = MODEL_FORMATS.iter().map(|format| Line {
        name: format.name().to_owned(),
        description: format.description().to_owned(),
        extensions: owned(format.extensions()),
        kind: "model",
        detected_by: if format.reader().is_some() { "content" } else { "name" },
        reads: format.reader().is_some(),
        writes: true,
        compressed: false,
        plugin: None,
        options: json!([]),
    });
    data.chain(models).collect()
}

/// A line for its data and one for its models, as far as it has them.
fn of_plugin(plugin: &Plugin) -> Vec<Line> {
    let found = plugin.description();
    let options = found.options.iter().map(|option| {
        json!({
            "name": option.name, "type": option.kind.name(), "help": option.help,
            "required": option.required,
        })
    });
    let options: Value = options.collect();
    let kinds = [
        ("data", Operation::Read, Operation::Write),
        ("model", Operation::ModelRead, Operation::ModelWrite),
    ];
    let lines = kinds.into_iter().map(|(kind, read, write)| Line {
        name: found.names.join(", "),
        description: found.description.clone(),
        extensions: found.extensions.clone(),
        kind,
        detected_by: match (found.magic.is_empty(), found.extensions.is_empty()) {
            (false, _) => "content",
            (true, false) => "name",
            (true, true) => "-",
        },
        reads: found.can(read),
        writes: found.can(write),
        compressed: false,
        plugin: Some(plugin.program().to_owned()),
        options: options.clone(),
    });
    lines.filter(|line| line.reads || line.writes).collect()
}

fn text_of(lines: &[Line]) -> String {
    let headings = ["format", "of", "detected by", "read", "write", "gz, zst", "endings", "plugin"];
    let mut table = Table::new(&headings);
    let mark = |yes: bool| if yes { "yes" } else { "-" }.to_owned();
    for line in lines {
        let plugin = line.plugin.as_ref().map(|program| program.display().to_string());
        table.row([
            line.name.clone(),
            line.kind.to_owned(),
            line.detected_by.to_owned(),
            mark(line.reads),
            mark(line.writes),
            mark(line.compressed),
            line.extensions.join(" "),
            plugin.unwrap_or_default(),
        ]);
    }
    table.to_string()
}

fn json_of(lines: &[Line]) -> Value {
    let object = |line: &Line| {
        json!({
            "name": line.name, "description": line.description, "kind": line.kind,
            "extensions": line.extensions, "detected_by": line.detected_by, "reads": line.reads,
            "writes": line.writes, "compressed": line.compressed, "plugin": line.plugin,
            "options": line.options,
        })
    };
    lines.iter().map(object).collect()
}
