//! The input of turns: images and other files that it names.

use std::{
    fs,
    path::{Component, Path, PathBuf},
};

use codex_blocking::{
    Chat, ChatRequest, Client, Error, Input, InputItem, protocol::LocalAudioUserInput,
    protocol::LocalImageUserInput, testing::ScriptedServer,
};
use serde_json::{Value, json};

use crate::support::memory::{Server, chatting, served, thread};

/// The smallest beginning that each kind of image is known by.
const IMAGES: [&[u8]; 5] =
    [b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0", b"GIF87a", b"GIF89a", b"RIFF\x1a\0\0\0WEBPVP8 "];

/// The absolute path of a file that doesn't exist.
fn missing(name: &str) -> String {
    std::path::absolute(Path::new("/no/such").join(name)).unwrap().into_os_string().into_string().unwrap()
}

/// A folder of the test's own.
fn folder() -> PathBuf {
    // A program that is run under another system has a path of that one here, which is not absolute to it.
    let folder = std::path::absolute(Path::new(env!("CARGO_TARGET_TMPDIR")).join("input")).unwrap();
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// A file of the test's own with this content.
fn file(name: &str, content: &[u8]) -> PathBuf {
    let path = folder().join(name);
    fs::write(&path, content).unwrap();
    path
}

fn invalid<T: std::fmt::Debug>(result: Result<T, Error>) -> String {
    match result {
        Err(error @ Error::InvalidInput { .. }) => error.to_string(),
        other => panic!("{other:?}"),
    }
}

/// The input that a client sends with `turn/start`.
fn sent(input: impl Into<Input>) -> Value {
    let server = ScriptedServer::new();
    server.client().unwrap().chat_once(ChatRequest::new(input)).unwrap();
    let received = server.received();
    let start = received.iter().find(|message| message["method"] == "turn/start").unwrap();
    start["params"]["input"].clone()
}

/// That each way for an input to reach a turn rejects this one before anything is sent, with the path.
fn is_rejected(client: &Client, server: &mut Server, chat: &Chat, item: &InputItem, path: &str) {
    let handle = chat.handle();
    for error in [
        invalid(client.chat_once(item.clone())),
        invalid(client.chat(vec![InputItem::text("look"), item.clone()])),
        invalid(client.chat_events(item.clone())),
        invalid(client.chat_json::<Value>(item.clone(), json!({}))),
        invalid(client.steer_turn("t", "u", item.clone())),
        invalid(chat.steer(item.clone())),
        invalid(handle.steer([item.clone()])),
    ] {
        assert!(error.contains(path), "{error} does not name {path}");
    }
    assert!(server.is_quiet());
}

#[test]
fn a_local_image_that_can_not_be_used_is_refused_on_every_way_before_anything_is_sent() {
    let (client, mut server) = served();
    let chat = chatting(&client, &mut server);
    let text = file("text.png", b"hello");
    let empty = file("empty.png", b"");
    let bitmap = file("bitmap.bmp", b"BM\x3a\0\0\0");
    let wave = file("wave.webp", b"RIFF\x1a\0\0\0WAVEfmt ");
    for path in ["", "no-such.png", "file\0.png"]
        .map(str::to_owned)
        .into_iter()
        .chain([missing("x.png"), folder().into_os_string().into_string().unwrap()])
        .chain([text, empty, bitmap, wave].map(|path| path.into_os_string().into_string().unwrap()))
    {
        is_rejected(&client, &mut server, &chat, &InputItem::local_image(&path), &path);
        let by_hand = InputItem::from(LocalImageUserInput::new(&path));
        is_rejected(&client, &mut server, &chat, &by_hand, &path);
        let from_json = serde_json::from_value(json!({ "type": "localImage", "path": path })).unwrap();
        is_rejected(&client, &mut server, &chat, &from_json, &path);
    }
    let audio = missing("x.wav");
    is_rejected(&client, &mut server, &chat, &LocalAudioUserInput::new(&audio).into(), &audio);
}

#[test]
fn a_thread_rejects_an_image_that_is_missing_before_anything_is_sent() {
    let (client, mut server) = served();
    let thread = thread(&client, &mut server);
    let path = missing("x.png");
    let error = invalid(thread.chat_once(InputItem::local_image(&path)));
    assert!(error.contains(&path), "{error}");
    assert!(server.is_quiet());
}

#[test]
fn each_kind_of_image_that_the_server_decodes_is_accepted_whatever_its_name() {
    for (number, image) in IMAGES.iter().enumerate() {
        let path = file(&format!("image-{number}.txt"), image);
        let input = sent(InputItem::local_image(&path));
        assert_eq!(input, json!([{ "type": "localImage", "path": path }]));
    }
}

#[test]
fn a_relative_path_is_sent_as_that_of_this_programs_folder() {
    let here = std::env::current_dir().unwrap();
    let image = file("relative.png", IMAGES[0]);
    // On Windows both are on one drive.
    let below = |path: &Path| {
        path.components().filter(|part| matches!(part, Component::Normal(_))).collect::<PathBuf>()
    };
    let relative = below(&here).components().map(|_| "..").collect::<PathBuf>().join(below(&image));
    for item in
        [InputItem::local_image(&relative), LocalImageUserInput::new(relative.to_str().unwrap()).into()]
    {
        let input = sent(item);
        let path = Path::new(input[0]["path"].as_str().unwrap());
        assert!(path.is_absolute(), "{path:?}");
        assert_eq!(fs::read(path).unwrap(), IMAGES[0]);
    }
}

#[test]
fn a_path_of_the_servers_machine_is_sent_unchanged_and_unchecked() {
    for path in ["/there/x.png", "x.png", "C:\\x.png"] {
        let input = sent(InputItem::remote_image_path(path));
        assert_eq!(input, json!([{ "type": "localImage", "path": path }]));
    }
}

#[cfg(unix)]
mod unix {
    use std::{ffi::OsStr, os::unix::ffi::OsStrExt, os::unix::fs::symlink};

    use super::*;

    #[test]
    fn links_are_followed_and_pipes_and_devices_are_not_opened() {
        let (client, _server) = served();
        let image = file("linked.png", IMAGES[0]);
        let fresh = |name: &str| {
            let path = image.with_file_name(name);
            let _ = fs::remove_file(&path);
            path
        };
        let link = fresh("link");
        symlink(&image, &link).unwrap();
        let input = sent(InputItem::local_image(&link));
        assert_eq!(input[0]["path"], link.to_str().unwrap());

        let (dangling, round, pipe) = (fresh("dangling"), fresh("round"), fresh("pipe"));
        symlink("/no/such.png", &dangling).unwrap();
        symlink(&round, &round).unwrap();
        // A pipe that nobody writes to blocks whoever opens it.
        let made = std::process::Command::new("mkfifo").arg(&pipe).status().unwrap();
        assert!(made.success());
        for path in [&dangling, &round, &pipe, Path::new("/dev/zero")] {
            let error = invalid(client.chat_once(InputItem::local_image(path)));
            assert!(error.contains(path.to_str().unwrap()), "{error}");
        }
    }

    #[test]
    fn a_path_that_is_not_unicode_is_refused_with_the_reason() {
        let (client, _server) = served();
        let path = file("x", b"").with_file_name(OsStr::from_bytes(b"caf\xe9.png"));
        fs::write(&path, IMAGES[0]).unwrap();
        let error = invalid(client.chat_once(InputItem::local_image(path)));
        assert!(error.contains("caf\u{fffd}.png") && error.contains("not Unicode"), "{error}");
    }
}
