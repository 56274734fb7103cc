//! What a program decides about the server that it starts: settings, home, variables, stderr.
//!
//! Relies on `support/real.rs`. Invariant: what the server has understood is read back from it.

use std::collections::BTreeMap;
use std::fs;

use codex_blocking::protocol::ConfigReadParams;
use codex_blocking::{Client, ClientBuilder, Error, ExecOptions, ReadConfig, Stdio, WebSocket};
use crossbeam_channel::unbounded;
use serde_json::{Value, json};

use crate::support::PATIENCE;
use crate::support::await_that;
use crate::support::cases::cases;
use crate::support::failure_of;
use crate::support::live::stdio;
use crate::support::real::{RealHome, is_old_server};

cases![
    settings_reach_the_server_as_they_are,
    a_setting_with_a_quoted_name_is_merged_with_the_file_and_with_earlier_settings,
    a_setting_of_a_wrong_type_ends_the_server_with_its_own_words,
    a_setting_that_the_server_does_not_know_is_told_in_its_own_words,
    the_users_mcp_servers_are_left_out_by_disabling_each,
    those_of_a_trusted_project_are_left_out_where_its_directory_is_asked_for,
    a_home_of_ones_own_with_the_users_sign_in_has_no_mcp_servers,
    the_server_has_the_variables_that_it_is_given,
    a_spawned_server_takes_the_same_and_others_connect_to_it,
];

fn server(home: &RealHome) -> Stdio {
    stdio(home, home.command())
}

/// What the server has taken from its command line.
fn settings_of(client: &Client) -> Value {
    let read = client.call(ConfigReadParams::new().include_layers(true)).unwrap();
    let read: Value = serde_json::from_str(read.raw()).unwrap();
    let layers = read["layers"].as_array().unwrap();
    layers
        .iter()
        .find(|layer| layer["name"]["type"] == "sessionFlags")
        .map_or(Value::Null, |it| it["config"].clone())
}

fn settings_reach_the_server_as_they_are() {
    if is_old_server() {
        return; // Its layers have other names.
    }
    let home = RealHome::new();
    let deep = (0..62).fold(json!(1), |value, _| json!([value]));
    let deep_table = (0..62).fold(json!(1), |value, level| match level % 2 {
        0 => json!({ "a b": value }),
        _ => json!([value]),
    });
    let values = [
        json!("plain"),
        json!(""),
        json!(
            "a \"quoted\" \\ 'text', with = and # and \n\r\t\u{0}\u{1}\u{8}\u{c}\u{1b}\u{7f}\u{85}\u{a0}é😀"
        ),
        json!("\"\"\"'''"),
        json!("true"),
        json!("1979-05-27T07:32:00Z"),
        json!("{a=1}"),
        json!("$HOME %PATH% `x` !"),
        json!(true),
        json!(0),
        json!(i64::MIN),
        json!(i64::MAX),
        json!(1.0),
        json!(-0.5),
        json!(1e300),
        json!(5e-324),
        json!(1.7976931348623157e308),
        json!(0.1),
        json!([]),
        json!({}),
        json!([1, "a", [2.5, []], { "b": [{ "c": true }] }]),
        json!({ "": 1, "a.b": 2, "c d": 3, "é": 4, "\"q\"": 5, "e=f": 6, "\n": 7, "1": 8, "-": { "x": { "y.z": [] } } }),
        deep,
        deep_table,
    ];
    let mut stdio = server(&home);
    for (number, value) in values.iter().enumerate() {
        stdio = stdio.config(format!("test.value{number}"), value);
    }
    let keys = [
        "keys.plain",
        "keys.a-b_C1.2",
        "keys.\"x.y\".z",
        "keys.'x.y'.\"a \\\"b\\\\\"",
        "keys.plain2",
        "keys./my/project.level",
    ];
    for (number, key) in keys.iter().enumerate() {
        stdio = stdio.config(*key, number);
    }
    let client = Client::connect(stdio).unwrap();
    let settings = settings_of(&client);
    for (number, value) in values.iter().enumerate() {
        assert_eq!(&settings["test"][format!("value{number}")], value);
    }
    let expected = json!({ "plain": 0, "a-b_C1": { "2": 1 }, "x.y": { "z": 2, "a \"b\\": 3 }, "plain2": 4,
        "/my/project": { "level": 5 } });
    assert_eq!(settings["keys"], expected);
}

/// With two of the user's MCP servers in its file, which say that they have been started.
fn home_with_mcp_servers() -> RealHome {
    let home = RealHome::new();
    let config = home.home().join("config.toml");
    let mut text = fs::read_to_string(&config).unwrap();
    for (name, mark) in [("plain", "started-a"), ("\"with.dot\"", "started-b")] {
        let mark = home.home().join(mark);
        let script = format!("touch '{}'; cat", mark.display());
        text += &format!("\n[mcp_servers.{name}]\ncommand = \"sh\"\nargs = [\"-c\", {}]\n", json!(script));
    }
    fs::write(&config, text).unwrap();
    home
}

/// The names of the MCP servers that are enabled.
fn mcp_servers(client: &Client) -> Vec<String> {
    let config: Value = serde_json::from_str(client.read_config(ReadConfig::new()).unwrap().raw()).unwrap();
    let servers = config["config"]["mcp_servers"].as_object().cloned().unwrap_or_default();
    let enabled = servers.into_iter().filter(|(_, server)| server["enabled"] != false);
    enabled.map(|(name, _)| name).collect()
}

fn a_setting_with_a_quoted_name_is_merged_with_the_file_and_with_earlier_settings() {
    if is_old_server() {
        return;
    }
    let home = home_with_mcp_servers();
    let stdio = server(&home)
        .config("mcp_servers.plain.enabled", false)
        .config("mcp_servers.\"with.dot\".enabled", false)
        .config("mcp_servers.\"with.dot\".tool_timeout_sec", 5.5);
    let client = Client::connect(stdio).unwrap();
    assert!(mcp_servers(&client).is_empty());
    let config: Value = serde_json::from_str(client.read_config(ReadConfig::new()).unwrap().raw()).unwrap();
    let server = &config["config"]["mcp_servers"]["with.dot"];
    assert_eq!((&server["command"], &server["tool_timeout_sec"]), (&json!("sh"), &json!(5.5)));
}

fn a_setting_of_a_wrong_type_ends_the_server_with_its_own_words() {
    let home = RealHome::new();
    let client = Client::connect(server(&home).config("model", 1)).unwrap();
    let error = client.initialize().unwrap_err();
    assert!(failure_of(&error).exit_status.is_some());
    assert!(error.to_string().contains("invalid type: integer `1`, expected a string"), "{error}");
}

fn a_setting_that_the_server_does_not_know_is_told_in_its_own_words() {
    if is_old_server() {
        return; // It says nothing.
    }
    let home = RealHome::new();
    let (tell, told) = unbounded();
    let typo = |stdio: Stdio| stdio.config("modle", "x");
    let client =
        Client::connect(typo(server(&home)).on_stderr(move |line| drop(tell.send(line.to_owned())))).unwrap();
    client.initialize().unwrap();
    let mut lines = std::iter::from_fn(|| told.recv_timeout(PATIENCE).ok());
    assert!(lines.any(|line| line.contains("`modle` is ignored")));
    let command = [home.command(), vec!["--strict-config".to_owned()]].concat();
    let client = Client::connect(typo(stdio(&home, command))).unwrap();
    let error = client.initialize().unwrap_err();
    assert!(error.to_string().contains("unknown configuration field `modle`"), "{error}");
}

fn started(home: &RealHome) -> Vec<&'static str> {
    ["started-a", "started-b"].into_iter().filter(|mark| home.home().join(mark).exists()).collect()
}

fn the_users_mcp_servers_are_left_out_by_disabling_each() {
    if is_old_server() {
        return;
    }
    let home = home_with_mcp_servers();
    let client = Client::connect(server(&home)).unwrap();
    let names = mcp_servers(&client);
    assert_eq!(names, ["plain", "with.dot"]);
    client.close().unwrap();
    let disabled: BTreeMap<_, _> = names.iter().map(|name| (name, json!({ "enabled": false }))).collect();
    let client = Client::connect(server(&home).config("mcp_servers", disabled)).unwrap();
    assert!(mcp_servers(&client).is_empty());
    assert_eq!(client.chat_once("hello").unwrap().final_text, "echo: hello");
    client.close().unwrap();
    assert!(started(&home).is_empty());
    // To see that the marks would show them. What the page of the guide warns of is seen here, too.
    let client = Client::connect(server(&home).config("mcp_servers", json!({}))).unwrap();
    let _thread = client.start_thread(codex_blocking::ThreadConfig::new()).unwrap();
    await_that("both servers have been started", || started(&home).len() == 2);
    client.close().unwrap();
    let client = Client::connect(server(&home).config("mcp_servers.other.enabled", false)).unwrap();
    let error = client.initialize().unwrap_err();
    assert!(error.to_string().contains("mcp_servers.other"), "{error}");
}

fn those_of_a_trusted_project_are_left_out_where_its_directory_is_asked_for() {
    if is_old_server() {
        return;
    }
    let home = home_with_mcp_servers();
    let project = home.workspace();
    let mark = home.home().join("started-project");
    let script = format!("touch '{}'; cat", mark.display());
    fs::create_dir_all(project.join(".codex")).unwrap();
    let entry = format!("[mcp_servers.project]\ncommand = \"sh\"\nargs = [\"-c\", {}]\n", json!(script));
    fs::write(project.join(".codex/config.toml"), entry).unwrap();
    let config = home.home().join("config.toml");
    let trusted = format!("\n[projects.{}]\ntrust_level = \"trusted\"\n", json!(project));
    fs::write(&config, fs::read_to_string(&config).unwrap() + &trusted).unwrap();
    let start = |stdio: Stdio| {
        let client = Client::connect(stdio.cwd(&project)).unwrap();
        assert_eq!(client.chat_once("hello").unwrap().final_text, "echo: hello");
        client.close().unwrap();
    };
    let client = Client::connect(server(&home)).unwrap();
    assert_eq!(mcp_servers(&client), ["plain", "with.dot"]);
    let read = client.read_config(ReadConfig::new().cwd(project.to_str().unwrap())).unwrap();
    let read: Value = serde_json::from_str(read.raw()).unwrap();
    client.close().unwrap();
    let names = read["config"]["mcp_servers"].as_object().unwrap().keys();
    let disabled: BTreeMap<_, _> = names.map(|name| (name, json!({ "enabled": false }))).collect();
    assert_eq!(disabled.len(), 3);
    start(server(&home).config("mcp_servers", disabled));
    assert!(started(&home).is_empty() && !mark.exists());
    // To see that the mark would show it.
    start(server(&home));
    await_that("the project's server has been started", || mark.exists());
}

fn a_home_of_ones_own_with_the_users_sign_in_has_no_mcp_servers() {
    let (users, own) = (home_with_mcp_servers(), RealHome::new());
    let signing_in = Client::connect(server(&users)).unwrap();
    signing_in.login_api_key("sk-test-1").unwrap();
    signing_in.close().unwrap();
    fs::copy(users.home().join("auth.json"), own.home().join("auth.json")).unwrap();
    // The variable says the user's.
    let stdio =
        server(&users).codex_home(own.home()).config("model_providers.mock.requires_openai_auth", true);
    let client = Client::connect(stdio).unwrap();
    assert!(mcp_servers(&client).is_empty());
    assert!(client.account().unwrap().is_ready());
    if !is_old_server() {
        assert_eq!(client.initialize().unwrap().raw["codexHome"], own.home().to_str().unwrap());
    }
    assert_eq!(client.chat_once("hello").unwrap().final_text, "echo: hello");
}

fn the_server_has_the_variables_that_it_is_given() {
    if cfg!(windows) {
        return; // The command is one of Unix.
    }
    let home = RealHome::new();
    let variables = |stdio: Stdio| {
        let client = Client::connect(stdio).unwrap();
        let sandbox = codex_blocking::SandboxPolicy::DangerFullAccess;
        let reply =
            client.exec_command(["/usr/bin/env"], ExecOptions::new().sandbox_policy(sandbox)).unwrap();
        reply.stdout.lines().map(str::to_owned).collect::<Vec<_>>()
    };
    let has =
        |variables: &[String], name: &str| variables.iter().any(|line| line.starts_with(&format!("{name}=")));
    let inherited = variables(server(&home).env("CODEX_BLOCKING_TEST", "1"));
    assert!(has(&inherited, "CARGO_MANIFEST_DIR") && has(&inherited, "CODEX_BLOCKING_TEST"), "{inherited:?}");
    let removed = variables(
        server(&home)
            .env("CODEX_BLOCKING_TEST", "1")
            .env_remove("CODEX_BLOCKING_TEST")
            .env_remove("CARGO_MANIFEST_DIR"),
    );
    assert!(!has(&removed, "CARGO_MANIFEST_DIR") && !has(&removed, "CODEX_BLOCKING_TEST"), "{removed:?}");
    let cleared =
        variables(server(&home).env_clear().codex_home(home.home()).env("CODEX_BLOCKING_TEST", "2"));
    assert!(!has(&cleared, "CARGO_MANIFEST_DIR") && !has(&cleared, "HOME"), "{cleared:?}");
    assert!(cleared.contains(&"CODEX_BLOCKING_TEST=2".to_owned()), "{cleared:?}");
}

fn a_spawned_server_takes_the_same_and_others_connect_to_it() {
    let home = RealHome::new();
    let command = [home.command(), ["--listen", "ws://127.0.0.1:0"].map(str::to_owned).to_vec()].concat();
    let (tell, told) = unbounded();
    let stdio = stdio(&home, command)
        .config("model", "another-model")
        .on_stderr(move |line| drop(tell.send(line.to_owned())));
    let client = Client::connect(WebSocket::spawn(stdio)).unwrap();
    let url = client.server_url().unwrap().to_owned();
    assert!(url.starts_with("ws://127.0.0.1:") && !url.ends_with(":0"), "{url}");
    assert!(client.server_pid().is_some());
    let other: ClientBuilder = Client::builder().client_info("other", "1.0.0");
    let other = other.connect(WebSocket::new(&*url)).unwrap();
    assert_eq!((other.server_url(), other.server_pid()), (Some(&*url), None));
    let config = other.read_config(ReadConfig::new()).unwrap();
    assert_eq!(config.config.model.as_deref(), Some("another-model"));
    let mut lines = std::iter::from_fn(|| told.recv_timeout(PATIENCE).ok());
    assert!(lines.any(|line| line.contains(&url)));
    client.close().unwrap();
    assert!(matches!(other.request("model/list", json!({})), Err(Error::Transport { .. })));
    assert!(client.server_pid().is_none());
}
