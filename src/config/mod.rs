//! The settings of threads and turns.
//!
//! Relies on `setting`. Invariant: an unset field is not sent, and in a merge the later setting wins
//! field by field.

mod options;
mod shorthand;

use std::path::PathBuf;

use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;

pub use self::options::{BatchWriteConfig, ListModels, ListThreads, ReadConfig, WriteConfigValue};
pub(crate) use self::shorthand::text_of;
use crate::{
    error::{Error, Result},
    protocol::{
        AskForApproval as ApprovalPolicy, CollaborationMode, Personality, ReasoningEffort, ReasoningSummary,
        SandboxMode, SandboxPolicy, wire::show_object,
    },
    setting::Setting,
};

/// Serializes settings as parameters of the protocol, whose names differ from those of the settings' own JSON.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Params<'a, T>(pub(crate) &'a T);

/// Declares a settings struct with its setters and its merge, so that none of them can omit a field.
macro_rules! settings {
    (
        $(#[$about:meta])*
        pub struct $name:ident {
            $( $(#[$field_about:meta])* $field:ident : $type:ty, )*
        }
    ) => {
        $(#[$about])*
        #[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
        #[serde(default, deny_unknown_fields)]
        #[must_use = "settings do nothing until a call takes them"]
        #[non_exhaustive]
        pub struct $name {
            $(
                $(#[$field_about])*
                #[serde(skip_serializing_if = "Setting::is_unset")]
                pub $field: Setting<$type>,
            )*
        }

        impl std::fmt::Debug for $name {
            /// Masks the values of the server's configuration, which may be secret.
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                let fields: &[(_, _, &dyn std::fmt::Debug)] =
                    &[$( (stringify!($field), stringify!($field), &self.$field), )*];
                show_object(f, stringify!($name), fields)
            }
        }

        impl Serialize for Params<'_, $name> {
            fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
                #[derive(Serialize)]
                #[serde(rename_all = "camelCase")]
                struct Fields<'a> {
                    $(
                        #[serde(skip_serializing_if = "Setting::is_unset")]
                        $field: Setting<&'a $type>,
                    )*
                }
                Fields { $( $field: self.0.$field.as_ref(), )* }.serialize(serializer)
            }
        }

        impl $name {
            /// Creates settings with every field unset.
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

            /// Merges two sets of settings. Each field that `later` sets, including to `null`, wins.
            pub fn merge(self, later: Self) -> Self {
                Self { $( $field: self.$field.merge(later.$field), )* }
            }
        }
    };
}

settings! {
    /// The settings with which a thread is started, resumed or forked. A field can be absent (the
    /// server's configuration applies), `null` (the same, but it overrides an earlier value in a merge),
    /// or set.
    ///
    /// As JSON it has its set fields as members; values that are types of the protocol have the protocol's form. A
    /// member that is no field is an error.
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
        /// The agent's working directory. With a writable sandbox, the server records it as trusted in
        /// the user's `config.toml`.
        cwd: PathBuf,
        /// Replaces the server's own instructions to the model.
        base_instructions: String,
        /// Instructions in addition to the server's own. They are part of the beginning of a thread:
        /// after a resume or a fork, server 0.169 shows them to the model only once the thread has been
        /// compacted.
        developer_instructions: String,
        /// The model. The server accepts an unknown model, with a warning on each turn.
        model: String,
        /// The model provider, by its name in the server's configuration.
        model_provider: String,
        /// When the server asks for approval before it runs something.
        approval_policy: ApprovalPolicy,
        /// The sandbox in which commands run.
        sandbox: SandboxMode,
        /// The tone of the answers. Deprecated by the server, without effect on 0.169.
        personality: Personality,
        /// Whether the thread is only held in memory. Has no effect on a resumed thread; a fork does not
        /// accept `null`.
        ephemeral: bool,
        /// Overrides of the server's configuration, by configuration key. Unknown keys are ignored.
        config: Value,
    }
}

settings! {
    /// The settings with which a turn is started. All of them except `output_schema` also apply to the
    /// thread's later turns. A field that is absent or `null` keeps the current value.
    ///
    /// As JSON it has its set fields as members; values that are types of the protocol have the protocol's form. A
    /// member that is no field is an error.
    pub struct TurnOverrides {
        /// The agent's working directory.
        cwd: PathBuf,
        /// The model.
        model: String,
        /// The model's reasoning effort.
        effort: ReasoningEffort,
        /// How detailed the summary of the model's reasoning is.
        summary: ReasoningSummary,
        /// The sandbox in which commands run.
        sandbox_policy: SandboxPolicy,
        /// The tone of the answers. Deprecated by the server, without effect on 0.169.
        personality: Personality,
        /// When the server asks for approval before it runs something.
        approval_policy: ApprovalPolicy,
        /// The JSON schema of the final answer. The server validates neither the schema nor the answer.
        output_schema: Value,
        /// The agent's collaboration mode. Plan mode stays on until a turn sets
        /// [`CollaborationMode::default_mode`]. Requires `experimental_api(true)`.
        collaboration_mode: CollaborationMode,
    }
}

impl ThreadConfig {
    /// The fields that `turn/start` accepts, for a thread that is already loaded.
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

    /// The protocol names of the fields that are set.
    pub(crate) fn names_of_set(&self) -> Vec<String> {
        match serde_json::to_value(Params(self)) {
            Ok(Value::Object(fields)) => fields.into_iter().map(|(name, _)| name).collect(),
            _ => Vec::new(),
        }
    }

    /// Whether no field is set.
    pub(crate) fn is_unset(&self) -> bool {
        *self == ThreadConfig::default()
    }

    /// The names of the set fields that `thread/resume` does not accept.
    pub(crate) fn not_for_resume(&self) -> Vec<String> {
        (!self.ephemeral.is_unset()).then(|| "ephemeral".to_owned()).into_iter().collect()
    }

    /// The names of the set fields that `turn/start` does not accept.
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

    /// Rejects settings that the server would refuse with an error that doesn't name the field.
    pub(crate) fn check_for(&self, method: &str) -> Result<()> {
        if self.config.value().is_some_and(|config| !config.is_object()) {
            return Err(Error::invalid("`config` must be an object of configuration keys"));
        }
        if method == "thread/fork" && self.ephemeral.is_null() {
            return Err(Error::invalid("thread/fork does not accept null for `ephemeral`; leave it unset"));
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
        let config = config.model_provider("p");
        let sent = serde_json::to_value(Params(&config)).unwrap();
        assert_eq!(sent, json!({"cwd": "/w", "model": null, "modelProvider": "p", "sandbox": "read-only"}));
    }

    #[test]
    fn settings_have_a_json_of_their_own_which_names_a_member_that_it_does_not_know() {
        let config = ThreadConfig::new().cwd("/w").model(Setting::Null).model_provider("p");
        let tree = serde_json::to_value(&config).unwrap();
        assert_eq!(tree, json!({"cwd": "/w", "model": null, "model_provider": "p"}));
        assert_eq!(serde_json::from_value::<ThreadConfig>(tree).unwrap(), config);
        let error = serde_json::from_value::<TurnOverrides>(json!({"modle": "m"})).unwrap_err();
        assert!(error.to_string().contains("unknown field `modle`"), "{error}");
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
        let carried = serde_json::to_value(Params(&config.for_turn())).unwrap();
        assert_eq!(carried, json!({"model": "m", "sandboxPolicy": {"type": "dangerFullAccess"}}));
        assert_eq!(config.not_for_turn(), ["baseInstructions", "ephemeral"]);
    }
}
