//! The kinds of file that this program writes in its own frame, and what sets them apart there.

use std::fmt;

/// What a file of ours holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileKind {
    /// A data set, `.grist`.
    Dataset,
    /// A trained model.
    Model,
    /// A run that can be resumed.
    Checkpoint,
}

impl FileKind {
    const ALL: [FileKind; 3] = [FileKind::Dataset, FileKind::Model, FileKind::Checkpoint];

    /// The number that stands for it in a header.
    pub(crate) fn code(self) -> u32 {
        self as u32 + 1
    }

    pub(crate) fn from_code(code: u32) -> Option<FileKind> {
        FileKind::ALL.into_iter().find(|kind| kind.code() == code)
    }

    /// The latest version of the kind's layout. This program reads it and all before.
    pub(crate) fn version(self) -> u32 {
        match self {
            FileKind::Dataset => 3,
            FileKind::Model | FileKind::Checkpoint => 2,
        }
    }

    /// What sections begin at a multiple of: pages where they are mapped.
    pub(crate) const fn alignment(self) -> u64 {
        match self {
            FileKind::Dataset => 4096,
            FileKind::Model | FileKind::Checkpoint => 1,
        }
    }
}

impl fmt::Display for FileKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            FileKind::Dataset => "data set",
            FileKind::Model => "model",
            FileKind::Checkpoint => "checkpoint",
        })
    }
}
