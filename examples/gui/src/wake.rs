//! Asks for the next frame, from any thread.
//!
//! Relies on egui. Invariant: what arrives asks for at most 60 frames per second, and nothing asks for one
//! while nothing arrives.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use eframe::egui;

/// The time between two frames.
const FRAME: Duration = Duration::from_micros(16_900);

/// Asks for frames. Clones are the same.
#[derive(Clone)]
pub struct Wake {
    ctx: egui::Context,
    start: Instant,
    /// When the last frame began, in microseconds since the start.
    last: Arc<AtomicU64>,
    /// Whether a frame was asked for since then.
    is_asked: Arc<AtomicBool>,
}

impl Wake {
    pub fn new(ctx: &egui::Context) -> Wake {
        Wake { ctx: ctx.clone(), start: Instant::now(), last: Arc::default(), is_asked: Arc::default() }
    }

    fn since_start(&self) -> Duration {
        self.start.elapsed()
    }

    /// Notes that a frame begins. What arrives from now on needs another one.
    pub fn frame_begins(&self) {
        self.is_asked.store(false, Ordering::SeqCst);
        self.last.store(self.since_start().as_micros() as u64, Ordering::Relaxed);
    }

    /// Asks for a frame as soon as the rate allows it.
    pub fn wake(&self) {
        // Once for all that arrives until then.
        if self.is_asked.swap(true, Ordering::SeqCst) {
            return;
        }
        let last = Duration::from_micros(self.last.load(Ordering::Relaxed));
        let rest = (last + FRAME).saturating_sub(self.since_start());
        // Without any delay egui draws two frames, one right after the other.
        self.ctx.request_repaint_after(rest.max(Duration::from_millis(1)));
    }

    /// Asks for a frame at a later time.
    pub fn wake_at(&self, time: Instant) {
        let rest = time.saturating_duration_since(Instant::now());
        self.ctx.request_repaint_after(rest.max(Duration::from_millis(1)));
    }
}
