//! Why a plugin cannot do what it is asked.

/// Shown to the user.
pub type Error = Box<dyn std::error::Error + Send + Sync>;

/// What everything here returns that may fail.
pub type Result<T> = std::result::Result<T, Error>;
