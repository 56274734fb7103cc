//! The default answer: what a server request gets if nothing else answers it.
//!
//! Relies on `protocol`. Invariant: it grants nothing and has the shape that the request requires; an unknown
//! method is rejected as unknown.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::{
    excerpt::Excerpt,
    protocol::{INTERNAL_ERROR, METHOD_NOT_FOUND},
    rpc::{Answer, Refusal},
};

/// The default answer to a request of this method.
pub(super) fn default_answer(method: &str) -> Answer {
    let reject = |reason: &str| Err(Refusal { code: INTERNAL_ERROR, message: reason.to_owned() });
    let answer = match method {
        "item/commandExecution/requestApproval" | "item/fileChange/requestApproval" => {
            json!({ "decision": "decline" })
        }
        // From turns of old servers.
        "applyPatchApproval" | "execCommandApproval" => json!({ "decision": "denied" }),
        "item/permissions/requestApproval" => json!({ "permissions": {}, "scope": "turn" }),
        "mcpServer/elicitation/request" => json!({ "action": "decline", "content": null }),
        "item/tool/call" => json!({
            "contentItems": [{ "type": "inputText", "text": "this client has no such tool" }],
            "success": false,
        }),
        "currentTime/read" => json!({ "currentTimeAt": seconds_since_1970() }),
        "item/tool/requestUserInput" => return reject("no user is available to answer"),
        "account/chatgptAuthTokens/refresh" => return reject("this client has no tokens"),
        "attestation/generate" => return reject("this client can't attest"),
        _ => {
            return Err(Refusal {
                code: METHOD_NOT_FOUND,
                message: format!("this client does not know {}", Excerpt(method)),
            });
        }
    };
    // A tree built here can always be serialized.
    to_answer(&answer)
}

/// Whether the default answer declines without referring to the request's parameters: it also fits a request
/// that can't be decoded, if that names its thread.
pub(super) fn can_be_declined_unread(method: &str) -> bool {
    matches!(method, "item/permissions/requestApproval" | "mcpServer/elicitation/request" | "item/tool/call")
}

/// An answer of this shape.
pub(super) fn to_answer(value: &Value) -> Answer {
    serde_json::value::to_raw_value(value)
        .map_err(|error| Refusal { code: INTERNAL_ERROR, message: error.to_string() })
}

fn seconds_since_1970() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_granted_and_every_known_question_gets_its_own_shape() {
        let answer = |method| default_answer(method).map(|raw| raw.get().to_owned()).ok();
        assert_eq!(answer("item/commandExecution/requestApproval").unwrap(), r#"{"decision":"decline"}"#);
        assert_eq!(answer("item/fileChange/requestApproval").unwrap(), r#"{"decision":"decline"}"#);
        assert_eq!(answer("execCommandApproval").unwrap(), r#"{"decision":"denied"}"#);
        assert_eq!(
            answer("item/permissions/requestApproval").unwrap(),
            r#"{"permissions":{},"scope":"turn"}"#
        );
        assert!(answer("mcpServer/elicitation/request").unwrap().contains(r#""action":"decline""#));
        assert!(answer("item/tool/call").unwrap().contains(r#""success":false"#));
        let time: Value = serde_json::from_str(&answer("currentTime/read").unwrap()).unwrap();
        assert!(time["currentTimeAt"].as_u64().unwrap() > 1_700_000_000);
    }

    #[test]
    fn an_unknown_question_is_refused_as_unknown_and_others_that_nobody_answers_as_such() {
        assert_eq!(default_answer("moon/landing").unwrap_err().code, METHOD_NOT_FOUND);
        assert_eq!(default_answer("item/tool/requestUserInput").unwrap_err().code, INTERNAL_ERROR);
    }
}
