//! Networks that are no chains of dense layers: their rows and their layers.

use serde::{Deserialize, Serialize};

/// One of them; `benches/peers/README.md` describes them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Named {
    Lenet,
    Residual,
    Gru,
    Embedding,
}

/// Categories of the table of [`Named::Embedding`].
const CATEGORIES: u32 = 1_000_000;

impl Named {
    /// How the features of a row are arranged.
    pub(crate) fn shape(self) -> &'static [usize] {
        match self {
            Named::Lenet => &[28, 28, 1],
            Named::Residual => &[32, 32, 3],
            Named::Gru => &[100, 13],
            Named::Embedding => &[26],
        }
    }

    /// What figures call it.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Named::Lenet => "2 convolutions and 2 dense layers on 28x28x1",
            Named::Residual => "3 residual blocks with batch norm on 32x32x3",
            Named::Gru => "GRU 64 on 100x13",
            Named::Embedding => "26 of 1,000,000 vectors of 16, dense 64",
        }
    }

    /// Where features are numbers of categories: below what.
    pub(crate) fn categories(self) -> Option<u32> {
        (self == Named::Embedding).then_some(CATEGORIES)
    }

    /// All layers but the last, as `--layers` takes them.
    pub(crate) fn line(self, activation: &str) -> String {
        match self {
            Named::Lenet => format!(
                "conv 16 5 padding=same activation={activation}, pool 2, \
                 conv 32 5 activation={activation}, pool 2, dense 128 activation={activation}"
            ),
            Named::Residual => {
                let conv = |filters, stride| {
                    format!("conv {filters} 3 padding=1 stride={stride} bias=false, batch-norm")
                };
                let block = |filters, stride, from, shortcut: &str, name| {
                    let [first, second] = [conv(filters, stride), conv(filters, 1)];
                    format!(
                        "{first}, {activation}, {second} name={name}-norm{shortcut}, \
                         add from={name}-norm+{from}, {activation} name={name}"
                    )
                };
                let shortcut = |filters, from, name| {
                    format!(", conv {filters} 1 stride=2 bias=false from={from} name={name}")
                };
                [
                    format!("{}, {activation} name=stem", conv(16, 1)),
                    block(16, 1, "stem", "", "first"),
                    block(32, 2, "short2", &shortcut(32, "first", "short2"), "second"),
                    block(64, 2, "short3", &shortcut(64, "second", "short3"), "third"),
                    "global-pool".to_owned(),
                ]
                .join(", ")
            }
            Named::Gru => "gru 64".to_owned(),
            Named::Embedding => {
                format!("embedding 16 vocabulary={CATEGORIES}, dense 64 activation={activation}")
            }
        }
    }
}
