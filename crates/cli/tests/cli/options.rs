//! What every option of `train` makes of the configuration: none is lost, whatever it is given with.

use crate::place::{Place, flowers, prices};
use gristmill_trainer::config::{Assignment, RunConfig};
use std::collections::BTreeSet;

/// Options of `train` that are options of the configuration: with what else they are given, their key, and
/// what `config.toml` has then.
const OPTIONS: &[(&str, &str, &str)] = &[
    ("--epochs 2", "training.epochs", "2"),
    ("--threads 1", "training.threads", "1"),
    ("--hidden 3,2", "network.hidden", "3,2"),
    ("--layers relu", "network.layers", "{ function = \"relu\", kind = \"activation\" }"),
    ("--shape 1x2", "data.shape", "1,2"),
    ("--window 3", "data.window", "3"),
    ("--horizon 2 --window 3", "data.horizon", "2"),
    ("--augment flip --shape 2x1", "data.augment.flip", "true"),
    ("--activation tanh", "network.activation", "tanh"),
    ("--no-bias", "network.bias", "false"),
    ("--dropout 0.25", "network.dropout", "0.25"),
    ("--init lecun", "network.init", "lecun"),
    ("--loss huber", "loss.kind", "huber"),
    ("--optimizer sgd", "optimizer.kind", "sgd"),
    ("--learning-rate 0.125", "optimizer.learning_rate", "0.125"),
    ("--schedule cosine", "schedule.kind", "cosine"),
    ("--warmup 0.5", "schedule.warmup", "0.5"),
    ("--l2 0.5", "optimizer.l2", "0.5"),
    ("--weight-decay 0.25 --optimizer adamw", "optimizer.weight_decay", "0.25"),
    ("--clip-norm 2.5", "optimizer.clip_norm", "2.5"),
    ("--batch-size 7", "training.batch_size", "7"),
    ("--shuffle none", "training.shuffle", "none"),
    ("--memory 96M", "training.memory", "96M"),
    ("--on-nan rollback", "training.on_nan", "rollback"),
    ("--validation-split 0.25", "validation.split", "0.25"),
    ("--validation held-out.csv", "validation.file", "validation.grist"),
    ("--patience 3 --validation-split 0.25", "early_stopping.patience", "3"),
    ("--seed 9", "seed", "9"),
    // Of flowers, since only classes have weights.
    ("--balanced", "training.class_weights", "balanced"),
    ("--set checkpoint.keep=7", "checkpoint.keep", "7"),
];

/// Options that say where a run is, how its tables are read, or what is shown.
const OTHERS: &[&str] = &[
    "--config",
    "--out",
    "--resume",
    "--accept-changed-data",
    "--target",
    "--keep-target",
    "--no-keep-target",
    "--decimal",
    "--na",
    "--category",
    "--index",
    "--text",
    "--text-length",
    "--text-buckets",
    "--text-ngrams",
    "--number",
    "--task",
    "--drop",
    "--missing",
    "--dtype",
    "--format",
    "--header",
    "--no-header",
    "--max-length",
    "--weights",
    "--option",
    "--plugins",
    "--quiet",
    "--help",
];

/// The options that a command's help lists.
fn options_of(place: &Place, command: &str) -> BTreeSet<String> {
    let help = place.ok(&format!("{command} --help"));
    let words = help.lines().filter(|line| line.trim_start().starts_with('-'));
    let words = words.flat_map(|line| line.split_whitespace().take(2));
    words.filter(|word| word.starts_with("--")).map(str::to_owned).collect()
}

fn config(place: &Place, run: &str) -> RunConfig {
    RunConfig::from_toml(&place.text(&format!("{run}/config.toml"))).unwrap()
}

#[test]
fn every_option_of_train_reaches_the_configuration() {
    let place = Place::new();
    place.write("prices.csv", prices(40));
    place.write("held-out.csv", prices(10));
    place.write("flowers.csv", flowers(40));
    let known = OPTIONS.iter().filter_map(|(option, ..)| option.split(' ').next());
    let known: BTreeSet<String> = known.chain(OTHERS.iter().copied()).map(str::to_owned).collect();
    assert_eq!(options_of(&place, "train"), known, "an option is without a test");

    for (index, (option, key, value)) in OPTIONS.iter().enumerate() {
        let data = if *option == "--balanced" { "flowers" } else { "prices" };
        let usual = format!("usual-{data}");
        let mut arguments = format!("train {data}.csv {option} --out run{index}");
        for (flag, value) in [("--epochs", "1"), ("--hidden", "2")] {
            let is_other_way = flag == "--hidden" && option.starts_with("--layers");
            if !option.starts_with(flag) && !is_other_way {
                arguments += &format!(" {flag} {value}");
            }
        }
        place.ok(&arguments);
        let found = config(&place, &format!("run{index}")).complete_value(key);
        assert_eq!(found.as_deref(), Some(*value), "{arguments}: {key}");
        if !place.path(&usual).exists() {
            place.ok(&format!("train {data}.csv --epochs 1 --hidden 2 --out {usual}"));
        }
        let usual = config(&place, &usual).complete_value(key);
        assert_ne!(usual.as_deref(), Some(*value), "{key} would be so without {option}");
    }
}

/// A value for each key, and what else it needs to mean anything.
fn set_value(key: &str) -> (&'static str, &'static str) {
    match key {
        "seed" => ("7", ""),
        "data.path" => ("prices.csv", ""),
        "data.shape" => ("[1, 2]", ""),
        "data.window" => ("3", ""),
        "data.horizon" => ("2", "--window 3"),
        "data.augment.shift" | "data.augment.crop" | "data.augment.cutout" => ("1", "--shape 2x1"),
        "data.augment.flip" => ("true", "--shape 2x1"),
        "data.augment.mixup" => ("0.5", ""),
        "network.hidden" => ("[3]", ""),
        "network.layers" => ("[{units=3}]", ""),
        "network.activation" => ("elu(0.5)", ""),
        "network.bias" => ("false", ""),
        "network.dropout" => ("0.25", ""),
        "network.init" => ("normal", ""),
        "network.init_scale" => ("0.5", ""),
        "network.output.activation" => ("tanh", ""),
        "network.output.bias" => ("false", ""),
        "network.output.init" => ("zeros", ""),
        "network.output.init_scale" => ("0.5", ""),
        "network.output.weights" => ("[[1.0, 2.0]]", "--hidden 2"),
        "network.output.biases" => ("[0.5]", ""),
        "loss.kind" => ("mean-absolute", ""),
        "loss.delta" => ("0.1", "--loss huber"),
        "optimizer.kind" => ("adagrad", ""),
        "optimizer.learning_rate" => ("0.5", "--optimizer sgd"),
        "optimizer.momentum" => ("0.5", "--optimizer momentum"),
        "optimizer.beta1" | "optimizer.beta2" => ("0.5", ""),
        "optimizer.decay" => ("0.5", "--optimizer rmsprop"),
        "optimizer.epsilon" => ("0.5", "--optimizer adagrad"),
        "optimizer.l1" | "optimizer.l2" => ("0.5", ""),
        "optimizer.weight_decay" => ("0.5", "--optimizer adamw"),
        "optimizer.clip_value" | "optimizer.clip_norm" => ("0.5", ""),
        "schedule.kind" => ("exponential", ""),
        "schedule.warmup" => ("0.5", ""),
        "schedule.every" => ("3", "--schedule step"),
        "schedule.factor" => ("0.3", "--schedule step"),
        "schedule.start_factor" | "schedule.rise" => ("0.5", "--schedule one-cycle"),
        "schedule.end_factor" => ("0.5", "--schedule cosine"),
        "schedule.patience" => ("3", "--schedule plateau"),
        "schedule.min_delta" => ("0.5", "--schedule plateau"),
        "training.batch_size" => ("7", ""),
        "training.epochs" => ("2", ""),
        "training.threads" => ("1", ""),
        "training.shuffle" => ("none", ""),
        "training.memory" => ("96M", ""),
        "training.block_rows" => ("2", "--shuffle window --set training.window_blocks=4"),
        "training.window_blocks" => ("4", "--shuffle window --set training.block_rows=2"),
        "training.standardize_inputs" | "training.standardize_targets" => ("false", ""),
        "training.on_nan" => ("rollback", ""),
        "training.class_weights" => ("{aster=2.0}", ""),
        "validation.split" => ("0.25", ""),
        "validation.stratified" => ("false", "--validation-split 0.25"),
        "validation.file" => ("held-out.grist", ""),
        "early_stopping.patience" => ("3", "--validation-split 0.25"),
        "early_stopping.metric" => ("rmse", "--patience 2 --validation-split 0.25"),
        "early_stopping.min_delta" => ("0.5", "--patience 2 --validation-split 0.25"),
        "early_stopping.restore_best" => ("false", "--patience 2 --validation-split 0.25"),
        "checkpoint.every_epochs" => ("3", ""),
        "checkpoint.max_share" => ("0.5", ""),
        "checkpoint.every_seconds" => ("3", ""),
        "checkpoint.keep" => ("7", ""),
        other => panic!("the key {other} is without a test"),
    }
}

#[test]
fn every_key_can_be_set_and_reaches_the_configuration() {
    let place = Place::new();
    place.write("prices.csv", prices(60));
    place.write("flowers.csv", flowers(60));
    place.ok("import prices.csv -o held-out.grist");
    for (index, key) in RunConfig::keys().into_iter().enumerate() {
        if key == "training.instruction_set" {
            let text = "`--set training.instruction_set=avx2`: the program writes";
            place.refuses("train prices.csv --set training.instruction_set=avx2", &[text]);
            continue;
        }
        let (value, beside) = set_value(&key);
        let data = match key.as_str() {
            "data.path" => "",
            "training.class_weights" => "flowers.csv",
            _ => "prices.csv",
        };
        let set = format!("--set={key}={value}").replace(", ", ",");
        let usual = match key.as_str() {
            "network.hidden" | "network.layers" | "network.output.weights" => "",
            _ => "--hidden 2",
        };
        let epochs = if key == "training.epochs" { "" } else { "--epochs 1" };
        // What is set comes first: its place among the others must not matter.
        place.ok(&format!("train {data} {set} {beside} {usual} {epochs} --out run{index}"));
        let found = config(&place, &format!("run{index}"));
        let given = Assignment::parse("", &format!("{key}={value}")).unwrap();
        let (expected, _) = RunConfig::default().assign(&given).unwrap();
        let expected = match key.as_str() {
            "data.path" => Some("data.grist".to_owned()),
            "validation.file" => {
                let file = place.path("held-out.grist").canonicalize().unwrap();
                Some(file.display().to_string())
            }
            key => expected.complete_value(key),
        };
        assert!(expected.is_some());
        assert_eq!(found.complete_value(&key), expected, "{key}");
    }
}

#[test]
fn a_kind_and_its_options_are_given_together() {
    let place = Place::new();
    place.write("prices.csv", prices(40));
    let cases = [
        ("--optimizer sgd", "optimizer.learning_rate=0.5", "0.5"),
        ("--loss huber", "loss.delta=0.1", "0.1"),
        ("--schedule step", "schedule.factor=0.3", "0.3"),
        ("--hidden 4", "network.output.weights=[[1.0,2.0,3.0,4.5]]", "1,2,3,4.5"),
    ];
    for (index, (kind, set, value)) in cases.into_iter().enumerate() {
        let key = set.split('=').next().unwrap();
        place.ok(&format!("train prices.csv {kind} --set {set} --epochs 1 --out a{index}"));
        place.ok(&format!("train --set {set} prices.csv --epochs 1 {kind} --out b{index}"));
        let runs = [format!("a{index}"), format!("b{index}")];
        for run in &runs {
            assert_eq!(config(&place, run).complete_value(key).as_deref(), Some(value), "{run}");
        }
        let [a, b] = runs.map(|run| place.read(&format!("{run}/model.gristmill")));
        assert_eq!(a, b, "{kind}: the order of options changes the model");
    }
}

#[test]
fn what_a_configuration_loses_to_an_option_is_said() {
    let place = Place::new();
    place.write("prices.csv", prices(40));
    place.write(
        "run.toml",
        "optimizer = { kind = 'nesterov', momentum = 0.8, l2 = 0.25 }\nnetwork.hidden = [2]\n",
    );
    let done = place.run("train prices.csv --config run.toml --optimizer sgd --epochs 1 --out a");
    let line = "warning: optimizer.momentum = 0.8 of run.toml gives way to --optimizer sgd\n";
    assert!(done.status.success() && done.stderr.contains(line), "{}", done.stderr);
    assert_eq!(config(&place, "a").optimizer.l2, 0.25);
    // What is given itself must fit.
    let given = "train prices.csv --config run.toml --optimizer sgd --set optimizer.momentum=0.5";
    place.refuses(given, &["`optimizer.momentum` is 0.5: sgd does not use it"]);
    let done =
        place.run("train prices.csv --config run.toml --optimizer nesterov --epochs 1 --out b");
    assert!(!done.stderr.contains("gives way"), "{}", done.stderr);
    assert_eq!(config(&place, "b").optimizer.momentum, Some(0.8));
}

#[test]
fn options_that_contradict_each_other_are_refused_by_name() {
    let place = Place::new();
    place.write("prices.csv", prices(40));
    for (arguments, parts) in [
        (
            "--optimizer sgd --set optimizer.kind=adam",
            ["`--set optimizer.kind=adam`", "`--optimizer sgd` gives the same"],
        ),
        ("--set seed=1 --set seed=2", ["`--set seed=2`", "`--set seed=1`"]),
        ("--epochs 1 --set training.epochs=2", ["--set training.epochs=2", "--epochs 1"]),
        ("--set data.path=other.csv", ["`--set data.path=other.csv`", "DATA"]),
        ("--weight-decay 0.1", ["`optimizer.weight_decay` is 0.1: adam has none", "use adamw"]),
        ("--hidden none --dropout 0.5", ["`--dropout 0.5`", "no hidden layers"]),
        ("--set early_stopping.min_delta=0.5", ["early_stopping.min_delta=0.5", "--patience"]),
        ("--set optimizer.lerning_rate=1", ["did you mean \"optimizer.learning_rate\"?", ""]),
        ("--set epochs=3", ["did you mean \"training.epochs\"?", ""]),
        ("--set loss.kind=hubr", ["did you mean \"huber\"?", "--set loss.kind=hubr"]),
        ("--optimizer adamm", ["did you mean \"adam\"?", "--optimizer"]),
        ("--schedule cosin", ["did you mean \"cosine\"?", "--schedule"]),
        ("--activation rely", ["did you mean \"relu\"?", "network.activation"]),
    ] {
        place.refuses(&format!("train prices.csv {arguments}"), &parts);
    }
    place.ok("train prices.csv --seed 1 --set seed=1 --epochs 1 --hidden 2 --out run");
    assert_eq!(place.names("."), ["prices.csv", "run", "tmp"]);
}

#[test]
fn names_are_understood_in_any_case() {
    let place = Place::new();
    place.write("prices.csv", prices(40));
    let names = "--optimizer adamW --schedule one_cycle --loss Huber --activation Leaky_ReLU(0.2)";
    place.ok(&format!("train prices.csv {names} --hidden 2 --epochs 1 --task Regress --out run"));
    let config = config(&place, "run");
    for (key, value) in
        [("optimizer.kind", "adamw"), ("schedule.kind", "one-cycle"), ("loss.kind", "huber")]
    {
        assert_eq!(config.complete_value(key).as_deref(), Some(value));
    }
}

#[test]
fn l2_with_adamw_is_said_to_be_another_thing() {
    let place = Place::new();
    place.write("prices.csv", prices(40));
    let train = "train prices.csv --hidden 2 --epochs 1";
    let done = place.run(&format!("{train} --optimizer adamw --l2 0.1 --out a"));
    let lines = done.stderr.lines().filter(|line| line.starts_with("warning: "));
    let lines: Vec<&str> = lines.collect();
    assert_eq!(lines.len(), 1, "{}", done.stderr);
    assert!(lines[0].contains("goes into the gradient") && lines[0].contains("--weight-decay"));
    for (index, quiet) in ["--optimizer adamw --weight-decay 0.1", "--l2 0.1"].iter().enumerate() {
        let done = place.run(&format!("{train} {quiet} --out b{index}"));
        assert!(done.status.success() && !done.stderr.contains("warning"), "{}", done.stderr);
    }
}

#[test]
fn options_that_a_resumed_run_cannot_have_are_refused_by_name() {
    let place = Place::new();
    place.write("prices.csv", prices(40));
    place.ok("train prices.csv --hidden 2 --epochs 1 --out run");
    let before = place.text("run/config.toml");
    let applied =
        ["--epochs", "--threads", "--resume", "--accept-changed-data", "--quiet", "--help"];
    let values = OPTIONS.iter().map(|(option, ..)| *option);
    let values = values.chain([
        "--config c.toml",
        "--out other",
        "--target price",
        "--keep-target",
        "--no-keep-target",
        "--task regress",
        "--drop rooms",
        "--missing mean",
        "--dtype f32",
        "--format csv",
        "--header",
        "--no-header",
        "--weights rooms",
        "--decimal ,",
        "--na none",
        "--max-length 3",
        "--category rooms",
        "--index rooms",
        "--text rooms",
        "--text-length 3",
        "--text-buckets 8",
        "--text-ngrams 2",
        "--number rooms",
        "--option a=b",
        "--plugins .",
    ]);
    let mut tried = BTreeSet::new();
    for option in values {
        let flag = option.split(' ').next().unwrap();
        if !applied.contains(&flag) {
            let done = place.run(&format!("train --resume run {option}"));
            assert_eq!(done.status.code(), Some(2), "{option}: {}", done.stderr);
            let (said, named) = (&done.stderr, format!("{flag} "));
            let is_named = said.contains(&named) || said.contains(&format!("{flag}\n"));
            assert!(said.contains("'--resume <RUN_DIR>' cannot be used with"), "{option}: {said}");
            assert!(is_named || said.contains(&format!("'{flag}'")), "{option}: {said}");
            tried.insert(flag.to_owned());
        }
    }
    tried.extend(applied.map(str::to_owned));
    assert_eq!(options_of(&place, "train"), tried);
    assert_eq!(place.text("run/config.toml"), before);
    place.ok("train --resume run --epochs 2 --threads 1");
    let config = config(&place, "run");
    assert_eq!((config.training.epochs, config.training.threads), (2, 1));
}
