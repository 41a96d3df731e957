//! The `[data.augment]` section, and its short form: `shift 2, flip, crop 4, cutout 8, mixup 0.2`.

use super::error::{ConfigError, require};
use crate::data::augment::Augment;
use crate::layer::View;
use gristmill_io::suggest::{alike, did_you_mean};
use serde::{Deserialize, Serialize};
use std::fmt::Display;
use toml::{Table, Value};

/// The `[data.augment]` section: how rows are changed each time they are learned from. All is left out by default.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AugmentConfig {
    /// Most pixels that an image is shifted by along each axis; zeros come in.
    pub shift: usize,
    /// Whether every second image is turned left to right.
    pub flip: bool,
    /// Pixels of its mirror image that an image is padded with on each side before one of its size is cut out.
    pub crop: usize,
    /// Side of a square of zeros somewhere in the image, in pixels.
    pub cutout: usize,
    /// Rows are mixed two by two, in shares of a beta distribution with this for both parameters; at most 1.
    pub mixup: f64,
}

/// The names of the keys.
const NAMES: [&str; 5] = ["shift", "flip", "crop", "cutout", "mixup"];

impl AugmentConfig {
    /// Whether nothing is done.
    pub(super) fn is_off(&self) -> bool {
        *self == AugmentConfig::default()
    }

    /// Whether pixels move or become 0.
    pub(super) fn changes_pixels(&self) -> bool {
        !AugmentConfig { mixup: 0.0, ..self.clone() }.is_off()
    }

    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let holds = (0.0..=1.0).contains(&self.mixup);
        require("data.augment.mixup", self.mixup, holds, "a number from 0 to 1")
    }

    /// What is done to rows of this view; `looks_up` says whether some of their features are numbers of categories.
    pub(super) fn resolve(
        &self,
        view: View,
        looks_up: bool,
        batch_size: usize,
    ) -> Result<Option<Augment>, ConfigError> {
        let AugmentConfig { shift, flip, crop, cutout, mixup } = *self;
        let wrong = |key: &str, value: &dyn Display, expected: String| {
            Err(ConfigError::value(format!("data.augment.{key}"), value, expected))
        };
        let given: [(&str, &dyn Display, bool); 5] = [
            (NAMES[0], &shift, shift > 0),
            (NAMES[1], &flip, flip),
            (NAMES[2], &crop, crop > 0),
            (NAMES[3], &cutout, cutout > 0),
            (NAMES[4], &mixup, mixup > 0.0),
        ];
        let mut given = given.into_iter().filter(|(.., is_given)| *is_given).peekable();
        let Some(&(key, value, _)) = given.peek() else { return Ok(None) };
        if looks_up {
            let reason = "an embedding looks up the numbers of a row as they are; leave it out";
            return wrong(key, value, reason.to_owned());
        }
        if self.changes_pixels() && view.positions() == 1 {
            let reason = "the features of a row are plain numbers; say how its pixels are arranged, as in --shape 28x28x1";
            return wrong(key, value, reason.to_owned());
        }
        let shortest = [view.height, view.width].into_iter().filter(|&length| length > 1).min();
        for (key, pixels) in [("shift", shift), ("crop", crop), ("cutout", cutout)] {
            if let Some(shortest) = shortest.filter(|&shortest| pixels >= shortest) {
                let most = shortest - 1;
                return wrong(key, &pixels, format!("rows are {view}; expected 0 to {most}"));
            }
        }
        if flip && view.width == 1 {
            return wrong("flip", &flip, format!("rows are {view}, 1 wide; leave it out"));
        }
        if mixup > 0.0 && batch_size == 1 {
            let reason = "rows are mixed with others of their minibatch, and `training.batch_size` is 1; leave one out";
            return wrong("mixup", &mixup, reason.to_owned());
        }
        Ok(Some(Augment { view, shift, flip, crop, cutout, mixup }))
    }
}

/// The changes of a line, as the value of `data.augment`; `none` is none.
///
/// # Errors
/// There is no change of a name, or it has a value that it does not take.
pub fn augment_of_line(line: &str) -> Result<Value, ConfigError> {
    let mut table = Table::new();
    if line.trim() == "none" {
        return Ok(Value::Table(table));
    }
    for part in line.split(',') {
        let wrong = |expected: String| {
            Err(ConfigError::value("data.augment", format!("{:?}", part.trim()), expected))
        };
        let words: Vec<&str> = part.split_whitespace().collect();
        let Some((&first, values)) = words.split_first() else {
            return wrong(format!("expected {} or none", NAMES.join(", ")));
        };
        let Some(name) = NAMES.into_iter().find(|name| alike(name, first)) else {
            let meant = did_you_mean(first, NAMES);
            return wrong(format!(
                "there is no such change{meant}; there are {}",
                NAMES.join(", ")
            ));
        };
        let value = match (name, values) {
            ("flip", []) => Some(Value::Boolean(true)),
            ("mixup", [value]) => value.parse().ok().map(Value::Float),
            ("shift" | "crop" | "cutout", [value]) => {
                value.parse().ok().filter(|pixels| *pixels >= 0).map(Value::Integer)
            }
            _ => None,
        };
        let takes = match name {
            "flip" => "nothing",
            "mixup" => "a number from 0 to 1",
            _ => "a number of pixels",
        };
        let Some(value) = value else {
            return wrong(format!("{name} takes {takes}"));
        };
        if table.insert(name.to_owned(), value).is_some() {
            return wrong(format!("{name} is given twice"));
        }
    }
    Ok(Value::Table(table))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{DataShape, RunConfig, TargetShape};

    #[test]
    fn a_line_is_short_for_keys() {
        let of = |line| augment_of_line(line).unwrap().try_into::<AugmentConfig>().unwrap();
        let all = AugmentConfig { shift: 2, flip: true, crop: 4, cutout: 8, mixup: 0.25 };
        assert_eq!(of("shift 2, flip, crop 4,cutout 8, Mixup 0.25"), all);
        assert_eq!(of("mixup 1"), AugmentConfig { mixup: 1.0, ..Default::default() });
        assert!(of("none").is_off());
        let config = RunConfig::from_toml(
            "data.augment = { shift = 2, flip = true, crop = 4, cutout = 8, mixup = 0.25 }",
        );
        let config = config.unwrap();
        assert_eq!(config.data.augment, all);
        assert!(config.to_toml().contains("[data.augment]\n"));
        assert_eq!(RunConfig::from_toml(&config.to_toml()).unwrap(), config);
        assert!(!RunConfig::default().to_toml().contains("augment"));
    }

    #[test]
    fn mistakes_in_a_line_are_named() {
        for (line, part) in [
            ("shif 2", "did you mean \"shift\"?"),
            ("shift", "`data.augment` is \"shift\": shift takes a number of pixels"),
            ("shift -1", "shift takes a number of pixels"),
            ("crop 2.5", "crop takes a number of pixels"),
            ("flip 2", "flip takes nothing"),
            ("mixup a", "mixup takes a number from 0 to 1"),
            ("flip,, crop 2", "expected shift, flip"),
            ("", "or none"),
            ("crop 2, crop 2", "crop is given twice"),
        ] {
            let message = augment_of_line(line).unwrap_err().to_string();
            assert!(message.contains(part), "{line}: {message}");
        }
    }

    #[test]
    fn what_does_not_fit_the_rows_is_refused() {
        let target = TargetShape::Numbers(1);
        for (toml, part) in [
            (
                "data.augment.mixup = 1.5",
                "`data.augment.mixup` is 1.5: expected a number from 0 to 1",
            ),
            ("data.augment.mixup = -1", "from 0 to 1"),
            (
                "data.augment.flip = true",
                "`data.augment.flip` is true: the features of a row are plain",
            ),
            ("data.augment.cutout = 1", "as in --shape 28x28x1"),
            ("data = { shape = [4, 3, 2], augment.shift = 3 }", "rows are 4x3x2; expected 0 to 2"),
            (
                "data = { shape = [12, 2], augment.crop = 12 }",
                "`data.augment.crop` is 12: rows are 12x2",
            ),
            ("data = { shape = [12, 1, 2], augment.flip = true }", "1 wide"),
            ("data.augment.mixup = 0.5\ntraining.batch_size = 1", "`training.batch_size` is 1"),
            (
                "data = { shape = [24, 1], augment.shift = 1 }\n\
                 network.layers = [{ kind = 'embedding', size = 2, vocabulary = 9 }]",
                "`data.augment.shift` is 1: an embedding looks up",
            ),
        ] {
            let config = RunConfig::from_toml(toml).unwrap();
            let data = DataShape { features: 24, index_columns: &[], target };
            let message = config.resolve(&data).expect_err(toml).to_string();
            assert!(message.contains(part), "{toml}: {message}");
        }
    }
}
