//! The parameters of `turn/start` that belong to one request: nothing of them applies to later turns.
//!
//! Relies on `config`. Invariant: an unset parameter is not sent, and an extra one replaces no other.

#[cfg(feature = "experimental")]
use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::DeserializeOwned, de::Error as _};
use serde_json::Value;

use super::ChatRequest;
#[cfg(feature = "experimental")]
use crate::protocol::AdditionalContextEntry;
use crate::{
    config::{Extra, Params, TurnOverrides},
    error::Result,
    protocol::TurnToolOutput,
};

/// The parameters of `turn/start` that the client itself sends.
const OF_THE_CLIENT: &[&str] = &["threadId", "input"];

/// Declares the parameters with their setters. The second list has those of the feature `experimental`.
macro_rules! turn_params {
    (
        stable {
            $( $(#[$about:meta])* $field:ident : $type:ty, )*
        }
        experimental {
            $( $(#[$x_about:meta])* $x_field:ident : $x_type:ty, )*
        }
    ) => {
        #[derive(Debug, Clone, Default, Serialize, Deserialize)]
        #[serde(default)]
        pub(crate) struct TurnParams {
            $(
                #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "set_if_not_null")]
                pub(super) $field: Option<$type>,
            )*
            $(
                #[cfg(feature = "experimental")]
                #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "set_if_not_null")]
                $x_field: Option<$x_type>,
            )*
            /// Sent with those of the overrides.
            #[serde(skip_serializing_if = "Extra::is_empty")]
            pub(crate) extra: Extra,
        }

        impl Serialize for Params<'_, TurnParams> {
            fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
                #[derive(Serialize)]
                #[serde(rename_all = "camelCase")]
                struct Fields<'a> {
                    $(
                        #[serde(skip_serializing_if = "Option::is_none")]
                        $field: Option<&'a $type>,
                    )*
                    $(
                        #[cfg(feature = "experimental")]
                        #[serde(skip_serializing_if = "Option::is_none")]
                        $x_field: Option<&'a $x_type>,
                    )*
                }
                let fields = Fields {
                    $( $field: self.0.$field.as_ref(), )*
                    $(
                        #[cfg(feature = "experimental")]
                        $x_field: self.0.$x_field.as_ref(),
                    )*
                };
                fields.serialize(serializer)
            }
        }

        impl TurnParams {
            /// The stable parameters.
            const STABLE: &[&str] = &[$( stringify!($field), )*];

            /// The parameters by the names of their setters, and whether they are set.
            pub(super) fn settings(&self) -> Vec<(&'static str, bool)> {
                vec![
                    $( (stringify!($field), self.$field.is_some()), )*
                    $(
                        #[cfg(feature = "experimental")]
                        (stringify!($x_field), self.$x_field.is_some()),
                    )*
                    ("extra", !self.extra.is_empty()),
                ]
            }
        }

        impl ChatRequest {
            $(
                $(#[$about])*
                pub fn $field(mut self, $field: impl Into<$type>) -> Self {
                    self.params.$field = Some($field.into());
                    self
                }
            )*

            $(
                $(#[$x_about])*
                ///
                /// Experimental: requires [`experimental_api(true)`](crate::ClientBuilder::experimental_api).
                #[cfg(feature = "experimental")]
                pub fn $x_field(mut self, $x_field: impl Into<$x_type>) -> Self {
                    self.params.$x_field = Some($x_field.into());
                    self
                }
            )*

            /// Sets a parameter of `turn/start` that this version of the crate has no setter for, under its name
            /// in the protocol. It is sent as it is, and takes precedence over one of
            /// [`TurnOverrides::extra`].
            ///
            /// The chat returns [`Error::InvalidInput`](crate::Error::InvalidInput) if the name belongs to a
            /// parameter that a setter or the client itself sends.
            pub fn extra(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
                self.params.extra.set(name, value);
                self
            }
        }
    };
}

turn_params! {
    stable {
        /// Sets `user`, which the server ignores as of 0.169.
        user: String,
        /// Sets `metadata`, which the server ignores as of 0.169.
        metadata: Value,
        /// Sets an id of the program's own for the message. It comes back as `client_id` of the message's item, in
        /// events and in history, and tells apart messages that join the same turn.
        client_user_message_id: String,
        /// Sends the output of a tool that ran outside of the server instead of an input, which must be empty. The
        /// chat returns [`Error::InvalidInput`](crate::Error::InvalidInput) if the server is older than 0.151, which
        /// would run the turn without it.
        ///
        /// ```
        /// # let client = codex_blocking::testing::ScriptedServer::new().client()?;
        /// use codex_blocking::{ChatRequest, TurnToolOutput};
        ///
        /// let output = TurnToolOutput::new("search", "Ada Lovelace, 1815 to 1852");
        /// client.chat_once(ChatRequest::new(Vec::new()).tool_output(output))?;
        /// # Ok::<(), codex_blocking::Error>(())
        /// ```
        tool_output: TurnToolOutput,
        /// Sets what started the turn, for the server's statistics. It has no effect on a turn that is running.
        turn_trigger: String,
        /// Sets the turn on whose behalf this one runs, for work that was delegated to another thread.
        parent_turn_id: String,
        /// Sets the first turn of the chain of work that led to this one: the `root_turn_id` of the
        /// [parent](Self::parent_turn_id).
        root_turn_id: String,
    }
    experimental {
        /// Adds fragments of context, by the names of their sources.
        additional_context: BTreeMap<String, AdditionalContextEntry>,
        /// Sets the metadata of the requests to the model, replacing what earlier turns set.
        responsesapi_client_metadata: BTreeMap<String, String>,
        /// Adds to the metadata of the requests to the model.
        responsesapi_client_metadata_patch: BTreeMap<String, String>,
    }
}

impl TurnParams {
    /// # Errors
    /// `InvalidInput` if an extra parameter, also one of the overrides, would replace another one.
    pub(super) fn check(&self, overrides: Option<&TurnOverrides>) -> Result<()> {
        let none = TurnOverrides::new();
        let overrides = overrides.unwrap_or(&none).clone().with_extra(self.extra.clone());
        overrides.check_extra(OF_THE_CLIENT)?;
        overrides.check_params(Self::STABLE, &Params(self))
    }
}

/// A null sets what may be null, and nothing else.
fn set_if_not_null<'de, D, T>(deserializer: D) -> std::result::Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned,
{
    match Value::deserialize(deserializer)? {
        Value::Null => Ok(serde_json::from_value(Value::Null).ok()),
        value => serde_json::from_value(value).map(Some).map_err(D::Error::custom),
    }
}
