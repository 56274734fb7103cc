//! Optional durations as JSON: a number of milliseconds, or null.
//!
//! Relies on serde. Invariant: what was serialized comes back, to the millisecond.

use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub(crate) fn serialize<S: Serializer>(
    duration: &Option<Duration>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let number = duration.map(|duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX));
    number.serialize(serializer)
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    Ok(Option::<u64>::deserialize(deserializer)?.map(Duration::from_millis))
}
