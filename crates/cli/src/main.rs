//! The `gristmill` command: reads the arguments, runs the command, reports how it ended.

#![forbid(unsafe_code)]

mod args;
mod commands;
mod failure;
mod interrupt;
mod output;
mod progress;
mod report;
mod source;
mod table;
mod text_columns;

use clap::Parser;
use output::Output;
use std::process::ExitCode;

/// Trains feed-forward neural networks on large memory-mapped data sets, on CPUs.
#[derive(Parser)]
#[command(
    name = "gristmill",
    version,
    after_help = "\
Examples:
  gristmill train iris.csv --validation-split 0.2
  gristmill evaluate runs/iris-1/model.gristmill new.csv
  gristmill predict runs/iris-1/model.gristmill new.csv -o predictions.csv

Results go to standard output, everything else to standard error.
Exit codes: 0 done, 1 failed, 2 wrong usage, 130 interrupted after saving.
GRISTMILL_ISA=portable|avx2|avx512 forces an instruction set; the best one is the default."
)]
struct Arguments {
    /// Say nothing but results, warnings and errors
    #[arg(short, long, global = true)]
    quiet: bool,
    #[command(subcommand)]
    command: commands::Command,
}

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help that nobody reads to its end is no failure.
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { 2 } else { 0 });
        }
    };
    let output = Output::new(arguments.quiet);
    match arguments.command.run(&output) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            if let Some(message) = failure.message() {
                output.error(&message);
            }
            ExitCode::from(failure.exit_code())
        }
    }
}
