//! A value that is absent, `null`, or set; the protocol distinguishes the three.
//!
//! Relies on serde only. Invariant: an unset field is never sent (every field of this type is serialized
//! with `skip_serializing_if = "Setting::is_unset"`).

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A request field: absent, explicitly `null`, or a value.
///
/// For many parameters of the protocol, an absent field keeps the current value, `null` clears it, and a
/// value sets it. `into()` converts a value to a `Setting`, so setters accept plain values:
///
/// ```
/// use codex_blocking::{Setting, ThreadConfig};
///
/// let config = ThreadConfig::new().model("gpt-5").cwd(Setting::Null);
/// assert_eq!(config.model, Setting::Value("gpt-5".to_owned()));
/// assert!(config.personality.is_unset());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[expect(clippy::exhaustive_enums, reason = "these three states are all there are")]
pub enum Setting<T> {
    /// The field is absent from the message.
    #[default]
    Unset,
    /// The field is sent as `null`.
    Null,
    /// The field is sent with this value.
    Value(T),
}

impl<T> Setting<T> {
    /// Returns `true` if the field is absent.
    pub const fn is_unset(&self) -> bool {
        matches!(self, Setting::Unset)
    }

    /// Returns `true` if the field is `null`.
    pub const fn is_null(&self) -> bool {
        matches!(self, Setting::Null)
    }

    /// Returns a reference to the value, if it is set.
    pub const fn value(&self) -> Option<&T> {
        match self {
            Setting::Value(value) => Some(value),
            Setting::Unset | Setting::Null => None,
        }
    }

    /// Returns the value, if it is set.
    pub fn into_value(self) -> Option<T> {
        match self {
            Setting::Value(value) => Some(value),
            Setting::Unset | Setting::Null => None,
        }
    }

    /// Converts from `&Setting<T>` to `Setting<&T>`.
    pub const fn as_ref(&self) -> Setting<&T> {
        match self {
            Setting::Unset => Setting::Unset,
            Setting::Null => Setting::Null,
            Setting::Value(value) => Setting::Value(value),
        }
    }

    /// Applies `f` to the value, if it is set.
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Setting<U> {
        match self {
            Setting::Unset => Setting::Unset,
            Setting::Null => Setting::Null,
            Setting::Value(value) => Setting::Value(f(value)),
        }
    }

    /// Returns `later` unless it is unset, otherwise `self`. Configurations merge field by field with
    /// this rule.
    #[must_use]
    pub fn merge(self, later: Self) -> Self {
        if later.is_unset() { self } else { later }
    }

    /// Converts `None` to `Null`.
    pub fn null_if_none(value: Option<T>) -> Self {
        value.map_or(Setting::Null, Setting::Value)
    }

    /// Converts `None` to `Unset`.
    pub fn unset_if_none(value: Option<T>) -> Self {
        value.map_or(Setting::Unset, Setting::Value)
    }
}

impl<T> From<T> for Setting<T> {
    fn from(value: T) -> Self {
        Setting::Value(value)
    }
}

impl From<&str> for Setting<String> {
    fn from(value: &str) -> Self {
        Setting::Value(value.to_owned())
    }
}

impl From<&String> for Setting<String> {
    fn from(value: &String) -> Self {
        Setting::Value(value.clone())
    }
}

impl From<&str> for Setting<std::path::PathBuf> {
    fn from(value: &str) -> Self {
        Setting::Value(value.into())
    }
}

impl From<String> for Setting<std::path::PathBuf> {
    fn from(value: String) -> Self {
        Setting::Value(value.into())
    }
}

impl From<&std::path::Path> for Setting<std::path::PathBuf> {
    fn from(value: &std::path::Path) -> Self {
        Setting::Value(value.to_owned())
    }
}

impl From<&std::path::PathBuf> for Setting<std::path::PathBuf> {
    fn from(value: &std::path::PathBuf) -> Self {
        Setting::Value(value.clone())
    }
}

impl<T: Serialize> Serialize for Setting<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            // An unset field of a struct is skipped. Elsewhere (in a list) it can't be; null is the
            // closest value.
            Setting::Unset | Setting::Null => serializer.serialize_none(),
            Setting::Value(value) => value.serialize(serializer),
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Setting<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Option::<T>::deserialize(deserializer).map(Setting::null_if_none)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Holder {
        #[serde(default, skip_serializing_if = "Setting::is_unset")]
        field: Setting<u8>,
    }

    fn any_setting() -> impl Strategy<Value = Setting<u8>> {
        prop_oneof![Just(Setting::Unset), Just(Setting::Null), any::<u8>().prop_map(Setting::Value)]
    }

    proptest! {
        #[test]
        fn all_three_states_survive_json(field in any_setting()) {
            let holder = Holder { field };
            let text = serde_json::to_string(&holder).unwrap();
            prop_assert_eq!(serde_json::from_str::<Holder>(&text).unwrap(), holder);
        }

        #[test]
        fn merging_with_unset_changes_nothing(a in any_setting()) {
            prop_assert_eq!(a.merge(Setting::Unset), a);
            prop_assert_eq!(Setting::Unset.merge(a), a);
        }

        #[test]
        fn merging_is_associative(a in any_setting(), b in any_setting(), c in any_setting()) {
            prop_assert_eq!(a.merge(b).merge(c), a.merge(b.merge(c)));
        }
    }
}
