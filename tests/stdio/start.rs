//! Which program is started, where, and what is told when it can't be.
//!
//! Relies on `harness`. Invariant: the environment of this process is never changed.

use std::{
    fs,
    path::{Component, Path, PathBuf},
    time::Duration,
};

use codex_blocking::{Client, Error, Stdio, Timeout};
use serde_json::json;

use crate::harness::{connect, folder, server};
use crate::support::cases::cases;
use crate::support::failure_of;

cases![
    a_command_that_does_not_exist_is_an_error_that_lists_what_was_tried,
    a_path_that_does_not_exist_is_named_whole,
    #[cfg(unix)]
    a_file_that_may_not_be_executed_is_no_program,
    a_file_that_the_system_can_not_run_is_a_transport_error_with_its_cause,
    an_empty_command_is_the_callers_mistake,
    an_empty_program_name_is_the_callers_mistake,
    a_working_directory_that_does_not_exist_is_named,
    the_working_directory_reaches_the_child,
    variables_reach_the_child_beside_those_of_this_process,
    the_last_of_two_values_of_a_variable_wins,
    the_later_of_setting_removing_and_clearing_variables_wins,
    a_program_is_searched_for_with_the_variables_that_its_process_has,
    a_home_reaches_the_child_whatever_becomes_of_the_other_variables,
    settings_are_appended_to_the_command_line,
    a_setting_that_can_not_be_given_is_an_error_before_anything_is_started,
    the_process_id_is_that_of_the_child_while_it_runs,
    arguments_reach_the_child_as_they_are,
    a_relative_program_is_meant_from_here_though_the_child_runs_elsewhere,
    a_connect_limit_of_zero_has_passed_at_once,
    a_transport_can_connect_again_and_again,
    the_environment_stays_out_of_debug,
    what_no_process_can_be_given_is_invalid,
];

fn refused(stdio: Stdio) -> Error {
    Client::connect(stdio).unwrap_err()
}

fn a_command_that_does_not_exist_is_an_error_that_lists_what_was_tried() {
    let folders = ["/nowhere/a", "/nowhere/b"].map(|folder| std::path::absolute(folder).unwrap());
    let path = std::env::join_paths(&folders).unwrap();
    let error = refused(Stdio::command(["no-such-server"]).env("PATH", path));
    let failure = failure_of(&error);
    for tried in folders.map(|folder| folder.join("no-such-server")) {
        assert!(failure.message.contains(tried.to_str().unwrap()), "{error}");
    }
    assert!(failure.before_connect && !error.is_retryable(), "it would never end: {error:?}");
    assert_eq!(error.code(), "transport");
}

fn a_path_that_does_not_exist_is_named_whole() {
    let error = refused(Stdio::command(["./no/such/server"]));
    let whole = std::env::current_dir().unwrap().join(Path::new("no").join("such").join("server"));
    assert!(failure_of(&error).message.contains(whole.to_str().unwrap()), "{error}");
}

#[cfg(unix)]
fn a_file_that_may_not_be_executed_is_no_program() {
    let file = folder("not-executable").join("server");
    fs::write(&file, "#!/bin/sh\n").unwrap();
    let error = refused(Stdio::command([&file]));
    assert!(failure_of(&error).message.contains(file.to_str().unwrap()), "{error}");
    assert!(!error.is_retryable(), "{error:?}");
}

fn a_file_that_the_system_can_not_run_is_a_transport_error_with_its_cause() {
    let file = folder("no-interpreter").join("server.exe");
    fs::write(&file, "#!/no/such/interpreter\n").unwrap();
    #[cfg(unix)]
    fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let error = refused(Stdio::command([&file]));
    assert!(failure_of(&error).before_connect && !error.is_retryable(), "{error:?}");
    assert!(error.to_string().contains(file.to_str().unwrap()), "{error}");
    let cause = failure_of(&error).source.as_ref().unwrap();
    assert!(cause.is::<std::io::Error>(), "{error:?}");
    assert_eq!(std::error::Error::source(&error).unwrap().to_string(), cause.to_string());
}

fn an_empty_command_is_the_callers_mistake() {
    let error = refused(Stdio::command(Vec::<String>::new()));
    assert!(matches!(error, Error::InvalidInput { .. }), "{error:?}");
}

fn an_empty_program_name_is_the_callers_mistake() {
    let error = refused(Stdio::command(["", "app-server"]));
    assert!(matches!(error, Error::InvalidInput { .. }), "{error:?}");
}

fn a_working_directory_that_does_not_exist_is_named() {
    let error = refused(server("plain").cwd("/no/such/folder"));
    assert!(failure_of(&error).message.contains("/no/such/folder"), "{error}");
    assert!(!error.is_retryable(), "{error:?}");
}

fn the_working_directory_reaches_the_child() {
    let folder = folder("cwd");
    let client = connect(server("plain").cwd(&folder));
    assert_eq!(client.request("cwd", ()).unwrap(), json!(folder.to_str()));
}

fn variables_reach_the_child_beside_those_of_this_process() {
    let client = connect(server("plain").env("CODEX_BLOCKING_TEST", "a = 'b'"));
    let variable = |name: &str| client.request("env", json!({ "name": name })).unwrap();
    assert_eq!(variable("CODEX_BLOCKING_TEST"), "a = 'b'");
    assert_eq!(variable("PATH"), json!(std::env::var("PATH").unwrap()));
}

fn the_last_of_two_values_of_a_variable_wins() {
    let client = connect(server("plain").env("CODEX_BLOCKING_TEST", "1").env("CODEX_BLOCKING_TEST", "2"));
    assert_eq!(client.request("env", json!({ "name": "CODEX_BLOCKING_TEST" })).unwrap(), "2");
}

fn the_later_of_setting_removing_and_clearing_variables_wins() {
    let name = "CODEX_BLOCKING_TEST";
    for (stdio, expected) in [
        (server("plain").env(name, "1").env_remove(name), json!(null)),
        (server("plain").env_remove(name).env(name, "2"), json!("2")),
        (server("plain").env(name, "1").env_clear(), json!(null)),
        (server("plain").env_clear().env(name, "2"), json!("2")),
        (server("plain").env(name, "1").env_clear().env(name, "2").env_remove(name), json!(null)),
    ] {
        let client = connect(stdio);
        assert_eq!(client.request("env", json!({ "name": name })).unwrap(), expected);
    }
    let path = |stdio: Stdio| connect(stdio).request("env", json!({ "name": "PATH" })).unwrap();
    assert_eq!(path(server("plain").env_remove("PATH")), json!(null));
    assert_eq!(path(server("plain").env_clear()), json!(null));
    assert_eq!(path(server("plain").env_clear().env("PATH", "/bin")), json!("/bin"));
}

fn a_program_is_searched_for_with_the_variables_that_its_process_has() {
    let exe = std::env::current_exe().unwrap();
    let (folder, name) = (exe.parent().unwrap(), exe.file_name().unwrap());
    let here = || Stdio::command([name, "--serve".as_ref(), "plain".as_ref()]);
    assert_eq!(connect(here().env_clear().env("PATH", folder)).request("echo", json!(1)).unwrap(), 1);
    for stdio in [here().env("PATH", folder).env_remove("PATH"), here().env("PATH", folder).env_clear()] {
        let error = refused(stdio);
        assert!(failure_of(&error).message.contains("PATH has no directories"), "{error}");
    }
}

fn a_home_reaches_the_child_whatever_becomes_of_the_other_variables() {
    let home = |stdio: Stdio| connect(stdio).request("env", json!({ "name": "CODEX_HOME" })).unwrap();
    let absolute = std::path::absolute("a/home").unwrap();
    for stdio in [
        server("plain").codex_home("a/home"),
        server("plain").env("CODEX_HOME", "another").codex_home("a/home"),
        server("plain").codex_home("a/home").env_clear(),
        server("plain").codex_home("a/home").env_remove("CODEX_HOME").cwd(std::env::temp_dir()),
    ] {
        assert_eq!(home(stdio), json!(absolute));
    }
}

fn settings_are_appended_to_the_command_line() {
    let stdio = server("plain")
        .config("model", "a \"b\"")
        .config("features.x", true)
        .config("mcp_servers.\"a.b\".args", ["--quiet"]);
    let arguments = connect(stdio).request("arguments", ()).unwrap();
    let expected = json!([
        "--serve",
        "plain",
        "-c",
        "model=\"a \\\"b\\\"\"",
        "-c",
        "features.x=true",
        "-c",
        "mcp_servers={\"a.b\"={args=[\"--quiet\"]}}"
    ]);
    assert_eq!(arguments, expected);
}

fn a_setting_that_can_not_be_given_is_an_error_before_anything_is_started() {
    struct Broken;
    impl serde::Serialize for Broken {
        fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            Err(serde::ser::Error::custom("it is broken"))
        }
    }
    let none = Stdio::command(["/no/such/server"]);
    for (stdio, why) in [
        (none.clone().config("", 1), "empty"),
        (none.clone().config("a=b", 1), "`=`"),
        (none.clone().config("a", ()), "null"),
        (none.clone().config("a", Some(vec![None::<u8>])), "null"),
        (none.clone().config("\"a.b\"", 1), "first name"),
        (none.clone().config("a", Broken), "can't be serialized"),
    ] {
        let error = refused(stdio);
        assert!(matches!(error, Error::InvalidInput { .. }) && error.to_string().contains(why), "{error}");
    }
}

fn the_process_id_is_that_of_the_child_while_it_runs() {
    let client = connect(server("plain"));
    assert_eq!(json!(client.server_pid().unwrap()), client.request("pid", ()).unwrap());
    assert_eq!(client.server_url(), None);
    client.close().unwrap();
    assert_eq!(client.server_pid(), None);
}

fn arguments_reach_the_child_as_they_are() {
    let exe = std::env::current_exe().unwrap();
    let words = ["--serve", "plain", "", "a b", "$HOME", "*", "\"'\\", "é"];
    let argv = [exe.as_os_str()].into_iter().chain(words.iter().map(std::ffi::OsStr::new));
    let client = connect(Stdio::command(argv));
    assert_eq!(client.request("arguments", ()).unwrap(), json!(words));
}

fn a_relative_program_is_meant_from_here_though_the_child_runs_elsewhere() {
    let here = std::env::current_dir().unwrap();
    let exe = std::env::current_exe().unwrap();
    // On Windows both are on one drive.
    let below = |path: &Path| {
        path.components().filter(|part| matches!(part, Component::Normal(_))).collect::<PathBuf>()
    };
    let relative = below(&here).components().map(|_| "..").collect::<PathBuf>().join(below(&exe));
    assert!(relative.is_relative() && relative.exists(), "{relative:?}");

    let elsewhere = ["and", "deeper", "by", "many", "levels", "than", "here", "is", "sure", "to", "be"]
        .iter()
        .fold(folder("elsewhere"), |folder, level| folder.join(level));
    fs::create_dir_all(&elsewhere).unwrap();
    let argv = [relative, "--serve".into(), "plain".into()];
    let client = connect(Stdio::command(argv).cwd(&elsewhere));
    assert_eq!(client.request("cwd", ()).unwrap(), json!(elsewhere.to_str()));
}

fn a_connect_limit_of_zero_has_passed_at_once() {
    let error = refused(server("plain").connect_timeout(Duration::ZERO));
    assert!(
        matches!(error, Error::Timeout { limit: Timeout::Connect, after: Duration::ZERO, .. }),
        "{error:?}"
    );
    assert!(error.is_timeout() && error.is_retryable(), "{error:?}");
}

fn a_transport_can_connect_again_and_again() {
    let stdio = server("plain");
    let pids: Vec<_> = (0..3).map(|_| connect(stdio.clone()).request("pid", ()).unwrap()).collect();
    assert!(pids[0] != pids[1] && pids[1] != pids[2], "{pids:?}");
}

fn the_environment_stays_out_of_debug() {
    let shown = format!("{:?}", server("plain").env("OPENAI_API_KEY", "sk-secret"));
    assert!(shown.contains("OPENAI_API_KEY") && !shown.contains("sk-secret"), "{shown}");
}

fn what_no_process_can_be_given_is_invalid() {
    for stdio in [
        server("plain").env("A\0", "x"),
        server("plain").env("A", "x\0"),
        server("plain").env("A=B", "x"),
        server("plain").env("", "x"),
        server("plain").codex_home("x\0"),
        Stdio::command(["codex", "x\0"]),
    ] {
        assert_eq!(Client::connect(stdio).unwrap_err().code(), "invalid_input");
    }
}
