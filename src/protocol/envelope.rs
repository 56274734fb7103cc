//! Parses what routing needs from a message, in one pass, borrowing from its text.
//!
//! Relies on serde_json. Invariant: inside `params`, only the ids used for routing are read (`threadId`,
//! `turnId`, `processId`, `thread.id`, `turn.id`, `turn.rootTurnId`), nothing deeper; a value of the
//! wrong type counts as absent and never fails the message.

use std::{borrow::Cow, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use serde_json::value::RawValue;

use super::RequestId;

/// A message, by its kind.
#[derive(Debug)]
pub(crate) enum Envelope<'a> {
    /// `{id, result}` or `{id, error}`. `id` is `None` if its type is one that no client sends, and for an
    /// error without an id.
    Reply { id: Option<RequestId>, outcome: ReplyOutcome<'a> },
    /// `{id, method, params?}`: a server request.
    Request { id: RequestId, method: Cow<'a, str>, route: Route<'a> },
    /// `{method, params?}`.
    Notification { method: Cow<'a, str>, route: Route<'a> },
}

/// The `result` or `error` of a reply, as JSON text.
#[derive(Debug, Clone, Copy)]
pub(crate) enum ReplyOutcome<'a> {
    Result(&'a str),
    Error(&'a str),
}

/// The ids that assign a message to its turn, and the parts that a reader of the turn needs: recording
/// their position here avoids another pass.
#[derive(Debug, Default)]
pub(crate) struct Route<'a> {
    pub(crate) thread_id: Option<Cow<'a, str>>,
    pub(crate) turn_id: Option<Cow<'a, str>>,
    /// `turn.rootTurnId`: in the `turn/started` of a review, the id of the requested turn.
    pub(crate) root_turn_id: Option<Cow<'a, str>>,
    /// Of `command/exec/outputDelta`, which belongs to no thread.
    pub(crate) process_id: Option<Cow<'a, str>>,
    /// `itemId`, as JSON.
    pub(crate) item_id: Option<&'a RawValue>,
    /// `item` or `delta`, as JSON.
    pub(crate) body: Option<&'a RawValue>,
}

impl<'a> Envelope<'a> {
    /// Returns `None` if the text isn't a message: not a single JSON object, or one without the required
    /// members.
    pub(crate) fn parse(text: &'a str) -> Option<Envelope<'a>> {
        let members: Members<'a> = serde_json::from_str(text).ok()?;
        match members {
            Members { method: Some(method), id: Some(id), route, .. } => {
                Some(Envelope::Request { id, method, route })
            }
            Members { method: Some(method), id: None, route, .. } => {
                Some(Envelope::Notification { method, route })
            }
            Members { method_present: true, .. } => None,
            // The server sends only one of the two; an error takes precedence unless it is null.
            Members { id_present: true, id, error: Some(error), result, .. }
                if error.get() != "null" || result.is_none() =>
            {
                Some(Envelope::Reply { id, outcome: ReplyOutcome::Error(error.get()) })
            }
            Members { id_present: true, id, result: Some(result), .. } => {
                Some(Envelope::Reply { id, outcome: ReplyOutcome::Result(result.get()) })
            }
            Members { id_present: false, error: Some(error), .. } if error.get().starts_with('{') => {
                Some(Envelope::Reply { id: None, outcome: ReplyOutcome::Error(error.get()) })
            }
            _ => None,
        }
    }
}

#[derive(Default)]
struct Members<'a> {
    id: Option<RequestId>,
    id_present: bool,
    method: Option<Cow<'a, str>>,
    method_present: bool,
    result: Option<&'a RawValue>,
    error: Option<&'a RawValue>,
    route: Route<'a>,
}

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct MembersVisitor;

        impl<'de> Visitor<'de> for MembersVisitor {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a message")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Members::default();
                while let Some(Name(name)) = map.next_key()? {
                    match &*name {
                        "method" => {
                            members.method = map.next_value::<Lenient<'de>>()?.into_text();
                            members.method_present = true;
                        }
                        "params" => map.next_value_seed(Params(&mut members.route))?,
                        "id" => {
                            members.id = map.next_value::<Lenient<'de>>()?.into_id();
                            members.id_present = true;
                        }
                        // Not `Option<&RawValue>`, which would read null as absent.
                        "result" => members.result = Some(map.next_value()?),
                        "error" => members.error = Some(map.next_value()?),
                        _ => {
                            map.next_value::<IgnoredAny>()?;
                        }
                    }
                }
                Ok(members)
            }
        }

        deserializer.deserialize_map(MembersVisitor)
    }
}

/// A member name, borrowed unless it contains escapes.
struct Name<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Name<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NameVisitor;

        impl<'de> Visitor<'de> for NameVisitor {
            type Value = Name<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a name")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Name(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Name(Cow::Owned(text.to_owned())))
            }
        }

        deserializer.deserialize_str(NameVisitor)
    }
}

/// The integer that a number such as `1.0` is.
pub(crate) fn whole_number(number: f64) -> Option<i64> {
    // Beyond 2^53, a float stands for several integers.
    let is_exact = number.fract() == 0.0 && number.abs() <= 9_007_199_254_740_992.0;
    #[allow(clippy::cast_possible_truncation, reason = "checked above")]
    is_exact.then_some(number as i64)
}

/// Any value; only a string or an integer is stored.
#[derive(Debug, PartialEq)]
pub(crate) enum Lenient<'a> {
    Text(Cow<'a, str>),
    Number(i64),
    Else,
}

impl<'a> Lenient<'a> {
    pub(crate) fn into_text(self) -> Option<Cow<'a, str>> {
        match self {
            Lenient::Text(text) => Some(text),
            Lenient::Number(_) | Lenient::Else => None,
        }
    }

    fn into_id(self) -> Option<RequestId> {
        match self {
            Lenient::Text(text) => Some(RequestId::Text(text.into_owned())),
            Lenient::Number(number) => Some(RequestId::Number(number)),
            Lenient::Else => None,
        }
    }
}

impl<'de> Deserialize<'de> for Lenient<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct LenientVisitor;

        impl<'de> Visitor<'de> for LenientVisitor {
            type Value = Lenient<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("anything")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Lenient::Text(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Lenient::Text(Cow::Owned(text.to_owned())))
            }

            fn visit_i64<E>(self, number: i64) -> Result<Self::Value, E> {
                Ok(Lenient::Number(number))
            }

            fn visit_u64<E>(self, number: u64) -> Result<Self::Value, E> {
                Ok(i64::try_from(number).map_or(Lenient::Else, Lenient::Number))
            }

            fn visit_f64<E>(self, number: f64) -> Result<Self::Value, E> {
                Ok(whole_number(number).map_or(Lenient::Else, Lenient::Number))
            }

            fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
                Ok(Lenient::Else)
            }

            fn visit_unit<E>(self) -> Result<Self::Value, E> {
                Ok(Lenient::Else)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
                while seq.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Lenient::Else)
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Lenient::Else)
            }
        }

        deserializer.deserialize_any(LenientVisitor)
    }
}

/// Reads the routing ids of `params` into a route.
struct Params<'r, 'a>(&'r mut Route<'a>);

/// Reads `id` and `rootTurnId` of `params.turn`, or `id` of `params.thread`.
enum Nested<'r, 'a> {
    Turn(&'r mut Route<'a>),
    Thread(&'r mut Route<'a>),
}

/// Implements the part of a visitor that ignores whatever is neither a list nor an object.
macro_rules! scalars_are_nothing {
    () => {
        type Value = ();

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("anything")
        }

        fn visit_str<E>(self, _: &str) -> Result<(), E> {
            Ok(())
        }

        fn visit_i64<E>(self, _: i64) -> Result<(), E> {
            Ok(())
        }

        fn visit_u64<E>(self, _: u64) -> Result<(), E> {
            Ok(())
        }

        fn visit_f64<E>(self, _: f64) -> Result<(), E> {
            Ok(())
        }

        fn visit_bool<E>(self, _: bool) -> Result<(), E> {
            Ok(())
        }

        fn visit_unit<E>(self) -> Result<(), E> {
            Ok(())
        }
    };
}
pub(super) use scalars_are_nothing;

/// Implements a visitor that reads an object and ignores any other value.
macro_rules! object_or_nothing {
    () => {
        scalars_are_nothing!();

        fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
            while seq.next_element::<IgnoredAny>()?.is_some() {}
            Ok(())
        }
    };
}

impl<'de> DeserializeSeed<'de> for Params<'_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Params<'_, 'de> {
    object_or_nothing!();

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let route = self.0;
        while let Some(Name(name)) = map.next_key()? {
            match &*name {
                "threadId" => set(&mut route.thread_id, map.next_value()?),
                "turnId" => set(&mut route.turn_id, map.next_value()?),
                "processId" => set(&mut route.process_id, map.next_value()?),
                "itemId" => route.item_id = Some(map.next_value()?),
                "item" | "delta" => route.body = Some(map.next_value()?),
                "turn" => map.next_value_seed(Nested::Turn(route))?,
                "thread" => map.next_value_seed(Nested::Thread(route))?,
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for Nested<'_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Nested<'_, 'de> {
    object_or_nothing!();

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        while let Some(Name(name)) = map.next_key()? {
            match (&*name, &mut self) {
                ("id", Nested::Turn(route)) => set(&mut route.turn_id, map.next_value()?),
                ("rootTurnId", Nested::Turn(route)) => set(&mut route.root_turn_id, map.next_value()?),
                ("id", Nested::Thread(route)) => set(&mut route.thread_id, map.next_value()?),
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }
}

/// Replaces the id if the value is a string; otherwise leaves it unchanged.
fn set<'a>(id: &mut Option<Cow<'a, str>>, value: Lenient<'a>) {
    if let Lenient::Text(text) = value {
        *id = Some(text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route_of(text: &str) -> Route<'_> {
        match Envelope::parse(text) {
            Some(Envelope::Notification { route, .. }) => route,
            other => unreachable!("{other:?}"),
        }
    }

    #[test]
    fn a_delta_is_routed_by_the_ids_of_its_params_without_allocating() {
        let route = route_of(
            r#"{"method":"item/agentMessage/delta","params":{"threadId":"t","turnId":"u","itemId":"i","delta":"x"}}"#,
        );
        assert!(matches!(route.thread_id, Some(Cow::Borrowed("t"))));
        assert!(matches!(route.turn_id, Some(Cow::Borrowed("u"))));
    }

    #[test]
    fn a_turn_object_gives_its_id_and_its_root() {
        let route = route_of(
            r#"{"method":"turn/started","params":{"threadId":"t","turn":{"id":"s","rootTurnId":"r"}}}"#,
        );
        assert_eq!(route.turn_id.as_deref(), Some("s"));
        assert_eq!(route.root_turn_id.as_deref(), Some("r"));
    }

    #[test]
    fn ids_deeper_inside_do_not_route() {
        let route =
            route_of(r#"{"method":"x","params":{"item":{"threadId":"no","turnId":"no"},"threadId":"yes"}}"#);
        assert_eq!((route.thread_id.as_deref(), route.turn_id.as_deref()), (Some("yes"), None));
        assert_eq!(route.body.unwrap().get(), r#"{"threadId":"no","turnId":"no"}"#);
    }

    #[test]
    fn ids_of_a_wrong_type_read_as_absent() {
        for params in [
            r#"{"threadId":1,"turnId":[1,{}],"processId":{},"turn":7,"thread":"x"}"#,
            r#"{"turn":{"id":null,"rootTurnId":{}},"thread":[]}"#,
            "[]",
            "null",
            "3.5",
            r#""text""#,
            "true",
            "-1",
        ] {
            let text = format!(r#"{{"method":"x","params":{params}}}"#);
            let Route { thread_id, turn_id, root_turn_id, process_id, .. } = route_of(&text);
            assert!(thread_id.is_none() && turn_id.is_none(), "{params}");
            assert!(root_turn_id.is_none() && process_id.is_none(), "{params}");
        }
    }

    #[test]
    fn a_null_result_is_a_result() {
        assert!(matches!(
            Envelope::parse(r#"{"id":1,"result":null}"#),
            Some(Envelope::Reply { id: Some(RequestId::Number(1)), outcome: ReplyOutcome::Result("null") })
        ));
    }

    #[test]
    fn a_null_error_is_none_beside_a_result() {
        for text in [r#"{"id":1,"result":{},"error":null}"#, r#"{"error":null,"id":1,"result":{}}"#] {
            assert!(matches!(
                Envelope::parse(text),
                Some(Envelope::Reply { id: Some(RequestId::Number(1)), outcome: ReplyOutcome::Result("{}") })
            ));
        }
        let both = Envelope::parse(r#"{"id":1,"result":null,"error":{"code":1}}"#);
        assert!(matches!(both, Some(Envelope::Reply { outcome: ReplyOutcome::Error(_), .. })));
        let neither = Envelope::parse(r#"{"id":1,"error":null}"#);
        assert!(matches!(neither, Some(Envelope::Reply { outcome: ReplyOutcome::Error("null"), .. })));
    }

    #[test]
    fn an_error_without_an_id_is_a_reply_to_nobody() {
        for text in [r#"{"error":{"code":1}}"#, r#"{"id":null,"error":{"code":1}}"#] {
            assert!(matches!(
                Envelope::parse(text),
                Some(Envelope::Reply { id: None, outcome: ReplyOutcome::Error(_) })
            ));
        }
        // A line of a log may look like this.
        assert!(Envelope::parse(r#"{"error":"no","level":3}"#).is_none());
        assert!(Envelope::parse(r#"{"result":{}}"#).is_none());
    }

    #[test]
    fn an_id_with_a_fraction_of_zero_is_the_integer() {
        for (id, number) in [("1.0", Some(1)), ("1e2", Some(100)), ("-0.0", Some(0)), ("1.5", None)] {
            let text = format!(r#"{{"id":{id},"result":{{}}}}"#);
            let Some(Envelope::Reply { id: found, .. }) = Envelope::parse(&text) else { unreachable!() };
            assert_eq!(found, number.map(RequestId::Number), "{id}");
        }
    }

    #[test]
    fn an_id_keeps_its_type() {
        assert!(matches!(
            Envelope::parse(r#"{"id":"1","method":"m"}"#),
            Some(Envelope::Request { id: RequestId::Text(_), .. })
        ));
    }

    #[test]
    fn a_method_with_a_null_id_is_a_notification() {
        assert!(matches!(
            Envelope::parse(r#"{"id":null,"method":"m"}"#),
            Some(Envelope::Notification { .. })
        ));
    }

    #[test]
    fn what_is_no_message_is_none() {
        for text in [
            "",
            "hello",
            "[]",
            "{}",
            "1",
            "null",
            r#"{"id":5}"#,
            r#"{"method":5}"#,
            r#"{"method":null,"id":1,"result":1}"#,
            r#"{"method":"x"} {"method":"y"}"#,
            r#"{"method":"x""#,
        ] {
            assert!(Envelope::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn nesting_of_a_hundred_thousand_levels_is_skipped_without_recursion() {
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        let text = format!(r#"{{"method":"x","params":{{"a":{deep},"threadId":"t"}}}}"#);
        assert_eq!(route_of(&text).thread_id.as_deref(), Some("t"));
        let text = format!(r#"{{"id":1,"result":{deep}}}"#);
        assert!(matches!(Envelope::parse(&text), Some(Envelope::Reply { .. })));
    }

    #[test]
    fn an_escaped_name_or_id_is_understood() {
        let route = route_of(r#"{"m\u0065thod":"x","params":{"thr\u0065adId":"a\nb"}}"#);
        assert_eq!(route.thread_id.as_deref(), Some("a\nb"));
    }
}
