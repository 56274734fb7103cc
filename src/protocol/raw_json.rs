//! Received JSON text as part of what is serialized.
//!
//! Relies on serde_json's raw values. Invariant: text that serde_json would not parse again serializes as a
//! string, so that no value of a peer makes serialization fail, or its result unreadable.

use std::fmt;

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{DeserializeSeed, Error as _, MapAccess, SeqAccess, Visitor},
};
use serde_json::{Value, value::RawValue};

use super::{envelope::scalars_are_nothing, repair::RAW_VALUE_KEY, wire::Key};

/// How deep the text may be nested. serde_json parses 127 levels; some are left for what contains the text.
const DEEPEST: usize = 100;

/// Serializes the JSON text unchanged, or as a string if it can't be parsed: because it is nested deeper than
/// 100 levels, or contains a number outside of the range of `f64`.
pub(crate) fn serialize_raw<S: Serializer>(text: &str, serializer: S) -> Result<S::Ok, S::Error> {
    let is_parseable = Checked(DEEPEST).deserialize(&mut serde_json::Deserializer::from_str(text)).is_ok();
    match serde_json::from_str::<&RawValue>(text) {
        Ok(raw) if is_parseable => raw.serialize(serializer),
        _ => serializer.serialize_str(text),
    }
}

/// JSON text that serializes as by [`serialize_raw`].
pub(crate) struct RawJson<'a>(pub(crate) &'a str);

impl Serialize for RawJson<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serialize_raw(self.0, serializer)
    }
}

/// The reverse of [`serialize_raw`] for text that is not a string. Whitespace and the spelling of numbers may
/// differ from the original.
pub(crate) fn deserialize_raw<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    match Value::deserialize(deserializer)? {
        Value::String(text) => Ok(text),
        value => serde_json::to_string(&value).map_err(D::Error::custom),
    }
}

/// A value that is parsed and not kept, of at most so many levels.
#[derive(Clone, Copy)]
struct Checked(usize);

impl Checked {
    fn inner<E: serde::de::Error>(self) -> Result<Checked, E> {
        self.0.checked_sub(1).map(Checked).ok_or_else(|| E::custom("nested too deep"))
    }
}

impl<'de> DeserializeSeed<'de> for Checked {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Checked {
    scalars_are_nothing!();

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let inner = self.inner()?;
        while list.next_element_seed(inner)?.is_some() {}
        Ok(())
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let inner = self.inner()?;
        while let Some(key) = map.next_key::<Key<'de>>()? {
            if key.as_str() == RAW_VALUE_KEY {
                return Err(A::Error::custom("a key with a meaning to serde_json"));
            }
            map.next_value_seed(inner)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_kept_byte_for_byte_and_as_a_string_if_it_can_not_be_parsed() {
        let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
        for text in ["1.50", "null", r#"{"a" :[true, "ü\n",{}]}"#, "-0", r#""x""#, &nested(100)] {
            assert_eq!(serde_json::to_string(&RawJson(text)).unwrap(), text);
            let tree: Value = serde_json::from_str(text).unwrap();
            assert_eq!(serde_json::to_value(RawJson(text)).unwrap(), tree);
        }
        let long = "9".repeat(400);
        let magic = r#"{"\u0024serde_json::private::RawValue":"["}"#;
        for text in [magic, "1e999", "[-1e999]", &nested(101), &nested(10_000), r#""\ud83d""#, "", "{", &long]
        {
            assert_eq!(serde_json::to_value(RawJson(text)).unwrap(), Value::String(text.to_owned()));
            assert_eq!(serde_json::to_string(&RawJson(text)).unwrap(), serde_json::to_string(text).unwrap());
        }
    }
}
