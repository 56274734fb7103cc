//! What ties a method to its parameters and its reply, in both directions.
//!
//! Relies on serde. Invariant: a method has one type for its parameters, and that type one method,
//! so that a value of it is all a call needs.

use serde::Serialize;
use serde::de::DeserializeOwned;

/// The parameters of a request that a client may send.
///
/// Implemented for the parameters of every method of the protocol, and open to programs: a method
/// that is too new for this crate needs a struct and these four lines.
pub trait ClientRequest: Serialize {
    /// What the server answers.
    type Response: DeserializeOwned;
    /// The method's name on the wire.
    const METHOD: &'static str;
    /// Whether the server refuses it unless the client asked for the experimental API.
    const EXPERIMENTAL: bool;
}

/// The parameters of a request that the server sends, with the answer it waits for.
pub trait ServerRequestParams: DeserializeOwned {
    /// What the client answers.
    type Response: Serialize;
    /// The method's name on the wire.
    const METHOD: &'static str;
}

/// A method of the protocol, as data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct MethodInfo {
    /// The name on the wire.
    pub method: &'static str,
    /// The name of the type of its parameters.
    pub params: &'static str,
    /// The name of the type of its reply.
    pub response: &'static str,
    /// Whether it belongs to the experimental API.
    pub experimental: bool,
}

/// Lists methods as data, whether or not their types are compiled.
macro_rules! methods {
    (
        experimental: $experimental:literal;
        $(#[$meta:meta])*
        pub const $table:ident;
        $($method:literal: $params:ident => $response:ident,)*
    ) => {
        $(#[$meta])*
        pub const $table: &[$crate::protocol::MethodInfo] = &[
            $($crate::protocol::MethodInfo {
                method: $method,
                params: stringify!($params),
                response: stringify!($response),
                experimental: $experimental,
            },)*
        ];
    };
}
pub(crate) use methods;

/// Ties methods to the types of their parameters and replies.
macro_rules! requests {
    (experimental: $experimental:literal; $($method:literal: $params:ident => $response:ident,)*) => {
        $(impl $crate::protocol::ClientRequest for $params {
            type Response = $response;
            const METHOD: &'static str = $method;
            const EXPERIMENTAL: bool = $experimental;
        })*
    };
}
pub(crate) use requests;

/// A type for the parameters of methods that take none.
macro_rules! no_params {
    ($($(#[$meta:meta])* pub struct $name:ident;)*) => {$(
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
        #[non_exhaustive]
        pub struct $name {}

        impl $name {
            /// There is nothing to set.
            pub fn new() -> Self {
                $name {}
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_unit()
            }
        }
    )*};
}
pub(crate) use no_params;

/// An enum over all messages of a kind that the server sends.
macro_rules! messages {
    (
        $(#[$meta:meta])*
        pub enum $name:ident { $( $(#[$variant_meta:meta])* $variant:ident($params:ident) = $method:literal, )* }
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq)]
        #[non_exhaustive]
        pub enum $name {
            $(
                #[doc = concat!("`", $method, "`.\n")]
                $(#[$variant_meta])*
                $variant(Box<$params>),
            )*
            /// A method that this version of the crate does not know.
            #[non_exhaustive]
            Unknown {
                /// The name on the wire.
                method: String,
                /// The parameters as they came.
                params: $crate::protocol::Unknown,
            },
        }

        impl $name {
            /// The methods that have a variant.
            pub const METHODS: &'static [&'static str] = &[$($method),*];

            /// Decodes the parameters (JSON text) of a message.
            ///
            /// # Errors
            ///
            /// When a known method's parameters lack something required; the error names the path.
            /// An unknown method is none.
            #[inline]
            pub fn decode(method: &str, params: &str) -> serde_json::Result<Self> {
                match method {
                    $($method => $crate::protocol::decode(params).map(Self::$variant),)*
                    _ => Ok(Self::Unknown {
                        method: method.to_owned(),
                        params: $crate::protocol::Unknown::new(None, serde_json::from_str(params)?, None),
                    }),
                }
            }

            /// The name on the wire.
            #[inline]
            pub fn method(&self) -> &str {
                match self {
                    $(Self::$variant(_) => $method,)*
                    Self::Unknown { method, .. } => method,
                }
            }
        }
    };
}
pub(crate) use messages;
