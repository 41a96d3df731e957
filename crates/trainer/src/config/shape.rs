//! The shape of the data that a configuration is resolved against.

use gristmill_io::schema::{IndexColumns, Target};

/// What a configuration is resolved against: the shape of the data.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DataShape<'a> {
    /// Features of a row; at least 1.
    pub features: usize,
    /// Features that are numbers of categories or words.
    pub index_columns: &'a [IndexColumns],
    /// What is to be predicted.
    pub target: TargetShape<'a>,
}

impl TargetShape<'_> {
    /// Of the rows of a data set; `None` if they have no target.
    pub fn of(target: &Target) -> Option<TargetShape<'_>> {
        match target {
            Target::Classes { names, .. } => Some(TargetShape::Classes(names)),
            Target::Numbers { columns } => Some(TargetShape::Numbers(columns.len())),
            Target::None => None,
        }
    }
}

/// What a row's target is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum TargetShape<'a> {
    /// One of these classes, by index; at least 2.
    Classes(&'a [String]),
    /// This many numbers; at least 1.
    Numbers(usize),
}
