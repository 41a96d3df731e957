//! Learning an encoding: a first pass over the columns whose values must be known before rows can be
//! encoded, that is texts, targets that may be classes, and numbers whose mean is to be filled in.

use super::columns::{self, Roles, Said};
use super::doubt::{Doubt, Meaning, are_codes, doubt};
use super::input::Input;
use super::label::class_names;
use super::options::{ImportOptions, Missing, Task, WordOptions};
use super::pipeline::{self, Again};
use super::seen::{MOST_CATEGORIES, Role, Seen};
use crate::error::{Error, Place, Result};
use crate::format::table::{Table, Wanted};
use crate::format::values::{Batch, ColumnKind, Values};
use crate::schema::{Encoding, InputColumn, InputKind, Target};
use std::collections::HashSet;
use std::path::{Path, PathBuf};

/// More classes than this are taken for a mistaken target.
const MOST_CLASSES: usize = 10_000;
/// A numeric target of at most so many different whole numbers is taken for a class.
const MOST_GUESSED_CLASSES: usize = 100;

/// What is learned of tables.
pub(super) struct Learned {
    pub(super) encoding: Encoding,
    /// The inputs that are what is predicted as well, whether or not the target is to be read.
    pub(super) kept: Vec<String>,
    /// The column of weights, if rows have weights.
    pub(super) weights: Option<String>,
}

/// Learns the encoding of all tables together.
pub(super) fn learn(input: &Input, options: &ImportOptions) -> Result<Learned> {
    let (mut survey, mut first_notes) = (None, Vec::new());
    input.for_each_table(|mut table, path| {
        if survey.is_none() {
            first_notes = table.decoder.notes().to_vec();
        }
        let survey = match &mut survey {
            Some(survey) => survey,
            None => survey.insert(Survey::new(&table, path, options)?),
        };
        survey.add(&mut table, path, input)
    })?;
    let survey: Survey = survey.ok_or_else(|| Error::Invalid("no source is given".to_owned()))?;
    for note in &first_notes {
        if note.codes.is_some_and(|column| survey.guessed_texts.contains(&column)) {
            input.note(&survey.path, &note.text);
        }
    }
    for name in &survey.row_numbers {
        let note = format!(
            "column \"{name}\" numbers the rows, as the index of pandas does, and is left out: --number \"{name}\" takes it, --drop \"{name}\" confirms it"
        );
        input.note(&survey.path, &note);
    }
    survey.doubts(|note| input.note(&survey.path, note))?;
    let (path, weights) = (survey.path.clone(), survey.weights.clone());
    let encoding = survey.encoding(|note| input.note(&path, note))?;
    let kept = encoding.kept_targets().into_iter().map(str::to_owned).collect();
    Ok(Learned { encoding, kept, weights })
}

/// What is known about the columns that matter.
struct Survey {
    /// The first source, which errors about whole columns name.
    path: PathBuf,
    inputs: Vec<(String, ColumnKind)>,
    /// Where the inputs that are texts, though no one says so, stand in the first table.
    guessed_texts: HashSet<usize>,
    targets: Vec<String>,
    /// The column of weights, if rows have weights.
    weights: Option<String>,
    /// The columns that are left out because they number the rows.
    row_numbers: Vec<String>,
    keeps_targets: bool,
    task: Option<Task>,
    missing: Missing,
    words: WordOptions,
    rows: u64,
    columns: Vec<Column>,
}

/// A column whose values are looked at.
struct Column {
    name: String,
    role: Role,
    seen: Seen,
    /// Whether it was taken for texts by its values alone.
    is_guessed: bool,
    /// Whether the user says what it is.
    is_said: bool,
}

impl Survey {
    fn new(table: &Table, path: &Path, options: &ImportOptions) -> Result<Survey> {
        let roles = columns::roles(table, path, options)?;
        let Said { categories, numbers, indices, texts } =
            columns::said(table, path, options, &roles)?;
        let Roles { inputs, targets, weights, row_numbers, keeps_targets } = roles;
        let task = match (options.task, targets.len()) {
            (Some(Task::Classify), 2..) => {
                let reason = "there is more than one target column, and these are numbers: ask for regress, or name one target";
                return Err(Error::Options(reason.to_owned()));
            }
            (task, 1) => task,
            _ => Some(Task::Regress),
        };
        let kind = |index: &usize| match table.columns[*index].kind {
            _ if [&categories, &indices, &texts].iter().any(|said| said.contains(index)) => {
                ColumnKind::Text
            }
            _ if numbers.contains(index) => ColumnKind::Number,
            kind => kind,
        };
        let is_said = |index: &usize| {
            [&categories, &numbers, &indices, &texts].iter().any(|said| said.contains(index))
        };
        let column = |index: &usize, role| Column {
            name: table.columns[*index].name.clone(),
            role,
            seen: Seen::nothing(role),
            is_guessed: table.decoder.guesses_kinds(),
            is_said: is_said(index) || task.is_some() && targets.contains(index),
        };
        let series = table.hints.series();
        let mut surveyed = Vec::new();
        for index in inputs.iter().filter(|index| !series.contains(index)) {
            match (kind(index), options.missing) {
                _ if indices.contains(index) => surveyed.push(column(index, Role::Index)),
                _ if texts.contains(index) => {
                    surveyed.push(column(index, Role::Words { ngrams: options.words.ngrams }));
                }
                (ColumnKind::Text, _) => surveyed.push(column(index, Role::Categories)),
                (ColumnKind::Number, Missing::Mean) => surveyed.push(column(index, Role::Mean)),
                (ColumnKind::Number, Missing::Error) => {}
            }
        }
        if task != Some(Task::Regress) {
            let is_number = table.columns[targets[0]].kind == ColumnKind::Number;
            let may_be_number = task.is_none() && is_number;
            let most = if may_be_number { MOST_GUESSED_CLASSES } else { MOST_CLASSES };
            surveyed.push(column(&targets[0], Role::Target { most }));
        }
        let name = |index: &usize| table.columns[*index].name.clone();
        let is_guessed_text = |index: &usize| kind(index) == ColumnKind::Text && !is_said(index);
        Ok(Survey {
            path: path.to_owned(),
            inputs: inputs.iter().map(|i| (name(i), kind(i))).collect(),
            guessed_texts: inputs.iter().copied().filter(is_guessed_text).collect(),
            targets: targets.iter().map(name).collect(),
            weights: weights.as_ref().map(name),
            row_numbers: row_numbers.iter().map(name).collect(),
            keeps_targets,
            task,
            missing: options.missing,
            words: options.words,
            rows: 0,
            columns: surveyed,
        })
    }

    /// Looks at all rows of a table.
    fn add(&mut self, table: &mut Table, path: &Path, input: &Input) -> Result<()> {
        if self.columns.is_empty() {
            return Ok(());
        }
        let mut wanted = Vec::with_capacity(self.columns.len());
        let names = columns::Names::of(table, path);
        for column in &self.columns {
            let kind = match column.role {
                Role::Mean => ColumnKind::Number,
                Role::Categories | Role::Index | Role::Words { .. } | Role::Target { .. } => {
                    ColumnKind::Text
                }
            };
            let refuses_codes = !column.is_said;
            wanted.push(Wanted { column: names.required(&column.name)?, kind, refuses_codes });
        }
        if let Some(weights) = &self.weights {
            wanted.push(Wanted::new(names.required(weights)?, ColumnKind::Number));
        }
        let missing = self.missing;
        let roles: Vec<(String, Role)> =
            self.columns.iter().map(|column| (column.name.clone(), column.role)).collect();
        let look = |batch: &Batch, _: &Again| -> Result<(usize, Vec<Seen>)> {
            let weights = match batch.columns.get(roles.len()) {
                Some(Values::Numbers(weights)) => &weights[..],
                _ => &[],
            };
            let seen = roles.iter().enumerate().map(|(index, (name, role))| {
                Seen::of(batch, index, path, *role, missing, weights)
                    .map_err(|row| missing_value(path, Place::cell(row, name), *role))
            });
            Ok((batch.rows.len(), seen.collect::<Result<_>>()?))
        };
        let bytes = input.budget.sparse_chunk_bytes();
        pipeline::run(table, &wanted, bytes, look, |(rows, seen)| {
            self.rows += rows as u64;
            for (column, seen) in self.columns.iter_mut().zip(seen) {
                column.seen.merge(seen, column.role);
            }
            self.check_categories()?;
            input.advance(0)
        })
    }

    fn check_categories(&self) -> Result<()> {
        for column in &self.columns {
            if let Seen::Index(found) = &column.seen
                && found.is_too_large()
            {
                return Err(too_many_names(&self.path, &column.name));
            }
            if let (Role::Categories, Seen::Texts(texts)) = (column.role, &column.seen)
                && texts.different.len() > MOST_CATEGORIES
            {
                if let Some(Doubt::Refused(error)) = column.doubt() {
                    return Err(error);
                }
                let name = &column.name;
                let numbers = match are_codes(&texts.different) {
                    true => format!(", or take it for numbers with --number \"{name}\""),
                    false => String::new(),
                };
                let reason = format!(
                    "this text column has more than {MOST_CATEGORIES} different values, too many to become one feature each: give each its index with --index \"{name}\", leave it out with --drop \"{name}\"{numbers}"
                );
                return Err(Error::input(&self.path, Place::column(&column.name), reason));
            }
        }
        Ok(())
    }

    /// Refuses or tells where a few values make texts of a column of numbers.
    fn doubts(&self, tell: impl Fn(&str)) -> Result<()> {
        for column in &self.columns {
            match column.doubt() {
                Some(Doubt::Refused(error)) => return Err(error),
                Some(Doubt::Noted(note)) => tell(&note),
                None => {}
            }
            if let Seen::Texts(texts) = &column.seen
                && let Some(lost) = texts.weightless.difference(&texts.different).next()
            {
                let name = &column.name;
                tell(&format!(
                    "column \"{name}\": \"{lost}\" occurs in rows of weight 0 only, from which nothing is learned, so it is no category"
                ));
            }
        }
        Ok(())
    }

    fn encoding(mut self, tell: impl Fn(&str)) -> Result<Encoding> {
        let words = self.words;
        let target = self.target(&tell)?;
        let mut inputs = Vec::with_capacity(self.inputs.len());
        // They stand in the order of the inputs.
        let mut surveyed = self.columns.iter_mut().peekable();
        for (name, kind) in std::mem::take(&mut self.inputs) {
            let column = surveyed.next_if(|column| column.name == name);
            let kind = match (column.map(|column| &mut column.seen), kind) {
                (Some(Seen::Texts(texts)), _) => {
                    let categories = std::mem::take(&mut texts.different);
                    InputKind::OneHot { categories: categories.into_iter().collect() }
                }
                (Some(Seen::Index(found)), _) => {
                    let vocabulary = std::mem::take(found).vocabulary();
                    let vocabulary = vocabulary.ok_or_else(|| too_many_names(&self.path, &name))?;
                    if vocabulary.is_empty() {
                        return Err(no_values(&self.path, &name));
                    }
                    InputKind::Index { vocabulary }
                }
                (Some(Seen::Words(longest)), _) => {
                    let words = words.words(*longest)?;
                    if *longest > words.length as usize && self.words.length.is_none() {
                        let kept = words.length;
                        tell(&format!(
                            "column \"{name}\": {kept} words of a text are kept, of up to {longest}: --text-length keeps more"
                        ));
                    }
                    InputKind::Text(words)
                }
                (Some(Seen::Numbers(moments)), _) if moments.count() == 0 => {
                    return Err(no_values(&self.path, &name));
                }
                (Some(Seen::Numbers(moments)), _) => {
                    InputKind::Number { fill: Some(moments.mean() as f32) }
                }
                (None, _) => InputKind::Number { fill: None },
            };
            inputs.push(InputColumn { name, kind });
        }
        if self.keeps_targets {
            let kept = target.columns().iter().map(|column| InputColumn {
                name: column.clone(),
                kind: match &target {
                    Target::Classes { names, .. } => {
                        InputKind::OneHot { categories: names.clone() }
                    }
                    Target::Numbers { .. } | Target::None => InputKind::Number { fill: None },
                },
            });
            inputs.extend(kept);
        }
        Ok(Encoding { inputs, target })
    }

    /// Decides between classes and numbers, and tells if that is doubtful.
    fn target(&mut self, tell: impl Fn(&str)) -> Result<Target> {
        let found =
            self.columns.iter_mut().find_map(|column| match (column.role, &mut column.seen) {
                (Role::Target { most }, Seen::Texts(texts)) => {
                    Some((most, texts.code.take(), std::mem::take(&mut texts.different)))
                }
                _ => None,
            });
        let numbers = || Ok(Target::Numbers { columns: self.targets.clone() });
        let Some((most, code, names)) = found else { return numbers() };
        let column = self.targets[0].clone();
        let refuse = |reason: String| Err(Error::input(&self.path, Place::column(&column), reason));
        let values = names.iter().map(|name| finite(name)).collect::<Option<Vec<f64>>>();
        let count = names.len();
        let are_digits = |name: &String| name.bytes().all(|byte| byte.is_ascii_digit());
        let code = code.filter(|_| names.iter().all(are_digits));
        let names = class_names(names);
        if self.task.is_none()
            && let Some(values) = values
        {
            let are_whole = values.iter().all(|value| value.fract() == 0.0);
            let are_mostly_unique = 2 * names.len() as u64 > self.rows;
            let seem_numbers = !are_whole || count > MOST_GUESSED_CLASSES || are_mostly_unique;
            // Codes are classes, unless there are so many that nearly every row has one of its own.
            let are_too_many = count > most || count > MOST_GUESSED_CLASSES && are_mostly_unique;
            match &code {
                Some(code) if are_too_many => tell(&format!(
                    "column \"{column}\" is read as numbers, and the zeros before them, as in \"{code}\", are lost: --task classify takes them for classes, --task regress confirms it"
                )),
                Some(code) if seem_numbers => tell(&format!(
                    "column \"{column}\" has classes because of the zeros before its numbers, as in \"{code}\": --task regress reads numbers, --task classify confirms it"
                )),
                _ => {}
            }
            if are_too_many || code.is_none() && seem_numbers {
                return numbers();
            }
        }
        match names.len() {
            0 => refuse("has no rows".to_owned()),
            1 => refuse(format!(
                "all rows have the class \"{}\", so there is nothing to learn: name the right target, or ask for regress",
                names[0]
            )),
            count if count > most => refuse(format!(
                "has more than {most} classes: name another target, or ask for regress"
            )),
            _ => Ok(Target::Classes { column, names }),
        }
    }
}

impl Column {
    /// Whether a few values make texts of a column of numbers, and no one says that they are.
    fn doubt(&self) -> Option<Doubt> {
        let meaning = match self.role {
            Role::Categories => Meaning::Categories,
            Role::Target { .. } => Meaning::Classes,
            Role::Index | Role::Mean | Role::Words { .. } => return None,
        };
        match &self.seen {
            Seen::Texts(texts) if !self.is_said => {
                doubt(&self.name, &texts.different, texts.stray.as_ref()?, meaning, self.is_guessed)
            }
            _ => None,
        }
    }
}

fn missing_value(path: &Path, place: Place, role: Role) -> Error {
    let reason = match role {
        Role::Target { .. } => "the target is missing: remove the row",
        Role::Categories | Role::Index | Role::Mean | Role::Words { .. } => {
            "the value is missing: with --missing mean, missing text becomes a category of its own"
        }
    };
    Error::input(path, place, reason)
}

fn no_values(path: &Path, column: &str) -> Error {
    let reason = format!("has no values at all: leave it out with --drop \"{column}\"");
    Error::input(path, Place::column(column), reason)
}

fn too_many_names(path: &Path, column: &str) -> Error {
    let reason = format!(
        "its different values are too many to be kept by their names, which every model needs: leave it out with --drop \"{column}\", or number its values from 0 on"
    );
    Error::input(path, Place::column(column), reason)
}

/// The text as a finite number, if it is one.
fn finite(text: &str) -> Option<f64> {
    text.parse::<f64>().ok().filter(|value| value.is_finite())
}
