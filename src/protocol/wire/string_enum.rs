//! String enums that accept values unknown to this version of the crate.
//!
//! Relies on serde. Invariant: a value serializes to the string it was read from.

use std::fmt;
use std::marker::PhantomData;

use serde::de::Visitor;

/// A string enum that may gain values.
pub(crate) trait StringEnum: Sized {
    const NAME: &'static str;
    fn from_value(value: &str) -> Self;
}

pub(crate) struct StringEnumVisitor<T>(pub(crate) PhantomData<T>);

impl<T: StringEnum> Visitor<'_> for StringEnumVisitor<T> {
    type Value = T;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a value of {}", T::NAME)
    }
    fn visit_str<E>(self, value: &str) -> Result<T, E> {
        Ok(T::from_value(value))
    }
}

/// A string enum that stores unknown values in `Other`.
macro_rules! string_enum {
    (
        $(#[$meta:meta])*
        pub enum $name:ident { $( $(#[$variant_meta:meta])* $variant:ident = $value:literal, )* }
    ) => {
        $(#[$meta])*
        #[derive(Clone, PartialEq, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $(
                #[doc = concat!("The value `", $value, "`.\n")]
                $(#[$variant_meta])*
                $variant,
            )*
            /// A value unknown to this version of the crate.
            Other(String),
        }

        impl $name {
            /// The string on the wire.
            #[inline]
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $value,)*
                    Self::Other(value) => value,
                }
            }
        }

        // Deriving it would generate one more function for each enum.
        impl Eq for $name {}

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                match self {
                    $(Self::$variant => f.write_str(stringify!($variant)),)*
                    Self::Other(value) => $crate::excerpt::debug_tuple(f, "Other", value),
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
            fn from(value: &str) -> Self {
                match value {
                    $($value => Self::$variant,)*
                    _ => Self::Other(value.to_owned()),
                }
            }
        }

        impl From<String> for $name {
            #[inline]
            fn from(value: String) -> Self {
                Self::from(value.as_str())
            }
        }

        impl PartialEq<str> for $name {
            #[inline]
            fn eq(&self, value: &str) -> bool {
                self.as_str() == value
            }
        }

        impl PartialEq<&str> for $name {
            #[inline]
            fn eq(&self, value: &&str) -> bool {
                self.as_str() == *value
            }
        }

        impl $crate::protocol::wire::StringEnum for $name {
            const NAME: &'static str = stringify!($name);
            #[inline]
            fn from_value(value: &str) -> Self {
                Self::from(value)
            }
        }

        impl $crate::protocol::wire::Scalar for $name {
            #[inline]
            fn from_text(value: &str) -> Option<Self> {
                Some(Self::from(value))
            }
        }

        impl $crate::protocol::wire::Part for $name {
            fn read_or_none<'de, A: serde::de::MapAccess<'de>>(
                map: &mut A,
                name: &'static str,
            ) -> Result<Option<Self>, A::Error> {
                $crate::protocol::wire::read_scalar(map, name)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_str($crate::protocol::wire::StringEnumVisitor::<Self>(std::marker::PhantomData))
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }
    };
}
pub(crate) use string_enum;
