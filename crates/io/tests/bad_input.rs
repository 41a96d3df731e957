//! Every format, of data and of models, given files that are cut off, damaged or false: an error that
//! names the file, no panic, nothing left behind, and bounded memory and time. All of it runs in a
//! process of its own, whose address space and time are limited.
#![cfg(target_os = "linux")]

mod common;
#[path = "common/model_samples.rs"]
mod model_samples;
#[path = "common/network_samples.rs"]
mod network_samples;
#[path = "common/samples.rs"]
mod samples;

use common::names_in;
use gristmill_io::{Dataset, FORMATS, ImportOptions, MODEL_FORMATS, Missing, Plan, Task};
use samples::{CATEGORY, ROWS};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Random damages to each file.
const FLIPS: u64 = 120;
/// Most megabytes that the process may come to use.
const MEMORY: u64 = 256;
/// Address space in kilobytes, which includes what is mapped and what is never touched.
const ADDRESSES: u64 = 6 << 20;
/// Seconds of processor time. No damage takes a hundredth of this.
const SECONDS: u64 = 100;

/// Files that are read together, in one format.
struct Subject {
    format: &'static str,
    variant: String,
    files: Vec<(String, Vec<u8>)>,
    read: fn(&Path, Option<&str>) -> gristmill_io::Result<()>,
}

fn subjects() -> Vec<Subject> {
    let data = samples::all().into_iter().map(|sample| Subject {
        format: sample.format,
        variant: sample.variant,
        files: sample.files,
        read: import,
    });
    let models = model_samples::all().into_iter().map(|(format, name, bytes)| Subject {
        format,
        variant: "model".to_owned(),
        files: vec![(name, bytes)],
        read: |path, format| gristmill_io::import_model(path, &format.into()).map(drop),
    });
    // Networks of other layers than dense ones, by their description and by their operators alone.
    let networks = network_samples::all().into_iter().flat_map(|(name, model)| {
        let graph = network_samples::graph(&network_samples::by_numbers(model.clone()));
        let own = (format!("model, {name}"), network_samples::onnx(&model));
        let theirs = (format!("model, {name} of others"), graph);
        let is_read = network_samples::are_layers_operators(name);
        [Some(own), is_read.then_some(theirs)].into_iter().flatten()
    });
    let networks = networks.map(|(variant, bytes)| Subject {
        format: "onnx",
        variant,
        files: vec![("m.onnx".to_owned(), bytes)],
        read: |path, format| gristmill_io::import_model(path, &format.into()).map(drop),
    });
    data.chain(models).chain(networks).collect()
}

fn import(path: &Path, format: Option<&str>) -> gristmill_io::Result<()> {
    let options = ImportOptions {
        format: format.into(),
        missing: Missing::Mean,
        task: Some(Task::Classify),
        ..ImportOptions::default()
    };
    let mut sources = vec![path.to_owned()];
    // Files that belong together are named together.
    for (first, second) in [("x.npy", "y.npy"), ("d-images-idx3-ubyte", "d-labels-idx1-ubyte")] {
        if path.ends_with(first) {
            sources.push(path.with_file_name(second));
        }
    }
    let output = path.with_file_name("out.grist");
    gristmill_io::import(&sources, &output, &Plan::Learn(options), &())?;
    Dataset::open(&output)?.verify()?;
    std::fs::remove_file(output).unwrap();
    Ok(())
}

/// What became of damaged files.
enum Outcome {
    Read,
    Refused(String),
}

impl Subject {
    /// Reads the files with one of them replaced, which is called `what`.
    fn with(
        &self,
        what: &str,
        index: usize,
        bytes: &[u8],
        format: Option<&str>,
    ) -> Result<Outcome, String> {
        let directory = tempfile::tempdir_in(home()).unwrap();
        for (at, (name, whole)) in self.files.iter().enumerate() {
            let content = if at == index { bytes } else { whole };
            std::fs::write(directory.path().join(name), content).unwrap();
        }
        // The last line says where a process that had to be ended was.
        eprintln!("{} {}: {what}", self.format, self.variant);
        let before = names_in(directory.path());
        let path = directory.path().join(&self.files[0].0);
        let outcome = catch_unwind(AssertUnwindSafe(|| (self.read)(&path, format)));
        let left = names_in(directory.path());
        if left != before {
            return Err(format!("left {left:?}"));
        }
        match outcome {
            Err(_) => Err("panicked".to_owned()),
            Ok(Ok(())) => Ok(Outcome::Read),
            Ok(Err(error)) => {
                let text = error.to_string();
                // The whole path, since a user works on more than one directory.
                match text.contains(directory.path().to_str().unwrap()) {
                    true => {
                        Ok(Outcome::Refused(text.replace(directory.path().to_str().unwrap(), "")))
                    }
                    false => Err(format!("names no file: {text}")),
                }
            }
        }
    }
}

/// Where the files lie: in memory if there is such a place, since there are thousands of them.
fn home() -> PathBuf {
    let shared = PathBuf::from("/dev/shm");
    if tempfile::tempdir_in(&shared).is_ok() { shared } else { std::env::temp_dir() }
}

/// Random numbers (splitmix64).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }
}

/// Whether a file that is cut off can be a shorter file of its format: text that is not compressed.
fn may_be_shorter(subject: &Subject) -> bool {
    ["csv", "jsonl", "libsvm", "arff"].contains(&subject.format)
        && !["gz", "zst"].contains(&subject.variant.as_str())
}

/// All that is done to a file: what it is called, what comes of it, and whether it must be refused.
fn damages(subject: &Subject, index: usize) -> Vec<(String, Vec<u8>, bool)> {
    let (name, whole) = &subject.files[index];
    let mut damages = Vec::new();
    for part in 0..20 {
        let cut = whole.len() * part / 20;
        let must = part == 0 || !may_be_shorter(subject);
        damages.push((format!("cut to {cut} bytes"), whole[..cut].to_vec(), must));
    }
    let seed = name.bytes().chain(subject.variant.bytes());
    let seed = seed.fold(1u64, |seed, byte| seed.wrapping_mul(31) + u64::from(byte));
    let mut random = Random(seed);
    for _ in 0..FLIPS {
        let mut bytes = whole.clone();
        let count = 1 + random.below(3);
        let mut shown = Vec::new();
        for _ in 0..count {
            // Half of the damage is to the ends, where headers and footers are.
            let at = match random.below(4) {
                0 => random.below(whole.len().min(200)),
                1 => whole.len() - 1 - random.below(whole.len().min(400)),
                _ => random.below(whole.len()),
            };
            let value = match random.below(3) {
                0 => bytes[at] ^ (1 << random.below(8)),
                1 => 0xff,
                _ => random.next() as u8,
            };
            shown.push(format!("byte {at} {:#04x} -> {value:#04x}", bytes[at]));
            bytes[at] = value;
        }
        damages.push((shown.join(", "), bytes, false));
    }
    // Wherever the number of rows stands, in whichever form, far more are claimed.
    let rows = u64::from(ROWS);
    for (from, to) in [
        (rows.to_le_bytes().to_vec(), (1u64 << 40).to_le_bytes().to_vec()),
        ((ROWS).to_be_bytes().to_vec(), u32::MAX.to_be_bytes().to_vec()),
        (format!("({ROWS},").into_bytes(), format!("({},", 1u64 << 40).into_bytes()),
        (b", 3)}".to_vec(), format!(", {})}}", 1u64 << 40).into_bytes()),
    ] {
        let places = whole.windows(from.len()).enumerate().filter(|(_, bytes)| *bytes == from);
        let places: Vec<usize> = places.map(|(at, _)| at).collect();
        for at in places {
            let mut bytes = whole[..at].to_vec();
            bytes.extend(&to);
            bytes.extend(&whole[at + from.len()..]);
            damages.push((format!("rows claimed at byte {at}"), bytes, false));
        }
    }
    #[cfg(feature = "parquet")]
    if subject.format == "parquet" {
        damages.push(("rows claimed by the footer".to_owned(), claiming_footer(whole), true));
    }
    // No UTF-8 in place of a category; what is compressed may hold it only beside the data.
    let category = CATEGORY.as_bytes();
    let mut bytes = whole.clone();
    let places = whole.windows(category.len()).enumerate().filter(|(_, bytes)| *bytes == category);
    places.for_each(|(at, _)| bytes[at + 2] = 0xff);
    let must = subject.format != "parquet" || subject.variant == "not compressed";
    if bytes != *whole {
        damages.push(("no UTF-8".to_owned(), bytes, must));
    }
    damages
}

/// A Parquet file with another footer after its own, which claims 2^40 rows in every row group.
#[cfg(feature = "parquet")]
fn claiming_footer(whole: &[u8]) -> Vec<u8> {
    use parquet::file::metadata::{
        FileMetaData, ParquetMetaDataBuilder, ParquetMetaDataReader, ParquetMetaDataWriter,
    };
    const CLAIMED: i64 = 1 << 40;
    let bytes = bytes::Bytes::copy_from_slice(whole);
    let metadata = ParquetMetaDataReader::new().parse_and_finish(&bytes).unwrap();
    let file = metadata.file_metadata();
    let claimed = FileMetaData::new(
        file.version(),
        CLAIMED,
        file.created_by().map(str::to_owned),
        file.key_value_metadata().cloned(),
        file.schema_descr_ptr(),
        file.column_orders().cloned(),
    );
    let groups = metadata
        .row_groups()
        .iter()
        .map(|group| group.clone().into_builder().set_num_rows(CLAIMED).build().unwrap());
    let builder = ParquetMetaDataBuilder::new(claimed).set_row_groups(groups.collect());
    let mut out = whole.to_vec();
    ParquetMetaDataWriter::new(&mut out, &builder.build()).finish().unwrap();
    out
}

/// Runs in a process of its own; prints what it found.
#[test]
#[ignore = "run by the test below"]
fn child_reads_bad_files() {
    let mut wrong = Vec::new();
    let mut refused = 0;
    let mut messages = std::collections::BTreeMap::<String, String>::new();
    for subject in subjects() {
        let Subject { format, variant, files, .. } = &subject;
        let (first, whole) = &files[0];
        match subject.with("whole", 0, whole, None) {
            Ok(Outcome::Read) => {}
            Ok(Outcome::Refused(text)) => wrong.push(format!("{format} {variant}: {text}")),
            Err(what) => wrong.push(format!("{format} {variant}: {what}")),
        }
        for (index, (name, _)) in files.iter().enumerate() {
            for (what, bytes, must_be_refused) in damages(&subject, index) {
                let shown = format!("{format} {variant}, {name}: {what}");
                match subject.with(&what, index, &bytes, None) {
                    Ok(Outcome::Read) if must_be_refused => wrong.push(format!("{shown}: is read")),
                    Ok(Outcome::Read) => {}
                    Ok(Outcome::Refused(text)) => {
                        refused += 1;
                        let kind: String = text.chars().filter(|c| !c.is_ascii_digit()).collect();
                        messages.entry(format!("{format} {kind}")).or_insert(text);
                    }
                    Err(reason) => wrong.push(format!("{shown}: {reason}")),
                }
            }
        }
        // A file of one format taken for another.
        let names: Vec<&str> = match variant.as_str() {
            variant if variant.starts_with("model") => {
                MODEL_FORMATS.iter().map(|format| format.name()).collect()
            }
            _ => FORMATS.iter().map(|format| format.name()).collect(),
        };
        for other in names.into_iter().filter(|name| name != format) {
            match subject.with(other, 0, whole, Some(other)) {
                // Lines of text are lines of CSV, of which nothing is known.
                Ok(Outcome::Read) if other == "csv" && may_be_shorter(&subject) => {}
                Ok(Outcome::Read) => wrong.push(format!("{first} of {format} is read as {other}")),
                Ok(Outcome::Refused(_)) => refused += 1,
                Err(reason) => wrong.push(format!("{format} {variant} as {other}: {reason}")),
            }
        }
    }
    if std::env::var_os("SHOW_MESSAGES").is_some() {
        messages.iter().for_each(|(kind, text)| eprintln!("{kind}\n    {text}"));
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
    assert!(refused > 1000, "only {refused} refused");
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    let kilobytes: u64 = peak.split_whitespace().next().unwrap().parse().unwrap();
    assert!(kilobytes >> 10 <= MEMORY, "the peak of memory was {} MiB", kilobytes >> 10);
}

#[test]
fn bad_files_are_refused_in_bounded_memory_and_time() {
    let script = format!("ulimit -v {ADDRESSES}; ulimit -t {SECONDS}; exec \"$@\"");
    let child = Command::new("sh")
        .args(["-c", &script, "sh"])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "child_reads_bad_files", "--ignored", "--nocapture"])
        // Threads and their allocators take address space, on many cores more than files may.
        .env("RAYON_NUM_THREADS", "2")
        .env("MALLOC_ARENA_MAX", "2")
        .env("RUST_BACKTRACE", "0")
        .output()
        .unwrap();
    let [stdout, stderr] =
        [child.stdout, child.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
    if std::env::var_os("SHOW_MESSAGES").is_some() {
        eprintln!("{stderr}");
    }
    let last = stderr.char_indices().rev().nth(20_000).map_or(0, |(at, _)| at);
    let passed = child.status.success() && stdout.contains("1 passed");
    assert!(passed, "{}\n{stdout}\n{}", child.status, &stderr[last..]);
}
