//! Streams in event loops: calls, channels and descriptors, and what wakes a program that waits in no stream.
//!
//! Invariant: a test looks at a stream only when it was told, so that what is told too rarely is noticed.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use codex_blocking::{
    ApprovalDecision, ApprovalMode, Chat, ChatRequest, Client, ConversationStep, Error, ExecOptions,
    TurnItem, TurnStream, WebSocket,
    testing::{ScriptedServer, TurnScript},
};
use crossbeam_channel::{Receiver, Sender, TryRecvError, bounded, unbounded};
use serde_json::{Value, json};

#[cfg(target_os = "linux")]
use crate::support::probe::is_alone;
use crate::support::{
    await_that,
    memory::{PATIENCE, Server, begun, chatting, manual, served, served_with, spawn, spawn_with},
};

/// A short limit, for what is to pass.
const SHORT: Duration = Duration::from_millis(100);

/// Sends a message with each call.
fn counted<T: TurnItem>(stream: &TurnStream<T>) -> Receiver<()> {
    let (tell, told) = unbounded();
    stream.on_ready(move || {
        let _ = tell.send(());
    });
    told
}

#[track_caller]
fn await_call(calls: &Receiver<()>) {
    calls.recv_timeout(PATIENCE).expect("a call");
}

/// Everything that the stream yields to a loop that looks only when it was called.
#[track_caller]
fn read_when_called<T: TurnItem>(stream: &mut TurnStream<T>, calls: &Receiver<()>) -> Vec<T> {
    let mut items = Vec::new();
    while !stream.is_ended() {
        await_call(calls);
        items.extend(std::iter::from_fn(|| stream.try_next()));
    }
    items
}

fn texts(steps: &[ConversationStep]) -> Vec<String> {
    steps.iter().map(ToString::to_string).collect()
}

fn script() -> ScriptedServer {
    ScriptedServer::new().on_turn(|_| TurnScript::new().message("one").deltas(1000, "x").message("two"))
}

// ---- calls ----

#[test]
fn a_chat_that_is_looked_at_only_when_it_calls_yields_everything_over_memory() {
    let mut chat = script().client().unwrap().chat("hello").unwrap();
    let calls = counted(&chat);
    let steps = read_when_called(&mut chat, &calls);
    assert_eq!(steps.len(), 4, "{:?}", texts(&steps));
    assert_eq!(chat.finish().unwrap().final_text, "two");
}

#[test]
fn a_chat_that_is_looked_at_only_when_it_calls_yields_everything_over_a_websocket() {
    let listener = script().listen().unwrap();
    let client = Client::connect(WebSocket::new(listener.url())).unwrap();
    let mut events = client.chat_events("hello").unwrap();
    let calls = counted(&events);
    let seen = read_when_called(&mut events, &calls);
    assert!(seen.len() > 1004, "{}", seen.len());
}

#[cfg(unix)]
#[test]
fn notifications_that_are_looked_at_only_when_they_call_all_come_over_a_unix_socket() {
    use std::os::unix::net::UnixListener;

    let folder = std::env::temp_dir().join(format!("cb-loop-{}", std::process::id()));
    std::fs::create_dir(&folder).unwrap();
    let path = folder.join("s");
    let listener = UnixListener::bind(&path).unwrap();
    let (client, mut server) = thread::scope(|scope| {
        let connecting = scope.spawn(|| Client::connect(codex_blocking::UnixSocket::new(&path)).unwrap());
        let (stream, _) = listener.accept().unwrap();
        let server = crate::support::websocket::Server::upgrade(Box::new(stream), None);
        (connecting.join().unwrap(), server)
    });
    std::fs::remove_dir_all(&folder).unwrap();
    let mut notifications = client.notifications();
    let (tell, told) = unbounded();
    notifications.on_ready(move || {
        let _ = tell.send(());
    });
    let sending = thread::spawn(move || {
        for number in 0..10_000 {
            server.send(json!({ "method": "x", "params": number }).to_string());
        }
        server
    });
    let mut seen = 0;
    while seen < 10_000 {
        await_call(&told);
        while let Some(notification) = notifications.try_next() {
            assert_eq!(notification.params::<u32>().unwrap(), seen);
            seen += 1;
        }
    }
    drop(sending.join().unwrap());
    while !notifications.is_ended() {
        await_call(&told);
        assert!(notifications.try_next().is_none());
    }
}

#[test]
fn a_stream_calls_once_until_nothing_was_found() {
    let (client, mut server) = served();
    let mut notifications = client.notifications();
    let (tell, told) = unbounded();
    notifications.on_ready(move || {
        let _ = tell.send(());
    });
    for _ in 0..100 {
        server.notify("x", json!({}));
    }
    await_call(&told);
    for _ in 0..100 {
        assert!(notifications.try_next().is_some());
        server.notify("x", json!({}));
    }
    for _ in 0..100 {
        assert!(notifications.try_next().is_some());
    }
    assert!(told.is_empty(), "it was told, and has not found nothing since");
    assert!(notifications.try_next().is_none());
    server.notify("x", json!({}));
    await_call(&told);
    assert!(told.is_empty());
}

#[test]
fn a_function_that_is_set_while_something_is_there_is_called_at_once() {
    let (client, mut server) = served();
    let mut chat = chatting(&client, &mut server);
    server.message("a", "one");
    server.complete("completed");
    for _ in 0..2 {
        await_call(&counted(&chat));
        chat.try_next();
    }
    // The end counts, also when it was taken.
    assert!(chat.is_ended());
    await_call(&counted(&chat));
}

#[test]
fn items_that_were_made_and_not_handed_out_count_as_something_to_take() {
    let (client, mut server) = served();
    let mut events = begun(&client, &mut server, |client| client.chat_events("hello"));
    let items = [crate::support::memory::message("m", "one"), crate::support::memory::message("n", "two")];
    let turn = json!({ "id": "u", "status": "completed", "items": items });
    server.notify("turn/completed", json!({ "threadId": "t", "turn": turn }));
    let ready = events.ready();
    while !events.is_ended() {
        ready.recv_timeout(PATIENCE).unwrap();
        events.try_next();
        await_call(&counted(&events));
    }
    assert_eq!(ready.try_recv(), Err(TryRecvError::Disconnected));
}

#[test]
fn calls_come_on_a_thread_of_their_own_and_under_no_lock() {
    let (client, mut server) = served();
    let chat = Arc::new(Mutex::new(chatting(&client, &mut server)));
    let (tell, told) = unbounded();
    let (weak, own) = (client.downgrade(), Arc::downgrade(&chat));
    chat.lock().unwrap().on_ready(move || {
        // Whatever it calls, it waits for nothing that waits for it.
        let chat = own.upgrade().unwrap();
        let mut chat = chat.lock().unwrap();
        let seen: Vec<_> = std::iter::from_fn(|| chat.try_next()).collect();
        chat.on_ready(|| {});
        let _stats = weak.upgrade().unwrap().stats();
        drop(tell.send((thread::current().name().map(str::to_owned), seen.len())));
    });
    server.message("a", "one");
    let (name, seen) = told.recv_timeout(PATIENCE).unwrap();
    assert_eq!((name.as_deref(), seen), (Some("codex-ready"), 1));
}

#[test]
fn questions_that_wait_for_the_program_take_no_thread_from_the_calls() {
    let (client, mut server) = manual();
    let (release, released) = bounded::<()>(0);
    let running = Arc::new(AtomicUsize::new(0));
    let own = Arc::clone(&running);
    client.set_approval_handler(move |_| {
        own.fetch_add(1, Ordering::SeqCst);
        let _ = released.recv();
        ApprovalDecision::Decline
    });
    let mut chat = chatting(&client, &mut server);
    let calls = counted(&chat);
    for id in 0..130 {
        server.ask(
            id,
            "item/commandExecution/requestApproval",
            &json!({ "threadId": "t", "turnId": "u", "itemId": "i" }),
        );
    }
    await_that("handlers run", || running.load(Ordering::SeqCst) == 128);
    server.complete("completed");
    assert!(read_when_called(&mut chat, &calls).is_empty());
    drop(release);
}

#[test]
fn no_call_begins_after_the_drop_of_a_stream() {
    let (client, mut server) = served();
    for _ in 0..50 {
        let notifications = client.notifications();
        let is_dropped = Arc::new(AtomicBool::new(false));
        let (tell, told) = unbounded();
        let own = Arc::clone(&is_dropped);
        notifications.on_ready(move || {
            let _ = tell.send(own.load(Ordering::SeqCst));
        });
        server.notify("x", json!({}));
        assert_eq!(told.recv_timeout(PATIENCE), Ok(false));
        drop(notifications);
        is_dropped.store(true, Ordering::SeqCst);
        server.notify("x", json!({}));
        // The function is gone, and with it the sender.
        assert!(told.recv_timeout(PATIENCE).is_err());
    }
}

#[test]
fn a_chat_that_waits_in_next_is_told_too() {
    let (client, mut server) = served();
    let mut chat = chatting(&client, &mut server);
    let calls = counted(&chat);
    let reader = spawn(move || (chat.next().unwrap().to_string(), chat));
    server.message("a", "one");
    await_call(&calls);
    let (text, mut chat) = reader.join().unwrap();
    assert_eq!(text, "codex: one");
    assert!(chat.try_next().is_none());
    server.message("b", "two");
    await_call(&calls);
    assert_eq!(chat.try_next().unwrap().to_string(), "codex: two");
}

#[test]
fn a_chat_that_is_resumed_calls_its_own_function_and_that_of_the_dropped_one_no_more() {
    let (client, mut server) = served();
    let chat = chatting(&client, &mut server);
    let before = counted(&chat);
    let token = chat.continuation();
    drop(chat);
    server.message("a", "one");
    let mut chat = client.chat(token).unwrap();
    let calls = counted(&chat);
    server.complete("completed");
    assert_eq!(texts(&read_when_called(&mut chat, &calls)), ["codex: one"]);
    assert!(before.recv_timeout(PATIENCE).is_err(), "it was dropped with its chat");
}

#[test]
fn a_cancel_that_fails_leaves_what_it_read_as_something_to_take() {
    let (client, mut server) = served_with(Client::builder().request_timeout(SHORT));
    let mut chat = chatting(&client, &mut server);
    server.started();
    let calls = counted(&chat);
    server.message("a", "one");
    await_call(&calls);
    chat.cancel().unwrap_err();
    assert_eq!(texts(&std::iter::from_fn(|| chat.try_next()).collect::<Vec<_>>()), ["codex: one"]);
    server.complete("interrupted");
    let steps = read_when_called(&mut chat, &calls);
    assert_eq!(steps.len(), 1, "{:?}", texts(&steps));
}

// ---- deadlines ----

/// A chat whose turn is inactive after a tenth of a second.
fn impatient(client: &Client, server: &mut Server) -> Chat {
    begun(client, server, |client| client.chat(ChatRequest::new("hello").inactivity_timeout(SHORT)))
}

fn is_running(request: &Value, server: &mut Server) {
    server.reply(request, json!({ "data": [{ "id": "u", "status": "inProgress", "items": [] }] }));
}

#[test]
fn a_turn_that_falls_silent_calls_though_nobody_reads_it() {
    let (client, mut server) = served();
    let mut chat = impatient(&client, &mut server);
    let calls = counted(&chat);
    await_call(&calls);
    // Nothing waits: the server is asked, and its answer calls again.
    assert!(chat.try_next().is_none() && !chat.is_ended());
    let lookup = server.expect("thread/turns/list");
    is_running(&lookup, &mut server);
    await_call(&calls);
    let closing = chat.try_next().unwrap();
    assert_eq!(closing.step_type.as_str(), "error");
    assert!(matches!(chat.error(), Some(Error::TurnInactive { .. })));
}

#[test]
fn a_server_that_does_not_answer_about_a_silent_turn_is_given_up() {
    let (client, mut server) = served();
    let mut chat = impatient(&client, &mut server);
    let calls = counted(&chat);
    let steps = read_when_called(&mut chat, &calls);
    assert_eq!(steps.len(), 1);
    assert!(matches!(chat.error(), Some(Error::TurnInactive { .. })));
    server.expect("thread/turns/list");
}

#[test]
fn an_end_that_was_lost_is_looked_up_by_a_loop_that_only_looks_when_it_is_called() {
    let (client, mut server) = served();
    let mut chat = chatting(&client, &mut server);
    let calls = counted(&chat);
    assert!(chat.try_next().is_none());
    server.notify("thread/status/changed", json!({ "threadId": "t", "status": { "type": "idle" } }));
    await_call(&calls);
    assert!(chat.try_next().is_none());
    let lookup = server.expect("thread/turns/list");
    let items = [crate::support::memory::message("m", "lost")];
    server.reply(&lookup, json!({ "data": [{ "id": "u", "status": "completed", "items": items }] }));
    assert_eq!(texts(&read_when_called(&mut chat, &calls)), ["codex: lost"]);
}

#[test]
fn the_clock_of_a_turn_stands_still_for_a_loop_too_while_a_question_waits() {
    let (client, mut server) = manual();
    let mut chat = impatient(&client, &mut server);
    server.ask(
        1,
        "item/commandExecution/requestApproval",
        &json!({ "threadId": "t", "turnId": "u", "itemId": "i" }),
    );
    await_that("it waits", || client.pending().len() == 1);
    let calls = counted(&chat);
    thread::sleep(SHORT * 3);
    assert!(chat.try_next().is_none());
    assert!(calls.is_empty() && server.is_quiet());
    let codex_blocking::ServerRequest::Approval(request) = &client.pending()[0] else { unreachable!() };
    client.approve_approval(request).unwrap();
    let asked = Instant::now();
    await_call(&calls);
    assert!(asked.elapsed() < PATIENCE);
    assert!(chat.try_next().is_none(), "the server is asked first");
}

#[test]
fn the_deadlines_of_a_turn_are_in_the_channel_and_in_the_descriptor() {
    let (client, mut server) = served();
    let mut chat = impatient(&client, &mut server);
    let ready = chat.ready();
    while !chat.is_ended() {
        let _ = ready.recv_timeout(PATIENCE).map_err(|error| assert!(error.is_disconnected()));
        chat.try_next();
    }
    assert!(matches!(chat.error(), Some(Error::TurnInactive { .. })));
}

#[test]
fn a_command_whose_end_never_comes_calls_at_its_deadline() {
    let (client, mut server) = served_with(Client::builder().request_timeout(SHORT));
    let options = ExecOptions::new().timeout(SHORT);
    let command = spawn_with(&client, move |client| client.spawn_command(["cat"], options));
    server.expect("command/exec");
    let mut command = command.join().unwrap().unwrap();
    let (tell, told) = unbounded();
    command.on_ready(move || {
        let _ = tell.send(());
    });
    while !command.is_ended() {
        await_call(&told);
        assert!(command.try_next().is_none());
    }
    assert!(command.wait().unwrap_err().is_timeout());
}

#[cfg(target_os = "linux")]
#[test]
fn a_client_that_nobody_asks_to_call_has_no_threads_for_that() {
    if !is_alone("event_loops::a_client_that_nobody_asks_to_call_has_no_threads_for_that") {
        return;
    }
    let names = || -> Vec<String> {
        let tasks = std::fs::read_dir("/proc/self/task").unwrap();
        tasks.filter_map(|task| std::fs::read_to_string(task.unwrap().path().join("comm")).ok()).collect()
    };
    let has = |name: &str| names().iter().any(|known| known.trim() == name);
    let client = script().client().unwrap();
    let mut chat = client.chat("hello").unwrap();
    while chat.try_next().is_some() || !chat.is_ended() {
        thread::yield_now();
    }
    assert!(!has("codex-ready") && !has("codex-timer"), "{:?}", names());
    let chat = client.chat("hello").unwrap();
    await_call(&counted(&chat));
    assert!(has("codex-ready"), "{:?}", names());
}

// ---- channels and descriptors ----

#[test]
fn a_channel_gets_a_message_by_each_try_next_that_leaves_something() {
    let (client, mut server) = served();
    let mut events = begun(&client, &mut server, |client| client.chat_events("hello"));
    let ready = events.ready();
    for number in 0..10 {
        server.delta(&number.to_string());
    }
    for left in (0..10).rev() {
        ready.recv_timeout(PATIENCE).unwrap();
        assert!(events.try_next().is_some());
        assert_eq!(ready.len(), usize::from(left > 0));
    }
    server.complete("completed");
    ready.recv_timeout(PATIENCE).unwrap();
    assert!(events.try_next().is_some());
    assert!(events.try_next().is_none());
    assert_eq!(ready.try_recv(), Err(TryRecvError::Disconnected));
}

#[cfg(unix)]
mod descriptors {
    use std::os::fd::{AsFd, AsRawFd, BorrowedFd};

    use rustix::event::{PollFd, PollFlags, Timespec, poll};

    use super::*;

    /// Which of them are readable, after at most this time.
    fn readable<const N: usize>(fds: [BorrowedFd<'_>; N], limit: Duration) -> [bool; N] {
        let mut fds = fds.map(|fd| PollFd::from_borrowed_fd(fd, PollFlags::IN));
        poll(&mut fds, Some(&Timespec::try_from(limit).unwrap())).unwrap();
        fds.map(|fd| !fd.revents().is_empty())
    }

    #[test]
    fn a_descriptor_is_readable_while_there_is_something_to_take_and_after_the_end() {
        let (client, mut server) = served();
        let mut chat = chatting(&client, &mut server);
        let is_readable = |chat: &Chat, limit| readable([chat.ready_fd().unwrap()], limit) == [true];
        assert!(!is_readable(&chat, Duration::ZERO));
        for number in 0..3 {
            server.message(&format!("a{number}"), "one");
            server.message(&format!("b{number}"), "two");
            assert!(is_readable(&chat, PATIENCE));
            assert!(chat.try_next().is_some());
            assert!(is_readable(&chat, Duration::ZERO));
            assert!(chat.try_next().is_some());
            assert!(is_readable(&chat, Duration::ZERO), "until nothing was found");
            assert!(chat.try_next().is_none());
            assert!(!is_readable(&chat, Duration::ZERO));
        }
        server.complete("failed");
        assert!(is_readable(&chat, PATIENCE));
        while chat.try_next().is_some() {}
        assert!(chat.is_ended() && is_readable(&chat, Duration::ZERO));
        assert_eq!(chat.as_fd().as_raw_fd(), chat.ready_fd().unwrap().as_raw_fd());
    }

    #[test]
    fn two_streams_are_polled_at_once() {
        let client = script().client().unwrap();
        let mut notifications = client.notifications();
        let mut events = client.chat_events("hello").unwrap();
        let (mut seen, mut methods) = (0, 0);
        while !events.is_ended() || methods < seen {
            let fds = [events.as_fd(), notifications.as_fd()];
            let [is_event, is_notification] = readable(fds, PATIENCE);
            assert!(is_event || is_notification, "nothing came");
            if is_event {
                seen += std::iter::from_fn(|| events.try_next()).count();
            }
            if is_notification {
                methods += std::iter::from_fn(|| notifications.try_next()).count();
            }
        }
        assert!(seen > 1000, "{seen}");
    }

    #[test]
    fn a_turn_that_falls_silent_makes_its_descriptor_readable() {
        let (client, mut server) = served();
        let mut chat = impatient(&client, &mut server);
        while !chat.is_ended() {
            assert_eq!(readable([chat.ready_fd().unwrap()], PATIENCE), [true]);
            chat.try_next();
        }
        assert!(matches!(chat.error(), Some(Error::TurnInactive { .. })));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn descriptors_are_made_when_they_are_asked_for_and_closed_with_their_streams() {
        if !is_alone(
            "event_loops::descriptors::descriptors_are_made_when_they_are_asked_for_and_closed_with_their_streams",
        ) {
            return;
        }
        let open = || std::fs::read_dir("/proc/self/fd").unwrap().count();
        let (client, _server) = served();
        let before = open();
        let streams: Vec<codex_blocking::Notifications> = (0..10).map(|_| client.notifications()).collect();
        streams.iter().for_each(|stream| stream.on_ready(|| {}));
        assert_eq!(open(), before);
        for stream in &streams {
            let flags = rustix::io::fcntl_getfd(stream.ready_fd().unwrap()).unwrap();
            assert!(flags.contains(rustix::io::FdFlags::CLOEXEC));
            stream.ready_fd().unwrap();
        }
        assert_eq!(open(), before + 10);
        drop(streams);
        assert_eq!(open(), before);
    }
}

// ---- the function for the whole client ----

fn told_client() -> (Client, Server, Receiver<()>) {
    let (tell, told) = bounded(1);
    let builder = Client::builder().approval_mode(ApprovalMode::Manual).on_ready(move || {
        let _ = Sender::try_send(&tell, ());
    });
    let (client, server) = served_with(builder);
    (client, server, told)
}

#[test]
fn the_function_of_a_client_is_called_after_each_change_of_any_stream() {
    let (client, mut server, told) = told_client();
    let mut chat = chatting(&client, &mut server);
    let mut notifications = client.notifications();
    for number in 0..10 {
        server.message(&number.to_string(), "one");
        while chat.try_next().is_none() {
            await_call(&told);
        }
        await_that("it is there too", || notifications.try_next().is_some());
        // A change of a stream that has been told of, and was not read to its end, is told too.
    }
    while told.try_recv().is_ok() || notifications.try_next().is_some() {}
    server.complete("completed");
    while !chat.is_ended() {
        await_call(&told);
        chat.try_next();
    }
}

#[test]
fn a_function_that_a_connected_client_gets_is_called_until_another_takes_its_place() {
    let (client, mut server) = served();
    let mut chat = chatting(&client, &mut server);
    let (tell, first) = unbounded();
    client.on_ready(move || {
        let _ = tell.send(());
    });
    server.message("1", "one");
    await_call(&first);
    let (tell, second) = unbounded();
    client.on_ready(move || {
        let _ = tell.send(());
    });
    // The one before is dropped once it has returned.
    while first.recv_timeout(PATIENCE).is_ok() {}
    assert_eq!(first.try_recv(), Err(TryRecvError::Disconnected));
    server.complete("completed");
    while !chat.is_ended() {
        await_call(&second);
        while chat.try_next().is_some() {}
    }
}

#[test]
fn the_function_of_a_client_is_called_for_questions_that_no_stream_shows_and_for_their_end() {
    let (client, mut server, told) = told_client();
    let _chat = chatting(&client, &mut server);
    server.ask(
        1,
        "item/commandExecution/requestApproval",
        &json!({ "threadId": "t", "turnId": "u", "itemId": "i" }),
    );
    while client.pending().is_empty() {
        await_call(&told);
    }
    server.notify("serverRequest/resolved", json!({ "threadId": "t", "requestId": 1 }));
    while !client.pending().is_empty() {
        await_call(&told);
    }
}

#[test]
fn the_function_of_a_client_is_called_for_the_end_of_the_connection() {
    for close in [true, false] {
        let (client, mut server, told) = told_client();
        match close {
            true => client.close().unwrap(),
            false => server.die(),
        }
        while client.ended().is_none() {
            await_call(&told);
        }
    }
}

#[test]
fn the_function_of_a_client_is_called_for_deadlines_and_dropped_with_the_client() {
    let (client, mut server, told) = told_client();
    let mut chat = impatient(&client, &mut server);
    while !chat.is_ended() {
        await_call(&told);
        chat.try_next();
    }
    assert!(matches!(chat.error(), Some(Error::TurnInactive { .. })));
    drop((chat, client));
    while told.recv_timeout(PATIENCE).is_ok() {}
    assert_eq!(told.try_recv(), Err(TryRecvError::Disconnected));
}

// ---- ends from other threads ----

#[test]
fn an_interrupt_that_nobody_waits_for_returns_before_the_server_has_answered() {
    let (client, mut server) = served();
    let chat = chatting(&client, &mut server);
    server.started();
    let handle = chat.handle();
    let reader = spawn(move || chat.finish());
    handle.request_interrupt();
    handle.request_interrupt();
    let request = server.expect("turn/interrupt");
    assert_eq!(request["params"], json!({ "threadId": "t", "turnId": "u" }));
    assert!(server.is_quiet(), "a second click asks nothing more");
    server.reply(&request, json!({}));
    server.complete("interrupted");
    assert!(matches!(reader.join().unwrap(), Err(Error::TurnInterrupted { .. })));
    handle.request_interrupt();
    assert!(server.is_quiet(), "it is over");
}

#[test]
fn an_interrupt_that_nobody_waits_for_is_sent_once_the_turn_runs() {
    let (client, mut server) = served();
    let chat = chatting(&client, &mut server);
    chat.handle().request_interrupt();
    assert!(server.is_quiet());
    server.started();
    server.expect("turn/interrupt");
}

/// What `next` gives on another thread that is ended meanwhile.
fn ended_by<S: Send + 'static, T: Send + 'static>(
    mut stream: S,
    next: impl FnOnce(&mut S) -> Option<T> + Send + 'static,
    end: impl FnOnce(),
) -> (Option<T>, S) {
    let reader = spawn(move || {
        let item = next(&mut stream);
        (item, stream)
    });
    end();
    reader.join().unwrap()
}

#[test]
fn a_next_that_waits_for_notifications_is_ended_by_a_handle_and_by_the_close() {
    let (client, mut server) = served();
    let (ended, other) = (client.notifications(), client.notifications());
    let handle = ended.handle();
    let (next, mut ended) = ended_by(ended, Iterator::next, || handle.end());
    assert!(next.is_none() && ended.is_ended());
    assert_eq!(ended.error().unwrap().code(), "closed");
    // The others go on.
    server.notify("x", json!({}));
    let (next, other) = ended_by(other, Iterator::next, || {});
    assert!(next.is_some() && ended.try_next().is_none());
    let (next, _) = ended_by(other, Iterator::next, || client.close().unwrap());
    assert!(next.is_none());
}

#[test]
fn a_next_that_waits_for_questions_is_ended_by_a_handle_and_by_the_close() {
    let client = ScriptedServer::new().client().unwrap();
    let requests = client.approval_requests();
    let handle = requests.handle();
    assert!(ended_by(requests, Iterator::next, || handle.end()).0.is_none());
    let requests = client.user_input_requests();
    let handle = requests.handle();
    assert!(ended_by(requests, Iterator::next, || handle.end()).0.is_none());
    let requests = client.server_requests();
    assert!(ended_by(requests, Iterator::next, || client.close().unwrap()).0.is_none());
}

#[test]
fn a_stream_of_questions_that_was_ended_lets_no_question_wait_for_it() {
    let (client, mut server) = served();
    let _chat = chatting(&client, &mut server);
    let requests = client.user_input_requests();
    requests.handle().end();
    let params = json!({ "threadId": "t", "turnId": "u", "itemId": "i", "questions": [] });
    server.ask(7, "item/tool/requestUserInput", &params);
    let answer = server.recv();
    assert_eq!(answer["id"], 7, "{answer}");
    assert!(client.pending().is_empty());
}

#[test]
fn a_next_that_waits_for_a_turn_or_a_command_is_ended_by_its_handle() {
    let (client, mut server) = served();
    let chat = chatting(&client, &mut server);
    server.started();
    let handle = chat.handle();
    let (closing, chat) = ended_by(chat, Iterator::next, || {
        handle.request_interrupt();
        let request = server.expect("turn/interrupt");
        server.reply(&request, json!({}));
        server.complete("interrupted");
    });
    assert_eq!(closing.unwrap().step_type.as_str(), "error");
    assert!(chat.is_ended());

    let command = spawn_with(&client, |client| client.spawn_command(["cat"], ExecOptions::new()));
    let request = server.expect("command/exec");
    let command = command.join().unwrap().unwrap();
    let handle = command.handle();
    let (output, command) = ended_by(command, Iterator::next, || {
        let terminating = spawn(move || handle.terminate());
        let terminate = server.expect("command/exec/terminate");
        server.reply(&terminate, json!({}));
        server.reply(&request, json!({ "exitCode": 137, "stdout": "", "stderr": "" }));
        terminating.join().unwrap().unwrap();
    });
    assert!(output.is_none());
    assert_eq!(command.wait().unwrap().exit_code, 137);
}

// ---- load ----

#[test]
#[ignore = "takes 10 s"]
fn of_a_million_events_none_is_lost_for_a_loop_that_only_looks_when_it_is_called() {
    const EVENTS: usize = 1_000_000;
    let (client, mut server) = served();
    let mut events = begun(&client, &mut server, |client| client.chat_events("hello"));
    let calls = counted(&events);
    let sending = thread::spawn(move || {
        for _ in 0..EVENTS {
            server.delta("x");
        }
        server.complete("completed");
        server
    });
    let (mut seen, mut times) = (0, 0);
    while !events.is_ended() {
        await_call(&calls);
        times += 1;
        while let Some(event) = events.try_next() {
            seen += usize::from(matches!(event, codex_blocking::TurnEvent::TextDelta { .. }));
        }
    }
    assert_eq!(seen, EVENTS);
    assert!(times <= EVENTS, "{times}");
    drop(sending.join().unwrap());
}

#[test]
fn an_interrupt_that_nobody_waits_for_is_sent_although_all_handlers_wait_for_the_program() {
    let (client, mut server) = manual();
    let (release, released) = bounded::<()>(0);
    let running = Arc::new(AtomicUsize::new(0));
    let own = Arc::clone(&running);
    client.set_approval_handler(move |_| {
        own.fetch_add(1, Ordering::SeqCst);
        let _ = released.recv();
        ApprovalDecision::Decline
    });
    let chat = chatting(&client, &mut server);
    server.started();
    for id in 0..128 {
        let params = json!({ "threadId": "t", "turnId": "u", "itemId": "i" });
        server.ask(id, "item/commandExecution/requestApproval", &params);
    }
    await_that("handlers run", || running.load(Ordering::SeqCst) == 128);
    chat.handle().request_interrupt();
    server.expect("turn/interrupt");
    drop(release);
}

#[test]
fn interrupts_that_the_server_does_not_answer_take_no_thread_from_questions() {
    let (client, mut server) = manual();
    let (tell, told) = unbounded();
    client.set_approval_handler(move |_| {
        let _ = tell.send(());
        ApprovalDecision::Decline
    });
    let chats: Vec<_> = (0..130)
        .map(|number| {
            let chatting = spawn_with(&client, |client| client.chat("hello"));
            let request = server.expect("thread/start");
            let (thread, turn) = (format!("t{number}"), format!("u{number}"));
            server.reply(&request, json!({ "thread": { "id": thread } }));
            server.begin_turn_on(&turn);
            server.notify("turn/started", json!({ "threadId": thread, "turn": { "id": turn } }));
            chatting.join().unwrap().unwrap()
        })
        .collect();
    chats.iter().for_each(|chat| chat.handle().request_interrupt());
    for _ in 0..32 {
        server.expect("turn/interrupt");
    }
    let params = json!({ "threadId": "t0", "turnId": "u0", "itemId": "i" });
    server.ask(7, "item/commandExecution/requestApproval", &params);
    told.recv_timeout(PATIENCE).unwrap();
}

#[test]
fn the_function_of_a_client_is_called_at_the_deadline_of_a_command() {
    let (tell, told) = bounded(1);
    let builder = Client::builder().request_timeout(SHORT).on_ready(move || {
        let _ = Sender::try_send(&tell, ());
    });
    let (client, mut server) = served_with(builder);
    let options = ExecOptions::new().timeout(SHORT);
    let command = spawn_with(&client, move |client| client.spawn_command(["cat"], options));
    server.expect("command/exec");
    let mut command = command.join().unwrap().unwrap();
    while !command.is_ended() {
        await_call(&told);
        assert!(command.try_next().is_none());
    }
    assert!(command.wait().unwrap_err().is_timeout());
}
