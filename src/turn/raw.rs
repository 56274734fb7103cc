//! A notification as received: its text, decoded on demand.
//!
//! Relies on `rpc` for the shared text. Invariant: the text is byte for byte the server's.

use std::{borrow::Cow, fmt, sync::Arc};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::DeserializeOwned};
use serde_json::value::RawValue;

use super::event_block::{Block, Span};
use crate::{
    error::{Error, Result},
    excerpt::debug_tuple,
    protocol::{
        ServerNotification,
        raw_json::{deserialize_raw, serialize_raw},
    },
    rpc::NotificationText,
};

/// An event of a turn as the server sent it. Cheap to clone: many events share one text.
#[derive(Clone)]
pub struct RawEvent {
    block: Arc<Block>,
    span: Span,
}

impl RawEvent {
    pub(crate) fn new(block: &Arc<Block>, index: usize) -> Self {
        RawEvent { block: Arc::clone(block), span: block.span(index) }
    }

    /// The JSON text.
    pub fn raw(&self) -> &str {
        self.block.text(self.span)
    }

    /// The method.
    pub fn method(&self) -> Cow<'_, str> {
        method_of(self.raw())
    }

    /// Decodes `params`.
    ///
    /// # Errors
    /// [`Error::Decode`] if they do not match the type.
    pub fn params<T: DeserializeOwned>(&self) -> Result<T> {
        params_of(self.raw())
    }

    /// Decodes the typed event. A method that this version does not know becomes
    /// [`ServerNotification::Unknown`].
    ///
    /// # Errors
    /// [`Error::Decode`] if the parameters of a known method lack something required, with the path.
    #[inline]
    pub fn decode(&self) -> Result<ServerNotification> {
        notification_of(self.raw())
    }
}

impl fmt::Debug for RawEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        debug_tuple(f, "RawEvent", &self.raw())
    }
}

impl Serialize for RawEvent {
    /// Serializes as the JSON text; as a string if that is nested deeper than 100 levels, or contains a number
    /// outside of the range of `f64`.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serialize_raw(self.raw(), serializer)
    }
}

impl<'de> Deserialize<'de> for RawEvent {
    /// Deserializes from the JSON; the text has no other whitespace than in strings.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = deserialize_raw(deserializer)?;
        let span = (0, u32::try_from(text.len()).map_err(serde::de::Error::custom)?);
        Ok(RawEvent { block: Arc::new(Block::of_text(text)), span })
    }
}

/// A notification of any kind, from [`Client::notifications`](crate::Client::notifications).
#[derive(Clone)]
pub struct RawNotification(pub(crate) NotificationText);

impl RawNotification {
    /// The JSON text.
    pub fn raw(&self) -> &str {
        self.0.get()
    }

    /// The method.
    pub fn method(&self) -> Cow<'_, str> {
        method_of(self.raw())
    }

    /// Decodes `params`.
    ///
    /// # Errors
    /// [`Error::Decode`] if they do not match the type.
    pub fn params<T: DeserializeOwned>(&self) -> Result<T> {
        params_of(self.raw())
    }

    /// Decodes the typed notification. A method that this version does not know becomes
    /// [`ServerNotification::Unknown`].
    ///
    /// ```
    /// use codex_blocking::protocol::ServerNotification;
    /// # let client = codex_blocking::testing::ScriptedServer::new().client()?;
    ///
    /// let mut notifications = client.notifications();
    /// client.chat_once("hello")?;
    /// let ended = notifications.find_map(|notification| match notification.decode() {
    ///     Ok(ServerNotification::TurnCompleted(ended)) => Some(ended),
    ///     _ => None,
    /// });
    /// assert_eq!(ended.unwrap().turn.status.as_str(), "completed");
    /// # Ok::<(), codex_blocking::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Decode`] if the parameters of a known method lack something required, with the path.
    #[inline]
    pub fn decode(&self) -> Result<ServerNotification> {
        notification_of(self.raw())
    }
}

impl fmt::Debug for RawNotification {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        debug_tuple(f, "RawNotification", &self.raw())
    }
}

impl Serialize for RawNotification {
    /// Serializes as the JSON text; as a string if that is nested deeper than 100 levels, or contains a number
    /// outside of the range of `f64`.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serialize_raw(self.raw(), serializer)
    }
}

impl<'de> Deserialize<'de> for RawNotification {
    /// Deserializes from the JSON; the text has no other whitespace than in strings.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(RawNotification(NotificationText::Copied(deserialize_raw(deserializer)?.into())))
    }
}

/// The text of a step's item. A large one stays in the buffer in which it arrived; a small one is copied, so
/// that it does not keep its block alive.
#[derive(Debug, Clone)]
pub(super) enum ItemText {
    Own(Arc<str>),
    Part(Arc<Block>, Span),
}

impl ItemText {
    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserialize_raw(deserializer).map(|text| ItemText::Own(text.into()))
    }

    pub(super) fn of(block: &Arc<Block>, span: Span) -> ItemText {
        let length = (span.1 - span.0) as usize;
        match length * 2 >= block.size() {
            true => ItemText::Part(Arc::clone(block), span),
            false => ItemText::Own(block.text(span).into()),
        }
    }

    /// The bytes counted for it.
    pub(super) fn bytes(&self) -> usize {
        match self {
            ItemText::Own(text) => text.len(),
            ItemText::Part(block, _) => block.size(),
        }
    }

    pub(super) fn get(&self) -> &str {
        match self {
            ItemText::Own(text) => text,
            ItemText::Part(block, span) => block.text(*span),
        }
    }
}

fn method_of(text: &str) -> Cow<'_, str> {
    #[derive(Deserialize)]
    struct Method<'a> {
        #[serde(borrow)]
        method: Cow<'a, str>,
    }
    // Only texts with a method become events.
    serde_json::from_str(text).map_or(Cow::Borrowed(""), |Method { method }| method)
}

pub(crate) fn params_of<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T> {
    #[derive(Deserialize)]
    struct Params<T> {
        params: T,
    }
    match serde_json::from_str::<Params<T>>(text) {
        Ok(Params { params }) => Ok(params),
        Err(source) => Err(Error::decode(format!("the parameters of {}", method_of(text)), text, source)),
    }
}

// Inlined, like all decoding of types: only programs that use it compile all of them.
#[inline]
fn notification_of(text: &str) -> Result<ServerNotification> {
    #[derive(Deserialize)]
    struct Params<'a> {
        #[serde(borrow)]
        params: Option<&'a RawValue>,
    }
    let method = method_of(text);
    let typed = match serde_json::from_str::<Params<'_>>(text) {
        Ok(Params { params }) => ServerNotification::decode(&method, params.map_or("null", RawValue::get)),
        Err(source) => Err(source),
    };
    typed.map_err(|source| Error::decode(format!("the parameters of {method}"), text, source))
}
