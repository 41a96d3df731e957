//! The `gristmill` command: reads the arguments, runs the command, reports how it ended.

// No `forbid`: the macro of `ctor` in standard_output.rs allows itself the attribute that it is about.
#![deny(unsafe_code)]

mod args;
mod commands;
mod config_file;
mod failure;
mod interrupt;
mod model_source;
mod output;
mod progress;
mod progress_line;
mod report;
mod source;
mod standard_output;
mod table;
mod text_columns;

use clap::error::{ContextKind, ContextValue};
use clap::{Arg, Command, CommandFactory, FromArgMatches, Parser};
use failure::Failure;
use gristmill_io::{shown, shown_lines};
use output::Output;
use std::io::{self, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
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

/// Lets -1 be a value of every option that takes one, to be refused for what it is and not as an option
/// that there is not.
fn take_negative_numbers(command: Command) -> Command {
    let is_option = |arg: &Arg| arg.get_long().is_some() && arg.get_action().takes_values();
    command
        .mut_args(|arg| if is_option(&arg) { arg.allow_negative_numbers(true) } else { arg })
        .mut_subcommands(take_negative_numbers)
}

/// The error with the arguments that it quotes as they are shown: what a terminal obeys is escaped. Without that clap
/// takes sequences of such characters out when it renders, and the argument is shown as another.
fn quoting_nothing_obeyed(mut error: clap::Error) -> clap::Error {
    let quoted: Vec<(ContextKind, String)> = error
        .context()
        .filter_map(|(kind, value)| match value {
            ContextValue::String(text) => Some((kind, shown(text).to_string())),
            _ => None,
        })
        .collect();
    for (kind, text) in quoted {
        error.insert(kind, ContextValue::String(text));
    }
    error
}

/// Runs a command. A panic, which nothing that a user does may cause, is reported as what it is.
fn caught(run: impl FnOnce() -> Result<(), Failure>) -> Result<(), Failure> {
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|_| {
        Err(Failure::new(
            "this is a fault of gristmill itself: please report it, with the lines above and the command",
        ))
    })
}

fn main() -> ExitCode {
    let matches = take_negative_numbers(Arguments::command()).try_get_matches();
    let arguments = match matches.and_then(|matches| Arguments::from_arg_matches(&matches)) {
        Ok(arguments) => arguments,
        Err(error) => return explain(error),
    };
    let output = Output::new(arguments.quiet);
    let run = || {
        interrupt::watch()?;
        gristmill_trainer::start_threads()?;
        arguments.command.run(&output)
    };
    end(&output, caught(run))
}

/// Prints the help that was asked for, which is a result, or says what is wrong with the arguments.
fn explain(error: clap::Error) -> ExitCode {
    if error.use_stderr() {
        let text = quoting_nothing_obeyed(error).render().to_string();
        // Who cannot be told is told by the exit code.
        let _ = write!(io::stderr(), "{}", shown_lines(&text));
        return ExitCode::from(2);
    }
    let print = || {
        standard_output::check()?;
        error.print().map_err(Failure::standard_output)
    };
    end(&Output::new(false), print())
}

/// Says why a command failed, if it did, to the user and to the shell.
fn end(output: &Output, result: Result<(), Failure>) -> ExitCode {
    let Err(failure) = result else { return ExitCode::SUCCESS };
    if let Some(message) = failure.message() {
        output.error(&message);
    }
    ExitCode::from(failure.exit_code())
}
