//! `cargo xtask check-models`: exported models against onnxruntime, PyTorch, numpy and a C compiler, and
//! the models of these programs against ours. What is compared is in `check_models.py`.

use crate::{paths, process};
use anyhow::{Context, Result};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const TORCH: &str = "torch==2.15.0";
/// What only `torch.onnx.export` needs.
const TORCH_EXPORT: &str = "onnxscript==0.7.2";

/// Compare exported models with what other programs make of them, and the other way round.
///
/// Trains small networks of every kind, exports them in every format, and compares predictions to 1e-5.
/// Needs python3 with pip, and cc. What cannot be installed is named and skipped.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Virtual environment to use; it is made if it is not there
    /// [default: ~/.cache/gristmill/models-venv].
    #[arg(long, value_name = "DIR")]
    venv: Option<PathBuf>,
    /// Where to keep the models and tables [default: a directory that is removed at the end].
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
    /// The program `gristmill` [default: it is built].
    #[arg(long, value_name = "FILE")]
    program: Option<PathBuf>,
}

/// Builds the program, prepares the environment and compares.
///
/// # Errors
/// A difference, or a program that fails.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let venv = match &arguments.venv {
        Some(venv) => venv.clone(),
        None => paths::cache()?.join("models-venv"),
    };
    let folder = paths::repository().join("xtask/check_models");
    let Some(python) = python(&venv, &folder)? else {
        eprintln!("skipped: python3 with pip and the packages of {} are needed", folder.display());
        return Ok(());
    };
    let program = match &arguments.program {
        Some(program) => program.clone(),
        None => program()?,
    };
    let temporary = tempfile::tempdir()?;
    let work = arguments.keep.as_deref().unwrap_or(temporary.path());
    fs::create_dir_all(work).with_context(|| format!("cannot make {}", work.display()))?;
    process::run(
        Command::new(python)
            .arg(folder.join("check_models.py"))
            .arg(program)
            .arg(paths::repository().join("docs/formats.md"))
            .arg(work),
    )
}

/// Builds `gristmill` as this program was built, beside it.
fn program() -> Result<PathBuf> {
    let this = std::env::current_exe().context("where is this program?")?;
    let mut build = Command::new("cargo");
    build.args(["build", "--quiet", "--locked", "--package", "gristmill"]);
    if this.parent().is_some_and(|folder| folder.ends_with("release")) {
        build.arg("--release");
    }
    process::run(build.current_dir(paths::repository()))?;
    Ok(this.with_file_name("gristmill"))
}

/// The Python of the virtual environment, which is made or completed if it must be; `None` if that
/// cannot be done. Without torch it will do.
fn python(venv: &Path, folder: &Path) -> Result<Option<PathBuf>> {
    let python = venv.join("bin/python");
    let has = |modules: &str| {
        let import = Command::new(&python).args(["-c", &format!("import {modules}")]).output();
        import.is_ok_and(|output| output.status.success())
    };
    let install = |arguments: &[&str]| {
        let mut pip = Command::new(&python);
        process::run(pip.args(["-m", "pip", "install", "--quiet"]).args(arguments))
    };
    if !has("numpy, onnx, onnxruntime, safetensors") {
        eprintln!("installing onnxruntime and others in {}", venv.display());
        let requirements = folder.join("requirements.txt");
        let requirements = requirements.to_str().context("a path that is not UTF-8")?;
        if let Some(parent) = venv.parent() {
            fs::create_dir_all(parent)?;
        }
        let made = process::run(Command::new("python3").args(["-m", "venv"]).arg(venv));
        if let Err(error) = made.and_then(|()| install(&["--requirement", requirements])) {
            eprintln!("{error:#}");
            return Ok(None);
        }
    }
    if !has("torch") {
        eprintln!("installing torch in {} (several GB)", venv.display());
        if let Err(error) = install(&[TORCH, TORCH_EXPORT]) {
            eprintln!("{error:#}: torch is not compared with");
        }
    }
    Ok(Some(python))
}
