//! Answers with a JSON schema.
//!
//! Relies on `chat`. Invariant: an answer that doesn't match is an error that contains its text.

use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use super::Client;
use crate::{
    config::TurnOverrides,
    error::{Error, Result},
    protocol::{self, repair::Repair},
    turn::{ChatRequest, ChatSource},
};

impl Client {
    /// Runs a turn whose answer follows a JSON schema, and decodes the answer.
    ///
    /// The schema applies to this turn only. It constrains the model, but neither the server nor this crate
    /// validates the answer against it; decoding as `T` does. The whole text must be JSON: nothing around it
    /// is stripped. Blocks like [`chat_once`](Self::chat_once).
    ///
    /// ```
    /// use codex_blocking::testing::{ScriptedServer, TurnScript};
    /// use serde_json::json;
    ///
    /// #[derive(serde::Deserialize)]
    /// struct Verdict {
    ///     is_bug: bool,
    ///     reason: String,
    /// }
    ///
    /// let answer = r#"{ "is_bug": true, "reason": "off by one" }"#;
    /// let client = ScriptedServer::new().on_turn(|_| TurnScript::new().message(answer)).client()?;
    /// let schema = json!({
    ///     "type": "object",
    ///     "properties": { "is_bug": { "type": "boolean" }, "reason": { "type": "string" } },
    ///     "required": ["is_bug", "reason"],
    ///     "additionalProperties": false,
    /// });
    /// let verdict: Verdict = client.chat_json("Is this a bug?", schema)?;
    /// assert!(verdict.is_bug);
    /// # Ok::<(), codex_blocking::Error>(())
    /// ```
    ///
    /// # Errors
    /// Same as [`chat_once`](Self::chat_once); [`Error::Decode`] if the answer is not JSON or not a `T`, with
    /// its text in `raw`; [`Error::InvalidInput`] if the request sets `output_schema`, or is a continuation.
    pub fn chat_json<T: DeserializeOwned>(
        &self,
        request: impl Into<ChatRequest>,
        schema: impl Serialize,
    ) -> Result<T> {
        let result = self.chat_once(with_schema(request.into(), schema)?)?;
        // The text is the model's; what the frame's own repair found in it was part of a string.
        let (text, _) = Repair::new().text(result.final_text.as_bytes().into());
        protocol::decode(&text).map_err(|source| {
            Error::decode(format!("the answer of turn {}", result.turn_id), &result.final_text, source)
        })
    }
}

fn with_schema(mut request: ChatRequest, schema: impl Serialize) -> Result<ChatRequest> {
    if matches!(request.source, ChatSource::Continuation(_)) {
        return Err(Error::invalid("a continuation resumes a running turn; its schema can't be set"));
    }
    let overrides = request.overrides.take().unwrap_or_default();
    if !overrides.output_schema.is_unset() {
        return Err(Error::invalid("the request already sets output_schema"));
    }
    let schema: Value = serde_json::to_value(schema)
        .map_err(|source| Error::invalid_because("the schema of the answer can't be serialized", source))?;
    if !schema.is_object() {
        return Err(Error::invalid("the schema of the answer must be an object"));
    }
    request.overrides = Some(TurnOverrides { output_schema: schema.into(), ..overrides });
    Ok(request)
}
