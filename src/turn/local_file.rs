//! Files of this machine that an input names: their paths, and whether the server can use them.
//!
//! Relies on std. Invariant: nothing but a regular file is opened, so that a pipe or a device can't block the
//! caller.

use std::{
    fs::{self, File},
    io::{self, Read},
    path::{self, Path},
};

use crate::error::{Error, Result};

/// The beginnings of the kinds of images that the server accepts, whatever the file's name. Those of WebP have
/// a length between.
const IMAGES: [&[u8]; 4] = [b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF87a", b"GIF89a"];

/// The path, made absolute with this program's working directory. The file need not exist.
pub(super) fn absolute(path: &str) -> Option<String> {
    if Path::new(path).is_absolute() {
        return None;
    }
    path::absolute(path).ok()?.into_os_string().into_string().ok()
}

/// # Errors
/// `InvalidInput` with the path, if it is not that of a readable image of a kind that the server accepts.
pub(super) fn check_image(path: &str) -> Result<()> {
    let start = check_file("local image", path)?;
    let is_image = IMAGES.iter().any(|image| start.starts_with(image))
        || start.starts_with(b"RIFF") && start.get(8..12) == Some(b"WEBP");
    if !is_image {
        return Err(Error::invalid(format!(
            "the local image {path} is not a PNG, JPEG, GIF or WebP image, which the server would leave out"
        )));
    }
    Ok(())
}

/// Returns the first bytes of a file.
///
/// # Errors
/// `InvalidInput` with the path, if it is not that of a readable file.
pub(super) fn check_file(what: &str, path: &str) -> Result<Vec<u8>> {
    let read = || {
        if Path::new(path).is_relative() {
            return Err(io::Error::other("it can't be made absolute"));
        }
        if !fs::metadata(path)?.is_file() {
            return Err(io::Error::other("it is not a file"));
        }
        let mut start = Vec::new();
        File::open(path)?.take(16).read_to_end(&mut start)?;
        Ok(start)
    };
    read().map_err(|source| {
        let hint = match path.contains(char::REPLACEMENT_CHARACTER) {
            true => "; parts of a path that are not Unicode can't be sent",
            false => "",
        };
        Error::invalid_because(format!("the {what} {path} can't be read{hint}"), source)
    })
}
