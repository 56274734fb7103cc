//! Answers with a JSON schema.
//!
//! Relies on `chat`. Invariant: an answer that doesn't match is an error that contains its text, and what the turn did.

use std::fmt;

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;

use super::Client;
use crate::{
    config::TurnOverrides,
    error::{Error, Result},
    excerpt::debug_struct,
    protocol::{self, repair::Repair},
    turn::{ChatRequest, ChatResult, ChatSource, TurnProgress},
};

/// A decoded answer with the result that contains it, from [`chat_json`](Client::chat_json) and `chat_json_typed`.
///
/// As JSON it has its fields as members.
#[derive(Clone, Serialize, Deserialize)]
#[non_exhaustive]
pub struct JsonAnswer<T> {
    /// The answer.
    pub value: T,
    /// The result of the turn: its ids, steps and tokens; `final_text` is the text of the answer.
    pub result: ChatResult,
}

impl<T: fmt::Debug> fmt::Debug for JsonAnswer<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        debug_struct(f, "JsonAnswer", &[("value", &self.value), ("result", &self.result)])
    }
}

impl Client {
    /// Runs a turn whose answer follows a JSON schema, and decodes the answer.
    ///
    /// The schema applies to this turn only. It constrains the model, but neither the server nor this crate
    /// validates the answer against it; decoding as `T` does. The whole text must be JSON: nothing around it
    /// is stripped. Blocks like [`chat_once`](Self::chat_once).
    ///
    /// The server asks its model for strict adherence, which OpenAI's models have for a part of JSON Schema only:
    /// [what they take](crate::guide::structured_answers#what-a-schema-may-contain). Nothing of that is checked here.
    /// With the feature `schemars`, `chat_json_typed` derives such a schema from `T`.
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
    /// let answer = client.chat_json::<Verdict>("Is this a bug?", schema)?;
    /// assert!(answer.value.is_bug);
    /// println!("{} ({:?} tokens)", answer.value.reason, answer.result.usage.map(|usage| usage.total_tokens));
    /// # Ok::<(), codex_blocking::Error>(())
    /// ```
    ///
    /// # Errors
    /// Same as [`chat_once`](Self::chat_once); [`Error::Decode`] if the answer is not JSON or not a `T`, with
    /// its text in `raw`, and the turn's [steps](Error::steps) and [tokens](Error::usage);
    /// [`Error::InvalidInput`] if the request sets `output_schema`, or is a continuation.
    pub fn chat_json<T: DeserializeOwned>(
        &self,
        request: impl Into<ChatRequest>,
        schema: impl Serialize,
    ) -> Result<JsonAnswer<T>> {
        let result = self.chat_once(with_schema(request.into(), schema)?)?;
        // The text is the model's; what the frame's own repair found in it was part of a string.
        let (text, _) = Repair::new().text(result.final_text.as_bytes().into());
        match protocol::decode(&text) {
            Ok(value) => Ok(JsonAnswer { value, result }),
            Err(source) => {
                let what = format!("the answer of turn {}", result.turn_id);
                let error = Error::decode(what, &result.final_text, source);
                Err(error.with_progress(TurnProgress::new(result.steps, result.usage)))
            }
        }
    }

    /// Runs a turn whose answer is a `T`: like [`chat_json`](Self::chat_json), with a schema that is derived from the
    /// type.
    ///
    /// The schema is strict: it has all fields, also those that decoding does without (an `Option` may be null), and
    /// no others. Doc comments of types and fields tell the model what they mean. The feature `preserve_order` of
    /// `schemars` has the model write the fields in the order of the type; without it, they are sorted by name.
    ///
    /// `T` is a struct; [what it may contain](crate::guide::structured_answers#what-a-type-may-contain).
    ///
    /// ```
    /// # use codex_blocking::testing::{ScriptedServer, TurnScript};
    /// # let answer = r#"{ "is_bug": true, "severity": "high", "line": null }"#;
    /// # let client = ScriptedServer::new().on_turn(|_| TurnScript::new().message(answer)).client()?;
    /// use schemars::JsonSchema;
    /// use serde::Deserialize;
    ///
    /// #[derive(Deserialize, JsonSchema)]
    /// struct Verdict {
    ///     is_bug: bool,
    ///     severity: Severity,
    ///     /// Where it is, if that is known.
    ///     line: Option<u32>,
    /// }
    ///
    /// #[derive(Deserialize, JsonSchema)]
    /// #[serde(rename_all = "snake_case")]
    /// enum Severity {
    ///     Low,
    ///     High,
    /// }
    ///
    /// let answer = client.chat_json_typed::<Verdict>("Is this a bug?")?;
    /// assert!(answer.value.is_bug && matches!(answer.value.severity, Severity::High));
    /// # Ok::<(), codex_blocking::Error>(())
    /// ```
    ///
    /// # Errors
    /// Same as [`chat_json`](Self::chat_json); [`Error::InvalidInput`], before anything is sent, if a strict schema
    /// can't express the type, with the path of the part that it can't express: a map, a tuple, any JSON.
    #[cfg(feature = "schemars")]
    #[cfg_attr(docsrs, doc(cfg(feature = "schemars")))]
    pub fn chat_json_typed<T: DeserializeOwned + schemars::JsonSchema>(
        &self,
        request: impl Into<ChatRequest>,
    ) -> Result<JsonAnswer<T>> {
        self.chat_json(request, super::strict_schema::strict_schema::<T>()?)
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
