//! Convolution of images and series: a = f(W * x + b), the same weights at every position.

use super::interface::{Backward, Forward, Layer};
use super::parameters::{Block, Parameters, Role};
use super::settings::{MAX_PARAMETERS, MAX_UNITS, Planned, Planning};
use super::start::{self, Fan, InitKind, OwnStart};
use super::window::{Lengths, Padding, fit};
use super::{Kind, View};
use crate::config::error::ConfigError;
use crate::network::init::Init;
use gristmill_kernels::convolution::{self, Convolution, Shape};
use gristmill_kernels::{self as kernels, Activation, Finish, PanelsMut, Row};
use serde::{Deserialize, Serialize};

/// A convolution.
#[derive(Debug, Clone, PartialEq)]
pub struct Conv {
    plan: Convolution,
    /// What is applied to every sum.
    pub activation: Activation,
    /// Whether each filter has a bias term.
    pub bias: bool,
    blocks: Vec<Block>,
}

/// A convolution; a series has one number where an image has height x width.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConvConfig {
    /// Channels that it gives.
    pub filters: usize,
    /// Height and width of the window of each output, or one number for both.
    pub kernel: Lengths,
    /// From one window to the next; 1 if left out.
    pub stride: Option<Lengths>,
    /// From one input of a window to the next; 1 if left out.
    pub dilation: Option<Lengths>,
    /// `valid` (none, the default), `same` (as many outputs as inputs for stride 1), or a number.
    pub padding: Option<Padding>,
    /// Groups of channels that do not see each other; 1 if left out.
    pub groups: Option<usize>,
    /// Activation; none if left out.
    pub activation: Option<String>,
    /// Whether it adds a bias.
    pub bias: Option<bool>,
    /// How start weights are drawn.
    pub init: Option<InitKind>,
    /// Scales the start weights.
    pub init_scale: Option<f64>,
}

impl ConvConfig {
    pub(crate) fn plan(&self, at: &Planning<'_>) -> Result<Planned, ConfigError> {
        let input = at.input()?;
        let filters = at.at_least_one("filters", self.filters)?;
        let groups = at.at_least_one("groups", self.groups.unwrap_or(1))?;
        if !input.channels.is_multiple_of(groups) || !filters.is_multiple_of(groups) {
            let expected =
                format!("expected a divisor of {} channels and {filters} filters", input.channels);
            return Err(at.wrong("groups", groups, expected));
        }
        let window = fit(
            at,
            input,
            ("kernel", &self.kernel),
            self.stride.as_ref(),
            self.dilation.as_ref(),
            self.padding.as_ref(),
        )?;
        let conv = Conv::new(
            Shape {
                size: [input.height, input.width],
                channels: input.channels,
                outputs: filters,
                kernel: window.size,
                stride: window.stride,
                dilation: window.dilation,
                padding: window.padding,
                out: window.output,
                groups,
            },
            at.activation(self.activation.as_deref(), Activation::Identity)?,
            self.bias.unwrap_or(at.defaults.bias),
        );
        let units = conv.output().units();
        if units > MAX_UNITS {
            return Err(at.wrong(
                "filters",
                filters,
                format!("at most {MAX_UNITS} values, not {units}"),
            ));
        }
        let inputs = conv.plan.features();
        if inputs.saturating_mul(filters) > MAX_PARAMETERS {
            let expected = format!("expected at most {MAX_PARAMETERS} parameters");
            return Err(at.wrong("filters", filters, expected));
        }
        // What follows a convolution without an activation is usually batch norm and ReLU.
        let before = match conv.activation {
            Activation::Identity => Activation::Relu,
            activation => activation,
        };
        let own = OwnStart { init: self.init, scale: self.init_scale };
        let fan = Fan { inputs, outputs: filters / groups * window.size[0] * window.size[1] };
        let mut start = vec![start::weights(at.key, own, at.defaults.start, fan, before)?];
        if conv.bias {
            start.push(Init::Zeros);
        }
        Ok(Planned { layer: Kind::Conv(conv), start })
    }
}

impl Conv {
    /// A convolution of this shape.
    ///
    /// # Panics
    /// Something but the padding is 0, or the groups do not divide the channels and the outputs.
    pub fn new(shape: Shape, activation: Activation, bias: bool) -> Conv {
        let plan = Convolution::new(shape);
        let shape = plan.shape();
        let [height, width] = shape.kernel;
        let mut blocks = vec![Block {
            name: "weight",
            shape: vec![shape.outputs, shape.channels / shape.groups, height, width],
            rows: plan.weight_rows(),
            role: Role::Weight,
        }];
        if bias {
            blocks.push(Block {
                name: "bias",
                shape: vec![shape.outputs],
                rows: plan.bias_rows(),
                role: Role::Offset,
            });
        }
        Conv { plan, activation, bias, blocks }
    }

    /// Its shape.
    pub fn shape(&self) -> &Shape {
        self.plan.shape()
    }

    fn weights<'w>(&self, rows: &'w [Row]) -> (&'w [Row], Option<&'w [Row]>) {
        let (weights, bias) = rows.split_at(self.plan.weight_rows());
        (weights, self.bias.then_some(bias))
    }
}

impl Layer for Conv {
    fn output(&self) -> View {
        let &Shape { out: [height, width], outputs, .. } = self.shape();
        View { height, width, channels: outputs }
    }

    fn parameters(&self) -> Parameters<'_> {
        Parameters::Shared(&self.blocks)
    }

    fn work(&self) -> usize {
        self.plan.work()
    }

    fn has_slopes(&self) -> bool {
        self.activation != Activation::Identity
    }

    fn scratch(&self, _columns: usize) -> usize {
        convolution::scratch_rows(&self.plan)
    }

    fn forward(&self, at: Forward<'_>) {
        let Forward { isa, output, slopes, .. } = at;
        let (weights, bias) = self.weights(at.weights.shared);
        let relu = self.activation == Activation::Relu;
        let finish = match (relu, slopes.is_empty()) {
            (false, _) => Finish::Store,
            (true, true) => Finish::Relu,
            (true, false) => {
                Finish::ReluTrain(PanelsMut::new(&mut *slopes, self.plan.output_rows()))
            }
        };
        convolution::forward(isa, &self.plan, weights, bias, at.inputs.get(0), output, finish);
        match (relu, slopes) {
            (true, _) => {}
            (false, []) => kernels::activation::forward(isa, self.activation, output),
            (false, slopes) => {
                kernels::activation::forward_train(isa, self.activation, output, slopes);
            }
        }
    }

    fn backward(&self, mut at: Backward<'_>) {
        let (weights, bias) = at.gradient.split_at_mut(self.plan.weight_rows());
        let bias = self.bias.then_some(bias);
        let input = at.upstream.input(0);
        convolution::gradient(at.isa, &self.plan, input, at.error, weights, bias, at.scratch);
        if let Some(target) = at.upstream.target(0) {
            let (weights, _) = self.weights(at.weights.shared);
            let (into, add) = (target.rows, target.add);
            convolution::backward(at.isa, &self.plan, weights, at.error, into, add, at.scratch);
        }
    }

    fn read(&self, block: usize, rows: &[Row], numbers: &mut [f32]) {
        match block {
            0 => self.plan.list_weights(rows, numbers),
            _ => numbers.copy_from_slice(&rows.as_flattened()[..numbers.len()]),
        }
    }

    fn write(&self, block: usize, numbers: &[f32], rows: &mut [Row]) {
        match block {
            0 => self.plan.arrange_weights(numbers, rows),
            _ => rows.as_flattened_mut()[..numbers.len()].copy_from_slice(numbers),
        }
    }
}
