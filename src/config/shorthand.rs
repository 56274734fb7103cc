//! Convenience constructors for the protocol's policy and mode types.
//!
//! Relies on `protocol`. Invariant: everything here can also be built from the types' own parts.

use std::path::PathBuf;

use serde_json::Value;

use crate::{
    protocol::{
        ApprovalsReviewer, AskForApproval, BaseBranchReviewTarget, CollaborationMode, CommitReviewTarget,
        ConfigEdit, CustomReviewTarget, FunctionCallOutputBody, GranularAskForApproval, MergeStrategy,
        ModeKind, Personality, ReadOnlySandboxPolicy, ReasoningEffort, ReasoningSummary, ReviewDelivery,
        ReviewTarget, SandboxMode, SandboxPolicy, Settings, ThreadStartSource, Unknown,
        WorkspaceWriteSandboxPolicy,
    },
    setting::Setting,
};

impl From<&str> for AskForApproval {
    fn from(text: &str) -> Self {
        match text {
            "untrusted" => AskForApproval::Untrusted,
            "on-request" => AskForApproval::OnRequest,
            "never" => AskForApproval::Never,
            other => AskForApproval::Unknown(Unknown::from(Value::from(other))),
        }
    }
}

/// Lets setters of string enums accept text, including unknown values.
macro_rules! from_text {
    ($($name:ident)*) => {$(
        impl From<&str> for Setting<$name> {
            fn from(text: &str) -> Self {
                Setting::Value($name::from(text))
            }
        }
    )*};
}

from_text!(ApprovalsReviewer AskForApproval Personality ReasoningEffort ReasoningSummary SandboxMode ThreadStartSource);

impl GranularAskForApproval {
    /// Enables or disables every kind of approval request.
    ///
    /// ```
    /// use codex_blocking::{ApprovalPolicy, GranularApproval, ThreadConfig};
    ///
    /// let only_rules = GranularApproval::all(false).request_permissions(true);
    /// let config = ThreadConfig::new().approval_policy(ApprovalPolicy::Granular(only_rules));
    /// ```
    pub fn all(asked: bool) -> Self {
        GranularAskForApproval::new(asked, asked, asked).request_permissions(asked).skill_approval(asked)
    }
}

impl SandboxPolicy {
    /// Read-only access, without network access.
    pub fn read_only() -> Self {
        ReadOnlySandboxPolicy::new().network_access(false).into()
    }

    /// Write access to these directories, which must be absolute, and to the working and temporary
    /// directories; without network access.
    ///
    /// Invalid Unicode in a path is replaced, since JSON can't represent it.
    pub fn workspace_write<P: Into<PathBuf>>(writable_roots: impl IntoIterator<Item = P>) -> Self {
        let roots: Vec<String> = writable_roots.into_iter().map(text_of).collect();
        WorkspaceWriteSandboxPolicy::new()
            .writable_roots(roots)
            .network_access(false)
            .exclude_tmpdir_env_var(false)
            .exclude_slash_tmp(false)
            .into()
    }

    /// Returns the policy that a thread's sandbox mode stands for, or `None` for a mode unknown to this
    /// version of the crate.
    pub fn of_mode(mode: &SandboxMode) -> Option<Self> {
        match mode {
            SandboxMode::ReadOnly => Some(SandboxPolicy::read_only()),
            SandboxMode::WorkspaceWrite => Some(SandboxPolicy::workspace_write::<PathBuf>([])),
            SandboxMode::DangerFullAccess => Some(SandboxPolicy::DangerFullAccess),
            SandboxMode::Other(_) => None,
        }
    }
}

impl ReviewTarget {
    /// Reviews the changes relative to this branch.
    pub fn base_branch(branch: impl Into<String>) -> Self {
        BaseBranchReviewTarget::new(branch).into()
    }

    /// Reviews one commit.
    pub fn commit(sha: impl Into<String>) -> Self {
        CommitReviewTarget::new(sha).into()
    }

    /// Reviews according to these instructions.
    pub fn custom(instructions: impl Into<String>) -> Self {
        CustomReviewTarget::new(instructions).into()
    }
}

impl ReviewDelivery {
    /// Runs the review in its own thread. Not supported by servers since 0.169; run the review on a fork
    /// instead.
    pub fn detached() -> Self {
        ReviewDelivery::Other("detached".to_owned())
    }
}

impl ConfigEdit {
    /// Sets the key, merging objects member by member; null removes the key.
    pub fn upsert(key_path: impl Into<String>, value: impl Into<Value>) -> Self {
        ConfigEdit::new(key_path, MergeStrategy::Upsert, value)
    }

    /// Sets the key, replacing any existing value; null removes the key.
    pub fn replace(key_path: impl Into<String>, value: impl Into<Value>) -> Self {
        ConfigEdit::new(key_path, MergeStrategy::Replace, value)
    }
}

/// Converts a path to the protocol's text, replacing invalid Unicode.
pub(crate) fn text_of(path: impl Into<PathBuf>) -> String {
    match path.into().into_os_string().into_string() {
        Ok(text) => text,
        Err(path) => path.to_string_lossy().into_owned(),
    }
}

impl From<&str> for FunctionCallOutputBody {
    fn from(text: &str) -> Self {
        FunctionCallOutputBody::Text(text.to_owned())
    }
}

impl From<String> for FunctionCallOutputBody {
    fn from(text: String) -> Self {
        FunctionCallOutputBody::Text(text)
    }
}

impl From<&str> for Settings {
    /// Settings for this model.
    fn from(model: &str) -> Self {
        Settings::new(model)
    }
}

impl From<String> for Settings {
    /// Settings for this model.
    fn from(model: String) -> Self {
        Settings::new(model)
    }
}

impl CollaborationMode {
    /// Plan mode: the agent makes a plan with this model, and can ask the user.
    ///
    /// Like all overrides of a turn, the mode stays on for the thread's later turns, until another one is set.
    ///
    /// ```
    /// # let client = codex_blocking::testing::ScriptedServer::new().client()?;
    /// use codex_blocking::{ChatRequest, CollaborationMode, ReasoningEffort, ThreadConfig, TurnOverrides};
    ///
    /// let thread = client.start_thread(ThreadConfig::new())?;
    /// let plan = TurnOverrides::new()
    ///     .collaboration_mode(CollaborationMode::plan("gpt-5").effort(ReasoningEffort::High));
    /// thread.chat_once(ChatRequest::new("How would you port the parser?").overrides(plan))?;
    /// let work = TurnOverrides::new().collaboration_mode(CollaborationMode::default_mode("gpt-5"));
    /// thread.chat_once(ChatRequest::new("Do it").overrides(work))?;
    /// # Ok::<(), codex_blocking::Error>(())
    /// ```
    pub fn plan(model: impl Into<String>) -> Self {
        CollaborationMode::new(ModeKind::Plan, Settings::new(model))
    }

    /// The mode in which threads start: the agent works, with this model. A turn that sets it leaves plan
    /// mode, for the thread's later turns too.
    pub fn default_mode(model: impl Into<String>) -> Self {
        CollaborationMode::new(ModeKind::Default, Settings::new(model))
    }

    /// Sets the model's reasoning effort in this mode.
    #[must_use]
    pub fn effort(mut self, effort: impl Into<ReasoningEffort>) -> Self {
        self.settings.reasoning_effort = Some(effort.into());
        self
    }

    /// Sets the instructions for this mode.
    #[must_use]
    pub fn developer_instructions(mut self, instructions: impl Into<String>) -> Self {
        self.settings.developer_instructions = Some(instructions.into());
        self
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::config::{ThreadConfig, TurnOverrides};

    #[test]
    fn words_that_are_not_known_survive() {
        let mode: SandboxMode = serde_json::from_value(json!("moon")).unwrap();
        assert_eq!(mode, SandboxMode::Other("moon".to_owned()));
        assert_eq!(serde_json::to_value(&mode).unwrap(), json!("moon"));
        assert_eq!(serde_json::to_value(AskForApproval::from("moon")).unwrap(), json!("moon"));
    }

    #[test]
    fn a_word_can_be_given_as_text() {
        let config = ThreadConfig::new().sandbox("read-only").approval_policy("never").personality("moon");
        assert_eq!(config.sandbox, Setting::Value(SandboxMode::ReadOnly));
        assert_eq!(config.approval_policy, Setting::Value(AskForApproval::Never));
        assert_eq!(config.personality, Setting::Value(Personality::Other("moon".to_owned())));
        let overrides = TurnOverrides::new().effort("high").summary("concise");
        assert_eq!(overrides.effort, Setting::Value(ReasoningEffort::High));
        assert_eq!(overrides.summary, Setting::Value(ReasoningSummary::Concise));
    }

    #[test]
    fn every_shape_of_a_policy_survives_json() {
        let granular = GranularAskForApproval::all(false).skill_approval(true);
        assert_eq!(
            serde_json::to_value(AskForApproval::Granular(granular)).unwrap(),
            json!({"granular": {"sandbox_approval": false, "rules": false, "mcp_elicitations": false,
                "request_permissions": false, "skill_approval": true}}),
        );
        for value in [json!("never"), json!("moon"), json!({"lunar": 1})] {
            let policy: AskForApproval = serde_json::from_value(value.clone()).unwrap();
            assert_eq!(serde_json::to_value(&policy).unwrap(), value);
        }
        for value in [
            json!({"type": "dangerFullAccess"}),
            json!({"type": "readOnly", "networkAccess": true}),
            json!({"type": "workspaceWrite", "writableRoots": ["/a"], "networkAccess": true,
                "excludeTmpdirEnvVar": false, "excludeSlashTmp": true}),
            json!({"type": "externalSandbox", "networkAccess": "enabled"}),
            json!({"type": "moon", "x": 1}),
        ] {
            let policy: SandboxPolicy = serde_json::from_value(value.clone()).unwrap();
            assert_eq!(serde_json::to_value(&policy).unwrap(), value);
        }
    }

    #[test]
    fn a_policy_of_our_own_says_all_it_means() {
        assert_eq!(
            serde_json::to_value(SandboxPolicy::workspace_write(["/a"])).unwrap(),
            json!({"type": "workspaceWrite", "writableRoots": ["/a"], "networkAccess": false,
                "excludeTmpdirEnvVar": false, "excludeSlashTmp": false}),
        );
        assert_eq!(
            serde_json::to_value(SandboxPolicy::of_mode(&SandboxMode::ReadOnly)).unwrap(),
            json!({"type": "readOnly", "networkAccess": false}),
        );
        assert_eq!(SandboxPolicy::of_mode(&"moon".into()), None);
    }

    #[test]
    fn what_a_review_looks_at_has_the_shape_of_the_wire() {
        for (target, expected) in [
            (ReviewTarget::base_branch("main"), json!({"type": "baseBranch", "branch": "main"})),
            (ReviewTarget::commit("abc"), json!({"type": "commit", "sha": "abc"})),
            (ReviewTarget::custom("look"), json!({"type": "custom", "instructions": "look"})),
        ] {
            assert_eq!(serde_json::to_value(target).unwrap(), expected);
        }
    }

    #[test]
    fn a_mode_has_the_shape_of_the_wire() {
        let mode = CollaborationMode::plan("m").effort("high").developer_instructions("d");
        assert_eq!(
            serde_json::to_value(mode).unwrap(),
            json!({"mode": "plan",
                "settings": {"model": "m", "reasoning_effort": "high", "developer_instructions": "d"}}),
        );
        assert_eq!(
            serde_json::to_value(CollaborationMode::default_mode("m")).unwrap(),
            json!({"mode": "default", "settings": {"model": "m"}}),
        );
    }
}
