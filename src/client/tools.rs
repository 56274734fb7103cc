//! The tools that this program gives to threads.
//!
//! Relies on `approval`, which keeps and runs them. Invariant: a thread has its tools before the server
//! can ask for a call.

use super::{Client, loading::ThreadParams};
use crate::{approval::ToolSet, config::ThreadConfig, error::Result};

impl Client {
    /// Starts a thread with these tools, and gives its id.
    pub(crate) fn open_thread_with_tools(&self, config: &ThreadConfig, tools: ToolSet) -> Result<String> {
        const METHOD: &str = "thread/start";
        config.check_for(METHOD)?;
        let deadline = self.deadline();
        self.require_experimental("`dynamicTools` of thread/start", deadline)?;
        let dynamic_tools = Some(tools.specs());
        let params = ThreadParams { thread_id: None, exclude_turns: false, dynamic_tools, config };
        let thread_id = self.open_with(METHOD, &params, deadline)?;
        self.inner.desk.put_tools(&thread_id, Some(tools));
        Ok(thread_id)
    }

    /// Resumes a thread that has these tools from before the request on: a turn that runs there may call
    /// one as soon as this connection is subscribed. If it fails the thread has what it had.
    pub(crate) fn resume_with_tools<T>(
        &self,
        thread_id: &str,
        tools: ToolSet,
        resume: impl FnOnce() -> Result<T>,
    ) -> Result<T> {
        let before = self.inner.desk.put_tools(thread_id, Some(tools));
        resume().inspect_err(|_| {
            self.inner.desk.put_tools(thread_id, before);
        })
    }
}
