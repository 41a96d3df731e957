//! candle's training step on its CPU device.

use candle_core::{D, DType, Device, Tensor, Var};
use candle_nn::{
    AdamW, Linear, Module, Optimizer, ParamsAdamW, SGD, VarBuilder, VarMap, linear, loss, ops,
};
use peer::{Result, Workload, serve, start, unsupported};

/// Plain SGD, SGD with a velocity (candle has none of its own), or Adam.
enum Update {
    Sgd(SGD),
    Momentum { variables: Vec<(Var, Tensor)>, rate: f64, kept: f64 },
    Adam(AdamW),
}

impl Update {
    fn new(work: &Workload, variables: Vec<Var>) -> Result<Update> {
        let rate = work.learning_rate;
        Ok(match work.optimizer.as_str() {
            "adam" => {
                let parameters =
                    ParamsAdamW { lr: rate, weight_decay: 0.0, ..ParamsAdamW::default() };
                Update::Adam(AdamW::new(variables, parameters)?)
            }
            "momentum" => {
                let mut pairs = Vec::with_capacity(variables.len());
                for variable in variables {
                    let velocity = variable.zeros_like()?;
                    pairs.push((variable, velocity));
                }
                Update::Momentum { variables: pairs, rate, kept: work.momentum }
            }
            _ => Update::Sgd(SGD::new(variables, rate)?),
        })
    }

    fn backward_step(&mut self, error: &Tensor) -> Result<()> {
        match self {
            Update::Sgd(sgd) => sgd.backward_step(error)?,
            Update::Adam(adam) => adam.backward_step(error)?,
            Update::Momentum { variables, rate, kept } => {
                let gradients = error.backward()?;
                for (variable, velocity) in variables {
                    if let Some(gradient) = gradients.get(variable) {
                        *velocity = ((&*velocity * *kept)? + gradient)?.detach();
                        variable.set(&(variable.as_tensor() - (&*velocity * *rate)?)?)?;
                    }
                }
            }
        }
        Ok(())
    }
}

fn activate(name: &str, x: Tensor) -> Result<Tensor> {
    Ok(match name {
        "relu" => x.relu()?,
        "tanh" => x.tanh()?,
        "sigmoid" => ops::sigmoid(&x)?,
        "gelu" => x.gelu_erf()?,
        "silu" => x.silu()?,
        _ => x,
    })
}

fn error(work: &Workload, layers: &[Linear], x: &Tensor, y: &Tensor) -> Result<Tensor> {
    let mut x = x.clone();
    for (number, layer) in layers.iter().enumerate() {
        let name = if number + 1 == layers.len() { &work.output } else { &work.activation };
        x = activate(name, layer.forward(&x)?)?;
    }
    Ok(match work.loss.as_str() {
        "softmax-cross-entropy" => loss::cross_entropy(&x, y)?,
        "binary-cross-entropy" => loss::binary_cross_entropy_with_logit(&x, y)?,
        "mean-squared" => loss::mse(&x, y)?,
        _ => (x - y)?.abs()?.mean(D::Minus1)?.mean_all()?,
    })
}

fn main() -> Result<()> {
    let (variant, work) = start()?;
    if variant != "cpu" {
        return unsupported(&format!("no variant {variant}"));
    }
    let (device, outputs) = (Device::Cpu, work.layers[work.layers.len() - 1]);
    let map = VarMap::new();
    let builder = VarBuilder::from_varmap(&map, DType::F32, &device);
    let layers = work
        .links()
        .enumerate()
        .map(|(number, (i, o))| linear(i, o, builder.pp(format!("layer{number}"))))
        .collect::<candle_core::Result<Vec<_>>>()?;
    let mut batches = Vec::with_capacity(work.batches());
    for number in 0..work.batches() {
        let rows = work.rows(number);
        let x = Tensor::from_vec(rows.x, (work.batch, work.layers[0]), &device)?;
        let y = if work.classes() {
            Tensor::from_vec(rows.y, work.batch, &device)?.to_dtype(DType::U32)?
        } else {
            Tensor::from_vec(rows.y, (work.batch, outputs), &device)?
        };
        batches.push((x, y));
    }
    let mut update = Update::new(&work, map.all_vars())?;
    serve("candle cpu", "0.11.0", &work, |batch| {
        let (x, y) = &batches[batch];
        update.backward_step(&error(&work, &layers, x, y)?)
    })
}
