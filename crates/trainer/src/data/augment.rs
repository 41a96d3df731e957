//! How images are changed each time they are learned from: a function of the seed, the epoch and the row.
//!
//! What moves or hides pixels works on numbers as they are stored, whatever their type, since every type has zeros
//! for 0. Mixing works on numbers as the network takes them.

use crate::layer::View;
use crate::random::{Purpose, Random};
use std::ops::Range;

/// What is done to images. What is 0 or false is not done.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Augment {
    /// How pixels are arranged.
    pub(crate) view: View,
    /// Most pixels that an image is shifted by along each axis; 0 comes in where it was.
    pub(crate) shift: usize,
    /// Whether every second image is turned left to right.
    pub(crate) flip: bool,
    /// Pixels of its mirror image that an image is padded with on each side before one of its size is cut out.
    pub(crate) crop: usize,
    /// Side of a square that is set to 0, in pixels. It may lie partly outside of the image.
    pub(crate) cutout: usize,
    /// Both parameters of the beta distribution that shares of two rows are drawn from.
    pub(crate) mixup: f64,
}

/// What is drawn for a row: the numbers of the draws.
enum Draw {
    ShiftDown,
    ShiftRight,
    Flip,
    CropDown,
    CropRight,
    CutDown,
    CutRight,
    Partner,
    Share,
}

/// Changes of one epoch.
#[derive(Debug, Clone, Copy)]
pub struct Augmentation {
    augment: Augment,
    random: Random,
}

/// A row and how much of it goes into a mixture with another.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Mixture {
    /// The other row's place in its group.
    pub(crate) partner: usize,
    /// The share of the other row, at most one half.
    pub(crate) share: f32,
}

impl Augment {
    /// Whether pixels move or become 0.
    pub(crate) fn changes_pixels(&self) -> bool {
        self.shift > 0 || self.flip || self.crop > 0 || self.cutout > 0
    }

    /// The changes of an epoch.
    pub(crate) fn in_epoch(self, seed: u64, epoch: u64) -> Augmentation {
        Augmentation { augment: self, random: Random::new(seed, Purpose::Augmentation).part(epoch) }
    }
}

impl Augmentation {
    /// Whether pixels move or become 0.
    pub(crate) fn changes_pixels(&self) -> bool {
        self.augment.changes_pixels()
    }

    /// Whether rows are mixed.
    pub(crate) fn mixes(&self) -> bool {
        self.augment.mixup > 0.0
    }

    /// The image of a row as it is in this epoch; both have `SIZE` bytes a number.
    pub(crate) fn change<const SIZE: usize>(&self, row: u64, image: &[u8], out: &mut [u8]) {
        let View { height, width, channels } = self.augment.view;
        let random = self.random.part(row);
        let [down, right] = self.axes(random);
        let (image, _) = image.as_chunks::<SIZE>();
        let (out, _) = out.as_chunks_mut::<SIZE>();
        for (y, line) in out.chunks_exact_mut(width * channels).enumerate() {
            let Some(y) = down.source(y) else {
                line.fill([0; SIZE]);
                continue;
            };
            let from = &image[y * width * channels..][..width * channels];
            for (x, pixel) in line.chunks_exact_mut(channels).enumerate() {
                match right.source(x) {
                    Some(x) => pixel.copy_from_slice(&from[x * channels..][..channels]),
                    None => pixel.fill([0; SIZE]),
                }
            }
        }
        if self.augment.cutout > 0 {
            let ys = self.hidden(random, Draw::CutDown, height);
            let xs = self.hidden(random, Draw::CutRight, width);
            for y in ys {
                out[(y * width + xs.start) * channels..(y * width + xs.end) * channels]
                    .fill([0; SIZE]);
            }
        }
    }

    /// Which row of a group of `count` a row is mixed with, and how.
    pub(crate) fn mixture(&self, row: u64, count: usize) -> Mixture {
        let random = self.random.part(row);
        let partner = below(random, Draw::Partner, count);
        let share = random.part(Draw::Share as u64).beta(self.augment.mixup);
        Mixture { partner, share: share.min(1.0 - share) as f32 }
    }

    /// Where pixels come from along both axes.
    fn axes(&self, random: Random) -> [Axis; 2] {
        let Augment { view, shift, flip, crop, .. } = self.augment;
        let axis = |length, shift_draw, crop_draw, is_turned| Axis {
            length,
            shift: between(random, shift_draw, shift, length),
            crop: between(random, crop_draw, crop, length),
            is_turned,
        };
        let is_turned = flip && below(random, Draw::Flip, 2) == 1;
        [
            axis(view.height, Draw::ShiftDown, Draw::CropDown, false),
            axis(view.width, Draw::ShiftRight, Draw::CropRight, is_turned),
        ]
    }

    /// The part of an axis that is hidden: around any of its pixels.
    fn hidden(&self, random: Random, draw: Draw, length: usize) -> Range<usize> {
        let Augment { cutout, .. } = self.augment;
        let before = below(random, draw, length) + cutout - cutout / 2;
        before.saturating_sub(cutout)..before.min(length)
    }
}

/// A number below `count`.
fn below(random: Random, draw: Draw, count: usize) -> usize {
    // Shares of 2^32 differ by less than count / 2^32.
    (((random.bits(draw as u64) >> 32) * count as u64) >> 32) as usize
}

/// A number from -most to most; 0 along an axis of a single pixel.
fn between(random: Random, draw: Draw, most: usize, length: usize) -> isize {
    let most = if length > 1 { most } else { 0 };
    below(random, draw, 2 * most + 1) as isize - most as isize
}

/// Where pixels come from along an axis.
struct Axis {
    length: usize,
    shift: isize,
    crop: isize,
    is_turned: bool,
}

impl Axis {
    /// The place that a pixel comes from; `None` if from outside of the image.
    #[inline]
    fn source(&self, at: usize) -> Option<usize> {
        let last = self.length - 1;
        let at = if self.is_turned { last - at } else { at };
        let shifted = at.checked_add_signed(-self.shift).filter(|&at| at <= last)?;
        let cropped = (shifted as isize + self.crop).unsigned_abs();
        // Mirrored at the pixels at both ends, which stand once.
        Some(if cropped > last { 2 * last - cropped } else { cropped })
    }
}

#[cfg(test)]
mod tests;
