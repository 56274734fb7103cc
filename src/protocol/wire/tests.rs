//! Tests how the generated types decode data from current, newer and broken servers.

use serde::de::{DeserializeSeed, Error as _, IntoDeserializer, MapAccess, value};
use serde_json::json;

use super::Object;
use crate::Setting;
use crate::protocol::{
    AskForApproval, CodexErrorInfo, CommandAction, FunctionCallOutputBody, SandboxPolicy,
    ThreadArchiveResponse, ThreadItem, ThreadStartParams, ThreadStatus, Turn, TurnStartParams, TurnStatus,
    UserInput, decode,
};

fn turn(items: &str, rest: &str) -> serde_json::Result<Turn> {
    decode(&format!(r#"{{"id":"t","status":"completed","items":[{items}]{rest}}}"#))
}

#[test]
fn an_item_of_an_unknown_type_is_kept_as_it_came() {
    let raw = r#"{"type":"ofTomorrow","id":"i","big":12345678901234567890123,"x":1.50}"#;
    let turn = turn(raw, "").unwrap();
    let ThreadItem::Unknown(unknown) = &turn.items[0] else { panic!("{turn:?}") };
    assert_eq!((unknown.tag(), unknown.raw(), unknown.error()), (Some("ofTomorrow"), raw, None));
    assert_eq!((turn.items[0].tag(), turn.items[0].id()), ("ofTomorrow", Some("i")));
    assert!(serde_json::to_string(&turn).unwrap().contains(raw));
}

#[test]
fn a_broken_item_costs_only_itself_and_says_why() {
    let good = r#"{"type":"agentMessage","id":"b","text":"hi"}"#;
    let broken = [
        r#"{"type":"agentMessage","id":"a"}"#,
        r#"{"type":"agentMessage","id":"a","text":5}"#,
        r#"{"type":"agentMessage","text":"no id"}"#,
        r#"{"id":"a"}"#,
        "5",
        "null",
        r#""text""#,
        "[]",
    ];
    for raw in broken {
        let turn = turn(&format!("{raw},{good}"), "").unwrap();
        assert!(matches!(&turn.items[0], ThreadItem::Unknown(unknown) if unknown.raw() == raw), "{turn:?}");
        assert!(matches!(&turn.items[1], ThreadItem::AgentMessage(item) if item.text == "hi"), "{turn:?}");
    }
    let ThreadItem::Unknown(unknown) = serde_json::from_str(broken[0]).unwrap() else { panic!() };
    assert!(unknown.error().unwrap().contains("missing field `text`"));
}

#[test]
fn a_tag_may_stand_anywhere() {
    let item: ThreadItem = serde_json::from_str(r#"{"text":"hi","id":"a","type":"agentMessage"}"#).unwrap();
    assert!(matches!(item, ThreadItem::AgentMessage(_)));
}

#[test]
fn a_broken_optional_field_reads_as_none() {
    let turn =
        turn("", r#","error":{"message":5},"startedAt":"noon","durationMs":-1,"itemsView":[]"#).unwrap();
    assert_eq!(
        (turn.error, turn.started_at, turn.duration_ms, turn.items_view),
        (None, None, Some(-1), None)
    );
}

#[test]
fn an_unknown_word_is_kept() {
    let status: TurnStatus = serde_json::from_str(r#""paused""#).unwrap();
    assert_eq!((status.as_str(), format!("{status:>8}")), ("paused", "  paused".to_owned()));
    assert_eq!(status, TurnStatus::Other("paused".to_owned()));
    assert_eq!(serde_json::to_string(&status).unwrap(), r#""paused""#);
    assert!(serde_json::from_str::<TurnStatus>("5").is_err());
}

#[test]
fn an_entry_that_nobody_reads_can_still_break_the_object() {
    struct Broken;
    impl<'de> MapAccess<'de> for Broken {
        type Error = value::Error;
        fn next_key_seed<K: DeserializeSeed<'de>>(
            &mut self,
            seed: K,
        ) -> Result<Option<K::Value>, Self::Error> {
            seed.deserialize("unknown".into_deserializer()).map(Some)
        }
        fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, _: V) -> Result<V::Value, Self::Error> {
            Err(value::Error::custom("cut off"))
        }
    }
    // Has no required fields, so that nothing else is missing.
    assert_eq!(ThreadArchiveResponse::read_map(Broken).unwrap_err().to_string(), "cut off");
}

#[test]
fn a_missing_required_field_is_an_error_with_its_path() {
    #[derive(Debug)]
    struct Page;
    impl Page {
        fn error(text: &str) -> String {
            decode::<crate::protocol::ThreadTurnsListResponse>(text).unwrap_err().to_string()
        }
    }
    let good = r#"{"id":"a","status":"completed","items":[]}"#;
    let error = Page::error(&format!("{{\"data\":[{good},\n{{\"status\":\"completed\",\"items\":[]}}]}}"));
    assert!(error.starts_with("data[1].id: missing field `id`"), "{error}");
    let error = Page::error(&format!(r#"{{"data":[{good},{{"id":5,"status":"completed","items":[]}}]}}"#));
    assert!(error.starts_with("data[1].id: invalid type"), "{error}");
    let error = Page::error(r#"{"da\"ta":[1,{}],"data":{}}"#);
    assert!(error.starts_with("data: invalid type"), "{error}");
    assert!(Page::error("{}").starts_with("data: missing field"));
}

#[test]
fn a_union_of_words_and_objects_reads_both() {
    let read = |text: &str| serde_json::from_str::<AskForApproval>(text).unwrap();
    assert_eq!(read(r#""on-request""#), AskForApproval::OnRequest);
    let granular = r#"{"granular":{"mcp_elicitations":true,"rules":true,"sandbox_approval":false}}"#;
    let AskForApproval::Granular(inner) = read(granular) else { panic!() };
    assert!(inner.rules && !inner.sandbox_approval);
    for text in [r#""of-tomorrow""#, r#"{"ofTomorrow":{"a":1}}"#, r#"{"granular":5}"#, "5", "{}"] {
        let value = read(text);
        assert!(matches!(value, AskForApproval::Unknown(_)), "{value:?}");
        assert_eq!(serde_json::to_string(&value).unwrap(), text);
    }
    let info: CodexErrorInfo = serde_json::from_str(r#""other""#).unwrap();
    assert_eq!(info, CodexErrorInfo::Other);
}

#[test]
fn a_union_without_tag_goes_by_shape() {
    let text: FunctionCallOutputBody = serde_json::from_str(r#""text""#).unwrap();
    assert_eq!(text, FunctionCallOutputBody::Text("text".to_owned()));
    let list: FunctionCallOutputBody = serde_json::from_str(r#"[{"type":"ofTomorrow"}]"#).unwrap();
    assert!(matches!(list, FunctionCallOutputBody::List(items) if items.len() == 1));
    let other: FunctionCallOutputBody = serde_json::from_str("5").unwrap();
    assert!(matches!(other, FunctionCallOutputBody::Unknown(unknown) if unknown.raw() == "5"));
}

#[test]
fn parameters_leave_out_what_is_unset() {
    let input = vec![crate::protocol::TextUserInput::new("hi").into()];
    let params = TurnStartParams::new("thread", input).model("m").effort(Setting::Null);
    let text = serde_json::to_string(&params).unwrap();
    let expected = r#"{"effort":null,"input":[{"type":"text","text":"hi"}],"model":"m","threadId":"thread"}"#;
    assert_eq!(text, expected);
    assert_eq!(serde_json::from_str::<TurnStartParams>(&text).unwrap(), params);
    assert_eq!(serde_json::to_string(&ThreadStartParams::default()).unwrap(), "{}");
}

#[test]
fn what_has_no_type_yet_can_be_sent() {
    let value = json!({"type": "hologram", "url": "x"});
    let input = UserInput::Unknown(value.clone().into());
    assert_eq!(serde_json::to_value(&input).unwrap(), value);
}

#[test]
fn a_member_without_fields_is_bare() {
    let status: ThreadStatus = serde_json::from_str(r#"{"type":"idle","extra":1}"#).unwrap();
    assert_eq!(status, ThreadStatus::Idle);
    assert_eq!(serde_json::to_string(&status).unwrap(), r#"{"type":"idle"}"#);
    let policy = SandboxPolicy::from(crate::protocol::ReadOnlySandboxPolicy::new().network_access(true));
    assert_eq!(serde_json::to_value(&policy).unwrap(), json!({"type": "readOnly", "networkAccess": true}));
}

#[test]
fn a_schemas_own_unknown_is_not_ours() {
    let action: CommandAction = serde_json::from_str(r#"{"type":"unknown","command":"x"}"#).unwrap();
    assert!(matches!(action, CommandAction::Unknown_(_)));
}

#[test]
fn enums_that_travel_a_lot_are_small() {
    assert!(size_of::<crate::protocol::ServerNotification>() <= 80);
    assert!(size_of::<crate::protocol::ServerRequestMessage>() <= 80);
    assert!(size_of::<ThreadItem>() <= 56);
}

#[test]
fn deep_nesting_is_an_error_and_not_a_crash() {
    let deep = "[".repeat(100_000);
    assert!(decode::<Turn>(&deep).is_err());
    assert!(serde_json::from_str::<ThreadItem>(&deep).is_err());
    let item =
        format!(r#"{{"type":"mcpToolCall","id":"a","arguments":{}{}}}"#, "[".repeat(500), "]".repeat(500));
    assert!(serde_json::from_str::<ThreadItem>(&item).is_ok_and(|item| item.id() == Some("a")));
}
