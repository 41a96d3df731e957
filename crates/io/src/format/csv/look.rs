//! What the first values of a column look like.

use crate::format::decimal::Decimal;
use crate::format::missing::Markers;
use crate::format::number::{Number, number};
use crate::format::values::is_code;
use memchr::memchr2;
use std::collections::HashSet;

/// A value and the line in which it stands.
pub(super) type Example = Option<(u64, String)>;

/// What was seen of a column.
#[derive(Default)]
pub(super) struct Look {
    /// Values that are not missing.
    pub(super) present: usize,
    /// Values that are no number, if numbers have a point or a comma.
    no_numbers: [usize; 2],
    /// A value that is a number either way, but not the same one.
    ambiguous: Example,
    /// A number that needs its commas, or separators of thousands, to be understood.
    rewritten: Example,
    /// A code such as 007.
    code: Example,
    /// Whether there is a number that is more than digits, as no code is.
    has_other_numbers: bool,
    /// The different texts among the values.
    pub(super) texts: HashSet<Box<[u8]>>,
}

impl Look {
    /// Looks at the next value, without blanks around it; `missing` are texts that stand for none.
    pub(super) fn add(&mut self, value: &[u8], line: u64, missing: &Markers) {
        let plain = number(value);
        if plain == Number::Missing || missing.contain(value) {
            return;
        }
        self.present += 1;
        let is_plain = plain != Number::Text;
        if is_plain && memchr2(b',', b'.', value).is_none() {
            self.has_other_numbers |= !value.iter().all(u8::is_ascii_digit);
            if self.code.is_none() && is_code(value) {
                self.code = Some((line, String::from_utf8_lossy(value).into_owned()));
            }
            return;
        }
        let readings = [Decimal::Point, Decimal::Comma].map(|decimal| decimal.plain(value));
        for (count, reading) in self.no_numbers.iter_mut().zip(&readings) {
            *count += usize::from(reading.is_none());
        }
        self.has_other_numbers |= readings.iter().any(Option::is_some);
        let example = || Some((line, String::from_utf8_lossy(value).into_owned()));
        match &readings {
            [None, None] => {
                self.texts.insert(value.into());
            }
            [Some(_), Some(_)] if self.ambiguous.is_none() => self.ambiguous = example(),
            _ => {}
        }
        if !is_plain && self.rewritten.is_none() && readings.iter().any(Option::is_some) {
            self.rewritten = example();
        }
    }

    /// Whether all values are numbers that are written so; not if there are none.
    pub(super) fn is_number(&self, decimal: Decimal) -> bool {
        self.present > 0 && self.may_be_number(decimal)
    }

    /// Whether no value is anything but a number that is written so.
    pub(super) fn may_be_number(&self, decimal: Decimal) -> bool {
        self.no_numbers[decimal as usize] == 0
    }

    /// Whether nothing says that a value such as 007 is a number and no code.
    pub(super) fn may_have_codes(&self) -> bool {
        !self.has_other_numbers
    }

    /// The first code, if the column has such: they are texts, however much they look like numbers.
    pub(super) fn code(&self) -> Option<&(u64, String)> {
        self.code.as_ref().filter(|_| self.may_have_codes())
    }

    /// The only way in which all are numbers, if there is one.
    fn certain(&self) -> Option<Decimal> {
        match [Decimal::Point, Decimal::Comma].map(|decimal| self.is_number(decimal)) {
            [true, false] => Some(Decimal::Point),
            [false, true] => Some(Decimal::Comma),
            _ => None,
        }
    }
}

/// How the numbers of each column are written, and what to say about it.
pub(super) struct Writing {
    pub(super) decimals: Vec<Decimal>,
    /// The column, and an example, of numbers with a decimal comma...
    pub(super) comma: Option<(usize, u64, String)>,
    /// ... and of those with separators between thousands.
    pub(super) thousands: Option<(usize, u64, String)>,
}

impl Writing {
    /// Finds out how numbers are written where it is not said. Columns whose values can be read both ways
    /// go by the others, and else by what the separator suggests.
    pub(super) fn of(looks: &[Look], said: Option<Decimal>, separator: u8) -> Writing {
        let certain = |decimal| looks.iter().any(|look| look.certain() == Some(decimal));
        let default = said.unwrap_or(match (certain(Decimal::Point), certain(Decimal::Comma)) {
            (false, true) => Decimal::Comma,
            (false, false) if separator != b',' && looks.iter().any(has_comma) => Decimal::Comma,
            _ => Decimal::Point,
        });
        let decimal = |look: &Look| said.or(look.certain()).unwrap_or(default);
        let mut writing =
            Writing { decimals: looks.iter().map(decimal).collect(), comma: None, thousands: None };
        for (column, (look, decimal)) in looks.iter().zip(&writing.decimals).enumerate() {
            if said.is_some() || !look.is_number(*decimal) {
                continue;
            }
            let found = match decimal {
                Decimal::Comma => &mut writing.comma,
                Decimal::Point => &mut writing.thousands,
            };
            let example = match decimal {
                Decimal::Comma => look.rewritten.as_ref().or(look.ambiguous.as_ref()),
                Decimal::Point => look.rewritten.as_ref(),
            };
            if let (None, Some((line, value))) = (&found, example) {
                *found = Some((column, *line, value.clone()));
            }
        }
        writing
    }
}

/// Whether a value that can be read both ways has a comma, which a plain number has not.
fn has_comma(look: &Look) -> bool {
    look.ambiguous.as_ref().is_some_and(|(_, value)| value.contains(','))
        || look.rewritten.as_ref().is_some_and(|(_, value)| value.contains(','))
}
