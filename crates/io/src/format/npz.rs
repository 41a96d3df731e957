//! NPZ, numpy's archive of arrays: a matrix `X` with its targets `y`, or an array per column. Beside `X`
//! the texts `feature_names` and `target_names` name its columns and those of `y`.

mod write;

use super::interface::{Format, ReadOptions};
use super::npy::array::{self, Array};
use super::npy::header::Header;
use super::shared_file::SharedFile;
use super::table::{Table, customary_targets};
use crate::error::{Error, Place, Result};
use crate::export::table::Exporter;
use crate::source::Source;
use flate2::Crc;
use flate2::read::DeflateDecoder;
use std::io::{self, BufReader, Read};
use write::{FEATURE_NAMES, TARGET_NAMES};
use zip::{CompressionMethod, ZipArchive};

/// The format.
pub(super) struct Npz;

/// More arrays than this are not read side by side.
const MOST_ARRAYS: usize = 1 << 12;
/// What the targets beside a matrix are called.
const TARGETS: [&str; 6] = ["y", "Y", "target", "targets", "label", "labels"];
/// What says how many of the rows of `X` each series has.
const LENGTHS: &str = "lengths";
/// More series than this are not read.
const MOST_SERIES: u64 = 1 << 30;
/// More names than this are not read.
const MOST_NAMES: u64 = 1 << 20;

impl Format for Npz {
    fn name(&self) -> &'static str {
        "npz"
    }

    fn description(&self) -> &'static str {
        "numpy arrays in one file: X and y, or one per column"
    }

    fn extensions(&self) -> &'static [&'static str] {
        &["npz"]
    }

    fn is_mine(&self, head: &[u8]) -> bool {
        head.starts_with(b"PK\x03\x04")
    }

    fn is_stream(&self) -> bool {
        false
    }

    fn open(&self, sources: &[Source], options: &ReadOptions) -> Result<Table> {
        let source = &sources[0];
        let refuse = |reason: String| Error::input(source.path(), Place::FILE, reason);
        let mut arrays = arrays(source)?;
        // A column may be called X too: it has one dimension.
        let has_matrix = arrays.iter().any(|(name, array)| is_matrix(name, array));
        let mut take = |name: &str| -> Option<Vec<String>> {
            let at = arrays.iter().position(|(found, _)| has_matrix && found == name)?;
            arrays.remove(at).1.texts(MOST_NAMES)
        };
        let feature_names = take(FEATURE_NAMES).unwrap_or_default();
        let target_names = take(TARGET_NAMES).unwrap_or_default();
        join_series(&mut arrays, options).map_err(refuse)?;
        let matrix = arrays.iter().find(|(name, array)| is_matrix(name, array));
        if let Some(rows) = matrix.filter(|(_, array)| array.width > 1).map(|(_, a)| a.rows) {
            // What has another length is about something else than the rows.
            arrays.retain(|(_, array)| array.rows == rows);
        }
        let Some((first, rows)) = arrays.first().map(|(name, array)| (name.clone(), array.rows))
        else {
            return Err(refuse("has no arrays".to_owned()));
        };
        let mut columns = Vec::with_capacity(arrays.len());
        for (name, mut array) in arrays {
            if array.rows != rows {
                let other = array.rows;
                return Err(refuse(format!(
                    "the arrays have different lengths: \"{first}\" {rows}, \"{name}\" {other}"
                )));
            }
            let is_matrix = is_matrix(&name, &array);
            let names = match name.as_str() {
                _ if is_matrix => &feature_names[..],
                "y" => &target_names[..],
                _ => &[],
            };
            let (is_named, width) = (names.len() == array.width, array.width);
            array.name_columns(|index| match name.as_str() {
                _ if is_named => names[index].clone(),
                _ if is_matrix => format!("f{index}"),
                _ if width == 1 => name.clone(),
                _ => format!("{name}{index}"),
            });
            columns.push((name, array));
        }
        let is_target = |name: &str, array: &Array| match has_matrix {
            true => TARGETS.contains(&name),
            false => name == "y" && array.width > 1,
        };
        let target = columns.iter().position(|(name, array)| is_target(name, array));
        let targets = target.map(|at| {
            let start: usize = columns[..at].iter().map(|(_, array)| array.width).sum();
            (start..start + columns[at].1.width).collect()
        });
        let arrays = columns.into_iter().map(|(_, array)| array).collect();
        let mut table = array::table(source.path(), arrays)?;
        table.likely_targets = targets.unwrap_or_else(|| customary_targets(&table.columns));
        Ok(table)
    }

    fn exporter(&self) -> Option<Exporter> {
        Some(write::export)
    }
}

/// Makes rows of the steps in the matrix, if another array says how many of them each series has.
fn join_series(
    arrays: &mut Vec<(String, Array)>,
    options: &ReadOptions,
) -> std::result::Result<(), String> {
    let is_steps =
        |(name, array): &(String, Array)| is_matrix(name, array) && array.dimensions == 2;
    let Some(steps) = arrays.iter().position(is_steps) else { return Ok(()) };
    let rows = arrays[steps].1.rows;
    let is_lengths = |(name, array): &(String, Array)| name == LENGTHS && array.rows != rows;
    let Some(lengths) = arrays.iter().position(is_lengths) else { return Ok(()) };
    // Where there is a target for each row, lengths are about something else than samples.
    let count = arrays[lengths].1.rows;
    let is_other =
        |(name, array): &(String, Array)| TARGETS.contains(&name.as_str()) && array.rows != count;
    if arrays.iter().any(is_other) {
        return Ok(());
    }
    let of = |name: &'static str| move |reason: String| format!("the array \"{name}\" {reason}");
    let lengths = arrays.remove(lengths).1.counts(MOST_SERIES).map_err(of(LENGTHS))?;
    let Some(steps) = arrays.iter().position(is_steps) else { return Ok(()) };
    let (name, array) = arrays.remove(steps);
    let most = options.max_length.unwrap_or(usize::MAX);
    let kept = |length: u64| usize::try_from(length).unwrap_or(usize::MAX).min(most);
    let longest = lengths.iter().map(|&length| kept(length)).max().unwrap_or(0);
    let room = known_steps(&array, options).unwrap_or(longest);
    if let Some(row) = lengths.iter().position(|&length| kept(length) > room) {
        let length = lengths[row];
        return Err(format!(
            "series {} has {length} steps, and there is room for {room}: --max-length {room} cuts what is longer",
            row + 1
        ));
    }
    let series = array.into_series(lengths, room, most.min(room)).map_err(of("X"))?;
    arrays.insert(steps, (name, series));
    Ok(())
}

/// How many steps a row has room for, if that is known: in a model, or in the file before.
fn known_steps(steps: &Array, options: &ReadOptions) -> Option<usize> {
    let is_feature =
        |name: &&String| name.strip_prefix('f').is_some_and(|n| n.parse::<usize>().is_ok());
    let known = options.known.iter().filter(is_feature).count();
    (known > 0 && known.is_multiple_of(steps.width)).then(|| known / steps.width)
}

/// Whether an array is the matrix of features, and not a column that is called so.
fn is_matrix(name: &str, array: &Array) -> bool {
    name == "X" && array.dimensions > 1
}

/// The arrays of an archive in order, by name.
fn arrays(source: &Source) -> Result<Vec<(String, Array)>> {
    let path = source.path();
    let refuse = |reason: String| Error::input(path, Place::FILE, reason);
    let broken = |error: zip::result::ZipError| refuse(format!("is no sound archive: {error}"));
    let file = SharedFile::open(source)?;
    let reader = BufReader::new(source.open()?);
    let mut archive = ZipArchive::new(reader).map_err(broken)?;
    if archive.len() > MOST_ARRAYS {
        let count = archive.len();
        return Err(refuse(format!("has {count} arrays; at most {MOST_ARRAYS} are read")));
    }
    let mut arrays = Vec::with_capacity(archive.len());
    for index in 0..archive.len() {
        let entry = archive.by_index_raw(index).map_err(broken)?;
        let name = entry.name().map_err(broken)?.into_owned();
        let Some(name) = name.strip_suffix(".npy") else {
            return Err(refuse(format!("holds \"{name}\", which is not a numpy array")));
        };
        let refuse = |reason: String| refuse(format!("the array \"{name}\" {reason}"));
        let start = entry.data_start().filter(|_| !entry.encrypted());
        let start = start.ok_or_else(|| refuse("cannot be read".to_owned()))?;
        let end = start.checked_add(entry.compressed_size()).filter(|end| *end <= file.length());
        let end = end.ok_or_else(|| refuse("goes on after the end of the file".to_owned()))?;
        let part = file.part(start, end);
        let array = match entry.compression() {
            CompressionMethod::Stored => {
                let header = Header::read(&mut file.part(start, end)).map_err(refuse)?;
                match header.fortran {
                    true => Array::random(&header, &file, start, end),
                    false => checked(part, entry.crc32()),
                }
            }
            CompressionMethod::Deflated => {
                checked(DeflateDecoder::new(BufReader::new(part)), entry.crc32())
            }
            other => Err(format!("is compressed by {other}; deflate is read")),
        };
        arrays.push((name.to_owned(), array.map_err(refuse)?));
    }
    Ok(arrays)
}

/// An array in a stream whose checksum is compared at its end.
fn checked(
    stream: impl Read + Send + 'static,
    expected: u32,
) -> std::result::Result<Array, String> {
    let mut stream = Box::new(Checked { stream, crc: Crc::new(), expected });
    let header = Header::read(&mut stream)?;
    Array::sequential(&header, stream)
}

struct Checked<R> {
    stream: R,
    crc: Crc,
    expected: u32,
}

impl<R: Read> Read for Checked<R> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let read = self.stream.read(bytes)?;
        self.crc.update(&bytes[..read]);
        if read == 0 && !bytes.is_empty() && self.crc.sum() != self.expected {
            let reason = "the checksum of an array does not match";
            return Err(io::Error::new(io::ErrorKind::InvalidData, reason));
        }
        Ok(read)
    }
}
