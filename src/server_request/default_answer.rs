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

/// The default answer to a request of this method. Where it has a text, that names what the program can set,
/// because the text reaches the model or the server's log.
pub(super) fn default_answer(method: &str) -> Answer {
    let reject = |what: &str| {
        let message = format!("{what}; {}", remedy(method));
        Err(Refusal { code: INTERNAL_ERROR, message })
    };
    let answer = match method {
        "item/commandExecution/requestApproval" | "item/fileChange/requestApproval" => {
            json!({ "decision": "decline" })
        }
        // From turns of old servers.
        "applyPatchApproval" | "execCommandApproval" => json!({ "decision": "denied" }),
        "item/permissions/requestApproval" => json!({ "permissions": {}, "scope": "turn" }),
        "mcpServer/elicitation/request" => json!({ "action": "decline", "content": null }),
        "item/tool/call" => {
            let text = format!("this client has no such tool; {}", remedy(method));
            json!({ "contentItems": [{ "type": "inputText", "text": text }], "success": false })
        }
        "currentTime/read" => json!({ "currentTimeAt": seconds_since_1970() }),
        "item/tool/requestUserInput" => return reject("no user is available to answer"),
        "account/chatgptAuthTokens/refresh" => return reject("this client has no tokens"),
        "attestation/generate" => return reject("this client can't attest"),
        _ => {
            let message = format!("this client does not know {}; {}", Excerpt(method), remedy(method));
            return Err(Refusal { code: METHOD_NOT_FOUND, message });
        }
    };
    // A tree built here can always be serialized.
    to_answer(&answer)
}

/// What the program can do so that requests of this method don't get the default answer.
pub(super) fn remedy(method: &str) -> &'static str {
    match method {
        "item/commandExecution/requestApproval" | "item/fileChange/requestApproval" => {
            "to decide about approvals, use Client::set_approval_handler or ApprovalMode::Manual"
        }
        "item/permissions/requestApproval" => {
            "to grant permissions, use Client::set_server_request_handler, or ApprovalMode::Manual with \
             Client::server_requests"
        }
        // The approval of a tool of an MCP server has this method too.
        "mcpServer/elicitation/request" => {
            "to answer MCP servers, use Client::set_server_request_handler (for approvals of their tools \
             Client::set_approval_handler), or ApprovalMode::Manual with Client::server_requests"
        }
        "item/tool/call" => {
            "to provide the thread's tools, use Client::start_thread_with_tools, or \
             Client::resume_thread_with_tools after the thread was archived, closed or started elsewhere"
        }
        "item/tool/requestUserInput" => {
            "to answer, use Client::set_user_input_handler or Client::user_input_requests"
        }
        _ => "to answer, use Client::set_server_request_handler",
    }
}

/// Whether the default answer to this method is as good as one of the program.
pub(super) fn is_as_good(method: &str) -> bool {
    method == "currentTime/read"
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
        let call = answer("item/tool/call").unwrap();
        assert!(call.contains(r#""success":false"#) && call.contains("resume_thread_with_tools"), "{call}");
        let time: Value = serde_json::from_str(&answer("currentTime/read").unwrap()).unwrap();
        assert!(time["currentTimeAt"].as_u64().unwrap() > 1_700_000_000);
    }

    #[test]
    fn an_unknown_question_is_refused_as_unknown_and_others_that_nobody_answers_as_such() {
        assert_eq!(default_answer("moon/landing").unwrap_err().code, METHOD_NOT_FOUND);
        assert_eq!(default_answer("item/tool/requestUserInput").unwrap_err().code, INTERNAL_ERROR);
    }

    #[test]
    fn every_refusal_names_what_the_program_can_set() {
        for (method, setting) in [
            ("moon/landing", "Client::set_server_request_handler"),
            ("account/chatgptAuthTokens/refresh", "Client::set_server_request_handler"),
            ("attestation/generate", "Client::set_server_request_handler"),
            ("item/tool/requestUserInput", "Client::set_user_input_handler"),
        ] {
            let message = default_answer(method).unwrap_err().message;
            assert!(message.contains(setting), "{message}");
        }
    }
}
