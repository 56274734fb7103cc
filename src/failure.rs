//! Why a turn failed, as data.
//!
//! Relies on `protocol`. Invariant: a reason that this version does not know is not transient.

use std::time::SystemTime;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::protocol::{CodexErrorInfo, wire::unix_seconds};

/// Why a turn failed, from [`Error::failure`](crate::Error::failure).
///
/// As JSON it has its fields as members; `kind` is the protocol's own (a string, or an object with one member), and
/// `resets_at` is in Unix seconds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TurnFailure {
    /// The server's `codexErrorInfo`. [`Other`](CodexErrorInfo::Other) if it gave none; one that this version does
    /// not know is [`Unknown`](CodexErrorInfo::Unknown).
    pub kind: CodexErrorInfo,
    /// The HTTP status of the model's server, if that is the reason and the server tells.
    pub http_status: Option<u16>,
    /// When the limit of the account resets that has ended the turn: of several limits that are used up, the last
    /// moment.
    ///
    /// Known only with a ChatGPT login, whose limits the server reports (`account/rateLimits/updated`; unless
    /// [`opt_out`](crate::ClientBuilder::opt_out) names it). Otherwise the time is in the message, if anywhere, for
    /// humans: without a date or a time zone.
    #[serde(with = "unix_seconds", default)]
    pub resets_at: Option<SystemTime>,
    /// Whether the reason may pass within seconds or minutes, although nothing is changed: the model is overloaded,
    /// its rate limit is exceeded (HTTP 429), its server has failed (5xx), or the connection to it. A usage limit is
    /// not transient: it lasts until `resets_at`.
    ///
    /// The server has already tried several times. A repeated turn may do work twice:
    /// [`is_retryable`](crate::Error::is_retryable) tells whether it does.
    pub is_transient: bool,
}

impl TurnFailure {
    pub(crate) fn new(info: Option<&Value>, resets_at: Option<SystemTime>) -> TurnFailure {
        let kind = info.and_then(|info| CodexErrorInfo::deserialize(info.clone()).ok());
        let kind = kind.unwrap_or(CodexErrorInfo::Other);
        let http_status = http_status(&kind);
        let is_transient = is_transient(&kind, http_status);
        TurnFailure { kind, http_status, resets_at, is_transient }
    }

    /// Whether a limit of the account may be the reason.
    pub(crate) fn is_limit(&self) -> bool {
        use CodexErrorInfo as Kind;
        matches!(self.kind, Kind::UsageLimitExceeded | Kind::RateLimitExceeded)
            || self.http_status == Some(429)
    }
}

fn http_status(kind: &CodexErrorInfo) -> Option<u16> {
    use CodexErrorInfo as Kind;
    match kind {
        Kind::HttpConnectionFailed(info) => info.http_status_code,
        Kind::ResponseStreamConnectionFailed(info) => info.http_status_code,
        Kind::ResponseStreamDisconnected(info) => info.http_status_code,
        Kind::ResponseTooManyFailedAttempts(info) => info.http_status_code,
        _ => None,
    }
}

fn is_transient(kind: &CodexErrorInfo, http_status: Option<u16>) -> bool {
    use CodexErrorInfo as Kind;
    match kind {
        Kind::RateLimitExceeded
        | Kind::FlexUnavailable
        | Kind::ServerOverloaded
        | Kind::PolicyCapacityUnavailable
        | Kind::InternalServerError => true,
        Kind::HttpConnectionFailed(_)
        | Kind::ResponseStreamConnectionFailed(_)
        | Kind::ResponseStreamDisconnected(_)
        | Kind::ResponseTooManyFailedAttempts(_) => {
            http_status.is_none_or(|status| matches!(status, 408 | 425 | 429 | 500..=599))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;

    use super::*;

    #[test]
    fn what_may_pass_is_transient_and_what_is_not_known_is_not() {
        for (info, http_status, is_transient) in [
            (json!("serverOverloaded"), None, true),
            (json!("rateLimitExceeded"), None, true),
            (json!("internalServerError"), None, true),
            (json!("flexUnavailable"), None, true),
            (json!("usageLimitExceeded"), None, false),
            (json!("contextWindowExceeded"), None, false),
            (json!("unauthorized"), None, false),
            (json!("other"), None, false),
            (json!("somethingNew"), None, false),
            (json!({ "somethingNew": { "httpStatusCode": 503 } }), None, false),
            (json!({ "httpConnectionFailed": { "httpStatusCode": 401 } }), Some(401), false),
            (json!({ "httpConnectionFailed": { "httpStatusCode": 503 } }), Some(503), true),
            (json!({ "httpConnectionFailed": { "httpStatusCode": null } }), None, true),
            (json!({ "responseTooManyFailedAttempts": { "httpStatusCode": 429 } }), Some(429), true),
            (json!({ "responseStreamDisconnected": { "httpStatusCode": null } }), None, true),
            (json!({ "activeTurnNotSteerable": { "turnKind": "review" } }), None, false),
            (json!(7), None, false),
        ] {
            let failure = TurnFailure::new(Some(&info), None);
            assert_eq!((failure.http_status, failure.is_transient), (http_status, is_transient), "{info}");
            // A field that is null is left out.
            let kind = serde_json::to_value(&failure).unwrap()["kind"].to_string();
            assert_eq!(kind, info.to_string().replace("\"httpStatusCode\":null", ""));
        }
        assert_eq!(TurnFailure::new(None, None).kind, CodexErrorInfo::Other);
    }

    #[test]
    fn it_is_plain_data_with_the_reset_in_unix_seconds() {
        let resets_at = SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(1_800_000_000));
        let failure = TurnFailure::new(Some(&json!("usageLimitExceeded")), resets_at);
        let json = serde_json::to_value(&failure).unwrap();
        let expected = json!({
            "kind": "usageLimitExceeded", "http_status": null, "resets_at": 1_800_000_000, "is_transient": false,
        });
        assert_eq!(json, expected);
        assert_eq!(serde_json::from_value::<TurnFailure>(json).unwrap(), failure);
    }
}
