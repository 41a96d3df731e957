//! What can be asked of a session: its configuration, how far it has come, and the model so far.

use super::Session;
use super::build::{input_scales, output_kind};
use crate::config::RunConfig;
use crate::data::feed::Paging;
use crate::data::order::Shuffling;
use crate::data::samples::Samples;
use crate::data::subset::Subset;
use crate::model::{Trained, stored_loss};
use crate::network::Network;
use gristmill_io::model::Series;
use gristmill_io::schema::Encoding;
use gristmill_io::{HistoryRow, Model};
use gristmill_kernels::Isa;

impl<S: Samples> Session<'_, S> {
    /// The configuration with every default spelled out.
    pub fn config(&self) -> &RunConfig {
        &self.plan.config
    }

    /// The instruction set that it runs with.
    pub fn isa(&self) -> Isa {
        self.isa
    }

    /// Threads that it runs on.
    pub fn threads(&self) -> usize {
        self.pool.current_num_threads()
    }

    /// The network as it stands.
    pub fn network(&self) -> &Network {
        &self.engine.network
    }

    /// In which order an epoch visits the rows.
    pub fn shuffling(&self) -> Shuffling {
        self.shuffling
    }

    /// How rows get into memory.
    pub fn paging(&self) -> Paging {
        self.paging
    }

    /// About how long an epoch takes if its rows are in memory, without validation.
    pub fn expected_epoch_seconds(&self) -> f64 {
        self.engine.expected_seconds(self.train.len())
    }

    /// Rows that are learned from, and rows that are validated on.
    pub fn row_counts(&self) -> (u64, u64) {
        (self.train.len(), self.validation.as_ref().map_or(0, Subset::len))
    }

    /// Which rows a sample has, if it has several.
    pub fn series(&self) -> Option<Series> {
        self.plan.series
    }

    /// What the columns of the data mean.
    pub fn encoding(&self) -> &Encoding {
        self.train.samples().encoding()
    }

    /// What was measured after each epoch.
    pub fn history(&self) -> &[HistoryRow] {
        &self.history
    }

    /// Bytes of a row's features in the data set.
    pub fn row_bytes(&self) -> u64 {
        self.train.samples().row_bytes()
    }

    /// Epochs completed, and steps done in the epoch under way.
    pub fn position(&self) -> (u32, u64) {
        (self.position.epoch, self.position.step_in_epoch)
    }

    /// The model as it stands: with the weights of the best epoch where these are to be restored.
    pub fn model(&self) -> Model {
        let mut network = self.engine.network.clone();
        if let Some(best) = &self.best {
            network.weights_mut().copy_from_slice(best.weights());
        }
        let samples = self.train.samples();
        let inputs = input_scales(&self.plan, samples);
        Model {
            encoding: samples.encoding().clone(),
            series: self.plan.series,
            inputs,
            outputs: self.engine.preprocess.targets.clone(),
            nodes: Trained::nodes(&network),
            output: output_kind(&self.plan),
            loss: Some(stored_loss(self.plan.loss)),
            training: self.training_notes(),
        }
    }

    fn training_notes(&self) -> Vec<(String, String)> {
        let note = |name: &str, value: String| (name.to_owned(), value);
        let mut notes = vec![
            note("epochs", self.position.epoch.to_string()),
            note("rows", self.train.len().to_string()),
            note("loss", stored_loss(self.plan.loss).to_string()),
            note("optimizer", self.plan.config.optimizer.kind.to_string()),
            note("instruction set", self.isa.to_string()),
        ];
        if let Some(epoch) = self.restored_epoch() {
            notes.push(note("best epoch", epoch.to_string()));
        }
        if let Some(last) = self.history.last() {
            notes.extend(last.values.iter().map(|(name, value)| (name.clone(), value.to_string())));
        }
        notes
    }
}
