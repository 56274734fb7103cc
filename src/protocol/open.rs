//! How protocol types are read and written: open enums, unions that keep what they don't know,
//! and objects whose optional parts may be broken without taking the message with them.
//!
//! Relies on serde and on serde_json's raw values (other formats are not supported). Invariant:
//! nothing a peer sends is lost without a trace. An unknown word or tag is kept as it came, a
//! broken union member is kept as raw JSON with the reason, a broken optional field reads as `None`
//! and is logged, and a broken required field is an error.
//!
//! The macros take the types of `generated/` as plain declarations, so that a hundred fields cost a
//! hundred lines, and so that compiling them costs less than serde's derive would.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{DeserializeOwned, DeserializeSeed, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::Setting;

/// JSON that no variant of a union fits: its tag is new, or it is not what the tag promises.
///
/// It serialises as it came, byte for byte. Made from a [`Value`], it carries what this version of
/// the crate has no type for to a newer server.
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

    /// With the tag that the JSON has under `key`.
    pub(crate) fn tagged(key: &'static str, raw: Box<RawValue>, error: Option<serde_json::Error>) -> Self {
        let tag = tag(raw.get(), key).map(Cow::into_owned);
        Unknown::new(tag, raw, error)
    }

    /// The word that tells the variants apart, if there was one.
    pub fn tag(&self) -> Option<&str> {
        self.tag.as_deref()
    }

    /// The JSON as it came.
    pub fn raw(&self) -> &str {
        self.raw.get()
    }

    /// Why a value with a known tag could not be read; `None` when the tag itself is unknown.
    pub fn error(&self) -> Option<&str> {
        self.error.as_deref()
    }

    /// A string among the JSON's own fields, if its text needs no unescaping.
    pub(crate) fn plain_field(&self, name: &'static str) -> Option<&str> {
        match tag(self.raw.get(), name) {
            Some(Cow::Borrowed(text)) => Some(text),
            Some(Cow::Owned(_)) | None => None,
        }
    }

    /// The JSON as a tree.
    pub fn to_value(&self) -> Value {
        serde_json::from_str(self.raw.get()).unwrap_or_default()
    }
}

impl From<Value> for Unknown {
    fn from(value: Value) -> Self {
        // A tree always has a text; should that ever change, null is a value too.
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
        f.debug_struct("Unknown")
            .field("tag", &self.tag)
            .field("raw", &self.raw.get())
            .field("error", &self.error)
            .finish()
    }
}

impl Serialize for Unknown {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.raw.serialize(serializer)
    }
}

/// Decodes a reply or the parameters of a message; the error names the path in the JSON.
///
/// # Errors
///
/// When the text is no JSON, or something required is missing or of another type.
pub fn decode<T: DeserializeOwned>(text: &str) -> serde_json::Result<T> {
    serde_json::from_str(text).map_err(|error| name_path(text, error))
}

/// Puts the path in front of the message. Not part of the decoding itself: tracking the path costs
/// every good message what only the bad ones need.
#[cold]
fn name_path(text: &str, error: serde_json::Error) -> serde_json::Error {
    if !error.is_data() {
        return error;
    }
    let message = error.to_string();
    let mut path = path_at(text, error.line(), error.column());
    if let Some(field) = message.strip_prefix("missing field `").and_then(|rest| rest.split('`').next()) {
        if !path.is_empty() {
            path.push('.');
        }
        path.push_str(field);
    }
    if path.is_empty() { error } else { serde_json::Error::custom(format_args!("{path}: {message}")) }
}

/// Where in valid JSON the reader stood after so many columns of that line.
fn path_at(text: &str, line: usize, column: usize) -> String {
    enum Level {
        Object(Option<String>),
        List(usize),
    }
    let bytes = text.as_bytes();
    let line_start = match line {
        0 | 1 => 0,
        line => memchr::memchr_iter(b'\n', bytes).nth(line - 2).map_or(0, |end| end + 1),
    };
    let end = (line_start + column).min(bytes.len());
    let mut levels: Vec<Level> = Vec::new();
    let mut at = 0;
    while at < end {
        match bytes[at] {
            b'{' => levels.push(Level::Object(None)),
            b'[' => levels.push(Level::List(0)),
            // The bracket that ends the text looked at still belongs to what it closes.
            b'}' | b']' if at + 1 < end => {
                levels.pop();
            }
            b',' => match levels.last_mut() {
                Some(Level::Object(key)) => *key = None,
                Some(Level::List(index)) => *index += 1,
                None => {}
            },
            b'"' => {
                let start = at;
                at += 1;
                while at < bytes.len() && bytes[at] != b'"' {
                    at += if bytes[at] == b'\\' { 2 } else { 1 };
                }
                if let Some(Level::Object(key @ None)) = levels.last_mut() {
                    *key = text.get(start..=at).and_then(|quoted| serde_json::from_str(quoted).ok());
                }
            }
            _ => {}
        }
        at += 1;
    }
    // An object that was just closed is named itself, not its last member.
    let closed = end > 0 && matches!(bytes[end - 1], b'}' | b']');
    if closed {
        levels.pop();
    }
    let mut path = String::new();
    for level in levels {
        match level {
            Level::Object(Some(key)) => {
                if !path.is_empty() {
                    path.push('.');
                }
                path.push_str(&key);
            }
            Level::Object(None) => {}
            Level::List(index) => path.push_str(&format!("[{index}]")),
        }
    }
    path
}

/// A value as it stands in a message.
pub(crate) trait Part: DeserializeOwned {
    /// Reads the next value, or nothing if it is null or broken.
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

/// Says that an optional field was left out. Without the value: it may be private.
#[cold]
fn broken(name: &str, error: &dyn fmt::Display) {
    // serde quotes a wrong value in backticks or quotes; only the position is safe to tell.
    let place = error.to_string();
    let place = place.rfind(" at line ").map_or("", |at| &place[at..]);
    log::warn!("the optional field `{name}` of a message is not of its type and was read as absent{place}");
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
impl Part for Value {
    fn read_or_none<'de, A: MapAccess<'de>>(map: &mut A, _: &'static str) -> Result<Option<Self>, A::Error> {
        map.next_value()
    }
}

/// A value that takes one token, so that a wrong one is told without keeping its text.
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

/// Reads a scalar, or nothing if it is null or something else.
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

/// A field of an object. Its type says what absence means: an error, `None`, or `Unset`.
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

/// Parameters are what a client sends, so a broken one is not excused here.
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

/// The value read, or what the type makes of its absence.
pub(crate) fn finish<T: Field, E: serde::de::Error>(read: Option<T>, name: &'static str) -> Result<T, E> {
    match read {
        Some(value) => Ok(value),
        None => T::absent(name),
    }
}

/// The entries of an object that is read. The first error ends the reading and is kept, which lets
/// the code for each field be one call.
pub(crate) struct Entries<A, E> {
    map: A,
    pub(crate) error: Option<E>,
}

impl<'de, A: MapAccess<'de>> Entries<A, A::Error> {
    pub(crate) fn new(map: A) -> Self {
        Entries { map, error: None }
    }

    pub(crate) fn next_key(&mut self) -> Option<Key<'de>> {
        if self.error.is_some() {
            return None;
        }
        self.map.next_key().unwrap_or_else(|error| {
            self.error = Some(error);
            None
        })
    }

    pub(crate) fn read<T: Field>(&mut self, slot: &mut Option<T>, name: &'static str) {
        match T::read(&mut self.map, name) {
            Ok(value) => *slot = Some(value),
            Err(error) => self.error = Some(error),
        }
    }

    pub(crate) fn skip(&mut self) {
        self.error = self.map.next_value::<IgnoredAny>().err();
    }
}

/// An object that is written; errors are kept as in [`Entries`].
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

    /// Writes a field unless it is absent; some the schema wants as null even then.
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

/// An object of the protocol: read from and written to the entries of a JSON object.
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

/// The key of an entry, borrowed where the JSON allows.
pub(crate) struct Key<'de>(Cow<'de, str>);

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

/// A word of an enum that may grow.
pub(crate) trait Words: Sized {
    const NAME: &'static str;
    fn from_word(word: &str) -> Self;
}

pub(crate) struct WordVisitor<T>(pub(crate) PhantomData<T>);

impl<T: Words> Visitor<'_> for WordVisitor<T> {
    type Value = T;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a word of {}", T::NAME)
    }
    fn visit_str<E>(self, word: &str) -> Result<T, E> {
        Ok(T::from_word(word))
    }
}

/// The string under `key` in the object `text`; it usually stands first, and reading ends there.
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
    // Fails whenever the tag is not the last entry: what was found counts.
    let _ = serde_json::Deserializer::from_str(text).deserialize_map(Search(key, &mut found));
    found
}

/// A value that is either a bare word or an object whose one key names the variant.
pub(crate) enum WordOrEntry<'a> {
    Word(Cow<'a, str>),
    Entry(Cow<'a, str>, &'a str),
    Neither,
}

/// Splits such a value. Of several keys the first that is `known` counts, else the first.
pub(crate) fn word_or_entry<'a>(text: &'a str, known: &[&str]) -> WordOrEntry<'a> {
    if text.starts_with('"') {
        return serde_json::from_str::<Key<'a>>(text)
            .map_or(WordOrEntry::Neither, |word| WordOrEntry::Word(word.0));
    }
    let Ok(entries) = serde_json::from_str::<Shallow<'a>>(text) else {
        return WordOrEntry::Neither;
    };
    let at = entries.0.iter().position(|(key, _)| known.contains(&key.as_ref())).unwrap_or(0);
    match entries.0.into_iter().nth(at) {
        Some((key, value)) => WordOrEntry::Entry(key, value.get()),
        None => WordOrEntry::Neither,
    }
}

/// The entries of an object, values unread.
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

/// What a member of a union without tag looks like.
#[allow(dead_code, reason = "which are used depends on the schema")]
pub(crate) enum Shape {
    Text,
    Bool,
    Integer,
    List,
    Object {
        required: &'static [&'static str],
        optional: &'static [&'static str],
        /// Fields that hold one of these words.
        words: &'static [(&'static str, &'static [&'static str])],
    },
}

impl Shape {
    /// How many entries the shape can't explain; `None` if it does not fit at all.
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

/// The fewest unexplained entries among several shapes.
pub(crate) fn fit(text: &str, shapes: &[Shape]) -> Option<usize> {
    shapes.iter().filter_map(|shape| shape.unexplained(text)).min()
}

/// A member of a union without tag: how well the text fits its shapes, and how it is read.
pub(crate) type Candidate<T> = (Option<usize>, fn(&str) -> serde_json::Result<T>);

/// Reads the member that leaves least unexplained, of equals the first; the next if that fails.
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

/// An object: the struct and how it travels. `= "x"` is the name on the wire, `or null` marks a
/// field that is sent as null rather than left out.
macro_rules! object {
    (
        $(#[$meta:meta])*
        pub struct $name:ident {
            $( $(#[$field_meta:meta])* pub $field:ident: $type:ty = $wire:literal $(or $null:ident)?, )*
        }
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq)]
        #[non_exhaustive]
        pub struct $name {
            $(
                #[doc = concat!("`", $wire, "` on the wire.\n")]
                $(#[$field_meta])*
                pub $field: $type,
            )*
        }

        impl $crate::protocol::open::Part for $name {}

        impl $crate::protocol::open::Object for $name {
            const NAME: &'static str = stringify!($name);

            fn read_map<'de, A: serde::de::MapAccess<'de>>(map: A) -> Result<Self, A::Error> {
                let mut entries = $crate::protocol::open::Entries::new(map);
                $(let mut $field: Option<$type> = None;)*
                while let Some(key) = entries.next_key() {
                    match key.as_str() {
                        $($wire => entries.read(&mut $field, $wire),)*
                        _ => entries.skip(),
                    }
                }
                // No `?`: over a thousand fields it would cost seconds of compiling.
                if let Some(error) = entries.error {
                    return Err(error);
                }
                $(
                    let $field = match $crate::protocol::open::finish($field, $wire) {
                        Ok(value) => value,
                        Err(error) => return Err(error),
                    };
                )*
                Ok($name { $($field,)* })
            }

            #[allow(unused_variables, reason = "an object may have no fields")]
            fn write_map<M: serde::ser::SerializeMap>(&self, out: &mut $crate::protocol::open::Out<M>) {
                $(out.field($wire, &self.$field, false $(|| !stringify!($null).is_empty())?);)*
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_map($crate::protocol::open::ObjectVisitor::<Self>(std::marker::PhantomData))
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let mut out = $crate::protocol::open::Out::new(serializer.serialize_map(None)?);
                $crate::protocol::open::Object::write_map(self, &mut out);
                out.end()
            }
        }
    };
}
pub(crate) use object;

/// `new` with what is required, and a chained setter for each other field.
macro_rules! build {
    ($name:ident($($required:ident: $required_type:ty),* $(,)?) { $($field:ident: $type:ty,)* }) => {
        impl $name {
            /// Makes it of what is required; everything else is left out until it is set.
            #[allow(clippy::too_many_arguments, reason = "these are what the schema requires")]
            pub fn new($($required: impl Into<$required_type>),*) -> Self {
                $name { $($required: $required.into(),)* $($field: Default::default(),)* }
            }

            $(
                #[doc = concat!("Sets [`", stringify!($field), "`](Self::", stringify!($field), ").")]
                #[must_use]
                pub fn $field(mut self, value: impl Into<$type>) -> Self {
                    let value: $type = value.into();
                    self.$field = $crate::protocol::open::Given::given(value);
                    self
                }
            )*
        }
    };
}
pub(crate) use build;

/// What a setter takes becomes what the field holds.
pub(crate) trait Given<F> {
    fn given(self) -> F;
}

impl<T: Part> Given<Option<T>> for T {
    fn given(self) -> Option<T> {
        Some(self)
    }
}

impl<T> Given<Setting<T>> for Setting<T> {
    fn given(self) -> Setting<T> {
        self
    }
}

/// An enum of words that keeps those it does not know in `Other`.
macro_rules! words {
    (
        $(#[$meta:meta])*
        pub enum $name:ident { $( $(#[$variant_meta:meta])* $variant:ident = $word:literal, )* }
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $(
                #[doc = concat!("`", $word, "` on the wire.\n")]
                $(#[$variant_meta])*
                $variant,
            )*
            /// A word that this version of the crate does not know.
            Other(String),
        }

        impl $name {
            /// The word on the wire.
            #[inline]
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $word,)*
                    Self::Other(word) => word,
                }
            }
        }

        impl std::fmt::Display for $name {
            #[inline]
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl From<&str> for $name {
            #[inline]
            fn from(word: &str) -> Self {
                match word {
                    $($word => Self::$variant,)*
                    _ => Self::Other(word.to_owned()),
                }
            }
        }

        impl $crate::protocol::open::Words for $name {
            const NAME: &'static str = stringify!($name);
            #[inline]
            fn from_word(word: &str) -> Self {
                Self::from(word)
            }
        }

        impl $crate::protocol::open::Scalar for $name {
            #[inline]
            fn from_text(word: &str) -> Option<Self> {
                Some(Self::from(word))
            }
        }

        impl $crate::protocol::open::Part for $name {
            fn read_or_none<'de, A: serde::de::MapAccess<'de>>(
                map: &mut A,
                name: &'static str,
            ) -> Result<Option<Self>, A::Error> {
                $crate::protocol::open::read_scalar(map, name)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_str($crate::protocol::open::WordVisitor::<Self>(std::marker::PhantomData))
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }
    };
}
pub(crate) use words;

/// What all unions share: they never fail to decode, and a `Part` of them needs no second look.
macro_rules! union_of_raw {
    ($name:ident) => {
        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Box::<serde_json::value::RawValue>::deserialize(deserializer).map(Self::from_raw)
            }
        }

        impl $crate::protocol::open::Part for $name {
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

/// A union told apart by a word in one of its fields.
macro_rules! tagged {
    (
        $(#[$meta:meta])*
        pub enum $name:ident by $tag:literal {
            $( $(#[$variant_meta:meta])* $variant:ident $(($item:ident: $payload:ty))? = $word:literal, )*
        }
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq)]
        #[non_exhaustive]
        pub enum $name {
            $(
                #[doc = concat!("`", $word, "` on the wire.\n")]
                $(#[$variant_meta])*
                $variant $(($payload))?,
            )*
            /// A member that this version of the crate does not know, or that is broken.
            Unknown($crate::protocol::Unknown),
        }

        impl $name {
            #[doc = concat!("The word under `", $tag, "` that tells the variants apart; empty if there was none.")]
            #[inline]
            pub fn tag(&self) -> &str {
                match self {
                    $(Self::$variant $(($item))? => { $(let _ = $item;)? $word })*
                    Self::Unknown(unknown) => unknown.tag().unwrap_or_default(),
                }
            }

            #[inline]
            fn from_raw(raw: Box<serde_json::value::RawValue>) -> Self {
                let tag = $crate::protocol::open::tag(raw.get(), $tag);
                let read = Self::read(raw.get(), tag.as_deref());
                drop(tag);
                read.unwrap_or_else(|error| Self::Unknown($crate::protocol::Unknown::tagged($tag, raw, error)))
            }

            #[inline]
            #[allow(unused_variables, reason = "the members may have no fields")]
            fn read(text: &str, tag: Option<&str>) -> Result<Self, Option<serde_json::Error>> {
                match tag {
                    $(Some($word) => Ok(Self::$variant $(({
                        let $item: $payload = serde_json::from_str(text)?;
                        $item
                    }))?),)*
                    _ => Err(None),
                }
            }
        }

        $crate::protocol::open::union_of_raw!($name);

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                match self {
                    $(Self::$variant $(($item))? => {
                        let mut out = $crate::protocol::open::Out::new(serializer.serialize_map(None)?);
                        out.tag($tag, $word);
                        $($crate::protocol::open::Object::write_map($item, &mut out);)?
                        out.end()
                    })*
                    Self::Unknown(unknown) => unknown.serialize(serializer),
                }
            }
        }
    };
}
pub(crate) use tagged;

/// A union of bare words and of objects whose one key names the variant.
macro_rules! mixed {
    (
        $(#[$meta:meta])*
        pub enum $name:ident {
            $( $(#[$word_meta:meta])* $word_variant:ident = $word:literal, )*
        } or {
            $( $(#[$key_meta:meta])* $key_variant:ident($payload:ty) = $key:literal, )*
        }
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq)]
        #[non_exhaustive]
        pub enum $name {
            $(
                #[doc = concat!("`", $word, "` on the wire.\n")]
                $(#[$word_meta])*
                $word_variant,
            )*
            $(
                #[doc = concat!("An object with the one key `", $key, "` on the wire.\n")]
                $(#[$key_meta])*
                $key_variant($payload),
            )*
            /// A member that this version of the crate does not know, or that is broken.
            Unknown($crate::protocol::Unknown),
        }

        impl $name {
            /// The word or key that tells the variants apart; empty if there was none.
            #[inline]
            pub fn tag(&self) -> &str {
                match self {
                    $(Self::$word_variant => $word,)*
                    $(Self::$key_variant(_) => $key,)*
                    Self::Unknown(unknown) => unknown.tag().unwrap_or_default(),
                }
            }

            #[inline]
            fn from_raw(raw: Box<serde_json::value::RawValue>) -> Self {
                use $crate::protocol::open::{WordOrEntry, word_or_entry};
                let (tag, error) = match word_or_entry(raw.get(), &[$($key),*]) {
                    $(WordOrEntry::Word(word) if word == $word => return Self::$word_variant,)*
                    $(WordOrEntry::Entry(key, value) if key == $key => match serde_json::from_str(value) {
                        Ok(value) => return Self::$key_variant(value),
                        Err(error) => (Some(key.into_owned()), Some(error)),
                    },)*
                    WordOrEntry::Word(tag) | WordOrEntry::Entry(tag, _) => (Some(tag.into_owned()), None),
                    WordOrEntry::Neither => (None, None),
                };
                Self::Unknown($crate::protocol::Unknown::new(tag, raw, error))
            }
        }

        $crate::protocol::open::union_of_raw!($name);

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                match self {
                    $(Self::$word_variant => serializer.serialize_str($word),)*
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

/// A union told apart by nothing but the shape of its members.
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
            /// A member that this version of the crate does not know, or that is broken.
            Unknown($crate::protocol::Unknown),
        }

        impl $name {
            #[inline]
            fn from_raw(raw: Box<serde_json::value::RawValue>) -> Self {
                use $crate::protocol::open::{Shape, fit, read_best};
                let text = raw.get();
                let read = read_best(text, &mut [
                    $((fit(text, &[$($shape),*]), |text| serde_json::from_str(text).map(Self::$variant)),)*
                ]);
                read.unwrap_or_else(|error| Self::Unknown($crate::protocol::Unknown::new(None, raw, error)))
            }
        }

        $crate::protocol::open::union_of_raw!($name);

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

/// Members of a union become the union.
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

/// Access to a required string that all members of a union have.
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::protocol::{
        AskForApproval, CodexErrorInfo, CommandAction, FunctionCallOutputBody, SandboxPolicy, ThreadItem,
        ThreadStartParams, ThreadStatus, Turn, TurnStartParams, TurnStatus, UserInput,
    };

    fn turn(items: &str, rest: &str) -> serde_json::Result<Turn> {
        decode(&format!(r#"{{"id":"t","status":"completed","items":[{items}]{rest}}}"#))
    }

    #[test]
    fn an_item_of_an_unknown_type_is_kept_as_it_came() {
        let raw = r#"{"type":"ofTomorrow","id":"i","big":12345678901234567890123,"x":1.50}"#;
        let turn = turn(raw, "").unwrap();
        let ThreadItem::Unknown(unknown) = &turn.items[0] else { panic!("{turn:?}") };
        assert_eq!((unknown.tag(), unknown.raw(), unknown.error()), (Some("ofTomorrow"), raw, None));
        assert_eq!((turn.items[0].tag(), turn.items[0].id()), ("ofTomorrow", Some("i")));
        assert!(serde_json::to_string(&turn).unwrap().contains(raw));
    }

    #[test]
    fn a_broken_item_costs_only_itself_and_says_why() {
        let good = r#"{"type":"agentMessage","id":"b","text":"hi"}"#;
        let broken = [
            r#"{"type":"agentMessage","id":"a"}"#,
            r#"{"type":"agentMessage","id":"a","text":5}"#,
            r#"{"type":"agentMessage","text":"no id"}"#,
            r#"{"id":"a"}"#,
            "5",
            "null",
            r#""text""#,
            "[]",
        ];
        for raw in broken {
            let turn = turn(&format!("{raw},{good}"), "").unwrap();
            assert!(
                matches!(&turn.items[0], ThreadItem::Unknown(unknown) if unknown.raw() == raw),
                "{turn:?}"
            );
            assert!(
                matches!(&turn.items[1], ThreadItem::AgentMessage(item) if item.text == "hi"),
                "{turn:?}"
            );
        }
        let ThreadItem::Unknown(unknown) = serde_json::from_str(broken[0]).unwrap() else { panic!() };
        assert!(unknown.error().unwrap().contains("missing field `text`"));
    }

    #[test]
    fn a_tag_may_stand_anywhere() {
        let item: ThreadItem =
            serde_json::from_str(r#"{"text":"hi","id":"a","type":"agentMessage"}"#).unwrap();
        assert!(matches!(item, ThreadItem::AgentMessage(_)));
    }

    #[test]
    fn a_broken_optional_field_reads_as_none() {
        let turn =
            turn("", r#","error":{"message":5},"startedAt":"noon","durationMs":-1,"itemsView":[]"#).unwrap();
        assert_eq!(
            (turn.error, turn.started_at, turn.duration_ms, turn.items_view),
            (None, None, Some(-1), None)
        );
    }

    #[test]
    fn an_unknown_word_is_kept() {
        let status: TurnStatus = serde_json::from_str(r#""paused""#).unwrap();
        assert_eq!((status.as_str(), format!("{status:>8}")), ("paused", "  paused".to_owned()));
        assert_eq!(status, TurnStatus::Other("paused".to_owned()));
        assert_eq!(serde_json::to_string(&status).unwrap(), r#""paused""#);
        assert!(serde_json::from_str::<TurnStatus>("5").is_err());
    }

    #[test]
    fn a_missing_required_field_is_an_error_with_its_path() {
        #[derive(Debug)]
        struct Page;
        impl Page {
            fn error(text: &str) -> String {
                decode::<crate::protocol::ThreadTurnsListResponse>(text).unwrap_err().to_string()
            }
        }
        let good = r#"{"id":"a","status":"completed","items":[]}"#;
        let error =
            Page::error(&format!("{{\"data\":[{good},\n{{\"status\":\"completed\",\"items\":[]}}]}}"));
        assert!(error.starts_with("data[1].id: missing field `id`"), "{error}");
        let error =
            Page::error(&format!(r#"{{"data":[{good},{{"id":5,"status":"completed","items":[]}}]}}"#));
        assert!(error.starts_with("data[1].id: invalid type"), "{error}");
        let error = Page::error(r#"{"da\"ta":[1,{}],"data":{}}"#);
        assert!(error.starts_with("data: invalid type"), "{error}");
        assert!(Page::error("{}").starts_with("data: missing field"));
    }

    #[test]
    fn a_union_of_words_and_objects_reads_both() {
        let read = |text: &str| serde_json::from_str::<AskForApproval>(text).unwrap();
        assert_eq!(read(r#""on-request""#), AskForApproval::OnRequest);
        let granular = r#"{"granular":{"mcp_elicitations":true,"rules":true,"sandbox_approval":false}}"#;
        let AskForApproval::Granular(inner) = read(granular) else { panic!() };
        assert!(inner.rules && !inner.sandbox_approval);
        for text in [r#""of-tomorrow""#, r#"{"ofTomorrow":{"a":1}}"#, r#"{"granular":5}"#, "5", "{}"] {
            let value = read(text);
            assert!(matches!(value, AskForApproval::Unknown(_)), "{value:?}");
            assert_eq!(serde_json::to_string(&value).unwrap(), text);
        }
        let info: CodexErrorInfo = serde_json::from_str(r#""other""#).unwrap();
        assert_eq!(info, CodexErrorInfo::Other);
    }

    #[test]
    fn a_union_without_tag_goes_by_shape() {
        let text: FunctionCallOutputBody = serde_json::from_str(r#""text""#).unwrap();
        assert_eq!(text, FunctionCallOutputBody::Text("text".to_owned()));
        let list: FunctionCallOutputBody = serde_json::from_str(r#"[{"type":"ofTomorrow"}]"#).unwrap();
        assert!(matches!(list, FunctionCallOutputBody::List(items) if items.len() == 1));
        let other: FunctionCallOutputBody = serde_json::from_str("5").unwrap();
        assert!(matches!(other, FunctionCallOutputBody::Unknown(unknown) if unknown.raw() == "5"));
    }

    #[test]
    fn parameters_leave_out_what_is_unset() {
        let input = vec![crate::protocol::TextUserInput::new("hi").into()];
        let params = TurnStartParams::new("thread", input).model("m").effort(Setting::Null);
        let text = serde_json::to_string(&params).unwrap();
        let expected =
            r#"{"effort":null,"input":[{"type":"text","text":"hi"}],"model":"m","threadId":"thread"}"#;
        assert_eq!(text, expected);
        assert_eq!(serde_json::from_str::<TurnStartParams>(&text).unwrap(), params);
        assert_eq!(serde_json::to_string(&ThreadStartParams::default()).unwrap(), "{}");
    }

    #[test]
    fn what_has_no_type_yet_can_be_sent() {
        let value = json!({"type": "hologram", "url": "x"});
        let input = UserInput::Unknown(value.clone().into());
        assert_eq!(serde_json::to_value(&input).unwrap(), value);
    }

    #[test]
    fn a_member_without_fields_is_bare() {
        let status: ThreadStatus = serde_json::from_str(r#"{"type":"idle","extra":1}"#).unwrap();
        assert_eq!(status, ThreadStatus::Idle);
        assert_eq!(serde_json::to_string(&status).unwrap(), r#"{"type":"idle"}"#);
        let policy = SandboxPolicy::from(crate::protocol::ReadOnlySandboxPolicy::new().network_access(true));
        assert_eq!(
            serde_json::to_value(&policy).unwrap(),
            json!({"type": "readOnly", "networkAccess": true})
        );
    }

    #[test]
    fn a_schemas_own_unknown_is_not_ours() {
        let action: CommandAction = serde_json::from_str(r#"{"type":"unknown","command":"x"}"#).unwrap();
        assert!(matches!(action, CommandAction::Unknown_(_)));
    }

    #[test]
    fn enums_that_travel_a_lot_are_small() {
        assert!(size_of::<crate::protocol::ServerNotification>() <= 80);
        assert!(size_of::<crate::protocol::ServerRequest>() <= 80);
        assert!(size_of::<ThreadItem>() <= 56);
    }

    #[test]
    fn deep_nesting_is_an_error_and_not_a_crash() {
        let deep = "[".repeat(100_000);
        assert!(decode::<Turn>(&deep).is_err());
        assert!(serde_json::from_str::<ThreadItem>(&deep).is_err());
        let item = format!(
            r#"{{"type":"mcpToolCall","id":"a","arguments":{}{}}}"#,
            "[".repeat(500),
            "]".repeat(500)
        );
        assert!(serde_json::from_str::<ThreadItem>(&item).is_ok_and(|item| item.id() == Some("a")));
    }
}
