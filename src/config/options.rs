//! Options of the server's list, read and write requests.
//!
//! Relies on `protocol`, whose parameters they fill in. Invariant: an unset option is not sent, and
//! nothing is sent as `null`.

use std::path::PathBuf;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use super::text_of;
use crate::{
    protocol::{
        ConfigBatchWriteParams, ConfigEdit, ConfigReadParams, ConfigValueWriteParams, MergeStrategy,
        ModelListParams, SortDirection, ThreadListCwdFilter, ThreadListParams, ThreadSortKey,
        ThreadSourceKind,
    },
    setting::Setting,
};

/// The JSON of options: those that are set, under the names of their setters. Null is the same as a missing member; a
/// member that is no option is an error, since it would be lost.
macro_rules! options_json {
    (
        $name:ident: $params:ident($($required:ident: $required_type:ty),*)
        { $($field:ident: $type:ty,)* } { $($flag:ident,)* }
    ) => {
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                #[derive(Serialize)]
                struct Fields<'a> {
                    $($required: &'a $required_type,)*
                    $(
                        #[serde(skip_serializing_if = "Option::is_none")]
                        $field: Option<&'a $type>,
                    )*
                    $(
                        #[serde(skip_serializing_if = "Option::is_none")]
                        $flag: Option<bool>,
                    )*
                }
                let params = &self.params;
                let fields = Fields {
                    $($required: &params.$required,)*
                    $($field: params.$field.value(),)*
                    $($flag: params.$flag,)*
                };
                fields.serialize(serializer)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                #[derive(Deserialize)]
                #[serde(deny_unknown_fields)]
                struct Fields {
                    $($required: $required_type,)*
                    $($field: Option<$type>,)*
                    $($flag: Option<bool>,)*
                }
                let fields = Fields::deserialize(deserializer)?;
                let mut params = $params::new($(fields.$required),*);
                $(params.$field = Setting::unset_if_none(fields.$field);)*
                $(params.$flag = fields.$flag;)*
                Ok($name { params })
            }
        }
    };
}

/// Filters and paging for [`Client::list_threads`](crate::Client::list_threads).
///
/// By default, lists the 25 newest unarchived threads from interactive sources.
///
/// ```
/// use codex_blocking::{ListThreads, SortDirection, ThreadSortKey};
///
/// let options = ListThreads::new()
///     .limit(5)
///     .sort_key(ThreadSortKey::UpdatedAt)
///     .sort_direction(SortDirection::Desc);
/// ```
///
/// As JSON it has the set options as members, under the names of their setters. A member that is no option is an error.
#[must_use = "options do nothing until a call takes them"]
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct ListThreads {
    pub(crate) params: ThreadListParams,
}

impl ListThreads {
    /// Creates options with nothing set.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the maximum page size (default 25). Server 0.169 limits it to 1–100.
    pub fn limit(mut self, limit: u32) -> Self {
        self.params = self.params.limit(limit);
        self
    }

    /// Starts after the page that returned this `next_cursor`.
    pub fn cursor(mut self, cursor: impl Into<String>) -> Self {
        self.params = self.params.cursor(cursor.into());
        self
    }

    /// Lists only archived threads instead of only unarchived ones.
    pub fn archived(mut self, archived: bool) -> Self {
        self.params = self.params.archived(archived);
        self
    }

    /// Lists only threads with exactly this working directory. Invalid Unicode in the path is replaced,
    /// since JSON can't represent it; such a filter matches no thread.
    pub fn cwd(mut self, cwd: impl Into<PathBuf>) -> Self {
        self.params = self.params.cwd(ThreadListCwdFilter::Text(text_of(cwd)));
        self
    }

    /// Lists only threads with exactly one of these working directories, in place of [`cwd`](Self::cwd); with none
    /// of them, lists nothing. Invalid Unicode is replaced as there.
    pub fn cwds<P: Into<PathBuf>>(mut self, cwds: impl IntoIterator<Item = P>) -> Self {
        let cwds: Vec<String> = cwds.into_iter().map(text_of).collect();
        self.params = self.params.cwd(ThreadListCwdFilter::List(cwds));
        self
    }

    /// Lists only threads of these model providers, by their names in the server's configuration.
    pub fn model_providers<S: Into<String>>(mut self, providers: impl IntoIterator<Item = S>) -> Self {
        self.params = self.params.model_providers(strings(providers));
        self
    }

    /// Lists only threads from these sources. Threads started through the app-server count as
    /// [`Vscode`](ThreadSourceKind::Vscode).
    pub fn source_kinds(mut self, kinds: impl IntoIterator<Item = ThreadSourceKind>) -> Self {
        self.params = self.params.source_kinds(kinds.into_iter().collect::<Vec<_>>());
        self
    }

    /// Lists only threads whose title contains this text.
    pub fn search_term(mut self, term: impl Into<String>) -> Self {
        self.params = self.params.search_term(term.into());
        self
    }

    /// Lists only threads in this section, by its id. The requests of `threadSection/…` make and list sections.
    pub fn section_id(mut self, id: impl Into<String>) -> Self {
        self.params = self.params.section_id(id.into());
        self
    }

    /// Sets whether the server looks only into its database (default: false). Then it misses threads whose files
    /// others have brought to its `CODEX_HOME` since it started, and need not look for them.
    pub fn use_state_db_only(mut self, only: bool) -> Self {
        self.params = self.params.use_state_db_only(only);
        self
    }

    /// Sets the sort key (default: creation time).
    pub fn sort_key(mut self, key: ThreadSortKey) -> Self {
        self.params = self.params.sort_key(key);
        self
    }

    /// Sets the sort direction (default: newest first).
    pub fn sort_direction(mut self, direction: SortDirection) -> Self {
        self.params = self.params.sort_direction(direction);
        self
    }
}

options_json! {
    ListThreads: ThreadListParams() {
        limit: u32,
        cursor: String,
        archived: bool,
        cwd: ThreadListCwdFilter,
        model_providers: Vec<String>,
        source_kinds: Vec<ThreadSourceKind>,
        search_term: String,
        section_id: String,
        sort_key: ThreadSortKey,
        sort_direction: SortDirection,
    } { use_state_db_only, }
}

/// Paging and filters for [`Client::list_models`](crate::Client::list_models).
///
/// As JSON it has the set options as members, under the names of their setters. A member that is no option is an error.
#[must_use = "options do nothing until a call takes them"]
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct ListModels {
    pub(crate) params: ModelListParams,
}

impl ListModels {
    /// Creates options with nothing set.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the maximum page size (default: all models).
    pub fn limit(mut self, limit: u32) -> Self {
        self.params = self.params.limit(limit);
        self
    }

    /// Starts after the page that returned this `next_cursor`.
    pub fn cursor(mut self, cursor: impl Into<String>) -> Self {
        self.params = self.params.cursor(cursor.into());
        self
    }

    /// Includes models that the server hides from its model picker (default: false).
    pub fn include_hidden(mut self, include: bool) -> Self {
        self.params = self.params.include_hidden(include);
        self
    }
}

options_json! {
    ListModels: ModelListParams() { limit: u32, cursor: String, include_hidden: bool, } {}
}

/// Options for [`Client::read_config`](crate::Client::read_config).
///
/// As JSON it has the set options as members, under the names of their setters. A member that is no option is an error.
#[must_use = "options do nothing until a call takes them"]
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct ReadConfig {
    pub(crate) params: ConfigReadParams,
}

impl ReadConfig {
    /// Creates options with nothing set.
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads the configuration that applies in this directory, whose project may have its own. Invalid
    /// Unicode in the path is replaced, since JSON can't represent it; the path then names another
    /// directory.
    pub fn cwd(mut self, cwd: impl Into<PathBuf>) -> Self {
        self.params = self.params.cwd(text_of(cwd));
        self
    }

    /// Includes the layers that the configuration is merged from (default: false).
    pub fn include_layers(mut self, include: bool) -> Self {
        self.params = self.params.include_layers(include);
        self
    }
}

options_json! {
    ReadConfig: ConfigReadParams() { cwd: String, } { include_layers, }
}

/// A single write to the user's configuration; for
/// [`Client::write_config_value`](crate::Client::write_config_value).
///
/// ```
/// use codex_blocking::{MergeStrategy, WriteConfigValue};
///
/// let low = WriteConfigValue::new("model_verbosity", "low");
/// let gone = WriteConfigValue::new("model_verbosity", ()).merge_strategy(MergeStrategy::Replace);
/// ```
///
/// As JSON it has the set options as members, under the names of their setters. A member that is no option is an error.
#[must_use = "nothing is written until a call takes it"]
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct WriteConfigValue {
    pub(crate) params: ConfigValueWriteParams,
}

impl WriteConfigValue {
    /// Sets the key. Objects are merged member by member unless another
    /// [`merge_strategy`](Self::merge_strategy) is set; null (`()`) removes the key. The parts of the key
    /// are separated by dots and can be quoted: `a.b."c.d"`.
    pub fn new(key_path: impl Into<String>, value: impl Into<Value>) -> Self {
        WriteConfigValue { params: ConfigValueWriteParams::new(key_path, MergeStrategy::Upsert, value) }
    }

    /// Sets how to treat an existing value (default: [`Upsert`](MergeStrategy::Upsert)).
    pub fn merge_strategy(mut self, strategy: MergeStrategy) -> Self {
        self.params.merge_strategy = strategy;
        self
    }

    /// Makes the write fail unless the file has this version, as returned by an earlier read or write.
    pub fn expected_version(mut self, version: impl Into<String>) -> Self {
        self.params = self.params.expected_version(version.into());
        self
    }

    /// Sets the file to write (default: the user's own `config.toml`). Server 0.169 writes no other file.
    /// Invalid Unicode in the path is replaced, since JSON can't represent it; the path then names
    /// another file.
    pub fn file_path(mut self, path: impl Into<PathBuf>) -> Self {
        self.params = self.params.file_path(text_of(path));
        self
    }
}

options_json! {
    BatchWriteConfig: ConfigBatchWriteParams(edits: Vec<ConfigEdit>) {
        expected_version: String,
        file_path: String,
    } { reload_user_config, }
}

impl Serialize for WriteConfigValue {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let params = &self.params;
        let fields = WriteConfigValueJson {
            key_path: params.key_path.clone(),
            value: params.value.clone(),
            merge_strategy: params.merge_strategy.clone(),
            expected_version: params.expected_version.value().cloned(),
            file_path: params.file_path.value().cloned(),
        };
        fields.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for WriteConfigValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let fields = WriteConfigValueJson::deserialize(deserializer)?;
        let mut params = ConfigValueWriteParams::new(fields.key_path, fields.merge_strategy, fields.value);
        params.expected_version = Setting::unset_if_none(fields.expected_version);
        params.file_path = Setting::unset_if_none(fields.file_path);
        Ok(WriteConfigValue { params })
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WriteConfigValueJson {
    key_path: String,
    /// Null removes the key, so it must not be missing.
    value: Value,
    #[serde(default = "upsert")]
    merge_strategy: MergeStrategy,
    #[serde(skip_serializing_if = "Option::is_none")]
    expected_version: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    file_path: Option<String>,
}

fn upsert() -> MergeStrategy {
    MergeStrategy::Upsert
}

/// An atomic batch of writes to the user's configuration; for
/// [`Client::batch_write_config`](crate::Client::batch_write_config).
///
/// ```
/// use codex_blocking::{BatchWriteConfig, ConfigEdit};
///
/// let batch = BatchWriteConfig::new([
///     ConfigEdit::upsert("model_verbosity", "low"),
///     ConfigEdit::replace("tui.theme", "dark"),
/// ]);
/// ```
///
/// As JSON it has the set options as members, under the names of their setters. A member that is no option is an error.
#[must_use = "nothing is written until a call takes it"]
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct BatchWriteConfig {
    pub(crate) params: ConfigBatchWriteParams,
}

impl BatchWriteConfig {
    /// Creates a batch of these edits, applied in order.
    pub fn new(edits: impl IntoIterator<Item = ConfigEdit>) -> Self {
        BatchWriteConfig { params: ConfigBatchWriteParams::new(edits.into_iter().collect::<Vec<_>>()) }
    }

    /// Adds a [`ConfigEdit::upsert`].
    pub fn edit(mut self, key_path: impl Into<String>, value: impl Into<Value>) -> Self {
        self.params.edits.push(ConfigEdit::upsert(key_path, value));
        self
    }

    /// Makes the batch fail unless the file has this version, as returned by an earlier read or write.
    pub fn expected_version(mut self, version: impl Into<String>) -> Self {
        self.params = self.params.expected_version(version.into());
        self
    }

    /// Sets the file to write (default: the user's own `config.toml`). Server 0.169 writes no other file.
    /// Invalid Unicode in the path is replaced, since JSON can't represent it; the path then names
    /// another file.
    pub fn file_path(mut self, path: impl Into<PathBuf>) -> Self {
        self.params = self.params.file_path(text_of(path));
        self
    }

    /// Sets whether loaded threads apply the change too (default: false).
    pub fn reload_user_config(mut self, reload: bool) -> Self {
        self.params = self.params.reload_user_config(reload);
        self
    }
}

fn strings<S: Into<String>>(texts: impl IntoIterator<Item = S>) -> Vec<String> {
    texts.into_iter().map(Into::into).collect()
}
