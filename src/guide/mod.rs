//! Guides to how the parts of this crate work together; contains no code.

pub mod protocol {
    #![doc = include_str!("protocol.md")]
}

pub mod turns {
    #![doc = include_str!("turns.md")]
}

pub mod limits_and_retries {
    #![doc = include_str!("limits_and_retries.md")]
}

pub mod structured_answers {
    #![doc = include_str!("structured_answers.md")]
}

pub mod many_prompts {
    #![doc = include_str!("many_prompts.md")]
}

pub mod threads {
    #![doc = include_str!("threads.md")]
}

pub mod signing_in {
    #![doc = include_str!("signing_in.md")]
}

pub mod event_loops {
    #![doc = include_str!("event_loops.md")]
}

pub mod official_sdk {
    #![doc = include_str!("official_sdk.md")]
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

pub mod recording {
    #![doc = include_str!("recording.md")]
}

pub mod performance {
    #![doc = include_str!("performance.md")]
}

pub mod other_languages {
    #![doc = include_str!("other_languages.md")]
}

pub mod architecture {
    #![doc = include_str!("architecture.md")]
}
