//! The gradient and the update of a part of a table: of the rows that a minibatch uses, and of no other.
//!
//! Each shard has listed its uses, part by part. What a part has of these lists is sorted, so that the errors of a
//! row are added in the order of the samples, however the minibatch was cut into shards. The optimiser
//! sees used rows only: momentum and second moments of the others stand still, and weight decay and penalties
//! do not touch them (as "lazy" Adam does elsewhere).

use crate::network::layout::TablePart;
use crate::step::scratch::grown;
use crate::step::shard::Shard;
use gristmill_kernels::embedding::{self, Use};
use gristmill_kernels::{Isa, LANES, Row, Rows, Step, UpdateRule, optimizer, reduce};
use std::cell::RefCell;

/// The gradient of a part of a table.
pub(crate) struct TableGradient {
    part: TablePart,
    /// What the minibatch uses of the part, sorted; rows are numbered from the first of the part on.
    uses: Vec<Use>,
    /// The rows used, each once, numbered from the first of the part on.
    used: Vec<u32>,
    /// Of each row used, one after the other without padding; has more room than that.
    gradient: Rows,
}

impl TableGradient {
    pub(crate) fn new(part: TablePart) -> TableGradient {
        TableGradient { part, uses: Vec::new(), used: Vec::new(), gradient: Rows::zeroed(0) }
    }

    /// Sums the gradient over the samples in the shards.
    pub(crate) fn sum(&mut self, isa: Isa, shards: &[Shard]) {
        let TablePart { node, number, table, ref categories, .. } = self.part;
        // The number of an error through the minibatch: that of its shard, and that within the shard.
        let bits = usize::BITS - (shards[0].capacity() * table.errors).leading_zeros();
        self.uses.clear();
        for (i, shard) in shards.iter().enumerate().filter(|(_, shard)| !shard.rows().is_empty()) {
            let own = shard.uses(node).of_part(number);
            let first = (i as u32) << bits;
            // Rows are numbered from the first of the part on.
            let row = |used: &Use| used.row() - categories.start as u32;
            self.uses.extend(own.iter().map(|used| Use::new(row(used), first | used.error())));
        }
        self.uses.sort_unstable();
        self.used.clear();
        self.used.extend(self.uses.iter().map(|used| used.row()));
        self.used.dedup();
        let rows = (self.used.len() * table.width).div_ceil(LANES);
        grown(&mut self.gradient, rows).fill([0.0; LANES]);
        let error = |number: u32| {
            let (shard, number) =
                ((number >> bits) as usize, (number & ((1 << bits) - 1)) as usize);
            &shards[shard].table_errors(node)[number * table.width..]
        };
        let gradient = &mut self.gradient.as_flattened_mut()[..self.used.len() * table.width];
        embedding::accumulate(isa, table.width, &self.uses, error, gradient);
    }

    /// Updates the rows used and their optimiser state, in the part's rows of the arenas.
    pub(crate) fn apply(
        &self,
        isa: Isa,
        rule: UpdateRule,
        step: &Step,
        weights: &mut [Row],
        slots: [&mut [Row]; 2],
    ) {
        let gradient = self.rows();
        let [first, second] = slots;
        let mut arenas = [weights, first, second];
        SCRATCH.with_borrow_mut(|buffers| {
            let mut arena = arenas.iter();
            let [w, a, b] = buffers.each_mut().map(|buffer| {
                let arena = arena.next().expect("an arena for each buffer");
                self.fetch(arena, buffer)
            });
            optimizer::update(isa, rule, step, w, gradient, a, b);
            for (rows, arena) in [w, a, b].into_iter().zip(&mut arenas) {
                self.put_back(rows, arena);
            }
        });
    }

    /// Copies the rows used out of an arena, one after the other; none where the arena is not in use.
    fn fetch<'b>(&self, arena: &[Row], buffer: &'b mut Rows) -> &'b mut [Row] {
        let count = if arena.is_empty() { 0 } else { self.rows().len() };
        let rows = grown(buffer, count);
        if let Some(last) = rows.last_mut() {
            *last = [0.0; LANES];
            let width = self.part.table.width;
            let to = &mut rows.as_flattened_mut()[..self.used.len() * width];
            embedding::pick(arena.as_flattened(), width, &self.used, to);
        }
        rows
    }

    /// The reverse of [`fetch`](Self::fetch).
    fn put_back(&self, rows: &[Row], arena: &mut [Row]) {
        if !arena.is_empty() {
            let width = self.part.table.width;
            let from = &rows.as_flattened()[..self.used.len() * width];
            embedding::put_back(from, width, &self.used, arena.as_flattened_mut());
        }
    }

    /// The sum of the squares of the gradient.
    pub(crate) fn squared_norm(&self, isa: Isa) -> f64 {
        reduce::squared_norm(isa, self.rows())
    }

    /// Writes the gradient into the part's rows of an arena.
    pub(crate) fn scatter(&self, arena: &mut [Row]) {
        arena.fill([0.0; LANES]);
        let width = self.part.table.width;
        let gradient = &self.gradient.as_flattened()[..self.used.len() * width];
        embedding::put_back(gradient, width, &self.used, arena.as_flattened_mut());
    }

    /// The gradient of the rows used; the rest of its last row is 0.
    fn rows(&self) -> &[Row] {
        &self.gradient[..(self.used.len() * self.part.table.width).div_ceil(LANES)]
    }
}

thread_local! {
    /// The rows used of the part at hand, and their optimiser state.
    static SCRATCH: RefCell<[Rows; 3]> = RefCell::new([0, 0, 0].map(Rows::zeroed));
}
