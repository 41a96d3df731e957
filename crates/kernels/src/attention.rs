//! Self-attention of the positions of each sample, head by head.
//!
//! ```text
//! scores[i][j] = q[i] . k[j] / sqrt(width)     j <= i if causal, and j < length of the sample
//! p[i]         = softmax over j of scores[i]
//! out[i]       = Σ p[i][j] v[j]
//! ```
//!
//! Samples are lanes, so every product is one of rows: C[i][j] = Σ A[i][t] B[j][t], with sums of a
//! few rows by a few columns in registers, in ascending t. Positions are taken [`BLOCK`] at a time:
//! what lies beyond the diagonal of a causal block is not computed, and what is not computed is 0.

// Indices of tiles read like the formula above.
#![allow(clippy::needless_range_loop)]

use crate::isa::Isa;
use crate::math;
use crate::simd::{Kernel, LANES, Row, Simd};
use std::ops::Range;

/// Positions that are taken together.
const BLOCK: usize = 4;

/// The shape of an attention.
#[derive(Clone, Copy)]
pub struct Attention<'a> {
    /// Positions of a sample.
    pub positions: usize,
    /// Heads: attentions of their own, side by side.
    pub heads: usize,
    /// Units of a query, a key and a value of one head.
    pub width: usize,
    /// Whether a position attends to none after it.
    pub causal: bool,
    /// The positions of each sample that are attended to, one row per panel. Without, all of them.
    pub lengths: Option<&'a [Row]>,
}

impl Attention<'_> {
    /// Rows of a position of the result.
    pub fn units(&self) -> usize {
        self.heads * self.width
    }

    /// Rows of the probabilities of a panel: `[heads][positions][positions]`.
    pub fn probability_rows(&self) -> usize {
        self.heads * self.positions * self.positions
    }

    /// Rows that [`backward`] needs for itself.
    pub fn scratch_rows(&self) -> usize {
        BLOCK * self.positions
    }

    /// Positions that some of the block of positions from `first` on attends to.
    #[inline(always)]
    fn reach(&self, first: usize, block: usize) -> usize {
        if self.causal { first + block } else { self.positions }
    }

    /// Positions that attend to some of the block of positions from `first` on.
    #[inline(always)]
    fn reached_by(&self, first: usize) -> Range<usize> {
        if self.causal { first..self.positions } else { 0..self.positions }
    }

    fn check(&self, qkv: &[Row], probabilities: &[Row], out: &[Row]) {
        let rows = self.positions * self.units();
        assert!(rows > 0 && out.len().is_multiple_of(rows), "panels of {rows} results");
        let panels = out.len() / rows;
        assert_eq!(qkv.len(), 3 * out.len(), "a query, a key and a value per result");
        assert_eq!(probabilities.len(), panels * self.probability_rows(), "probabilities");
        assert!(self.lengths.is_none_or(|rows| rows.len() == panels), "a length per sample");
    }
}

/// Sets `out` to the result of the attention, and `probabilities` to p, for the backward pass.
///
/// A position has 3 [`units`](Attention::units) rows of `qkv`: the queries of all heads, then the
/// keys, then the values; and that many of `out`. In a sample of length 0 the result is 0.
///
/// # Panics
/// A slice does not fit.
pub fn forward(
    isa: Isa,
    attention: &Attention<'_>,
    qkv: &[Row],
    probabilities: &mut [Row],
    out: &mut [Row],
) {
    attention.check(qkv, probabilities, out);
    isa.run(Forward { attention, qkv, probabilities, out });
}

/// What the backward pass reads and writes.
pub struct Backward<'a> {
    /// Of the forward pass.
    pub qkv: &'a [Row],
    /// Of the forward pass: become the errors of the scores.
    pub probabilities: &'a mut [Row],
    /// The error of the result.
    pub errors: &'a [Row],
    /// [`Attention::scratch_rows`] rows.
    pub scratch: &'a mut [Row],
    /// The error of `qkv`.
    pub input_errors: &'a mut [Row],
    /// Whether `input_errors` is added to, and not set.
    pub add: bool,
}

/// The error of queries, keys and values, from that of the result.
///
/// # Panics
/// A slice does not fit.
pub fn backward(isa: Isa, attention: &Attention<'_>, at: Backward<'_>) {
    attention.check(at.qkv, at.probabilities, at.errors);
    assert_eq!(at.scratch.len(), attention.scratch_rows(), "scratch");
    assert_eq!(at.input_errors.len(), at.qkv.len(), "an error per query, key and value");
    isa.run(BackwardKernel { attention, at });
}

/// A factor of a product, whose rows are read strip by strip: those of `N` i (or j) for every t.
trait Factor: Copy {
    /// The rows of a strip.
    type Strip<const N: usize>: Copy;
    /// Those from `first` on, and t in `inner`.
    fn strip<const N: usize>(self, first: usize, inner: &Range<usize>) -> Self::Strip<N>;
    /// Those of the `t`-th of `inner`.
    fn load<S: Simd, const N: usize>(s: S, strip: Self::Strip<N>, t: usize) -> [S::V; N];
}

/// (i, t) is `rows[i * stride + t]`.
#[derive(Clone, Copy)]
struct ByRow<'a> {
    rows: &'a [Row],
    stride: usize,
}

impl<'a> Factor for ByRow<'a> {
    type Strip<const N: usize> = [&'a [Row]; N];

    #[inline(always)]
    fn strip<const N: usize>(self, first: usize, inner: &Range<usize>) -> [&'a [Row]; N] {
        let mut strip: [&[Row]; N] = [&[]; N];
        for i in 0..N {
            strip[i] = &self.rows[(first + i) * self.stride + inner.start..][..inner.len()];
        }
        strip
    }

    #[inline(always)]
    fn load<S: Simd, const N: usize>(s: S, strip: [&'a [Row]; N], t: usize) -> [S::V; N] {
        let mut rows = [s.splat(0.0); N];
        for i in 0..N {
            rows[i] = s.load(&strip[i][t]);
        }
        rows
    }
}

/// (i, t) is `rows[t * stride + i]`.
#[derive(Clone, Copy)]
struct ByColumn<'a> {
    rows: &'a [Row],
    stride: usize,
}

impl<'a> Factor for ByColumn<'a> {
    type Strip<const N: usize> = ByColumn<'a>;

    #[inline(always)]
    fn strip<const N: usize>(self, first: usize, inner: &Range<usize>) -> ByColumn<'a> {
        ByColumn { rows: &self.rows[inner.start * self.stride + first..], ..self }
    }

    #[inline(always)]
    fn load<S: Simd, const N: usize>(s: S, strip: ByColumn<'a>, t: usize) -> [S::V; N] {
        let from: &[Row; N] = strip.rows[t * strip.stride..].first_chunk().expect("N rows");
        let mut rows = [s.splat(0.0); N];
        for i in 0..N {
            rows[i] = s.load(&from[i]);
        }
        rows
    }
}

/// A matrix that is set, or added to: (i, j) is `rows[i * stride + j]`.
struct Target<'a> {
    rows: &'a mut [Row],
    stride: usize,
    add: bool,
}

/// C[i][j] = Σ A[i][t] B[j][t], t in `inner`, for `rows` i and `cols` j.
#[inline(always)]
fn multiply<S: Simd, A: Factor, B: Factor>(
    s: S,
    [rows, cols]: [usize; 2],
    inner: Range<usize>,
    a: A,
    b: B,
    mut c: Target<'_>,
) {
    // As many sums as there are registers for.
    if S::TILE_PANELS > 1 {
        tiles::<S, A, B, 4>(s, [rows, cols], inner, a, b, &mut c);
    } else {
        tiles::<S, A, B, 2>(s, [rows, cols], inner, a, b, &mut c);
    }
}

#[inline(always)]
fn tiles<S: Simd, A: Factor, B: Factor, const T: usize>(
    s: S,
    [rows, cols]: [usize; 2],
    inner: Range<usize>,
    a: A,
    b: B,
    c: &mut Target<'_>,
) {
    let mut i = 0;
    while i < rows {
        let tall = i + T <= rows;
        let mut j = 0;
        while j < cols {
            let wide = j + T <= cols;
            match (tall, wide) {
                (true, true) => tile::<S, A, B, T, T>(s, [i, j], inner.clone(), a, b, c),
                (true, false) => tile::<S, A, B, T, 1>(s, [i, j], inner.clone(), a, b, c),
                (false, true) => tile::<S, A, B, 1, T>(s, [i, j], inner.clone(), a, b, c),
                (false, false) => tile::<S, A, B, 1, 1>(s, [i, j], inner.clone(), a, b, c),
            }
            j += if wide { T } else { 1 };
        }
        i += if tall { T } else { 1 };
    }
}

#[inline(always)]
fn tile<S: Simd, A: Factor, B: Factor, const I: usize, const J: usize>(
    s: S,
    [row, col]: [usize; 2],
    inner: Range<usize>,
    a: A,
    b: B,
    c: &mut Target<'_>,
) {
    let mut sums = [[s.splat(0.0); J]; I];
    if c.add {
        for i in 0..I {
            let held = &c.rows[(row + i) * c.stride + col..][..J];
            for j in 0..J {
                sums[i][j] = s.load(&held[j]);
            }
        }
    }
    let strip_of_a = a.strip::<I>(row, &inner);
    let strip_of_b = b.strip::<J>(col, &inner);
    for t in 0..inner.len() {
        let right = B::load::<S, J>(s, strip_of_b, t);
        let left = A::load::<S, I>(s, strip_of_a, t);
        for i in 0..I {
            for j in 0..J {
                sums[i][j] = s.mul_add(left[i], right[j], sums[i][j]);
            }
        }
    }
    for i in 0..I {
        let to = &mut c.rows[(row + i) * c.stride + col..][..J];
        for j in 0..J {
            s.store(&mut to[j], sums[i][j]);
        }
    }
}

/// Replaces the first `reach` scores of a position by their softmax, and the others by 0.
#[inline(always)]
fn softmax<S: Simd>(s: S, scores: &mut [Row], reach: usize, length: S::V, scale: S::V) {
    let zero = s.splat(0.0);
    let (scores, beyond) = scores.split_at_mut(reach);
    beyond.fill([0.0; LANES]);
    let mut max = s.splat(f32::MIN);
    for (j, row) in scores.iter_mut().enumerate() {
        let score = s.mul(s.load(row), scale);
        s.store(row, score);
        let live = s.lt(s.splat(j as f32), length);
        max = s.max(max, s.select(live, score, s.splat(f32::MIN)));
    }
    let mut sum = zero;
    for (j, row) in scores.iter_mut().enumerate() {
        let live = s.lt(s.splat(j as f32), length);
        let x = s.select(live, math::exp(s, s.sub(s.load(row), max)), zero);
        s.store(row, x);
        sum = s.add(sum, x);
    }
    // The largest adds 1 to the sum: it is below only where there is nothing to attend to.
    let factor = s.div(s.splat(1.0), s.max(s.splat(1.0), sum));
    for row in scores {
        s.store(row, s.mul(s.load(row), factor));
    }
}

/// Replaces probabilities by the errors of the scores, from their own errors.
#[inline(always)]
fn softmax_backward<S: Simd>(s: S, probabilities: &mut [Row], errors: &[Row], scale: S::V) {
    let mut mean = s.splat(0.0);
    for (p, error) in probabilities.iter().zip(errors) {
        mean = s.mul_add(s.load(p), s.load(error), mean);
    }
    for (p, error) in probabilities.iter_mut().zip(errors) {
        let error = s.mul(s.sub(s.load(error), mean), scale);
        s.store(p, s.mul(s.load(p), error));
    }
}

#[inline(always)]
fn scale<S: Simd>(s: S, width: usize) -> S::V {
    s.div(s.splat(1.0), s.sqrt(s.splat(width as f32)))
}

struct Forward<'a> {
    attention: &'a Attention<'a>,
    qkv: &'a [Row],
    probabilities: &'a mut [Row],
    out: &'a mut [Row],
}

impl Kernel for Forward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let at = self.attention;
        let (n, width, units) = (at.positions, at.width, at.units());
        let panels = self.qkv.chunks_exact(3 * n * units).zip(self.out.chunks_exact_mut(n * units));
        let mut matrices = self.probabilities.chunks_exact_mut(n * n);
        for (panel, (qkv, out)) in panels.enumerate() {
            let length = match at.lengths {
                Some(lengths) => s.load(&lengths[panel]),
                None => s.splat(f32::INFINITY),
            };
            for head in 0..at.heads {
                let p = matrices.next().expect("probabilities per head");
                let part = head * width;
                let keys = ByRow { rows: &qkv[units + part..], stride: 3 * units };
                let values = ByColumn { rows: &qkv[2 * units + part..], stride: 3 * units };
                for first in (0..n).step_by(BLOCK) {
                    let block = BLOCK.min(n - first);
                    let reach = at.reach(first, block);
                    let rows = &qkv[first * 3 * units + part..];
                    let queries = ByRow { rows, stride: 3 * units };
                    let p = &mut p[first * n..][..block * n];
                    let scores = Target { rows: p, stride: n, add: false };
                    multiply(s, [block, reach], 0..width, queries, keys, scores);
                    for (i, p) in p.chunks_exact_mut(n).enumerate() {
                        softmax(s, p, at.reach(first + i, 1), length, scale(s, width));
                    }
                    let p = ByRow { rows: p, stride: n };
                    let rows = &mut out[first * units + part..];
                    let out = Target { rows, stride: units, add: false };
                    multiply(s, [block, width], 0..reach, p, values, out);
                }
            }
        }
    }
}

struct BackwardKernel<'a> {
    attention: &'a Attention<'a>,
    at: Backward<'a>,
}

impl Kernel for BackwardKernel<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let BackwardKernel { attention, at } = self;
        let Backward { add, scratch, .. } = at;
        let (n, units) = (attention.positions, attention.units());
        let ins = at.qkv.chunks_exact(3 * n * units);
        let ins = ins.zip(at.input_errors.chunks_exact_mut(3 * n * units));
        let mut matrices = at.probabilities.chunks_exact_mut(n * n);
        for ((qkv, input_errors), errors) in ins.zip(at.errors.chunks_exact(n * units)) {
            for head in 0..attention.heads {
                let p = matrices.next().expect("probabilities per head");
                let part = head * attention.width;
                let errors = &errors[part..];
                let to_values = ByColumn { rows: errors, stride: units };
                attention.reached_errors(
                    s,
                    p,
                    to_values,
                    &mut input_errors[2 * units + part..],
                    add,
                );
                attention.score_errors(s, p, &qkv[2 * units + part..], errors, scratch);
                let keys = &qkv[units + part..];
                attention.query_errors(s, p, keys, &mut input_errors[part..], add);
                let to_keys = ByColumn { rows: &qkv[part..], stride: 3 * units };
                attention.reached_errors(s, p, to_keys, &mut input_errors[units + part..], add);
            }
        }
    }
}

impl Attention<'_> {
    /// Sets or adds to each position j Σ p[i][j] source[i]: errors of values, or those of keys.
    #[inline(always)]
    fn reached_errors<S: Simd>(
        &self,
        s: S,
        p: &[Row],
        sources: ByColumn<'_>,
        to: &mut [Row],
        add: bool,
    ) {
        let (n, units) = (self.positions, self.units());
        for first in (0..n).step_by(BLOCK) {
            let block = BLOCK.min(n - first);
            let weights = ByColumn { rows: &p[first..], stride: n };
            let to = Target { rows: &mut to[first * 3 * units..], stride: 3 * units, add };
            multiply(s, [block, self.width], self.reached_by(first), weights, sources, to);
        }
    }

    /// Replaces the probabilities by the errors of the scores.
    #[inline(always)]
    fn score_errors<S: Simd>(
        &self,
        s: S,
        p: &mut [Row],
        values: &[Row],
        errors: &[Row],
        scratch: &mut [Row],
    ) {
        let (n, units) = (self.positions, self.units());
        let values = ByRow { rows: values, stride: 3 * units };
        for first in (0..n).step_by(BLOCK) {
            let block = BLOCK.min(n - first);
            let reach = self.reach(first, block);
            let errors = ByRow { rows: &errors[first * units..], stride: units };
            let of_p = Target { rows: &mut *scratch, stride: n, add: false };
            multiply(s, [block, reach], 0..self.width, errors, values, of_p);
            let rows = p[first * n..][..block * n].chunks_exact_mut(n);
            for (p, errors) in rows.zip(scratch.chunks_exact(n)) {
                softmax_backward(s, &mut p[..reach], &errors[..reach], scale(s, self.width));
            }
        }
    }

    /// Sets or adds to each position i Σ score error[i][j] key[j].
    #[inline(always)]
    fn query_errors<S: Simd>(&self, s: S, scores: &[Row], keys: &[Row], to: &mut [Row], add: bool) {
        let (n, units) = (self.positions, self.units());
        let keys = ByColumn { rows: keys, stride: 3 * units };
        for first in (0..n).step_by(BLOCK) {
            let block = BLOCK.min(n - first);
            let scores = ByRow { rows: &scores[first * n..], stride: n };
            let to = Target { rows: &mut to[first * 3 * units..], stride: 3 * units, add };
            multiply(s, [block, self.width], 0..self.reach(first, block), scores, keys, to);
        }
    }
}

#[cfg(test)]
mod tests;
