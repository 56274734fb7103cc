//! The server's configuration, and the models it offers.
//!
//! Relies on the typed requests. Invariant: what is written is checked by the server, which keeps the
//! file as it is when it refuses.

use super::{Client, Reply};
#[cfg(doc)]
use crate::error::Error;
use crate::{
    config::{BatchWriteConfig, ListModels, ReadConfig, WriteConfigValue},
    error::Result,
    protocol::{
        ConfigReadResponse, ConfigRequirementsReadParams, ConfigRequirementsReadResponse,
        ConfigWriteResponse, ModelListResponse,
    },
};

impl Client {
    /// One page of the models, with what each can do.
    ///
    /// Blocks for the request limit at the longest.
    ///
    /// # Errors
    /// As [`request`](Self::request).
    pub fn list_models(&self, options: ListModels) -> Result<Reply<ModelListResponse>> {
        self.call(options.params)
    }

    /// The configuration that holds, and where each part of it comes from. The typed part knows some
    /// keys; all are in [`Reply::raw`].
    ///
    /// Blocks for the request limit at the longest.
    ///
    /// # Errors
    /// As [`request`](Self::request).
    pub fn read_config(&self, options: ReadConfig) -> Result<Reply<ConfigReadResponse>> {
        self.call(options.params)
    }

    /// What an administrator allows of the configuration; without one, nothing is required.
    ///
    /// Blocks for the request limit at the longest.
    ///
    /// # Errors
    /// As [`request`](Self::request).
    pub fn read_config_requirements(&self) -> Result<Reply<ConfigRequirementsReadResponse>> {
        self.call(ConfigRequirementsReadParams::new())
    }

    /// Writes one value into the user's `config.toml`, whose comments stay. Keys are not checked, known
    /// values are.
    ///
    /// Blocks for the request limit at the longest.
    ///
    /// # Errors
    /// As [`request`](Self::request). The [`Error::Rpc`] of a value that is refused has the reason in
    /// `data`, as `config_write_error_code`: `configVersionConflict` when the file has another version
    /// than the expected one, `configValidationError`, `configLayerReadonly`.
    pub fn write_config_value(&self, write: WriteConfigValue) -> Result<Reply<ConfigWriteResponse>> {
        self.call(write.params)
    }

    /// Writes several values at once, all or none.
    ///
    /// Blocks for the request limit at the longest.
    ///
    /// # Errors
    /// As [`write_config_value`](Self::write_config_value).
    pub fn batch_write_config(&self, batch: BatchWriteConfig) -> Result<Reply<ConfigWriteResponse>> {
        self.call(batch.params)
    }
}
