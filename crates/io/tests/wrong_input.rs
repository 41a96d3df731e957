//! Wrong sources: each is an error that says where and what to do, and leaves nothing behind.

mod common;

use common::{names_in, texts};
use flate2::Compression;
use flate2::write::GzEncoder;
use gristmill_io::schema::Encoding;
use gristmill_io::{Dataset, FormatChoice, ImportOptions, Missing, Plan, Task, import};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Imports a source of this content and returns the error; nothing may be left of the output.
fn error_of(name: &str, content: impl AsRef<[u8]>, options: ImportOptions) -> String {
    let directory = tempfile::tempdir().unwrap();
    let source = directory.path().join(name);
    std::fs::write(&source, content).unwrap();
    let error = fail(std::slice::from_ref(&source), directory.path(), &Plan::Learn(options));
    assert_eq!(names_in(directory.path()), [name]);
    error.replace(source.to_str().unwrap(), name)
}

fn fail(sources: &[PathBuf], directory: &Path, plan: &Plan) -> String {
    import(sources, &directory.join("out.grist"), plan, &()).expect_err("refused").to_string()
}

/// Imports `new` by the encoding learned from `old` and returns the error.
fn error_by_encoding(old: &str, new: &str) -> String {
    let directory = tempfile::tempdir().unwrap();
    let encoding = learn(directory.path(), old);
    let source = directory.path().join("new.csv");
    std::fs::write(&source, new).unwrap();
    let options = ImportOptions::default();
    let plan = Plan::Fixed { encoding: &encoding, with_target: true, options };
    fail(std::slice::from_ref(&source), directory.path(), &plan)
        .replace(source.to_str().unwrap(), "new.csv")
}

fn learn(directory: &Path, content: &str) -> Encoding {
    let (source, output) = (directory.join("old.csv"), directory.join("old.grist"));
    std::fs::write(&source, content).unwrap();
    import(&[source], &output, &Plan::Learn(ImportOptions::default()), &()).unwrap();
    Dataset::open(&output).unwrap().encoding().clone()
}

fn plain(name: &str, content: impl AsRef<[u8]>) -> String {
    error_of(name, content, ImportOptions::default())
}

fn regress() -> ImportOptions {
    ImportOptions { task: Some(Task::Regress), ..ImportOptions::default() }
}

#[test]
fn a_missing_file() {
    let directory = tempfile::tempdir().unwrap();
    let source = directory.path().join("none.csv");
    let error = fail(&[source], directory.path(), &Plan::Learn(ImportOptions::default()));
    assert!(error.contains("cannot open") && error.contains("none.csv"), "{error}");
}

#[test]
fn a_directory() {
    let directory = tempfile::tempdir().unwrap();
    let source = directory.path().join("dir");
    std::fs::create_dir(&source).unwrap();
    let error = fail(&[source], directory.path(), &Plan::Learn(ImportOptions::default()));
    assert!(error.contains("dir: ") && error.contains("directory"), "{error}");
}

#[test]
fn no_source() {
    let directory = tempfile::tempdir().unwrap();
    let error = fail(&[], directory.path(), &Plan::Learn(ImportOptions::default()));
    assert_eq!(error, "no source is given");
}

#[test]
fn an_empty_file() {
    assert_eq!(plain("a.csv", ""), "a.csv: is empty");
    assert_eq!(plain("a.csv", "\n\n"), "a.csv: is empty");
}

#[test]
fn a_header_only() {
    assert_eq!(error_of("a.csv", "x,y\n", regress()), "a.csv: has no rows");
    assert_eq!(plain("a.csv", "x,y\n"), "a.csv, column \"y\": has no rows");
}

#[test]
fn a_ragged_row() {
    let short = "x,y\n1,2\n\n3\n";
    assert_eq!(plain("a.csv", short), "a.csv, line 4: expected 2 fields, found 1");
    let long = "x,y\n1,2\n3,4,5\n";
    assert_eq!(plain("a.csv", long), "a.csv, line 3: expected 2 fields, found 3");
}

/// Beyond the records from which the kinds of columns are told.
fn after_many_rows(last: &str) -> String {
    format!("x,y\n{}{last}\n", "1,2.5\n".repeat(50_000))
}

#[test]
fn a_ragged_row_far_down() {
    let error = plain("a.csv", after_many_rows("1,2,3"));
    assert_eq!(error, "a.csv, line 50002: expected 2 fields, found 3");
}

#[test]
fn text_where_a_number_belongs() {
    let hint = "if that stands for a missing value, say --na \"abc\"";
    let expected =
        format!("a.csv, line 50002, column \"x\": expected a number, found \"abc\": {hint}");
    assert_eq!(error_of("a.csv", after_many_rows("abc,1"), regress()), expected);
    let error = error_of("a.csv", "x,y\n1,2\n1,abc\n", regress());
    let expected = "a.csv, line 3, column \"y\": expected a number, found \"abc\"";
    assert_eq!(error, format!("{expected}: {hint}"));
}

#[test]
fn infinity_and_overflow() {
    for value in ["inf", "-Infinity", "1e39"] {
        let error = error_of("a.csv", format!("x,y\n1,2\n{value},2\n"), regress());
        let expected =
            format!("a.csv, line 3, column \"x\": expected a finite number, found \"{value}\"");
        assert_eq!(error, expected);
    }
}

#[test]
fn missing_numbers() {
    for value in ["", "NA", "n/a", "NaN", "null", "?", "\"\""] {
        let error = error_of("a.csv", format!("x,y\n1,2\n{value},2\n"), regress());
        assert!(error.starts_with("a.csv, line 3, column \"x\": the value is missing"), "{error}");
        assert!(error.contains("--missing mean"), "{error}");
    }
}

#[test]
fn missing_text() {
    let error = plain("a.csv", "x,y\nred,2\n,2\n");
    assert!(error.starts_with("a.csv, line 3, column \"x\": the value is missing"), "{error}");
}

#[test]
fn a_missing_target() {
    for options in [regress(), ImportOptions::default()] {
        let options = ImportOptions { missing: Missing::Mean, ..options };
        let error = error_of("a.csv", "x,y\n1,2\n1,\n", options);
        assert_eq!(error, "a.csv, line 3, column \"y\": the target is missing: remove the row");
    }
}

#[test]
fn a_column_without_values() {
    let options = ImportOptions { missing: Missing::Mean, ..regress() };
    let error = error_of("a.csv", "x,z,y\n1,,2\n2,,3\n", options);
    assert_eq!(error, "a.csv, column \"z\": has no values at all: leave it out with --drop \"z\"");
}

#[test]
fn zero_bytes_and_other_encodings() {
    let error = plain("a.csv", b"x,y\n1,2\n\0,3\n");
    assert!(error.starts_with("a.csv, line 3: has a zero byte"), "{error}");
    let latin1 = b"x,y\nred,2\ngr\xfcn,3\n";
    let error = plain("a.csv", latin1);
    assert!(
        error.starts_with("a.csv, line 3, column \"x\": ") && error.contains("UTF-8"),
        "{error}"
    );
    let utf16 = b"\xff\xfex\0,\0y\0\n\0";
    assert!(plain("a.csv", utf16).contains("UTF-8"));
}

#[test]
fn quotes_that_do_not_close() {
    let error = plain("a.csv", "x,y\n1,2\n\"3,4\n5,6\n");
    assert_eq!(error, "a.csv, line 3: a quote is opened and never closed");
    let error = plain("a.csv", "x,y\n1,2\n\"3\"4,4\n5,6\n");
    assert!(error.starts_with("a.csv, line 3: text follows a closing quote"), "{error}");
}

#[test]
fn columns_that_do_not_exist() {
    let expected = "a.csv, column \"z\": this column is missing; the columns are x, y";
    let z = || texts(&["z"]);
    for options in [
        ImportOptions { target: z(), ..ImportOptions::default() },
        ImportOptions { drop: z(), ..ImportOptions::default() },
        ImportOptions { weights: Some("z".to_owned()), ..ImportOptions::default() },
    ] {
        assert_eq!(error_of("a.csv", "x,y\n1,2\n", options), expected);
    }
}

#[test]
fn contradicting_roles() {
    let options = ImportOptions { drop: texts(&["y"]), ..ImportOptions::default() };
    let error = error_of("a.csv", "x,y\n1,2\n", options);
    assert!(error.contains("column \"y\": is given more than one role"), "{error}");
    let options = ImportOptions { drop: texts(&["x"]), ..ImportOptions::default() };
    assert!(error_of("a.csv", "x,y\n1,2\n", options).contains("has no input columns left"));
    let options = ImportOptions {
        target: texts(&["x", "y"]),
        task: Some(Task::Classify),
        ..ImportOptions::default()
    };
    assert!(error_of("a.csv", "x,y,z\n1,2,3\n", options).contains("more than one target column"));
}

#[test]
fn one_class_only() {
    let error = plain("a.csv", "x,y\n1,a\n2,a\n");
    assert!(error.starts_with("a.csv, column \"y\": all rows have the class \"a\""), "{error}");
}

#[test]
fn free_text_as_input() {
    let rows: String = (0..1001).map(|i| format!("name{i},{}\n", i % 2)).collect();
    let error = plain("a.csv", format!("id,y\n{rows}"));
    assert!(error.contains("column \"id\"") && error.contains("--drop \"id\""), "{error}");
}

#[test]
fn negative_and_missing_weights() {
    for weight in ["-1", ""] {
        let options = ImportOptions { weights: Some("w".to_owned()), ..regress() };
        let error = error_of("a.csv", format!("x,w,y\n1,1,1\n1,{weight},2\n"), options);
        assert!(error.starts_with("a.csv, line 3, column \"w\": expected a weight"), "{error}");
    }
}

#[test]
fn an_unknown_label() {
    let error = error_by_encoding("x,y\n1,a\n2,b\n", "x,y\n1,a\n1,c\n");
    let expected = "new.csv, line 3, column \"y\": \"c\" is no class known; known are \"a\", \"b\"";
    assert_eq!(error, expected);
}

#[test]
fn an_unknown_category() {
    let error = error_by_encoding("x,y\nred,a\nblue,b\n", "x,y\ngreen,a\n");
    let expected = "new.csv, line 2, column \"x\": \"green\" is no category known; known are \"blue\", \"red\"";
    assert_eq!(error, expected);
}

#[test]
fn a_missing_column() {
    let error = error_by_encoding("x,z,y\n1,2,a\n2,3,b\n", "x,w,y\n1,2,a\n");
    let expected = "new.csv, column \"z\": this column is missing; the columns are x, w, y";
    assert_eq!(error, expected);
    let error = error_by_encoding("x,z,y\n1,2,a\n2,3,b\n", "1,2\n");
    let expected = "new.csv, column \"x\": this column is missing; the columns are f0, f1";
    assert_eq!(error, expected);
}

#[test]
fn unknown_formats() {
    let options = ImportOptions { format: FormatChoice::named("xlsx"), ..ImportOptions::default() };
    assert!(error_of("a.csv", "x,y\n1,2\n", options).contains("there is no format \"xlsx\""));
    let error = plain("a.bin", b"\x7fELF\0\0\0");
    assert!(error.starts_with("a.bin: is of none of the formats known (grist, "), "{error}");
}

#[test]
fn a_cut_off_compressed_file() {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    let noise: String =
        (0..20_000u32).map(|i| format!("{},1\n", i.wrapping_mul(2_654_435_761))).collect();
    encoder.write_all(format!("x,y\n{noise}").as_bytes()).unwrap();
    let whole = encoder.finish().unwrap();
    for part in 1..20 {
        let error = error_of("a.csv.gz", &whole[..whole.len() * part / 20], regress());
        assert!(error.starts_with("cannot read a.csv.gz: "), "{error}");
    }
}

fn idx(code: u8, shape: &[u32], data: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0, 0, code, shape.len() as u8];
    bytes.extend(shape.iter().flat_map(|size| size.to_be_bytes()));
    bytes.extend(data);
    bytes
}

/// Imports an images and a labels file and returns the error.
fn idx_error(images: &[u8], labels: &[u8]) -> String {
    let directory = tempfile::tempdir().unwrap();
    let sources = [directory.path().join("images"), directory.path().join("labels")];
    std::fs::write(&sources[0], images).unwrap();
    std::fs::write(&sources[1], labels).unwrap();
    let options = ImportOptions { task: Some(Task::Classify), ..ImportOptions::default() };
    let error = fail(&sources, directory.path(), &Plan::Learn(options));
    error.replace(directory.path().to_str().unwrap(), "")
}

#[test]
fn idx_files_that_end_early_or_late() {
    let (images, labels) = (idx(8, &[2, 1, 2], &[1, 2, 3, 4]), idx(8, &[2], &[0, 1]));
    let error = idx_error(&images[..images.len() - 1], &labels);
    assert!(error.starts_with("/images, row 2: the file ends here"), "{error}");
    let error = idx_error(&images, &labels[..labels.len() - 1]);
    assert!(error.starts_with("/labels, row 2: the file ends here"), "{error}");
    let error = idx_error(&images[..9], &labels);
    assert_eq!(error, "/images: ends within its header");
    let error = idx_error(&[&images[..], &[0]].concat(), &labels);
    assert!(error.starts_with("/images: goes on after the 2 rows"), "{error}");
}

#[test]
fn idx_headers_that_claim_too_much() {
    let labels = idx(8, &[2], &[0, 1]);
    let error = idx_error(&idx(8, &[2, u32::MAX, u32::MAX, u32::MAX], &[0]), &labels);
    assert!(error.contains("its header claims items of"), "{error}");
    let error = idx_error(&idx(8, &[u32::MAX, 1, 2], &[0]), &idx(8, &[u32::MAX], &[0]));
    assert!(error.contains("the file ends here"), "{error}");
    let error = idx_error(&idx(8, &[2, 0, 2], &[0]), &labels);
    assert!(error.contains("its header claims items of"), "{error}");
}

#[test]
fn idx_files_that_do_not_belong_together() {
    let error = idx_error(&idx(8, &[2, 1, 2], &[1, 2, 3, 4]), &idx(8, &[3], &[0, 1, 2]));
    assert!(error.starts_with("/labels: has 3 labels for the 2 items"), "{error}");
}

#[test]
fn idx_images_without_labels() {
    let error = plain("images-idx3-ubyte", idx(8, &[1, 1, 2], &[1, 2]));
    assert!(error.contains("put the file of labels beside it"), "{error}");
}

#[test]
fn nan_in_idx() {
    let data = [1f32, 2.0, f32::NAN, 3.0].map(f32::to_be_bytes).concat();
    let error = idx_error(&idx(0x0d, &[2, 1, 2], &data), &idx(8, &[2], &[0, 1]));
    assert!(error.contains("row 2") && error.contains("expected a finite number"), "{error}");
}

#[test]
fn a_damaged_data_set_as_source() {
    let directory = tempfile::tempdir().unwrap();
    learn(directory.path(), "x,y\n1.5,a\n2.5,b\n");
    let source = directory.path().join("old.grist");
    let mut bytes = std::fs::read(&source).unwrap();
    bytes[4096] ^= 1;
    std::fs::write(&source, bytes).unwrap();
    let error = fail(&[source], directory.path(), &Plan::Learn(ImportOptions::default()));
    assert!(error.contains("old.grist is damaged"), "{error}");
}

#[test]
fn a_type_that_does_not_fit() {
    let options = ImportOptions { dtype: Some(gristmill_io::Dtype::U8), ..regress() };
    let error = error_of("a.csv", "x,y\n1,1\n0.5,2\n", options);
    assert!(error.contains("0.5 cannot be stored as u8"), "{error}");
}

const LIMITED_DIRECTORY: &str = "GRISTMILL_TEST_LIMITED_DIRECTORY";

/// Runs in a process of its own, under a limit of file sizes that is as good as a full disk.
#[test]
#[ignore = "run by a_disk_that_fills"]
fn import_under_a_limit() {
    let directory = PathBuf::from(std::env::var_os(LIMITED_DIRECTORY).expect("set by the parent"));
    let error = fail(&[directory.join("a.csv")], &directory, &Plan::Learn(regress()));
    assert!(error.starts_with("cannot write ") && error.contains("out.grist"), "{error}");
}

#[test]
fn a_disk_that_fills() {
    let directory = tempfile::tempdir().unwrap();
    let rows: String = (0..400_000).map(|i| format!("{i}.5,1\n")).collect();
    std::fs::write(directory.path().join("a.csv"), format!("x,y\n{rows}")).unwrap();
    // The size limit is in blocks of 512 bytes; the signal it raises must be ignored to become an error.
    let script = "trap '' XFSZ; ulimit -f 1024; exec \"$0\" --ignored --exact import_under_a_limit";
    let output = Command::new("sh")
        .arg("-c")
        .arg(script)
        .arg(std::env::current_exe().unwrap())
        .env(LIMITED_DIRECTORY, directory.path())
        .output()
        .unwrap();
    let shown = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && shown.contains("1 passed"), "{shown}");
    assert_eq!(names_in(directory.path()), ["a.csv"]);
}
