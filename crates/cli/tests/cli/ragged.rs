//! Series of unequal length from NPZ files: all steps in one array, and the length of each series in another.

use crate::place::Place;
use serde_json::json;

/// An array of numbers as numpy writes it.
fn npy(descr: &str, shape: &str, data: &[u8]) -> Vec<u8> {
    let dictionary = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}");
    let mut file = b"\x93NUMPY\x01\0".to_vec();
    file.extend((dictionary.len() as u16).to_le_bytes());
    file.extend(dictionary.as_bytes());
    file.extend(data);
    file
}

fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32| (crc >> 1) ^ (0xedb8_8320 & 0u32.wrapping_sub(crc & 1));
    !bytes.iter().fold(!0, |crc, &byte| (0..8).fold(crc ^ u32::from(byte), |crc, _| step(crc)))
}

/// An archive of files that are stored as they are.
fn zip(files: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let (mut archive, mut directory) = (Vec::new(), Vec::new());
    for (name, bytes) in files {
        let offset = archive.len() as u32;
        let mut common = Vec::new();
        for field in [20u16, 0, 0, 0, 0x21] {
            common.extend(field.to_le_bytes());
        }
        for field in [crc32(bytes), bytes.len() as u32, bytes.len() as u32] {
            common.extend(field.to_le_bytes());
        }
        common.extend((name.len() as u16).to_le_bytes());
        common.extend(0u16.to_le_bytes());
        archive.extend(b"PK\x03\x04");
        archive.extend(&common);
        archive.extend(name.as_bytes());
        archive.extend(bytes);
        directory.extend(b"PK\x01\x02");
        directory.extend(20u16.to_le_bytes());
        directory.extend(&common);
        directory.extend([0; 10]);
        directory.extend(offset.to_le_bytes());
        directory.extend(name.as_bytes());
    }
    let (count, start) = (files.len() as u16, archive.len() as u32);
    archive.extend(&directory);
    archive.extend(b"PK\x05\x06\0\0\0\0");
    archive.extend([count.to_le_bytes(), count.to_le_bytes()].concat());
    archive.extend((directory.len() as u32).to_le_bytes());
    archive.extend(start.to_le_bytes());
    archive.extend(0u16.to_le_bytes());
    archive
}

/// Series of two channels that rise or fall, as their class says.
fn series(lengths: &[i64]) -> Vec<u8> {
    let mut steps = Vec::new();
    for (i, &length) in lengths.iter().enumerate() {
        for step in 0..length {
            let slope = if i % 2 == 0 { 0.5 } else { -0.5 };
            let start = (i * 37 % 11) as f64 / 20.0;
            steps.extend(
                [start + slope * step as f64, (i % 3) as f64].map(f64::to_le_bytes).concat(),
            );
        }
    }
    let total: i64 = lengths.iter().sum();
    let y: Vec<u8> = (0..lengths.len()).flat_map(|i| ((i % 2) as i64).to_le_bytes()).collect();
    zip(&[
        ("X.npy", npy("<f8", &format!("({total}, 2)"), &steps)),
        ("y.npy", npy("<i8", &format!("({},)", lengths.len()), &y)),
        (
            "lengths.npy",
            npy(
                "<i8",
                &format!("({},)", lengths.len()),
                &lengths.iter().flat_map(|n| n.to_le_bytes()).collect::<Vec<_>>(),
            ),
        ),
    ])
}

fn lengths(count: i64, most: i64) -> Vec<i64> {
    (0..count).map(|i| 2 + i * i % (most - 1)).collect()
}

#[test]
fn series_become_rows_with_room_for_the_longest() {
    let place = Place::new();
    place.write("s.npz", series(&[2, 5, 3]));
    place.ok("import s.npz --task classify -o s.grist");
    let found = place.json("inspect --json s.grist");
    assert_eq!((&found["shape"], &found["ragged"]), (&json!([1, 5, 2]), &json!(true)));
    assert_eq!(found["rows"], json!(3));
    assert!(place.ok("inspect s.grist").contains("arranged as 1x5x2, series of unequal length\n"));
    // Of the third step there are two, of the last there is one.
    assert_eq!(
        [4, 8].map(|feature| found["features"][feature]["missing"].clone()),
        [json!(1), json!(2)]
    );
    let rows = place.ok("head s.grist --csv");
    let first: Vec<&str> = rows.lines().nth(1).unwrap().split(',').collect();
    assert_eq!(first, ["0", "0", "0.5", "0", "NaN", "NaN", "NaN", "NaN", "NaN", "NaN", "0"]);

    place.ok("import s.grist -o again.grist");
    place.ok("head s.grist -n 3 -o head.grist");
    for copy in ["again.grist", "head.grist"] {
        assert!(place.read(copy) == place.read("s.grist"), "{copy}");
    }
    let told = place.run("import s.npz --task classify --max-length 3 -o short.grist");
    assert!(
        told.stderr.contains("1 of 3 series are longer than 3 steps, and are cut"),
        "{}",
        told.stderr
    );
    assert_eq!(place.json("inspect --json short.grist")["shape"], json!([1, 3, 2]));
    place.fails(
        "export-data s.grist -o s.csv",
        &["has series of unequal length, which are not exported"],
    );
}

#[test]
fn a_model_of_series_takes_others_of_any_length_that_fits() {
    let place = Place::new();
    place.write("train.npz", series(&lengths(200, 12)));
    place.write("test.npz", series(&lengths(31, 7)));
    place.write("long.npz", series(&[3, 20, 4]));
    let train =
        "train train.npz --task classify --epochs 40 --batch-size 20 --learning-rate 0.02 --seed 1";
    let mut command = place.command(&format!("{train} --out run --layers"));
    let done = command.arg("gru 8").output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let measured = place.json("evaluate --json run test.npz");
    assert_eq!(measured["rows"], json!(31));
    assert!(measured["accuracy"].as_f64().unwrap() > 0.95, "{measured}");
    place.ok("import test.npz --like run -o test.grist");
    assert_eq!(place.json("inspect --json test.grist")["shape"], json!([1, 11, 2]));
    assert_eq!(place.ok("predict run test.grist"), place.ok("predict run test.npz"));
    place.fails(
        "predict run long.npz",
        &["series 2 has 20 steps, and there is room for 11", "--max-length 11"],
    );
    assert_eq!(place.ok("predict run long.npz --max-length 11").lines().count(), 4);
    place.fails(
        "export run -o m.onnx",
        &["series of unequal length, which are not written as ONNX"],
    );
    place.fails("export run -o m.h", &["series of unequal length, which are not written as C"]);
    place.ok("export run -o m.safetensors");
    place.ok("import-model m.safetensors -o back.gristmill");
    assert_eq!(place.ok("predict back.gristmill test.npz"), place.ok("predict run test.npz"));
}

#[test]
fn lengths_that_do_not_fit_are_refused_with_numbers() {
    let place = Place::new();
    let of = |lengths: &[i64], steps: i64| {
        let data: Vec<u8> = (0..steps * 2).flat_map(|i| (i as f64).to_le_bytes()).collect();
        let y: Vec<u8> = (0..lengths.len() as i64).flat_map(i64::to_le_bytes).collect();
        let count = format!("({},)", lengths.len());
        let stored: Vec<u8> = lengths.iter().flat_map(|n| n.to_le_bytes()).collect();
        zip(&[
            ("X.npy", npy("<f8", &format!("({steps}, 2)"), &data)),
            ("y.npy", npy("<i8", &count, &y)),
            ("lengths.npy", npy("<i8", &count, &stored)),
        ])
    };
    for (lengths, steps, part) in [
        (&[2, 3][..], 6, "has 6 steps, but the lengths of its series make 5"),
        (&[5, 0], 5, "has a series without steps, number 2"),
        (&[-1, 7], 6, "has -1 in row 1, which is no length"),
    ] {
        place.write("s.npz", of(lengths, steps));
        place.fails("import s.npz --task regress -o s.grist", &[part]);
    }
}
