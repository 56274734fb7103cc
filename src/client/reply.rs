//! A typed reply together with the server's text.
//!
//! Relies on `rpc` for the text. Invariant: the text is byte for byte the server's, and the typed value was
//! decoded from it.

use std::{fmt, ops::Deref};

use serde::{Serialize, Serializer, de::DeserializeOwned};

use crate::{error::Result, excerpt::debug_tuple, protocol::raw_json::serialize_raw, rpc::RawReply};

/// The server's reply to [`Client::call`](crate::Client::call): typed by `Deref`, and as text by
/// [`raw`](Self::raw).
///
/// The types contain the fields of one version of the server. Fields of a newer one are in the text, and in
/// the JSON that a reply serializes to.
///
/// ```
/// use codex_blocking::protocol::ModelListParams;
/// use codex_blocking::testing::ScriptedServer;
///
/// let server = ScriptedServer::new()
///     .on_request("model/list", |_| Ok(serde_json::json!({ "data": [], "fromTheFuture": 1 })));
/// let models = server.client()?.call(ModelListParams::new())?;
/// assert!(models.data.is_empty());
/// assert_eq!(serde_json::to_value(&models).unwrap()["fromTheFuture"], 1);
/// # Ok::<(), codex_blocking::Error>(())
/// ```
#[derive(Clone)]
pub struct Reply<T> {
    value: T,
    source: RawReply,
}

impl<T: DeserializeOwned> Reply<T> {
    pub(super) fn decode(source: RawReply, method: &str) -> Result<Reply<T>> {
        let value = source.decode(method)?;
        Ok(Reply { value, source })
    }
}

impl<T> Reply<T> {
    /// The JSON text of the result, as received.
    pub fn raw(&self) -> &str {
        self.source.text()
    }

    /// Returns the typed reply alone.
    pub fn into_inner(self) -> T {
        self.value
    }
}

impl<T> Deref for Reply<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T: fmt::Debug> fmt::Debug for Reply<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        debug_tuple(f, "Reply", &self.value)
    }
}

impl<T> Serialize for Reply<T> {
    /// Serializes as the JSON that the server sent; as a string if that is nested deeper than 100 levels, or
    /// contains a number outside of the range of `f64`.
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serialize_raw(self.raw(), serializer)
    }
}
