//! Reading `.grist` data sets: a mapped file and what is known about it without looking at its rows.
//! Writing them is in [`crate::writer`].

mod fit;
mod paging;
pub(crate) mod verify;

use crate::dtype::Dtype;
use crate::error::{Error, Result};
use crate::frame::{self, Section};
use crate::identity::Identity;
use crate::kind::FileKind;
use crate::map::Map;
use crate::model::View;
use crate::open::open;
use crate::schema::{Encoding, InputColumn, InputKind, Statistics, Target};
use crate::wire::{EncodingWire, StatisticsWire};
use serde::{Deserialize, Serialize};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

/// Bytes covered by one of the checksums that [`Dataset::verify`] compares.
pub(crate) const CHECK_BLOCK: usize = 1 << 20;
/// The version of data sets that have all their values, and that of series of unequal length.
pub(crate) const USUAL: u32 = 2;
pub(crate) const RAGGED: u32 = 3;
/// Sections of a data set in file order: features, targets, weights, checksums of their blocks, metadata.
pub(crate) const SECTIONS: usize = 5;

/// The metadata as they are written: those of version 1, and the height, width and channels of the features.
#[derive(Serialize, Deserialize)]
pub(crate) struct MetadataWire {
    pub(crate) dataset: DatasetWire,
    pub(crate) view: Option<[u64; 3]>,
}

/// The metadata of version 1.
#[derive(Serialize, Deserialize)]
pub(crate) struct DatasetWire {
    pub(crate) rows: u64,
    pub(crate) features: u64,
    /// Bytes of a stored feature: 1, 2 or 4.
    pub(crate) feature_size: u8,
    pub(crate) weighted: bool,
    pub(crate) encoding: EncodingWire,
    pub(crate) statistics: Vec<StatisticsWire>,
    pub(crate) target_statistics: Vec<StatisticsWire>,
    pub(crate) class_counts: Vec<u64>,
}

/// A `.grist` file, mapped read-only. Opening one costs the same for any number of rows.
#[derive(Debug)]
pub struct Dataset {
    path: PathBuf,
    /// The file as it was when its bytes were last known to be those that were written.
    identity: Mutex<Identity>,
    map: Map,
    features_at: usize,
    targets_at: usize,
    weights_at: usize,
    row_bytes: usize,
    target_bytes: usize,
    weighted: bool,
    rows: u64,
    features: usize,
    view: Option<View>,
    is_ragged: bool,
    dtype: Dtype,
    encoding: Encoding,
    statistics: Vec<Statistics>,
    target_statistics: Vec<Statistics>,
    class_counts: Vec<u64>,
    sections: Vec<Section>,
    fingerprint: u64,
}

impl Dataset {
    /// Opens a data set after checking its header, its metadata and the length of every region, but not
    /// the content of the regions; [`Dataset::verify`] does.
    ///
    /// # Errors
    /// The file cannot be read or is no data set, is of another version, cut off or damaged.
    pub fn open(path: &Path) -> Result<Dataset> {
        let mut file = open(path)?;
        // For others to see that the file is in use; where there are no locks there is nothing to see.
        let _ = file.try_lock_shared();
        let identity = Identity::of(file.metadata()).map_err(Error::io("open", path))?;
        let header = frame::read_header(&mut file, path, FileKind::Dataset)?;
        let &[features_section, targets_section, weights_section, sums_section, metadata] =
            header.sections.as_slice()
        else {
            let reason = format!("it has {} sections, expected {SECTIONS}", header.sections.len());
            return Err(Error::damaged(path, reason));
        };
        let MetadataWire { dataset: wire, view } = match header.version {
            1 => {
                let dataset = frame::read_metadata(&mut file, path, metadata)?;
                MetadataWire { dataset, view: None }
            }
            _ => frame::read_metadata(&mut file, path, metadata)?,
        };
        let encoding = Encoding::from(wire.encoding);
        let contradiction = || Error::damaged(path, "its metadata contradict each other");
        let dtype = Dtype::ALL.into_iter().find(|d| d.size() == wire.feature_size as usize);
        let dtype = dtype.ok_or_else(contradiction)?;
        let (target_count, class_count) = match &encoding.target {
            Target::Classes { names, .. } => (0, names.len()),
            Target::Numbers { columns } => (columns.len(), 0),
            Target::None => (0, 0),
        };
        let features = wire.statistics.len();
        if features == 0
            || wire.features != features as u64
            || encoding.features() != features
            || !encoding.inputs.iter().all(is_sound)
            || wire.target_statistics.len() != target_count
            || wire.class_counts.len() != class_count
        {
            return Err(contradiction());
        }
        let view = view.map(|[height, width, channels]| View {
            height: usize::try_from(height).unwrap_or(usize::MAX),
            width: usize::try_from(width).unwrap_or(usize::MAX),
            channels: usize::try_from(channels).unwrap_or(usize::MAX),
        });
        let is_series = view.is_some_and(|view| view.height == 1);
        if view.is_some_and(|view| view.units() != features)
            || header.version == RAGGED && !is_series
        {
            return Err(contradiction());
        }
        let row_bytes = features * dtype.size();
        let target_bytes = 4 * target_count.max(usize::from(class_count > 0));
        let data = [features_section, targets_section, weights_section];
        let widths = [row_bytes, target_bytes, 4 * usize::from(wire.weighted)];
        let mut blocks = 0;
        for (section, width) in data.iter().zip(widths) {
            if wire.rows.checked_mul(width as u64) != Some(section.length) {
                let reason = format!("a region's length is not that of {} rows", wire.rows);
                return Err(Error::damaged(path, reason));
            }
            blocks += section.length.div_ceil(CHECK_BLOCK as u64);
        }
        if sums_section.length != 4 * blocks {
            return Err(contradiction());
        }
        let map = Map::new(file, path).map_err(Error::io("map", path))?;
        let last = &header.sections[SECTIONS - 1];
        if map.len() as u64 != last.offset + last.length {
            return Err(Error::damaged(path, "its length changed while it was opened"));
        }
        Ok(Dataset {
            path: path.to_owned(),
            identity: Mutex::new(identity),
            map,
            features_at: features_section.offset as usize,
            targets_at: targets_section.offset as usize,
            weights_at: weights_section.offset as usize,
            row_bytes,
            target_bytes,
            weighted: wire.weighted,
            rows: wire.rows,
            features,
            view,
            is_ragged: header.version == RAGGED,
            dtype,
            encoding,
            statistics: wire.statistics.into_iter().map(Into::into).collect(),
            target_statistics: wire.target_statistics.into_iter().map(Into::into).collect(),
            class_counts: wire.class_counts,
            sections: header.sections,
            fingerprint: fnv1a(&header.bytes),
        })
    }

    /// Where the file was opened.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Number of rows.
    #[inline]
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Features per row.
    #[inline]
    pub fn features(&self) -> usize {
        self.features
    }

    /// How the features of a row are arranged, if they are more than plain numbers.
    pub fn view(&self) -> Option<View> {
        self.view
    }

    /// Whether rows are series that may end before their last step: what lies beyond is not a number.
    pub fn is_ragged(&self) -> bool {
        self.is_ragged
    }

    /// How features are stored.
    #[inline]
    pub fn dtype(&self) -> Dtype {
        self.dtype
    }

    /// What the features and targets mean.
    pub fn encoding(&self) -> &Encoding {
        &self.encoding
    }

    /// Statistics of each feature as stored, not standardised.
    pub fn statistics(&self) -> &[Statistics] {
        &self.statistics
    }

    /// Statistics of each numeric target; empty where the target is a class.
    pub fn target_statistics(&self) -> &[Statistics] {
        &self.target_statistics
    }

    /// Rows of each class; empty where the target is not a class.
    pub fn class_counts(&self) -> &[u64] {
        &self.class_counts
    }

    /// The features of a row: `features() * dtype().size()` little-endian bytes. Panics past the last row.
    #[inline]
    pub fn row(&self, row: u64) -> &[u8] {
        self.cell(self.features_at, self.row_bytes, row)
    }

    /// The features of consecutive rows, one row after the other. Panics past the last row.
    #[inline]
    pub fn consecutive(&self, rows: Range<u64>) -> &[u8] {
        assert!(rows.start <= rows.end && rows.end <= self.rows);
        let at = |row: u64| self.features_at + row as usize * self.row_bytes;
        &self.map[at(rows.start)..at(rows.end)]
    }

    /// The class of a row of a data set with classes. Panics past the last row. In a damaged file it
    /// may be no class: [`Dataset::verify`] finds that.
    #[inline]
    pub fn label(&self, row: u64) -> u32 {
        let (label, _) = self.cell(self.targets_at, self.target_bytes, row).as_chunks();
        u32::from_le_bytes(label[0])
    }

    /// Copies the numeric targets of a row. Panics past the last row.
    #[inline]
    pub fn targets(&self, row: u64, out: &mut [f32]) {
        let (targets, _) = self.cell(self.targets_at, self.target_bytes, row).as_chunks();
        for (out, target) in out.iter_mut().zip(targets) {
            *out = f32::from_le_bytes(*target);
        }
    }

    /// The weight of a row: 1 where the data set has none. Panics past the last row.
    #[inline]
    pub fn weight(&self, row: u64) -> f32 {
        if self.weighted {
            let (weight, _) = self.cell(self.weights_at, 4, row).as_chunks();
            f32::from_le_bytes(weight[0])
        } else {
            1.0
        }
    }

    /// Whether rows have weights of their own.
    pub fn has_weights(&self) -> bool {
        self.weighted
    }

    /// A number that differs between data sets of different content: a hash of the checksums of all regions.
    pub fn fingerprint(&self) -> u64 {
        self.fingerprint
    }

    #[inline]
    fn cell(&self, start: usize, width: usize, row: u64) -> &[u8] {
        // Regions are followed by the metadata, so the slice alone would not catch a row past the end.
        assert!(row < self.rows);
        let at = start + row as usize * width;
        &self.map[at..at + width]
    }

    fn section(&self, section: &Section) -> &[u8] {
        let range: Range<usize> =
            section.offset as usize..(section.offset + section.length) as usize;
        &self.map[range]
    }
}

/// Whether a column can have become features.
fn is_sound(input: &InputColumn) -> bool {
    match &input.kind {
        InputKind::Index { vocabulary } => vocabulary.is_sound(),
        InputKind::Text(words) => words.is_sound(),
        InputKind::Number { .. } | InputKind::OneHot { .. } => true,
    }
}

/// FNV-1a, 64 bits.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3)
    })
}
