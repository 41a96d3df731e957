//! Files that commands must not write, and sources that they cannot read.

use crate::place::{Done, Place, flowers};
use std::os::unix::fs::symlink;
use std::process::{Command, Stdio};

#[test]
fn no_command_replaces_its_source() {
    let place = Place::new();
    place.write("flowers.csv", flowers(60));
    place.ok("import flowers.csv -o flowers.grist");
    place.ok("train flowers.csv --hidden 4 --epochs 1 --out run");
    symlink(place.path("flowers.csv"), place.path("link.csv")).unwrap();
    symlink(place.path("flowers.grist"), place.path("link.grist")).unwrap();
    let sources = ["flowers.csv", "flowers.grist", "run/model.gristmill"];
    let before = sources.map(|name| place.read(name));
    let names = place.names(".");
    for (arguments, output) in [
        ("import flowers.csv -o", "flowers.csv"),
        ("import flow*.csv -o", "./run/../flowers.csv"),
        ("import link.csv -o", "flowers.csv"),
        ("predict run/model.gristmill flowers.csv -o", "link.csv"),
        ("predict run/model.gristmill flowers.grist -o", "flowers.grist"),
        ("predict run/model.gristmill flowers.csv -o", "run/model.gristmill"),
        ("head flowers.grist -n 3 -o", "flowers.grist"),
        ("head flowers.csv -n 3 -o", "./flowers.csv"),
        ("split flowers.grist -o other.grist -o", "flowers.grist"),
        ("split flowers.csv -o other.grist -o", "link.csv"),
        ("export-data flowers.grist --format csv -o", "flowers.grist"),
        ("export-data flowers.grist --format csv -o", "link.grist"),
        ("export run/model.gristmill --to npz -o", "run/model.gristmill"),
        ("export run/model.gristmill --to npz --verify flowers.csv -o", "flowers.csv"),
        ("import-model run/model.gristmill -o", "run/model.gristmill"),
    ] {
        let error = format!("error: {output}: is the source; name another output");
        place.fails(&format!("{arguments} {output}"), &[&error]);
        assert!(sources.map(|name| place.read(name)) == before, "{arguments} {output}");
        assert_eq!(place.names("."), names, "{arguments} {output}");
    }
}

#[test]
fn what_can_be_read_only_once_is_no_source() {
    let place = Place::new();
    place.write("flowers.csv", flowers(60));
    place.ok("train flowers.csv --hidden 4 --epochs 1 --out run");
    assert!(Command::new("mkfifo").arg(place.path("pipe")).status().unwrap().success());
    for command in [
        "import SOURCE -o x.grist",
        "train SOURCE",
        "predict run/model.gristmill SOURCE",
        "head SOURCE",
        "stats SOURCE",
        "split SOURCE",
        "evaluate run/model.gristmill SOURCE",
    ] {
        for (source, error) in [
            ("pipe", "pipe: is a pipe; save it to a file first"),
            ("/dev/stdin", "/dev/stdin: is a pipe; save it to a file first"),
            ("/dev/null", "/dev/null: is a device; save it to a file first"),
            ("-", "-: gristmill reads no standard input; save it to a file first"),
        ] {
            let arguments = command.replace("SOURCE", source);
            // An end of the pipe stays open here and writes nothing: whoever reads it waits for ever.
            let child = place
                .command(&arguments)
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn();
            let mut child = child.unwrap();
            let writer = child.stdin.take();
            let done = Done::of(child.wait_with_output().unwrap());
            drop(writer);
            done.assert_failed(&arguments, &[error]);
        }
    }
    let mut command = place.command("head /dev/stdin -n 1 --csv");
    let file = std::fs::File::open(place.path("flowers.csv")).unwrap();
    let done = Done::of(command.stdin(file).output().unwrap());
    assert!(done.status.success(), "a redirected file is a file: {}", done.stderr);
}
