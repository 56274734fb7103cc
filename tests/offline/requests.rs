//! Requests, the handshake, notifications and the end of a connection.

use std::{sync::Mutex, time::Duration};

use codex_blocking::{Client, Error, SERVER_VERSIONS, Stdio, ThreadConfig, Timeout, testing::ScriptedServer};
use serde_json::json;

use crate::support::memory::{PATIENCE, served, served_with, spawn, spawn_with};

#[test]
fn the_handshake_is_done_once_however_many_callers_race() {
    let server = ScriptedServer::new();
    let client = server.client().unwrap();
    let callers: Vec<_> = (0..20)
        .map(|number| {
            spawn_with(&client, move |client| match number % 2 {
                0 => client.initialize().map(drop),
                _ => client.request("config/read", json!({})).map(drop),
            })
        })
        .collect();
    for caller in callers {
        caller.join().unwrap().unwrap();
    }
    let count = |method: &str| server.received().iter().filter(|message| message["method"] == method).count();
    assert_eq!((count("initialize"), count("initialized"), count("config/read")), (1, 1, 10));
    assert_eq!(client.initialize().unwrap().server_version(), Some("0.169.0"));
}

#[test]
fn the_handshake_tells_who_we_are_and_opts_out_of_the_legacy_events() {
    let server = ScriptedServer::new();
    let client =
        Client::builder().client_info("me", "1").experimental_api(true).connect(server.clone()).unwrap();
    client
        .initialize_with(json!({ "clientInfo": { "title": "Me" }, "capabilities": { "extensions": {} } }))
        .unwrap();
    let sent = server.received()[0]["params"].clone();
    assert_eq!(sent["clientInfo"], json!({ "name": "me", "version": "1", "title": "Me" }));
    assert_eq!(sent["capabilities"]["experimentalApi"], true);
    assert_eq!(sent["capabilities"]["extensions"], json!({}));
    let opted_out = sent["capabilities"]["optOutNotificationMethods"].as_array().unwrap();
    assert!(opted_out.iter().all(|name| name.as_str().unwrap().starts_with("codex/event/")));
    assert!(!opted_out.is_empty());
}

#[test]
fn the_handshake_tells_a_title_if_there_is_one() {
    let server = ScriptedServer::new();
    let builder = Client::builder().client_info("me", "1");
    builder.clone().client_title("My Program").connect(server.clone()).unwrap().initialize().unwrap();
    builder.connect(server.clone()).unwrap().initialize().unwrap();
    let received = server.received();
    let told = received.iter().filter(|message| message["method"] == "initialize");
    let told: Vec<_> = told.map(|message| &message["params"]["clientInfo"]).collect();
    assert_eq!(*told[0], json!({ "name": "me", "version": "1", "title": "My Program" }));
    assert_eq!(*told[1], json!({ "name": "me", "version": "1" }));
}

#[test]
fn an_opt_out_list_of_the_caller_is_kept_as_it_is() {
    let server = ScriptedServer::new();
    let client = server.client().unwrap();
    client.initialize_with(json!({ "capabilities": { "optOutNotificationMethods": [] } })).unwrap();
    assert_eq!(server.received()[0]["params"]["capabilities"]["optOutNotificationMethods"], json!([]));
}

/// Keeps what is logged about versions.
struct Versions(Mutex<Vec<String>>);

impl log::Log for Versions {
    fn enabled(&self, metadata: &log::Metadata<'_>) -> bool {
        metadata.level() == log::Level::Warn
    }

    fn log(&self, record: &log::Record<'_>) {
        let text = record.args().to_string();
        if self.enabled(record.metadata()) && text.contains("this crate was tested with") {
            self.0.lock().unwrap().push(text);
        }
    }

    fn flush(&self) {}
}

#[test]
fn a_server_that_was_not_tested_is_logged_once_per_connection() {
    static LOGGED: Versions = Versions(Mutex::new(Vec::new()));
    log::set_logger(&LOGGED).unwrap();
    log::set_max_level(log::LevelFilter::Warn);
    for (version, is_tested) in [
        ("0.105.99", false),
        ("0.170.77-alpha.1", false),
        ("0.169.0-alpha.99", true),
        ("0.106.0-rc.99", true),
        ("unknown-99", true),
    ] {
        for _connection in 0..2 {
            let (client, mut server) = served();
            let caller = spawn(move || {
                client.initialize().unwrap();
                client.clone().initialize().unwrap();
                client.request("initialize", json!({})).unwrap();
            });
            let request = server.recv();
            server.reply(&request, json!({ "userAgent": format!("x/{version} (y)") }));
            caller.join().unwrap();
        }
        let logged: Vec<_> =
            LOGGED.0.lock().unwrap().iter().filter(|text| text.contains(version)).cloned().collect();
        assert_eq!(logged.len(), if is_tested { 0 } else { 2 }, "{version}: {logged:?}");
        assert!(
            logged.iter().all(|text| text.contains(SERVER_VERSIONS.0) && text.contains(SERVER_VERSIONS.1))
        );
    }
}

#[test]
fn a_handshake_that_failed_may_be_tried_again() {
    let (client, mut server) = served();
    for is_last in [false, true] {
        let caller = spawn_with(&client, |client| client.initialize());
        let request = server.recv();
        assert_eq!(request["method"], "initialize");
        match is_last {
            false => server.refuse(&request, -32600, "not today"),
            true => server.reply(&request, json!({ "userAgent": "x/1.2.3 (y)", "serverInfo": { "a": 1 } })),
        }
        assert_eq!(caller.join().unwrap().is_ok(), is_last);
    }
    assert_eq!(server.recv()["method"], "initialized");
    let result = client.initialize().unwrap();
    assert_eq!(
        (result.server_version(), result.server_info.clone()),
        (Some("1.2.3"), Some(json!({ "a": 1 })))
    );
    assert!(result.protocol_version.is_none() && result.capabilities.is_none());
}

#[test]
fn parameters_of_the_handshake_that_are_no_object_are_refused() {
    let (client, mut server) = served();
    assert!(matches!(client.initialize_with(json!([1])), Err(Error::InvalidInput { .. })));
    assert!(server.is_quiet());
}

#[test]
fn a_request_that_is_not_answered_ends_at_its_limit_and_its_late_reply_is_ignored() {
    let (client, mut server) = served();
    let limit = Duration::from_millis(50);
    let caller = spawn_with(&client, move |client| {
        client.request("initialize", ()).and_then(|_| client.request_with_timeout("slow", json!({}), limit))
    });
    let request = server.expect("slow");
    let error = caller.join().unwrap().unwrap_err();
    assert!(error.is_timeout() && !error.is_retryable());
    let Error::Timeout { limit: Timeout::Request { method, .. }, after, .. } = &error else {
        panic!("{error}")
    };
    assert_eq!((method.as_str(), *after), ("slow", limit));
    assert!(error.to_string().contains("slow"), "{error}");
    server.reply(&request, json!({}));
    assert_eq!((client.stats().pending_requests, client.stats().unmatched_replies), (0, 1));
}

#[test]
fn zero_and_huge_limits_work() {
    let server = ScriptedServer::new();
    let client = server.client().unwrap();
    for result in [
        client.request_with_timeout("config/read", json!({}), Duration::ZERO).err(),
        client.with_request_timeout(Duration::ZERO).initialize().err(),
        client.with_request_timeout(Duration::ZERO).chat("hello").err(),
    ] {
        assert!(matches!(result, Some(Error::Timeout { .. })), "{result:?}");
    }
    assert!(server.received().is_empty(), "nothing is sent that can't be waited for");
    client.request_with_timeout("config/read", json!({}), Duration::MAX).unwrap();
    client.with_request_timeout(None).request("config/read", json!({})).unwrap();
    let builder = Client::builder().request_timeout(Duration::MAX).inactivity_timeout(Duration::MAX);
    builder.connect(server.clone()).unwrap().chat_once("hello").unwrap();
    let hasty = Client::builder().inactivity_timeout(Duration::ZERO).connect(server).unwrap();
    // What has come already is read before the silence is looked at.
    let _ = hasty.chat_once("hello");
}

#[test]
fn a_clone_with_another_limit_shares_the_connection() {
    let (client, mut server) = served();
    let hasty = client.with_request_timeout(Duration::from_millis(20));
    assert!(hasty.request("x", ()).unwrap_err().is_timeout());
    assert_eq!(server.recv()["method"], "initialize");
    drop(client);
    let caller = spawn(move || hasty.with_request_timeout(PATIENCE).request("y", json!({})));
    let request = server.expect("y");
    server.reply(&request, json!(1));
    assert_eq!(caller.join().unwrap().unwrap(), 1);
}

#[test]
fn notifications_come_in_order_and_survive_a_sleeping_reader() {
    let (client, mut server) = served();
    let mut early = client.notifications();
    assert!(early.try_next().is_none() && !early.is_ended());
    for number in 0..70_000 {
        server.notify("x", json!({ "n": number }));
    }
    let dropped = client.stats().dropped_notifications;
    assert_eq!(dropped, 70_000 - 65_536);
    #[derive(serde::Deserialize)]
    struct Params {
        n: u64,
    }
    let first = early.next().unwrap();
    assert_eq!((first.method().as_ref(), first.params::<Params>().unwrap().n), ("x", dropped));
    let rest: Vec<u64> =
        std::iter::from_fn(|| early.try_next()).map(|one| one.params::<Params>().unwrap().n).collect();
    assert!(rest.iter().copied().eq(dropped + 1..70_000));
    assert!(first.params::<Vec<u8>>().is_err());
}

#[test]
fn a_notification_stream_wakes_for_one_and_ends_with_the_connection() {
    let (client, mut server) = served();
    let mut stream = client.notifications();
    assert!(stream.next_timeout(Duration::from_millis(10)).is_none());
    let reader = spawn(move || (stream.next().map(|one| one.raw().to_owned()), stream.next().is_none()));
    server.notify("x", json!({}));
    client.close().unwrap();
    let (first, is_over) = reader.join().unwrap();
    assert!(first.unwrap().contains(r#""method":"x""#) && is_over);
}

#[test]
fn close_fails_what_waits_and_what_comes_after_as_closed() {
    let (client, mut server) = served();
    let request = spawn_with(&client, |client| client.request("x", json!({})));
    server.expect("x");
    let chat = spawn_with(&client, |client| client.chat("hello").unwrap().finish());
    server.begin_turn();
    // The server's end must be let go of, or closing waits for it.
    let closing = spawn_with(&client, |client| client.close());
    assert!(matches!(request.join().unwrap(), Err(Error::Closed { .. })));
    assert!(matches!(chat.join().unwrap(), Err(Error::Closed { .. })));
    drop(server);
    closing.join().unwrap().unwrap();
    client.close().unwrap();
    assert!(matches!(client.request("x", ()), Err(Error::Closed { .. })));
    assert!(matches!(client.chat("hello"), Err(Error::Closed { .. })));
    assert!(matches!(client.start_thread(ThreadConfig::new()), Err(Error::Closed { .. })));
}

#[test]
fn a_weak_client_finds_the_client_while_it_lives() {
    let client = ScriptedServer::new().client().unwrap();
    let weak = client.downgrade();
    weak.upgrade().unwrap().initialize().unwrap();
    drop(client);
    assert!(weak.upgrade().is_none());
}

#[test]
fn parameters_that_are_no_json_are_refused_before_anything_is_sent() {
    let (client, mut server) = served_with(Client::builder());
    let caller = spawn_with(&client, |client| client.initialize());
    let request = server.recv();
    server.reply(&request, json!({}));
    caller.join().unwrap().unwrap();
    assert_eq!(server.recv()["method"], "initialized");
    let bad = std::collections::HashMap::from([(vec![1u8], 1)]);
    assert!(matches!(client.request("x", &bad), Err(Error::InvalidInput { .. })));
    assert!(matches!(client.notify("x", &bad), Err(Error::InvalidInput { .. })));
    assert!(server.is_quiet());
    assert_eq!(client.stats().pending_requests, 0);
}

#[test]
fn a_name_that_no_header_can_hold_is_refused() {
    let built = Client::builder().client_info("a\nb", "1").connect(ScriptedServer::new());
    assert!(matches!(built, Err(Error::InvalidInput { .. })));
}

#[test]
fn what_is_set_on_a_transport_does_not_show_secrets() {
    let shown = format!("{:?}", Stdio::command(["codex"]).env("API_KEY", "secret-value"));
    assert!(shown.contains("API_KEY") && !shown.contains("secret-value"), "{shown}");
}
