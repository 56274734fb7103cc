//! The settings of threads and turns.
//!
//! Relies on `setting`. Invariant: an unset field is not sent, in a merge the later setting wins field by
//! field, and what a method has no place for is refused or listed by its name.

mod exact;
mod extra;
mod options;
mod shorthand;

use std::path::PathBuf;

use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;

pub use self::options::{BatchWriteConfig, ListModels, ListThreads, ReadConfig, WriteConfigValue};
pub(crate) use self::{exact::exactly, extra::Extra, shorthand::text_of};
#[cfg(feature = "experimental")]
use crate::protocol::{
    AbsolutePathBuf, CyberAccessProgram, MultiAgentMode, SelectedCapabilityRoot, ThreadHistoryMode,
    TurnEnvironmentParams,
};
use crate::{
    error::{Error, Result},
    protocol::{
        ApprovalsReviewer, AskForApproval as ApprovalPolicy, CollaborationMode, Personality, ReasoningEffort,
        ReasoningSummary, SandboxMode, SandboxPolicy, ThreadStartSource, wire::show_object,
    },
    setting::Setting,
};

/// Serializes settings as parameters of the protocol, whose names differ from those of the settings' own JSON.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Params<'a, T>(pub(crate) &'a T);

/// Declares a settings struct with its setters and its merge, so that none of them can omit a field. The
/// second list has the fields of the feature `experimental`.
macro_rules! settings {
    (
        $(#[$about:meta])*
        pub struct $name:ident {
            $( $(#[$field_about:meta])* $field:ident : $type:ty, )*
        }
        experimental {
            $( $(#[$x_about:meta])* $x_field:ident : $x_type:ty, )*
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
                #[serde(skip_serializing_if = "Setting::is_unset", deserialize_with = "exactly")]
                pub $field: Setting<$type>,
            )*
            $(
                $(#[$x_about])*
                ///
                /// Experimental: requires [`experimental_api(true)`](crate::ClientBuilder::experimental_api).
                #[cfg(feature = "experimental")]
                #[serde(skip_serializing_if = "Setting::is_unset", deserialize_with = "exactly")]
                pub $x_field: Setting<$x_type>,
            )*
            #[serde(skip_serializing_if = "Extra::is_empty")]
            pub(crate) extra: Extra,
        }

        impl std::fmt::Debug for $name {
            /// Masks the values of the server's configuration and of extra parameters, which may be secret.
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                let fields: &[(_, _, &dyn std::fmt::Debug)] = &[
                    $( (stringify!($field), stringify!($field), &self.$field), )*
                    $(
                        #[cfg(feature = "experimental")]
                        (stringify!($x_field), stringify!($x_field), &self.$x_field),
                    )*
                    ("extra", "extra", &self.extra),
                ];
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
                    $(
                        #[cfg(feature = "experimental")]
                        #[serde(skip_serializing_if = "Setting::is_unset")]
                        $x_field: Setting<&'a $x_type>,
                    )*
                    #[serde(flatten)]
                    extra: &'a Extra,
                }
                let fields = Fields {
                    $( $field: self.0.$field.as_ref(), )*
                    $(
                        #[cfg(feature = "experimental")]
                        $x_field: self.0.$x_field.as_ref(),
                    )*
                    extra: &self.0.extra,
                };
                fields.serialize(serializer)
            }
        }

        impl $name {
            /// The stable fields.
            const STABLE: &[&str] = &[$( stringify!($field), )*];

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

            $(
                $(#[$x_about])*
                ///
                /// Experimental: requires [`experimental_api(true)`](crate::ClientBuilder::experimental_api).
                #[cfg(feature = "experimental")]
                pub fn $x_field(mut self, $x_field: impl Into<Setting<$x_type>>) -> Self {
                    self.$x_field = $x_field.into();
                    self
                }
            )*

            /// Sets a parameter that this version of the crate has no setter for, under its name in the
            /// protocol. It is sent as it is; without the feature `experimental`, this also sends experimental
            /// parameters.
            ///
            /// The call that takes the settings returns [`Error::InvalidInput`](crate::Error::InvalidInput) if
            /// the name belongs to a parameter that a setter or the client itself sends.
            pub fn extra(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
                self.extra.set(name, value);
                self
            }

            /// Merges two sets of settings. Each field that `later` sets, including to `null`, wins.
            pub fn merge(self, later: Self) -> Self {
                Self {
                    $( $field: self.$field.merge(later.$field), )*
                    $(
                        #[cfg(feature = "experimental")]
                        $x_field: self.$x_field.merge(later.$x_field),
                    )*
                    extra: self.extra.merge(later.extra),
                }
            }

            /// # Errors
            /// `InvalidInput` if JSON can't contain the working directory, or if an extra parameter has the name of
            /// one that a setter sends, or that is among `others`: the names that the client sends by itself.
            pub(crate) fn check(&self, others: &[&str]) -> Result<()> {
                check_path(&self.cwd)?;
                if self.extra.is_empty() {
                    return Ok(());
                }
                self.extra.check(Self::STABLE, others)?;
                // The experimental setters: only what is set, so that the feature does not change what works.
                let plain = Self { extra: Extra::default(), ..self.clone() };
                self.extra.check_against(&Params(&plain))
            }
        }
    };
}

settings! {
    /// The settings with which a thread is started, resumed or forked. A field can be absent (the
    /// server's configuration applies), `null` (the same, but it overrides an earlier value in a merge),
    /// or set.
    ///
    /// As JSON it has its set fields as members; values that are types of the protocol have the protocol's form.
    /// [`extra`](Self::extra) is an object. A member that is no field is an error, also inside these values.
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
        /// The agent's working directory, which must be Unicode. With a writable sandbox, the server records it as
        /// trusted in the user's `config.toml`.
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
        /// Who decides about approval requests: the user, that is, this program (the server's default), or a
        /// reviewer of the server's.
        approvals_reviewer: ApprovalsReviewer,
        /// The sandbox in which commands run.
        sandbox: SandboxMode,
        /// The name of a permission profile of the server's configuration, instead of `sandbox`. Experimental:
        /// requires [`experimental_api(true)`](crate::ClientBuilder::experimental_api).
        permissions: String,
        /// The service tier, which determines the speed and the price of the model.
        service_tier: String,
        /// The tone of the answers. Deprecated by the server, without effect on 0.169.
        personality: Personality,
        /// Whether the thread is only held in memory. Has no effect on a resumed thread; a fork does not
        /// accept `null`.
        ephemeral: bool,
        /// The name of the service that this program is, for the server's statistics. Has no effect on a
        /// resumed thread or a fork.
        service_name: String,
        /// What caused the session to start. Has no effect on a resumed thread or a fork.
        session_start_source: ThreadStartSource,
        /// How the server's statistics classify the thread. Has no effect on a resumed thread.
        thread_source: String,
        /// Overrides of the server's configuration, by configuration key. Unknown keys are ignored.
        config: Value,
    }
    experimental {
        /// Whether the provider may replace an unavailable model with its default one. For new threads.
        allow_provider_model_fallback: bool,
        /// Whether the fork is attached to its source and hidden from lists. For forks.
        attach_to_source: bool,
        /// The turn before which the source is cut: this turn and later ones are not in the fork. For forks;
        /// not inherited by forks of the fork.
        before_turn_id: String,
        /// The thread's initial Daybreak choice. For new threads.
        daybreak_enabled: bool,
        /// Whether a goal that the fork takes over waits for the next turn instead of continuing by itself. For
        /// forks.
        defer_goal_continuation: bool,
        /// The environments of the thread; an empty list means none. Turns can carry them too. For new threads.
        environments: Vec<TurnEnvironmentParams>,
        /// Whether MCP servers are disabled in prediction mode. For forks.
        experimental_disable_prediction_mcp: bool,
        /// Whether the fork starts from its loaded source, to use the model's prompt cache. For ephemeral forks.
        experimental_prediction_mode: bool,
        /// Whether the server sends the model's own items too, as notifications without a schema. For new threads.
        experimental_raw_events: bool,
        /// How the thread is stored. For new threads.
        history_mode: ThreadHistoryMode,
        /// Ignored by server 0.169. For new threads.
        multi_agent_mode: MultiAgentMode,
        /// The project that the thread belongs to. For new threads.
        project_id: String,
        /// The workspace folders, as absolute paths.
        runtime_workspace_roots: Vec<AbsolutePathBuf>,
        /// The capabilities that the program selects for the thread. For new threads.
        selected_capability_roots: Vec<SelectedCapabilityRoot>,
    }
}

/// The fields that only `thread/fork` accepts.
const ONLY_FOR_FORK: &[&str] = &[
    "attachToSource",
    "beforeTurnId",
    "deferGoalContinuation",
    "experimentalDisablePredictionMcp",
    "experimentalPredictionMode",
];

/// The fields that `thread/resume` does not accept, besides [`ONLY_FOR_FORK`].
const NOT_FOR_RESUME: &[&str] = &[
    "allowProviderModelFallback",
    "daybreakEnabled",
    "environments",
    "ephemeral",
    "experimentalRawEvents",
    "historyMode",
    "multiAgentMode",
    "projectId",
    "selectedCapabilityRoots",
    "serviceName",
    "sessionStartSource",
    "threadSource",
];

/// The fields that `thread/fork` does not accept. Without `personality`, which has no effect anywhere.
const NOT_FOR_FORK: &[&str] = &[
    "allowProviderModelFallback",
    "daybreakEnabled",
    "environments",
    "experimentalRawEvents",
    "historyMode",
    "multiAgentMode",
    "projectId",
    "selectedCapabilityRoots",
    "serviceName",
    "sessionStartSource",
];

/// The fields for which no server accepts null.
const NOT_NULL: &[&str] = &[
    "allowProviderModelFallback",
    "attachToSource",
    "deferGoalContinuation",
    "experimentalDisablePredictionMcp",
    "experimentalPredictionMode",
    "experimentalRawEvents",
];

/// The parameters of `thread/start`, `thread/resume` and `thread/fork` that the client itself sends.
const OF_THE_CLIENT: &[&str] = &["threadId", "excludeTurns", "lastTurnId", "dynamicTools"];

settings! {
    /// The settings with which a turn is started. All of them except `output_schema` and
    /// `service_tier_for_turn` also apply to the thread's later turns. A field that is absent or `null` keeps
    /// the current value.
    ///
    /// As JSON it has its set fields as members; values that are types of the protocol have the protocol's form.
    /// [`extra`](Self::extra) is an object. A member that is no field is an error, also inside these values.
    pub struct TurnOverrides {
        /// The agent's working directory, which must be Unicode.
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
        /// Who decides about approval requests, as in [`ThreadConfig::approvals_reviewer`].
        approvals_reviewer: ApprovalsReviewer,
        /// The name of a permission profile of the server's configuration, instead of `sandbox_policy`.
        /// Experimental: requires [`experimental_api(true)`](crate::ClientBuilder::experimental_api).
        permissions: String,
        /// The service tier, which determines the speed and the price of the model.
        service_tier: String,
        /// The service tier for this turn only. It has no effect on a turn that is already running. The chat returns
        /// [`Error::InvalidInput`](crate::Error::InvalidInput) if the server is older than 0.151, which would ignore
        /// it.
        service_tier_for_turn: String,
        /// The plugins that the thread does not use, by their ids; replaces the thread's list.
        disabled_plugin_ids: Vec<String>,
        /// The JSON schema of the final answer. The server validates neither the schema nor the answer.
        output_schema: Value,
        /// The agent's collaboration mode. Plan mode stays on until a turn sets
        /// [`CollaborationMode::default_mode`]. Requires `experimental_api(true)`.
        collaboration_mode: CollaborationMode,
    }
    experimental {
        /// The cyber program that the turn asks for. It grants no access, and holds for this turn only.
        cyber_access_program: CyberAccessProgram,
        /// The environments; an empty list means none.
        environments: Vec<TurnEnvironmentParams>,
        /// Ignored by server 0.169.
        multi_agent_mode: MultiAgentMode,
        /// The workspace folders, as absolute paths.
        runtime_workspace_roots: Vec<AbsolutePathBuf>,
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
            approvals_reviewer: self.approvals_reviewer.clone(),
            permissions: self.permissions.clone(),
            service_tier: self.service_tier.clone(),
            #[cfg(feature = "experimental")]
            environments: self.environments.clone(),
            #[cfg(feature = "experimental")]
            multi_agent_mode: self.multi_agent_mode.clone(),
            #[cfg(feature = "experimental")]
            runtime_workspace_roots: self.runtime_workspace_roots.clone(),
            sandbox_policy: match &self.sandbox {
                Setting::Unset => Setting::Unset,
                Setting::Null => Setting::Null,
                Setting::Value(mode) => SandboxPolicy::of_mode(mode).map_or(Setting::Unset, Setting::Value),
            },
            ..TurnOverrides::default()
        }
    }

    /// The configuration that a fork of this thread inherits: without what describes one fork only, and
    /// without a null that `thread/fork` does not accept.
    pub(crate) fn for_forks(mut self) -> ThreadConfig {
        // `thread/start` accepts null; both mean "no".
        if self.ephemeral.is_null() {
            self.ephemeral = Setting::Unset;
        }
        #[cfg(feature = "experimental")]
        {
            self.attach_to_source = Setting::Unset;
            self.before_turn_id = Setting::Unset;
            self.defer_goal_continuation = Setting::Unset;
            self.experimental_disable_prediction_mcp = Setting::Unset;
            self.experimental_prediction_mode = Setting::Unset;
        }
        self
    }

    /// Whether no field is set.
    pub(crate) fn is_unset(&self) -> bool {
        *self == ThreadConfig::default()
    }

    /// The names of the set fields that `thread/resume` does not accept.
    pub(crate) fn not_for_resume(&self) -> Vec<String> {
        self.names_among(&[NOT_FOR_RESUME, ONLY_FOR_FORK])
    }

    /// The names of the set fields that `thread/fork` does not accept.
    pub(crate) fn not_for_fork(&self) -> Vec<String> {
        self.names_among(&[NOT_FOR_FORK])
    }

    /// The names of the set fields that `turn/start` does not accept.
    pub(crate) fn not_for_turn(&self) -> Vec<String> {
        let carried = fields_of(&Params(&self.for_turn()));
        let is_carried = |name: &String| {
            let name = if name == "sandbox" { "sandboxPolicy" } else { name };
            carried.iter().any(|(carried, _)| carried == name)
        };
        let mut names: Vec<String> = fields_of(&Params(self)).into_iter().map(|(name, _)| name).collect();
        names.retain(|name| !is_carried(name));
        names
    }

    fn names_among(&self, lists: &[&[&str]]) -> Vec<String> {
        let names = fields_of(&Params(self)).into_iter().map(|(name, _)| name);
        names.filter(|name| lists.iter().any(|list| list.contains(&name.as_str()))).collect()
    }

    /// Rejects settings that the server would refuse with an error that doesn't name the field, or that the
    /// method would ignore although nothing lists it.
    pub(crate) fn check_for(&self, method: &str) -> Result<()> {
        self.check(OF_THE_CLIENT)?;
        if self.config.value().is_some_and(|config| !config.is_object()) {
            return Err(Error::invalid("`config` must be an object of configuration keys"));
        }
        for (name, value) in fields_of(&Params(self)) {
            let is_refused =
                NOT_NULL.contains(&name.as_str()) || (method, &*name) == ("thread/fork", "ephemeral");
            if value.is_null() && is_refused {
                return Err(Error::invalid(format!(
                    "{method} does not accept null for `{name}`; leave it unset"
                )));
            }
        }
        if method == "thread/start" {
            let names = self.names_among(&[ONLY_FOR_FORK]);
            if !names.is_empty() {
                return Err(Error::invalid(format!("only a fork can be given {}", names.join(", "))));
            }
        }
        Ok(())
    }
}

impl TurnOverrides {
    /// # Errors
    /// `InvalidInput` if an extra parameter has the name of one of these setters, or of one that is set in
    /// `params`.
    pub(crate) fn check_params(&self, setters: &[&str], params: &impl Serialize) -> Result<()> {
        self.extra.check(setters, &[])?;
        self.extra.check_against(params)
    }

    /// Adds extra parameters, which win over those of the same name.
    pub(crate) fn with_extra(mut self, later: Extra) -> TurnOverrides {
        self.extra = self.extra.merge(later);
        self
    }
}

/// # Errors
/// `InvalidInput` if the path is not Unicode: with a replacement it would name another directory.
fn check_path(path: &Setting<PathBuf>) -> Result<()> {
    match path.value().filter(|path| path.to_str().is_none()) {
        Some(path) => Err(Error::invalid(format!("`cwd` is not Unicode: {path:?}"))),
        None => Ok(()),
    }
}

/// The fields that are set, by their names in the protocol.
fn fields_of(settings: &impl Serialize) -> Vec<(String, Value)> {
    match serde_json::to_value(settings) {
        Ok(Value::Object(fields)) => fields.into_iter().collect(),
        _ => Vec::new(),
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
