//! From what a network gives to the probability of each class.

/// What the column of a class's probability is called.
pub(super) fn probability_of(class: &str) -> String {
    format!("p({class})")
}

/// The class that is predicted.
pub(super) fn most_probable(probabilities: &[f32]) -> usize {
    let mut best = 0;
    for (class, probability) in probabilities.iter().enumerate() {
        if *probability > probabilities[best] {
            best = class;
        }
    }
    best
}

/// What a network gives as the probability of each class; numbers are as they are.
pub(super) fn with_probabilities(classes: usize, outputs: &[f32], take: impl FnOnce(&[f32])) {
    match outputs {
        // A single sigmoid gives the probability of the second of two classes.
        [second] if classes == 2 => take(&[1.0 - second, *second]),
        _ => take(outputs),
    }
}
