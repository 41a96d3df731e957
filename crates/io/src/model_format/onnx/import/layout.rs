//! How the values of a row lie in a tensor of another program's graph.
//!
//! Ours are numbered position by position. A tensor may have them in any order that transposing and reshaping
//! give: each of its dimensions counts some digits of the number, as strides of an array do.

use crate::model::View;

/// Stands for the number of rows among sizes.
pub(super) const ROWS: i64 = i64::MIN;

/// The part of a number that a dimension counts: `size` steps of `stride` values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Digit {
    size: usize,
    stride: usize,
}

/// A dimension of a tensor.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Dimension {
    /// The rows of the table.
    Rows,
    /// Values of a row; outer digits first, none of size 1, and none that are one digit together.
    Values(Vec<Digit>),
}

/// The dimensions of a tensor, of which one is that of the rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::model_format::onnx) struct Layout {
    dimensions: Vec<Dimension>,
}

/// A dimension of `size` steps of `stride` values.
fn dimension(size: usize, stride: usize) -> Dimension {
    normal(vec![Digit { size, stride }])
}

fn normal(digits: Vec<Digit>) -> Dimension {
    let mut joined: Vec<Digit> = Vec::new();
    for digit in digits.into_iter().filter(|digit| digit.size != 1) {
        match joined.last_mut() {
            Some(last) if last.stride == digit.size * digit.stride => {
                *last = Digit { size: last.size * digit.size, stride: digit.stride };
            }
            _ => joined.push(digit),
        }
    }
    Dimension::Values(joined)
}

impl Dimension {
    /// How long it is; of rows, that is not known.
    fn size(&self) -> Option<usize> {
        match self {
            Dimension::Rows => None,
            Dimension::Values(digits) => Some(digits.iter().map(|digit| digit.size).product()),
        }
    }

    /// What each step along it adds to the number of a value.
    fn offsets(&self) -> Vec<usize> {
        let Dimension::Values(digits) = self else { return vec![0] };
        digits.iter().fold(vec![0], |offsets, digit| {
            let steps = |offset: usize| (0..digit.size).map(move |i| offset + i * digit.stride);
            offsets.into_iter().flat_map(steps).collect()
        })
    }
}

impl Layout {
    /// Rows x values in their order.
    pub(in crate::model_format::onnx) fn flat(units: usize) -> Layout {
        Layout { dimensions: vec![Dimension::Rows, dimension(units, 1)] }
    }

    /// Rows x channels x positions; the positions are as many dimensions as `rank` leaves for them.
    pub(in crate::model_format::onnx) fn channels_first(view: View, rank: usize) -> Layout {
        let View { height, width, channels } = view;
        let mut dimensions = vec![Dimension::Rows, dimension(channels, 1)];
        dimensions.extend((rank >= 4).then(|| dimension(height, width * channels)));
        dimensions.extend((rank >= 3).then(|| dimension(width, channels)));
        Layout { dimensions }
    }

    /// Positions x channels, as many dimensions as `rank` leaves, with the rows at `rows`.
    pub(in crate::model_format::onnx) fn channels_last(
        view: View,
        rank: usize,
        rows: usize,
    ) -> Layout {
        let View { height, width, channels } = view;
        let mut dimensions = Vec::new();
        dimensions.extend((rank >= 4).then(|| dimension(height, width * channels)));
        dimensions.extend((rank >= 3).then(|| dimension(width, channels)));
        dimensions.push(dimension(channels, 1));
        dimensions.insert(rows.min(dimensions.len()), Dimension::Rows);
        Layout { dimensions }
    }

    /// Dimensions of these sizes and strides; that of the rows has none.
    pub(super) fn strided(dimensions: &[Option<(usize, usize)>]) -> Layout {
        let of = |part: &Option<(usize, usize)>| match *part {
            Some((size, stride)) => dimension(size, stride),
            None => Dimension::Rows,
        };
        Layout { dimensions: dimensions.iter().map(of).collect() }
    }

    pub(super) fn rank(&self) -> usize {
        self.dimensions.len()
    }

    /// The sizes of the dimensions; that of the rows is not known.
    pub(super) fn sizes(&self) -> Vec<Option<usize>> {
        self.dimensions.iter().map(Dimension::size).collect()
    }

    /// Which dimension is that of the rows.
    pub(super) fn rows(&self) -> usize {
        self.dimensions.iter().position(|d| *d == Dimension::Rows).unwrap_or(0)
    }

    /// How many values a row has.
    pub(in crate::model_format::onnx) fn units(&self) -> usize {
        self.sizes().into_iter().flatten().product()
    }

    /// A dimension counted from the end where the number is negative.
    ///
    /// # Errors
    /// There is no such dimension.
    pub(super) fn axis(&self, axis: i64) -> Result<usize, String> {
        let rank = self.rank();
        let counted = if axis < 0 { axis + rank as i64 } else { axis };
        let counted = usize::try_from(counted).ok().filter(|axis| *axis < rank);
        counted.ok_or_else(|| format!("names the dimension {axis} of a value of {rank}"))
    }

    /// # Errors
    /// `order` does not name each dimension once.
    pub(super) fn transposed(&self, order: &[i64]) -> Result<Layout, String> {
        let axes = order.iter().map(|&axis| self.axis(axis)).collect::<Result<Vec<_>, _>>()?;
        let mut sorted = axes.clone();
        sorted.sort_unstable();
        if !sorted.into_iter().eq(0..self.rank()) {
            return Err(format!(
                "has the attribute perm = {order:?} for {} dimensions",
                self.rank()
            ));
        }
        Ok(Layout {
            dimensions: axes.into_iter().map(|axis| self.dimensions[axis].clone()).collect(),
        })
    }

    /// With dimensions of size 1 at these places of the result.
    ///
    /// # Errors
    /// There are no such places.
    pub(super) fn unsqueezed(&self, axes: &[i64]) -> Result<Layout, String> {
        let rank = self.rank() + axes.len();
        let mut places = Vec::new();
        for &axis in axes {
            let place = if axis < 0 { axis + rank as i64 } else { axis };
            let place = usize::try_from(place).ok().filter(|place| *place < rank);
            places.push(place.ok_or_else(|| format!("has the axes {axes:?}"))?);
        }
        places.sort_unstable();
        let mut layout = self.clone();
        for place in places {
            if place > layout.rank() {
                return Err(format!("has the axes {axes:?}"));
            }
            layout.dimensions.insert(place, dimension(1, 1));
        }
        Ok(layout)
    }

    /// Without these dimensions, or without all of size 1.
    ///
    /// # Errors
    /// One of them is not of size 1.
    pub(super) fn squeezed(&self, axes: Option<&[i64]>) -> Result<Layout, String> {
        let mut is_left_out = vec![false; self.rank()];
        match axes {
            None => {
                let of_one = self.sizes().into_iter().map(|size| size == Some(1));
                is_left_out = of_one.collect();
            }
            Some(axes) => {
                for &axis in axes {
                    let axis = self.axis(axis)?;
                    if self.dimensions[axis].size() != Some(1) {
                        return Err(format!(
                            "leaves out the dimension {axis}, which is not of size 1"
                        ));
                    }
                    is_left_out[axis] = true;
                }
            }
        }
        let kept = self.dimensions.iter().zip(is_left_out).filter(|(_, left_out)| !left_out);
        Ok(Layout { dimensions: kept.map(|(dimension, _)| dimension.clone()).collect() })
    }

    /// As a `Reshape` to these sizes arranges it: -1 is what is left, 0 what the dimension was.
    ///
    /// # Errors
    /// The sizes do not fit, or mix rows or digits.
    pub(super) fn reshaped(&self, target: &[i64]) -> Result<Layout, String> {
        let rows = self.rows();
        let digits = |dimensions: &[Dimension]| -> Vec<Digit> {
            let of = |dimension: &Dimension| match dimension {
                Dimension::Rows => Vec::new(),
                Dimension::Values(digits) => digits.clone(),
            };
            dimensions.iter().flat_map(of).collect()
        };
        let (before, after) =
            (digits(&self.dimensions[..rows]), digits(&self.dimensions[rows + 1..]));
        let sizes = self.sizes();
        let refuse = || format!("makes {target:?} of a value of the sizes {sizes:?}");
        for (place, &entry) in target.iter().enumerate() {
            // The rows stay by 0, take what is left by -1, and are 1 where a graph was made for one row.
            let may_be_rows = [-1, 1, ROWS].contains(&entry) || (entry == 0 && place == rows);
            if !may_be_rows || target.iter().filter(|&&entry| entry == -1).count() > 1 {
                continue;
            }
            let of = |from: usize, entries: &[i64], digits: &[Digit]| -> Option<Vec<Dimension>> {
                let sizes = entries.iter().enumerate().map(|(at, &entry)| match entry {
                    0 => sizes.get(from + at).copied().flatten().map(Some),
                    -1 => Some(None),
                    size => usize::try_from(size).ok().map(Some),
                });
                split(digits, &sizes.collect::<Option<Vec<_>>>()?)
            };
            let left = of(0, &target[..place], &before);
            let right = of(place + 1, &target[place + 1..], &after);
            if let (Some(left), Some(right)) = (left, right) {
                let dimensions = left.into_iter().chain([Dimension::Rows]).chain(right).collect();
                return Ok(Layout { dimensions });
            }
        }
        Err(refuse())
    }

    /// The number of each value, in the order of the tensor's elements.
    pub(super) fn order(&self) -> Vec<usize> {
        self.dimensions.iter().fold(vec![0], |numbers, dimension| {
            let offsets = dimension.offsets();
            let with = |number: usize| {
                offsets.iter().map(move |offset| number + offset).collect::<Vec<_>>()
            };
            numbers.into_iter().flat_map(with).collect()
        })
    }

    /// The element of a constant of this shape that each value is combined with.
    ///
    /// # Errors
    /// The shapes cannot be combined.
    pub(super) fn combined_with(&self, shape: &[usize]) -> Result<Vec<usize>, String> {
        let refuse = || {
            format!("combines a value of the sizes {:?} with a constant of {shape:?}", self.sizes())
        };
        let missing = self.rank().checked_sub(shape.len()).ok_or_else(refuse)?;
        let mut places = vec![(0, 0)];
        let mut stride: usize = shape.iter().product();
        for (axis, dimension) in self.dimensions.iter().enumerate() {
            let size = axis.checked_sub(missing).map_or(1, |axis| shape[axis]);
            stride /= size.max(1);
            let step = match dimension.size() {
                _ if size == 1 => 0,
                Some(own) if own == size => stride,
                _ => return Err(refuse()),
            };
            let offsets = dimension.offsets();
            let along = |(number, element): (usize, usize)| {
                let step =
                    move |(i, offset): (usize, &usize)| (number + offset, element + i * step);
                offsets.iter().enumerate().map(step).collect::<Vec<_>>()
            };
            places = places.into_iter().flat_map(along).collect();
        }
        let mut elements = vec![0; places.len()];
        places.into_iter().for_each(|(number, element)| elements[number] = element);
        Ok(elements)
    }
}

/// Digits as dimensions of these sizes, of which one may be what is left.
fn split(digits: &[Digit], sizes: &[Option<usize>]) -> Option<Vec<Dimension>> {
    let all: usize = digits.iter().map(|digit| digit.size).product();
    let known =
        sizes.iter().flatten().try_fold(1usize, |product, &size| product.checked_mul(size))?;
    if !all.is_multiple_of(known) {
        return None;
    }
    let left = all / known;
    if left != 1 && !sizes.contains(&None) {
        return None;
    }
    let mut rest: Vec<Digit> = digits.iter().rev().copied().collect();
    let mut dimensions = Vec::with_capacity(sizes.len());
    for size in sizes {
        let (mut need, mut own) = (size.unwrap_or(left), Vec::new());
        while need > 1 {
            let digit = rest.pop()?;
            if need % digit.size == 0 {
                need /= digit.size;
                own.push(digit);
            } else if digit.size % need == 0 {
                let inner = digit.size / need;
                own.push(Digit { size: need, stride: digit.stride * inner });
                rest.push(Digit { size: inner, ..digit });
                need = 1;
            } else {
                return None;
            }
        }
        dimensions.push(normal(own));
    }
    Some(dimensions)
}

#[cfg(test)]
mod tests {
    use super::*;

    const VIEW: View = View { height: 2, width: 3, channels: 4 };

    #[test]
    fn transposing_and_flattening_give_the_order_of_channels() {
        let image = Layout::channels_first(VIEW, 4);
        assert_eq!(image.sizes(), [None, Some(4), Some(2), Some(3)]);
        let flat = image.reshaped(&[0, -1]).unwrap();
        let expected = Vec::from_iter((0..4).flat_map(|c| (0..6).map(move |p| p * 4 + c)));
        assert_eq!(flat.order(), expected);
        assert_eq!(flat.reshaped(&[-1, 4, 2, 3]).unwrap(), image);
        let positions = image.transposed(&[0, 2, 3, 1]).unwrap();
        assert_eq!(positions, Layout::channels_last(VIEW, 4, 0));
        assert_eq!(positions.reshaped(&[0, 24]).unwrap(), Layout::flat(24));
    }

    #[test]
    fn rows_stay_where_they_are() {
        let steps = Layout::channels_last(View { height: 1, width: 5, channels: 6 }, 3, 1);
        assert_eq!(steps.sizes(), [Some(5), None, Some(6)]);
        let split = steps.reshaped(&[0, 0, 2, 3]).unwrap();
        assert_eq!(split.sizes(), [Some(5), None, Some(2), Some(3)]);
        assert_eq!(split.reshaped(&[5, -1, 6]).unwrap(), steps);
        assert!(steps.reshaped(&[-1, 30]).is_err(), "mixes rows with steps");
        assert!(steps.reshaped(&[4, -1, 6]).is_err());
        assert_eq!(steps.unsqueezed(&[1, -1]).unwrap().squeezed(None).unwrap(), steps);
        assert!(steps.squeezed(Some(&[0])).is_err());
    }

    #[test]
    fn constants_are_spread_over_values() {
        let image = Layout::channels_first(VIEW, 4);
        let channels = image.combined_with(&[4, 1, 1]).unwrap();
        assert_eq!(channels, Vec::from_iter((0..24).map(|number| number % 4)));
        let columns = image.combined_with(&[3]).unwrap();
        assert_eq!(columns, Vec::from_iter((0..24).map(|number| number / 4 % 3)));
        assert!(image.combined_with(&[4]).is_err());
        assert!(image.combined_with(&[2, 1, 1, 1]).is_err(), "rows have no constant each");
    }
}
