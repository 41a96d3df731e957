//! Rows of weight 0: whatever they hold, training comes to the same bits.

use gristmill_io::schema::{Encoding, Statistics};
use gristmill_io::{Model, Tensor};
use gristmill_kernels::{Element, Isa};
use gristmill_trainer::Session;
use gristmill_trainer::config::RunConfig;
use gristmill_trainer::data::samples::{Samples, Table};

/// Columns of features.
const WIDTH: usize = 5;

/// A table some of whose rows do not count and have other values than it says.
struct Spoilt {
    table: Table,
    is_spoilt: fn(&Table, u64) -> bool,
    /// The weight of those rows.
    weight: f32,
    /// Every value of them, if it is another.
    value: Option<f32>,
    bytes: Vec<u8>,
}

impl Spoilt {
    fn new(
        table: Table,
        is_spoilt: fn(&Table, u64) -> bool,
        weight: f32,
        value: Option<f32>,
    ) -> Self {
        let bytes = value.unwrap_or(0.0).to_le_bytes().repeat(WIDTH);
        Spoilt { table, is_spoilt, weight, value, bytes }
    }

    fn is_replaced(&self, row: u64) -> bool {
        self.value.is_some() && (self.is_spoilt)(&self.table, row)
    }
}

impl Samples for Spoilt {
    fn rows(&self) -> u64 {
        self.table.rows()
    }
    fn element(&self) -> Element {
        self.table.element()
    }
    fn row(&self, row: u64) -> &[u8] {
        if self.is_replaced(row) { &self.bytes } else { self.table.row(row) }
    }
    fn label(&self, row: u64) -> u32 {
        self.table.label(row)
    }
    fn targets(&self, row: u64, out: &mut [f32]) {
        self.table.targets(row, out);
        if let (true, Some(value)) = (self.is_replaced(row), self.value) {
            out.fill(value);
        }
    }
    fn weight(&self, row: u64) -> f32 {
        if (self.is_spoilt)(&self.table, row) { self.weight } else { 1.0 }
    }
    fn encoding(&self) -> &Encoding {
        self.table.encoding()
    }
    fn statistics(&self) -> &[Statistics] {
        self.table.statistics()
    }
    fn target_statistics(&self) -> &[Statistics] {
        self.table.target_statistics()
    }
    fn fingerprint(&self) -> u64 {
        1
    }
}

const ROWS: usize = 203;

fn features() -> Vec<f32> {
    (0..ROWS * WIDTH).map(|i| (i * i % 61) as f32 / 61.0 - 0.5).collect()
}

/// Trains, and returns the model, every tensor of the last checkpoint, and what was measured.
fn trained(config: &str, isa: Isa, samples: &Spoilt) -> (Model, Vec<Tensor<'static>>, Vec<f64>) {
    let config = RunConfig::from_toml(config).unwrap();
    let mut session = Session::new(&config, isa, samples, None).unwrap();
    session.fit(&mut (), &mut |_| Ok(())).unwrap();
    let checkpoint = session.checkpoint().collect();
    let measured = checkpoint.history.iter().flat_map(|row| row.values.iter().map(|(_, v)| *v));
    (session.model(), checkpoint.tensors, measured.collect())
}

/// Values by which a row of weight 0 could spoil a network.
const SPOILING: [f32; 4] = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 3e38];

fn assert_same(config: &str, make: impl Fn(Option<f32>) -> Spoilt) {
    for isa in Isa::available() {
        let expected = trained(config, isa, &make(None));
        assert!(expected.2.iter().all(|value| value.is_finite()), "{isa}: {:?}", expected.2);
        for value in SPOILING {
            let found = trained(config, isa, &make(Some(value)));
            assert!(found == expected, "{isa}: rows of {value} change {:?}", expected.2);
        }
    }
}

const NUMBERS: &str = "
    [network]
    hidden = [19, 7]
    activation = 'tanh'
    [training]
    batch_size = 24
    epochs = 3
    [validation]
    split = 0.25";

#[test]
fn numbers_are_learned_whatever_rows_of_weight_0_hold() {
    let make = |value| {
        let features = features();
        let targets = features.chunks(WIDTH).map(|row| row[0] - 2.0 * row[1]).collect();
        let table = Table::of_numbers(&features, targets, 1).unwrap();
        // The first row, which every search for one begins with, and a third of the others.
        Spoilt::new(table, |_, row| row % 3 == 0, 0.0, value)
    };
    assert_same(NUMBERS, make);
    // As the rows themselves may be, so may the values of the layers that they lead to.
    let relu = NUMBERS.replace("'tanh'", "'relu'");
    assert_same(&format!("{relu}\n[optimizer]\nclip_norm = 1.0"), make);
}

#[test]
fn classes_are_learned_whatever_rows_of_a_class_of_weight_0_hold() {
    let make = |value| {
        let labels = (0..ROWS as u32).map(|row| row % 3).collect();
        let names = ["a", "b", "c"].map(str::to_owned).to_vec();
        let table = Table::of_classes(&features(), labels, names).unwrap();
        Spoilt::new(table, |table, row| table.label(row) == 0, 1.0, value)
    };
    let config = "
        [network]
        hidden = [19, 7]
        activation = 'gelu'
        dropout = 0.25
        [training]
        batch_size = 24
        epochs = 3
        class_weights = { a = 0.0, b = 1.0, c = 2.0 }";
    assert_same(config, make);
}
