//! Objects: how their fields are decoded and encoded, and what absence means.
//!
//! Relies on serde and on serde_json's raw values. Invariant: an invalid optional field decodes to `None`
//! and is logged; an invalid or missing required field is an error.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{DeserializeOwned, DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;
use serde_json::value::RawValue;

use super::decode::warn;
use crate::Setting;
use crate::excerpt::debug;
use crate::protocol::RequestId;

/// A value inside a message.
pub(crate) trait Part: DeserializeOwned {
    /// Reads the next value; returns `None` if it is null or invalid.
    fn read_or_none<'de, A: MapAccess<'de>>(
        map: &mut A,
        name: &'static str,
    ) -> Result<Option<Self>, A::Error> {
        let raw: Box<RawValue> = map.next_value()?;
        if raw.get() == "null" {
            return Ok(None);
        }
        match serde_json::from_str(raw.get()) {
            Ok(value) => Ok(Some(value)),
            Err(error) => {
                broken(name, &error);
                Ok(None)
            }
        }
    }
}

/// Logs that an optional field was ignored, without its value, which may be private.
#[cold]
fn broken(name: &str, error: &dyn fmt::Display) {
    // serde quotes the invalid value; only the position is safe to log.
    let place = error.to_string();
    let place = place.rfind(" at line ").map_or("", |at| &place[at..]);
    warn(format!(
        "the optional field `{name}` of a message has the wrong type and is treated as absent{place}"
    ));
}

impl<T: DeserializeOwned> Part for Vec<T> {}
impl<T: DeserializeOwned> Part for BTreeMap<String, T> {}
impl<T: Part> Part for Box<T> {
    fn read_or_none<'de, A: MapAccess<'de>>(
        map: &mut A,
        name: &'static str,
    ) -> Result<Option<Self>, A::Error> {
        T::read_or_none(map, name).map(|value| value.map(Box::new))
    }
}
impl Part for RequestId {}
impl Part for Value {
    fn read_or_none<'de, A: MapAccess<'de>>(map: &mut A, _: &'static str) -> Result<Option<Self>, A::Error> {
        map.next_value()
    }
}

/// A value of a single token, so that an invalid one can be reported without storing its text.
pub(crate) trait Scalar: Sized {
    fn from_text(_: &str) -> Option<Self> {
        None
    }
    fn from_unsigned(_: u64) -> Option<Self> {
        None
    }
    fn from_signed(_: i64) -> Option<Self> {
        None
    }
    fn from_float(_: f64) -> Option<Self> {
        None
    }
    fn from_bool(_: bool) -> Option<Self> {
        None
    }
}

/// Reads a scalar; returns `None` if it is null or of another type.
pub(crate) fn read_scalar<'de, T: Scalar, A: MapAccess<'de>>(
    map: &mut A,
    name: &'static str,
) -> Result<Option<T>, A::Error> {
    map.next_value_seed(Tolerant(name, PhantomData))
}

struct Tolerant<T>(&'static str, PhantomData<T>);

impl<T> Tolerant<T> {
    fn or_broken<E>(self, value: Option<T>) -> Result<Option<T>, E> {
        if value.is_none() {
            broken(self.0, &"");
        }
        Ok(value)
    }
}

impl<'de, T: Scalar> DeserializeSeed<'de> for Tolerant<T> {
    type Value = Option<T>;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<T>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, T: Scalar> Visitor<'de> for Tolerant<T> {
    type Value = Option<T>;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a scalar")
    }
    fn visit_str<E>(self, value: &str) -> Result<Option<T>, E> {
        self.or_broken(T::from_text(value))
    }
    fn visit_u64<E>(self, value: u64) -> Result<Option<T>, E> {
        self.or_broken(T::from_unsigned(value))
    }
    fn visit_i64<E>(self, value: i64) -> Result<Option<T>, E> {
        self.or_broken(T::from_signed(value))
    }
    fn visit_f64<E>(self, value: f64) -> Result<Option<T>, E> {
        self.or_broken(T::from_float(value))
    }
    fn visit_bool<E>(self, value: bool) -> Result<Option<T>, E> {
        self.or_broken(T::from_bool(value))
    }
    fn visit_unit<E>(self) -> Result<Option<T>, E> {
        Ok(None)
    }
    fn visit_none<E>(self) -> Result<Option<T>, E> {
        Ok(None)
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Option<T>, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        self.or_broken(None)
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Option<T>, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        self.or_broken(None)
    }
}

macro_rules! scalars {
    ($($type:ty: $($method:ident($value:ident: $from:ty) = $made:expr),+;)+) => {$(
        impl Scalar for $type {
            $(fn $method($value: $from) -> Option<Self> { $made })+
        }
        impl Part for $type {
            fn read_or_none<'de, A: MapAccess<'de>>(map: &mut A, name: &'static str) -> Result<Option<Self>, A::Error> {
                read_scalar(map, name)
            }
        }
    )+};
}

scalars! {
    String: from_text(value: &str) = Some(value.to_owned());
    bool: from_bool(value: bool) = Some(value);
    f64: from_float(value: f64) = Some(value), from_unsigned(value: u64) = Some(value as f64),
        from_signed(value: i64) = Some(value as f64);
    i32: from_unsigned(value: u64) = value.try_into().ok(), from_signed(value: i64) = value.try_into().ok();
    i64: from_unsigned(value: u64) = value.try_into().ok(), from_signed(value: i64) = Some(value);
    u16: from_unsigned(value: u64) = value.try_into().ok();
    u32: from_unsigned(value: u64) = value.try_into().ok();
    u64: from_unsigned(value: u64) = Some(value);
}

/// A field of an object. Its type determines what absence means: an error, `None`, or `Unset`.
pub(crate) trait Field: Sized {
    fn read<'de, A: MapAccess<'de>>(map: &mut A, name: &'static str) -> Result<Self, A::Error>;
    fn absent<E: serde::de::Error>(name: &'static str) -> Result<Self, E>;
    fn is_absent(&self) -> bool {
        false
    }
}

impl<T: Part> Field for T {
    fn read<'de, A: MapAccess<'de>>(map: &mut A, _: &'static str) -> Result<Self, A::Error> {
        map.next_value()
    }
    fn absent<E: serde::de::Error>(name: &'static str) -> Result<Self, E> {
        Err(E::missing_field(name))
    }
}

impl<T: Part> Field for Option<T> {
    fn read<'de, A: MapAccess<'de>>(map: &mut A, name: &'static str) -> Result<Self, A::Error> {
        T::read_or_none(map, name)
    }
    fn absent<E: serde::de::Error>(_: &'static str) -> Result<Self, E> {
        Ok(None)
    }
    fn is_absent(&self) -> bool {
        self.is_none()
    }
}

/// Parameters are what a client sends, so an invalid one is an error.
impl<T: Part> Field for Setting<T> {
    fn read<'de, A: MapAccess<'de>>(map: &mut A, _: &'static str) -> Result<Self, A::Error> {
        map.next_value()
    }
    fn absent<E: serde::de::Error>(_: &'static str) -> Result<Self, E> {
        Ok(Setting::Unset)
    }
    fn is_absent(&self) -> bool {
        self.is_unset()
    }
}

/// The entries of an object being decoded. The first error ends decoding and is stored, so that each
/// field only takes one call, which keeps the compile time low.
pub(crate) struct Entries<'de, A: MapAccess<'de>> {
    map: A,
    key: Key<'de>,
    error: Option<A::Error>,
}

impl<'de, A: MapAccess<'de>> Entries<'de, A> {
    pub(crate) fn new(map: A) -> Self {
        Entries { map, key: Key(Cow::Borrowed("")), error: None }
    }

    /// Advances to the next entry. Returns false after the last entry and after an error.
    pub(crate) fn advance(&mut self) -> bool {
        if self.error.is_some() {
            return false;
        }
        match self.map.next_key() {
            Ok(Some(key)) => {
                self.key = key;
                return true;
            }
            Ok(None) => {}
            Err(error) => self.error = Some(error),
        }
        false
    }

    /// Reads the entry if it has this name.
    #[inline]
    pub(crate) fn read<T: Field>(&mut self, name: &'static str, slot: &mut Option<T>) -> bool {
        if self.key.as_str() != name {
            return false;
        }
        match T::read(&mut self.map, name) {
            Ok(value) => *slot = Some(value),
            Err(error) => self.error = Some(error),
        }
        true
    }

    /// Skips the entry.
    pub(crate) fn skip(&mut self) -> bool {
        self.error = self.map.next_value::<IgnoredAny>().err();
        true
    }

    /// Whether all entries have been read without an error.
    pub(crate) fn is_ok(&self) -> bool {
        self.error.is_none()
    }

    /// The value that was read, or the type's value for an absent field; `None` after an error.
    pub(crate) fn finish<T: Field>(&mut self, name: &'static str, slot: Option<T>) -> Option<T> {
        if slot.is_some() || self.error.is_some() {
            return slot;
        }
        match T::absent(name) {
            Ok(value) => Some(value),
            Err(error) => {
                self.error = Some(error);
                None
            }
        }
    }

    /// The error that prevented decoding.
    pub(crate) fn into_error(self) -> A::Error {
        self.error.unwrap_or_else(|| serde::de::Error::custom("an object that is not whole"))
    }
}

/// An object being encoded; errors are stored as in [`Entries`].
pub(crate) struct Out<M: SerializeMap> {
    map: M,
    error: Option<M::Error>,
}

impl<M: SerializeMap> Out<M> {
    pub(crate) fn new(map: M) -> Self {
        Out { map, error: None }
    }

    pub(crate) fn tag(&mut self, name: &'static str, word: &'static str) {
        self.error = self.map.serialize_entry(name, word).err();
    }

    /// Writes a field unless it is absent; with `as_null`, writes null even then.
    pub(crate) fn field<T: Field + Serialize>(&mut self, name: &'static str, value: &T, as_null: bool) {
        if self.error.is_none() && (as_null || !value.is_absent()) {
            self.error = self.map.serialize_entry(name, value).err();
        }
    }

    pub(crate) fn end(self) -> Result<M::Ok, M::Error> {
        match self.error {
            Some(error) => Err(error),
            None => self.map.end(),
        }
    }
}

/// A protocol object, decoded from and encoded to a JSON object.
pub(crate) trait Object: Sized {
    const NAME: &'static str;
    fn read_map<'de, A: MapAccess<'de>>(map: A) -> Result<Self, A::Error>;
    fn write_map<M: SerializeMap>(&self, out: &mut Out<M>);
}

impl<T: Object> Object for Box<T> {
    const NAME: &'static str = T::NAME;
    fn read_map<'de, A: MapAccess<'de>>(map: A) -> Result<Self, A::Error> {
        T::read_map(map).map(Box::new)
    }
    fn write_map<M: SerializeMap>(&self, out: &mut Out<M>) {
        T::write_map(self, out);
    }
}

pub(crate) struct ObjectVisitor<T>(pub(crate) PhantomData<T>);

impl<'de, T: Object> Visitor<'de> for ObjectVisitor<T> {
    type Value = T;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(T::NAME)
    }
    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
        T::read_map(map)
    }
}

pub(crate) fn read_object<'de, T: Object, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    deserializer.deserialize_map(ObjectVisitor(PhantomData))
}

pub(crate) fn write_object<T: Object, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
    let mut out = Out::new(serializer.serialize_map(None)?);
    value.write_map(&mut out);
    out.end()
}

/// The wire names of fields that hold secrets, which `Debug` output masks: tokens, and what often contains one.
const SECRETS: [&str; 11] = [
    "accessToken",
    "apiKey",
    "authBearerToken",
    "config",
    "effectiveValue",
    "env",
    "headers",
    "modelProviders",
    "secretAccessKey",
    "sessionToken",
    "token",
];

/// The same for names that are harmless elsewhere: type and wire name.
const SECRETS_OF_A_TYPE: [(&str, &str); 6] = [
    ("CommandExecParams", "command"),
    ("ConfigEdit", "value"),
    ("ConfigValueWriteParams", "value"),
    ("ProcessSpawnParams", "command"),
    ("RequestHeader", "value"),
    ("ToolRequestUserInputAnswer", "answers"),
];

/// Formats like a derived `Debug`, but masks secrets that are set. Each field is given by its Rust name and its
/// wire name.
pub(crate) fn show_object(
    f: &mut fmt::Formatter<'_>,
    name: &str,
    fields: &[(&str, &str, &dyn fmt::Debug)],
) -> fmt::Result {
    debug(f, &|f| {
        let mut shown = f.debug_struct(name);
        for (field, wire, value) in fields {
            let is_secret = SECRETS.contains(wire) || SECRETS_OF_A_TYPE.contains(&(name, wire));
            match is_secret && !["None", "Null", "Unset"].contains(&format!("{value:?}").as_str()) {
                true => shown.field(field, &format_args!("…")),
                false => shown.field(field, value),
            };
        }
        shown.finish()
    })
}

/// The key of an entry, borrowed where the JSON allows it.
pub(crate) struct Key<'de>(pub(crate) Cow<'de, str>);

impl Key<'_> {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl<'de> Deserialize<'de> for Key<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct KeyVisitor;
        impl<'de> Visitor<'de> for KeyVisitor {
            type Value = Key<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a key")
            }
            fn visit_borrowed_str<E>(self, key: &'de str) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Borrowed(key)))
            }
            fn visit_str<E>(self, key: &str) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Owned(key.to_owned())))
            }
        }
        deserializer.deserialize_str(KeyVisitor)
    }
}

/// Declares an object: the struct and its encoding. `= "x"` is the wire name; `or null` marks a field
/// that is sent as null rather than omitted.
macro_rules! object {
    (
        $(#[$meta:meta])*
        pub struct $name:ident {
            $( $(#[$field_meta:meta])* pub $field:ident: $type:ty = $wire:literal $(or $null:ident)?, )*
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, PartialEq)]
        #[non_exhaustive]
        pub struct $name {
            $(
                #[doc = concat!("`", $wire, "` on the wire.\n")]
                $(#[$field_meta])*
                pub $field: $type,
            )*
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                $crate::protocol::wire::show_object(
                    f,
                    stringify!($name),
                    &[$((stringify!($field), $wire, &self.$field),)*],
                )
            }
        }

        impl $crate::protocol::wire::Part for $name {}

        impl $crate::protocol::wire::Object for $name {
            const NAME: &'static str = stringify!($name);

            fn read_map<'de, A: serde::de::MapAccess<'de>>(map: A) -> Result<Self, A::Error> {
                let mut entries = $crate::protocol::wire::Entries::new(map);
                $(let mut $field: Option<$type> = None;)*
                while entries.advance() {
                    let _ = $(entries.read($wire, &mut $field) ||)* entries.skip();
                }
                // A single pattern: a `match` or `?` for each field would add seconds of compile time.
                let (true, $(Some($field),)*) = (entries.is_ok(), $(entries.finish($wire, $field),)*) else {
                    return Err(entries.into_error());
                };
                Ok($name { $($field,)* })
            }

            #[allow(unused_variables, reason = "an object may have no fields")]
            fn write_map<M: serde::ser::SerializeMap>(&self, out: &mut $crate::protocol::wire::Out<M>) {
                $(out.field($wire, &self.$field, false $(|| !stringify!($null).is_empty())?);)*
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                $crate::protocol::wire::read_object(deserializer)
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                $crate::protocol::wire::write_object(self, serializer)
            }
        }
    };
}
pub(crate) use object;

/// Declares `new` with the required fields, and a chained setter for each other field.
macro_rules! build {
    ($name:ident($($required:ident: $required_type:ty),* $(,)?) { $($field:ident: $type:ty,)* }) => {
        impl $name {
            /// Creates the value from its required fields; everything else is unset.
            #[allow(clippy::too_many_arguments, reason = "these are what the schema requires")]
            pub fn new($($required: impl Into<$required_type>),*) -> Self {
                $name { $($required: $required.into(),)* $($field: Default::default(),)* }
            }

            $(
                #[doc = concat!("Sets [`", stringify!($field), "`](Self::", stringify!($field), ").")]
                #[must_use]
                pub fn $field(mut self, value: impl Into<$type>) -> Self {
                    let value: $type = value.into();
                    self.$field = value.into();
                    self
                }
            )*
        }
    };
}
pub(crate) use build;
