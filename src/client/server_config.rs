//! The server's configuration and its models.
//!
//! Relies on the typed requests. Invariant: the server validates what is written, and leaves the file
//! unchanged if it rejects a value.

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
    /// Returns one page of the models and their capabilities.
    ///
    /// Blocks for at most the request limit.
    ///
    /// # Errors
    /// Same as [`request`](Self::request).
    pub fn list_models(&self, options: ListModels) -> Result<Reply<ModelListResponse>> {
        self.call(options.params)
    }

    /// Returns the effective configuration, and the origin of each part. The typed reply contains some keys;
    /// [`Reply::raw`] contains all.
    ///
    /// Blocks for at most the request limit.
    ///
    /// # Errors
    /// Same as [`request`](Self::request).
    pub fn read_config(&self, options: ReadConfig) -> Result<Reply<ConfigReadResponse>> {
        self.call(options.params)
    }

    /// Returns the administrator's requirements for the configuration, if any.
    ///
    /// Blocks for at most the request limit.
    ///
    /// # Errors
    /// Same as [`request`](Self::request).
    pub fn read_config_requirements(&self) -> Result<Reply<ConfigRequirementsReadResponse>> {
        self.call(ConfigRequirementsReadParams::new())
    }

    /// Writes a value into the user's `config.toml`, preserving its comments. The server validates the values
    /// of known keys, but not the keys.
    ///
    /// Blocks for at most the request limit.
    ///
    /// # Errors
    /// Same as [`request`](Self::request). If the server rejects a value, the `data` of [`Error::Rpc`]
    /// contains the reason as `config_write_error_code`: `configVersionConflict` if the file's version is not
    /// the expected one, `configValidationError`, `configLayerReadonly`.
    pub fn write_config_value(&self, write: WriteConfigValue) -> Result<Reply<ConfigWriteResponse>> {
        self.call(write.params)
    }

    /// Writes several values at once, all or none.
    ///
    /// Blocks for at most the request limit.
    ///
    /// # Errors
    /// Same as [`write_config_value`](Self::write_config_value).
    pub fn batch_write_config(&self, batch: BatchWriteConfig) -> Result<Reply<ConfigWriteResponse>> {
        self.call(batch.params)
    }
}
