//! `gristmill formats check`: whether a plugin keeps to the protocol.

use crate::args::PluginArgs;
use crate::failure::Failure;
use crate::output::Output;
use gristmill_io::plugin::{Clause, Finding, check};
use serde_json::{Value, json};
use std::path::PathBuf;

/// Put a plugin through every clause of the protocol
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  gristmill formats check sqlite
  gristmill formats check sqlite --sample irises.sqlite --option table=iris

Prints a line for every clause: kept, broken and how, or not tried and why. The exit code is 1
if any is broken.")]
pub(super) struct Check {
    /// The format: the program is gristmill-format-NAME
    name: String,
    /// A file that the plugin reads
    #[arg(long, value_name = "FILE")]
    sample: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    plugins: PluginArgs,
}

impl Check {
    pub(super) fn run(self, output: &Output) -> Result<(), Failure> {
        let choice = self.plugins.choice(Some(self.name.clone()))?;
        let name = &self.name;
        let report = check(&choice, self.sample.as_deref())?.ok_or_else(|| {
            Failure::new(format!(
                "there is no program gristmill-format-{name} in --plugins, GRISTMILL_PLUGINS or PATH that can be run"
            ))
        })?;
        let broken = |clause: &&Clause| matches!(clause.finding, Finding::Broken(_));
        let count = report.iter().filter(broken).count();
        match self.json {
            true => output.print_data(report_json(&report))?,
            false => output.print(report_text(&report))?,
        }
        match count {
            0 => Ok(()),
            1 => Err(Failure::new(format!("{name} breaks a clause of the protocol"))),
            count => Err(Failure::new(format!("{name} breaks {count} clauses of the protocol"))),
        }
    }
}

fn report_text(report: &[Clause]) -> String {
    let line = |clause: &Clause| match &clause.finding {
        Finding::Kept => format!("kept       {}", clause.clause),
        Finding::Broken(what) => format!("BROKEN     {}\n           {what}", clause.clause),
        Finding::Untested(why) => format!("not tried  {} ({why})", clause.clause),
    };
    report.iter().map(line).collect::<Vec<_>>().join("\n")
}

fn report_json(report: &[Clause]) -> Value {
    let object = |clause: &Clause| {
        let (finding, reason) = match &clause.finding {
            Finding::Kept => ("kept", None),
            Finding::Broken(what) => ("broken", Some(what)),
            Finding::Untested(why) => ("untested", Some(why)),
        };
        json!({ "clause": clause.clause, "finding": finding, "reason": reason })
    };
    report.iter().map(object).collect()
}
