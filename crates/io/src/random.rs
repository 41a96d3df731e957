//! Random numbers that are functions of a place, not of what was drawn before.

/// 64 random bits for a place in a table: the finaliser of SplitMix64 over a sum with odd factors.
#[inline]
pub(crate) fn hash(seed: u64, row: u64, column: u64) -> u64 {
    let mut bits = seed
        .wrapping_mul(0xd6e8_feb8_6659_fd93)
        .wrapping_add(mix(row).wrapping_add(column.wrapping_mul(0x9e37_79b9_7f4a_7c15)));
    bits ^= bits >> 30;
    mix(bits)
}

#[inline]
fn mix(mut bits: u64) -> u64 {
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

/// Random bits as a number from 0 to `limit` - 1.
#[inline]
pub(crate) fn below(bits: u64, limit: u64) -> u64 {
    ((u128::from(bits) * u128::from(limit)) >> 64) as u64
}
