//! Enums of words, open to words that this version of the crate does not know.
//!
//! Relies on serde. Invariant: a word is written as it was read.

use std::fmt;
use std::marker::PhantomData;

use serde::de::Visitor;

/// A word of an enum that may grow.
pub(crate) trait Words: Sized {
    const NAME: &'static str;
    fn from_word(word: &str) -> Self;
}

pub(crate) struct WordVisitor<T>(pub(crate) PhantomData<T>);

impl<T: Words> Visitor<'_> for WordVisitor<T> {
    type Value = T;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a word of {}", T::NAME)
    }
    fn visit_str<E>(self, word: &str) -> Result<T, E> {
        Ok(T::from_word(word))
    }
}

/// An enum of words that keeps those it does not know in `Other`.
macro_rules! words {
    (
        $(#[$meta:meta])*
        pub enum $name:ident { $( $(#[$variant_meta:meta])* $variant:ident = $word:literal, )* }
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $(
                #[doc = concat!("The word `", $word, "`.\n")]
                $(#[$variant_meta])*
                $variant,
            )*
            /// A word that this version of the crate does not know.
            Other(String),
        }

        impl $name {
            /// The word on the wire.
            #[inline]
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $word,)*
                    Self::Other(word) => word,
                }
            }
        }

        // Derived it would be a function more for each enum.
        impl Eq for $name {}

        impl std::fmt::Display for $name {
            #[inline]
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl From<&str> for $name {
            #[inline]
            fn from(word: &str) -> Self {
                match word {
                    $($word => Self::$variant,)*
                    _ => Self::Other(word.to_owned()),
                }
            }
        }

        impl From<String> for $name {
            #[inline]
            fn from(word: String) -> Self {
                Self::from(word.as_str())
            }
        }

        impl PartialEq<str> for $name {
            #[inline]
            fn eq(&self, word: &str) -> bool {
                self.as_str() == word
            }
        }

        impl PartialEq<&str> for $name {
            #[inline]
            fn eq(&self, word: &&str) -> bool {
                self.as_str() == *word
            }
        }

        impl $crate::protocol::wire::Words for $name {
            const NAME: &'static str = stringify!($name);
            #[inline]
            fn from_word(word: &str) -> Self {
                Self::from(word)
            }
        }

        impl $crate::protocol::wire::Scalar for $name {
            #[inline]
            fn from_text(word: &str) -> Option<Self> {
                Some(Self::from(word))
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
                deserializer.deserialize_str($crate::protocol::wire::WordVisitor::<Self>(std::marker::PhantomData))
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }
    };
}
pub(crate) use words;
