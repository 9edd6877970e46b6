/// Why a simulation cannot be made.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum SimulatorError {
    /// A setting is outside the range in which the model makes sense.
    #[error("{key} = {value}: expected {expected}; change it in the configuration")]
    Setting {
        /// The setting's name.
        key: &'static str,
        /// Its value.
        value: String,
        /// The values that are allowed.
        expected: String,
    },
    /// The database has no record of that number.
    #[error("simulated database: there is no record {index}; it has {records} (numbered from 0)")]
    NoSuchRecord {
        /// The number asked for.
        index: usize,
        /// How many records there are.
        records: usize,
    },
}

impl SimulatorError {
    /// Fails unless `low <= value <= high`; NaN fails.
    pub(crate) fn check(key: &'static str, value: f64, low: f64, high: f64) -> Result<(), Self> {
        if (low..=high).contains(&value) {
            return Ok(());
        }
        Err(Self::Setting { key, value: value.to_string(), expected: format!("a number from {low} to {high}") })
    }
}
