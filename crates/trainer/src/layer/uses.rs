//! Which rows of a table the samples of a shard use, part by part of the table.

use super::parameters::Table;
use gristmill_kernels::embedding::Use;

/// Uses of the rows of a table. Buffers are kept from step to step.
#[derive(Debug, Default)]
pub(crate) struct Uses {
    /// As they were found.
    found: Vec<Use>,
    /// By the parts of the table, within a part as they were found.
    by_part: Vec<Use>,
    /// Where each part begins, and the end of the last.
    bounds: Vec<usize>,
}

impl Uses {
    /// Lists at most `most` uses of a table, which `find` finds.
    pub(crate) fn list(&mut self, table: Table, most: usize, find: impl FnOnce(&mut Vec<Use>)) {
        let Uses { found, by_part, bounds } = self;
        found.clear();
        found.reserve(most);
        find(found);
        let bits = table.part_bits();
        let part = |used: &Use| (used.row() >> bits) as usize;
        bounds.clear();
        bounds.resize(table.parts() + 1, 0);
        for used in &*found {
            bounds[part(used)] += 1;
        }
        let mut end = 0;
        for bound in &mut *bounds {
            let count = std::mem::replace(bound, end);
            end += count;
        }
        by_part.reserve(most);
        by_part.resize(found.len(), Use::new(0, 0));
        for used in &*found {
            let place = &mut bounds[part(used)];
            by_part[*place] = *used;
            *place += 1;
        }
        // Each has moved to where the next one begins.
        bounds.rotate_right(1);
        bounds[0] = 0;
    }

    /// The uses of rows of a part.
    pub(crate) fn of_part(&self, part: usize) -> &[Use] {
        &self.by_part[self.bounds[part]..self.bounds[part + 1]]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_use_is_in_its_part() {
        for categories in [1, 64, 65, 1000, 70_000] {
            let table = Table { categories, width: 3, errors: 1 };
            let mut uses = Uses::default();
            for count in [0, 1, 500, 20] {
                let row = |i: u32| (i * 7919 + 5) % categories as u32;
                uses.list(table, 500, |found| {
                    found.extend((0..count).map(|i| Use::new(row(i), i)))
                });
                let mut all = Vec::new();
                for part in 0..table.parts() {
                    let bits = table.part_bits();
                    let of_part = uses.of_part(part);
                    assert!(of_part.iter().all(|used| used.row() >> bits == part as u32));
                    assert!(of_part.is_sorted_by_key(|used| used.error()), "in the order found");
                    all.extend_from_slice(of_part);
                }
                all.sort_unstable_by_key(|used| used.error());
                let wanted: Vec<Use> = (0..count).map(|i| Use::new(row(i), i)).collect();
                assert_eq!(all, wanted, "{count} of {categories}");
            }
        }
    }
}
