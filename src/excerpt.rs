//! Shows the beginning of what a peer sent, so that a message of megabytes doesn't fill a log.
//!
//! Relies on memchr. Invariant: `Display` of an error and `Debug` of anything are short, whatever they show;
//! the fields keep everything. What is printed as content (a step, an event) is whole in its `Display`.

use std::fmt::{self, Write};

/// How many characters of JSON, an id or a name are shown in a message.
const SHOWN_OF_JSON: usize = 200;
/// How many characters of any other text are shown.
const SHOWN_OF_TEXT: usize = 1000;
/// How many bytes `Debug` writes in total.
const SHOWN_IN_TOTAL: usize = 16 * 1024;

/// The beginning of JSON, of an id or of a name.
pub(crate) struct Excerpt<'a>(pub(crate) &'a str);

/// The beginning of a text for humans.
pub(crate) struct Message<'a>(pub(crate) &'a str);

impl fmt::Display for Excerpt<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        beginning(f, self.0, SHOWN_OF_JSON)
    }
}

impl fmt::Display for Message<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        beginning(f, self.0, SHOWN_OF_TEXT)
    }
}

fn beginning(f: &mut fmt::Formatter<'_>, text: &str, shown: usize) -> fmt::Result {
    match text.char_indices().nth(shown) {
        Some((cut, _)) => write!(f, "{}… ({} bytes)", &text[..cut], text.len()),
        None => f.write_str(text),
    }
}

/// `Debug` of a struct: the beginning of each string, and in total at most 16 KiB.
pub(crate) fn debug_struct(
    f: &mut fmt::Formatter<'_>,
    name: &str,
    fields: &[(&str, &dyn fmt::Debug)],
) -> fmt::Result {
    debug(f, &|f| {
        let mut shown = f.debug_struct(name);
        for (name, value) in fields {
            shown.field(name, value);
        }
        shown.finish()
    })
}

/// The same for a tuple struct or a tuple variant with one field.
pub(crate) fn debug_tuple(f: &mut fmt::Formatter<'_>, name: &str, field: &dyn fmt::Debug) -> fmt::Result {
    debug(f, &|f| f.debug_tuple(name).field(field).finish())
}

/// The same for what this function shows.
pub(crate) fn debug(
    f: &mut fmt::Formatter<'_>,
    show: &dyn Fn(&mut fmt::Formatter<'_>) -> fmt::Result,
) -> fmt::Result {
    struct Shown<'a>(&'a dyn Fn(&mut fmt::Formatter<'_>) -> fmt::Result);

    impl fmt::Debug for Shown<'_> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            (self.0)(f)
        }
    }

    let is_pretty = f.alternate();
    let mut out = Abridged { out: f, in_string: None, left: SHOWN_IN_TOTAL };
    let outcome = match is_pretty {
        true => write!(out, "{:#?}", Shown(show)),
        false => write!(out, "{:?}", Shown(show)),
    };
    match out.left {
        // It was stopped on purpose.
        0 => f.write_str("…"),
        _ => outcome,
    }
}

/// Passes on what `Debug` writes, but of each string only the beginning.
struct Abridged<'a, 'b> {
    out: &'a mut fmt::Formatter<'b>,
    in_string: Option<Literal>,
    /// The bytes that may still be written.
    left: usize,
}

/// A string that is being written.
#[derive(Default)]
struct Literal {
    characters: usize,
    skipped_bytes: usize,
    /// What was written ends with a backslash that escapes what comes next.
    is_escaped: bool,
    /// The same for what was shown of it.
    splits_escape: bool,
}

impl Abridged<'_, '_> {
    /// Fails once everything that may be shown was.
    fn pass(&mut self, text: &str) -> fmt::Result {
        let fitting = boundary_before(text, self.left);
        self.out.write_str(&text[..fitting])?;
        match fitting == text.len() {
            true => self.left -= fitting,
            false => self.left = 0,
        }
        if self.left == 0 { Err(fmt::Error) } else { Ok(()) }
    }

    /// Writes the next part of a string. Returns what comes after its end.
    fn literal<'t>(&mut self, mut literal: Literal, text: &'t str) -> Result<&'t str, fmt::Error> {
        let end = literal.end_in(text);
        let content = &text[..end.unwrap_or(text.len())];
        let room = SHOWN_OF_TEXT.saturating_sub(literal.characters);
        let mut shown = content.char_indices().nth(room).map_or(content.len(), |(cut, _)| cut);
        literal.splits_escape = content[..shown].bytes().fold(literal.splits_escape, is_escape_open);
        if let Some(escaped) = content[shown..].chars().next().filter(|_| literal.splits_escape) {
            // A backslash alone would escape the quotation mark that is written after it.
            shown += escaped.len_utf8();
            literal.splits_escape = false;
        }
        literal.characters += content[..shown].chars().count();
        literal.skipped_bytes += content.len() - shown;
        self.pass(&content[..shown])?;
        let Some(end) = end else {
            self.in_string = Some(literal);
            return Ok("");
        };
        self.pass("\"")?;
        if literal.skipped_bytes > 0 {
            self.pass(&format!("… (and {} bytes)", literal.skipped_bytes))?;
        }
        Ok(&text[end + 1..])
    }
}

impl Literal {
    /// The position of the quotation mark that ends the string.
    fn end_in(&mut self, text: &str) -> Option<usize> {
        let bytes = text.as_bytes();
        let mut from = usize::from(std::mem::take(&mut self.is_escaped));
        while let Some(found) = bytes.get(from..).and_then(|rest| memchr::memchr2(b'"', b'\\', rest)) {
            let at = from + found;
            if bytes[at] == b'"' {
                return Some(at);
            }
            from = at + 2;
        }
        self.is_escaped = from > bytes.len();
        None
    }
}

impl Write for Abridged<'_, '_> {
    fn write_str(&mut self, mut text: &str) -> fmt::Result {
        while !text.is_empty() {
            if let Some(literal) = self.in_string.take() {
                text = self.literal(literal, text)?;
                continue;
            }
            let begins = memchr::memchr(b'"', text.as_bytes());
            let (outside, rest) = text.split_at(begins.map_or(text.len(), |at| at + 1));
            self.in_string = begins.map(|_| Literal::default());
            self.pass(outside)?;
            text = rest;
        }
        Ok(())
    }
}

/// Whether a backslash escapes what comes after this byte.
fn is_escape_open(was_open: bool, byte: u8) -> bool {
    byte == b'\\' && !was_open
}

/// The last position between characters up to there. (`str::floor_char_boundary` is newer than this crate's
/// oldest compiler.)
pub(crate) fn boundary_before(text: &str, at: usize) -> usize {
    (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

/// Implements `Debug` by showing the beginning of each string. All fields are listed, so that none is
/// forgotten; a variant with one unnamed field is listed with a name for it.
macro_rules! abridged_debug {
    (struct $name:ident { $($field:ident),* $(,)? }) => {
        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                let $name { $($field),* } = self;
                $crate::excerpt::debug_struct(f, stringify!($name), &[$((stringify!($field), $field)),*])
            }
        }
    };
    (enum $name:ident {
        $($variant:ident $({ $($field:ident),* $(,)? })? $(($inner:ident))?),* $(,)?
    }) => {
        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                match self {
                    $(
                        $name::$variant $({ $($field),* })? $(($inner))? => {
                            $crate::excerpt::abridged_debug!(
                                @variant f, $variant $({ $($field),* })? $(($inner))?
                            )
                        }
                    )*
                }
            }
        }
    };
    (@variant $f:ident, $variant:ident) => { $f.write_str(stringify!($variant)) };
    (@variant $f:ident, $variant:ident { $($field:ident),* }) => {
        $crate::excerpt::debug_struct($f, stringify!($variant), &[$((stringify!($field), $field)),*])
    };
    (@variant $f:ident, $variant:ident ($inner:ident)) => {
        $crate::excerpt::debug_tuple($f, stringify!($variant), $inner)
    };
}
pub(crate) use abridged_debug;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    struct Sample {
        text: String,
        list: Vec<String>,
    }

    abridged_debug!(struct Sample { text, list });

    enum Choice {
        Nothing,
        Named { text: String },
        One(Sample),
    }

    abridged_debug!(enum Choice { Nothing, Named { text }, One(sample) });

    #[derive(Debug)]
    #[allow(dead_code, reason = "shown by `Debug`")]
    struct Plain<'a> {
        text: &'a str,
        list: &'a [String],
    }

    fn sample(text: &str, list: &[&str]) -> Sample {
        Sample { text: text.to_owned(), list: list.iter().map(|text| (*text).to_owned()).collect() }
    }

    #[test]
    fn what_is_short_is_shown_as_if_derived() {
        for text in ["", "a", "\"", "\\", "\\\"", "a\n\"b\"\\", "\u{1f600}\u{0}é", "{}[],: "] {
            let shown = sample(text, &[text, "x", text]);
            let derived = Plain { text, list: &shown.list };
            assert_eq!(format!("{shown:?}"), format!("{derived:?}").replace("Plain", "Sample"));
            assert_eq!(format!("{shown:#?}"), format!("{derived:#?}").replace("Plain", "Sample"));
        }
        assert_eq!(format!("{:?}", Choice::Nothing), "Nothing");
        assert_eq!(format!("{:?}", Choice::Named { text: "x".to_owned() }), r#"Named { text: "x" }"#);
        let one = Choice::One(sample("x", &[]));
        assert_eq!(format!("{one:?}"), r#"One(Sample { text: "x", list: [] })"#);
        #[derive(Debug)]
        #[allow(dead_code, reason = "shown by `Debug`")]
        struct One<'a>(Plain<'a>);
        let derived = One(Plain { text: "x", list: &[] });
        assert_eq!(format!("{one:#?}"), format!("{derived:#?}").replace("Plain", "Sample"));
    }

    #[test]
    fn a_long_string_is_cut_and_what_comes_after_it_is_not() {
        for letter in ["x", "\"", "\\", "é", "\n"] {
            let shown = format!("{:?}", sample(&letter.repeat(1_000_000), &["the end"]));
            assert!(shown.len() < 2500, "{}", shown.len());
            assert!(shown.contains(" bytes)") && shown.ends_with(r#"list: ["the end"] }"#), "{shown}");
        }
    }

    #[test]
    fn a_long_list_is_cut_and_so_is_what_shows_it_in_turn() {
        let list = vec!["x"; 100_000];
        let long = Choice::One(sample("text", &list));
        for shown in [format!("{long:?}"), format!("{long:#?}")] {
            assert!(shown.len() < SHOWN_IN_TOTAL + 100, "{}", shown.len());
            assert!(shown.ends_with('…'), "{}", &shown[shown.len() - 100..]);
        }
    }

    #[test]
    fn the_beginning_of_a_text_ends_between_characters() {
        let text = "é".repeat(5000);
        assert_eq!(Excerpt(&text).to_string(), format!("{}… (10000 bytes)", "é".repeat(200)));
        assert_eq!(Message(&text).to_string(), format!("{}… (10000 bytes)", "é".repeat(1000)));
        assert_eq!(Excerpt("é").to_string(), "é");
    }

    /// A value whose `Debug` is shortened.
    struct Shortened<T>(T);

    impl<T: fmt::Debug> fmt::Debug for Shortened<T> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            debug(f, &|f| self.0.fmt(f))
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn any_short_value_is_shown_as_if_derived(list in prop::collection::vec((any::<String>(), "[\"\\\\x]{0,9}"), 0..5)) {
            prop_assert_eq!(format!("{:?}", Shortened(&list)), format!("{list:?}"));
            prop_assert_eq!(format!("{:#?}", Shortened(&list)), format!("{list:#?}"));
        }

        #[test]
        fn any_long_value_is_cut_between_characters_and_twice_as_once(
            list in prop::collection::vec("[\"\\\\xé\n]{990,1010}", 0..20),
        ) {
            let once = format!("{:?}", Shortened(&list));
            prop_assert!(once.len() <= SHOWN_IN_TOTAL + "…".len());
            prop_assert_eq!(format!("{:?}", Shortened(Shortened(&list))), once);
        }
    }
}
