//! Changes of images, against the obvious way on a canvas, and some pinned to the bit.

use super::*;

const VIEW: View = View { height: 4, width: 5, channels: 2 };

const NONE: Augment = Augment { view: VIEW, shift: 0, flip: false, crop: 0, cutout: 0, mixup: 0.0 };

/// Rows that are tried: enough that every outcome of a few dozen comes up.
const ROWS: u64 = 2000;

/// Pixel (y, x) of channel c is 1 + 2 (5 y + x) + c.
fn image() -> Vec<u8> {
    (1..=VIEW.units() as u8).collect()
}

fn pixel(y: usize, x: usize) -> [u8; 2] {
    let first = 1 + 2 * (VIEW.width * y + x) as u8;
    [first, first + 1]
}

/// An image of what stands at each pixel.
fn drawn(at: impl Fn(isize, isize) -> [u8; 2]) -> Vec<u8> {
    let (height, width) = (VIEW.height as isize, VIEW.width as isize);
    (0..height).flat_map(|y| (0..width).map(move |x| (y, x))).flat_map(|(y, x)| at(y, x)).collect()
}

fn changed(augment: Augment, epoch: u64, row: u64) -> Vec<u8> {
    let mut out = vec![77; VIEW.units()];
    augment.in_epoch(3, epoch).change::<1>(row, &image(), &mut out);
    out
}

/// Every image comes up among many rows, and no other.
fn come_up(augment: Augment, expected: &[Vec<u8>]) {
    let mut seen = vec![0; expected.len()];
    for row in 0..ROWS {
        let found = changed(augment, 1, row);
        let which = expected.iter().position(|image| *image == found);
        seen[which.unwrap_or_else(|| panic!("row {row} became {found:?}"))] += 1;
    }
    // Images that come up twice as often as others are those that two draws lead to.
    let fair = ROWS as usize / expected.len();
    assert!(seen.iter().all(|&count| count > fair / 2), "{seen:?}");
}

#[test]
fn images_are_shifted_any_way_and_zeros_come_in() {
    let mut expected = Vec::new();
    for down in -2..=2 {
        for right in -2..=2 {
            expected.push(drawn(|y, x| {
                let (y, x) = (y - down, x - right);
                let inside = (0..4).contains(&y) && (0..5).contains(&x);
                if inside { pixel(y as usize, x as usize) } else { [0, 0] }
            }));
        }
    }
    come_up(Augment { shift: 2, ..NONE }, &expected);
}

#[test]
fn every_second_image_is_flipped() {
    let flipped = drawn(|y, x| pixel(y as usize, 4 - x as usize));
    come_up(Augment { flip: true, ..NONE }, &[image(), flipped]);
}

#[test]
fn images_are_cut_out_of_what_their_mirror_images_pad() {
    // Pixel -1 is pixel 1, and the one after the last that before it.
    let mirrored = |at: isize, length: isize| {
        let at = at.abs();
        (if at >= length { 2 * (length - 1) - at } else { at }) as usize
    };
    let mut expected = Vec::new();
    for down in -1..=1 {
        for right in -1..=1 {
            expected.push(drawn(|y, x| pixel(mirrored(y + down, 4), mirrored(x + right, 5))));
        }
    }
    come_up(Augment { crop: 1, ..NONE }, &expected);
}

#[test]
fn a_square_around_any_pixel_is_cut_out() {
    for side in [1, 2, 3] {
        let mut expected = Vec::new();
        for top in 0..4 {
            for left in 0..5 {
                let (top, left) = (top - side / 2, left - side / 2);
                expected.push(drawn(|y, x| {
                    let inside = (top..top + side).contains(&y) && (left..left + side).contains(&x);
                    if inside { [0, 0] } else { pixel(y as usize, x as usize) }
                }));
            }
        }
        come_up(Augment { cutout: side as usize, ..NONE }, &expected);
    }
}

#[test]
fn an_axis_of_one_pixel_stays() {
    let view = View { height: 1, width: 20, channels: 2 };
    let augment = Augment { view, shift: 3, crop: 2, ..NONE };
    for row in 0..50 {
        let found = changed(augment, 1, row);
        assert!(found.iter().any(|&value| value > 0), "row {row} is lost");
    }
}

#[test]
fn numbers_of_every_type_move_as_bytes_do() {
    let augment = Augment { shift: 1, flip: true, crop: 1, cutout: 2, ..NONE };
    let wide = |image: &[u8]| image.iter().flat_map(|&x| [x, 0, 0, x]).collect::<Vec<u8>>();
    let mut out = vec![77; 4 * VIEW.units()];
    for row in 0..20 {
        augment.in_epoch(3, 1).change::<4>(row, &wide(&image()), &mut out);
        assert_eq!(out, wide(&changed(augment, 1, row)), "row {row}");
    }
}

#[test]
fn rows_and_epochs_and_seeds_differ_and_nothing_else() {
    let augment = Augment { shift: 2, flip: true, ..NONE };
    let images = |epoch| (0..30).map(|row| changed(augment, epoch, row)).collect::<Vec<_>>();
    assert_eq!(images(1), images(1));
    assert_ne!(images(1), images(2));
    let mut out = vec![0; VIEW.units()];
    augment.in_epoch(4, 1).change::<1>(0, &image(), &mut out);
    let other: Vec<_> = (0..30)
        .map(|row| {
            augment.in_epoch(4, 1).change::<1>(row, &image(), &mut out);
            out.clone()
        })
        .collect();
    assert_ne!(images(1), other);
}

#[test]
fn rows_are_mixed_with_any_of_their_group_and_are_the_larger_part() {
    let augmentation = Augment { mixup: 0.4, ..NONE }.in_epoch(3, 1);
    let mut partners = [0; 16];
    for row in 0..ROWS {
        let Mixture { partner, share } = augmentation.mixture(row, 16);
        assert!((0.0..=0.5).contains(&share), "{share}");
        partners[partner] += 1;
    }
    assert!(partners.iter().all(|&count| count > ROWS / 32), "{partners:?}");
    assert_eq!(augmentation.mixture(9, 1).partner, 0);
}
