//! A piece of what a command writes.
//!
//! Relies on `protocol`. Invariant: the bytes are those that the command wrote, and a piece that can't
//! be read is an error, since output with a hole in it is another output.

use std::borrow::Cow;

use data_encoding::BASE64;
use serde::{Deserialize, Serialize, de::Error as _};

use crate::{
    error::{Error, Result},
    protocol::CommandExecOutputStream,
};

/// A piece of what a command wrote, as it came.
///
/// Pieces are cut anywhere, also within a character: put bytes together before you make text of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct CommandOutput {
    /// The stream that it was written to.
    pub stream: CommandExecOutputStream,
    /// The bytes.
    pub data: Vec<u8>,
    /// Whether this is the last piece of its stream because the cap was reached; what the command
    /// wrote to it after this is lost.
    pub cap_reached: bool,
}

impl CommandOutput {
    /// Of the text of `command/exec/outputDelta`.
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
        piece.map_err(|source| Error::decode("a piece of a command's output", text, source))
    }
}

/// Bytes as they travel.
pub(super) fn encode(data: &[u8]) -> String {
    BASE64.encode(data)
}
