//! burn's training step, on its `flex` and `ndarray` backends.

use burn::backend::{Autodiff, Flex, NdArray};
use burn::module::Module;
use burn::nn::loss::{BinaryCrossEntropyLossConfig, CrossEntropyLossConfig, MseLoss, Reduction};
use burn::nn::{Linear, LinearConfig};
use burn::optim::momentum::MomentumConfig;
use burn::optim::{AdamConfig, GradientsParams, Optimizer, SgdConfig};
use burn::tensor::backend::AutodiffBackend;
use burn::tensor::{Int, Tensor, TensorData, activation};
use peer::{Result, Workload, serve, start, unsupported};

#[derive(Module, Debug)]
struct Network<B: burn::tensor::backend::Backend> {
    layers: Vec<Linear<B>>,
}

fn activate<B: AutodiffBackend>(name: &str, x: Tensor<B, 2>) -> Tensor<B, 2> {
    match name {
        "relu" => activation::relu(x),
        "tanh" => activation::tanh(x),
        "sigmoid" => activation::sigmoid(x),
        "gelu" => activation::gelu(x),
        "silu" => activation::silu(x),
        _ => x,
    }
}

/// The targets of a batch.
enum Targets<B: AutodiffBackend> {
    Classes(Tensor<B, 1, Int>),
    Numbers(Tensor<B, 2>),
}

fn error<B: AutodiffBackend>(
    work: &Workload,
    network: &Network<B>,
    x: &Tensor<B, 2>,
    y: &Targets<B>,
) -> Tensor<B, 1> {
    let mut x = x.clone();
    for (number, layer) in network.layers.iter().enumerate() {
        let last = number + 1 == network.layers.len();
        x = activate(if last { &work.output } else { &work.activation }, layer.forward(x));
    }
    match y {
        Targets::Classes(y) => {
            CrossEntropyLossConfig::new().init(&x.device()).forward(x, y.clone())
        }
        Targets::Numbers(y) => match work.loss.as_str() {
            "binary-cross-entropy" => BinaryCrossEntropyLossConfig::new()
                .with_logits(true)
                .init(&x.device())
                .forward(x, y.clone().int()),
            "mean-squared" => MseLoss::new().forward(x, y.clone(), Reduction::Mean),
            _ => (x - y.clone()).abs().mean(),
        },
    }
}

fn train<B: AutodiffBackend>(
    name: &str,
    work: &Workload,
    mut update: impl Optimizer<Network<B>, B>,
) -> Result<()> {
    let device = B::Device::default();
    let outputs = work.layers[work.layers.len() - 1];
    let layers = work.links().map(|(i, o)| LinearConfig::new(i, o).init(&device)).collect();
    let mut network = Some(Network { layers });
    let batches: Vec<_> = (0..work.batches())
        .map(|number| {
            let rows = work.rows(number);
            let x = TensorData::new(rows.x, [work.batch, work.layers[0]]);
            let y = if work.classes() {
                let classes = rows.y.iter().map(|class| *class as i64).collect();
                Targets::Classes(Tensor::from_data(
                    TensorData::new::<i64, _>(classes, [work.batch]),
                    &device,
                ))
            } else {
                let y = TensorData::new(rows.y, [work.batch, outputs]);
                Targets::Numbers(Tensor::from_data(y, &device))
            };
            (Tensor::<B, 2>::from_data(x, &device), y)
        })
        .collect();
    serve(name, "0.21.0", work, |batch| {
        let before = network.take().ok_or("the last step failed")?;
        let (x, y) = &batches[batch];
        let gradients = error(work, &before, x, y).backward();
        let gradients = GradientsParams::from_grads(gradients, &before);
        network = Some(update.step(work.learning_rate, before, gradients));
        Ok(())
    })
}

fn choose<B: AutodiffBackend>(name: &str, work: &Workload) -> Result<()> {
    match work.optimizer.as_str() {
        "adam" => train::<B>(name, work, AdamConfig::new().with_epsilon(1e-8).init()),
        "momentum" => {
            let momentum = MomentumConfig::new().with_momentum(work.momentum).with_dampening(0.0);
            train::<B>(name, work, SgdConfig::new().with_momentum(Some(momentum)).init())
        }
        _ => train::<B>(name, work, SgdConfig::new().init()),
    }
}

fn main() -> Result<()> {
    let (variant, work) = start()?;
    match variant.as_str() {
        "flex" => choose::<Autodiff<Flex>>("burn flex", &work),
        "ndarray" => choose::<Autodiff<NdArray>>("burn ndarray", &work),
        _ => unsupported(&format!("no variant {variant}")),
    }
}
