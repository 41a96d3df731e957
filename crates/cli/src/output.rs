//! Everything that the program says: results on standard output, talk on standard error.
//!
//! Nothing else in this crate writes to either, so that a closed pipe is the quiet end everywhere,
//! and lines never tear a progress bar apart.

use crate::failure::Failure;
use crate::standard_output;
use gristmill_io::shown_lines;
use indicatif::MultiProgress;
use std::fmt::Display;
use std::io::{self, BufWriter, IsTerminal, StdoutLock, Write};

/// The two channels, and the progress bars that share the second.
pub(crate) struct Output {
    quiet: bool,
    bars: Option<MultiProgress>,
}

impl Output {
    /// Bars are drawn where standard error is a terminal; `quiet` says nothing but what must be said.
    pub(crate) fn new(quiet: bool) -> Output {
        let bars = (!quiet && io::stderr().is_terminal()).then(MultiProgress::new);
        Output { quiet, bars }
    }

    /// The bars of the terminal, if there is one and the user wants to see it.
    pub(crate) fn bars(&self) -> Option<&MultiProgress> {
        self.bars.as_ref()
    }

    /// A line about what is going on.
    pub(crate) fn talk(&self, line: impl Display) {
        if !self.quiet {
            self.write_error_line(&line);
        }
    }

    /// A line about something that the user should look at.
    pub(crate) fn warn(&self, line: impl Display) {
        self.write_error_line(&format_args!("warning: {line}"));
    }

    /// The last line of a command that failed.
    pub(crate) fn error(&self, line: &str) {
        self.write_error_line(&line);
    }

    /// Writes to standard error and lives with it if that is closed. Names in the line may be anyone's: what a
    /// terminal would obey is escaped.
    fn write_error_line(&self, line: &dyn Display) {
        let line = line.to_string();
        let write = || {
            let _ = writeln!(io::stderr().lock(), "{}", shown_lines(&line));
        };
        match &self.bars {
            // `suspend` panics where the bars cannot be cleared: the terminal has hung up.
            Some(bars) if bars.clear().is_ok() => bars.suspend(write),
            Some(_) => {}
            None => write(),
        }
    }

    /// Prints a result for human eyes.
    pub(crate) fn print(&self, text: impl Display) -> Result<(), Failure> {
        self.print_data(shown_lines(&text.to_string()))
    }

    /// Prints a result that programs read, such as JSON or CSV, as it is.
    pub(crate) fn print_data(&self, text: impl Display) -> Result<(), Failure> {
        let mut results = self.results()?;
        writeln!(results, "{text}").map_err(Failure::standard_output)?;
        results.flush().map_err(Failure::standard_output)
    }

    /// Standard output, for results that come in a stream. Flush it, and turn its errors into
    /// failures with [`Failure::standard_output`].
    ///
    /// # Errors
    /// It was closed when the program was started.
    pub(crate) fn results(&self) -> Result<BufWriter<StdoutLock<'static>>, Failure> {
        standard_output::check()?;
        Ok(BufWriter::with_capacity(1 << 16, io::stdout().lock()))
    }
}
