//! The account: who is signed in, and each way in which a sign-in ends.
//!
//! Relies on `support/memory.rs`. What the server does here was seen of the real one (`live/account.rs`).

use std::time::Duration;

use codex_blocking::{AccountKind, Client, Error, Login, PlanType};
use serde_json::{Value, json};

use crate::support::await_that;
use crate::support::memory::{PATIENCE, Server, served, spawn_with};

const KEY: &str = "sk-xyzzy-plugh";

/// Gives what the call gives while the server answers one request.
fn answered<T: Send + 'static>(
    client: &Client,
    server: &mut Server,
    call: impl FnOnce(Client) -> T + Send + 'static,
    method: &str,
    result: Value,
) -> (T, Value) {
    let calling = spawn_with(client, call);
    let request = server.expect(method);
    server.reply(&request, result);
    (calling.join().unwrap(), request)
}

/// A sign-in with a device code and this id.
fn device_code(client: &Client, server: &mut Server, id: &str) -> Login {
    let reply = json!({ "type": "chatgptDeviceCode", "loginId": id, "userCode": "ABCD-1234",
        "verificationUrl": "https://auth.test/device" });
    answered(client, server, |client| client.login_device_code(), "account/login/start", reply).0.unwrap()
}

fn complete(server: &mut Server, id: &str, error: Option<&str>) {
    let params =
        json!({ "loginId": id, "success": error.is_none(), "error": error, "onboardingEntrypoint": null });
    server.notify("account/login/completed", params);
}

/// The server's reason, and whether the client ended it.
#[track_caller]
fn failed(outcome: codex_blocking::Result<()>) -> (String, bool) {
    match outcome.unwrap_err() {
        Error::LoginFailed { message, was_cancelled, .. } => (message, was_cancelled),
        other => panic!("{other:?}"),
    }
}

#[test]
fn only_a_refresh_of_the_account_asks_for_new_tokens() {
    let (client, mut server) = served();
    let reply = json!({ "account": null, "requiresOpenaiAuth": true });
    let read = |client: Client| client.account();
    let (_, request) = answered(&client, &mut server, read, "account/read", reply.clone());
    assert_eq!(request["params"], json!({}));
    let refreshed = |client: Client| client.refresh_account();
    let (_, request) = answered(&client, &mut server, refreshed, "account/read", reply);
    assert_eq!(request["params"], json!({ "refreshToken": true }));
}

#[test]
fn the_account_tells_how_as_whom_and_with_which_plan() {
    let (client, mut server) = served();
    let account = |server: &mut Server, reply: Value| {
        answered(&client, server, |client| client.account(), "account/read", reply).0.unwrap()
    };
    let none = account(&mut server, json!({ "account": null, "requiresOpenaiAuth": true }));
    assert!(none.kind.is_none() && !none.is_ready());
    let other = account(&mut server, json!({ "account": null, "requiresOpenaiAuth": false }));
    assert!(other.kind.is_none() && other.is_ready());
    let key = account(&mut server, json!({ "account": { "type": "apiKey" }, "requiresOpenaiAuth": true }));
    assert_eq!((key.kind, key.email, key.plan), (Some(AccountKind::ApiKey), None, None));
    let chatgpt =
        json!({ "type": "chatgpt", "email": "me@example.com", "planType": "pro", "workspaceName": "W" });
    let reply = json!({ "account": chatgpt, "requiresOpenaiAuth": true, "userId": "user-1" });
    let chatgpt = account(&mut server, reply);
    let expected = json!({ "kind": "chatgpt", "email": "me@example.com", "plan": "pro", "workspace_name": "W",
        "user_id": "user-1", "requires_openai_auth": true });
    assert_eq!(serde_json::to_value(&chatgpt).unwrap(), expected);
    assert_eq!((chatgpt.kind, chatgpt.plan), (Some(AccountKind::Chatgpt), Some(PlanType::Pro)));
    let new = account(&mut server, json!({ "account": { "type": "moon" }, "requiresOpenaiAuth": true }));
    assert_eq!(new.kind, Some(AccountKind::Other("moon".to_owned())));
}

#[test]
fn an_api_key_goes_to_the_server_without_the_white_space_around_it() {
    let (client, mut server) = served();
    let key = format!(" {KEY}\n");
    let (outcome, request) = answered(
        &client,
        &mut server,
        move |client| client.login_api_key(&key),
        "account/login/start",
        json!({ "type": "apiKey" }),
    );
    outcome.unwrap();
    assert_eq!(request["params"], json!({ "type": "apiKey", "apiKey": KEY }));
}

#[test]
fn what_can_be_no_api_key_is_not_sent() {
    let (client, mut server) = served();
    for key in ["", " \n", "sk a", "sk-\u{1}", "sk-é"] {
        assert_eq!(client.login_api_key(key).unwrap_err().code(), "invalid_input", "{key:?}");
    }
    assert!(server.is_quiet());
}

#[test]
fn a_server_that_repeats_a_refused_api_key_does_not_make_it_show() {
    let (client, mut server) = served();
    let mut answer = |answer: &dyn Fn(&mut Server, &Value)| {
        let calling = spawn_with(&client, |client| client.login_api_key(KEY));
        let request = server.expect("account/login/start");
        answer(&mut server, &request);
        calling.join().unwrap().unwrap_err()
    };
    let refused = answer(&|server, request| {
        let error = json!({ "code": -32600, "message": format!("bad key {KEY}."), "data": { "key": KEY } });
        server.send(&json!({ "id": request["id"], "error": error }));
    });
    assert!(refused.to_string().contains("bad key [API key]."), "{refused}");
    let undecodable = answer(&|server, request| {
        server.send(&json!({ "id": request["id"], "error": { "code": KEY, "message": KEY } }));
    });
    for error in [refused, undecodable] {
        let shown = format!("{error} {error:?} {error:#?}");
        assert!(!shown.contains("xyzzy") && !shown.contains("plugh"), "{shown}");
    }
}

#[test]
fn a_login_in_a_browser_has_a_url_and_no_code() {
    let (client, mut server) = served();
    let reply =
        json!({ "type": "chatgpt", "loginId": "1", "authUrl": "https://auth.test/authorize?state=x" });
    let (login, request) =
        answered(&client, &mut server, |client| client.login_chatgpt(), "account/login/start", reply);
    let login = login.unwrap();
    assert_eq!(request["params"], json!({ "type": "chatgpt" }));
    assert_eq!(
        (login.url(), login.user_code(), login.login_id()),
        ("https://auth.test/authorize?state=x", None, "1")
    );
    assert!(!format!("{login:?}").contains("auth.test"), "{login:?}");
    complete(&mut server, "1", None);
    login.wait(PATIENCE).unwrap();
}

#[test]
fn a_login_with_a_device_code_ends_when_the_user_has_signed_in() {
    let (client, mut server) = served();
    let login = device_code(&client, &mut server, "1");
    assert_eq!((login.url(), login.user_code()), ("https://auth.test/device", Some("ABCD-1234")));
    assert!(!login.is_ended());
    let waiting = spawn_with(&login, |login| login.wait(None));
    complete(&mut server, "another", Some("not this one"));
    complete(&mut server, "1", None);
    waiting.join().unwrap().unwrap();
    // For whoever waits later, too; a second end changes nothing.
    complete(&mut server, "1", Some("late"));
    assert!(login.is_ended());
    login.wait(Duration::ZERO).unwrap();
    login.cancel().unwrap();
    assert!(server.is_quiet());
}

#[test]
fn a_login_that_fails_keeps_the_servers_words_and_says_what_to_do() {
    let (client, mut server) = served();
    let login = device_code(&client, &mut server, "1");
    complete(&mut server, "1", Some("device auth timed out after 15 minutes"));
    let error = login.wait(PATIENCE).unwrap_err();
    assert_eq!(error.code(), "login_failed");
    let shown = error.to_string();
    assert!(shown.contains("device auth timed out after 15 minutes"), "{shown}");
    assert!(shown.contains("login_device_code") && shown.contains("login_api_key"), "{shown}");
    assert!(!failed(login.wait(None)).1);
}

#[test]
fn a_login_whose_end_is_malformed_has_failed_all_the_same() {
    let (client, mut server) = served();
    for (id, rest) in
        [("1", ""), ("2", r#","success":"yes""#), ("3", r#","success":false,"error":{"a":1e999}"#)]
    {
        let login = device_code(&client, &mut server, id);
        server.send_text(&format!(
            r#"{{"method":"account/login/completed","params":{{"loginId":"{id}"{rest}}}}}"#
        ));
        assert_eq!(failed(login.wait(PATIENCE)), ("the server gives no reason".to_owned(), false));
    }
    let login = device_code(&client, &mut server, "4");
    complete(&mut server, "4", Some(&"é".repeat(1_000_000)));
    assert!(failed(login.wait(PATIENCE)).0.len() <= 16 * 1024);
}

#[test]
fn a_wait_that_takes_too_long_can_be_repeated() {
    let (client, mut server) = served();
    let login = device_code(&client, &mut server, "1");
    let error = login.wait(Duration::from_millis(1)).unwrap_err();
    assert!(error.is_timeout() && !error.is_retryable() && !login.is_ended(), "{error:?}");
    assert!(error.to_string().contains("wait again"), "{error}");
    complete(&mut server, "1", None);
    login.wait(PATIENCE).unwrap();
}

#[test]
fn a_wait_is_ended_by_a_cancellation_on_another_thread() {
    let (client, mut server) = served();
    let login = device_code(&client, &mut server, "1");
    let waiting = spawn_with(&login, |login| login.wait(None));
    let cancelling = spawn_with(&login, |login| login.cancel());
    let request = server.expect("account/login/cancel");
    assert_eq!(request["params"], json!({ "loginId": "1" }));
    server.reply(&request, json!({ "status": "canceled" }));
    complete(&mut server, "1", Some("Login was not completed"));
    cancelling.join().unwrap().unwrap();
    assert_eq!(failed(waiting.join().unwrap()), ("Login was not completed".to_owned(), true));
}

#[test]
fn a_cancellation_ends_a_wait_whatever_the_server_says_of_it() {
    for status in ["canceled", "notFound", "moon"] {
        let (client, mut server) = served();
        let login = device_code(&client, &mut server, "1");
        let waiting = spawn_with(&login, |login| login.wait(None));
        let reply = json!({ "status": status });
        let cancel = login.clone();
        answered(&client, &mut server, move |_| cancel.cancel(), "account/login/cancel", reply).0.unwrap();
        let (message, was_cancelled) = failed(waiting.join().unwrap());
        assert!(message.contains(status) && was_cancelled, "{message}");
    }
}

#[test]
fn a_cancellation_that_the_server_refuses_leaves_the_login() {
    let (client, mut server) = served();
    let login = device_code(&client, &mut server, "1");
    let cancelling = spawn_with(&login, |login| login.cancel());
    let request = server.expect("account/login/cancel");
    server.refuse(&request, -32600, "invalid login id: 1");
    assert!(matches!(cancelling.join().unwrap().unwrap_err(), Error::Rpc { .. }));
    assert!(!login.is_ended());
    complete(&mut server, "1", None);
    login.wait(PATIENCE).unwrap();
}

#[test]
fn a_second_login_ends_the_first_and_both_get_their_own_end() {
    let (client, mut server) = served();
    let first = device_code(&client, &mut server, "1");
    let starting = spawn_with(&client, |client| client.login_chatgpt());
    let request = server.expect("account/login/start");
    // The real server ends the first before it replies in a browser login, and after it for a device code.
    complete(&mut server, "1", Some("Login server error: Login cancelled"));
    server.reply(&request, json!({ "type": "chatgpt", "loginId": "2", "authUrl": "https://auth.test" }));
    let second = starting.join().unwrap().unwrap();
    assert_eq!(failed(first.wait(PATIENCE)), ("Login server error: Login cancelled".to_owned(), true));
    let third = device_code(&client, &mut server, "3");
    complete(&mut server, "2", Some("Login was not completed"));
    assert!(failed(second.wait(PATIENCE)).1);
    assert!(!third.is_ended());
    complete(&mut server, "3", None);
    third.wait(PATIENCE).unwrap();
}

#[test]
fn an_api_key_or_a_logout_ends_a_login() {
    for (method, reply) in
        [("account/login/start", json!({ "type": "apiKey" })), ("account/logout", json!({}))]
    {
        let (client, mut server) = served();
        let login = device_code(&client, &mut server, "1");
        let call = move |client: Client| match method {
            "account/logout" => client.logout(),
            _ => client.login_api_key(KEY),
        };
        answered(&client, &mut server, call, method, reply).0.unwrap();
        complete(&mut server, "1", Some("Login was not completed"));
        assert!(failed(login.wait(PATIENCE)).1, "{method}");
    }
}

#[test]
fn an_end_that_comes_before_the_reply_with_its_id_is_not_lost() {
    let (client, mut server) = served();
    let starting = spawn_with(&client, |client| client.login_device_code());
    let request = server.expect("account/login/start");
    for number in 0..100 {
        complete(&mut server, &format!("other {number}"), None);
    }
    complete(&mut server, "1", Some("no"));
    server.reply(
        &request,
        json!({ "type": "chatgptDeviceCode", "loginId": "1", "userCode": "A", "verificationUrl": "u" }),
    );
    let login = starting.join().unwrap().unwrap();
    assert_eq!(failed(login.wait(Duration::ZERO)), ("no".to_owned(), false));
}

#[test]
fn a_close_or_the_end_of_the_server_ends_a_wait() {
    let (client, mut server) = served();
    let login = device_code(&client, &mut server, "1");
    let waiting = spawn_with(&login, |login| login.wait(None));
    server.die();
    let error = waiting.join().unwrap().unwrap_err();
    assert_eq!(error.code(), "transport", "{error}");
    assert!(login.is_ended());
    let (client, mut server) = served();
    let login = device_code(&client, &mut server, "1");
    let waiting = spawn_with(&login, |login| login.wait(None));
    client.close().unwrap();
    assert_eq!(waiting.join().unwrap().unwrap_err().code(), "closed");
    assert_eq!(login.wait(None).unwrap_err().code(), "closed");
    login.cancel().unwrap();
}

#[test]
fn a_dropped_login_goes_on() {
    let (client, mut server) = served();
    drop(device_code(&client, &mut server, "1"));
    complete(&mut server, "1", None);
    let (outcome, _) = answered(&client, &mut server, |client| client.logout(), "account/logout", json!({}));
    outcome.unwrap();
}

#[test]
fn a_reply_that_starts_no_login_is_told_with_its_text() {
    let (client, mut server) = served();
    for reply in [json!({ "type": "apiKey" }), json!({ "type": "chatgpt" }), json!({})] {
        let (outcome, _) = answered(
            &client,
            &mut server,
            |client| client.login_chatgpt(),
            "account/login/start",
            reply.clone(),
        );
        let error = outcome.unwrap_err();
        assert_eq!(error.code(), "decode", "{error}");
        assert!(error.to_string().contains(&reply.to_string()), "{error}");
    }
}

#[test]
fn a_login_keeps_the_connection_open() {
    let (client, mut server) = served();
    let login = device_code(&client, &mut server, "1");
    drop(client);
    complete(&mut server, "1", None);
    await_that("the login has ended", || login.is_ended());
    login.wait(PATIENCE).unwrap();
}

#[test]
fn rate_limits_come_with_the_servers_json_or_say_what_is_missing() {
    let (client, mut server) = served();
    let window = json!({ "usedPercent": 40, "windowDurationMins": 300, "resetsAt": 1_800_000_000 });
    let reply = json!({ "rateLimits": { "primary": window, "moon": 1 } });
    let (limits, _) =
        answered(&client, &mut server, |client| client.rate_limits(), "account/rateLimits/read", reply);
    let limits = limits.unwrap();
    assert_eq!(limits.rate_limits.primary.as_ref().unwrap().used_percent, 40);
    assert!(limits.raw().contains("moon"));
    let asking = spawn_with(&client, |client| client.rate_limits());
    let request = server.expect("account/rateLimits/read");
    server.refuse(&request, -32600, "chatgpt authentication required to read rate limits");
    let error = asking.join().unwrap().unwrap_err().to_string();
    assert!(error.contains("chatgpt authentication required"), "{error}");
    assert!(error.contains("Client::login_chatgpt"), "{error}");
}
