//! A small table in every format that is read, as our own exporters or other programs write it.
#![allow(dead_code)] // each test program uses a part

use flate2::Compression;
use flate2::write::GzEncoder;
use gristmill_io::schema::{Encoding, InputColumn, InputKind, Target};
use gristmill_io::writer::{DatasetLayout, DatasetWriter, RowBatch};
use gristmill_io::{Dataset, FORMATS, FormatChoice, export};
use std::io::Write;
use std::path::Path;

/// Rows of every sample: a number that nothing else in the files is.
pub(crate) const ROWS: u32 = 293;
/// A category of the samples that have text.
pub(crate) const CATEGORY: &str = "tannish";

/// Files that are imported together.
pub(crate) struct Sample {
    /// Name of the format.
    pub(crate) format: &'static str,
    /// What is special about it.
    pub(crate) variant: String,
    /// Names and contents; the first is the one that is imported.
    pub(crate) files: Vec<(String, Vec<u8>)>,
}

/// The table: a number, a text, small whole numbers, a class.
fn encoding() -> Encoding {
    let number =
        |name: &str| InputColumn { name: name.to_owned(), kind: InputKind::Number { fill: None } };
    let categories = ["light blue", "red", CATEGORY].map(str::to_owned).to_vec();
    let colour = InputColumn { name: "colour".to_owned(), kind: InputKind::OneHot { categories } };
    let names = ["no", "yes"].map(str::to_owned).to_vec();
    Encoding {
        inputs: vec![number("x"), colour, number("n")],
        target: Target::Classes { column: "kind".to_owned(), names },
    }
}

/// Writes the table as a data set.
pub(crate) fn dataset(path: &Path) -> Dataset {
    let layout = DatasetLayout { encoding: encoding(), dtype: None, weighted: false };
    let mut writer = DatasetWriter::create(path, layout).unwrap();
    let mut rows = RowBatch::default();
    for row in 0..ROWS {
        let hot = |category| f32::from(u8::from(row % 3 == category));
        rows.features.extend([row as f32 / 7.0, hot(0), hot(1), hot(2), (row % 200) as f32]);
        rows.labels.push(row % 2);
    }
    writer.push(&rows).unwrap();
    writer.finish().unwrap();
    Dataset::open(path).unwrap()
}

/// At least one sample of every format.
pub(crate) fn all() -> Vec<Sample> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("d.grist");
    let dataset = dataset(&path);
    let mut samples: Vec<Sample> = Vec::new();
    let mut add = |format, variant: &str, files: &[(&str, Vec<u8>)]| {
        let files = files.iter().map(|(name, bytes)| ((*name).to_owned(), bytes.clone()));
        samples.push(Sample { format, variant: variant.to_owned(), files: files.collect() });
    };
    add("grist", "", &[("d.grist", std::fs::read(&path).unwrap())]);
    for format in FORMATS.iter().filter(|format| format.exporter().is_some()) {
        let mut written: Vec<Vec<u8>> = Vec::new();
        for extension in format.extensions() {
            let name = format!("d.{extension}");
            let path = directory.path().join(&name);
            export(&dataset, &path, &FormatChoice::default(), &()).unwrap();
            let bytes = std::fs::read(&path).unwrap();
            if !written.contains(&bytes) {
                add(format.name(), extension, &[(&name, bytes.clone())]);
                written.push(bytes);
            }
        }
    }
    let csv = csv();
    add("csv", "gz", &[("d.csv.gz", gzip(&csv))]);
    add("csv", "zst", &[("d.csv.zst", zstd::encode_all(&csv[..], 3).unwrap())]);
    add("arff", "", &[("d.arff", arff())]);
    add("libsvm", "", &[("d.libsvm", libsvm())]);
    for (name, fortran) in [("C order", false), ("Fortran order", true)] {
        let (x, y) = (npy_matrix(fortran), npy_labels());
        add("npy", name, &[("x.npy", x), ("y.npy", y)]);
    }
    let (images, labels) = idx();
    add("idx", "", &[("d-images-idx3-ubyte", images), ("d-labels-idx1-ubyte", labels)]);
    add("npz", "deflated", &[("d.npz", npz())]);
    #[cfg(feature = "parquet")]
    for (name, bytes) in columnar::parquet() {
        add("parquet", name, &[("d.parquet", bytes)]);
    }
    #[cfg(feature = "arrow")]
    for (name, bytes) in columnar::arrow() {
        add("arrow", name, &[("d.arrow", bytes)]);
    }
    for format in FORMATS {
        let name = format.name();
        assert!(samples.iter().any(|s| s.format == name), "{name} needs a sample in this file");
    }
    samples
}

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn text(row: impl Fn(u32) -> String) -> Vec<u8> {
    (0..ROWS).map(row).collect::<String>().into_bytes()
}

fn csv() -> Vec<u8> {
    let rows = text(|row| format!("{row}.25,\"{CATEGORY}, {}\",{}\n", row % 3, row % 2));
    [b"x,colour,y\n", &rows[..]].concat()
}

fn arff() -> Vec<u8> {
    let header = format!(
        "@relation r\n@attribute x numeric\n@attribute colour {{red,{CATEGORY}}}\n\
         @attribute class {{no,yes}}\n@data\n"
    );
    let rows = text(|row| match row % 3 {
        0 => format!("{row}.5,'red',no\n"),
        1 => format!("{row},{CATEGORY},yes\n"),
        _ => format!("{{0 {row}, 2 yes}}\n"),
    });
    [header.as_bytes(), &rows].concat()
}

fn libsvm() -> Vec<u8> {
    text(|row| format!("{} 1:{row}.5 {}:1 # {row}\n", row % 2, 2 + row % 9))
}

/// An array of numpy's.
pub(crate) fn npy(element: &str, fortran: bool, shape: &str, data: &[u8]) -> Vec<u8> {
    let fortran = if fortran { "True" } else { "False" };
    let header = format!("{{'descr': '{element}', 'fortran_order': {fortran}, 'shape': {shape}}}");
    let mut bytes = b"\x93NUMPY\x01\0".to_vec();
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.as_bytes());
    bytes.extend(data);
    bytes
}

fn npy_matrix(fortran: bool) -> Vec<u8> {
    let data: Vec<u8> = (0..3 * ROWS).flat_map(|i| (i as f32 / 3.0).to_le_bytes()).collect();
    npy("<f4", fortran, &format!("({ROWS}, 3)"), &data)
}

fn npy_labels() -> Vec<u8> {
    let data: Vec<u8> = (0..ROWS).flat_map(|i| i64::from(i % 2).to_le_bytes()).collect();
    npy("<i8", false, &format!("({ROWS},)"), &data)
}

fn idx() -> (Vec<u8>, Vec<u8>) {
    let array = |shape: &[u32], data: Vec<u8>| {
        let mut bytes = vec![0, 0, 8, shape.len() as u8];
        bytes.extend(shape.iter().flat_map(|size| size.to_be_bytes()));
        [bytes, data].concat()
    };
    let images = (0..6 * ROWS).map(|i| (i % 251) as u8).collect();
    (array(&[ROWS, 2, 3], images), array(&[ROWS], (0..ROWS).map(|i| (i % 2) as u8).collect()))
}

fn npz() -> Vec<u8> {
    let words = |texts: &mut dyn Iterator<Item = &str>| -> Vec<u8> {
        let width = CATEGORY.len();
        let code = |text: &str, at: usize| text.chars().nth(at).map_or(0, u32::from);
        texts
            .flat_map(|text| (0..width).map(|at| code(text, at)).collect::<Vec<_>>())
            .flat_map(u32::to_le_bytes)
            .collect()
    };
    let colours = words(&mut (0..ROWS).map(|row| ["red", CATEGORY][row as usize % 2]));
    let arrays = [
        ("X", npy_matrix(false)),
        ("y", npy(&format!("<U{}", CATEGORY.len()), false, &format!("({ROWS},)"), &colours)),
    ];
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, array) in arrays {
        let options = zip::write::SimpleFileOptions::default();
        archive.start_file(format!("{name}.npy"), options).unwrap();
        archive.write_all(&array).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

#[cfg(feature = "arrow")]
mod columnar {
    use super::{CATEGORY, ROWS};
    use arrow_array::types::Int32Type;
    use arrow_array::{
        ArrayRef, BooleanArray, DictionaryArray, Float32Array, Float64Array, Int64Array,
        LargeStringArray, RecordBatch, StringArray,
    };
    use arrow_ipc::CompressionType;
    use arrow_ipc::writer::{FileWriter, IpcWriteOptions};
    use std::sync::Arc;

    /// Columns of many types, as other programs write them, with nulls only where they may be.
    fn batch() -> RecordBatch {
        let rows = || 0..ROWS as i64;
        let text = |row: i64| [CATEGORY, "red"][row as usize % 2];
        let columns: [(&str, ArrayRef); 6] = [
            ("a", Arc::new(Float32Array::from_iter_values(rows().map(|row| row as f32 / 7.0)))),
            ("b", Arc::new(Float64Array::from_iter_values(rows().map(|row| row as f64 / 7.0)))),
            ("c", Arc::new(Int64Array::from_iter_values(rows()))),
            ("d", Arc::new(LargeStringArray::from_iter_values(rows().map(text)))),
            ("e", Arc::new(BooleanArray::from_iter(rows().map(|row| Some(row % 3 == 0))))),
            ("y", Arc::new(StringArray::from_iter_values(rows().map(text)))),
        ];
        RecordBatch::try_from_iter(columns).unwrap()
    }

    #[cfg(feature = "parquet")]
    pub(super) fn parquet() -> Vec<(&'static str, Vec<u8>)> {
        use parquet::arrow::ArrowWriter;
        use parquet::basic::{BrotliLevel, Compression, GzipLevel, ZstdLevel};
        use parquet::file::properties::{WriterProperties, WriterVersion};
        let codecs = [
            ("not compressed", Compression::UNCOMPRESSED),
            ("snappy", Compression::SNAPPY),
            ("gzip", Compression::GZIP(GzipLevel::default())),
            ("brotli", Compression::BROTLI(BrotliLevel::default())),
            ("lz4", Compression::LZ4_RAW),
            ("lz4 in frames", Compression::LZ4),
            ("zstd", Compression::ZSTD(ZstdLevel::default())),
        ];
        let write = |(name, codec)| {
            let version = if name == "zstd" {
                WriterVersion::PARQUET_2_0
            } else {
                WriterVersion::PARQUET_1_0
            };
            let properties = WriterProperties::builder()
                .set_compression(codec)
                .set_writer_version(version)
                .set_max_row_group_row_count(Some(100))
                .set_data_page_row_count_limit(40)
                .set_write_batch_size(10)
                .build();
            let batch = batch();
            let mut writer =
                ArrowWriter::try_new(Vec::new(), batch.schema(), Some(properties)).unwrap();
            writer.write(&batch).unwrap();
            (name, writer.into_inner().unwrap())
        };
        codecs.into_iter().map(write).collect()
    }

    pub(super) fn arrow() -> Vec<(&'static str, Vec<u8>)> {
        let keys = (0..ROWS).map(|row| [CATEGORY, "red"][row as usize % 2]);
        let dictionary: DictionaryArray<Int32Type> = keys.collect();
        let numbers = Float32Array::from_iter_values((0..ROWS).map(|row| row as f32));
        let columns: [(&str, ArrayRef); 2] =
            [("a", Arc::new(numbers)), ("y", Arc::new(dictionary))];
        let dictionary = RecordBatch::try_from_iter(columns).unwrap();
        let write = |(name, batch, codec): (_, RecordBatch, _)| {
            let options = IpcWriteOptions::default().try_with_compression(codec).unwrap();
            let mut file =
                FileWriter::try_new_with_options(Vec::new(), &batch.schema(), options).unwrap();
            for start in (0..batch.num_rows()).step_by(100) {
                let rows = (batch.num_rows() - start).min(100);
                file.write(&batch.slice(start, rows)).unwrap();
            }
            (name, file.into_inner().unwrap())
        };
        [
            ("plain", batch(), None),
            ("lz4", batch(), Some(CompressionType::LZ4_FRAME)),
            ("zstd", batch(), Some(CompressionType::ZSTD)),
            ("dictionary", dictionary, None),
        ]
        .map(write)
        .to_vec()
    }
}
