//! What is given as a file and is none, names that a terminal would obey, and files that change while rows
//! are predicted.

use crate::place::{Done, Place, flowers};
use std::fs::{self, OpenOptions};
use std::io::Read;
use std::os::unix::fs::{FileExt, PermissionsExt};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::{Command, Stdio};

/// Every command that reads a file, which is called X here.
const READERS: [&str; 19] = [
    "import X -o out.grist",
    "head X",
    "stats X",
    "split X",
    "verify X",
    "inspect X",
    "export-data X -o out.csv",
    "train X --out out",
    "train flowers.grist --validation X --out out",
    "train flowers.grist --config X --out out",
    "evaluate X flowers.csv",
    "evaluate run/model.gristmill X",
    "predict X flowers.csv",
    "predict run/model.gristmill X",
    "export X -o out.onnx",
    "export run/model.gristmill -o out.onnx --verify X",
    "import-model X -o out.gristmill",
    "import-model --from onnx X -o out.gristmill",
    "gradcheck X",
];

fn place() -> Place {
    let place = Place::new();
    place.write("flowers.csv", flowers(60));
    place.ok("import flowers.csv -o flowers.grist");
    place.ok("train flowers.grist --hidden 2 --epochs 1 --out run");
    place
}

/// All of them must fail and none may wait: nobody writes to the pipe.
fn assert_refused(place: &Place, path: &str, part: &str) {
    for reader in READERS {
        let arguments = reader.replace('X', path);
        let done = Done::of(place.command(&arguments).output().unwrap());
        let said = &done.stderr;
        assert!(matches!(done.status.code(), Some(1 | 2)), "{arguments}: {said}");
        let error = said.lines().find(|line| line.starts_with("error: "));
        let error = error.unwrap_or_else(|| panic!("{arguments}: no error in {said}"));
        assert!(error.contains(path) && error.contains(part), "{arguments}: {error}");
        assert_eq!(done.stdout, "", "{arguments}");
    }
}

#[test]
fn pipes_are_refused_before_they_are_waited_for() {
    let place = place();
    assert!(Command::new("mkfifo").arg(place.path("pipe")).status().unwrap().success());
    assert_refused(&place, "pipe", "is a pipe");
}

#[test]
fn devices_sockets_and_directories_are_refused() {
    let place = place();
    let _socket = UnixListener::bind(place.path("socket")).unwrap();
    assert_refused(&place, "socket", "is a socket");
    assert_refused(&place, "/dev/zero", "is a device");
    assert_refused(&place, "/dev/null", "is a device");
}

#[test]
fn names_are_shown_and_not_obeyed() {
    let place = place();
    let name = "red\u{1b}[31m\u{202e}.csv";
    for reader in READERS {
        let mut command = place.command("");
        command.args(reader.split(' ').map(|part| if part == "X" { name } else { part }));
        let done = Done::of(command.output().unwrap());
        let said = &done.stderr;
        assert!(matches!(done.status.code(), Some(1 | 2)), "{reader}: {said}");
        assert!(!said.contains('\u{1b}') && !said.contains('\u{202e}'), "{reader}: {said:?}");
        assert!(said.contains("red\\u{1b}[31m\\u{202e}.csv"), "{reader}: {said:?}");
    }
    // Columns and values that are others' too.
    place.write("bad.csv", "a\u{1b}[2J,y\n1,0\n\u{1b}]0;x\u{7},1\n2,0\n,1\n");
    let done = place.run("import bad.csv -o out.grist");
    assert_eq!(done.status.code(), Some(1), "{}", done.stderr);
    assert!(!done.stderr.contains(['\u{1b}', '\u{7}']), "{:?}", done.stderr);
    assert!(done.stderr.contains("a\\u{1b}[2J"), "{:?}", done.stderr);
}

#[test]
fn gzip_files_may_be_padded_but_not_followed_by_anything() {
    let place = Place::new();
    place.write("plain.csv", flowers(60));
    place.ok("import plain.csv -o plain.grist");
    let zip = |name: &str, text: &str| {
        place.write(name, text);
        assert!(Command::new("gzip").arg("-n").arg(place.path(name)).status().unwrap().success());
        place.read(&format!("{name}.gz"))
    };
    let text = flowers(60);
    let (first, second) = text.split_at(text.len() / 3);
    let members = [zip("1", first), zip("2", second)].concat();
    place.write("flowers.csv.gz", [&members[..], &[0; 512]].concat());
    place.ok("import flowers.csv.gz -o flowers.grist");
    assert!(place.read("flowers.grist") == place.read("plain.grist"));

    place.write("flowers.csv.gz", [&members[..], &[0; 512], b"more"].concat());
    let at = format!("at byte {}", members.len() + 512);
    place.fails("import flowers.csv.gz -o out.grist", &["flowers.csv.gz", &at]);
}

/// Predicts more rows than a pipe holds, and changes the data set when the first are there.
fn predict_during(change: impl Fn(&Path)) -> (Option<i32>, String) {
    let place = Place::new();
    place.write("flowers.csv", flowers(20_000));
    place.ok("import flowers.csv -o flowers.grist");
    place.ok("train flowers.grist --hidden 2 --epochs 1 --out run");
    let mut command = place.command("predict run/model.gristmill flowers.grist");
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut predictions = child.stdout.take().unwrap();
    predictions.read_exact(&mut [0]).unwrap();
    change(&place.path("flowers.grist"));
    let mut rest = Vec::new();
    predictions.read_to_end(&mut rest).unwrap();
    assert!(rest.len() > 1 << 17, "{} bytes fit the pipe", rest.len());
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    (child.wait().unwrap().code(), said)
}

#[test]
fn predictions_of_a_data_set_that_changes_are_an_error() {
    let write = |path: &Path| {
        let file = OpenOptions::new().write(true).open(path).unwrap();
        let modified = file.metadata().unwrap().modified().unwrap();
        file.write_all_at(&[7; 64], 5000).unwrap();
        file.set_modified(modified).unwrap();
    };
    let (code, said) = predict_during(write);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("error: flowers.grist was changed while it was in use"), "{said}");

    let (code, said) = predict_during(|path| {
        fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
    });
    assert_eq!(code, Some(0), "{said}");
}
