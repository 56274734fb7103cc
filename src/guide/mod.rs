//! Guides to how the parts of this crate work together; contains no code.

pub mod protocol {
    #![doc = include_str!("protocol.md")]
}

pub mod turns {
    #![doc = include_str!("turns.md")]
}

pub mod threads {
    #![doc = include_str!("threads.md")]
}

pub mod event_loops {
    #![doc = include_str!("event_loops.md")]
}

pub mod from_python {
    #![doc = include_str!("from_python.md")]
}

pub mod terminal {
    #![doc = include_str!("terminal.md")]
}

#[cfg(feature = "websocket")]
pub mod transports {
    #![doc = include_str!("transports.md")]
}

pub mod performance {
    #![doc = include_str!("performance.md")]
}

pub mod architecture {
    #![doc = include_str!("architecture.md")]
}
