//! Which columns of a table are what: roles by name when an encoding is learned, and the columns of a known
//! encoding found again in another table.

use super::options::ImportOptions;
use crate::error::{Error, Place, Result};
use crate::format::table::{Column, Table, index_columns};
use crate::schema::Encoding;
use crate::suggest::did_you_mean;
use std::collections::{HashMap, HashSet};
use std::path::Path;

/// The columns of a table by role, as positions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Roles {
    pub(super) inputs: Vec<usize>,
    pub(super) targets: Vec<usize>,
    /// The column of weights, if rows have weights.
    pub(super) weights: Option<usize>,
    /// The columns that number the rows, and are left out for that.
    pub(super) row_numbers: Vec<usize>,
    /// Whether targets are inputs too.
    pub(super) keeps_targets: bool,
}

/// Refuses column names that occur twice, and a table without columns.
pub(super) fn check_names(table: &Table, path: &Path) -> Result<()> {
    let mut seen = HashSet::new();
    match table.columns.iter().find(|column| !seen.insert(&column.name)) {
        Some(twice) => {
            let reason = "two columns have this name: rename one";
            Err(Error::input(path, Place::column(&twice.name), reason))
        }
        None => Ok(()),
    }
}

/// Divides the columns of the first table by what the user said and by custom.
pub(super) fn roles(table: &Table, path: &Path, options: &ImportOptions) -> Result<Roles> {
    let columns = &table.columns;
    let find = |name: &String| position(columns, name).ok_or_else(|| absent(path, name, columns));
    let targets = match options.target.is_empty() {
        false => options.target.iter().map(find).collect::<Result<Vec<_>>>()?,
        true if table.likely_targets.is_empty() => {
            let reason = "none of its columns is the target by itself: name it with --target, or put the file of labels beside it";
            return Err(Error::input(path, Place::FILE, reason));
        }
        true => table.likely_targets.clone(),
    };
    let weights = options.weights.as_ref().map(find).transpose()?;
    let is_there = |name: &&String| !table.hints.left_out.contains(name);
    let dropped = options.drop.iter().filter(is_there).map(find).collect::<Result<Vec<_>>>()?;
    let mut taken = HashSet::new();
    for column in targets.iter().chain(&weights).chain(&dropped) {
        if !taken.insert(*column) {
            let reason = "is given more than one role among target, weights and drop";
            return Err(Error::input(path, Place::column(&columns[*column].name), reason));
        }
    }
    let said = options.category.iter().chain(&options.number);
    let mut said: HashSet<usize> = said.filter_map(|name| position(columns, name)).collect();
    said.extend(options.text.iter().filter_map(|name| position(columns, name)));
    said.extend(index_names(options, columns).iter().filter_map(|name| position(columns, name)));
    let is_free = |column: &usize| !taken.contains(column) && !said.contains(column);
    let weights = weights.or(table.hints.weights.filter(is_free));
    let mut row_numbers = index_columns(columns.iter().map(|column| column.name.as_str()));
    row_numbers.extend(&table.hints.row_numbers);
    row_numbers.retain(|column| is_free(column) && weights != Some(*column));
    row_numbers.sort_unstable();
    row_numbers.dedup();
    taken.extend(weights.iter().chain(&row_numbers));
    let inputs: Vec<usize> = (0..columns.len()).filter(|column| !taken.contains(column)).collect();
    let keeps_targets = options.keep_target.unwrap_or(table.hints.keeps_targets);
    if inputs.is_empty() && !keeps_targets {
        let reason = format!(
            "has no input columns left; its columns are {} (--keep-target makes the target an input as well, for windows of a series)",
            listed(columns)
        );
        return Err(Error::input(path, Place::FILE, reason));
    }
    Ok(Roles { inputs, targets, weights, row_numbers, keeps_targets })
}

/// What the user says of inputs.
pub(super) struct Said {
    /// The inputs that have texts.
    pub(super) categories: HashSet<usize>,
    /// The inputs that have numbers.
    pub(super) numbers: HashSet<usize>,
    /// The inputs that become indices of categories; the source may say it too.
    pub(super) indices: HashSet<usize>,
    /// The inputs whose words become features.
    pub(super) texts: HashSet<usize>,
}

/// The names of the columns that a user calls indices.
fn index_names<'o>(options: &'o ImportOptions, columns: &[Column]) -> Vec<&'o str> {
    let parts = |text: &'o String| match position(columns, text) {
        Some(_) => vec![text.as_str()],
        None => text.split(',').map(str::trim).collect(),
    };
    options.index.iter().flat_map(parts).collect()
}

/// Finds the inputs that a user calls texts or numbers.
pub(super) fn said(
    table: &Table,
    path: &Path,
    options: &ImportOptions,
    roles: &Roles,
) -> Result<Said> {
    let columns = &table.columns;
    let find = |name: &str, of_target: &str| {
        let found = position(columns, name).ok_or_else(|| absent(path, name, columns))?;
        let reason = match () {
            () if roles.inputs.contains(&found) => return Ok(found),
            () if roles.targets.contains(&found) => of_target,
            () => "is no input: it is left out or holds the weights",
        };
        Err(Error::input(path, Place::column(name), reason))
    };
    let category = "is the target, not a category: --task classify makes its values classes";
    let number = "is the target: --task regress takes its values for numbers";
    let categories = options.category.iter().map(|name| find(name, category));
    let numbers = options.number.iter().map(|name| find(name, number));
    let index = "is the target, which has no index: --task classify makes its values classes";
    let indices = index_names(options, columns).into_iter().map(|name| find(name, index));
    let text =
        "is the target, whose words are not learned from: --task classify makes its values classes";
    let texts = options.text.iter().map(|name| find(name, text));
    let mut said = Said {
        categories: categories.collect::<Result<_>>()?,
        numbers: numbers.collect::<Result<_>>()?,
        indices: indices.collect::<Result<_>>()?,
        texts: texts.collect::<Result<_>>()?,
    };
    let mut others = said.categories.union(&said.numbers).copied().collect::<HashSet<usize>>();
    if let Some(both) =
        said.texts.iter().filter(|text| others.contains(text) || said.indices.contains(text)).min()
    {
        let reason = "is said to have words and something else: leave out --text or the other";
        return Err(Error::input(path, Place::column(&columns[*both].name), reason));
    }
    others.extend(&said.texts);
    if let Some(both) = said.indices.intersection(&others).min() {
        let reason = "is said to have both indices and categories or numbers: leave out --index or the other";
        return Err(Error::input(path, Place::column(&columns[*both].name), reason));
    }
    if let Some(both) = said.categories.intersection(&said.numbers).min() {
        let reason = "is said to have both texts and numbers: leave out --category or --number";
        return Err(Error::input(path, Place::column(&columns[*both].name), reason));
    }
    let is_left = |index: &usize| roles.inputs.contains(index) && !others.contains(index);
    said.indices.extend(table.hints.indices.iter().copied().filter(is_left));
    Ok(said)
}

/// Finds the columns of `encoding` in a table: by name, or by position (inputs, then targets) where the
/// table has no names and just as many columns.
pub(super) fn find(
    table: &Table,
    path: &Path,
    encoding: &Encoding,
) -> Result<(Vec<usize>, Vec<usize>)> {
    let names = Names::of(table, path);
    let inputs = &encoding.inputs;
    let targets = encoding.target.columns();
    let inputs_by_name = || inputs.iter().map(|input| names.required(&input.name)).collect();
    let targets_by_name = || targets.iter().map(|name| names.required(name)).collect();
    match (inputs_by_name(), targets_by_name()) {
        (Ok(inputs), Ok(targets)) => Ok((inputs, targets)),
        _ if !table.named && table.columns.len() == inputs.len() + targets.len() => {
            Ok(((0..inputs.len()).collect(), (inputs.len()..table.columns.len()).collect()))
        }
        (Err(error), _) | (_, Err(error)) => Err(error),
    }
}

/// The columns of a table by name: there may be a million.
pub(super) struct Names<'t> {
    path: &'t Path,
    columns: &'t [Column],
    positions: HashMap<&'t str, usize>,
}

impl<'t> Names<'t> {
    pub(super) fn of(table: &'t Table, path: &'t Path) -> Names<'t> {
        let columns = &table.columns[..];
        let positions = columns.iter().map(|column| column.name.as_str()).zip(0..).collect();
        Names { path, columns, positions }
    }

    /// The position of a column that must be there.
    pub(super) fn required(&self, name: &str) -> Result<usize> {
        let position = self.positions.get(name).copied();
        position.ok_or_else(|| absent(self.path, name, self.columns))
    }
}

fn position(columns: &[Column], name: &str) -> Option<usize> {
    columns.iter().position(|column| column.name == name)
}

fn absent(path: &Path, name: &str, columns: &[Column]) -> Error {
    let meant = did_you_mean(name, columns.iter().map(|column| column.name.as_str()));
    let reason = format!("this column is missing{meant}; the columns are {}", listed(columns));
    Error::input(path, Place::column(name), reason)
}

/// Column names as shown in errors, the first few of many.
fn listed(columns: &[Column]) -> String {
    const SHOWN: usize = 30;
    let names: Vec<&str> = columns.iter().take(SHOWN).map(|c| c.name.as_str()).collect();
    let more = columns.len().saturating_sub(SHOWN);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{}{more}", names.join(", "))
}
