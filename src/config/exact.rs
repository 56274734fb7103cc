//! Decodes what a program wrote in types of the protocol, which tolerate what a server sends.
//!
//! Relies on serde_json. Invariant: a member that would be lost is an error that names it, but not its value.

use serde::{
    Deserialize, Deserializer, Serialize,
    de::{DeserializeOwned, Error as _},
};
use serde_json::Value;

use crate::excerpt::Excerpt;

/// For `serde(deserialize_with)`.
pub(crate) fn exactly<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Serialize + DeserializeOwned,
{
    let given = Value::deserialize(deserializer)?;
    let read = T::deserialize(&given).map_err(D::Error::custom)?;
    let kept = serde_json::to_value(&read).map_err(D::Error::custom)?;
    match lost(&given, &kept) {
        Some(place) => Err(D::Error::custom(format_args!(
            "`{}` is unknown here, or has the wrong type",
            Excerpt(place.trim_start_matches('.'))
        ))),
        None => Ok(read),
    }
}

/// The place of what is in one value and not in the other. Null is the same as a missing member.
fn lost(given: &Value, kept: &Value) -> Option<String> {
    match (given, kept) {
        (Value::Null, _) => None,
        (Value::Object(given), Value::Object(kept)) => given.iter().find_map(|(name, value)| {
            let kept = kept.get(name).unwrap_or(&Value::Null);
            lost(value, kept).map(|place| format!(".{name}{place}"))
        }),
        (Value::Array(given), Value::Array(kept)) => given.iter().enumerate().find_map(|(index, value)| {
            let kept = kept.get(index).unwrap_or(&Value::Null);
            lost(value, kept).map(|place| format!("[{index}]{place}"))
        }),
        // 1 and 1.0 are the same number.
        (Value::Number(given), Value::Number(kept)) if given.as_f64() == kept.as_f64() => None,
        (given, kept) => (given != kept).then(String::new),
    }
}
