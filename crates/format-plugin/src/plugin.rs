//! A plugin as its `main` sees it: what it is, what it does, and the command line that asks for it.

use crate::error::{Error, Result};
use crate::options::{OptionType, Options};
use crate::reading::Incoming;
use crate::writing::TableWriter;
use serde_json::{Map, Value, json};
use std::env::ArgsOs;
use std::ffi::OsString;
use std::io::{BufWriter, Read, Write, stderr, stdin, stdout};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// The version of the protocol.
const PROTOCOL: u32 = 1;

type Reader = Box<dyn FnOnce(&Path, &Options, &mut TableWriter) -> Result<()>>;
type Writer = Box<dyn FnOnce(&mut Incoming, &Options, &mut dyn Write) -> Result<()>>;
type ModelReader = Box<dyn FnOnce(&Path, &Options) -> Result<Vec<u8>>>;
type ModelWriter = Box<dyn FnOnce(&[u8], &Options, &mut dyn Write) -> Result<()>>;

/// A format.
pub struct Plugin {
    description: Map<String, Value>,
    read: Option<Reader>,
    write: Option<Writer>,
    model_read: Option<ModelReader>,
    model_write: Option<ModelWriter>,
}

impl Plugin {
    /// The format `name`, whose program is called `gristmill-format-NAME`, and a line about it.
    pub fn new(name: &str, description: &str) -> Plugin {
        let mut plugin = Plugin {
            description: Map::new(),
            read: None,
            write: None,
            model_read: None,
            model_write: None,
        };
        plugin.say("protocol", json!(PROTOCOL));
        plugin.say("names", json!([name]));
        plugin.say("description", json!(description));
        plugin
    }

    fn say(&mut self, key: &str, value: Value) {
        self.description.insert(key.to_owned(), value);
    }

    /// Endings of its files' names, in lower case and without a dot.
    pub fn extensions(mut self, extensions: &[&str]) -> Plugin {
        self.say("extensions", json!(extensions));
        self
    }

    /// What its files begin with, any of these: two hexadecimal digits for each byte, or `??` for any.
    pub fn magic(mut self, magic: &[&str]) -> Plugin {
        self.say("magic", json!(magic));
        self
    }

    /// Something that it can be told, for all that it does.
    pub fn option(mut self, name: &str, kind: OptionType, help: &str) -> Plugin {
        let option = json!({ "name": name, "type": kind.name(), "help": help });
        let options = self.description.entry("options").or_insert_with(|| json!([]));
        if let Value::Array(options) = options {
            options.push(option);
        }
        self
    }

    /// How the table in a file is read.
    pub fn read(
        mut self,
        read: impl FnOnce(&Path, &Options, &mut TableWriter) -> Result<()> + 'static,
    ) -> Plugin {
        self.read = Some(Box::new(read));
        self
    }

    /// How a file is made of a table.
    pub fn write(
        mut self,
        write: impl FnOnce(&mut Incoming, &Options, &mut dyn Write) -> Result<()> + 'static,
    ) -> Plugin {
        self.write = Some(Box::new(write));
        self
    }

    /// How the model in a file is read, as the bytes of a safetensors file.
    pub fn model_read(
        mut self,
        read: impl FnOnce(&Path, &Options) -> Result<Vec<u8>> + 'static,
    ) -> Plugin {
        self.model_read = Some(Box::new(read));
        self
    }

    /// How a file is made of a model, which comes as the bytes of a safetensors file.
    pub fn model_write(
        mut self,
        write: impl FnOnce(&[u8], &Options, &mut dyn Write) -> Result<()> + 'static,
    ) -> Plugin {
        self.model_write = Some(Box::new(write));
        self
    }

    /// Does what the command line asks for.
    pub fn run(self) -> ExitCode {
        let mut arguments = std::env::args_os();
        arguments.next();
        match self.answer(arguments) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                // Nothing can be done if nobody listens.
                let _ = writeln!(stderr(), "{error}");
                ExitCode::FAILURE
            }
        }
    }

    fn answer(self, mut arguments: ArgsOs) -> Result<()> {
        let operation = arguments.next().unwrap_or_default();
        let name = operation.to_string_lossy().into_owned();
        let absent = || Error::from(format!("it has no operation \"{name}\""));
        match name.as_str() {
            "describe" => {
                let text = self.described().to_string();
                stdout().write_all(text.as_bytes()).map_err(Error::from)
            }
            "read" => {
                let (source, options) = source_and_options(arguments)?;
                let mut table = TableWriter::default();
                self.read.ok_or_else(absent)?(&source, &options, &mut table)?;
                table.finish()
            }
            "write" => {
                let write = self.write.ok_or_else(absent)?;
                let options = Options::parse(arguments)?;
                to_stdout(|out| write(&mut Incoming::open()?, &options, out))
            }
            "model-read" => {
                let (source, options) = source_and_options(arguments)?;
                let model = self.model_read.ok_or_else(absent)?(&source, &options)?;
                to_stdout(|out| out.write_all(&model).map_err(Error::from))
            }
            "model-write" => {
                let write = self.model_write.ok_or_else(absent)?;
                let options = Options::parse(arguments)?;
                let mut model = Vec::new();
                stdin().read_to_end(&mut model)?;
                to_stdout(|out| write(&model, &options, out))
            }
            _ => Err(absent()),
        }
    }

    fn described(&self) -> Value {
        let operations = [
            ("read", self.read.is_some()),
            ("write", self.write.is_some()),
            ("model-read", self.model_read.is_some()),
            ("model-write", self.model_write.is_some()),
        ];
        let operations = operations.iter().filter(|(_, has)| *has).map(|(name, _)| *name);
        let mut description = self.description.clone();
        description.insert("operations".to_owned(), operations.collect());
        Value::Object(description)
    }
}

fn source_and_options(mut arguments: impl Iterator<Item = OsString>) -> Result<(PathBuf, Options)> {
    let source = arguments.next().ok_or("no file is named")?;
    Ok((source.into(), Options::parse(arguments)?))
}

fn to_stdout(write: impl FnOnce(&mut dyn Write) -> Result<()>) -> Result<()> {
    let mut out = BufWriter::new(stdout().lock());
    write(&mut out)?;
    out.flush().map_err(Error::from)
}
