//! Names of activations, losses and update rules, as configurations and model files spell them.

use std::fmt;

/// A name, or the parameter beside it, that means nothing here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NameError(String);

impl NameError {
    /// `what` (an activation, a loss) of this name does not exist; `known` do.
    pub(crate) fn unknown(what: &str, name: &str, known: &[&str]) -> NameError {
        NameError(format!("{name:?} is no {what}; use one of: {}", known.join(", ")))
    }
}

impl fmt::Display for NameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for NameError {}

/// `default` where no parameter is given.
///
/// # Errors
/// The parameter is not finite, or (where it must be) not positive.
pub(crate) fn parameter(
    name: &str,
    given: Option<f32>,
    default: f32,
    positive: bool,
) -> Result<f32, NameError> {
    let value = given.unwrap_or(default);
    if !value.is_finite() || (positive && value <= 0.0) {
        let kind = if positive { "positive" } else { "finite" };
        return Err(NameError(format!("{name} takes a {kind} number, not {value}")));
    }
    Ok(value)
}

/// # Errors
/// A parameter is given to a name that takes none.
pub(crate) fn no_parameter(name: &str, given: Option<f32>) -> Result<(), NameError> {
    match given {
        Some(value) => Err(NameError(format!("{name} takes no parameter, but {value} is given"))),
        None => Ok(()),
    }
}
