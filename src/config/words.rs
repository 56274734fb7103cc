//! The protocol's words for policies, modes and efforts, each open to words not known yet.
//!
//! Relies on serde. Invariant: a word that is not in a list is kept as it is, in both directions.

use std::path::PathBuf;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

use crate::protocol::open_enum;

open_enum! {
    /// What commands may touch, by name.
    pub enum SandboxMode {
        /// Reading only.
        ReadOnly = "read-only",
        /// Writing in the working folder and temporary folders.
        WorkspaceWrite = "workspace-write",
        /// Everything.
        DangerFullAccess = "danger-full-access",
    }
}

open_enum! {
    /// How hard the model thinks. The words differ from model to model.
    pub enum ReasoningEffort {
        /// Not at all.
        None = "none",
        /// As little as can be.
        Minimal = "minimal",
        /// Little.
        Low = "low",
        /// The usual.
        Medium = "medium",
        /// Hard.
        High = "high",
        /// Harder.
        XHigh = "xhigh",
    }
}

open_enum! {
    /// How much of its thinking the model summarises.
    pub enum ReasoningSummary {
        /// As the model sees fit.
        Auto = "auto",
        /// In short.
        Concise = "concise",
        /// At length.
        Detailed = "detailed",
        /// Not at all.
        None = "none",
    }
}

open_enum! {
    /// The tone of the answers.
    pub enum Personality {
        /// None in particular.
        None = "none",
        /// Friendly.
        Friendly = "friendly",
        /// To the point.
        Pragmatic = "pragmatic",
    }
}

open_enum! {
    /// The kind of a collaboration mode.
    pub enum ModeKind {
        /// The agent plans, and asks.
        Plan = "plan",
        /// The agent works.
        Default = "default",
    }
}

/// When the server asks before it runs something.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum ApprovalPolicy {
    /// Always, but for commands known to be harmless.
    Untrusted,
    /// When the model asks for it.
    OnRequest,
    /// Never: what needs an approval fails.
    Never,
    /// Each kind of question on or off. Needs `experimental_api(true)`.
    Granular(GranularApproval),
    /// Anything else, as it is.
    Other(Value),
}

/// Which kinds of question are asked; the others are declined by the server itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
#[expect(clippy::struct_excessive_bools, reason = "the protocol's own shape")]
#[non_exhaustive]
pub struct GranularApproval {
    /// Commands and changes outside of the sandbox.
    pub sandbox_approval: bool,
    /// What the execution rules ask about.
    pub rules: bool,
    /// Forms and tools of MCP servers.
    pub mcp_elicitations: bool,
    /// More permissions for a turn.
    pub request_permissions: bool,
    /// Skills.
    pub skill_approval: bool,
}

impl GranularApproval {
    /// Every kind on or off.
    pub fn all(asked: bool) -> Self {
        GranularApproval {
            sandbox_approval: asked,
            rules: asked,
            mcp_elicitations: asked,
            request_permissions: asked,
            skill_approval: asked,
        }
    }
}

impl From<&str> for ApprovalPolicy {
    fn from(word: &str) -> Self {
        match word {
            "untrusted" => ApprovalPolicy::Untrusted,
            "on-request" => ApprovalPolicy::OnRequest,
            "never" => ApprovalPolicy::Never,
            other => ApprovalPolicy::Other(other.into()),
        }
    }
}

impl Serialize for ApprovalPolicy {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            ApprovalPolicy::Untrusted => "untrusted".serialize(serializer),
            ApprovalPolicy::OnRequest => "on-request".serialize(serializer),
            ApprovalPolicy::Never => "never".serialize(serializer),
            ApprovalPolicy::Granular(granular) => {
                std::collections::BTreeMap::from([("granular", granular)]).serialize(serializer)
            }
            ApprovalPolicy::Other(other) => other.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for ApprovalPolicy {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        if let Some(word) = value.as_str() {
            return Ok(word.into());
        }
        let granular =
            value.get("granular").and_then(|granular| GranularApproval::deserialize(granular).ok());
        Ok(granular.map_or(ApprovalPolicy::Other(value), ApprovalPolicy::Granular))
    }
}

/// What commands may touch, in detail.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum SandboxPolicy {
    /// Everything.
    DangerFullAccess,
    /// Reading only.
    ReadOnly {
        /// Whether commands reach the network.
        network_access: bool,
    },
    /// Writing in these folders, which must be absolute, and in temporary ones.
    WorkspaceWrite {
        /// Folders beside the working folder.
        writable_roots: Vec<PathBuf>,
        /// Whether commands reach the network.
        network_access: bool,
        /// Whether the folder of `TMPDIR` is left out.
        exclude_tmpdir_env_var: bool,
        /// Whether `/tmp` is left out.
        exclude_slash_tmp: bool,
    },
    /// The program is in a sandbox already; the server adds none.
    ExternalSandbox {
        /// Whether commands reach the network.
        network_access: bool,
    },
    /// Anything else, as it is.
    Other(Value),
}

impl SandboxPolicy {
    /// Writing in these folders, which must be absolute, beside the working and temporary ones.
    pub fn workspace_write<P: Into<PathBuf>>(writable_roots: impl IntoIterator<Item = P>) -> Self {
        SandboxPolicy::WorkspaceWrite {
            writable_roots: writable_roots.into_iter().map(Into::into).collect(),
            network_access: false,
            exclude_tmpdir_env_var: false,
            exclude_slash_tmp: false,
        }
    }

    /// The policy that a thread's sandbox of that name stands for.
    pub(crate) fn of_mode(mode: &SandboxMode) -> Option<Self> {
        Some(match mode {
            SandboxMode::ReadOnly => SandboxPolicy::ReadOnly { network_access: false },
            SandboxMode::WorkspaceWrite => SandboxPolicy::workspace_write::<PathBuf>([]),
            SandboxMode::DangerFullAccess => SandboxPolicy::DangerFullAccess,
            SandboxMode::Other(_) => return None,
        })
    }

    fn to_value(&self) -> Value {
        let mut object = Map::new();
        let kind = match self {
            SandboxPolicy::DangerFullAccess => "dangerFullAccess",
            SandboxPolicy::ReadOnly { network_access } => {
                object.insert("networkAccess".into(), (*network_access).into());
                "readOnly"
            }
            SandboxPolicy::WorkspaceWrite {
                writable_roots,
                network_access,
                exclude_tmpdir_env_var,
                exclude_slash_tmp,
            } => {
                let roots = writable_roots.iter().map(|root| root.to_string_lossy().into_owned());
                object.insert("writableRoots".into(), roots.collect::<Vec<_>>().into());
                object.insert("networkAccess".into(), (*network_access).into());
                object.insert("excludeTmpdirEnvVar".into(), (*exclude_tmpdir_env_var).into());
                object.insert("excludeSlashTmp".into(), (*exclude_slash_tmp).into());
                "workspaceWrite"
            }
            SandboxPolicy::ExternalSandbox { network_access } => {
                let word = if *network_access { "enabled" } else { "restricted" };
                object.insert("networkAccess".into(), word.into());
                "externalSandbox"
            }
            SandboxPolicy::Other(other) => return other.clone(),
        };
        object.insert("type".into(), kind.into());
        Value::Object(object)
    }
}

impl Serialize for SandboxPolicy {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_value().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for SandboxPolicy {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        let flag = |name: &str| value.get(name).and_then(Value::as_bool).unwrap_or(false);
        Ok(match value.get("type").and_then(Value::as_str) {
            Some("dangerFullAccess") => SandboxPolicy::DangerFullAccess,
            Some("readOnly") => SandboxPolicy::ReadOnly { network_access: flag("networkAccess") },
            Some("workspaceWrite") => SandboxPolicy::WorkspaceWrite {
                writable_roots: value
                    .get("writableRoots")
                    .and_then(Value::as_array)
                    .map(|roots| roots.iter().filter_map(Value::as_str).map(PathBuf::from).collect())
                    .unwrap_or_default(),
                network_access: flag("networkAccess"),
                exclude_tmpdir_env_var: flag("excludeTmpdirEnvVar"),
                exclude_slash_tmp: flag("excludeSlashTmp"),
            },
            Some("externalSandbox") => SandboxPolicy::ExternalSandbox {
                network_access: value.get("networkAccess").and_then(Value::as_str) == Some("enabled"),
            },
            _ => SandboxPolicy::Other(value),
        })
    }
}

/// How the agent works with the user. Needs `experimental_api(true)`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CollaborationMode {
    /// Planning or working.
    pub mode: ModeKind,
    /// What the mode runs with.
    pub settings: CollaborationSettings,
}

/// What a collaboration mode runs with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CollaborationSettings {
    /// The model; the server wants it named.
    pub model: String,
    /// How hard the model thinks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reasoning_effort: Option<ReasoningEffort>,
    /// Instructions for this mode.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub developer_instructions: Option<String>,
}

impl CollaborationMode {
    /// A mode with this model.
    pub fn new(mode: ModeKind, model: impl Into<String>) -> Self {
        let model = model.into();
        CollaborationMode {
            mode,
            settings: CollaborationSettings { model, reasoning_effort: None, developer_instructions: None },
        }
    }

    /// The agent plans, and asks.
    pub fn plan(model: impl Into<String>) -> Self {
        CollaborationMode::new(ModeKind::Plan, model)
    }

    /// How hard the model thinks in this mode.
    #[must_use]
    pub fn effort(mut self, effort: ReasoningEffort) -> Self {
        self.settings.reasoning_effort = Some(effort);
        self
    }

    /// Instructions for this mode.
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

    #[test]
    fn words_that_are_not_known_survive() {
        let mode: SandboxMode = serde_json::from_value(json!("moon")).unwrap();
        assert_eq!(mode, SandboxMode::Other("moon".to_owned()));
        assert_eq!(serde_json::to_value(&mode).unwrap(), json!("moon"));
    }

    #[test]
    fn every_shape_of_a_policy_survives_json() {
        for value in [
            json!("never"),
            json!("moon"),
            json!({"granular": {"sandbox_approval": true, "rules": false, "mcp_elicitations": true,
                "request_permissions": false, "skill_approval": false}}),
            json!({"lunar": 1}),
        ] {
            let policy: ApprovalPolicy = serde_json::from_value(value.clone()).unwrap();
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
}
