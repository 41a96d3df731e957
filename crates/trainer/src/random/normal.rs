//! The quantile function of the normal distribution, without a C library.

/// The number below which a normal draw falls with probability `p`, 0 < p < 1.
///
/// Wichura's algorithm AS 241 (PPND16): relative error about 1e-16.
#[allow(clippy::excessive_precision)]
pub(super) fn inverse_normal(p: f64) -> f64 {
    const A: [f64; 8] = [
        3.387_132_872_796_366_608,
        1.331_416_678_917_843_774_5e2,
        1.971_590_950_306_551_442_7e3,
        1.373_169_376_550_946_112_5e4,
        4.592_195_393_154_987_145_7e4,
        6.726_577_092_700_870_085_3e4,
        3.343_057_558_358_812_810_5e4,
        2.509_080_928_730_122_672_7e3,
    ];
    const B: [f64; 8] = [
        1.0,
        4.231_333_070_160_091_125_2e1,
        6.871_870_074_920_579_083e2,
        5.394_196_021_424_751_107_7e3,
        2.121_379_430_158_659_586_7e4,
        3.930_789_580_009_271_061e4,
        2.872_908_573_572_194_267_4e4,
        5.226_495_278_852_854_561e3,
    ];
    const C: [f64; 8] = [
        1.423_437_110_749_683_577_34,
        4.630_337_846_156_545_295_9,
        5.769_497_221_460_691_405_5,
        3.647_848_324_763_204_605_04,
        1.270_458_252_452_368_382_58,
        2.417_807_251_774_506_117_7e-1,
        2.272_384_498_926_918_458_33e-2,
        7.745_450_142_783_414_076_4e-4,
    ];
    const D: [f64; 8] = [
        1.0,
        2.053_191_626_637_758_821_87,
        1.676_384_830_183_803_849_4,
        6.897_673_349_851_000_045_5e-1,
        1.481_039_764_274_800_745_9e-1,
        1.519_866_656_361_645_719_66e-2,
        5.475_938_084_995_344_946e-4,
        1.050_750_071_644_416_843_24e-9,
    ];
    const E: [f64; 8] = [
        6.657_904_643_501_103_777_2,
        5.463_784_911_164_114_369_9,
        1.784_826_539_917_291_335_8,
        2.965_605_718_285_048_912_3e-1,
        2.653_218_952_657_612_309_3e-2,
        1.242_660_947_388_078_438_6e-3,
        2.711_555_568_743_487_578_15e-5,
        2.010_334_399_292_288_132_65e-7,
    ];
    const F: [f64; 8] = [
        1.0,
        5.998_322_065_558_879_376_9e-1,
        1.369_298_809_227_358_053_1e-1,
        1.487_536_129_085_061_485_25e-2,
        7.868_691_311_456_132_591e-4,
        1.846_318_317_510_054_681_8e-5,
        1.421_511_758_316_445_888_7e-7,
        2.044_263_103_389_939_785_64e-15,
    ];
    let ratio = |x: f64, above: &[f64; 8], below: &[f64; 8]| {
        let horner = |c: &[f64; 8]| c.iter().rev().fold(0.0, |sum, c| sum * x + c);
        horner(above) / horner(below)
    };
    let q = p - 0.5;
    if q.abs() <= 0.425 {
        return q * ratio(0.180625 - q * q, &A, &B);
    }
    let r = (-natural_logarithm(p.min(1.0 - p))).sqrt();
    let tail = if r <= 5.0 { ratio(r - 1.6, &C, &D) } else { ratio(r - 5.0, &E, &F) };
    tail.copysign(q)
}

/// ln x of a positive normal number. The standard library's may differ from one C library to
/// another, and so would start weights.
fn natural_logarithm(x: f64) -> f64 {
    let bits = x.to_bits();
    let exponent = (bits >> 52) as i64 - 1023;
    let mantissa = f64::from_bits(bits & ((1 << 52) - 1) | 1023 << 52);
    // ln m = 2 artanh((m - 1) / (m + 1)) for m within sqrt(1/2)..sqrt(2), where 12 terms do.
    let (m, exponent) = if mantissa > std::f64::consts::SQRT_2 {
        (mantissa / 2.0, exponent + 1)
    } else {
        (mantissa, exponent)
    };
    let s = (m - 1.0) / (m + 1.0);
    let series = (0..12).rev().fold(0.0, |sum, k| sum * s * s + 1.0 / f64::from(2 * k + 1));
    exponent as f64 * std::f64::consts::LN_2 + 2.0 * s * series
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Purpose, Random};

    #[test]
    fn inverse_normal_matches_reference_quantiles() {
        // Computed with 40 digits.
        #[allow(clippy::excessive_precision)]
        let quantiles = [
            (1e-300, -37.047096299361199237),
            (1e-12, -7.0344838253011319326),
            (0.001, -3.0902323061678135354),
            (0.08, -1.4050715603096325447),
            (0.3, -0.52440051270804081597),
            (0.93, 1.475791028179171099),
            (0.9999999999990905, 7.0477002566644087254),
        ];
        for (p, expected) in quantiles {
            let error = (inverse_normal(p) - expected).abs() / expected.abs();
            assert!(error < 2e-15, "p = {p}: {error:e}");
        }
        assert_eq!(inverse_normal(0.5), 0.0);
    }
    #[test]
    fn logarithm_matches_the_standard_library() {
        for i in 0..10_000 {
            let x = Random::new(1, Purpose::Split).uniform(i).powi(20) + 1e-300;
            let error = (natural_logarithm(x) - x.ln()).abs();
            assert!(error <= 4e-16 * x.ln().abs().max(1e-3), "ln {x}");
        }
    }
}
