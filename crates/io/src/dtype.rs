//! How features are stored: the three number types of a data set, and their conversion.

use half::f16;
use std::fmt;
use std::str::FromStr;

/// How a feature is stored, little-endian; ordered from the narrowest to the widest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Dtype {
    /// Whole numbers from 0 to 255.
    U8,
    /// IEEE half precision.
    F16,
    /// IEEE single precision.
    F32,
}

impl Dtype {
    /// All of them, narrowest first.
    pub const ALL: [Dtype; 3] = [Dtype::U8, Dtype::F16, Dtype::F32];

    /// Bytes of one value.
    #[inline]
    pub const fn size(self) -> usize {
        match self {
            Dtype::U8 => 1,
            Dtype::F16 => 2,
            Dtype::F32 => 4,
        }
    }

    /// Name as in `--dtype`.
    pub const fn name(self) -> &'static str {
        match self {
            Dtype::U8 => "u8",
            Dtype::F16 => "f16",
            Dtype::F32 => "f32",
        }
    }

    /// Decodes stored values. `bytes` holds `out.len()` of them.
    pub fn decode(self, bytes: &[u8], out: &mut [f32]) {
        assert_eq!(bytes.len(), out.len() * self.size());
        match self {
            Dtype::U8 => {
                for (out, byte) in out.iter_mut().zip(bytes) {
                    *out = f32::from(*byte);
                }
            }
            Dtype::F16 => {
                for (out, pair) in out.iter_mut().zip(bytes.as_chunks().0) {
                    *out = f16::from_le_bytes(*pair).to_f32();
                }
            }
            Dtype::F32 => {
                for (out, quad) in out.iter_mut().zip(bytes.as_chunks().0) {
                    *out = f32::from_le_bytes(*quad);
                }
            }
        }
    }

    /// Appends the stored form of `values`: halves are rounded to the nearest; what is not exactly a
    /// byte must not be asked to become one.
    pub(crate) fn encode(self, values: &[f32], out: &mut Vec<u8>) {
        match self {
            Dtype::U8 => out.extend(values.iter().map(|value| *value as u8)),
            Dtype::F16 => {
                out.extend(values.iter().flat_map(|value| f16::from_f32(*value).to_le_bytes()));
            }
            Dtype::F32 => out.extend(values.iter().flat_map(|value| value.to_le_bytes())),
        }
    }

    /// Whether this type holds `value` to the bit.
    pub(crate) fn holds(self, value: f32) -> bool {
        let stored = match self {
            Dtype::U8 => f32::from(value as u8),
            Dtype::F16 => f16::from_f32(value).to_f32(),
            Dtype::F32 => value,
        };
        stored.to_bits() == value.to_bits()
    }

    /// Whether a user who asked for this type can have `value` in it: bytes must be exact, halves are
    /// rounded but not to infinity.
    pub(crate) fn accepts(self, value: f32) -> bool {
        match self {
            Dtype::U8 => self.holds(value),
            Dtype::F16 => value.is_nan() || f16::from_f32(value).is_finite(),
            Dtype::F32 => true,
        }
    }

    /// The narrowest type, `least` or wider, that holds all values to the bit.
    pub(crate) fn narrowest(values: &[f32], least: Dtype) -> Dtype {
        let mut dtype = least;
        for &value in values {
            while !dtype.holds(value) {
                dtype = if dtype == Dtype::U8 { Dtype::F16 } else { Dtype::F32 };
            }
            if dtype == Dtype::F32 {
                break;
            }
        }
        dtype
    }
}

impl fmt::Display for Dtype {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Dtype {
    type Err = String;

    fn from_str(name: &str) -> Result<Dtype, String> {
        let known = Dtype::ALL.into_iter().find(|dtype| dtype.name().eq_ignore_ascii_case(name));
        known.ok_or_else(|| format!("\"{name}\" is not one of u8, f16, f32"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_narrowest_type_is_lossless() {
        for (values, expected) in [
            (&[0.0, 255.0][..], Dtype::U8),
            (&[0.0, 256.0], Dtype::F16),
            (&[-0.0], Dtype::F16),
            (&[0.5, -3.0], Dtype::F16),
            (&[2049.0], Dtype::F32),
            (&[0.1], Dtype::F32),
            (&[1e6], Dtype::F32),
        ] {
            let dtype = Dtype::narrowest(values, Dtype::U8);
            assert_eq!(dtype, expected, "{values:?}");
            let mut bytes = Vec::new();
            dtype.encode(values, &mut bytes);
            let mut back = vec![9.0; values.len()];
            dtype.decode(&bytes, &mut back);
            let bits = |v: &[f32]| v.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
            assert_eq!(bits(&back), bits(values));
        }
    }

    #[test]
    fn names_read_back() {
        for dtype in Dtype::ALL {
            assert_eq!(dtype.name().parse(), Ok(dtype));
        }
        assert!("f64".parse::<Dtype>().is_err());
    }
}
