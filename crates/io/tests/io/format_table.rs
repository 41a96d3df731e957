//! The table of formats in `docs/formats.md`, made of the registry and of what is tried with every format.
//! `UPDATE_DOCS=1` writes it anew.
#![cfg(all(feature = "arrow", feature = "parquet"))]

use crate::samples;
use crate::samples::Sample;
use gristmill_io::format::{ReadOptions, Wanted};
use gristmill_io::{
    Dataset, FORMATS, Format, FormatChoice, ImportOptions, Plan, Source, Task, export, import,
};
use std::path::{Path, PathBuf};

const START: &str = "<!-- table -->\n";
const END: &str = "<!-- end of table -->";

/// Imports files in a directory of their own; whether that is possible.
fn is_read(files: &[(String, Vec<u8>)]) -> bool {
    let directory = tempfile::tempdir().unwrap();
    let paths: Vec<PathBuf> = files.iter().map(|(name, _)| directory.path().join(name)).collect();
    for (path, (_, bytes)) in paths.iter().zip(files) {
        std::fs::write(path, bytes).unwrap();
    }
    let options = ImportOptions { task: Some(Task::Classify), ..ImportOptions::default() };
    let output = directory.path().join("out.grist");
    let read = import(&paths, &output, &Plan::Learn(options), &());
    read.is_ok_and(|summary| summary.rows == u64::from(samples::ROWS))
}

/// A sample under other names.
fn renamed(sample: &Sample, ending: &str) -> Vec<(String, Vec<u8>)> {
    let name = |index: usize| format!("sample-{index}{ending}");
    let files = sample.files.iter().enumerate();
    files.map(|(index, (_, bytes))| (name(index), bytes.clone())).collect()
}

/// Whether a sample is taken for one of its format under a name that says nothing, or only under its own.
fn detection(sample: &Sample) -> &'static str {
    let head = &sample.files[0].1[..sample.files[0].1.len().min(4096)];
    let first = FORMATS.iter().find(|format| format.is_mine(head));
    let by_content = first.is_some_and(|format| format.name() == sample.format);
    match (by_content && is_read(&renamed(sample, "")), is_read(&sample.files)) {
        (true, _) => "by content",
        (false, true) => "by extension",
        (false, false) => panic!("{} is not read", sample.format),
    }
}

/// Whether all of the files are read when compressed as a whole, both ways.
fn is_read_compressed(sample: &Sample) -> bool {
    let compressed = |ending: &str, compress: &dyn Fn(&[u8]) -> Vec<u8>| {
        let files = sample.files.iter();
        let files = files.map(|(name, bytes)| (format!("{name}{ending}"), compress(bytes)));
        is_read(&files.collect::<Vec<_>>())
    };
    let gz = compressed(".gz", &samples::gzip);
    let zst = compressed(".zst", &|bytes| zstd::encode_all(bytes, 1).unwrap());
    assert_eq!(gz, zst, "{}", sample.format);
    gz
}

/// Writes the table to a file of this name and imports that: whether the same data set comes back.
fn comes_back(dataset: &Dataset, name: &str) -> gristmill_io::Result<bool> {
    let directory = tempfile::tempdir().unwrap();
    let (path, again) = (directory.path().join(name), directory.path().join("again.grist"));
    let summary = export(dataset, &path, &FormatChoice::default(), &())?;
    let options = ImportOptions {
        target: summary.targets,
        task: Some(Task::Classify),
        ..ImportOptions::default()
    };
    import(&[path], &again, &Plan::Learn(options), &())?;
    Ok(std::fs::read(again).unwrap() == std::fs::read(dataset.path()).unwrap())
}

/// What is decoded at the same time: chunks, which hold records as they are in the file, or the columns of a
/// chunk while it is read.
fn decoded_at_once(format: &dyn Format, sample: &Sample) -> &'static str {
    let directory = tempfile::tempdir().unwrap();
    let paths: Vec<PathBuf> =
        sample.files.iter().map(|(name, _)| directory.path().join(name)).collect();
    for (path, (_, bytes)) in paths.iter().zip(&sample.files) {
        std::fs::write(path, bytes).unwrap();
    }
    let sources: Vec<Source> = paths.iter().map(|path| Source::at(path)).collect();
    let mut table = format.open(&sources, &ReadOptions::default()).unwrap();
    let columns = table.columns.iter().enumerate();
    let wanted: Vec<Wanted> = columns.map(|(column, c)| Wanted::new(column, c.kind)).collect();
    table.chunks.select(&wanted).unwrap();
    let chunk = table.chunks.next_chunk(64).unwrap().unwrap();
    assert!(chunk.rows < samples::ROWS as usize, "{}: is cut into chunks", format.name());
    if chunk.columns.is_empty() { "records" } else { "columns" }
}

fn row(format: &dyn Format, samples: &[Sample], dataset: &Dataset) -> String {
    let name = format.name();
    let sample = samples.iter().find(|sample| sample.format == name).unwrap();
    let extensions: Vec<String> =
        format.extensions().iter().map(|extension| format!("`.{extension}`")).collect();
    let compressed = is_read_compressed(sample);
    assert_eq!(compressed, format.is_stream(), "{name}");
    let is_written = format.exporter().is_some();
    let round_trip = is_written && {
        let extension = format.extensions()[0];
        let packed = comes_back(dataset, &format!("t.{extension}.zst"));
        assert_eq!(packed.is_ok_and(|same| same), compressed, "{name}");
        comes_back(dataset, &format!("t.{extension}")).unwrap()
    };
    let yes = |is: bool| if is { "yes" } else { "no" };
    format!(
        "| `{name}` | {} | {} | {} | {} | {} | {} | {} | {} |\n",
        format.description(),
        extensions.join(", "),
        detection(sample),
        yes(is_read(&sample.files)),
        yes(is_written),
        decoded_at_once(format, sample),
        yes(compressed),
        if is_written { yes(round_trip) } else { "-" },
    )
}

#[test]
fn the_table_in_the_documentation_is_true() {
    let directory = tempfile::tempdir().unwrap();
    let dataset = samples::dataset(&directory.path().join("d.grist"));
    let samples = samples::all();
    let mut table = "| `--format` | what it is | endings | detect | read | write | parallel | compressed | round trip |\n\
                     | --- | --- | --- | --- | --- | --- | --- | --- | --- |\n"
        .to_owned();
    for format in FORMATS {
        table += &row(*format, &samples, &dataset);
    }
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/formats.md");
    let text = std::fs::read_to_string(&page).unwrap();
    let (before, rest) = text.split_once(START).expect("the page has a place for the table");
    let (found, after) = rest.split_once(END).expect("the table has an end");
    if found != table && std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&page, format!("{before}{START}{table}{END}{after}")).unwrap();
    } else {
        assert_eq!(found, table, "docs/formats.md is old: run this with UPDATE_DOCS=1");
    }
}
