//! `gristmill evaluate`: a model and rows whose answers are known in, metrics out.

use crate::args::TableArgs;
use crate::failure::Failure;
use crate::output::Output;
use crate::source::ModelRows;
use gristmill_io::Model;
use gristmill_trainer::Isa;
use std::path::PathBuf;
