//! The matrix product: `C = A B` and `C = A' B` on panel matrices, with what comes before and after.
//!
//! ```text
//! for each group of panels of B and C                  (TILE_PANELS, registers)
//!     for each group of rows of C                      (TILE_ROWS, registers)
//!         start the tile of C                          (Start: what it held, zero, or the bias terms)
//!         for k in 0..K                                (in order: see below)
//!             for each row i, panel j: C[i][j] += splat(A[i][k]) * B[k][j]
//!         finish the tile of C                         (Finish: store it, rectified or chained)
//! ```
//!
//! What starts and finishes a tile costs no pass over memory of its own: the tile is in registers.
//!
//! The caller keeps K and the rows of A to a cache-sized block ([`crate::panels`] layouts make one
//! contiguous), so the panels of B stay in the first-level cache while the rows of A pass by.
//!
//! An element of C is one chain of multiply-adds in ascending k from where it started. So neither the
//! tile that it falls in nor the blocks that K was cut into change a bit of the result.

// Indices of tiles read like the formula above.
#![allow(clippy::needless_range_loop)]

use crate::activation::{Activation, apply};
use crate::isa::Isa;
use crate::panels::{Panels, PanelsMut, panels};
use crate::simd::{Kernel, LANES, Row, Simd};

/// Which way the left operand is read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Left {
    /// C += A B: A has the rows of C.
    Plain,
    /// C += A' B: the columns of A are the rows of C.
    Transposed,
}

/// Where the sums of a product begin.
#[derive(Clone, Copy)]
pub enum Start<'a> {
    /// At what C holds.
    Held,
    /// At zero; what C holds is not read.
    Zero,
    /// Row `i` at bias term `i`, sixteen terms a row; what C holds is not read.
    Bias(&'a [Row]),
}

/// What becomes of the finished sums of a product.
pub enum Finish<'a> {
    /// They are C.
    Store,
    /// C is ReLU of them.
    Relu,
    /// C is ReLU of them, and this, of the shape of C, its slope.
    ReluTrain(PanelsMut<'a>),
    /// This, of the shape of C, is multiplied by them; C stays as it was.
    Chain(PanelsMut<'a>),
}

impl Finish<'_> {
    fn assert_fits(&self, c: &PanelsMut<'_>) {
        if let Finish::ReluTrain(other) | Finish::Chain(other) = self {
            assert_eq!(other.row_count(), c.row_count(), "rows of C and of what it finishes");
            assert_eq!(other.panel_count(), c.panel_count(), "panels of C and of what it finishes");
        }
    }
}

/// C = start + A B, where A is m x k, B is k x n and C is m x n.
///
/// Columns of A beyond k (padding of its last panel) are not read.
///
/// # Panics
/// If the shapes do not fit, or there are fewer bias terms than rows.
pub fn multiply(
    isa: Isa,
    c: PanelsMut<'_>,
    a: Panels<'_>,
    b: Panels<'_>,
    start: Start<'_>,
    finish: Finish<'_>,
) {
    assert_eq!(a.row_count(), c.row_count(), "rows of A and C");
    assert_eq!(a.panel_count(), panels(b.row_count()), "columns of A and rows of B");
    assert_eq!(b.panel_count(), c.panel_count(), "columns of B and C");
    finish.assert_fits(&c);
    isa.run(Product { c, a, b, start, finish, left: Left::Plain });
}

/// C = start + A' B, where A is k x m, B is k x n and C is m x n.
///
/// # Panics
/// If the shapes do not fit, or there are fewer bias terms than rows.
pub fn transposed_multiply(
    isa: Isa,
    c: PanelsMut<'_>,
    a: Panels<'_>,
    b: Panels<'_>,
    start: Start<'_>,
    finish: Finish<'_>,
) {
    assert_eq!(a.panel_count(), panels(c.row_count()), "columns of A and rows of C");
    assert_eq!(a.row_count(), b.row_count(), "rows of A and B");
    assert_eq!(b.panel_count(), c.panel_count(), "columns of B and C");
    finish.assert_fits(&c);
    isa.run(Product { c, a, b, start, finish, left: Left::Transposed });
}

/// Panels of the tile of a single row: chains of multiply-adds enough to hide their latency.
const SINGLES: usize = 4;

struct Product<'a> {
    c: PanelsMut<'a>,
    a: Panels<'a>,
    b: Panels<'a>,
    start: Start<'a>,
    finish: Finish<'a>,
    left: Left,
}

impl Kernel for Product<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(mut self, simd: S) {
        let count = self.c.panel_count();
        let mut panel = 0;
        while panel < count {
            let group = S::TILE_PANELS.min(count - panel);
            if self.left == Left::Plain && self.c.row_count() == 1 && panel + SINGLES <= count {
                self.plain_tile::<S, 1, SINGLES>(simd, 0, panel);
                panel += SINGLES;
                continue;
            }
            match (self.left, group) {
                (Left::Plain, 1) => self.plain::<S, 1>(simd, panel),
                (Left::Plain, _) => self.plain::<S, 2>(simd, panel),
                (Left::Transposed, 1) => self.transposed::<S, 1>(simd, panel),
                (Left::Transposed, _) => self.transposed::<S, 2>(simd, panel),
            }
            panel += group;
        }
    }
}

/// Calls a tile function with the number of rows as a constant.
macro_rules! with_rows {
    ($rows:expr, $self:ident.$tile:ident::<$s:ty, $panels:ident>($($arg:expr),*)) => {
        match $rows {
            1 => $self.$tile::<$s, 1, $panels>($($arg),*),
            2 => $self.$tile::<$s, 2, $panels>($($arg),*),
            3 => $self.$tile::<$s, 3, $panels>($($arg),*),
            4 => $self.$tile::<$s, 4, $panels>($($arg),*),
            5 => $self.$tile::<$s, 5, $panels>($($arg),*),
            6 => $self.$tile::<$s, 6, $panels>($($arg),*),
            7 => $self.$tile::<$s, 7, $panels>($($arg),*),
            8 => $self.$tile::<$s, 8, $panels>($($arg),*),
            9 => $self.$tile::<$s, 9, $panels>($($arg),*),
            10 => $self.$tile::<$s, 10, $panels>($($arg),*),
            11 => $self.$tile::<$s, 11, $panels>($($arg),*),
            _ => $self.$tile::<$s, 12, $panels>($($arg),*),
        }
    };
}

impl Product<'_> {
    #[inline(always)]
    fn plain<S: Simd, const P: usize>(&mut self, simd: S, panel: usize) {
        let rows = self.c.row_count();
        // Tiles of nearly equal height: thirteen rows are 7 + 6, not 12 + 1.
        let tiles = rows.div_ceil(S::TILE_ROWS);
        let mut row = 0;
        for tile in 0..tiles {
            let height = (rows - row).div_ceil(tiles - tile);
            with_rows!(height.min(S::TILE_ROWS), self.plain_tile::<S, P>(simd, row, panel));
            row += height;
        }
    }

    #[inline(always)]
    fn plain_tile<S: Simd, const R: usize, const P: usize>(
        &mut self,
        simd: S,
        row: usize,
        panel: usize,
    ) {
        let k = self.b.row_count();
        let mut acc = self.start_tile::<S, R, P>(simd, row, panel);
        let b = self.b_panels::<P>(panel);
        for ka in 0..k / LANES {
            let a: &[Row; R] = self.a.panel(ka)[row..].first_chunk().expect("R rows of A");
            let mut rows_of_b = [&[[0.0; LANES]; LANES]; P];
            for j in 0..P {
                rows_of_b[j] = b[j][ka * LANES..].first_chunk().expect("16 rows of B");
            }
            for kk in 0..LANES {
                let mut bv = [simd.splat(0.0); P];
                for j in 0..P {
                    bv[j] = simd.load(&rows_of_b[j][kk]);
                }
                for i in 0..R {
                    let av = simd.splat(a[i][kk]);
                    for j in 0..P {
                        acc[i][j] = simd.mul_add(av, bv[j], acc[i][j]);
                    }
                }
            }
        }
        let rest = k % LANES;
        if rest > 0 {
            let a: &[Row; R] = self.a.panel(k / LANES)[row..].first_chunk().expect("R rows of A");
            for kk in 0..rest {
                for i in 0..R {
                    let av = simd.splat(a[i][kk]);
                    for j in 0..P {
                        let bv = simd.load(&b[j][k - rest + kk]);
                        acc[i][j] = simd.mul_add(av, bv, acc[i][j]);
                    }
                }
            }
        }
        self.finish_tile(simd, row, panel, acc);
    }

    #[inline(always)]
    fn transposed<S: Simd, const P: usize>(&mut self, simd: S, panel: usize) {
        let rows = self.c.row_count();
        // A tile's rows are lanes of one panel of A: at most 16, cut into nearly equal parts.
        for first in (0..rows).step_by(LANES) {
            let lanes = LANES.min(rows - first);
            let tiles = lanes.div_ceil(S::TILE_ROWS);
            let mut lane = 0;
            for tile in 0..tiles {
                let height = (lanes - lane).div_ceil(tiles - tile);
                with_rows!(
                    height.min(S::TILE_ROWS),
                    self.transposed_tile::<S, P>(simd, first, lane, panel)
                );
                lane += height;
            }
        }
    }

    #[inline(always)]
    fn transposed_tile<S: Simd, const R: usize, const P: usize>(
        &mut self,
        simd: S,
        first: usize,
        lane: usize,
        panel: usize,
    ) {
        let k = self.b.row_count();
        let mut acc = self.start_tile::<S, R, P>(simd, first + lane, panel);
        let a = &self.a.panel(first / LANES)[..k];
        let mut b = self.b_panels::<P>(panel);
        for rows_of_b in &mut b {
            *rows_of_b = &rows_of_b[..k];
        }
        for kk in 0..k {
            let av: &[f32; R] = a[kk][lane..].first_chunk().expect("R lanes of A");
            let mut bv = [simd.splat(0.0); P];
            for j in 0..P {
                bv[j] = simd.load(&b[j][kk]);
            }
            for i in 0..R {
                let av = simd.splat(av[i]);
                for j in 0..P {
                    acc[i][j] = simd.mul_add(av, bv[j], acc[i][j]);
                }
            }
        }
        self.finish_tile(simd, first + lane, panel, acc);
    }

    #[inline(always)]
    fn b_panels<const P: usize>(&self, panel: usize) -> [&[Row]; P] {
        let mut b: [&[Row]; P] = [&[]; P];
        for j in 0..P {
            b[j] = self.b.panel(panel + j);
        }
        b
    }

    #[inline(always)]
    fn start_tile<S: Simd, const R: usize, const P: usize>(
        &self,
        simd: S,
        row: usize,
        panel: usize,
    ) -> [[S::V; P]; R] {
        let mut acc = [[simd.splat(0.0); P]; R];
        match self.start {
            Start::Zero => {}
            Start::Held => {
                for j in 0..P {
                    let c: &[Row; R] =
                        self.c.panel(panel + j)[row..].first_chunk().expect("R rows of C");
                    for i in 0..R {
                        acc[i][j] = simd.load(&c[i]);
                    }
                }
            }
            Start::Bias(terms) => {
                let terms: &[f32; R] =
                    terms.as_flattened()[row..].first_chunk().expect("R bias terms");
                for i in 0..R {
                    acc[i] = [simd.splat(terms[i]); P];
                }
            }
        }
        acc
    }

    #[inline(always)]
    fn finish_tile<S: Simd, const R: usize, const P: usize>(
        &mut self,
        simd: S,
        row: usize,
        panel: usize,
        acc: [[S::V; P]; R],
    ) {
        // Each loop is short enough to be unrolled, so that the tile stays in registers.
        let c = &mut self.c;
        match &mut self.finish {
            Finish::Store => {
                for j in 0..P {
                    let c = tile_rows::<R>(c, row, panel + j);
                    for i in 0..R {
                        simd.store(&mut c[i], acc[i][j]);
                    }
                }
            }
            Finish::Relu => {
                for j in 0..P {
                    let c = tile_rows::<R>(c, row, panel + j);
                    for i in 0..R {
                        let (value, _) = apply(simd, Activation::Relu, acc[i][j]);
                        simd.store(&mut c[i], value);
                    }
                }
            }
            Finish::ReluTrain(slopes) => {
                for j in 0..P {
                    let c = tile_rows::<R>(c, row, panel + j);
                    let slopes = tile_rows::<R>(slopes, row, panel + j);
                    for i in 0..R {
                        let (value, slope) = apply(simd, Activation::Relu, acc[i][j]);
                        simd.store(&mut c[i], value);
                        simd.store(&mut slopes[i], slope);
                    }
                }
            }
            Finish::Chain(errors) => {
                for j in 0..P {
                    let errors = tile_rows::<R>(errors, row, panel + j);
                    for i in 0..R {
                        let product = simd.mul(acc[i][j], simd.load(&errors[i]));
                        simd.store(&mut errors[i], product);
                    }
                }
            }
        }
    }
}

#[inline(always)]
fn tile_rows<'a, const R: usize>(
    matrix: &'a mut PanelsMut<'_>,
    row: usize,
    panel: usize,
) -> &'a mut [Row; R] {
    matrix.panel_mut(panel)[row..].first_chunk_mut().expect("R rows")
}
