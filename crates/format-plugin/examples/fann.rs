//! A plugin for the training data of FANN, as Debian's libfann-doc has them: a line of how many pairs, inputs
//! and outputs there are, then the numbers of each pair.

use gristmill_format_plugin::{
    Column, ColumnType, Incoming, OptionType, Options, Plugin, Result, Role, TableWriter, Value,
};
use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    Plugin::new("fann", "Training data of FANN")
        .extensions(&["fann", "train", "test"])
        .option(
            "classes",
            OptionType::Boolean,
            "Outputs of which one is 1 and the others are 0 are a class",
        )
        .read(read)
        .write(write)
        .run()
}

fn read(source: &Path, options: &Options, table: &mut TableWriter) -> Result<()> {
    let mut numbers = Numbers::new(BufReader::new(File::open(source)?));
    let [pairs, inputs, outputs] = [numbers.count()?, numbers.count()?, numbers.count()?];
    if inputs == 0 || outputs == 0 || inputs.max(outputs) > 1 << 16 {
        return Err(format!("line 1: {inputs} inputs and {outputs} outputs are no table").into());
    }
    let are_classes = options.get("classes")?.unwrap_or(outputs > 1);
    let mut columns: Vec<Column> = (0..inputs).map(|i| Column::number(format!("in{i}"))).collect();
    match are_classes {
        true => columns.push(Column::number("class").target()),
        false => columns.extend((0..outputs).map(|i| Column::number(format!("out{i}")).target())),
    }
    table.begin(&columns)?;
    let mut row = Vec::with_capacity(columns.len());
    for _ in 0..pairs {
        row.clear();
        for _ in 0..inputs {
            row.push(Value::Number(numbers.next()?));
        }
        let pair = (0..outputs).map(|_| numbers.next()).collect::<Result<Vec<f64>>>()?;
        match are_classes {
            true => row.push(Value::Number(numbers.class(&pair)? as f64)),
            false => row.extend(pair.into_iter().map(Value::Number)),
        }
        table.push(&row)?;
    }
    numbers.end()
}

fn write(table: &mut Incoming, _: &Options, out: &mut dyn Write) -> Result<()> {
    let columns = table.columns();
    if let Some(text) = columns.iter().find(|column| column.kind == ColumnType::Text) {
        return Err(format!("the column {} is text, and FANN has numbers only", text.name).into());
    }
    if columns.iter().any(|column| column.role == Role::Weights) {
        return Err("rows have weights, and FANN has none".into());
    }
    let inputs = columns.iter().filter(|column| column.role == Role::Input).count();
    let outputs = columns.len() - inputs;
    // The first line counts the rows, so they are kept until all are there.
    let (mut lines, mut pairs) = (String::new(), 0);
    table.for_each_row(|row| {
        let numbers = row.iter().map(|value| match value {
            Value::Number(number) => number.to_string(),
            _ => String::new(),
        });
        let numbers: Vec<String> = numbers.collect();
        for part in [&numbers[..inputs], &numbers[inputs..]] {
            lines += &part.join(" ");
            lines.push('\n');
        }
        pairs += 1;
        Ok(())
    })?;
    writeln!(out, "{pairs} {inputs} {outputs}")?;
    Ok(out.write_all(lines.as_bytes())?)
}

/// The numbers of a text, one after the other.
struct Numbers<R> {
    lines: std::iter::Enumerate<std::io::Lines<R>>,
    line: usize,
    waiting: Vec<String>,
}

impl<R: BufRead> Numbers<R> {
    fn new(text: R) -> Numbers<R> {
        Numbers { lines: text.lines().enumerate(), line: 1, waiting: Vec::new() }
    }

    fn word(&mut self) -> Result<Option<String>> {
        while self.waiting.is_empty() {
            let Some((index, line)) = self.lines.next() else { return Ok(None) };
            self.line = index + 1;
            self.waiting = line?.split_whitespace().rev().map(str::to_owned).collect();
        }
        Ok(self.waiting.pop())
    }

    fn next(&mut self) -> Result<f64> {
        let word =
            self.word()?.ok_or_else(|| format!("ends after line {}, too early", self.line))?;
        let number = word.parse::<f64>().ok().filter(|number| number.is_finite());
        Ok(number.ok_or_else(|| format!("line {}: expected a number, found {word}", self.line))?)
    }

    fn count(&mut self) -> Result<usize> {
        let number = self.next()?;
        match number >= 0.0 && number.fract() == 0.0 && number < 1e15 {
            true => Ok(number as usize),
            false => Err(format!("line {}: expected how many, found {number}", self.line).into()),
        }
    }

    /// Which of the outputs is the one that is 1.
    fn class(&self, outputs: &[f64]) -> Result<usize> {
        let is_class = |output: &f64| *output == 1.0;
        let rest = outputs.iter().filter(|output| !is_class(output));
        match (outputs.iter().position(is_class), rest.clone().count() + 1 == outputs.len()) {
            (Some(class), true) if rest.clone().all(|output| *output <= 0.0) => Ok(class),
            _ => {
                let line = self.line;
                Err(format!("line {line}: not one of the outputs is 1 and the others 0: --option classes=false reads them as numbers").into())
            }
        }
    }

    fn end(&mut self) -> Result<()> {
        match self.word()? {
            None => Ok(()),
            Some(word) => Err(format!("line {}: {word} follows the last pair", self.line).into()),
        }
    }
}
