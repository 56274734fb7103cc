//! Associates each method with its parameter and response types, in both directions.
//!
//! Relies on serde. Invariant: a method has one parameter type, and that type belongs to one method, so
//! that a value of it is enough to make a call.

use serde::Serialize;
use serde::de::DeserializeOwned;

/// The parameters of a request that a client can send.
///
/// Implemented for the parameters of every method of the protocol. Implement it for a struct of your own
/// to call a method that is too new for this crate.
pub trait ClientRequest: Serialize {
    /// The type of the server's response.
    type Response: DeserializeOwned;
    /// The method's name on the wire.
    const METHOD: &'static str;
    /// Whether the server rejects the method unless the client has enabled the experimental API.
    const EXPERIMENTAL: bool;
}

/// The parameters of a request that the server sends, with the type of its response.
pub trait ServerRequestParams: DeserializeOwned {
    /// The type of the client's response.
    type Response: Serialize;
    /// The method's name on the wire.
    const METHOD: &'static str;
}

/// Describes a method of the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct MethodInfo {
    /// The method's name on the wire.
    pub method: &'static str,
    /// The name of its parameter type.
    pub params: &'static str,
    /// The name of its response type.
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

/// Associates methods with their parameter and response types.
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

/// Declares parameter types for methods without parameters.
macro_rules! no_params {
    ($($(#[$meta:meta])* pub struct $name:ident;)*) => {$(
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
        #[non_exhaustive]
        pub struct $name {}

        impl $name {
            /// Creates the empty parameters.
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

/// Declares an enum of all messages of one kind that the server sends.
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
            /// A method unknown to this version of the crate.
            #[non_exhaustive]
            Unknown {
                /// The method's name on the wire.
                method: String,
                /// The parameters as they were received.
                params: $crate::protocol::Unknown,
            },
        }

        impl $name {
            /// The methods that have a variant.
            pub const METHODS: &'static [&'static str] = &[$($method),*];

            /// Decodes the parameters (JSON text) of a message. An unknown method decodes to `Unknown`.
            ///
            /// # Errors
            ///
            /// Returns an error if the parameters of a known method lack a required field; it contains
            /// the path.
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

            /// The method's name on the wire.
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
