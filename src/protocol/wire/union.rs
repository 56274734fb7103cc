//! Unions, distinguished by a tag, by a key, or by their shape.
//!
//! Relies on serde_json's raw values. Invariant: a union never fails to decode. A value that matches no
//! member, or an invalid member, is stored as received, with the reason.

use std::borrow::Cow;
use std::fmt;

use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;
use serde_json::value::RawValue;

use super::Key;
use crate::{excerpt::debug_struct, protocol::raw_json::serialize_raw};

/// JSON that matches no variant of a union: its tag is unknown, or its content is invalid for the tag.
///
/// It serializes as it was received, byte for byte; as a string if it can't be parsed because it is nested too
/// deeply, or contains a number that is too large. Created from a [`Value`], it lets a client send a
/// member that this version of the crate has no type for.
#[derive(Clone)]
pub struct Unknown {
    tag: Option<Box<str>>,
    raw: Box<RawValue>,
    error: Option<Box<str>>,
}

impl Unknown {
    pub(crate) fn new(tag: Option<String>, raw: Box<RawValue>, error: Option<serde_json::Error>) -> Self {
        Unknown {
            tag: tag.map(String::into_boxed_str),
            raw,
            error: error.map(|error| error.to_string().into_boxed_str()),
        }
    }

    /// Takes the tag from the JSON's entry `key`.
    pub(crate) fn tagged(key: &'static str, raw: Box<RawValue>, error: Option<serde_json::Error>) -> Self {
        let tag = tag(raw.get(), key).map(Cow::into_owned);
        Unknown::new(tag, raw, error)
    }

    /// The string that identifies the variant, if there is one.
    pub fn tag(&self) -> Option<&str> {
        self.tag.as_deref()
    }

    /// The JSON as it was received.
    pub fn raw(&self) -> &str {
        self.raw.get()
    }

    /// Why a value with a known tag failed to decode; `None` if the tag itself is unknown.
    pub fn error(&self) -> Option<&str> {
        self.error.as_deref()
    }

    /// A string field of the JSON, if it contains no escapes.
    pub(crate) fn plain_field(&self, name: &'static str) -> Option<&str> {
        match tag(self.raw.get(), name) {
            Some(Cow::Borrowed(text)) => Some(text),
            Some(Cow::Owned(_)) | None => None,
        }
    }

    /// Parses the JSON into a [`Value`].
    pub fn to_value(&self) -> Value {
        serde_json::from_str(self.raw.get()).unwrap_or_default()
    }
}

impl From<Value> for Unknown {
    fn from(value: Value) -> Self {
        // Serializing a `Value` can't fail; null is the fallback.
        let raw = serde_json::value::to_raw_value(&value).unwrap_or_else(|_| RawValue::NULL.to_owned());
        Unknown { tag: None, raw, error: None }
    }
}

impl PartialEq for Unknown {
    fn eq(&self, other: &Self) -> bool {
        self.raw.get() == other.raw.get()
    }
}

impl fmt::Debug for Unknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fields: [(&str, &dyn fmt::Debug); 3] =
            [("tag", &self.tag), ("raw", &self.raw.get()), ("error", &self.error)];
        debug_struct(f, "Unknown", &fields)
    }
}

impl Serialize for Unknown {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serialize_raw(self.raw.get(), serializer)
    }
}

/// The string under `key` in the object `text`. It is usually the first entry, where reading stops.
pub(crate) fn tag<'a>(text: &'a str, key: &'static str) -> Option<Cow<'a, str>> {
    struct Search<'s, 'a>(&'static str, &'s mut Option<Cow<'a, str>>);
    impl<'a> Visitor<'a> for Search<'_, 'a> {
        type Value = ();
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }
        fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<(), A::Error> {
            while let Some(key) = map.next_key::<Key<'a>>()? {
                if key.as_str() == self.0 {
                    *self.1 = Some(map.next_value::<Key<'a>>()?.0);
                    return Ok(());
                }
                map.next_value::<IgnoredAny>()?;
            }
            Ok(())
        }
    }
    let mut found = None;
    // Fails unless the tag is the last entry; only `found` matters.
    let _ = serde_json::Deserializer::from_str(text).deserialize_map(Search(key, &mut found));
    found
}

/// A string, or an object whose single key identifies the variant.
pub(crate) enum StringOrEntry<'a> {
    String(Cow<'a, str>),
    Entry(Cow<'a, str>, &'a str),
    Neither,
}

/// Splits such a value. Of several keys, picks the first that is `known`, otherwise the first.
pub(crate) fn string_or_entry<'a>(text: &'a str, known: &[&str]) -> StringOrEntry<'a> {
    if text.starts_with('"') {
        return serde_json::from_str::<Key<'a>>(text)
            .map_or(StringOrEntry::Neither, |word| StringOrEntry::String(word.0));
    }
    let Ok(entries) = serde_json::from_str::<Shallow<'a>>(text) else {
        return StringOrEntry::Neither;
    };
    let at = entries.0.iter().position(|(key, _)| known.contains(&key.as_ref())).unwrap_or(0);
    match entries.0.into_iter().nth(at) {
        Some((key, value)) => StringOrEntry::Entry(key, value.get()),
        None => StringOrEntry::Neither,
    }
}

/// The entries of an object, with unparsed values.
struct Shallow<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'de> Deserialize<'de> for Shallow<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ShallowVisitor;
        impl<'de> Visitor<'de> for ShallowVisitor {
            type Value = Shallow<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Shallow<'de>, A::Error> {
                let mut entries = Vec::new();
                while let Some((key, value)) = map.next_entry::<Key<'de>, &'de RawValue>()? {
                    entries.push((key.0, value));
                }
                Ok(Shallow(entries))
            }
        }
        deserializer.deserialize_map(ShallowVisitor)
    }
}

/// The shape of a member of an untagged union.
#[allow(dead_code, reason = "which are used depends on the schema")]
pub(crate) enum Shape {
    Text,
    Bool,
    Integer,
    List,
    Object {
        required: &'static [&'static str],
        optional: &'static [&'static str],
        /// Fields whose value is one of these strings.
        words: &'static [(&'static str, &'static [&'static str])],
    },
}

impl Shape {
    /// How many entries the shape doesn't account for; `None` if the value doesn't match it.
    fn unexplained(&self, text: &str) -> Option<usize> {
        match self {
            Shape::Text => text.starts_with('"').then_some(0),
            Shape::Bool => matches!(text, "true" | "false").then_some(0),
            Shape::Integer => text.parse::<i64>().is_ok().then_some(0),
            Shape::List => text.starts_with('[').then_some(0),
            Shape::Object { required, optional, words } => {
                let entries = serde_json::from_str::<Shallow<'_>>(text).ok()?.0;
                let value = |name: &str| entries.iter().find(|(key, _)| key == name).map(|(_, value)| *value);
                let fits = required.iter().all(|name| value(name).is_some())
                    && words.iter().all(|(name, words)| {
                        value(name)
                            .and_then(|value| serde_json::from_str::<Key<'_>>(value.get()).ok())
                            .is_none_or(|word| words.contains(&word.as_str()))
                    });
                let known = |key: &str| required.contains(&key) || optional.contains(&key);
                fits.then(|| entries.iter().filter(|(key, _)| !known(key)).count())
            }
        }
    }
}

/// The fewest unaccounted entries among several shapes.
pub(crate) fn fit(text: &str, shapes: &[Shape]) -> Option<usize> {
    shapes.iter().filter_map(|shape| shape.unexplained(text)).min()
}

/// A member of an untagged union: how well the text matches its shapes, and how it is decoded.
pub(crate) type Candidate<T> = (Option<usize>, fn(&str) -> serde_json::Result<T>);

/// Decodes the member with the fewest unaccounted entries (the first of equals), or the next one if that
/// fails.
pub(crate) fn read_best<T>(
    text: &str,
    candidates: &mut [Candidate<T>],
) -> Result<T, Option<serde_json::Error>> {
    candidates.sort_by_key(|(fit, _)| fit.unwrap_or(usize::MAX));
    let mut first_error = None;
    for (_, read) in candidates.iter().filter(|(fit, _)| fit.is_some()) {
        match read(text) {
            Ok(value) => return Ok(value),
            Err(error) => first_error = first_error.or(Some(error)),
        }
    }
    Err(first_error)
}

/// Shared by all unions: they never fail to decode, so as a `Part` they need no fallback.
macro_rules! union_of_raw {
    ($name:ident) => {
        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Box::<serde_json::value::RawValue>::deserialize(deserializer).map(Self::from_raw)
            }
        }

        impl $crate::protocol::wire::Part for $name {
            fn read_or_none<'de, A: serde::de::MapAccess<'de>>(
                map: &mut A,
                _: &'static str,
            ) -> Result<Option<Self>, A::Error> {
                let raw: Box<serde_json::value::RawValue> = map.next_value()?;
                Ok(if raw.get() == "null" { None } else { Some(Self::from_raw(raw)) })
            }
        }
    };
}
pub(crate) use union_of_raw;

/// Declares a union distinguished by a string field.
macro_rules! tagged {
    (
        $(#[$meta:meta])*
        pub enum $name:ident by $tag:literal {
            $( $(#[$variant_meta:meta])* $variant:ident $(($item:ident: $payload:ty))? = $string:literal, )*
        }
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq)]
        #[non_exhaustive]
        pub enum $name {
            $(
                #[doc = concat!("`", $string, "` on the wire.\n")]
                $(#[$variant_meta])*
                $variant $(($payload))?,
            )*
            /// A member that is invalid, or unknown to this version of the crate.
            Unknown($crate::protocol::Unknown),
        }

        impl $name {
            #[doc = concat!("The value of `", $tag, "` that identifies the variant; empty if there is none.")]
            #[inline]
            pub fn tag(&self) -> &str {
                match self {
                    $(Self::$variant $(($item))? => { $(let _ = $item;)? $string })*
                    Self::Unknown(unknown) => unknown.tag().unwrap_or_default(),
                }
            }

            #[inline]
            fn from_raw(raw: Box<serde_json::value::RawValue>) -> Self {
                let tag = $crate::protocol::wire::tag(raw.get(), $tag);
                let read = Self::read(raw.get(), tag.as_deref());
                drop(tag);
                read.unwrap_or_else(|error| Self::Unknown($crate::protocol::Unknown::tagged($tag, raw, error)))
            }

            #[inline]
            #[allow(unused_variables, reason = "the members may have no fields")]
            fn read(text: &str, tag: Option<&str>) -> Result<Self, Option<serde_json::Error>> {
                match tag {
                    $(Some($string) => Ok(Self::$variant $(({
                        let $item: $payload = serde_json::from_str(text)?;
                        $item
                    }))?),)*
                    _ => Err(None),
                }
            }
        }

        $crate::protocol::wire::union_of_raw!($name);

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                match self {
                    $(Self::$variant $(($item))? => {
                        let mut out = $crate::protocol::wire::Out::new(serializer.serialize_map(None)?);
                        out.tag($tag, $string);
                        $($crate::protocol::wire::Object::write_map($item, &mut out);)?
                        out.end()
                    })*
                    Self::Unknown(unknown) => unknown.serialize(serializer),
                }
            }
        }
    };
}
pub(crate) use tagged;

/// Declares a union of strings and of objects whose single key identifies the variant.
macro_rules! mixed {
    (
        $(#[$meta:meta])*
        pub enum $name:ident {
            $( $(#[$string_meta:meta])* $string_variant:ident = $string:literal, )*
        } or {
            $( $(#[$key_meta:meta])* $key_variant:ident($payload:ty) = $key:literal, )*
        }
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq)]
        #[non_exhaustive]
        pub enum $name {
            $(
                #[doc = concat!("`", $string, "` on the wire.\n")]
                $(#[$string_meta])*
                $string_variant,
            )*
            $(
                #[doc = concat!("An object with the one key `", $key, "` on the wire.\n")]
                $(#[$key_meta])*
                $key_variant($payload),
            )*
            /// A member that is invalid, or unknown to this version of the crate.
            Unknown($crate::protocol::Unknown),
        }

        impl $name {
            /// The string or key that identifies the variant; empty if there is none.
            #[inline]
            pub fn tag(&self) -> &str {
                match self {
                    $(Self::$string_variant => $string,)*
                    $(Self::$key_variant(_) => $key,)*
                    Self::Unknown(unknown) => unknown.tag().unwrap_or_default(),
                }
            }

            #[inline]
            fn from_raw(raw: Box<serde_json::value::RawValue>) -> Self {
                use $crate::protocol::wire::{StringOrEntry, string_or_entry};
                let (tag, error) = match string_or_entry(raw.get(), &[$($key),*]) {
                    $(StringOrEntry::String(word) if word == $string => return Self::$string_variant,)*
                    $(StringOrEntry::Entry(key, value) if key == $key => match serde_json::from_str(value) {
                        Ok(value) => return Self::$key_variant(value),
                        Err(error) => (Some(key.into_owned()), Some(error)),
                    },)*
                    StringOrEntry::String(tag) | StringOrEntry::Entry(tag, _) => (Some(tag.into_owned()), None),
                    StringOrEntry::Neither => (None, None),
                };
                Self::Unknown($crate::protocol::Unknown::new(tag, raw, error))
            }
        }

        $crate::protocol::wire::union_of_raw!($name);

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                match self {
                    $(Self::$string_variant => serializer.serialize_str($string),)*
                    $(Self::$key_variant(value) => {
                        let mut map = serializer.serialize_map(Some(1))?;
                        serde::ser::SerializeMap::serialize_entry(&mut map, $key, value)?;
                        serde::ser::SerializeMap::end(map)
                    })*
                    Self::Unknown(unknown) => unknown.serialize(serializer),
                }
            }
        }
    };
}
pub(crate) use mixed;

/// Declares a union distinguished only by the shape of its members.
macro_rules! untagged {
    (
        $(#[$meta:meta])*
        pub enum $name:ident { $( $(#[$variant_meta:meta])* $variant:ident($payload:ty) = [$($shape:expr),* $(,)?], )* }
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq)]
        #[non_exhaustive]
        pub enum $name {
            $( $(#[$variant_meta])* $variant($payload), )*
            /// A member that is invalid, or unknown to this version of the crate.
            Unknown($crate::protocol::Unknown),
        }

        impl $name {
            #[inline]
            fn from_raw(raw: Box<serde_json::value::RawValue>) -> Self {
                use $crate::protocol::wire::{Shape, fit, read_best};
                let text = raw.get();
                let read = read_best(text, &mut [
                    $((fit(text, &[$($shape),*]), |text| serde_json::from_str(text).map(Self::$variant)),)*
                ]);
                read.unwrap_or_else(|error| Self::Unknown($crate::protocol::Unknown::new(None, raw, error)))
            }
        }

        $crate::protocol::wire::union_of_raw!($name);

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                match self {
                    $(Self::$variant(value) => value.serialize(serializer),)*
                    Self::Unknown(unknown) => unknown.serialize(serializer),
                }
            }
        }
    };
}
pub(crate) use untagged;

/// Converts members of a union to the union.
macro_rules! convert {
    ($name:ident { $($variant:ident($payload:ty),)* }) => {
        $(impl From<$payload> for $name {
            #[inline]
            fn from(member: $payload) -> Self {
                // Some unions box their members.
                #[allow(clippy::useless_conversion, reason = "a box or the value itself")]
                Self::$variant(member.into())
            }
        })*
    };
}
pub(crate) use convert;

/// Accesses a required string field that all members of a union have.
macro_rules! shared {
    ($name:ident { $($field:ident = $wire:literal in [$($variant:ident),* $(,)?],)* }) => {
        impl $name {
            $(
                #[doc = concat!("`", $wire, "`, which all members have; of an unknown member only if it is there.")]
                #[inline]
                pub fn $field(&self) -> Option<&str> {
                    match self {
                        $(Self::$variant(member) => Some(&member.$field),)*
                        Self::Unknown(unknown) => unknown.plain_field($wire),
                    }
                }
            )*
        }
    };
}
pub(crate) use shared;
