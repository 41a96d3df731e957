//! Convolutions and pools.

use super::layout::Layout;
use super::operator::Operator;
use super::reader::{Reader, Value};
use crate::model::{Activation, Conv, Layer, Pool, PoolFunction, View, Window, With};

/// More of any number of a window than any layer has.
const MOST: i64 = 1 << 28;

/// More values than any layer gives.
const MOST_UNITS: usize = 1 << 24;

/// One number for each dimension of an image; a series has one, and is one high.
fn pair(
    operator: &Operator,
    name: &'static str,
    default: [usize; 2],
) -> Result<[usize; 2], String> {
    let refuse = |numbers: &[i64]| format!("has the attribute {name} = {numbers:?}");
    let size = |numbers: &[i64], at: usize| match usize::try_from(numbers[at]) {
        Ok(size) if numbers[at] <= MOST => Ok(size),
        _ => Err(refuse(numbers)),
    };
    match operator.integers(name) {
        None => Ok(default),
        Some(numbers @ [_]) => Ok([default[0], size(numbers, 0)?]),
        Some(numbers @ [_, _]) => Ok([size(numbers, 0)?, size(numbers, 1)?]),
        Some(numbers) => Err(refuse(numbers)),
    }
}

/// What lies around an image: before it and after it.
fn pads(operator: &Operator) -> Result<[[usize; 2]; 2], String> {
    let numbers = operator.integers("pads").unwrap_or(&[0; 4]);
    let found = numbers.iter().map(|&pad| usize::try_from(pad).ok().filter(|_| pad <= MOST));
    match found.collect::<Option<Vec<_>>>().as_deref() {
        Some(&[left, right]) => Ok([[0, left], [0, right]]),
        Some(&[above, left, below, right]) => Ok([[above, left], [below, right]]),
        _ => Err(format!("has the attribute pads = {numbers:?}")),
    }
}

/// The window of a node that moves over `input`, and what lies around that.
fn window(
    operator: &Operator,
    size: [usize; 2],
    input: View,
) -> Result<(Window, [[usize; 2]; 2]), String> {
    let stride = pair(operator, "strides", [1, 1])?;
    let dilation = pair(operator, "dilations", [1, 1])?;
    let [mut before, mut after] = pads(operator)?;
    let automatic = operator.text("auto_pad", "NOTSET");
    let is_ceiling = operator.integer("ceil_mode", 0) != 0;
    let mut output = [0; 2];
    for (d, length) in [input.height, input.width].into_iter().enumerate() {
        let span = size[d].saturating_sub(1).saturating_mul(dilation[d]).saturating_add(1);
        if stride[d] == 0 || size[d] == 0 || dilation[d] == 0 {
            return Err("has a window of no size or stride".to_owned());
        }
        match automatic.as_str() {
            "NOTSET" | "" => {}
            "VALID" => (before[d], after[d]) = (0, 0),
            "SAME_UPPER" | "SAME_LOWER" => {
                let seen = ((length.div_ceil(stride[d]) - 1) * stride[d]).saturating_add(span);
                let all = seen.saturating_sub(length);
                (before[d], after[d]) = (all / 2, all - all / 2);
                if automatic == "SAME_LOWER" {
                    (before[d], after[d]) = (after[d], before[d]);
                }
            }
            other => return Err(format!("has the attribute auto_pad = {other:?}")),
        }
        let room = (before[d] + length + after[d]).checked_sub(span);
        let room = room.ok_or_else(|| format!("has a window larger than its input of {input}"))?;
        output[d] = if is_ceiling { room.div_ceil(stride[d]) + 1 } else { room / stride[d] + 1 };
        // A window that would begin beyond the input is none.
        if is_ceiling && (output[d] - 1) * stride[d] >= length + before[d] {
            output[d] -= 1;
        }
    }
    Ok((Window { size, stride, dilation, padding: before, output }, [before, after]))
}

/// What a window gives at all its places.
fn view(window: &Window, channels: usize) -> Result<View, String> {
    let [height, width] = window.output;
    let view = View { height, width, channels };
    match view.units() <= MOST_UNITS {
        true => Ok(view),
        false => Err(format!("gives {view} values, expected at most {MOST_UNITS}")),
    }
}

impl<'a> Reader<'a> {
    pub(super) fn conv(&mut self, operator: &Operator<'a>) -> Result<(), String> {
        let value = self.value(operator, 0)?;
        let value = self.image(value)?;
        let weight = self.constant(operator, 1)?.numbers()?.clone();
        let (filters, size) = match *weight.info.shape.as_slice() {
            [filters, _, width] => (filters, [1, width]),
            [filters, _, height, width] => (filters, [height, width]),
            ref shape => {
                return Err(format!("has a weight of the shape {shape:?}, expected 3 or 4 sizes"));
            }
        };
        let found = pair(operator, "kernel_shape", size)?;
        if found != size {
            return Err(format!(
                "has the attribute kernel_shape = {found:?} and a weight of {size:?}"
            ));
        }
        let groups = usize::try_from(operator.integer("group", 1)).unwrap_or(0);
        let channels = value.view.channels;
        if groups.checked_mul(weight.info.shape[1]) != Some(channels) {
            return Err(format!(
                "has a weight of the shape {:?} for {channels} channels",
                weight.info.shape
            ));
        }
        let (window, _) = window(operator, size, value.view)?;
        let mut tensors = vec![weight.values.into_owned()];
        let bias = operator.input(2).is_some();
        if bias {
            tensors.push(self.numbers(operator, 2, filters)?);
        }
        let activation = Activation::Identity;
        let view = view(&window, filters)?;
        let attributes = Conv { channels, filters, groups, window, activation, bias };
        let layout = Layout::channels_first(view, value.layout.rank());
        let source = self.push(Layer::Conv(With { attributes, tensors }), vec![value.source]);
        self.opened(operator);
        self.give(operator, 0, Value { source, view, layout });
        Ok(())
    }

    pub(super) fn pool(&mut self, operator: &Operator<'a>) -> Result<(), String> {
        let value = self.value(operator, 0)?;
        let value = self.image(value)?;
        let size = pair(operator, "kernel_shape", [1, 1])?;
        let (window, pads) = window(operator, size, value.view)?;
        operator.expect("storage_order", 0, 0)?;
        if window.dilation != [1, 1] {
            return Err(format!(
                "has the attribute dilations = {:?}; 1 is supported",
                window.dilation
            ));
        }
        if operator.integer("count_include_pad", 0) != 0 && pads != [[0; 2]; 2] {
            return Err("has the attribute count_include_pad; pads do not count here".to_owned());
        }
        if self.is_taken(operator, 1) {
            return Err("gives indices".to_owned());
        }
        let function = match operator.node.op_type.as_str() {
            "MaxPool" => PoolFunction::Max,
            _ => PoolFunction::Average,
        };
        self.pooled(operator, value, Pool { function, window }, None)
    }

    pub(super) fn global_pool(&mut self, operator: &Operator<'a>) -> Result<(), String> {
        let value = self.value(operator, 0)?;
        let value = self.image(value)?;
        let mut rank = None;
        if operator.node.op_type == "ReduceMean" {
            operator.expect("noop_with_empty_axes", 0, 0)?;
            let axes = self.axes(operator)?.unwrap_or_default();
            let mut found =
                axes.iter().map(|&axis| value.layout.axis(axis)).collect::<Result<Vec<_>, _>>()?;
            found.sort_unstable();
            if found.is_empty() || !found.into_iter().eq(2..value.layout.rank()) {
                return Err(format!(
                    "is the mean over the axes {axes:?}; all positions are supported"
                ));
            }
            rank = (operator.integer("keepdims", 1) == 0).then_some(2);
        }
        let size = [value.view.height, value.view.width];
        let (stride, dilation, padding, output) = ([1, 1], [1, 1], [0, 0], [1, 1]);
        let window = Window { size, stride, dilation, padding, output };
        let function = match operator.node.op_type.as_str() {
            "GlobalMaxPool" => PoolFunction::Max,
            _ => PoolFunction::Average,
        };
        self.pooled(operator, value, Pool { function, window }, rank)
    }

    /// Appends a pool that gives a value of as many dimensions as it takes, or of `rank`.
    fn pooled(
        &mut self,
        operator: &Operator<'a>,
        value: Value,
        pool: Pool,
        rank: Option<usize>,
    ) -> Result<(), String> {
        let view = view(&pool.window, value.view.channels)?;
        let layout = Layout::channels_first(view, rank.unwrap_or(value.layout.rank()));
        let layer = Layer::Pool(With { attributes: pool, tensors: Vec::new() });
        let source = self.push(layer, vec![value.source]);
        self.give(operator, 0, Value { source, view, layout });
        Ok(())
    }
}
