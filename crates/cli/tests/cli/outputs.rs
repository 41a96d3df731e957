//! What is written where: links, modes, files of others beside it, and outputs that come to no end.

use crate::place::{Done, Place, flowers, signal};
use std::fs;
use std::io::Read;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::process::{Command, Stdio};

/// Every command that writes a file, as far as the file's name.
const WRITERS: [&str; 8] = [
    "import flowers.csv -o",
    "synth --rows 10 -o",
    "head flowers.grist -o",
    "split flowers.grist --shares 0.5 -o",
    "predict run/model.gristmill flowers.csv -o",
    "export-data flowers.grist --format csv -o",
    "export run/model.gristmill --to onnx -o",
    "import-model model.onnx -o",
];

/// A place with a table, a data set, a model, and the model as ONNX.
fn place() -> Place {
    let place = Place::new();
    place.write("flowers.csv", flowers(60));
    place.ok("import flowers.csv -o flowers.grist");
    place.ok("train flowers.grist --hidden 2 --epochs 1 --out run");
    place.ok("export run/model.gristmill -o model.onnx");
    place
}

/// The ending that an output has to have to be written as what it is.
fn output(writer: &str, stem: &str) -> String {
    let ending = match writer {
        _ if writer.starts_with("predict") || writer.starts_with("export-data") => "csv",
        _ if writer.starts_with("export ") => "onnx",
        _ if writer.starts_with("import-model") => "gristmill",
        _ => "grist",
    };
    format!("{stem}.{ending}")
}

#[test]
fn outputs_follow_links_and_keep_modes() {
    let place = place();
    fs::create_dir(place.path("real")).unwrap();
    for writer in WRITERS {
        let (link, real) = (output(writer, "link"), output(writer, "real/file"));
        place.write(&real, "old");
        fs::set_permissions(place.path(&real), fs::Permissions::from_mode(0o600)).unwrap();
        symlink(&real, place.path(&link)).unwrap();
        place.ok(&format!("{writer} {link}"));
        assert!(place.path(&link).is_symlink(), "{writer}");
        assert_ne!(place.read(&real), b"old", "{writer}");
        let mode = fs::metadata(place.path(&real)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{writer}");
        fs::remove_file(place.path(&real)).unwrap();
        place.ok(&format!("{writer} {link}"));
        assert!(place.path(&link).is_symlink() && place.path(&real).is_file(), "{writer}");
        fs::remove_file(place.path(&link)).unwrap();
        fs::remove_file(place.path(&real)).unwrap();
    }
    assert_eq!(place.names("real"), [""; 0]);
}

#[test]
fn files_of_others_beside_an_output_stay() {
    let place = place();
    let others = [".notes.2026-11.tmp", ".flowers.grist.1-0.tmp", ".x.tmp"];
    for name in others {
        place.write(name, "mine");
    }
    for writer in WRITERS {
        place.ok(&format!("{writer} {}", output(writer, "out")));
        assert!(others.iter().all(|name| place.text(name) == "mine"), "{writer}");
    }
}

#[test]
fn outputs_that_are_no_files_are_refused() {
    let place = place();
    fs::create_dir(place.path("directory")).unwrap();
    for writer in WRITERS {
        place.fails(&format!("{writer} directory"), &["directory is a directory", "name a file"]);
        place.fails(&format!("{writer} {}", output(writer, "none/x")), &["none/x"]);
    }
}

#[test]
fn the_greatest_length_of_files_is_an_error_that_leaves_nothing() {
    let place = place();
    place.write("flowers.csv", flowers(3000));
    place.ok("import flowers.csv -o flowers.grist");
    let before = place.names(".");
    for writer in WRITERS.iter().filter(|writer| !writer.starts_with("head")) {
        let arguments = format!("{writer} {}", output(writer, "out")).replace("--rows 10 ", "");
        // Of 512 bytes each.
        let limited = place.command_after("ulimit -f 1", &arguments).output().unwrap();
        Done::of(limited).assert_failed(&arguments, &["File too large"]);
        assert_eq!(place.names("."), before, "{arguments}");
        assert_eq!(place.names("tmp"), [""; 0], "{arguments}");
    }
}

#[test]
fn a_full_disk_is_an_error() {
    let place = place();
    let predict = "predict run/model.gristmill flowers.csv";
    let done = place.command_after("exec >/dev/full", predict).output().unwrap();
    Done::of(done).assert_failed(predict, &["cannot write to standard output", "No space left"]);
    place.fails(
        "predict run/model.gristmill flowers.csv -o /dev/full",
        &["cannot write /dev/full", "No space left"],
    );
}

/// Exports a model to a plugin that takes it and says nothing for ever; it opens `begun` first.
/// Whether this process was started with SIGHUP ignored, which its children inherit.
fn hangups_are_ignored() -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    ignored.is_some_and(|mask| u64::from_str_radix(mask.trim(), 16).unwrap() & 1 != 0)
}

#[test]
fn an_interrupted_export_leaves_nothing() {
    let place = place();
    fs::create_dir(place.path("plugins")).unwrap();
    let describe = r#"{"protocol":1,"names":["still"],"operations":["model-write"]}"#;
    let script = format!(
        "#!/bin/sh\ncase \"$1\" in\ndescribe) echo '{describe}' ;;\n*) : >\"$HOME/begun\"; exec tail -f /dev/null ;;\nesac\n"
    );
    let plugin = "plugins/gristmill-format-still";
    place.write(plugin, script);
    fs::set_permissions(place.path(plugin), fs::Permissions::from_mode(0o755)).unwrap();
    for name in ["TERM", "INT", "HUP"] {
        if name == "HUP" && hangups_are_ignored() {
            eprintln!("skipped: under nohup the program, too, ignores SIGHUP");
            continue;
        }
        let fifo = place.path("begun");
        assert!(Command::new("mkfifo").arg(&fifo).status().unwrap().success());
        let before = place.names(".");
        let mut command =
            place.command("export run/model.gristmill --plugins plugins --to still -o out.still");
        let mut child = command.env("HOME", place.path(".")).stderr(Stdio::null()).spawn().unwrap();
        // Waits until the plugin is at work, and so the output begun.
        fs::File::open(&fifo).unwrap().read_to_end(&mut Vec::new()).unwrap();
        assert!(place.names(".").len() > before.len(), "{:?}", place.names("."));
        signal(&child, name);
        assert_eq!(child.wait().unwrap().code(), Some(130), "SIG{name}");
        assert_eq!(place.names("."), before, "SIG{name}");
        assert_eq!(place.names("tmp"), [""; 0], "SIG{name}");
        fs::remove_file(&fifo).unwrap();
    }
}
