//! The user's input to a turn: text, images, skills, mentions.
//!
//! Relies on serde. Invariant: blank input is rejected before it is sent.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::{
    config::text_of,
    error::{Error, Result},
    protocol::{
        ImageUserInput, LocalImageUserInput, MentionUserInput, SkillUserInput, TextUserInput,
        UserInput as InputItem,
    },
};

impl InputItem {
    /// Creates a text.
    pub fn text(text: impl Into<String>) -> Self {
        TextUserInput::new(text).into()
    }

    /// Creates an image from a `data:` URL.
    pub fn image(url: impl Into<String>) -> Self {
        ImageUserInput::new().url(url).into()
    }

    /// Creates an image from a file on the server's machine. Parts of the path that are not Unicode are
    /// replaced, because JSON can't contain them.
    pub fn local_image(path: impl Into<PathBuf>) -> Self {
        LocalImageUserInput::new(text_of(path)).into()
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
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Input(Vec<InputItem>);

impl Input {
    /// The items.
    pub fn items(&self) -> &[InputItem] {
        &self.0
    }

    /// # Errors
    /// `InvalidInput` if the input is blank.
    pub(crate) fn check(&self) -> Result<()> {
        let is_blank =
            |item: &InputItem| matches!(item, InputItem::Text(said) if said.text.trim().is_empty());
        if self.0.iter().all(is_blank) {
            return Err(Error::invalid(
                "the input is empty; it must contain a non-blank text or another item",
            ));
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
