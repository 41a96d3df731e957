//! Training gives the bits that it has always given: small runs of many kinds against the digests of
//! their weights, on every instruction set.
//!
//! A change of these digests is a change of results for everyone who trains again. Where that is meant,
//! the failing test prints the new ones.

#![cfg(target_arch = "x86_64")]

use gristmill_io::schema::{Encoding, InputColumn, InputKind, Target};
use gristmill_io::{Dataset, DatasetLayout, DatasetWriter, RowBatch};
use gristmill_trainer::config::RunConfig;
use gristmill_trainer::data::samples::{Samples, Table};
use gristmill_trainer::network::Network;
use gristmill_trainer::{Isa, Session};
use std::path::Path;

/// A configuration, and the digest that its weights end with on each instruction set.
struct Golden {
    name: &'static str,
    data: Data,
    config: &'static str,
    portable: u64,
    avx2: u64,
    avx512: u64,
}

#[derive(Clone, Copy)]
enum Data {
    /// 301 rows of 13 features in memory, of this many classes.
    Classes(u32),
    /// 301 rows of 13 features in memory, with two numbers to predict.
    Numbers,
    /// A file of 700 rows of 37 bytes, of three classes, with weights.
    WeightedFile,
}

const GOLDEN: &[Golden] = &[
    Golden {
        name: "binary class, tanh, rmsprop, step",
        data: Data::Classes(2),
        config: "
            network = { hidden = [20], activation = 'tanh' }
            optimizer.kind = 'rmsprop'
            schedule = { kind = 'step', every = 2, factor = 0.3 }
            training = { batch_size = 32, epochs = 5 }
            early_stopping.patience = 2
            validation.split = 0.2",
        portable: 0xb3af_2a03_e58b_51fe,
        avx2: 0xb623_bff6_5421_5629,
        avx512: 0xeaf8_7141_0c8d_1ed2,
    },
    Golden {
        name: "four classes, relu, dropout, adam, one-cycle",
        data: Data::Classes(4),
        config: "
            network = { hidden = [40, 24], activation = 'relu', dropout = 0.3 }
            optimizer = { kind = 'adam', learning_rate = 0.01 }
            schedule.kind = 'one-cycle'
            training = { batch_size = 50, epochs = 6 }",
        portable: 0x4ab9_5010_7071_a712,
        avx2: 0xc402_d611_0ed4_54a6,
        avx512: 0x7b29_2f85_5887_fb72,
    },
    Golden {
        name: "numbers, huber, nesterov, cosine with warmup",
        data: Data::Numbers,
        config: "
            network = { hidden = [17, 9], activation = 'gelu', init = 'normal' }
            loss = { kind = 'huber', delta = 0.4 }
            optimizer.kind = 'nesterov'
            schedule = { kind = 'cosine', warmup = 0.5 }
            training = { batch_size = 25, epochs = 4 }",
        portable: 0x7bbc_380a_94a4_dd59,
        avx2: 0x46b0_692d_6403_24bc,
        avx512: 0x46b0_692d_6403_24bc,
    },
    Golden {
        name: "penalties and both clips, sgd, exponential, no bias",
        data: Data::Classes(3),
        config: "
            network = { hidden = [30], activation = 'elu(0.7)', bias = false }
            optimizer = { kind = 'sgd', l1 = 0.001, l2 = 0.01, clip_norm = 0.5, clip_value = 0.1 }
            schedule.kind = 'exponential'
            training = { batch_size = 40, epochs = 5, standardize_inputs = false }",
        portable: 0xf630_e0fe_cff4_8479,
        avx2: 0x3de7_ee58_4229_7f3a,
        avx512: 0x3de7_ee58_4229_7f3a,
    },
    Golden {
        name: "weights of rows and classes, bytes of a file, windows, adamw",
        data: Data::WeightedFile,
        config: "
            network = { hidden = [33], activation = 'silu' }
            optimizer = { kind = 'adamw', weight_decay = 0.1 }
            [training]
            batch_size = 64
            epochs = 3
            class_weights = 'balanced'
            shuffle = 'window'
            block_rows = 9
            window_blocks = 20",
        portable: 0x5f51_8e6f_5c7c_4494,
        avx2: 0x3d32_d4f6_92fe_00df,
        avx512: 0x9f11_6ce9_42d4_f8fa,
    },
    Golden {
        name: "half the sum of squares, sigmoid, momentum, plateau, rows as stored",
        data: Data::Numbers,
        config: "
            network = { hidden = [11], activation = 'sigmoid', init = 'uniform' }
            loss.kind = 'half-sum-squares'
            optimizer = { kind = 'momentum', learning_rate = 0.001 }
            schedule = { kind = 'plateau', patience = 1, min_delta = 0.5 }
            training = { batch_size = 32, epochs = 6, shuffle = 'none' }",
        portable: 0xbb2a_8ece_fec1_cd30,
        avx2: 0x047c_b463_ba41_845b,
        avx512: 0x047c_b463_ba41_845b,
    },
    Golden {
        name: "minibatches that are computed in rounds, several tiles, adagrad",
        data: Data::WeightedFile,
        config: "
            network = { hidden = [300, 3, 2500], activation = 'leaky-relu(0.1)' }
            optimizer.kind = 'adagrad'
            training = { batch_size = 650, epochs = 1 }",
        portable: 0x709e_85cc_beb3_c225,
        avx2: 0x55cc_fe5c_2267_3b84,
        avx512: 0xce89_b54d_7989_88e4,
    },
];

#[test]
fn training_ends_with_the_bits_that_it_always_had() {
    let folder = tempfile::tempdir().unwrap();
    let file = weighted_file(&folder.path().join("data.grist"));
    let mut wrong = String::new();
    for golden in GOLDEN {
        for isa in Isa::available() {
            let network = match golden.data {
                Data::Classes(classes) => trained(golden, isa, &table_of_classes(classes)),
                Data::Numbers => trained(golden, isa, &table_of_numbers()),
                Data::WeightedFile => trained(golden, isa, &file),
            };
            let expected = match isa.name() {
                "portable" => golden.portable,
                "avx2" => golden.avx2,
                "avx512" => golden.avx512,
                other => panic!("there are no digests for {other}"),
            };
            let found = digest(&network);
            if found != expected {
                wrong += &format!("{}: {isa}: {found:#018x}\n", golden.name);
            }
        }
    }
    assert!(wrong.is_empty(), "other bits than before:\n{wrong}");
}

#[test]
fn a_digest_sees_a_single_bit() {
    let mut network = trained(&GOLDEN[0], Isa::best(), &table_of_classes(2));
    let before = digest(&network);
    let (mut weights, bias) = network.layer_weights(1);
    weights[7] = f32::from_bits(weights[7].to_bits() ^ 1);
    network.set_layer_weights(1, &weights, &bias);
    assert_ne!(digest(&network), before);
}

fn trained<S: Samples>(golden: &Golden, isa: Isa, samples: &S) -> Network {
    let mut config = RunConfig::from_toml(golden.config).unwrap();
    config.seed = 3;
    config.training.threads = 2;
    let mut session = Session::new(&config, isa, samples, None).unwrap();
    session.fit(&mut (), &mut |_| Ok(())).unwrap();
    session.network().clone()
}

/// FNV-1a of the bits of all weights and bias terms, layer by layer.
fn digest(network: &Network) -> u64 {
    let layers = (0..network.nodes().len()).map(|layer| network.layer_weights(layer));
    let values = layers.flat_map(|(weights, bias)| weights.into_iter().chain(bias));
    let bytes = values.flat_map(|value| value.to_bits().to_le_bytes());
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)
    })
}

const TABLE_ROWS: u32 = 301;
const FILE_ROWS: u32 = 700;

/// Even numbers in -0.5..0.5, the same on every machine.
struct Noise(u32);

impl Noise {
    fn next(&mut self) -> f32 {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (self.0 >> 8) as f32 / 16_777_216.0 - 0.5
    }
}

/// A class for each row, and features that tell them apart to a degree.
fn classified(rows: u32, width: u32, classes: u32) -> (Vec<f32>, Vec<u32>) {
    let mut noise = Noise(classes);
    let labels: Vec<u32> = (0..rows).map(|row| row * row % 11 % classes).collect();
    let mut features = Vec::new();
    for &label in &labels {
        let shift = |column: u32| if column % classes == label { 0.4 } else { 0.0 };
        features.extend((0..width).map(|column| noise.next() + shift(column)));
    }
    (features, labels)
}

fn table_of_classes(classes: u32) -> Table {
    let (features, labels) = classified(TABLE_ROWS, 13, classes);
    Table::of_classes(&features, labels, names(classes)).unwrap()
}

fn table_of_numbers() -> Table {
    let (features, _) = classified(TABLE_ROWS, 13, 2);
    let targets = features.chunks(13).flat_map(|x| [x[0] * x[1] - x[2], x[3] + x[4] * x[4]]);
    Table::of_numbers(&features, targets.collect(), 2).unwrap()
}

/// Writes a data set of bytes whose rows have weights.
fn weighted_file(path: &Path) -> Dataset {
    let column =
        |i: u32| InputColumn { name: format!("x{i}"), kind: InputKind::Number { fill: None } };
    let target = Target::Classes { column: "class".to_owned(), names: names(3) };
    let encoding = Encoding { inputs: (0..37).map(column).collect(), target };
    let layout = DatasetLayout { encoding, dtype: None, weighted: true };
    let mut writer = DatasetWriter::create(path, layout).unwrap();
    let (features, labels) = classified(FILE_ROWS, 37, 3);
    let features = features.into_iter().map(|x| ((x + 1.0) * 100.0).floor()).collect();
    let weights = (0..FILE_ROWS).map(|row| (1 + row % 5) as f32 / 2.0).collect();
    writer.push(&RowBatch { features, labels, targets: Vec::new(), weights }).unwrap();
    writer.finish().unwrap();
    Dataset::open(path).unwrap()
}

fn names(count: u32) -> Vec<String> {
    (0..count).map(|class| class.to_string()).collect()
}
