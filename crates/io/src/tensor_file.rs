//! Files of metadata and tensors: what models and checkpoints have in common. The first section says which
//! tensors follow, with name, type and shape, and what else there is to say; then a section per tensor.

use crate::atomic::AtomicFile;
use crate::dtype::Dtype;
use crate::error::{Error, Place, Result};
use crate::frame::{self, Section};
use crate::kind::FileKind;
use crate::open::open;
use crate::tensor::{Tensor, TensorData, TensorInfo, duplicate};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// Bytes converted at a time between numbers and their little-endian form.
const CHUNK: usize = 1 << 16;

#[derive(Serialize, Deserialize)]
struct MetadataWire<M> {
    tensors: Vec<TensorWire>,
    content: M,
}

#[derive(Serialize, Deserialize)]
struct TensorWire {
    name: String,
    dtype: String,
    shape: Vec<u64>,
}

impl From<&TensorInfo> for TensorWire {
    fn from(info: &TensorInfo) -> Self {
        let TensorInfo { name, dtype, shape } = info;
        let shape = shape.iter().map(|&size| size as u64).collect();
        TensorWire { name: name.clone(), dtype: dtype.name().to_owned(), shape }
    }
}

impl TryFrom<TensorWire> for TensorInfo {
    type Error = String;

    fn try_from(wire: TensorWire) -> std::result::Result<Self, String> {
        let TensorWire { name, dtype, shape } = wire;
        if dtype != Dtype::F32.name() {
            return Err(format!(
                "the tensor \"{name}\" has numbers of type \"{dtype}\", expected \"f32\""
            ));
        }
        let size = |size: u64| usize::try_from(size);
        let shape = shape.into_iter().map(size).collect::<std::result::Result<Vec<_>, _>>();
        let shape = shape.map_err(|_| format!("the tensor \"{name}\" is too large"))?;
        Ok(TensorInfo::new(name, shape))
    }
}

/// Writes a file of tensors and `content`; it appears under its name when it is complete. The tensors'
/// numbers are written as they are handed out, none is kept.
pub(crate) fn save(
    path: &Path,
    kind: FileKind,
    content: &impl Serialize,
    tensors: &[impl TensorData],
) -> Result<()> {
    let refuse =
        |reason: String| Error::Invalid(format!("cannot write {}: {reason}", path.display()));
    if let Some(name) = duplicate(tensors.iter().map(TensorData::info)) {
        return Err(refuse(format!("there are several tensors \"{name}\"")));
    }
    let wires = tensors.iter().map(|tensor| tensor.info().into()).collect();
    let metadata = frame::encode_metadata(path, &MetadataWire { tensors: wires, content })?;
    let start = frame::header_length(1 + tensors.len());
    let mut file = AtomicFile::create(path)?;
    let io = Error::io("write", path);
    file.seek(SeekFrom::Start(start)).and_then(|_| file.write_all(&metadata)).map_err(&io)?;
    let length = metadata.len() as u64;
    let mut sections = vec![Section { offset: start, length, crc: crc32c::crc32c(&metadata) }];
    let mut offset = start + length;
    for tensor in tensors {
        let mut writer =
            Writer { file: &mut file, bytes: Vec::with_capacity(CHUNK), crc: 0, count: 0 };
        let sent = tensor.send(&mut |values| writer.write(values));
        let (crc, count) = sent.and_then(|()| writer.finish()).map_err(&io)?;
        let TensorInfo { name, shape, .. } = tensor.info();
        if Some(count) != tensor.info().count() {
            return Err(refuse(format!(
                "the tensor \"{name}\" has {count} numbers, which do not fit its shape {shape:?}"
            )));
        }
        let length = 4 * count as u64;
        sections.push(Section { offset, length, crc });
        offset += length;
    }
    let header = frame::header(kind, &sections);
    file.rewind().and_then(|()| file.write_all(&header)).map_err(&io)?;
    file.commit()
}

/// Writes the numbers of one tensor.
struct Writer<'f> {
    file: &'f mut AtomicFile,
    bytes: Vec<u8>,
    crc: u32,
    count: usize,
}

impl Writer<'_> {
    fn write(&mut self, values: &[f32]) -> std::io::Result<()> {
        self.count += values.len();
        for values in values.chunks(CHUNK / 4) {
            if self.bytes.len() + size_of_val(values) > CHUNK {
                self.flush()?;
            }
            self.bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
        }
        Ok(())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.crc = crc32c::crc32c_append(self.crc, &self.bytes);
        self.file.write_all(&self.bytes)?;
        self.bytes.clear();
        Ok(())
    }

    /// The checksum of all that was written, and how many numbers that is.
    fn finish(mut self) -> std::io::Result<(u32, usize)> {
        self.flush()?;
        Ok((self.crc, self.count))
    }
}

/// A file of tensors whose header has been checked. Nothing else is read until it is asked for.
pub(crate) struct TensorFile {
    path: PathBuf,
    file: File,
    version: u32,
    metadata: Section,
    tensors: Vec<Section>,
}

impl TensorFile {
    pub(crate) fn open(path: &Path, kind: FileKind) -> Result<TensorFile> {
        let mut file = open(path)?;
        let header = frame::read_header(&mut file, path, kind)?;
        let Some((&metadata, tensors)) = header.sections.split_first() else {
            return Err(Error::damaged(path, "it has no metadata"));
        };
        let (version, tensors) = (header.version, tensors.to_vec());
        Ok(TensorFile { path: path.to_owned(), file, version, metadata, tensors })
    }

    /// The version of its layout.
    pub(crate) fn version(&self) -> u32 {
        self.version
    }

    /// What the first section of a file of version 1 says: tensors had no names of their own then.
    pub(crate) fn content_of_version_1<M: DeserializeOwned>(&mut self) -> Result<M> {
        frame::read_metadata(&mut self.file, &self.path, self.metadata)
    }

    /// What the first section says: which tensors there are, and the rest.
    pub(crate) fn content<M: DeserializeOwned>(&mut self) -> Result<(Vec<TensorInfo>, M)> {
        let MetadataWire { tensors, content } =
            frame::read_metadata(&mut self.file, &self.path, self.metadata)?;
        let damaged = |reason: String| Error::damaged(&self.path, reason);
        let infos = tensors.into_iter().map(TensorInfo::try_from);
        let infos = infos.collect::<std::result::Result<Vec<_>, _>>().map_err(damaged)?;
        if infos.len() != self.tensors.len() {
            let (named, found) = (infos.len(), self.tensors.len());
            return Err(damaged(format!("its metadata name {named} tensors, but it has {found}")));
        }
        if let Some(name) = duplicate(infos.iter()) {
            return Err(damaged(format!("it has several tensors \"{name}\"")));
        }
        for (TensorInfo { name, shape, .. }, section) in infos.iter().zip(&self.tensors) {
            let mut sizes = shape.iter().map(|&size| size as u64);
            let length = sizes.try_fold(4u64, u64::checked_mul);
            if length != Some(section.length) {
                let found = section.length;
                return Err(damaged(format!(
                    "the tensor \"{name}\" has {found} bytes, which do not fit its shape {shape:?}"
                )));
            }
        }
        Ok((infos, content))
    }

    /// How many numbers each tensor has.
    pub(crate) fn lengths(&self) -> impl ExactSizeIterator<Item = usize> {
        self.tensors.iter().map(|section| (section.length / 4) as usize)
    }

    /// The numbers of all tensors, in their order.
    pub(crate) fn numbers(mut self) -> Result<Vec<Vec<f32>>> {
        let begin = self.metadata.offset + self.metadata.length;
        self.file.seek(SeekFrom::Start(begin)).map_err(Error::io("read", &self.path))?;
        let TensorFile { path, mut file, tensors, .. } = self;
        let read = |(index, section)| read_numbers(&mut file, &path, index, section);
        tensors.into_iter().enumerate().map(read).collect()
    }

    /// All tensors, of which [`content`](Self::content) gave the names.
    pub(crate) fn tensors(self, infos: Vec<TensorInfo>) -> Result<Vec<Tensor<'static>>> {
        let numbers = self.numbers()?.into_iter();
        let tensors = infos.into_iter().zip(numbers);
        Ok(tensors.map(|(info, values)| Tensor { info, values: values.into() }).collect())
    }
}

/// The file stands at the tensor's first byte, since tensors follow each other without holes.
fn read_numbers(file: &mut File, path: &Path, index: usize, section: Section) -> Result<Vec<f32>> {
    if !section.length.is_multiple_of(4) {
        return Err(Error::damaged(path, format!("tensor {index} is cut within a number")));
    }
    let mut numbers = Vec::new();
    // No more than the file has, but a file may have more than fits in memory.
    numbers.try_reserve_exact((section.length / 4) as usize).map_err(|_| {
        let reason = format!("tensor {index} needs {} bytes of memory: too many", section.length);
        Error::input(path, Place::FILE, reason)
    })?;
    let mut left = section.length as usize;
    let mut crc = 0;
    let mut bytes = vec![0; left.min(CHUNK)];
    while left > 0 {
        let bytes = &mut bytes[..left.min(CHUNK)];
        file.read_exact(bytes).map_err(Error::io("read", path))?;
        crc = crc32c::crc32c_append(crc, bytes);
        let (values, _) = bytes.as_chunks::<4>();
        numbers.extend(values.iter().map(|value| f32::from_le_bytes(*value)));
        left -= bytes.len();
    }
    if crc != section.crc {
        return Err(Error::damaged(path, format!("the checksum of tensor {index} does not match")));
    }
    Ok(numbers)
}
