//! The matrix products against the textbook triple loop, on every instruction set.

use gristmill_kernels::{
    Finish, Isa, LANES, Panels, PanelsMut, Rows, Start, multiply, panels, transposed_multiply,
};

const SIZES: [usize; 8] = [1, 2, 7, 16, 17, 33, 50, 100];

/// A dense row-major matrix, the obvious way.
#[derive(Clone)]
struct Matrix {
    rows: usize,
    cols: usize,
    data: Vec<f32>,
}

impl Matrix {
    /// Small multiples of 1/8: products and sums of them are exact in f32, so results compare equal.
    fn numbers(rows: usize, cols: usize, seed: u32) -> Matrix {
        let mut state = seed;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            ((state >> 24) % 33) as f32 / 8.0 - 2.0
        };
        Matrix { rows, cols, data: (0..rows * cols).map(|_| next()).collect() }
    }

    fn at(&self, i: usize, j: usize) -> f32 {
        self.data[i * self.cols + j]
    }

    fn transposed(&self) -> Matrix {
        let data = (0..self.cols).flat_map(|j| (0..self.rows).map(move |i| self.at(i, j)));
        Matrix { rows: self.cols, cols: self.rows, data: data.collect() }
    }

    fn to_panels(&self) -> Rows {
        let mut out = Rows::zeroed(self.rows * panels(self.cols));
        for i in 0..self.rows {
            for j in 0..self.cols {
                out[j / LANES * self.rows + i][j % LANES] = self.at(i, j);
            }
        }
        out
    }

    fn from_panels(rows: usize, cols: usize, data: &[[f32; LANES]]) -> Matrix {
        let at = |i: usize, j: usize| data[j / LANES * rows + i][j % LANES];
        let data = (0..rows).flat_map(|i| (0..cols).map(move |j| at(i, j))).collect();
        Matrix { rows, cols, data }
    }

    fn plus_product(&self, a: &Matrix, b: &Matrix) -> Matrix {
        let mut c = self.clone();
        for i in 0..c.rows {
            for j in 0..c.cols {
                for k in 0..a.cols {
                    c.data[i * c.cols + j] += a.at(i, k) * b.at(k, j);
                }
            }
        }
        c
    }
}

fn each_case(check: impl Fn(Isa, Matrix, Matrix, Matrix)) {
    for isa in Isa::available() {
        for m in SIZES {
            for k in SIZES {
                for n in SIZES {
                    let (a, b) = (Matrix::numbers(m, k, 1), Matrix::numbers(k, n, 2));
                    check(isa, Matrix::numbers(m, n, 3), a, b);
                }
            }
        }
    }
}

#[test]
fn plain_product_is_the_triple_loop() {
    each_case(|isa, c, a, b| {
        let mut out = c.to_panels();
        multiply(
            isa,
            PanelsMut::new(&mut out, c.rows),
            Panels::new(&a.to_panels(), a.rows),
            Panels::new(&b.to_panels(), b.rows),
            Start::Held,
            Finish::Store,
        );
        let got = Matrix::from_panels(c.rows, c.cols, &out);
        assert_eq!(got.data, c.plus_product(&a, &b).data, "{isa} {} {} {}", c.rows, a.cols, c.cols);
    });
}

#[test]
fn transposed_product_is_the_triple_loop() {
    each_case(|isa, c, a, b| {
        let mut out = c.to_panels();
        transposed_multiply(
            isa,
            PanelsMut::new(&mut out, c.rows),
            Panels::new(&a.transposed().to_panels(), a.cols),
            Panels::new(&b.to_panels(), b.rows),
            Start::Held,
            Finish::Store,
        );
        let got = Matrix::from_panels(c.rows, c.cols, &out);
        assert_eq!(got.data, c.plus_product(&a, &b).data, "{isa} {} {} {}", c.rows, a.cols, c.cols);
    });
}

/// Numbers whose sums are rounded, so that the order of summation shows in the last bits.
fn thirds(len: usize) -> Rows {
    let mut rows = Rows::zeroed(len);
    for (i, x) in rows.iter_mut().flatten().enumerate() {
        *x = 1.0 / (3.0 + (i % 97) as f32) - 0.1;
    }
    rows
}

/// Splitting k, the rows of C or the panels of C into separate calls must not change a bit: the
/// trainer's promise of equal bits on any number of threads rests on this.
#[test]
fn blocking_does_not_change_a_bit() {
    let (m, k, n) = (45, 80, 70);
    let (a, at, b) = (thirds(m * panels(k)), thirds(k * panels(m)), thirds(k * panels(n)));
    for isa in Isa::available() {
        let mut whole = thirds(m * panels(n));
        let (left, right) = (Panels::new(&a, m), Panels::new(&b, k));
        multiply(isa, PanelsMut::new(&mut whole, m), left, right, Start::Held, Finish::Store);
        let mut parts = thirds(m * panels(n));
        for rows in [0..7, 7..32, 32..45] {
            for (block, ks) in [(0..2, 0..32), (2..5, 32..80)] {
                let c = PanelsMut::new(&mut parts, m).rows(rows.clone());
                let a = left.rows(rows.clone()).panels(block);
                multiply(isa, c, a, right.rows(ks), Start::Held, Finish::Store);
            }
        }
        assert_eq!(*whole, *parts, "{isa} plain");

        let mut whole = thirds(m * panels(n));
        let left = Panels::new(&at, k);
        transposed_multiply(
            isa,
            PanelsMut::new(&mut whole, m),
            left,
            right,
            Start::Held,
            Finish::Store,
        );
        let mut parts = thirds(m * panels(n));
        for (block, rows) in [(0..1, 0..16), (1..3, 16..45)] {
            for ks in [0..11, 11..80] {
                let c = PanelsMut::new(&mut parts, m).rows(rows.clone());
                let a = left.panels(block.clone()).rows(ks.clone());
                transposed_multiply(isa, c, a, right.rows(ks), Start::Held, Finish::Store);
            }
        }
        assert_eq!(*whole, *parts, "{isa} transposed");
    }
}

/// Every start and finish, with both products, against the plain product followed by plain loops.
#[test]
fn starts_and_finishes_are_passes_of_their_own() {
    for isa in Isa::available() {
        for (m, k, n) in [(1, 1, 1), (7, 17, 33), (45, 80, 70), (100, 33, 16)] {
            let (a, at, b) = (thirds(m * panels(k)), thirds(k * panels(m)), thirds(k * panels(n)));
            let product = |c: PanelsMut<'_>, start: Start<'_>, finish: Finish<'_>, transposed| {
                let right = Panels::new(&b, k);
                if transposed {
                    transposed_multiply(isa, c, Panels::new(&at, k), right, start, finish);
                } else {
                    multiply(isa, c, Panels::new(&a, m), right, start, finish);
                }
            };
            let terms = thirds(panels(m));
            for transposed in [false, true] {
                for bias in [None, Some(&terms)] {
                    let mut sums = Rows::zeroed(m * panels(n));
                    for (i, row) in sums.iter_mut().enumerate() {
                        *row = [bias.map_or(0.0, |terms| terms.as_flattened()[i % m]); LANES];
                    }
                    let start = bias.map_or(Start::Zero, |terms| Start::Bias(terms));
                    product(PanelsMut::new(&mut sums, m), Start::Held, Finish::Store, transposed);

                    let mut c = thirds(m * panels(n));
                    product(PanelsMut::new(&mut c, m), start, Finish::Store, transposed);
                    assert_eq!(*c, *sums, "{isa} start");

                    let (mut c, mut slopes) = (thirds(m * panels(n)), thirds(m * panels(n)));
                    let finish = Finish::ReluTrain(PanelsMut::new(&mut slopes, m));
                    product(PanelsMut::new(&mut c, m), start, finish, transposed);
                    let mut rectified = thirds(m * panels(n));
                    let out = PanelsMut::new(&mut rectified, m);
                    product(out, start, Finish::Relu, transposed);
                    assert_eq!(*rectified, *c, "{isa} ReLU without slopes");
                    for ((c, slope), sum) in
                        c.iter().flatten().zip(slopes.iter().flatten()).zip(sums.iter().flatten())
                    {
                        assert_eq!((*c, *slope), (sum.max(0.0), f32::from(*sum > 0.0)), "{isa}");
                    }

                    let (mut c, mut errors) = (thirds(m * panels(n)), thirds(m * panels(n)));
                    let (held, slopes) = (c.clone(), errors.clone());
                    let finish = Finish::Chain(PanelsMut::new(&mut errors, m));
                    product(PanelsMut::new(&mut c, m), start, finish, transposed);
                    assert_eq!(*c, *held, "{isa} chain writes C");
                    for ((error, slope), sum) in errors
                        .iter()
                        .flatten()
                        .zip(slopes.iter().flatten())
                        .zip(sums.iter().flatten())
                    {
                        assert_eq!(*error, slope * sum, "{isa} chain");
                    }
                }
            }
        }
    }
}
