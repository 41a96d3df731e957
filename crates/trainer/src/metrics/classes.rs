//! Metrics of predicted classes.

use super::metric::Metric;
use super::ranking::Scores;

/// Takes predicted probabilities row by row.
///
/// It keeps a matrix of classes x classes and, for the area under the ROC curve, every probability up to
/// four million of them. More are counted in narrow bins, and those in the same bin taken for equal,
/// so that any number of rows can be measured in some 100 MiB.
#[derive(Debug, Clone)]
pub struct ClassMeter {
    rows: u64,
    classes: usize,
    /// Weight of the rows by true and predicted class, row-major.
    confusion: Vec<f64>,
    log_loss: f64,
    scores: Scores,
}

/// How well one class is recognised.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ClassScores {
    /// Share of the predictions of the class that are right; 0 if there are none.
    pub precision: f64,
    /// Share of the class's rows that are recognised; 0 if there are none.
    pub recall: f64,
    /// Harmonic mean of the two.
    pub f1: f64,
    /// Weight of the class's rows.
    pub support: f64,
}

/// Metrics of predicted classes. Rows count by their weights.
#[derive(Debug, Clone, PartialEq)]
pub struct ClassReport {
    /// How many rows were measured.
    pub rows: u64,
    /// The loss that training minimises.
    pub loss: f64,
    /// Share of the rows whose class is right.
    pub accuracy: f64,
    /// Mean recall of the classes that have rows.
    pub balanced_accuracy: f64,
    /// Of two classes that of the second, else the mean over the classes that occur.
    pub precision: f64,
    /// Of two classes that of the second, else the mean over the classes that occur.
    pub recall: f64,
    /// Of two classes that of the second, else the mean over the classes that occur.
    pub f1: f64,
    /// Of two classes that of the second, else the mean of each against the rest; `None` if only
    /// one class has rows.
    pub roc_auc: Option<f64>,
    /// Mean negative logarithm of the probability of the right class, which counts as no less than
    /// 2^-23.
    pub log_loss: f64,
    /// Per class, in their order.
    pub per_class: Vec<ClassScores>,
    /// Weight of the rows by true class (row) and predicted class (column), row-major.
    pub confusion: Vec<f64>,
}

/// A row by itself: all that there is to compute before it is added.
#[derive(Debug, Clone, Copy)]
pub(crate) struct JudgedClass {
    label: u32,
    predicted: usize,
    weight: f64,
    /// Times the weight.
    log_loss: f64,
}

impl JudgedClass {
    /// Judges one row of [`ClassMeter::add`], whose class is one of `classes`.
    pub(crate) fn new(classes: usize, probabilities: &[f32], label: u32, weight: f64) -> Self {
        let class = label as usize;
        assert!(class < classes, "class {class} of {classes}");
        let (predicted, right) = match *probabilities {
            [second] if classes == 2 => {
                (usize::from(second > 0.5), if class == 1 { second } else { 1.0 - second })
            }
            [first, second] if classes == 2 => (usize::from(second > first), probabilities[class]),
            _ => {
                assert_eq!(probabilities.len(), classes, "a probability per class");
                (largest(probabilities), probabilities[class])
            }
        };
        let least = f64::from(f32::EPSILON);
        let log_loss = -weight * f64::from(right).clamp(least, 1.0 - least).ln();
        JudgedClass { label, predicted, weight, log_loss }
    }
}

impl ClassMeter {
    /// For this many classes, at least 2.
    pub fn new(classes: usize) -> ClassMeter {
        let columns = if classes == 2 { 1 } else { classes };
        ClassMeter {
            rows: 0,
            classes,
            confusion: vec![0.0; classes * classes],
            log_loss: 0.0,
            scores: Scores::new(columns),
        }
    }

    /// Adds a row: the probability of each class (of two classes that of the second alone will
    /// do), the true class and the row's weight.
    ///
    /// # Panics
    /// The number of probabilities or the class does not fit the number of classes.
    pub fn add(&mut self, probabilities: &[f32], label: u32, weight: f64) {
        let row = JudgedClass::new(self.classes, probabilities, label, weight);
        self.add_judged(row, probabilities);
    }

    /// How many classes there are.
    pub(crate) fn classes(&self) -> usize {
        self.classes
    }

    /// Adds a row that was judged by these probabilities.
    pub(crate) fn add_judged(&mut self, row: JudgedClass, probabilities: &[f32]) {
        let JudgedClass { label, predicted, weight, log_loss } = row;
        self.rows += 1;
        // What does not count may be no number, and 0 times that is none either.
        if weight == 0.0 {
            return;
        }
        self.confusion[label as usize * self.classes + predicted] += weight;
        self.log_loss += log_loss;
        let scores = match probabilities {
            [_, second] => std::slice::from_ref(second),
            all => all,
        };
        self.scores.add(scores, label, weight);
    }

    /// Adds what another meter of the same classes took.
    ///
    /// # Panics
    /// The numbers of classes differ.
    pub fn merge(&mut self, other: &ClassMeter) {
        assert_eq!(self.classes, other.classes, "meters of the same classes");
        self.rows += other.rows;
        self.confusion.iter_mut().zip(&other.confusion).for_each(|(sum, more)| *sum += more);
        self.log_loss += other.log_loss;
        self.scores.merge(&other.scores);
    }

    /// All metrics of the rows so far, beside their `loss`.
    pub fn report(&self, loss: f64) -> ClassReport {
        let at = |truth: usize, predicted: usize| self.confusion[truth * self.classes + predicted];
        let range = 0..self.classes;
        let per_class: Vec<ClassScores> = range
            .clone()
            .map(|class| {
                let right = at(class, class);
                let support: f64 = range.clone().map(|predicted| at(class, predicted)).sum();
                let predictions: f64 = range.clone().map(|truth| at(truth, class)).sum();
                ClassScores {
                    precision: ratio(right, predictions),
                    recall: ratio(right, support),
                    f1: ratio(2.0 * right, support + predictions),
                    support,
                }
            })
            .collect();
        let weight: f64 = self.confusion.iter().sum();
        let right: f64 = range.clone().map(|class| at(class, class)).sum();
        let with_rows: Vec<f64> =
            per_class.iter().filter(|c| c.support > 0.0).map(|c| c.recall).collect();
        let occurring: Vec<&ClassScores> = range
            .clone()
            .filter(|&class| range.clone().any(|o| at(class, o) > 0.0 || at(o, class) > 0.0))
            .map(|class| &per_class[class])
            .collect();
        let summary = |score: fn(&ClassScores) -> f64| match per_class.as_slice() {
            [_, second] => score(second),
            _ => mean(&occurring.iter().map(|c| score(c)).collect::<Vec<_>>()),
        };
        ClassReport {
            rows: self.rows,
            loss,
            accuracy: right / weight,
            balanced_accuracy: mean(&with_rows),
            precision: summary(|c| c.precision),
            recall: summary(|c| c.recall),
            f1: summary(|c| c.f1),
            roc_auc: self.scores.area_under_roc(),
            log_loss: self.log_loss / weight,
            per_class,
            confusion: self.confusion.clone(),
        }
    }
}

impl ClassReport {
    /// One metric; `None` for those of numbers, or if the rows do not determine it.
    pub fn get(&self, metric: Metric) -> Option<f64> {
        match metric {
            Metric::Loss => Some(self.loss),
            Metric::Accuracy => Some(self.accuracy),
            Metric::BalancedAccuracy => Some(self.balanced_accuracy),
            Metric::Precision => Some(self.precision),
            Metric::Recall => Some(self.recall),
            Metric::F1 => Some(self.f1),
            Metric::RocAuc => self.roc_auc,
            Metric::LogLoss => Some(self.log_loss),
            Metric::Rmse | Metric::Mae | Metric::R2 => None,
        }
    }
}

/// The place of the largest; of equals the first.
fn largest(values: &[f32]) -> usize {
    (1..values.len()).fold(0, |best, i| if values[i] > values[best] { i } else { best })
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// 0 where nothing is to be divided, as for the precision of a class that is never predicted.
fn ratio(part: f64, whole: f64) -> f64 {
    if whole == 0.0 { 0.0 } else { part / whole }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assert_scores(report: &ClassReport, expected: &[(Metric, f64)]) {
        for &(metric, expected) in expected {
            let value = report.get(metric).expect("a metric of classes");
            assert!((value - expected).abs() < 1e-6, "{metric}: {value} instead of {expected}");
        }
    }

    // Weights, labels and scores at random, scores with ties; the metrics of sklearn.metrics.
    const ROW_WEIGHTS: [f64; 16] =
        [2.0, 0.5, 0.5, 0.5, 0.5, 2.0, 2.0, 1.0, 0.5, 0.5, 0.5, 1.0, 1.0, 1.0, 0.5, 0.5];

    const BINARY_LABELS: [u32; 16] = [1, 1, 0, 0, 0, 0, 1, 1, 0, 0, 1, 1, 0, 1, 1, 1];
    const BINARY_SCORES: [f32; 16] =
        [0.6, 0.7, 0.6, 0.2, 0.0, 0.7, 0.6, 0.6, 0.7, 0.4, 0.6, 0.8, 0.0, 0.8, 0.6, 0.3];
    const BINARY_EXPECTED: &[(Metric, f64)] = &[
        (Metric::Accuracy, 0.7586206896551724),
        (Metric::BalancedAccuracy, 0.6994949494949495),
        (Metric::Precision, 0.7391304347826086),
        (Metric::Recall, 0.9444444444444444),
        (Metric::F1, 0.8292682926829268),
        (Metric::RocAuc, 0.6186868686868687),
        (Metric::LogLoss, 0.5604569890596899),
    ];
    const BINARY_CONFUSION: [f64; 4] = [2.5, 3.0, 0.5, 8.5];

    const LABELS: [u32; 16] = [2, 2, 2, 1, 2, 2, 2, 0, 1, 1, 0, 1, 1, 2, 1, 0];
    const SCORES: [[f32; 3]; 16] = [
        [0.31, 0.37, 0.32],
        [0.25, 0.15, 0.6],
        [0.05, 0.24, 0.71],
        [0.23, 0.35, 0.42],
        [0.28, 0.29, 0.43],
        [0.14, 0.29, 0.57],
        [0.23, 0.36, 0.41],
        [0.39, 0.27, 0.34],
        [0.18, 0.58, 0.24],
        [0.39, 0.3, 0.31],
        [0.41, 0.17, 0.42],
        [0.24, 0.5, 0.26],
        [0.36, 0.47, 0.17],
        [0.34, 0.35, 0.31],
        [0.2, 0.59, 0.21],
        [0.44, 0.25, 0.31],
    ];
    const EXPECTED: &[(Metric, f64)] = &[
        (Metric::Accuracy, 0.6896551724137931),
        (Metric::BalancedAccuracy, 0.7156862745098039),
        (Metric::Precision, 0.6987179487179488),
        (Metric::Recall, 0.7156862745098039),
        (Metric::F1, 0.6944444444444445),
        (Metric::RocAuc, 0.9034126984126983),
        (Metric::LogLoss, 0.8355361164003814),
    ];
    const CONFUSION: [f64; 9] = [1.5, 0.0, 0.5, 0.5, 3.0, 0.5, 0.0, 3.0, 5.5];
    const PER_CLASS: [[f64; 4]; 3] = [
        [0.75, 0.75, 0.75, 2.0],
        [0.5, 0.75, 0.6, 4.0],
        [0.8461538461538461, 0.6470588235294118, 0.7333333333333333, 8.5],
    ];

    #[test]
    fn two_classes_match_scikit_learn() {
        let mut meter = ClassMeter::new(2);
        let rows = BINARY_SCORES.iter().zip(BINARY_LABELS).zip(ROW_WEIGHTS);
        rows.for_each(|((&score, label), weight)| meter.add(&[score], label, weight));
        let report = meter.report(0.125);
        assert_scores(&report, BINARY_EXPECTED);
        assert_eq!(report.confusion, BINARY_CONFUSION);
        assert_eq!((report.rows, report.loss), (16, 0.125));
        assert_eq!(report.per_class[1].recall, report.recall);
    }

    #[test]
    fn two_probabilities_are_as_good_as_one() {
        let (mut one, mut two) = (ClassMeter::new(2), ClassMeter::new(2));
        for (&score, label) in BINARY_SCORES.iter().zip(BINARY_LABELS) {
            one.add(&[score], label, 1.0);
            two.add(&[1.0 - score, score], label, 1.0);
        }
        assert_eq!(one.report(0.0), two.report(0.0));
    }

    #[test]
    fn several_classes_match_scikit_learn() {
        let mut meter = ClassMeter::new(3);
        let rows = SCORES.iter().zip(LABELS).zip(ROW_WEIGHTS);
        rows.for_each(|((scores, label), weight)| meter.add(scores, label, weight));
        let report = meter.report(0.0);
        assert_scores(&report, EXPECTED);
        assert_eq!(report.confusion, CONFUSION);
        for (scores, expected) in report.per_class.iter().zip(PER_CLASS) {
            let got = [scores.precision, scores.recall, scores.f1, scores.support];
            assert!(got.iter().zip(expected).all(|(g, e)| (g - e).abs() < 1e-12), "{got:?}");
        }
    }

    #[test]
    fn a_class_without_rows_or_predictions_does_not_count() {
        let mut meter = ClassMeter::new(4);
        meter.add(&[0.7, 0.1, 0.1, 0.1], 0, 1.0);
        meter.add(&[0.1, 0.7, 0.1, 0.1], 1, 1.0);
        meter.add(&[0.1, 0.1, 0.7, 0.1], 1, 1.0);
        let report = meter.report(0.0);
        assert_eq!(report.balanced_accuracy, 0.75);
        // Classes 0, 1 and 2 occur, the last only as a prediction.
        assert!((report.recall - (1.0 + 0.5 + 0.0) / 3.0).abs() < 1e-15);
        assert!((report.precision - (1.0 + 1.0 + 0.0) / 3.0).abs() < 1e-15);
    }

    #[test]
    fn rows_of_weight_0_are_counted_and_nothing_else() {
        let meter = |weightless: &[[f32; 3]]| {
            let mut meter = ClassMeter::new(3);
            for i in 0..16 {
                meter.add(&SCORES[i], LABELS[i], ROW_WEIGHTS[i]);
            }
            weightless.iter().for_each(|scores| meter.add(scores, 1, 0.0));
            meter.report(0.5)
        };
        let expected = ClassReport { rows: 18, ..meter(&[]) };
        assert_eq!(meter(&[[f32::NAN; 3], [f32::INFINITY, 0.0, f32::NAN]]), expected);
        assert_eq!(meter(&[[0.1, 0.2, 0.7]; 2]), expected);
    }

    #[test]
    fn merged_meters_are_one_meter() {
        let mut parts = [ClassMeter::new(3), ClassMeter::new(3)];
        let mut whole = ClassMeter::new(3);
        for (i, (scores, label)) in SCORES.iter().zip(LABELS).enumerate() {
            whole.add(scores, label, 1.0);
            parts[usize::from(i >= 6)].add(scores, label, 1.0);
        }
        let [mut first, second] = parts;
        first.merge(&second);
        let (merged, whole) = (first.report(0.0), whole.report(0.0));
        assert!((merged.log_loss - whole.log_loss).abs() < 1e-15);
        assert_eq!(ClassReport { log_loss: whole.log_loss, ..merged }, whole);
    }

    #[test]
    fn a_certain_mistake_has_a_finite_log_loss() {
        let mut meter = ClassMeter::new(2);
        meter.add(&[1.0], 0, 1.0);
        assert!((meter.report(0.0).log_loss - 23.0 * std::f64::consts::LN_2).abs() < 1e-12);
    }
}
