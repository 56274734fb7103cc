//! Errors as JSON, for logs and for other languages.
//!
//! Relies on serde. Invariant: every error serializes, whatever a server put into it.

use std::time::Duration;

use serde::{Serialize, Serializer, ser::SerializeMap};

use super::{Error, Timeout, TransportFailure};
use crate::turn::TurnProgress;

impl Serialize for Error {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut causes = Vec::new();
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            causes.push(error.to_string());
            cause = error.source();
        }
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("code", self.code())?;
        map.serialize_entry("message", &self.to_string())?;
        map.serialize_entry("causes", &causes)?;
        map.serialize_entry("is_retryable", &self.is_retryable())?;
        match self {
            Error::Transport { doing, failure, source: _ } => {
                map.serialize_entry("doing", doing)?;
                map.serialize_entry("failure", &**failure)?;
            }
            Error::Timeout { limit, after, note, progress } => {
                map.serialize_entry("limit", limit)?;
                map.serialize_entry("after_ms", &millis(*after))?;
                map.serialize_entry("note", note)?;
                serialize_progress(&mut map, progress)?;
            }
            Error::TurnInactive { continuation, idle, last_error, progress } => {
                map.serialize_entry("continuation", continuation)?;
                map.serialize_entry("idle_ms", &millis(*idle))?;
                map.serialize_entry("last_error", last_error)?;
                serialize_progress(&mut map, progress)?;
            }
            Error::Rpc { method, code, message, data } => {
                map.serialize_entry("method", method)?;
                map.serialize_entry("rpc_code", code)?;
                map.serialize_entry("rpc_message", message)?;
                map.serialize_entry("data", data)?;
            }
            Error::TurnFailed { thread_id, turn_id, message, info, turn, progress, resets_at: _ } => {
                map.serialize_entry("thread_id", thread_id)?;
                map.serialize_entry("turn_id", turn_id)?;
                map.serialize_entry("turn_message", message)?;
                map.serialize_entry("info", info)?;
                map.serialize_entry("turn_failure", &self.failure())?;
                map.serialize_entry("turn", turn)?;
                serialize_progress(&mut map, progress)?;
            }
            Error::TurnInterrupted { thread_id, turn_id, turn, progress } => {
                map.serialize_entry("thread_id", thread_id)?;
                map.serialize_entry("turn_id", turn_id)?;
                map.serialize_entry("turn", turn)?;
                serialize_progress(&mut map, progress)?;
            }
            Error::NoAnswer { thread_id, turn_id, progress } => {
                map.serialize_entry("thread_id", thread_id)?;
                map.serialize_entry("turn_id", turn_id)?;
                serialize_progress(&mut map, progress)?;
            }
            Error::Decode { what, raw, source: _, progress } => {
                map.serialize_entry("what", what)?;
                map.serialize_entry("raw", &**raw)?;
                serialize_progress(&mut map, progress)?;
            }
            Error::RolledBack { thread_id, source: _ } => map.serialize_entry("thread_id", thread_id)?,
            Error::InvalidInput { message: _, source: _ } => {}
            Error::NoLongerPending { what, source: _ } => map.serialize_entry("what", what)?,
            Error::BufferFull { thread_id, turn_id, buffered, limit } => {
                map.serialize_entry("thread_id", thread_id)?;
                map.serialize_entry("turn_id", turn_id)?;
                map.serialize_entry("buffered", buffered)?;
                map.serialize_entry("limit", limit)?;
            }
            Error::OutputFull { process_id, buffered, limit } => {
                map.serialize_entry("process_id", process_id)?;
                map.serialize_entry("buffered", buffered)?;
                map.serialize_entry("limit", limit)?;
            }
            Error::LoginFailed { message, was_cancelled } => {
                map.serialize_entry("login_message", message)?;
                map.serialize_entry("was_cancelled", was_cancelled)?;
            }
            Error::Closed { doing, in_forked_process } => {
                map.serialize_entry("doing", doing)?;
                map.serialize_entry("in_forked_process", in_forked_process)?;
            }
        }
        map.end()
    }
}

fn serialize_progress<M: SerializeMap>(map: &mut M, progress: &TurnProgress) -> Result<(), M::Error> {
    map.serialize_entry("steps", progress.steps())?;
    map.serialize_entry("usage", &progress.usage())
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

impl Serialize for Timeout {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (kind, field) = match self {
            Timeout::Connect => ("connect", None),
            Timeout::Request { method } => ("request", Some(("method", method))),
            Timeout::Compaction { thread_id } => ("compaction", Some(("thread_id", thread_id))),
            Timeout::TurnEnd { turn_id } => ("turn_end", Some(("turn_id", turn_id))),
            Timeout::Turn => ("turn", None),
            Timeout::Login { login_id } => ("login", Some(("login_id", login_id))),
        };
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("type", kind)?;
        if let Some((name, value)) = field {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

impl Serialize for TransportFailure {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let TransportFailure {
            message,
            exit_status,
            stderr_tail,
            http_status,
            close_code,
            before_connect,
            is_transient,
            source: _,
        } = self;
        #[cfg(unix)]
        let signal = exit_status.and_then(|status| std::os::unix::process::ExitStatusExt::signal(&status));
        #[cfg(not(unix))]
        let signal: Option<i32> = None;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("message", message)?;
        map.serialize_entry("exit_code", &exit_status.and_then(|status| status.code()))?;
        map.serialize_entry("exit_signal", &signal)?;
        map.serialize_entry("stderr_tail", stderr_tail)?;
        map.serialize_entry("http_status", http_status)?;
        map.serialize_entry("close_code", close_code)?;
        map.serialize_entry("before_connect", before_connect)?;
        map.serialize_entry("is_transient", is_transient)?;
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, time::UNIX_EPOCH};

    use serde_json::{Value, json};

    use super::*;
    use crate::{
        continuation::{ChatContinuation, ChatMode},
        error::Cause,
    };

    /// One of each variant, with its JSON but for `code` and `message`.
    fn all() -> Vec<(Error, Value)> {
        let failure = TransportFailure {
            stderr_tail: vec!["last words".to_owned()],
            http_status: Some(503),
            close_code: Some(1001),
            ..TransportFailure::new("lost").with_source(std::io::Error::other("the pipe burst"))
        };
        let (thread_id, turn_id) = ("t".to_owned(), "u".to_owned());
        let value = || Some(Box::new(json!({ "a": 1 })));
        let progress = TurnProgress::default;
        let invalid = || serde_json::from_str::<u8>("x").unwrap_err();
        vec![
            (
                Error::transport("read", Arc::new(failure)),
                json!({ "causes": ["the pipe burst"], "doing": "read", "failure": {
                    "message": "lost", "exit_code": null, "exit_signal": null, "stderr_tail": ["last words"],
                    "http_status": 503, "close_code": 1001, "before_connect": false, "is_transient": false,
                } }),
            ),
            (
                Error::Timeout {
                    limit: Timeout::Request { method: "m".to_owned() },
                    after: Duration::from_micros(1_500_900),
                    note: Some("n".into()),
                    progress: progress(),
                },
                json!({ "causes": [], "limit": { "type": "request", "method": "m" }, "after_ms": 1500, "note": "n",
                    "steps": [], "usage": null }),
            ),
            (
                Error::TurnInactive {
                    continuation: ChatContinuation::new("t", "u", 3, ChatMode::Steps, 7),
                    idle: Duration::MAX,
                    last_error: None,
                    progress: progress(),
                },
                json!({ "causes": [], "idle_ms": u64::MAX, "last_error": null, "steps": [], "usage": null, "continuation":
                    { "thread_id": "t", "turn_id": "u", "cursor": 3, "mode": "steps", "key": 7 } }),
            ),
            (
                Error::Rpc { method: "m".to_owned(), code: -32600, message: "no".to_owned(), data: value() },
                json!({ "causes": [], "method": "m", "rpc_code": -32600, "rpc_message": "no", "data": { "a": 1 } }),
            ),
            (
                Error::TurnFailed {
                    thread_id: thread_id.clone(),
                    turn_id: turn_id.clone(),
                    message: "no".to_owned(),
                    info: Some(Box::new(json!({ "httpConnectionFailed": { "httpStatusCode": 503 } }))),
                    turn: value(),
                    progress: progress(),
                    resets_at: Some(UNIX_EPOCH + Duration::from_secs(5)),
                },
                json!({ "causes": [], "thread_id": "t", "turn_id": "u", "turn_message": "no",
                    "info": { "httpConnectionFailed": { "httpStatusCode": 503 } }, "turn_failure": {
                        "kind": { "httpConnectionFailed": { "httpStatusCode": 503 } }, "http_status": 503,
                        "resets_at": 5, "is_transient": true,
                    }, "turn": { "a": 1 }, "steps": [], "usage": null }),
            ),
            (
                Error::TurnInterrupted {
                    thread_id: thread_id.clone(),
                    turn_id: turn_id.clone(),
                    turn: None,
                    progress: progress(),
                },
                json!({ "causes": [], "thread_id": "t", "turn_id": "u", "turn": null, "steps": [], "usage": null }),
            ),
            (
                Error::NoAnswer {
                    thread_id: thread_id.clone(),
                    turn_id: turn_id.clone(),
                    progress: progress(),
                },
                json!({ "causes": [], "thread_id": "t", "turn_id": "u", "steps": [], "usage": null }),
            ),
            (
                Error::decode("a reply", "x", invalid()),
                json!({ "causes": ["expected value at line 1 column 1"], "what": "a reply", "raw": "x",
                    "steps": [], "usage": null }),
            ),
            (
                Error::RolledBack {
                    thread_id: thread_id.clone(),
                    source: Cause::new(Error::decode("x", "y", invalid())),
                },
                json!({ "causes": ["x could not be decoded (expected value at line 1 column 1): y",
                    "expected value at line 1 column 1"], "thread_id": "t" }),
            ),
            (Error::invalid("wrong"), json!({ "causes": [] })),
            (Error::no_longer_pending("it"), json!({ "causes": [], "what": "it" })),
            (
                Error::BufferFull { thread_id, turn_id, buffered: 2, limit: 1 },
                json!({ "causes": [], "thread_id": "t", "turn_id": "u", "buffered": 2, "limit": 1 }),
            ),
            (
                Error::OutputFull { process_id: "p".to_owned(), buffered: 2, limit: 1 },
                json!({ "causes": [], "process_id": "p", "buffered": 2, "limit": 1 }),
            ),
            (
                Error::LoginFailed { message: "no".to_owned(), was_cancelled: true },
                json!({ "causes": [], "login_message": "no", "was_cancelled": true }),
            ),
            (Error::closed("wait"), json!({ "causes": [], "doing": "wait", "in_forked_process": false })),
        ]
    }

    #[test]
    fn every_error_has_its_code_its_message_and_its_fields() {
        for (error, mut expected) in all() {
            expected["code"] = error.code().into();
            expected["message"] = error.to_string().into();
            expected["is_retryable"] = error.is_retryable().into();
            assert_eq!(serde_json::to_value(&error).unwrap(), expected);
            assert_eq!(
                serde_json::from_str::<Value>(&serde_json::to_string(&error).unwrap()).unwrap(),
                expected
            );
        }
    }

    #[test]
    fn all_codes_are_listed_once_and_in_the_order_of_the_variants() {
        let codes: Vec<_> = all().iter().map(|(error, _)| error.code()).collect();
        assert_eq!(codes, Error::CODES);
    }

    #[test]
    fn every_limit_has_its_type_and_its_field() {
        let text = || "x".to_owned();
        for (limit, expected) in [
            (Timeout::Connect, json!({ "type": "connect" })),
            (Timeout::Request { method: text() }, json!({ "type": "request", "method": "x" })),
            (Timeout::Compaction { thread_id: text() }, json!({ "type": "compaction", "thread_id": "x" })),
            (Timeout::TurnEnd { turn_id: text() }, json!({ "type": "turn_end", "turn_id": "x" })),
            (Timeout::Turn, json!({ "type": "turn" })),
            (Timeout::Login { login_id: text() }, json!({ "type": "login", "login_id": "x" })),
        ] {
            assert_eq!(serde_json::to_value(limit).unwrap(), expected);
        }
    }

    #[cfg(unix)]
    #[test]
    fn the_end_of_a_process_is_a_code_or_a_signal() {
        use std::os::unix::process::ExitStatusExt;
        for (status, code, signal) in [(3 << 8, json!(3), json!(null)), (9, json!(null), json!(9))] {
            let exit_status = Some(std::process::ExitStatus::from_raw(status));
            let tree =
                serde_json::to_value(TransportFailure { exit_status, ..TransportFailure::new("x") }).unwrap();
            assert_eq!((&tree["exit_code"], &tree["exit_signal"]), (&code, &signal));
        }
    }
}
