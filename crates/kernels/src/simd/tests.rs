//! Every operation of every instruction set against its scalar twin.

use super::*;
use crate::Isa;
use crate::testing::{Draw, bits};

const SPECIAL: [f32; 18] = [
    0.0,
    -0.0,
    1.0,
    -1.0,
    0.5,
    1.5,
    2.5,
    -2.5,
    8_388_609.0,
    -8_388_607.5,
    1e-40,
    f32::MIN_POSITIVE,
    f32::MAX,
    f32::MIN,
    f32::INFINITY,
    f32::NEG_INFINITY,
    f32::NAN,
    -3.3,
];

#[derive(Clone, Copy, Debug)]
enum Op {
    Add,
    Sub,
    Mul,
    Div,
    Min,
    Max,
    Abs,
    Sqrt,
    Round,
    SelectLt,
    SelectEq,
    Splat,
}

const OPS: [Op; 12] = [
    Op::Add,
    Op::Sub,
    Op::Mul,
    Op::Div,
    Op::Min,
    Op::Max,
    Op::Abs,
    Op::Sqrt,
    Op::Round,
    Op::SelectLt,
    Op::SelectEq,
    Op::Splat,
];

/// The operation on a and b; comparisons select 1 or 2.
struct Apply(Op, Row, Row);

impl Kernel for Apply {
    type Output = Row;
    #[inline(always)]
    fn run<S: Simd>(self, s: S) -> Row {
        let (a, b) = (s.load(&self.1), s.load(&self.2));
        let (yes, no) = (s.splat(1.0), s.splat(2.0));
        let result = match self.0 {
            Op::Add => s.add(a, b),
            Op::Sub => s.sub(a, b),
            Op::Mul => s.mul(a, b),
            Op::Div => s.div(a, b),
            Op::Min => s.min(a, b),
            Op::Max => s.max(a, b),
            Op::Abs => s.abs(a),
            Op::Sqrt => s.sqrt(a),
            Op::Round => s.round(a),
            Op::SelectLt => s.select(s.lt(a, b), yes, no),
            Op::SelectEq => s.select(s.eq(a, b), yes, no),
            Op::Splat => s.splat(self.1[3]),
        };
        let mut row = [0.0; LANES];
        s.store(&mut row, result);
        row
    }
}

fn scalar(op: Op, a: f32, b: f32) -> f32 {
    let truth = |holds| if holds { 1.0 } else { 2.0 };
    match op {
        Op::Add => a + b,
        Op::Sub => a - b,
        Op::Mul => a * b,
        Op::Div => a / b,
        Op::Min => {
            if a < b {
                a
            } else {
                b
            }
        }
        Op::Max => {
            if b < a {
                a
            } else {
                b
            }
        }
        Op::Abs => a.abs(),
        Op::Sqrt => a.sqrt(),
        Op::Round => a.round_ties_even(),
        Op::SelectLt => truth(a < b),
        Op::SelectEq => truth(a == b),
        Op::Splat => a,
    }
}

#[test]
fn operations_equal_their_scalar_twins() {
    for isa in Isa::available() {
        for op in OPS {
            for a in SPECIAL {
                for shift in 0..SPECIAL.len() {
                    let b: Row = std::array::from_fn(|i| SPECIAL[(i + shift) % SPECIAL.len()]);
                    let row = isa.run(Apply(op, [a; LANES], b));
                    for (got, b) in row.into_iter().zip(b) {
                        let want = scalar(op, a, b);
                        // Which zero rounding gives is left open.
                        let close = matches!(op, Op::Round) && got == want;
                        let same = got.to_bits() == want.to_bits()
                            || close
                            || (got.is_nan() && want.is_nan());
                        assert!(same, "{op:?} of {a} and {b} on {isa}: {got}, not {want}");
                    }
                }
            }
        }
    }
}

struct MulAdds([Row; 3]);

impl Kernel for MulAdds {
    type Output = [Row; 2];
    #[inline(always)]
    fn run<S: Simd>(self, s: S) -> [Row; 2] {
        let [a, b, c] = [s.load(&self.0[0]), s.load(&self.0[1]), s.load(&self.0[2])];
        let mut rows = [[0.0; LANES]; 2];
        s.store(&mut rows[0], s.mul_add(a, b, c));
        s.store(&mut rows[1], s.neg_mul_add(a, b, c));
        rows
    }
}

#[test]
fn multiply_add_rounds_once_or_twice_as_promised() {
    let mut draw = Draw(1);
    let mut differ = 0;
    for _ in 0..200 {
        let input: [Row; 3] = draw.rows(3, 2.0).try_into().unwrap();
        for isa in Isa::available() {
            let [sum, difference] = isa.run(MulAdds(input));
            for i in 0..LANES {
                let [a, b, c] = [input[0][i], input[1][i], input[2][i]];
                let once = [a.mul_add(b, c), (-a).mul_add(b, c)];
                let twice = [a * b + c, c - a * b];
                differ += usize::from(once != twice);
                let got = [sum[i], difference[i]];
                if isa.name() == "portable" {
                    assert!(got == twice || got == once, "{isa}: {a} {b} {c}: {got:?}");
                } else {
                    assert_eq!(got, once, "{isa}: {a} {b} {c}");
                }
            }
        }
    }
    assert!(differ > 100, "inputs that tell one rounding from two");
}

struct Loads<'a>(&'a [u8; 4 * LANES]);

impl Kernel for Loads<'_> {
    type Output = [Row; 3];
    #[inline(always)]
    fn run<S: Simd>(self, s: S) -> [Row; 3] {
        let mut rows = [[0.0; LANES]; 3];
        s.store(&mut rows[0], s.load_u8(self.0.first_chunk().expect("16 of 64")));
        s.store(&mut rows[1], s.load_f16(self.0.first_chunk().expect("32 of 64")));
        s.store(&mut rows[2], s.load_f32(self.0));
        rows
    }
}

struct Head<'a>(&'a [u8]);

impl Kernel for Head<'_> {
    type Output = Row;
    #[inline(always)]
    fn run<S: Simd>(self, s: S) -> Row {
        let mut row = [f32::NAN; LANES];
        s.store(&mut row, s.load_f32_head(self.0));
        row
    }
}

#[test]
fn some_numbers_load_with_zeros_after_them() {
    let numbers: [f32; LANES] = std::array::from_fn(|i| i as f32 - 3.5);
    let bytes: Vec<u8> = numbers.iter().flat_map(|x| x.to_le_bytes()).collect();
    for isa in Isa::available() {
        for count in 0..LANES {
            let want: Row = std::array::from_fn(|i| if i < count { numbers[i] } else { 0.0 });
            assert_eq!(isa.run(Head(&bytes[..4 * count])), want, "{count} on {isa}");
        }
    }
}

/// Binary16 by its definition.
fn half(bits: u16) -> f64 {
    let sign = if bits >> 15 == 1 { -1.0 } else { 1.0 };
    let fraction = f64::from(bits & 0x3ff) / 1024.0;
    sign * match bits >> 10 & 0x1f {
        0 => fraction * 2f64.powi(-14),
        31 if fraction == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        e => (1.0 + fraction) * 2f64.powi(i32::from(e) - 15),
    }
}

#[test]
fn all_halves_and_bytes_load() {
    for isa in Isa::available() {
        for start in (0..=u16::MAX).step_by(LANES) {
            let mut bytes = [0; 4 * LANES];
            for i in 0..LANES as u16 {
                bytes[2 * usize::from(i)..][..2].copy_from_slice(&(start + i).to_le_bytes());
            }
            let [_, halves, _] = isa.run(Loads(&bytes));
            for (i, got) in halves.into_iter().enumerate() {
                let want = half(start + i as u16);
                let same =
                    got.is_nan() && want.is_nan() || f64::from(got).to_bits() == want.to_bits();
                assert!(same, "half {:#x} on {isa}: {got}, not {want}", start + i as u16);
            }
        }
        for start in (0..=u8::MAX).step_by(LANES) {
            let bytes = std::array::from_fn(|i| start.wrapping_add(i as u8));
            let [row, ..] = isa.run(Loads(&bytes));
            assert_eq!(row, std::array::from_fn(|i| f32::from(bytes[i])), "{isa}");
        }
    }
}

#[test]
fn floats_load_from_any_address() {
    let numbers: Row = std::array::from_fn(|i| (i as f32 - 7.3) * 1e5);
    for offset in 0..4 {
        let mut bytes = vec![0xff; offset];
        bytes.extend(numbers.iter().flat_map(|x| x.to_le_bytes()));
        for isa in Isa::available() {
            let [.., row] = isa.run(Loads(bytes[offset..].first_chunk().unwrap()));
            assert_eq!(row, numbers, "{isa} at {offset}");
        }
    }
}

struct Exponents(Row);

impl Kernel for Exponents {
    type Output = [Row; 3];
    #[inline(always)]
    fn run<S: Simd>(self, s: S) -> [Row; 3] {
        let mut rows = [[0.0; LANES]; 3];
        let x = s.load(&self.0);
        let (m, e) = s.split_exponent(x);
        s.store(&mut rows[0], m);
        s.store(&mut rows[1], e);
        s.store(&mut rows[2], s.exp2_int(x));
        rows
    }
}

#[test]
fn powers_of_two_are_made_and_taken_apart() {
    for isa in Isa::available() {
        for n in -126i16..=127 {
            let power = 2f64.powi(n.into()) as f32;
            let [_, _, made] = isa.run(Exponents([f32::from(n); LANES]));
            assert_eq!(made, [power; LANES], "2^{n} on {isa}");
            for m in [1.0, 1.0 + f32::EPSILON, 1.25, 1.5, 2.0 - f32::EPSILON] {
                let [mantissa, exponent, _] = isa.run(Exponents([power * m; LANES]));
                assert_eq!(mantissa, [m; LANES], "{m} 2^{n} on {isa}");
                assert_eq!(exponent, [f32::from(n); LANES], "{m} 2^{n} on {isa}");
            }
        }
    }
}

struct Turn([Row; LANES]);

impl Kernel for Turn {
    type Output = [Row; LANES];
    #[inline(always)]
    fn run<S: Simd>(self, s: S) -> [Row; LANES] {
        let mut to = [[f32::NAN; LANES]; LANES];
        s.transpose(&self.0, &mut to);
        to
    }
}

#[test]
fn blocks_transpose() {
    let from: [Row; LANES] =
        std::array::from_fn(|i| std::array::from_fn(|j| (i * LANES + j) as f32));
    for isa in Isa::available() {
        let to = isa.run(Turn(from));
        for (i, row) in from.iter().enumerate() {
            for (j, x) in row.iter().enumerate() {
                assert_eq!(to[j][i], *x, "row {i}, column {j} on {isa}");
            }
        }
    }
}

struct Sum(Row);

impl Kernel for Sum {
    type Output = f32;
    #[inline(always)]
    fn run<S: Simd>(self, s: S) -> f32 {
        s.sum(s.load(&self.0))
    }
}

#[test]
fn lanes_are_summed_in_one_order() {
    let mut draw = Draw(2);
    for row in draw.rows(100, 1e3) {
        let halves: [f32; 8] = std::array::from_fn(|i| row[i] + row[i + 8]);
        let quarters: [f32; 4] = std::array::from_fn(|i| halves[i] + halves[i + 4]);
        let want = (quarters[0] + quarters[2]) + (quarters[1] + quarters[3]);
        for isa in Isa::available() {
            assert_eq!(bits(&[[isa.run(Sum(row)); LANES]]), bits(&[[want; LANES]]), "{isa}");
        }
    }
}
