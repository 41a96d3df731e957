//! Models of plugins, both ways, as safetensors.

use super::description::Operation;
use super::exchange::exchange;
use super::pipes::Input;
use super::process::Running;
use super::program::Plugin;
use crate::error::{Error, Place, Result};
use serde::Deserialize;
use std::collections::HashMap;
use std::io::{Read, Write};
use std::path::Path;

/// Bytes of the length that stands before a safetensors header.
const PREFIX: usize = 8;
/// The most bytes of a header...
const LONGEST_HEADER: u64 = 100 << 20;
/// ... and of the tensors after it.
const LONGEST_TENSORS: u64 = 1 << 32;

impl Plugin {
    /// The model in a file, as safetensors.
    pub(crate) fn read_model(
        &self,
        source: &Path,
        options: &[(String, String)],
    ) -> Result<Vec<u8>> {
        let call = self.call(Operation::ModelRead, Some(source), options)?;
        let (mut running, mut output) = Running::start(&call)?;
        let bytes = read(&mut output).map_err(|symptom| running.blame(&symptom));
        let failed = |reason: String| self.failed(source, Place::FILE, &reason);
        let bytes = bytes.map_err(failed)?;
        running.finish().map_err(failed)?;
        Ok(bytes)
    }

    /// Makes a file, which is to become `path`, of a model as safetensors.
    pub(crate) fn write_model(
        &self,
        model: &[u8],
        path: &Path,
        options: &[(String, String)],
        out: &mut (dyn Write + Send),
    ) -> Result<()> {
        let call = self.call(Operation::ModelWrite, None, options)?;
        let feed = |input: &mut Input| input.write_all(model).map_err(Error::io("write", path));
        exchange(self, &call, path, out, feed)
    }
}

/// Reads no more than the header says there is. The error says what is wrong.
fn read(output: &mut impl Read) -> std::result::Result<Vec<u8>, String> {
    let mut take = |bytes: &mut Vec<u8>, count: u64| match output.take(count).read_to_end(bytes) {
        Ok(read) if read as u64 == count => Ok(()),
        _ => Err("gave a model that is cut off".to_owned()),
    };
    let mut bytes = Vec::new();
    take(&mut bytes, PREFIX as u64)?;
    let length = bytes.first_chunk().map_or(0, |length| u64::from_le_bytes(*length));
    if length > LONGEST_HEADER {
        return Err(
            "gave a model that is no safetensors: it does not begin with the length of a header"
                .to_owned(),
        );
    }
    take(&mut bytes, length)?;
    let tensors = tensors_length(&bytes[PREFIX..])?;
    if tensors > LONGEST_TENSORS {
        let most = LONGEST_TENSORS >> 30;
        return Err(format!("claims a model of {tensors} bytes; at most {most} GiB are taken"));
    }
    take(&mut bytes, tensors)?;
    match output.read(&mut [0]) {
        Ok(0) => Ok(bytes),
        _ => Err("gave a model that goes on after its tensors".to_owned()),
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Entry {
    Tensor { data_offsets: (u64, u64) },
    Other(serde::de::IgnoredAny),
}

/// Where the tensors of a header end. Whether they are sound is for who reads the whole.
fn tensors_length(header: &[u8]) -> std::result::Result<u64, String> {
    let entries: HashMap<String, Entry> = serde_json::from_slice(header)
        .map_err(|error| format!("gave a model that is no safetensors: its header: {error}"))?;
    let end = |entry: &Entry| match entry {
        Entry::Tensor { data_offsets } => data_offsets.1,
        Entry::Other(_) => 0,
    };
    Ok(entries.values().map(end).max().unwrap_or(0))
}
