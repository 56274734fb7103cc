//! What a caller can set on a thread and on a turn.
//!
//! Relies on `setting`. Invariant: a field that was not set is not sent, and merging lets the
//! later setting win field by field.

mod options;
mod shorthand;

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use self::options::{BatchWriteConfig, ListModels, ListThreads, ReadConfig, WriteConfigValue};
pub(crate) use self::shorthand::text_of;
use crate::{
    error::{Error, Result},
    protocol::{
        AskForApproval as ApprovalPolicy, CollaborationMode, Personality, ReasoningEffort, ReasoningSummary,
        SandboxMode, SandboxPolicy,
    },
    setting::Setting,
};

/// Declares a struct of settings with its setters and its merge, so that no field is forgotten in
/// one of them.
macro_rules! settings {
    (
        $(#[$about:meta])*
        pub struct $name:ident {
            $( $(#[$field_about:meta])* $field:ident : $type:ty, )*
        }
    ) => {
        $(#[$about])*
        #[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
        #[serde(rename_all = "camelCase", default)]
        #[must_use = "settings do nothing until a call takes them"]
        #[non_exhaustive]
        pub struct $name {
            $(
                $(#[$field_about])*
                #[serde(skip_serializing_if = "Setting::is_unset")]
                pub $field: Setting<$type>,
            )*
        }

        impl $name {
            /// With nothing set.
            pub fn new() -> Self {
                Self::default()
            }

            $(
                $(#[$field_about])*
                pub fn $field(mut self, $field: impl Into<Setting<$type>>) -> Self {
                    self.$field = $field.into();
                    self
                }
            )*

            /// Field by field, what `later` sets wins, `null` too.
            pub fn merge(self, later: Self) -> Self {
                Self { $( $field: self.$field.merge(later.$field), )* }
            }
        }
    };
}

settings! {
    /// What a thread is started, resumed or forked with. Each field can be left out (the server's
    /// own configuration holds), `null` (the same, and wins over an earlier value in a merge), or set.
    ///
    /// ```
    /// use codex_blocking::{ApprovalPolicy, SandboxMode, ThreadConfig};
    ///
    /// let config = ThreadConfig::new()
    ///     .cwd("/my/project")
    ///     .sandbox(SandboxMode::WorkspaceWrite)
    ///     .approval_policy(ApprovalPolicy::Never);
    /// ```
    pub struct ThreadConfig {
        /// The folder the agent works in. With a writable sandbox the server notes it as trusted
        /// in the user's `config.toml`.
        cwd: PathBuf,
        /// Replaces the server's own instructions to the model.
        base_instructions: String,
        /// Instructions beside the server's own. They are part of what a thread begins with: the
        /// server of 0.169 shows those of a resume or a fork to the model only once the thread is
        /// compacted.
        developer_instructions: String,
        /// The model. An unknown one is accepted, with a warning on each turn.
        model: String,
        /// The provider of the model, by its name in the server's configuration.
        model_provider: String,
        /// When the server asks before it runs something.
        approval_policy: ApprovalPolicy,
        /// What commands may touch.
        sandbox: SandboxMode,
        /// The tone of the answers. Deprecated by the server, without effect on 0.169.
        personality: Personality,
        /// Whether the thread is kept in memory only. Of no effect on a thread that is resumed; a fork
        /// takes no `null`.
        ephemeral: bool,
        /// Overrides of the server's configuration, by its keys. Unknown keys are ignored.
        config: Value,
    }
}

settings! {
    /// What one turn is started with. All but `output_schema` stay for the thread's later turns; a
    /// field that is left out or `null` keeps what is there.
    pub struct TurnOverrides {
        /// The folder the agent works in.
        cwd: PathBuf,
        /// The model.
        model: String,
        /// How hard the model thinks.
        effort: ReasoningEffort,
        /// How much of its thinking is summarised.
        summary: ReasoningSummary,
        /// What commands may touch.
        sandbox_policy: SandboxPolicy,
        /// The tone of the answers. Deprecated by the server, without effect on 0.169.
        personality: Personality,
        /// When the server asks before it runs something.
        approval_policy: ApprovalPolicy,
        /// The JSON schema of the answer. The server checks neither it nor the answer.
        output_schema: Value,
        /// How the agent works with the user. Needs `experimental_api(true)`.
        collaboration_mode: CollaborationMode,
    }
}

impl ThreadConfig {
    /// The part that `turn/start` can carry, for a thread that is loaded already.
    pub(crate) fn for_turn(&self) -> TurnOverrides {
        TurnOverrides {
            cwd: self.cwd.clone(),
            model: self.model.clone(),
            personality: self.personality.clone(),
            approval_policy: self.approval_policy.clone(),
            sandbox_policy: match &self.sandbox {
                Setting::Unset => Setting::Unset,
                Setting::Null => Setting::Null,
                Setting::Value(mode) => SandboxPolicy::of_mode(mode).map_or(Setting::Unset, Setting::Value),
            },
            ..TurnOverrides::default()
        }
    }

    /// The protocol's names of the fields that are set.
    pub(crate) fn names_of_set(&self) -> Vec<String> {
        match serde_json::to_value(self) {
            Ok(Value::Object(fields)) => fields.into_iter().map(|(name, _)| name).collect(),
            _ => Vec::new(),
        }
    }

    /// Whether no field is set.
    pub(crate) fn is_unset(&self) -> bool {
        *self == ThreadConfig::default()
    }

    /// The names of the set fields that `thread/resume` has no place for.
    pub(crate) fn not_for_resume(&self) -> Vec<String> {
        (!self.ephemeral.is_unset()).then(|| "ephemeral".to_owned()).into_iter().collect()
    }

    /// The names of the set fields that `turn/start` can't carry.
    pub(crate) fn not_for_turn(&self) -> Vec<String> {
        let carried = self.for_turn();
        let mut names = self.names_of_set();
        names.retain(|name| match name.as_str() {
            "sandbox" => carried.sandbox_policy.is_unset(),
            "cwd" | "model" | "personality" | "approvalPolicy" => false,
            _ => true,
        });
        names
    }

    /// What the method would refuse with words that name no field.
    pub(crate) fn check_for(&self, method: &str) -> Result<()> {
        if self.config.value().is_some_and(|config| !config.is_object()) {
            return Err(Error::invalid("`config` takes an object of configuration keys"));
        }
        if method == "thread/fork" && self.ephemeral.is_null() {
            return Err(Error::invalid("thread/fork takes no null for `ephemeral`; leave it unset"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_not_set_is_not_sent_and_null_is() {
        let config = ThreadConfig::new().cwd("/w").model(Setting::Null).sandbox(SandboxMode::ReadOnly);
        let sent = serde_json::to_value(&config).unwrap();
        assert_eq!(sent, json!({"cwd": "/w", "model": null, "sandbox": "read-only"}));
        assert_eq!(serde_json::from_value::<ThreadConfig>(sent).unwrap(), config);
    }

    #[test]
    fn the_later_setting_wins_field_by_field() {
        let merged = ThreadConfig::new()
            .model("a")
            .cwd("/a")
            .merge(ThreadConfig::new().model(Setting::Null).ephemeral(true));
        assert_eq!(merged, ThreadConfig::new().model(Setting::Null).cwd("/a").ephemeral(true));
    }

    #[test]
    fn what_a_turn_can_carry_of_a_threads_configuration_is_told_from_the_rest() {
        let config = ThreadConfig::new()
            .model("m")
            .sandbox(SandboxMode::DangerFullAccess)
            .ephemeral(true)
            .base_instructions("x");
        let carried = serde_json::to_value(config.for_turn()).unwrap();
        assert_eq!(carried, json!({"model": "m", "sandboxPolicy": {"type": "dangerFullAccess"}}));
        assert_eq!(config.not_for_turn(), ["baseInstructions", "ephemeral"]);
    }
}
