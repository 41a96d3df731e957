//! A plugin put through every clause of the protocol. What is done for each is in `trial.rs`.

mod samples;
mod trial;

use super::description::Operation;
use crate::choice::FormatChoice;
use crate::error::Result;
use std::path::Path;
use std::sync::Arc;
use trial::{Stop, Trial, Verdict};

/// What was found about a clause of the protocol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clause {
    /// The clause, in a line.
    pub clause: &'static str,
    /// What was found.
    pub finding: Finding,
}

/// How a plugin keeps a clause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// As it should.
    Kept,
    /// Not: what it did.
    Broken(String),
    /// It was not put to the test: why.
    Untested(String),
}

/// A clause: what it is about, for which operation of a plugin, and how it is tried.
type Rule = (&'static str, Option<Operation>, fn(&Trial) -> Verdict);

const DESCRIBES: &str = "describe: JSON of this version, in time, exit code 0";

const RULES: &[Rule] = &[
    ("describe: the same every time", None, Trial::describes_alike),
    ("an operation that it does not have fails and says why", None, Trial::refuses_operation),
    ("read: the sample is recognised by magic or extension", READ, Trial::recognises),
    ("read: an Arrow stream of a table, exit code 0", READ, Trial::reads),
    ("read: the same every time", READ, Trial::reads_alike),
    ("read: ends when nobody reads on", READ, Trial::ends_unread),
    ("read: a file that is not there fails and says why", READ, Trial::refuses_absent),
    ("write: numbers become a file, exit code 0", WRITE, Trial::writes),
    ("write: numbers read back to the bit", WRITE, Trial::numbers_round_trip),
    ("write: texts read back, or are refused in words", WRITE, Trial::texts_round_trip),
    ("write: a stream that is cut off fails and says why", WRITE, Trial::refuses_cut_off),
    ("model-read: the sample is a sound model", MODEL_READ, Trial::reads_model),
    (
        "model-read: a file that is not there fails and says why",
        MODEL_READ,
        Trial::refuses_absent_model,
    ),
    ("model-write: a model becomes a file, exit code 0", MODEL_WRITE, Trial::writes_model),
    ("model-write: a model reads back to the bit", MODEL_WRITE, Trial::model_round_trips),
];
const READ: Option<Operation> = Some(Operation::Read);
const WRITE: Option<Operation> = Some(Operation::Write);
const MODEL_READ: Option<Operation> = Some(Operation::ModelRead);
const MODEL_WRITE: Option<Operation> = Some(Operation::ModelWrite);

/// Puts the plugin of the name chosen through every clause about what it does; `None` if there is no such
/// plugin. `sample` is a table that it reads; `choice` has the options that it is told.
///
/// # Errors
/// The files that the trials need cannot be written.
pub fn check(choice: &FormatChoice, sample: Option<&Path>) -> Result<Option<Vec<Clause>>> {
    let plugin = match choice.plugins.named(choice.name.as_deref().unwrap_or_default()) {
        Ok(None) => return Ok(None),
        Ok(Some(plugin)) => plugin,
        Err(error) => {
            let finding = Finding::Broken(error.to_string());
            return Ok(Some(vec![Clause { clause: DESCRIBES, finding }]));
        }
    };
    let can = |operation: Option<Operation>| {
        operation.is_none_or(|operation| plugin.description().can(operation))
    };
    let trial = Trial::new(Arc::clone(&plugin), choice, sample)?;
    let mut report = vec![Clause { clause: DESCRIBES, finding: Finding::Kept }];
    for (clause, _, run) in RULES.iter().filter(|(_, operation, _)| can(*operation)) {
        let finding = match run(&trial) {
            Ok(()) => Finding::Kept,
            Err(Stop::Broken(what)) => Finding::Broken(what),
            Err(Stop::Untested(why)) => Finding::Untested(why),
        };
        report.push(Clause { clause, finding });
    }
    Ok(Some(report))
}
