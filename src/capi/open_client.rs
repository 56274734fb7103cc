//! What a handle of a client stands for: the client, and who is called.
//!
//! Relies on `callback`, and on the streams of server requests. Invariant: while somebody wants to be called with
//! questions, every question waits for an answer; once the handle was freed nobody is called.

use std::{
    ffi::CString,
    sync::{Arc, Weak},
};

use parking_lot::Mutex;

use super::{
    buffers::to_json,
    callback::{Callback, CallbackSlot, OnQuestion, OnReady},
    codex_client,
    handles::Handled,
};
use crate::{Client, ServerRequest, ServerRequests};

pub(super) struct OpenClient {
    pub(super) client: Client,
    /// All questions wait for an answer, also while nobody wants to be called.
    is_manual: bool,
    on_ready: CallbackSlot<OnReady>,
    questions: Mutex<Questions>,
}

impl Handled for OpenClient {
    type Handle = codex_client;
    const KIND: u8 = 1;
    const NAME: &str = "codex_client";

    fn freed(&self) {
        self.on_ready.close();
        self.questions.lock().is_closed = true;
        self.set_on_question(None);
    }
}

impl OpenClient {
    pub(super) fn new(client: Client, is_manual: bool) -> OpenClient {
        client.answer_by_hand(is_manual);
        OpenClient { client, is_manual, on_ready: CallbackSlot::default(), questions: Mutex::default() }
    }

    pub(super) fn set_on_ready(&self, callback: Option<Arc<Callback<OnReady>>>) {
        self.on_ready.set(callback, |callback| {
            self.client.on_ready(move || callback.call(|function, user| function(user)));
        });
    }

    pub(super) fn set_on_question(&self, callback: Option<Arc<Callback<OnQuestion>>>) {
        let mut questions = self.questions.lock();
        // Another thread may set one at the moment in which the client is freed.
        let callback = callback.filter(|_| !questions.is_closed);
        let before = questions.shown.take();
        if callback.is_some() || before.is_some() {
            self.client.answer_by_hand(self.is_manual || callback.is_some());
        }
        questions.shown = callback.map(|callback| Shown::new(&self.client, callback));
        drop(questions);
        // Not under the lock: it waits for a callback, which may call this.
        if let Some(before) = before {
            before.callback.close();
        }
    }
}

/// Who is called with the questions of a client.
#[derive(Default)]
struct Questions {
    shown: Option<Shown>,
    /// The client was freed.
    is_closed: bool,
}

/// A callback for questions, and the stream that it is called for.
struct Shown {
    callback: CallbackSlot<OnQuestion>,
    _stream: Arc<Mutex<ServerRequests>>,
}

impl Shown {
    fn new(client: &Client, callback: Arc<Callback<OnQuestion>>) -> Shown {
        let stream = Arc::new(Mutex::new(client.server_requests()));
        let slot = CallbackSlot::default();
        slot.set(Some(Arc::clone(&callback)), drop);
        let weak = Arc::downgrade(&stream);
        stream.lock().on_ready(move || show_all(&weak, &callback));
        Shown { callback: slot, _stream: stream }
    }
}

/// Calls the program for each question that has come.
fn show_all(stream: &Weak<Mutex<ServerRequests>>, callback: &Callback<OnQuestion>) {
    let next = || stream.upgrade().and_then(|stream| stream.lock().try_next());
    while let Some(question) = next() {
        // It is answered at once; see `answer_by_hand`.
        if matches!(question, ServerRequest::CurrentTime(_)) {
            continue;
        }
        let text = to_json(&question).ok().and_then(|text| CString::new(text).ok());
        match text {
            Some(text) => callback.call(|function, user| function(user, text.as_ptr())),
            None => log::error!("a question can't be serialized"),
        }
    }
}
