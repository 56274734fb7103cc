//! Tells the program that a stream has something to take: by a call, by a channel, by a descriptor.
//!
//! Relies on `notifier`, and on `mailbox` and the streams to say what happens. Invariant: a stream is ready from
//! when something comes until its consumer finds nothing, and for good once the end was taken; each time
//! that it becomes ready the program's function is called once. What nobody asks for costs nothing.
//!
//! Locks: a mailbox, then the readiness of its stream, then its callback. The system calls for a descriptor are
//! made under the lock of the readiness, so that they are in order; they don't block.

use std::sync::{
    Arc, OnceLock,
    atomic::{AtomicBool, Ordering},
};
#[cfg(unix)]
use std::{io, os::fd::BorrowedFd};

use crossbeam_channel::{Receiver, Sender, bounded};
use parking_lot::{Mutex, MutexGuard};

use super::notifier::{Callback, Notifier};
#[cfg(unix)]
use super::ready_fd::ReadyFd;

/// How a stream tells that it is ready, from the first time that anybody asks. Its drop ends the calls, and leaves a
/// duplicate of the descriptor readable: whoever waits for it looks, and finds that the stream is gone.
#[derive(Debug, Default)]
pub(crate) struct Signal(OnceLock<Arc<Readiness>>);

impl Signal {
    /// The readiness, if anybody has asked for it.
    pub(crate) fn asked(&self) -> Option<&Readiness> {
        self.0.get().map(|readiness| &**readiness)
    }

    /// The readiness. `attach` makes a new one known to the mailbox of the stream, and says what is there.
    pub(crate) fn ask(&self, notifier: &Arc<Notifier>, attach: impl FnOnce(&Arc<Readiness>)) -> &Readiness {
        self.0.get_or_init(|| {
            let readiness = Readiness::new(notifier);
            attach(&readiness);
            readiness
        })
    }
}

impl Drop for Signal {
    fn drop(&mut self) {
        if let Some(readiness) = self.0.get() {
            readiness.callback.close();
            readiness.end();
        }
    }
}

/// Whether a stream has something to take, and who wants to know.
#[derive(Debug)]
pub(crate) struct Readiness {
    notifier: Arc<Notifier>,
    callback: Arc<Callback>,
    state: Mutex<ReadinessState>,
    /// Whether anybody has the channel. Outside of the lock, since messages are put in for each event.
    has_channel: AtomicBool,
    #[cfg(unix)]
    descriptor: OnceLock<ReadyFd>,
}

#[derive(Debug, Default)]
struct ReadinessState {
    is_ready: bool,
    /// The end was taken.
    is_over: bool,
    channel: Option<(Sender<()>, Receiver<()>)>,
}

impl Readiness {
    fn new(notifier: &Arc<Notifier>) -> Arc<Readiness> {
        Arc::new(Readiness {
            notifier: Arc::clone(notifier),
            callback: Callback::new(notifier.origin()),
            state: Mutex::default(),
            has_channel: AtomicBool::new(false),
            #[cfg(unix)]
            descriptor: OnceLock::new(),
        })
    }

    /// `None` in a forked process, if another thread held the lock at the fork.
    fn lock(&self) -> Option<MutexGuard<'_, ReadinessState>> {
        self.notifier.origin().lock(&self.state)
    }

    /// Something may be there.
    pub(crate) fn raise(&self) {
        let Some(mut state) = self.lock().filter(|state| !state.is_over) else { return };
        if !std::mem::replace(&mut state.is_ready, true) {
            self.set_descriptor(true);
            self.callback.fire(&self.notifier);
        }
        state.ring();
    }

    /// The consumer found nothing.
    pub(crate) fn lower(&self) {
        let Some(mut state) = self.lock().filter(|state| !state.is_over) else { return };
        if std::mem::replace(&mut state.is_ready, false) {
            self.set_descriptor(false);
        }
    }

    /// Puts a message into the channel: something came, or something was left.
    pub(crate) fn ring(&self) {
        if self.has_channel.load(Ordering::Acquire) {
            if let Some(state) = self.lock() {
                state.ring();
            }
        }
    }

    /// The consumer has taken the end.
    pub(crate) fn end(&self) {
        let Some(mut state) = self.lock() else { return };
        state.is_over = true;
        if let Some((_, receiver)) = state.channel.take() {
            // Else the channel would be disconnected only behind a message.
            let _ = receiver.try_recv();
        }
        if !std::mem::replace(&mut state.is_ready, true) {
            self.set_descriptor(true);
        }
    }

    /// After the consumer has taken something: whether that was the end, or something is left.
    pub(crate) fn took(&self, is_ended: bool, is_left: impl FnOnce() -> bool) {
        if is_ended {
            self.end();
        } else if self.has_channel.load(Ordering::Acquire) && is_left() {
            self.ring();
        }
    }

    pub(crate) fn on_ready(&self, function: impl Fn() + Send + Sync + 'static) {
        self.notifier.warm_up();
        let Some(state) = self.lock() else { return };
        let replaced = self.callback.replace(Arc::new(function), state.is_ready);
        if state.is_ready {
            self.callback.fire(&self.notifier);
        }
        drop(state);
        drop(replaced);
    }

    pub(crate) fn channel(&self) -> Receiver<()> {
        let Some(mut state) = self.lock().filter(|state| !state.is_over) else { return bounded(0).1 };
        let channel = state.channel.get_or_insert_with(|| bounded(1)).1.clone();
        self.has_channel.store(true, Ordering::Release);
        if state.is_ready {
            state.ring();
        }
        channel
    }

    /// # Errors
    /// No descriptor can be made.
    #[cfg(unix)]
    pub(crate) fn descriptor(&self) -> io::Result<BorrowedFd<'_>> {
        if let Some(descriptor) = self.descriptor.get() {
            return Ok(descriptor.borrow());
        }
        if self.notifier.origin().is_forked() {
            return Err(io::Error::other("this process was forked from the one that has the stream"));
        }
        let state = self.state.lock();
        if self.descriptor.get().is_none() {
            let new = ReadyFd::new()?;
            new.set(state.is_ready);
            // It is set under the lock only.
            let _ = self.descriptor.set(new);
        }
        drop(state);
        self.descriptor.get().map(ReadyFd::borrow).ok_or_else(|| io::Error::other("no descriptor"))
    }

    #[cfg(unix)]
    fn set_descriptor(&self, is_ready: bool) {
        // In a forked process it is still the one of the other process.
        if let Some(descriptor) = self.descriptor.get().filter(|_| !self.notifier.origin().is_forked()) {
            descriptor.set(is_ready);
        }
    }

    #[cfg(not(unix))]
    fn set_descriptor(&self, _: bool) {}
}

impl ReadinessState {
    fn ring(&self) {
        if let Some((sender, _)) = &self.channel {
            // If it is full, the message is there already.
            let _ = sender.try_send(());
        }
    }
}

/// The methods with which every stream tells that it is ready. `self.readiness()` is what they act on.
macro_rules! readiness_methods {
    () => {
        /// Calls `function` when something comes: once when a stream that had nothing to take gets something (an
        /// item or the end; a deadline that passed counts too), and again only after
        /// [`try_next`](Self::try_next) or [`next_timeout`](Self::next_timeout) has returned `None` or the end. If
        /// something is there now, it is called at once. Replaces an earlier function.
        ///
        /// It runs on a thread of the client (`codex-ready`), under no lock, and never twice at the same time
        /// for one stream; one that sleeps or panics delays no other stream. No call begins after the stream was
        /// dropped. It should only pass the word on to the program's own event loop, which then takes items
        /// until there are none, because it is not called again before. Nothing is lost between that and the
        /// next call. A call may find nothing to take, where the program was faster.
        ///
        /// A `next` that waits counts as having found nothing: the function is called although `next` takes what
        /// comes.
        ///
        /// See [the guide](crate::guide::event_loops).
        pub fn on_ready(&self, function: impl Fn() + Send + Sync + 'static) {
            self.readiness().on_ready(function);
        }

        /// Returns a channel for `select!`, of capacity 1: a message is put in when something comes, and by each
        /// [`try_next`](Self::try_next) that leaves something. It is disconnected after the end was taken. A
        /// message may be left of something that was taken: `try_next` decides.
        ///
        /// See [the guide](crate::guide::event_loops#with-select-and-with-poll).
        pub fn ready(&self) -> crossbeam_channel::Receiver<()> {
            self.readiness().channel()
        }

        /// Returns a descriptor for `poll`, `epoll`, GLib, Qt, libuv or asyncio: it is readable while there is
        /// something to take, until [`try_next`](Self::try_next) has returned `None`; after the end it stays
        /// readable. Only wait for it: don't read, write or close it.
        ///
        /// It is made by the first call (an `eventfd` on Linux and Android, a pair of sockets elsewhere), and
        /// closed with the stream. It belongs to this process and is not inherited by children that the program
        /// executes.
        ///
        /// See [the guide](crate::guide::event_loops#with-select-and-with-poll).
        ///
        /// # Errors
        /// The process has no descriptors left, or is a fork of the one that has the stream.
        #[cfg(unix)]
        pub fn ready_fd(&self) -> std::io::Result<std::os::fd::BorrowedFd<'_>> {
            self.readiness().descriptor()
        }
    };
}

/// The descriptor of [`readiness_methods`] as a trait.
macro_rules! impl_as_fd {
    ([$($generics:tt)*] $stream:ty) => {
        /// The descriptor of `ready_fd`.
        ///
        /// # Panics
        /// It can't be made, for the reasons of `ready_fd`. Once `ready_fd` has succeeded, this does too.
        #[cfg(unix)]
        impl<$($generics)*> std::os::fd::AsFd for $stream {
            fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
                match self.ready_fd() {
                    Ok(descriptor) => descriptor,
                    Err(error) => panic!("no descriptor for a stream: {error}"),
                }
            }
        }
    };
}

pub(crate) use {impl_as_fd, readiness_methods};

#[cfg(test)]
mod tests {
    use std::{
        sync::atomic::AtomicUsize,
        thread,
        time::{Duration, Instant},
    };

    use crossbeam_channel::{TryRecvError, bounded, unbounded};
    use proptest::{collection::vec, prelude::*};

    use super::*;
    use crate::rpc::{
        budget::Budget,
        mailbox::{Mailbox, MailboxEnd, Taken, Wakeups, Weighed},
    };

    const PATIENCE: Duration = Duration::from_secs(30);

    #[derive(Debug)]
    struct Item(u32);

    impl Weighed for Item {
        fn bytes(&self) -> usize {
            8
        }
    }

    #[derive(Debug, Clone)]
    struct End;

    impl MailboxEnd for End {
        fn in_forked_process() -> End {
            End
        }
    }

    /// A stream as those of this crate are.
    struct Stream {
        mailbox: Arc<Mailbox<Item, End>>,
        signal: Signal,
    }

    impl Stream {
        fn new() -> Stream {
            Stream { mailbox: Mailbox::new(&Budget::new(None)), signal: Signal::default() }
        }

        fn readiness(&self) -> &Readiness {
            self.mailbox.readiness(&self.signal)
        }

        fn try_next(&self) -> Taken<Item, End> {
            self.mailbox.take_for(&self.signal, Some(Instant::now()))
        }
    }

    /// One thing that happens to a stream.
    #[derive(Debug, Clone, Copy)]
    enum Op {
        /// Something comes, and more is on the way.
        Push,
        /// All of a read came.
        Flush,
        Take,
        /// A deadline has passed.
        Wake,
        SetCallback,
        End,
        Drop,
    }

    fn op() -> impl Strategy<Value = Op> {
        prop_oneof![
            5 => Just(Op::Push),
            4 => Just(Op::Flush),
            8 => Just(Op::Take),
            1 => Just(Op::Wake),
            2 => Just(Op::SetCallback),
            1 => Just(Op::End),
            1 => Just(Op::Drop),
        ]
    }

    fn wait_until_idle(callback: &Callback) {
        let start = Instant::now();
        while !callback.is_idle() {
            assert!(start.elapsed() < PATIENCE, "a call never ends");
            thread::yield_now();
        }
    }

    #[cfg(unix)]
    fn is_readable(fd: impl std::os::fd::AsFd) -> bool {
        use rustix::event::{PollFd, PollFlags, Timespec, poll};
        let mut fds = [PollFd::from_borrowed_fd(fd.as_fd(), PollFlags::IN)];
        poll(&mut fds, Some(&Timespec { tv_sec: 0, tv_nsec: 0 })).unwrap() == 1
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(512))]
        #[test]
        fn a_call_comes_once_each_time_that_a_stream_becomes_ready_and_none_after_its_drop(
            ops in vec(op(), 0..60),
            asks_early in any::<bool>(),
        ) {
            let mut stream = Some(Stream::new());
            let mailbox = Arc::clone(&stream.as_ref().unwrap().mailbox);
            let calls = Arc::new(AtomicUsize::new(0));
            let mut wakeups = Wakeups::default();
            // What is expected.
            let (mut queued, mut is_flushed) = (0, true);
            let (mut is_ready, mut has_ended, mut is_over) = (false, false, false);
            let (mut is_asked, mut is_set, mut expected) = (false, false, 0);
            if asks_early {
                stream.as_ref().unwrap().readiness();
                is_asked = true;
            }
            for op in ops {
                let mut becomes_ready = false;
                match op {
                    Op::Push => {
                        mailbox.push(Item(0), &mut wakeups);
                        queued += usize::from(!has_ended);
                        is_flushed &= has_ended || is_ready;
                    }
                    Op::Flush => {
                        wakeups.ring();
                        becomes_ready = !is_flushed;
                        is_flushed = true;
                    }
                    Op::Wake => {
                        mailbox.wake();
                        becomes_ready = true;
                    }
                    Op::End => {
                        mailbox.close(End);
                        becomes_ready = !has_ended;
                        has_ended = true;
                    }
                    Op::Take => {
                        let Some(stream) = &stream else { continue };
                        match stream.try_next() {
                            Taken::Item(_) => {
                                queued -= 1;
                                becomes_ready = true;
                                is_flushed = true;
                            }
                            Taken::Empty => {
                                prop_assert!(queued == 0 && !has_ended);
                                is_ready = false;
                            }
                            Taken::Ended(End) => {
                                prop_assert!(queued == 0 && has_ended);
                                is_over = true;
                            }
                        }
                    }
                    Op::SetCallback => {
                        let Some(stream) = &stream else { continue };
                        if !is_asked {
                            is_ready = queued > 0 || has_ended;
                            is_flushed = true;
                            is_asked = true;
                        }
                        let calls = Arc::clone(&calls);
                        stream.readiness().on_ready(move || {
                            calls.fetch_add(1, Ordering::SeqCst);
                        });
                        is_set = true;
                        expected += usize::from(is_ready || is_over);
                    }
                    Op::Drop => {
                        drop(stream.take());
                        is_set = false;
                    }
                }
                if becomes_ready && is_asked && !is_ready && !is_over {
                    is_ready = true;
                    expected += usize::from(is_set);
                }
                let Some(readiness) = stream.as_ref().and_then(|stream| stream.signal.asked()) else { continue };
                wait_until_idle(&readiness.callback);
                prop_assert_eq!(calls.load(Ordering::SeqCst), expected, "after {:?}", op);
                #[cfg(unix)]
                prop_assert_eq!(is_readable(readiness.descriptor().unwrap()), is_ready || is_over);
            }
            prop_assert_eq!(calls.load(Ordering::SeqCst), expected);
        }
    }

    #[test]
    fn the_channel_has_a_message_while_there_is_something_to_take_and_ends_behind_the_end() {
        let stream = Stream::new();
        let ready = stream.readiness().channel();
        assert!(ready.try_recv().is_err());
        for number in 0..2 {
            stream.mailbox.push(Item(number), &mut Wakeups::default());
        }
        for _ in 0..2 {
            ready.try_recv().unwrap();
            assert!(matches!(stream.try_next(), Taken::Item(_)));
        }
        assert!(ready.try_recv().is_err());
        stream.mailbox.close(End);
        ready.try_recv().unwrap();
        assert!(matches!(stream.try_next(), Taken::Ended(End)));
        assert_eq!(ready.try_recv(), Err(TryRecvError::Disconnected));
        assert_eq!(stream.readiness().channel().try_recv(), Err(TryRecvError::Disconnected));
    }

    #[test]
    fn a_consumer_that_only_looks_when_it_is_called_gets_everything_and_is_never_called_twice_at_once() {
        const ITEMS: u32 = 20_000;
        for round in 0..8 {
            let stream = Stream::new();
            let (wake, woken) = unbounded();
            let (running, twice) = (AtomicBool::new(false), Arc::new(AtomicBool::new(false)));
            let seen_twice = Arc::clone(&twice);
            stream.readiness().on_ready(move || {
                seen_twice.fetch_or(running.swap(true, Ordering::SeqCst), Ordering::SeqCst);
                wake.send(()).unwrap();
                running.store(false, Ordering::SeqCst);
            });
            let mailbox = Arc::clone(&stream.mailbox);
            let pusher = thread::spawn(move || {
                let mut wakeups = Wakeups::default();
                for number in 0..ITEMS {
                    mailbox.push(Item(number), &mut wakeups);
                    if number % (round * 7 + 1) == 0 {
                        wakeups.ring();
                    }
                    if number % 64 == 0 {
                        thread::yield_now();
                    }
                }
                wakeups.ring();
                mailbox.close(End);
            });
            let (mut next, mut is_over) = (0, false);
            while !is_over {
                woken.recv_timeout(PATIENCE).expect("a wake-up was lost");
                loop {
                    match stream.try_next() {
                        Taken::Item(Item(number)) => {
                            assert_eq!(number, next);
                            next += 1;
                        }
                        Taken::Empty => break,
                        Taken::Ended(End) => {
                            is_over = true;
                            break;
                        }
                    }
                }
            }
            assert_eq!(next, ITEMS);
            pusher.join().unwrap();
            assert!(!twice.load(Ordering::SeqCst));
        }
    }

    #[test]
    fn a_callback_that_sleeps_or_panics_delays_no_other_stream() {
        let budget = Budget::new(None);
        let stream = || Stream { mailbox: Mailbox::new(&budget), signal: Signal::default() };
        let streams: Vec<_> = (0..3).map(|_| stream()).collect();
        let (_release, released) = bounded::<()>(0);
        let (tell, told) = unbounded();
        streams[0].readiness().on_ready(move || {
            let _ = released.recv();
        });
        streams[1].readiness().on_ready(|| panic!("in a callback, on purpose"));
        streams[2].readiness().on_ready(move || tell.send(()).unwrap());
        for _ in 0..100 {
            for stream in &streams {
                stream.mailbox.push(Item(0), &mut Wakeups::default());
            }
            told.recv_timeout(PATIENCE).unwrap();
            for stream in &streams {
                while !matches!(stream.try_next(), Taken::Empty) {}
            }
        }
    }

    #[test]
    fn behind_more_sleeping_callbacks_than_threads_the_others_are_called_later() {
        let budget = Budget::new(None);
        let (release, released) = bounded::<()>(0);
        let (tell, told) = unbounded();
        let streams: Vec<_> =
            (0..40).map(|_| Stream { mailbox: Mailbox::new(&budget), signal: Signal::default() }).collect();
        for (number, stream) in streams.iter().enumerate() {
            let (released, tell) = (released.clone(), tell.clone());
            stream.readiness().on_ready(move || {
                tell.send(number).unwrap();
                let _ = released.recv();
            });
            stream.mailbox.push(Item(0), &mut Wakeups::default());
        }
        let mut called: Vec<_> = (0..32).map(|_| told.recv_timeout(PATIENCE).unwrap()).collect();
        assert!(told.try_recv().is_err());
        drop(release);
        called.extend((32..40).map(|_| told.recv_timeout(PATIENCE).unwrap()));
        called.sort_unstable();
        assert_eq!(called, (0..40).collect::<Vec<_>>());
    }

    #[test]
    fn a_function_that_is_replaced_is_dropped_and_the_new_one_is_called_if_something_is_there() {
        let stream = Stream::new();
        stream.mailbox.push(Item(0), &mut Wakeups::default());
        let (tell, told) = unbounded();
        let (first, second) = (tell.clone(), tell);
        stream.readiness().on_ready(move || first.send(1).unwrap());
        assert_eq!(told.recv_timeout(PATIENCE), Ok(1));
        stream.readiness().on_ready(move || second.send(2).unwrap());
        assert_eq!(told.recv_timeout(PATIENCE), Ok(2));
        drop(stream);
        assert_eq!(told.recv_timeout(PATIENCE), Err(crossbeam_channel::RecvTimeoutError::Disconnected));
    }

    #[cfg(unix)]
    #[test]
    fn a_duplicate_of_the_descriptor_is_readable_after_the_drop() {
        let stream = Stream::new();
        let duplicate = stream.readiness().descriptor().unwrap().try_clone_to_owned().unwrap();
        assert!(!is_readable(&duplicate));
        drop(stream);
        assert!(is_readable(&duplicate));
    }

    #[test]
    fn after_the_close_of_the_client_what_is_left_is_told() {
        let stream = Stream::new();
        stream.mailbox.push(Item(0), &mut Wakeups::default());
        stream.mailbox.close(End);
        assert_eq!(stream.mailbox.notifier().close(Instant::now() + PATIENCE), 0);
        let (tell, told) = unbounded();
        stream.readiness().on_ready(move || tell.send(()).unwrap());
        told.recv_timeout(PATIENCE).unwrap();
    }
}
