//! From rows of stored bytes to standardised panels, and from panels to their transpose.

use crate::Isa;
use crate::arch;
use crate::simd::{Kernel, LANES, Row, Simd, padded};

/// A stored number, little endian.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Element {
    /// A byte, 0 to 255.
    U8,
    /// IEEE 754 binary16.
    F16,
    /// IEEE 754 binary32.
    F32,
}

impl Element {
    /// Bytes of one.
    pub fn size(self) -> usize {
        match self {
            Element::U8 => 1,
            Element::F16 => 2,
            Element::F32 => 4,
        }
    }
}

/// Rows of stored numbers, such as the samples of a row shard in a mapped file.
pub trait RowSource {
    /// Number of rows.
    fn len(&self) -> usize;
    /// The bytes of row `i`, counted from 0. Mark it `#[inline]`: it is called once per row.
    fn row(&self, i: usize) -> &[u8];
    /// Whether there is no row.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Rows ahead of the decoder that the cache is asked for: they lie anywhere in the file.
const PREFETCH_ROWS: usize = 6;
/// Bytes of a row to ask for. The hardware notices longer runs by itself.
const PREFETCH_BYTES: usize = 1024;

/// Decodes the `BYTES` bytes of one vector.
trait Decoder<const BYTES: usize> {
    fn decode<S: Simd>(s: S, bytes: &[u8; BYTES]) -> S::V;

    /// Decodes fewer bytes, followed by zeros.
    #[inline(always)]
    fn decode_head<S: Simd>(s: S, bytes: &[u8]) -> S::V {
        Self::decode(s, &padded(bytes))
    }
}

struct U8;
struct F16;
struct F32;

impl Decoder<LANES> for U8 {
    #[inline(always)]
    fn decode<S: Simd>(s: S, bytes: &[u8; LANES]) -> S::V {
        s.load_u8(bytes)
    }
}

impl Decoder<{ 2 * LANES }> for F16 {
    #[inline(always)]
    fn decode<S: Simd>(s: S, bytes: &[u8; 2 * LANES]) -> S::V {
        s.load_f16(bytes)
    }
}

impl Decoder<{ 4 * LANES }> for F32 {
    #[inline(always)]
    fn decode<S: Simd>(s: S, bytes: &[u8; 4 * LANES]) -> S::V {
        s.load_f32(bytes)
    }

    #[inline(always)]
    fn decode_head<S: Simd>(s: S, bytes: &[u8]) -> S::V {
        s.load_f32_head(bytes)
    }
}

/// What is gathered, and where to.
pub struct Gather<'a, R> {
    /// How a number is stored.
    pub element: Element,
    /// Numbers of a row.
    pub features: usize,
    /// The rows.
    pub source: &'a R,
    /// Is subtracted from each feature: one row per panel, 0 in the lanes beyond the features.
    pub shift: &'a [Row],
    /// Then multiplies it: one row per panel, 0 in the lanes beyond the features.
    pub scale: &'a [Row],
    /// Rows that `out` has room for.
    pub rows: usize,
    /// A panel matrix of `rows` x `features`: samples as rows, features as lanes.
    pub out: &'a mut [Row],
}

impl<R: RowSource> Gather<'_, R> {
    #[inline(always)]
    fn sweep<S: Simd, D: Decoder<BYTES>, const BYTES: usize>(self, s: S) {
        let count = self.source.len();
        let bytes = self.features * (BYTES / LANES);
        for r in 0..count {
            if r + PREFETCH_ROWS < count {
                let ahead = self.source.row(r + PREFETCH_ROWS);
                arch::prefetch(&ahead[..ahead.len().min(PREFETCH_BYTES)]);
            }
            let row = self.source.row(r);
            assert_eq!(row.len(), bytes, "bytes of a row of {} features", self.features);
            let (whole, tail) = row.as_chunks::<BYTES>();
            let scaling = self.shift.iter().zip(self.scale);
            let panels = self.out.chunks_exact_mut(self.rows);
            for ((chunk, (shift, scale)), panel) in whole.iter().zip(scaling).zip(panels) {
                let x = s.sub(D::decode(s, chunk), s.load(shift));
                s.store(&mut panel[r], s.mul(x, s.load(scale)));
            }
            if !tail.is_empty() {
                let x = D::decode_head(s, tail);
                let x = s.sub(x, s.load(&self.shift[whole.len()]));
                let out = &mut self.out[whole.len() * self.rows + r];
                s.store(out, s.mul(x, s.load(&self.scale[whole.len()])));
            }
        }
        for panel in self.out.chunks_exact_mut(self.rows) {
            panel[count..].fill([0.0; LANES]);
        }
    }
}

impl<R: RowSource> Kernel for Gather<'_, R> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        match self.element {
            Element::U8 => self.sweep::<S, U8, _>(s),
            Element::F16 => self.sweep::<S, F16, _>(s),
            Element::F32 => self.sweep::<S, F32, _>(s),
        }
    }
}

/// Decodes rows of numbers and standardises them, (x - shift) * scale.
///
/// The lanes beyond the features and the rows beyond the source become 0.
///
/// # Panics
/// The source has more rows than there is room for or one of another length than `features` numbers,
/// or a slice does not fit.
pub fn gather<R: RowSource>(isa: Isa, gather: Gather<'_, R>) {
    let Gather { features, rows, source, .. } = gather;
    let panels = features.div_ceil(LANES);
    assert!(source.len() <= rows, "{} rows do not fit into {rows}", source.len());
    assert_eq!(gather.shift.len(), panels, "one row of shifts per panel");
    assert_eq!(gather.scale.len(), panels, "one row of scales per panel");
    assert_eq!(gather.out.len(), panels * rows, "the panels of {rows} rows");
    if rows > 0 {
        isa.run(gather);
    }
}

struct Transpose<'a> {
    from: &'a [Row],
    rows: usize,
    cols: usize,
    to: &'a mut [Row],
}

impl Kernel for Transpose<'_> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let sources = self.from.chunks_exact(self.rows);
        for (p, panel) in sources.enumerate() {
            let height = LANES.min(self.cols - p * LANES);
            let targets = self.to.chunks_exact_mut(self.cols);
            for (block, target) in panel.chunks(LANES).zip(targets) {
                let target = &mut target[p * LANES..][..height];
                match (
                    <&[Row; LANES]>::try_from(block),
                    <&mut [Row; LANES]>::try_from(&mut *target),
                ) {
                    (Ok(block), Ok(target)) => s.transpose(block, target),
                    _ => {
                        let (mut padded, mut turned) =
                            ([[0.0; LANES]; LANES], [[0.0; LANES]; LANES]);
                        padded[..block.len()].copy_from_slice(block);
                        s.transpose(&padded, &mut turned);
                        target.copy_from_slice(&turned[..height]);
                    }
                }
            }
        }
    }
}

/// Sets `to`, a panel matrix of `cols` x `rows`, to the transpose of `from`, one of `rows` x `cols`.
///
/// Lanes of `to` beyond `rows` are set to 0; those of `from` beyond `cols` are not looked at.
///
/// # Panics
/// A slice does not fit.
pub fn transpose_panels(isa: Isa, from: &[Row], rows: usize, cols: usize, to: &mut [Row]) {
    assert_eq!(from.len(), cols.div_ceil(LANES) * rows, "the panels of {rows} x {cols}");
    assert_eq!(to.len(), rows.div_ceil(LANES) * cols, "the panels of {cols} x {rows}");
    if rows > 0 && cols > 0 {
        isa.run(Transpose { from, rows, cols, to });
    }
}

#[cfg(test)]
mod tests;
