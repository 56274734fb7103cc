//! Encodes the client's messages: requests, notifications and responses, one JSON text each.
//!
//! Relies on serde_json. Invariant: a message contains no line break, since each line is a frame.

use serde::Serialize;
use serde_json::value::RawValue;

use super::RequestId;
use crate::error::{Error, Result};

/// `{id, method, params}`.
pub(crate) fn request(id: i64, method: &str, params: impl Serialize) -> Result<Vec<u8>> {
    let mut message = format!(r#"{{"id":{id},"method":"#).into_bytes();
    finish_call(&mut message, method, params)?;
    Ok(message)
}

/// `{method, params}`.
pub(crate) fn notification(method: &str, params: impl Serialize) -> Result<Vec<u8>> {
    let mut message = br#"{"method":"#.to_vec();
    finish_call(&mut message, method, params)?;
    Ok(message)
}

fn finish_call(message: &mut Vec<u8>, method: &str, params: impl Serialize) -> Result<()> {
    const PARAMS: &[u8] = br#","params":"#;
    let unfit = |source| {
        Error::invalid_because(format!("the parameters of {method} can't be serialized to JSON"), source)
    };
    serde_json::to_writer(&mut *message, method).map_err(unfit)?;
    let without_params = message.len();
    message.extend_from_slice(PARAMS);
    serde_json::to_writer(&mut *message, &params).map_err(unfit)?;
    // Omit empty parameters, `()` and null alike: every server accepts that form.
    if &message[without_params + PARAMS.len()..] == b"null" {
        message.truncate(without_params);
    }
    message.push(b'}');
    without_line_breaks(message);
    Ok(())
}

/// Raw JSON from the caller may span lines. Line breaks inside strings are always escaped, so those that
/// remain are white space.
fn without_line_breaks(message: &mut [u8]) {
    let mut from = 0;
    while let Some(at) = memchr::memchr2(b'\n', b'\r', &message[from..]) {
        from += at;
        message[from] = b' ';
    }
}

/// `{id, result}`.
pub(crate) fn answer(id: &RequestId, result: &RawValue) -> Vec<u8> {
    let mut message = match id {
        RequestId::Number(number) => format!(r#"{{"id":{number},"result":"#),
        RequestId::Text(text) => format!(r#"{{"id":{},"result":"#, quoted(text)),
    };
    message.push_str(result.get());
    message.push('}');
    let mut message = message.into_bytes();
    without_line_breaks(&mut message);
    message
}

/// `{error, id}`.
pub(crate) fn refusal(id: &RequestId, code: i64, reason: &str) -> Vec<u8> {
    let id = match id {
        RequestId::Number(number) => number.to_string(),
        RequestId::Text(text) => quoted(text),
    };
    format!(r#"{{"id":{id},"error":{{"code":{code},"message":{}}}}}"#, quoted(reason)).into_bytes()
}

/// Encodes a string as JSON.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn text(message: Vec<u8>) -> String {
        String::from_utf8(message).unwrap()
    }

    #[test]
    fn null_params_are_left_out_but_empty_ones_are_kept() {
        assert_eq!(text(request(1, "m", ()).unwrap()), r#"{"id":1,"method":"m"}"#);
        assert_eq!(text(request(1, "m", json!({})).unwrap()), r#"{"id":1,"method":"m","params":{}}"#);
        assert_eq!(text(notification("m", ()).unwrap()), r#"{"method":"m"}"#);
    }

    #[test]
    fn json_spread_over_lines_is_sent_on_one() {
        let raw = RawValue::from_string("{\r\n \"a\": \"x\\ny\"\n}".to_owned()).unwrap();
        let message = text(request(1, "m", &raw).unwrap());
        assert!(!message.contains(['\n', '\r']));
        let value: serde_json::Value = serde_json::from_str(&message).unwrap();
        assert_eq!(value["params"]["a"], "x\ny");
    }

    #[test]
    fn an_answer_repeats_the_id_with_its_type() {
        let raw = RawValue::from_string("{}".to_owned()).unwrap();
        assert_eq!(text(answer(&"1".into(), &raw)), r#"{"id":"1","result":{}}"#);
        assert_eq!(text(answer(&0.into(), &raw)), r#"{"id":0,"result":{}}"#);
        assert_eq!(
            text(refusal(&"\"".into(), -32601, "no")),
            r#"{"id":"\"","error":{"code":-32601,"message":"no"}}"#
        );
    }

    #[test]
    fn params_that_are_no_json_are_the_callers_mistake() {
        let bad = std::collections::HashMap::from([(vec![1u8], 1)]);
        assert!(matches!(request(1, "m", bad), Err(Error::InvalidInput { source: Some(_), .. })));
    }
}
