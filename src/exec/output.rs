//! A chunk of a command's output.
//!
//! Relies on `protocol`. Invariant: the bytes are those that the command wrote; a chunk that can't be decoded
//! is an error, because output with a gap would be wrong.

use std::borrow::Cow;

use data_encoding::BASE64;
use serde::{Deserialize, Serialize, de::Error as _};

use crate::{
    error::{Error, Result},
    excerpt::abridged_debug,
    protocol::CommandExecOutputStream,
};

/// A chunk of a command's output, as it arrived.
///
/// Chunks can end anywhere, also within a character: join the bytes before converting them to text.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CommandOutput {
    /// The stream that the command wrote to.
    pub stream: CommandExecOutputStream,
    /// The bytes.
    pub data: Vec<u8>,
    /// Whether this is the last chunk of its stream because the cap was reached; later output on this stream
    /// is lost.
    pub cap_reached: bool,
}

abridged_debug!(struct CommandOutput { stream, data, cap_reached });

impl CommandOutput {
    /// Decodes the text of a `command/exec/outputDelta`.
    pub(super) fn decode(text: &str) -> Result<CommandOutput> {
        #[derive(Deserialize)]
        struct Message<'a> {
            #[serde(borrow)]
            params: Params<'a>,
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Params<'a> {
            stream: CommandExecOutputStream,
            #[serde(borrow)]
            delta_base64: Cow<'a, str>,
            #[serde(default)]
            cap_reached: bool,
        }
        let piece = serde_json::from_str(text).and_then(|Message { params }| {
            let data = BASE64.decode(params.delta_base64.as_bytes()).map_err(serde_json::Error::custom)?;
            Ok(CommandOutput { stream: params.stream, data, cap_reached: params.cap_reached })
        });
        piece.map_err(|source| Error::decode("a chunk of a command's output", text, source))
    }
}

/// Encodes bytes as the protocol does.
pub(super) fn encode(data: &[u8]) -> String {
    BASE64.encode(data)
}
