//! What the lists, reads and writes of the server can be asked with.
//!
//! Relies on `protocol`, whose parameters they fill in. Invariant: what was not set is not sent, and
//! nothing is sent as `null`.

use std::path::PathBuf;

use serde_json::Value;

use super::text_of;
use crate::protocol::{
    ConfigBatchWriteParams, ConfigEdit, ConfigReadParams, ConfigValueWriteParams, MergeStrategy,
    ModelListParams, SortDirection, ThreadListCwdFilter, ThreadListParams, ThreadSortKey, ThreadSourceKind,
};

/// Which threads to list, and how; for [`Client::list_threads`](crate::Client::list_threads).
///
/// Without any setting: the newest 25 that are not archived, of the sources that are interactive.
///
/// ```
/// use codex_blocking::{ListThreads, SortDirection, ThreadSortKey};
///
/// let options = ListThreads::new()
///     .limit(5)
///     .sort_key(ThreadSortKey::UpdatedAt)
///     .sort_direction(SortDirection::Desc);
/// ```
#[must_use = "options do nothing until a call takes them"]
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct ListThreads {
    pub(crate) params: ThreadListParams,
}

impl ListThreads {
    /// With nothing set.
    pub fn new() -> Self {
        Self::default()
    }

    /// At most so many on a page (25). The server of 0.169 gives at least 1 and at most 100.
    pub fn limit(mut self, limit: u32) -> Self {
        self.params = self.params.limit(limit);
        self
    }

    /// The page after the one whose `next_cursor` this is.
    pub fn cursor(mut self, cursor: impl Into<String>) -> Self {
        self.params = self.params.cursor(cursor.into());
        self
    }

    /// Archived threads only, instead of those that are not.
    pub fn archived(mut self, archived: bool) -> Self {
        self.params = self.params.archived(archived);
        self
    }

    /// Only those that work in exactly this folder. Of a name that is not Unicode, what JSON can't hold
    /// is replaced, so that no thread is found.
    pub fn cwd(mut self, cwd: impl Into<PathBuf>) -> Self {
        self.params = self.params.cwd(ThreadListCwdFilter::Text(text_of(cwd)));
        self
    }

    /// Only those of these providers of models, by their names in the server's configuration.
    pub fn model_providers<S: Into<String>>(mut self, providers: impl IntoIterator<Item = S>) -> Self {
        self.params = self.params.model_providers(strings(providers));
        self
    }

    /// Only those of these sources. Threads that are started through the app-server count as
    /// [`Vscode`](ThreadSourceKind::Vscode).
    pub fn source_kinds(mut self, kinds: impl IntoIterator<Item = ThreadSourceKind>) -> Self {
        self.params = self.params.source_kinds(kinds.into_iter().collect::<Vec<_>>());
        self
    }

    /// Only those whose title holds this.
    pub fn search_term(mut self, term: impl Into<String>) -> Self {
        self.params = self.params.search_term(term.into());
        self
    }

    /// What they are sorted by (their creation).
    pub fn sort_key(mut self, key: ThreadSortKey) -> Self {
        self.params = self.params.sort_key(key);
        self
    }

    /// Which end comes first (the newest).
    pub fn sort_direction(mut self, direction: SortDirection) -> Self {
        self.params = self.params.sort_direction(direction);
        self
    }
}

/// Which models to list; for [`Client::list_models`](crate::Client::list_models).
#[must_use = "options do nothing until a call takes them"]
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct ListModels {
    pub(crate) params: ModelListParams,
}

impl ListModels {
    /// With nothing set.
    pub fn new() -> Self {
        Self::default()
    }

    /// At most so many on a page (all).
    pub fn limit(mut self, limit: u32) -> Self {
        self.params = self.params.limit(limit);
        self
    }

    /// The page after the one whose `next_cursor` this is.
    pub fn cursor(mut self, cursor: impl Into<String>) -> Self {
        self.params = self.params.cursor(cursor.into());
        self
    }

    /// Also those that the server would not offer to choose from (no).
    pub fn include_hidden(mut self, include: bool) -> Self {
        self.params = self.params.include_hidden(include);
        self
    }
}

/// What of the configuration to read; for [`Client::read_config`](crate::Client::read_config).
#[must_use = "options do nothing until a call takes them"]
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct ReadConfig {
    pub(crate) params: ConfigReadParams,
}

impl ReadConfig {
    /// With nothing set.
    pub fn new() -> Self {
        Self::default()
    }

    /// As it holds in this folder, whose project may have a configuration of its own. Of a name that is
    /// not Unicode, what JSON can't hold is replaced: it is another folder then.
    pub fn cwd(mut self, cwd: impl Into<PathBuf>) -> Self {
        self.params = self.params.cwd(text_of(cwd));
        self
    }

    /// Also the layers that it is made of (no).
    pub fn include_layers(mut self, include: bool) -> Self {
        self.params = self.params.include_layers(include);
        self
    }
}

/// One value to write into the user's configuration; for
/// [`Client::write_config_value`](crate::Client::write_config_value).
///
/// ```
/// use codex_blocking::{MergeStrategy, WriteConfigValue};
///
/// let low = WriteConfigValue::new("model_verbosity", "low");
/// let gone = WriteConfigValue::new("model_verbosity", ()).merge_strategy(MergeStrategy::Replace);
/// ```
#[must_use = "nothing is written until a call takes it"]
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct WriteConfigValue {
    pub(crate) params: ConfigValueWriteParams,
}

impl WriteConfigValue {
    /// Sets the key; objects are merged member by member unless another
    /// [`merge_strategy`](Self::merge_strategy) is set, and null (`()`) removes the key. Parts of the
    /// key are parted by dots, and may be quoted: `a.b."c.d"`.
    pub fn new(key_path: impl Into<String>, value: impl Into<Value>) -> Self {
        WriteConfigValue { params: ConfigValueWriteParams::new(key_path, MergeStrategy::Upsert, value) }
    }

    /// What happens to a value that is there ([`Upsert`](MergeStrategy::Upsert)).
    pub fn merge_strategy(mut self, strategy: MergeStrategy) -> Self {
        self.params.merge_strategy = strategy;
        self
    }

    /// Refused unless the file has this version, as an earlier read or write told it.
    pub fn expected_version(mut self, version: impl Into<String>) -> Self {
        self.params = self.params.expected_version(version.into());
        self
    }

    /// The file (the user's own `config.toml`). The server of 0.169 writes no other. Of a name that is
    /// not Unicode, what JSON can't hold is replaced: it is another file then.
    pub fn file_path(mut self, path: impl Into<PathBuf>) -> Self {
        self.params = self.params.file_path(text_of(path));
        self
    }
}

/// Several values to write into the user's configuration, all or none; for
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
#[must_use = "nothing is written until a call takes it"]
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct BatchWriteConfig {
    pub(crate) params: ConfigBatchWriteParams,
}

impl BatchWriteConfig {
    /// Makes these edits, in this order.
    pub fn new(edits: impl IntoIterator<Item = ConfigEdit>) -> Self {
        BatchWriteConfig { params: ConfigBatchWriteParams::new(edits.into_iter().collect::<Vec<_>>()) }
    }

    /// One more [`ConfigEdit::upsert`].
    pub fn edit(mut self, key_path: impl Into<String>, value: impl Into<Value>) -> Self {
        self.params.edits.push(ConfigEdit::upsert(key_path, value));
        self
    }

    /// Refused unless the file has this version, as an earlier read or write told it.
    pub fn expected_version(mut self, version: impl Into<String>) -> Self {
        self.params = self.params.expected_version(version.into());
        self
    }

    /// The file (the user's own `config.toml`). The server of 0.169 writes no other. Of a name that is
    /// not Unicode, what JSON can't hold is replaced: it is another file then.
    pub fn file_path(mut self, path: impl Into<PathBuf>) -> Self {
        self.params = self.params.file_path(text_of(path));
        self
    }

    /// Whether threads that are loaded take the change too (no).
    pub fn reload_user_config(mut self, reload: bool) -> Self {
        self.params = self.params.reload_user_config(reload);
        self
    }
}

fn strings<S: Into<String>>(texts: impl IntoIterator<Item = S>) -> Vec<String> {
    texts.into_iter().map(Into::into).collect()
}
