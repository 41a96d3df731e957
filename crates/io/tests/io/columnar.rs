//! Parquet and Arrow as other programs write them: types, nulls, codecs, and columns that are refused.
#![cfg(all(feature = "arrow", feature = "parquet"))]

use crate::common::{names_in, texts};
use crate::samples;
use arrow_array::builder::{Int32Builder, ListBuilder};
use arrow_array::{
    ArrayRef, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int64Array, RecordBatch,
    StringArray, UInt8Array,
};
use arrow_ipc::writer::StreamWriter;
use gristmill_io::{Dataset, ImportOptions, Missing, Plan, Task, import};
use parquet::arrow::ArrowWriter;
use std::path::Path;
use std::sync::Arc;

type Columns = Vec<(&'static str, ArrayRef)>;

/// The columns as a Parquet file and as an Arrow stream.
fn files(columns: Columns) -> [(&'static str, Vec<u8>); 2] {
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let mut parquet = ArrowWriter::try_new(Vec::new(), batch.schema(), None).unwrap();
    parquet.write(&batch).unwrap();
    let mut stream = StreamWriter::try_new(Vec::new(), &batch.schema()).unwrap();
    stream.write(&batch).unwrap();
    [("t.parquet", parquet.into_inner().unwrap()), ("t.arrows", stream.into_inner().unwrap())]
}

fn read(directory: &Path, name: &str, options: &ImportOptions) -> Result<Dataset, String> {
    let output = directory.join("out.grist");
    let plan = Plan::Learn(options.clone());
    import(&[directory.join(name)], &output, &plan, &()).map_err(|error| error.to_string())?;
    Ok(Dataset::open(&output).unwrap())
}

/// Imports both files, which must give the same, and returns the rows of features.
fn learn(columns: Columns, options: &ImportOptions) -> Result<(Dataset, Vec<Vec<f32>>), String> {
    let directory = tempfile::tempdir().unwrap();
    let mut results = files(columns).map(|(name, bytes)| {
        std::fs::write(directory.path().join(name), bytes).unwrap();
        let dataset = read(directory.path(), name, options)
            .map_err(|error| error.replace(directory.path().join(name).to_str().unwrap(), "t"))?;
        let row = |row| {
            let mut out = vec![0.0; dataset.features()];
            dataset.dtype().decode(dataset.row(row), &mut out);
            out
        };
        let rows = (0..dataset.rows()).map(row).collect::<Vec<_>>();
        Ok::<_, String>((dataset, rows))
    });
    if results.iter().any(Result::is_err) {
        let errors = results.each_ref().map(|result| result.as_ref().err().cloned());
        assert_eq!(errors[0], errors[1]);
        assert!(!names_in(directory.path()).contains(&"out.grist".to_owned()));
    }
    let [parquet, arrow] = &mut results;
    if let (Ok(parquet), Ok(arrow)) = (parquet, arrow) {
        assert_eq!((&parquet.1, parquet.0.encoding()), (&arrow.1, arrow.0.encoding()));
    }
    let [parquet, _] = results;
    parquet
}

fn regress() -> ImportOptions {
    ImportOptions { task: Some(Task::Regress), ..ImportOptions::default() }
}

#[test]
fn types_and_nulls() {
    let columns: Columns = vec![
        ("wide", Arc::new(Float64Array::from(vec![Some(0.1), None, Some(0.3)]))),
        ("whole", Arc::new(Int64Array::from(vec![1, -2, 3]))),
        ("bytes", Arc::new(UInt8Array::from(vec![255, 0, 7]))),
        ("flag", Arc::new(BooleanArray::from(vec![true, false, true]))),
        (
            "price",
            Arc::new(
                Decimal128Array::from(vec![125, -250, 0]).with_precision_and_scale(9, 2).unwrap(),
            ),
        ),
        ("colour", Arc::new(StringArray::from(vec![Some("red"), None, Some("tan")]))),
        ("y", Arc::new(Float64Array::from(vec![1.5, 2.5, 3.5]))),
    ];
    let options = ImportOptions { missing: Missing::Mean, ..regress() };
    let (dataset, rows) = learn(columns, &options).unwrap();
    let names = ["wide", "whole", "bytes", "flag", "price", "colour=", "colour=red", "colour=tan"];
    assert_eq!(dataset.encoding().feature_names(), names);
    assert_eq!(rows[0], [0.1, 1.0, 255.0, 1.0, 1.25, 0.0, 1.0, 0.0]);
    assert_eq!(rows[1], [0.2, -2.0, 0.0, 0.0, -2.5, 1.0, 0.0, 0.0]);
    assert_eq!(rows[2], [0.3, 3.0, 7.0, 1.0, 0.0, 0.0, 0.0, 1.0]);
}

#[test]
fn a_null_is_missing_where_it_must_not_be() {
    let columns: Columns = vec![
        ("x", Arc::new(Float64Array::from(vec![Some(0.1), None]))),
        ("y", Arc::new(Float64Array::from(vec![1.5, 2.5]))),
    ];
    let error = learn(columns, &regress()).unwrap_err();
    assert!(error.starts_with("t, row 2, column \"x\": the value is missing"), "{error}");
    let columns: Columns = vec![
        ("x", Arc::new(Float64Array::from(vec![0.1, f64::INFINITY]))),
        ("y", Arc::new(Float64Array::from(vec![1.5, 2.5]))),
    ];
    let error = learn(columns, &regress()).unwrap_err();
    assert!(error.starts_with("t, row 2, column \"x\": expected a finite number"), "{error}");
}

#[test]
fn what_is_no_number_or_text_is_refused_by_name_unless_left_out() {
    let mut lists = ListBuilder::new(Int32Builder::new());
    for row in 0..2 {
        lists.values().append_value(row);
        lists.append(true);
    }
    let lists: ArrayRef = Arc::new(lists.finish());
    let days: ArrayRef = Arc::new(Date32Array::from(vec![1, 2]));
    for (bad, what) in [(lists, "is nested"), (days, "is no number or text")] {
        let columns = || -> Columns {
            vec![
                ("x", Arc::new(Int64Array::from(vec![1, 2]))),
                ("bad one", Arc::clone(&bad)),
                ("y", Arc::new(Float64Array::from(vec![1.5, 2.5]))),
            ]
        };
        let error = learn(columns(), &regress()).unwrap_err();
        assert!(error.starts_with("t, column \"bad one\": its type "), "{error}");
        assert!(error.contains(what) && error.contains("--drop \"bad one\""), "{error}");
        let options = ImportOptions { drop: texts(&["bad one"]), ..regress() };
        assert_eq!(learn(columns(), &options).unwrap().1, [[1.0], [2.0]]);
    }
}

#[test]
fn every_codec_gives_the_same() {
    for format in ["parquet", "arrow"] {
        let samples = samples::all().into_iter().filter(|sample| {
            let own = ["parquet", "arrow", "feather", "ipc", "arrows", "dictionary"];
            sample.format == format && !own.contains(&sample.variant.as_str())
        });
        let mut fingerprints = Vec::new();
        for sample in samples {
            let directory = tempfile::tempdir().unwrap();
            let (name, bytes) = &sample.files[0];
            std::fs::write(directory.path().join(name), bytes).unwrap();
            let dataset = read(directory.path(), name, &ImportOptions::default());
            fingerprints.push(dataset.unwrap().fingerprint());
        }
        assert!(fingerprints.len() >= 3, "{format}");
        assert!(fingerprints.iter().all(|f| *f == fingerprints[0]), "{format}: {fingerprints:x?}");
    }
}
