//! Optional moments as JSON: Unix seconds, or null.
//!
//! Relies on serde. Invariant: what was serialized comes back, to the second.

use std::time::{Duration, SystemTime};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// The moment, or `None` if the system can't represent it.
pub(crate) fn moment(seconds: u64) -> Option<SystemTime> {
    SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds))
}

pub(crate) fn serialize<S: Serializer>(at: &Option<SystemTime>, serializer: S) -> Result<S::Ok, S::Error> {
    let seconds = at.map(|at| at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs());
    seconds.serialize(serializer)
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<SystemTime>, D::Error> {
    let Some(seconds) = Option::<u64>::deserialize(deserializer)? else { return Ok(None) };
    moment(seconds)
        .map(Some)
        .ok_or_else(|| D::Error::custom(format_args!("{seconds} Unix seconds are no moment")))
}
