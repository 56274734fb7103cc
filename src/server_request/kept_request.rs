//! Server requests that are kept, each counted once, however many keep it.
//!
//! Relies on `rpc` for the budget. Invariant: a request is counted from when it is taken in until the last of
//! those who keep it lets go: the broker while it waits, the streams that show it, the job of its handler.

use std::{
    ops::Deref,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use super::ServerRequest;
use crate::rpc::Budget;

/// What is kept of all requests.
#[derive(Debug)]
pub(super) struct Kept {
    budget: Arc<Budget>,
    /// The bytes of requests that wait no more.
    idle: AtomicUsize,
    /// How many of these no stream could drop the last time: the jobs of handlers keep them.
    idle_elsewhere: AtomicUsize,
}

/// A server request that is kept.
#[derive(Debug)]
pub(super) struct KeptRequest {
    request: ServerRequest,
    bytes: usize,
    is_waiting: AtomicBool,
    kept: Arc<Kept>,
}

impl Kept {
    pub(super) fn new(budget: &Arc<Budget>) -> Arc<Kept> {
        let (idle, idle_elsewhere) = (AtomicUsize::new(0), AtomicUsize::new(0));
        Arc::new(Kept { budget: Arc::clone(budget), idle, idle_elsewhere })
    }

    /// The bytes of requests that wait no more.
    fn idle_bytes(&self) -> usize {
        self.idle.load(Ordering::Relaxed)
    }

    /// About how many of these streams can drop.
    pub(super) fn droppable_bytes(&self) -> usize {
        self.idle_bytes().saturating_sub(self.idle_elsewhere.load(Ordering::Relaxed))
    }

    /// Whether streams can drop so much that it pays to search them.
    pub(super) fn is_worth_a_search(&self) -> bool {
        self.droppable_bytes() > self.budget.kept() / 16
    }

    /// All streams have dropped such requests.
    pub(super) fn was_searched(&self) {
        self.idle_elsewhere.store(self.idle_bytes(), Ordering::Relaxed);
    }
}

impl KeptRequest {
    pub(super) fn new(kept: &Arc<Kept>, request: ServerRequest, is_waiting: bool) -> Arc<KeptRequest> {
        let bytes = request.received().bytes();
        kept.budget.charge(bytes);
        if !is_waiting {
            kept.idle.fetch_add(bytes, Ordering::Relaxed);
        }
        let (is_waiting, kept) = (AtomicBool::new(is_waiting), Arc::clone(kept));
        Arc::new(KeptRequest { request, bytes, is_waiting, kept })
    }

    pub(super) fn is_waiting(&self) -> bool {
        self.is_waiting.load(Ordering::Acquire)
    }

    /// It was answered or withdrawn.
    pub(super) fn wait_no_more(&self) {
        if self.is_waiting.swap(false, Ordering::AcqRel) {
            self.kept.idle.fetch_add(self.bytes, Ordering::Relaxed);
        }
    }
}

impl Deref for KeptRequest {
    type Target = ServerRequest;

    fn deref(&self) -> &ServerRequest {
        &self.request
    }
}

impl Drop for KeptRequest {
    fn drop(&mut self) {
        self.kept.budget.refund(self.bytes);
        if !*self.is_waiting.get_mut() {
            let before = self.kept.idle.fetch_sub(self.bytes, Ordering::Relaxed);
            self.kept.idle_elsewhere.fetch_min(before - self.bytes, Ordering::Relaxed);
        }
    }
}
