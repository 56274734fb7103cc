//! The user's input to a turn: text, images, skills, mentions.
//!
//! Relies on serde and `local_file`. Invariant: blank input, and files that the server can't use, are rejected
//! before anything is sent; the paths of files of this machine are absolute.

use std::{fmt, path::PathBuf};

use data_encoding::BASE64;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::json;

use super::local_file::{absolute, check_file, check_image};
use crate::{
    config::{exactly, text_of},
    error::{Error, Result},
    excerpt::debug_tuple,
    protocol::{
        ImageUserInput, LocalImageUserInput, MentionUserInput, SkillUserInput, TextUserInput, Unknown,
        UserInput as InputItem,
    },
};

impl InputItem {
    /// Creates a text.
    pub fn text(text: impl Into<String>) -> Self {
        TextUserInput::new(text).into()
    }

    /// Creates an image from a `data:` URL, the only kind of URL that the server accepts.
    pub fn image(url: impl Into<String>) -> Self {
        ImageUserInput::new().url(url).into()
    }

    /// Creates an image from the bytes of a PNG, JPEG, GIF or WebP file, which travel in the request.
    /// `media_type` is `image/png` and so on. The server leaves out what it can't decode, and tells the model
    /// but not the client.
    ///
    /// ```
    /// use codex_blocking::{ChatRequest, InputItem};
    ///
    /// # let png = b"\x89PNG\r\n\x1a\n";
    /// let request = ChatRequest::new([InputItem::text("What is this?"), InputItem::image_bytes("image/png", png)]);
    /// ```
    pub fn image_bytes(media_type: &str, bytes: impl AsRef<[u8]>) -> Self {
        let bytes = bytes.as_ref();
        let mut url = format!("data:{media_type};base64,");
        url.reserve_exact(BASE64.encode_len(bytes.len()));
        BASE64.encode_append(bytes, &mut url);
        InputItem::image(url)
    }

    /// Creates an image from a file that this program and the server can read: a PNG, JPEG, GIF or WebP image.
    /// A relative path is made absolute with this program's working directory.
    ///
    /// The server would leave out a file that it can't use without telling the client. Therefore every call
    /// that takes an [`Input`] opens the file before it sends anything, and fails with
    /// [`Error::InvalidInput`](crate::Error::InvalidInput), which names the path, if the file is missing,
    /// unreadable or of another kind. This also holds for a `LocalImage` that was made by hand or deserialized,
    /// but not for requests that are sent with [`Client::call`](crate::Client::call). Only the beginning of the
    /// file is read. Parts of the path that are not Unicode are replaced, because JSON can't contain them.
    ///
    /// For a file on another machine, use [`remote_image_path`](Self::remote_image_path) or
    /// [`image_bytes`](Self::image_bytes).
    pub fn local_image(path: impl Into<PathBuf>) -> Self {
        let path = text_of(path);
        LocalImageUserInput::new(absolute(&path).unwrap_or(path)).into()
    }

    /// Creates an image from a file on the server's machine, which this program need not see. The path is sent
    /// unchanged and unchecked; the server takes a relative one from its own working directory, and leaves out
    /// a file that it can't use without telling the client.
    ///
    /// The item is an [`Unknown`], which is sent as it is. Its JSON is that of a [local image](Self::local_image):
    /// an [`Input`] that is read from JSON has that.
    pub fn remote_image_path(path: impl Into<String>) -> Self {
        InputItem::Unknown(Unknown::from(json!({ "type": "localImage", "path": path.into() })))
    }

    /// Creates a reference to a skill of the server. Parts of the path that are not Unicode are replaced,
    /// because JSON can't contain them.
    pub fn skill(name: impl Into<String>, path: impl Into<PathBuf>) -> Self {
        SkillUserInput::new(name, text_of(path)).into()
    }

    /// Creates a mention of an app or a plugin.
    pub fn mention(name: impl Into<String>, path: impl Into<String>) -> Self {
        MentionUserInput::new(name, path).into()
    }
}

/// The user's input to a turn: one or more items. Converts from a text, an item or a list of items.
///
/// Relative paths of local images and audio files are made absolute with this program's working directory.
#[derive(Clone, PartialEq, Default, Serialize)]
pub struct Input(Vec<InputItem>);

impl fmt::Debug for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        debug_tuple(f, "Input", &self.0)
    }
}

impl<'de> Deserialize<'de> for Input {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        exactly(deserializer).map(|items: Vec<InputItem>| Input::from(items))
    }
}

impl Input {
    /// The items.
    pub fn items(&self) -> &[InputItem] {
        &self.0
    }

    /// Opens the files of this machine that the input names.
    ///
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// # Errors
    /// `InvalidInput` if the input is blank, or names a file that the server can't use.
    pub(crate) fn check(&self) -> Result<()> {
        let is_blank =
            |item: &InputItem| matches!(item, InputItem::Text(said) if said.text.trim().is_empty());
        if self.0.iter().all(is_blank) {
            return Err(Error::invalid(
                "the input is empty; it must contain a non-blank text or another item",
            ));
        }
        self.0.iter().try_for_each(|item| match item {
            InputItem::LocalImage(image) => check_image(&image.path),
            InputItem::LocalAudio(audio) => check_file("local audio file", &audio.path).map(drop),
            _ => Ok(()),
        })
    }
}

impl From<&str> for Input {
    fn from(text: &str) -> Self {
        Input(vec![InputItem::text(text)])
    }
}

impl From<String> for Input {
    fn from(text: String) -> Self {
        Input(vec![InputItem::text(text)])
    }
}

impl From<&String> for Input {
    fn from(text: &String) -> Self {
        Input::from(text.as_str())
    }
}

impl From<InputItem> for Input {
    fn from(item: InputItem) -> Self {
        Input::from(vec![item])
    }
}

impl From<Vec<InputItem>> for Input {
    fn from(mut items: Vec<InputItem>) -> Self {
        for item in &mut items {
            let path = match item {
                InputItem::LocalImage(image) => &mut image.path,
                InputItem::LocalAudio(audio) => &mut audio.path,
                _ => continue,
            };
            if let Some(absolute) = absolute(path) {
                *path = absolute;
            }
        }
        Input(items)
    }
}

impl<const N: usize> From<[InputItem; N]> for Input {
    fn from(items: [InputItem; N]) -> Self {
        Input::from(Vec::from(items))
    }
}

impl From<Input> for Vec<InputItem> {
    fn from(input: Input) -> Self {
        input.0
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn items_have_the_shape_of_the_wire() {
        let image = std::env::temp_dir().join("b");
        let items = Input::from(vec![
            InputItem::text("a"),
            InputItem::image("data:x"),
            InputItem::local_image(&image),
            InputItem::remote_image_path("b"),
            InputItem::image_bytes("image/png", [0xff, 0]),
            InputItem::skill("s", "/c"),
            InputItem::mention("m", "app://d"),
        ]);
        assert_eq!(
            serde_json::to_value(items).unwrap(),
            json!([
                {"type": "text", "text": "a"},
                {"type": "image", "url": "data:x"},
                {"type": "localImage", "path": image},
                {"type": "localImage", "path": "b"},
                {"type": "image", "url": "data:image/png;base64,/wA="},
                {"type": "skill", "name": "s", "path": "/c"},
                {"type": "mention", "name": "m", "path": "app://d"},
            ])
        );
    }

    #[test]
    fn nothing_to_say_is_refused() {
        for input in [Input::from(""), Input::from(" \n"), Input::from(vec![])] {
            assert!(matches!(input.check(), Err(Error::InvalidInput { .. })));
        }
        Input::from(vec![InputItem::text(""), InputItem::image("data:x")]).check().unwrap();
    }

    #[test]
    fn a_relative_image_is_one_of_this_programs_folder_however_it_was_made() {
        let here = std::env::current_dir().unwrap().join("b.png");
        let by_hand = InputItem::from(LocalImageUserInput::new("b.png"));
        let from_json: Input =
            serde_json::from_value(json!([{"type": "localImage", "path": "b.png"}])).unwrap();
        for input in [Input::from(InputItem::local_image("b.png")), Input::from([by_hand]), from_json] {
            let InputItem::LocalImage(image) = &input.items()[0] else { panic!("{input:?}") };
            assert_eq!(std::path::Path::new(&image.path), here);
        }
        // Also outside of an input, as for `Client::call`.
        assert_eq!(InputItem::local_image("b.png"), InputItem::local_image(here));
    }
}
