//! The flags that give options of a run their values: each stands here once, with its key and its help.

use super::count;
use super::setting::{Group, Setting, Takes};
use gristmill_trainer::config::{
    ByteSize, InitKind, LossKind, OnNan, OptimizerConfig, OptimizerKind, RunConfig, ScheduleKind,
    Shuffle, Value, augment_of_line, layers_of_line,
};
use std::fmt::Display;
use std::str::FromStr;

/// The options that a run may also be resumed with.
pub(crate) struct Course;

/// The network and its loss.
pub(crate) struct Network;

/// All else.
pub(crate) struct Training;

impl Group for Course {
    const NAME: &'static str = "Course";
    const HEADING: Option<&'static str> = None;
    const SETTINGS: &'static [Setting] = &[
        Setting {
            help: "How often every row is visited, in all",
            ..value("epochs", "training.epochs", "N", whole::<u32>)
        },
        Setting {
            help: "Threads; the model does not depend on it",
            default: Some(|| "every core".to_owned()),
            ..value("threads", "training.threads", "N", whole::<u64>)
        },
    ];
}

impl Group for Network {
    const NAME: &'static str = "Network";
    const HEADING: Option<&'static str> = Some("Network");
    const SETTINGS: &'static [Setting] = &[
        Setting {
            help: "Widths of the hidden layers, as in 300,300, or \"none\"",
            ..value("hidden", "network.hidden", "WIDTHS", widths)
        },
        Setting {
            help: "Hidden layers of any kind, as in \"conv 32 3x3, relu, pool 2, dense 128\"",
            ..value("layers", "network.layers", "LAYERS", layers)
        },
        Setting {
            help: "How the features of a row are arranged, as in 28x28x1 or 100x13",
            ..value("shape", "data.shape", "LENGTHS", lengths)
        },
        Setting {
            help: "Rows of a sample, where rows are a series in the order of time: a sample is N consecutive rows",
            ..value("window", "data.window", "N", whole::<u32>)
        },
        Setting {
            help: "How many rows after the last of a window its target stands",
            default: Some(|| "1".to_owned()),
            ..value("horizon", "data.horizon", "N", whole::<u32>)
        },
        Setting {
            help: "Activation of hidden layers, with a parameter as in \"elu(0.5)\"",
            names: &gristmill_trainer::ACTIVATIONS,
            ..value("activation", "network.activation", "NAME", text)
        },
        Setting {
            help: "Leave the biases out",
            ..switch("no-bias", "network.bias", || Value::Boolean(false))
        },
        Setting {
            help: "Share of the hidden units that is dropped in each step, below 1",
            ..value("dropout", "network.dropout", "SHARE", number)
        },
        Setting {
            help: "Start weights; auto is he before relu and its kin, else xavier",
            names: InitKind::NAMES,
            ..value("init", "network.init", "NAME", name::<InitKind>)
        },
        Setting {
            help: "What is minimised; auto is cross-entropy for classes, mean-squared for numbers",
            names: LossKind::NAMES,
            ..value("loss", "loss.kind", "NAME", name::<LossKind>)
        },
    ];
}

impl Group for Training {
    const NAME: &'static str = "Training";
    const HEADING: Option<&'static str> = Some("Training");
    const SETTINGS: &'static [Setting] = &[
        Setting {
            help: "How parameters follow their gradient",
            names: OptimizerKind::NAMES,
            ..value("optimizer", "optimizer.kind", "NAME", name::<OptimizerKind>)
        },
        Setting {
            help: "Step size",
            default: Some(learning_rates),
            ..value("learning-rate", "optimizer.learning_rate", "F", number)
        },
        Setting {
            help: "How the learning rate changes",
            names: ScheduleKind::NAMES,
            ..value("schedule", "schedule.kind", "NAME", name::<ScheduleKind>)
        },
        Setting {
            help: "Epochs over which the learning rate rises to its start",
            ..value("warmup", "schedule.warmup", "EPOCHS", number)
        },
        Setting {
            help: "Weight of half the sum of squared weights in the loss, and so in the gradient",
            ..value("l2", "optimizer.l2", "F", number)
        },
        Setting {
            help: "Share of the weights that adamw removes per step, times the learning rate",
            default: Some(|| of_kind(OptimizerKind::Adamw, "optimizer.weight_decay")),
            ..value("weight-decay", "optimizer.weight_decay", "F", number)
        },
        Setting {
            help: "Limit on the norm of the gradient",
            default: Some(|| "none".to_owned()),
            ..value("clip-norm", "optimizer.clip_norm", "F", number)
        },
        Setting {
            help: "Rows per step",
            ..value("batch-size", "training.batch_size", "N", whole::<u64>)
        },
        Setting {
            help: "Give each class the same weight in all",
            ..switch("balanced", "training.class_weights", || "balanced".into())
        },
        Setting {
            help: "How images change each time, as in \"shift 2, flip, crop 4, cutout 8, mixup 0.2\"",
            default: Some(|| "none".to_owned()),
            ..value("augment", "data.augment", "CHANGES", augment)
        },
        Setting {
            help: "Order of the rows",
            names: Shuffle::NAMES,
            ..value("shuffle", "training.shuffle", "MODE", name::<Shuffle>)
        },
        Setting {
            help: "Memory for rows, as 2G or 512M: picks full or window shuffling and the size of windows",
            default: Some(|| "what the machine has".to_owned()),
            ..value("memory", "training.memory", "SIZE", name::<ByteSize>)
        },
        Setting {
            help: "When the loss or a weight is no number: stop, or go back to the beginning of the epoch and on \
                   with half the learning rate",
            names: OnNan::NAMES,
            ..value("on-nan", "training.on_nan", "WHAT", name::<OnNan>)
        },
        Setting {
            help: "Share of the rows that is held out to validate on",
            ..value("validation-split", "validation.split", "SHARE", number)
        },
        Setting {
            help: "Stop after this many epochs without improvement, and keep the best; 0 never stops",
            ..value("patience", "early_stopping.patience", "EPOCHS", whole::<u32>)
        },
        Setting {
            help: "Number that all that is random follows from",
            ..value("seed", "seed", "N", whole::<u32>)
        },
    ];
}

const fn value(
    flag: &'static str,
    key: &'static str,
    value_name: &'static str,
    parse: fn(&str) -> Result<Value, String>,
) -> Setting {
    Setting {
        flag,
        key,
        help: "",
        names: &[],
        takes: Takes::Text(value_name, parse),
        default: None,
    }
}

const fn switch(flag: &'static str, key: &'static str, value: fn() -> Value) -> Setting {
    Setting { flag, key, help: "", names: &[], takes: Takes::Switch(value), default: None }
}

/// The default of an optimiser's option.
fn of_kind(kind: OptimizerKind, key: &str) -> String {
    let optimizer = OptimizerConfig { kind, ..Default::default() };
    let config = RunConfig { optimizer, ..Default::default() };
    config.complete_value(key).unwrap_or_default()
}

/// The default learning rates: that of the default optimiser, and then what others have.
fn learning_rates() -> String {
    let rate = |kind| of_kind(kind, "optimizer.learning_rate");
    let usual = rate(OptimizerConfig::default().kind);
    let mut text = usual.clone();
    let mut others: Vec<(String, Vec<&str>)> = Vec::new();
    for kind in OptimizerKind::ALL {
        match (rate(*kind), others.last_mut()) {
            (rate, _) if rate == usual => {}
            (rate, Some((last, names))) if rate == *last => names.push(kind.name()),
            (rate, _) => others.push((rate, vec![kind.name()])),
        }
    }
    for (rate, names) in others {
        text += &format!("; {rate} for {}", names.join(", "));
    }
    text
}

fn text(text: &str) -> Result<Value, String> {
    Ok(text.into())
}

/// A name of a kind, or anything else that has a text of its own.
fn name<T: FromStr<Err: Display> + Display>(text: &str) -> Result<Value, String> {
    let value: T = text.parse().map_err(|error: T::Err| error.to_string())?;
    Ok(value.to_string().into())
}

fn number(text: &str) -> Result<Value, String> {
    text.parse().map(Value::Float).map_err(|_| "expected a number".to_owned())
}

fn whole<N: FromStr<Err = std::num::ParseIntError> + Into<u64>>(
    text: &str,
) -> Result<Value, String> {
    let number: u64 = count::<N>(text)?.into();
    i64::try_from(number).map(Value::Integer).map_err(|_| "the number is too large".to_owned())
}

/// Layers in one line.
fn layers(text: &str) -> Result<Value, String> {
    layers_of_line(text).map_err(|error| error.to_string())
}

/// Changes of images in one line.
fn augment(text: &str) -> Result<Value, String> {
    augment_of_line(text).map_err(|error| error.to_string())
}

/// Numbers with an x between them.
fn lengths(text: &str) -> Result<Value, String> {
    let length = |part: &str| match part.trim().parse() {
        Ok(length @ 1..) => Ok(Value::Integer(length)),
        _ => Err(format!("{part:?} is no length; expected numbers as in 28x28x1 or 100x13")),
    };
    text.split('x').map(length).collect::<Result<_, _>>().map(Value::Array)
}

/// Widths of hidden layers.
fn widths(text: &str) -> Result<Value, String> {
    if text == "none" {
        return Ok(Value::Array(Vec::new()));
    }
    let width = |part: &str| match part.trim().parse() {
        Ok(width @ 1..) => Ok(Value::Integer(width)),
        _ => Err(format!("{part:?} is no width; expected numbers as in 300,300, or \"none\"")),
    };
    text.split(',').map(width).collect::<Result<_, _>>().map(Value::Array)
}

#[cfg(test)]
mod tests {
    use super::*;
    use gristmill_trainer::config::RunConfig;

    #[test]
    fn defaults_in_help_are_those_of_the_types() {
        assert_eq!(learning_rates(), "0.001; 0.01 for sgd, momentum, nesterov, adagrad");
        let groups = [Course::SETTINGS, Network::SETTINGS, Training::SETTINGS];
        let keys = RunConfig::keys();
        for setting in groups.into_iter().flatten() {
            let section = format!("{}.", setting.key);
            let is_there = keys.iter().any(|key| key == setting.key || key.starts_with(&section));
            assert!(is_there, "there is no key {}", setting.key);
            assert!(!setting.help.contains("default"), "--{}: {}", setting.flag, setting.help);
        }
    }
}
