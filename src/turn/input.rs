//! What the user says in a turn: text, images, skills, mentions.
//!
//! Relies on serde. Invariant: an input that holds nothing to say is refused before it is sent.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// One piece of what the user says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase")]
#[non_exhaustive]
pub enum InputItem {
    /// Text. All texts of a turn together may have 1,048,576 characters.
    Text {
        /// The text.
        text: String,
    },
    /// An image as a `data:` URL. The server refuses URLs that would have to be fetched.
    Image {
        /// The URL.
        url: String,
    },
    /// An image in a file on the server's machine. One that is missing is no error: the model is
    /// told in a note.
    LocalImage {
        /// The file.
        path: PathBuf,
    },
    /// A skill the server knows.
    Skill {
        /// Its name.
        name: String,
        /// Where it is.
        path: PathBuf,
    },
    /// An app or a plugin that is mentioned.
    Mention {
        /// Its name.
        name: String,
        /// `app://…` or `plugin://…`.
        path: String,
    },
}

impl InputItem {
    /// Text.
    pub fn text(text: impl Into<String>) -> Self {
        InputItem::Text { text: text.into() }
    }

    /// An image as a `data:` URL.
    pub fn image(url: impl Into<String>) -> Self {
        InputItem::Image { url: url.into() }
    }

    /// An image in a file on the server's machine.
    pub fn local_image(path: impl Into<PathBuf>) -> Self {
        InputItem::LocalImage { path: path.into() }
    }

    /// A skill the server knows.
    pub fn skill(name: impl Into<String>, path: impl Into<PathBuf>) -> Self {
        InputItem::Skill { name: name.into(), path: path.into() }
    }

    /// An app or a plugin that is mentioned.
    pub fn mention(name: impl Into<String>, path: impl Into<String>) -> Self {
        InputItem::Mention { name: name.into(), path: path.into() }
    }
}

/// What the user says in one go. Made from a text, an item or a list of items.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Input(Vec<InputItem>);

impl Input {
    /// The items.
    pub fn items(&self) -> &[InputItem] {
        &self.0
    }

    /// # Errors
    /// `InvalidInput`: nothing is said.
    pub(crate) fn check(&self) -> Result<()> {
        let is_blank = |item: &InputItem| matches!(item, InputItem::Text { text } if text.trim().is_empty());
        if self.0.iter().all(is_blank) {
            return Err(Error::invalid("the input is empty; give a text that says something, or an item"));
        }
        Ok(())
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
        Input(vec![item])
    }
}

impl From<Vec<InputItem>> for Input {
    fn from(items: Vec<InputItem>) -> Self {
        Input(items)
    }
}

impl<const N: usize> From<[InputItem; N]> for Input {
    fn from(items: [InputItem; N]) -> Self {
        Input(items.into())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn items_have_the_shape_of_the_wire() {
        let items = Input::from(vec![
            InputItem::text("a"),
            InputItem::image("data:x"),
            InputItem::local_image("/b"),
            InputItem::skill("s", "/c"),
            InputItem::mention("m", "app://d"),
        ]);
        assert_eq!(
            serde_json::to_value(items).unwrap(),
            json!([
                {"type": "text", "text": "a"},
                {"type": "image", "url": "data:x"},
                {"type": "localImage", "path": "/b"},
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
}
