//! The server's configuration: what is sent to read and to write it.

use codex_blocking::{testing::ScriptedServer, *};
use serde_json::{Value, json};

/// A server that takes every write.
fn writable() -> ScriptedServer {
    let written = |_: &Value| {
        Ok(
            json!({ "status": "ok", "version": "sha256:1", "filePath": "/h/config.toml", "overriddenMetadata": null }),
        )
    };
    ScriptedServer::new()
        .on_request("config/value/write", written)
        .on_request("config/batchWrite", written)
        .on_request("configRequirements/read", |_| Ok(json!({ "requirements": null })))
}

/// The parameters of the last request.
fn last_sent(server: &ScriptedServer) -> Value {
    server.received().pop().unwrap()["params"].take()
}

#[test]
fn a_read_sends_what_was_set_and_never_null() {
    let server = writable();
    let client = server.client().unwrap();
    let config = client.read_config(ReadConfig::new()).unwrap();
    assert_eq!(config.config.model.as_deref(), Some("scripted"));
    assert_eq!(last_sent(&server), json!({}));
    client.read_config(ReadConfig::new().cwd("/w").include_layers(true)).unwrap();
    assert_eq!(last_sent(&server), json!({ "cwd": "/w", "includeLayers": true }));
    assert!(client.read_config_requirements().unwrap().requirements.is_none());
}

#[test]
fn a_value_is_upserted_unless_it_is_told_otherwise() {
    let server = writable();
    let client = server.client().unwrap();
    let written = client.write_config_value(WriteConfigValue::new("a.b", json!({ "c": 1 }))).unwrap();
    assert_eq!((written.version.as_str(), written.file_path.as_str()), ("sha256:1", "/h/config.toml"));
    assert_eq!(
        last_sent(&server),
        json!({ "keyPath": "a.b", "value": { "c": 1 }, "mergeStrategy": "upsert" })
    );
    let write = WriteConfigValue::new("a", ())
        .merge_strategy(MergeStrategy::Replace)
        .expected_version("sha256:0")
        .file_path("/h/config.toml");
    client.write_config_value(write).unwrap();
    assert_eq!(
        last_sent(&server),
        json!({ "keyPath": "a", "value": null, "mergeStrategy": "replace", "expectedVersion": "sha256:0",
            "filePath": "/h/config.toml" })
    );
}

#[test]
fn a_batch_is_sent_in_its_order() {
    let server = writable();
    let client = server.client().unwrap();
    let batch =
        BatchWriteConfig::new([ConfigEdit::replace("a", 1), ConfigEdit::upsert("b", "x")]).edit("c", true);
    client.batch_write_config(batch.clone()).unwrap();
    let edits = json!([
        { "keyPath": "a", "value": 1, "mergeStrategy": "replace" },
        { "keyPath": "b", "value": "x", "mergeStrategy": "upsert" },
        { "keyPath": "c", "value": true, "mergeStrategy": "upsert" },
    ]);
    assert_eq!(last_sent(&server), json!({ "edits": edits }));
    client.batch_write_config(batch.expected_version("v").file_path("/f").reload_user_config(true)).unwrap();
    assert_eq!(
        last_sent(&server),
        json!({ "edits": edits, "expectedVersion": "v", "filePath": "/f", "reloadUserConfig": true })
    );
}

#[test]
fn a_refused_write_tells_the_servers_reason() {
    // The scripted server knows no `data`; the code and the words are what it has.
    let server = ScriptedServer::new()
        .on_request("config/value/write", |_| Err((-32600, "version conflict".to_owned())));
    let refused = server.client().unwrap().write_config_value(WriteConfigValue::new("a", 1)).unwrap_err();
    let Error::Rpc { method, message, .. } = refused else { panic!("{refused:?}") };
    assert_eq!((method.as_str(), message.as_str()), ("config/value/write", "version conflict"));
}
