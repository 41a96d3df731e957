//! From stored rows to panels, and from panels to their transpose; throughput counts bytes read.

#![forbid(unsafe_code)]

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use gristmill_benches::{bytes, rows};
use gristmill_kernels::gather::{Gather, gather, transpose_panels};
use gristmill_kernels::{Element, Isa, LANES, RowSource, panels};

/// Samples of a row shard.
const SAMPLES: usize = 128;

/// Rows that lie apart in a data set that fits in no first-level cache.
struct Scattered<'a> {
    data: &'a [u8],
    row_bytes: usize,
}

impl RowSource for Scattered<'_> {
    fn len(&self) -> usize {
        SAMPLES
    }
    #[inline]
    fn row(&self, i: usize) -> &[u8] {
        let rows = self.data.len() / self.row_bytes;
        let row = i * 7919 % rows;
        &self.data[row * self.row_bytes..][..self.row_bytes]
    }
}

fn gathers(c: &mut Criterion) {
    let mut group = c.benchmark_group("gather");
    let data: Vec<u8> = (0..8 << 20).map(|i: u32| (i % 64) as u8).collect();
    for (name, element) in [("u8", Element::U8), ("f16", Element::F16), ("f32", Element::F32)] {
        for features in [28, 784] {
            let row_bytes = features * element.size();
            let source = Scattered { data: &data, row_bytes };
            let (shift, scale) = (rows(panels(features)), rows(panels(features)));
            let mut out = rows(panels(features) * SAMPLES);
            group.throughput(Throughput::Bytes((SAMPLES * row_bytes) as u64));
            for isa in Isa::available() {
                let id = BenchmarkId::new(format!("{name}x{features}"), isa);
                group.bench_function(id, |b| {
                    b.iter(|| {
                        let gathered = Gather {
                            element,
                            features,
                            source: &source,
                            shift: &shift,
                            scale: &scale,
                            rows: SAMPLES,
                            out: &mut out,
                        };
                        gather(isa, gathered);
                    });
                });
            }
        }
    }
    group.finish();
}

fn transposes(c: &mut Criterion) {
    let mut group = c.benchmark_group("transpose");
    for units in [28, 300, 512] {
        let from = rows(units * SAMPLES / LANES);
        let mut to = rows(SAMPLES * panels(units));
        group.throughput(Throughput::Bytes(bytes(from.len())));
        for isa in Isa::available() {
            group.bench_function(BenchmarkId::new(units.to_string(), isa), |b| {
                b.iter(|| transpose_panels(isa, &from, units, SAMPLES, &mut to));
            });
        }
    }
    group.finish();
}

criterion_group!(benches, gathers, transposes);
criterion_main!(benches);
