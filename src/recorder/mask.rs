//! Copies a message as one line of JSON, without the secrets in it.
//!
//! Relies on memchr, data-encoding and serde_json. Invariant: what is copied is valid JSON of the same structure, and
//! nothing that looks like a secret by the rules on [`Recorder`](super::Recorder) is in it. One pass, and no
//! recursion into the structure, since a peer chooses its depth.

use std::ops::Range;

use data_encoding::BASE64;

/// What replaces a string whose member has a secret name.
const MASK: &[u8] = br#""***""#;

/// Which values are masked, besides tokens within texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
enum Hides {
    #[default]
    Nothing,
    Strings,
    StringsAndNumbers,
}

/// An object or list that is being copied.
#[derive(Debug, Clone, Copy, Default)]
struct Level {
    is_object: bool,
    /// What is masked of everything in it.
    hides: Hides,
    /// What is masked of the current member.
    member: Hides,
    /// What is masked of the member `value`, because another member names it: `{"name": "token", "value": ".."}`.
    named: Hides,
    /// Where the member `value` is in `out`, in case that a later member names it.
    value: Option<(usize, usize)>,
    kind: MemberKind,
}

/// Members that mean something else than their value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum MemberKind {
    #[default]
    Plain,
    /// Its string names another member.
    Name,
    /// It is named by another member, and begins here in `out`.
    Value(usize),
    /// Its string is base64.
    Base64,
    /// Says whether the answer to a question is a secret.
    IsSecret,
}

/// What comes next in the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expected {
    Value,
    ValueOrEnd,
    Name,
    NameOrEnd,
    CommaOrEnd,
    Nothing,
}

#[derive(Debug, Default)]
pub(super) struct Masker {
    /// Whether everything is copied as it is.
    shows_secrets: bool,
    /// A question asked for a secret: from then on, answers to questions are masked.
    asked_for_secrets: bool,
    levels: Vec<Level>,
    /// How many bytes of the message may be copied a second time, because what names them comes behind them.
    again: usize,
}

/// The rest of a text is not valid JSON.
struct Invalid;

impl Masker {
    pub(super) fn new(shows_secrets: bool) -> Self {
        Masker { shows_secrets, ..Masker::default() }
    }

    /// Appends the message to the line. Returns `false`, and appends nothing, if it is not JSON.
    pub(super) fn copy(&mut self, message: &[u8], line: &mut Vec<u8>) -> bool {
        let length = line.len();
        self.again = message.len().saturating_mul(4);
        let is_json = std::str::from_utf8(message).is_ok() && {
            let mut copying = Copying::new(self, message, line);
            copying.copy(Document::Line).is_ok()
        };
        if !is_json {
            self.levels.clear();
            line.truncate(length);
        }
        is_json
    }

    /// Appends a text that is no JSON, as a JSON string.
    pub(super) fn copy_text(&mut self, text: &[u8], line: &mut Vec<u8>) {
        let text = String::from_utf8_lossy(text).into_owned().into_bytes();
        let masked = if self.shows_secrets { None } else { self.masked_text(&text) };
        quote(masked.as_ref().unwrap_or(&text), line);
    }

    /// The text without the secrets in it, if there are any. It may be JSON, or contain some.
    fn masked_text(&mut self, text: &[u8]) -> Option<Vec<u8>> {
        let first = text.iter().find(|byte| !byte.is_ascii_whitespace());
        if matches!(first, Some(b'{' | b'[' | b'"')) {
            let mut out = Vec::new();
            // Its levels lie on top of those of the text around it.
            let outer = self.levels.len();
            let mut copying = Copying::new(self, text, &mut out);
            let outcome = copying.copy(Document::Inner);
            let masked = copying.masked;
            self.levels.truncate(outer);
            if outcome.is_ok() {
                return masked.then_some(out);
            }
        }
        let mut masked = text.to_vec();
        mask_tokens(&mut masked).then_some(masked)
    }
}

/// Where JSON stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Document {
    /// One value, which is put on one line.
    Line,
    /// One value or more, in a string.
    Inner,
}

/// A text that is being copied.
struct Copying<'a> {
    masker: &'a mut Masker,
    text: &'a [u8],
    /// What is looked at.
    at: usize,
    /// Everything before is in `out`.
    copied: usize,
    out: &'a mut Vec<u8>,
    masked: bool,
    /// The object or list around it; those around that are in `Masker::levels`.
    level: Level,
}

impl<'a> Copying<'a> {
    fn new(masker: &'a mut Masker, text: &'a [u8], out: &'a mut Vec<u8>) -> Self {
        Copying { masker, text, at: 0, copied: 0, out, masked: false, level: Level::default() }
    }

    fn copy(&mut self, document: Document) -> Result<(), Invalid> {
        let outer = self.masker.levels.len();
        let mut expected = Expected::Value;
        loop {
            self.skip_space(document);
            let Some(&byte) = self.text.get(self.at) else { break };
            expected = match (expected, byte) {
                (Expected::Nothing, _) if document == Document::Inner => {
                    expected = Expected::Value;
                    continue;
                }
                (Expected::Value | Expected::ValueOrEnd, b'{' | b'[') => {
                    let is_object = byte == b'{';
                    let level = Level { is_object, hides: self.hides(), ..Level::default() };
                    self.masker.levels.push(std::mem::replace(&mut self.level, level));
                    self.at += 1;
                    if is_object { Expected::NameOrEnd } else { Expected::ValueOrEnd }
                }
                (Expected::ValueOrEnd, b']')
                | (Expected::NameOrEnd, b'}')
                | (Expected::CommaOrEnd, b'}' | b']') => {
                    if self.masker.levels.len() == outer || self.level.is_object != (byte == b'}') {
                        return Err(Invalid);
                    }
                    self.at += 1;
                    self.level = self.masker.levels.pop().unwrap_or_default();
                    self.after_value(outer)
                }
                (Expected::CommaOrEnd, b',') => {
                    self.at += 1;
                    if self.level.is_object { Expected::Name } else { Expected::Value }
                }
                (Expected::Name | Expected::NameOrEnd, b'"') => {
                    self.name()?;
                    self.skip_space(document);
                    if self.text.get(self.at) != Some(&b':') {
                        return Err(Invalid);
                    }
                    self.at += 1;
                    self.skip_space(document);
                    if let MemberKind::Value(_) = self.level.kind {
                        self.replace(self.at..self.at, |_| {});
                        self.level.kind = MemberKind::Value(self.out.len());
                    }
                    Expected::Value
                }
                (Expected::Value | Expected::ValueOrEnd, b'"') => {
                    self.string()?;
                    self.after_value(outer)
                }
                (Expected::Value | Expected::ValueOrEnd, _) => {
                    self.scalar()?;
                    self.after_value(outer)
                }
                _ => return Err(Invalid),
            };
        }
        if expected != Expected::Nothing {
            return Err(Invalid);
        }
        self.out.extend_from_slice(&self.text[self.copied..]);
        Ok(())
    }

    /// What is masked of the next value.
    fn hides(&self) -> Hides {
        self.level.hides.max(self.level.member)
    }

    fn after_value(&mut self, outer: usize) -> Expected {
        if let MemberKind::Value(start) = self.level.kind {
            self.replace(self.at..self.at, |_| {});
            self.level.value = Some((start, self.out.len()));
        }
        if self.masker.levels.len() > outer { Expected::CommaOrEnd } else { Expected::Nothing }
    }

    #[inline]
    fn skip_space(&mut self, document: Document) {
        while let Some(byte) = self.text.get(self.at) {
            match byte {
                b' ' | b'\t' => self.at += 1,
                b'\n' | b'\r' => {
                    if document == Document::Line {
                        self.replace(self.at..self.at + 1, |out| out.push(b' '));
                    }
                    self.at += 1;
                }
                _ => return,
            }
        }
    }

    /// Writes something else for a part of the text.
    fn replace(&mut self, part: Range<usize>, write: impl FnOnce(&mut Vec<u8>)) {
        self.out.extend_from_slice(&self.text[self.copied..part.start]);
        write(self.out);
        self.copied = part.end;
    }

    fn mask(&mut self, part: Range<usize>, write: impl FnOnce(&mut Vec<u8>)) {
        self.replace(part, write);
        self.masked = true;
    }

    /// Masks the member `value` of this object, which has been copied.
    fn mask_value(&mut self, hides: Hides) {
        let Some((start, end)) = self.level.value.take() else { return };
        let value = self.out[start..end].to_vec();
        let mut masked = Vec::new();
        // Every object around it may want it again: beyond the limit only a peer that wants to cost time is.
        if value.len() <= self.masker.again {
            self.masker.again -= value.len();
            let outer = self.masker.levels.len();
            let mut copying = Copying::new(self.masker, &value, &mut masked);
            copying.level.member = hides;
            let outcome = copying.copy(Document::Line);
            debug_assert!(outcome.is_ok(), "what was copied is JSON");
            self.masker.levels.truncate(outer);
        } else {
            masked.extend_from_slice(MASK);
        }
        self.out.splice(start..end, masked);
        self.masked = true;
    }

    /// The string that begins here; afterwards, `at` is behind it.
    fn scan(&mut self) -> Result<(Range<usize>, u8), Invalid> {
        let start = self.at + 1;
        let (end, found) = scan_string(self.text, start).ok_or(Invalid)?;
        self.at = end + 1;
        Ok((start..end, found))
    }

    /// Copies the name of a member, and decides about its value.
    fn name(&mut self) -> Result<(), Invalid> {
        let (part, found) = self.scan()?;
        if self.masker.shows_secrets {
            return Ok(());
        }
        let text = self.text;
        let raw = &text[part.clone()];
        let decoded = if found & ESCAPE == 0 { None } else { Some(unescape(raw)) };
        let name = decoded.as_deref().unwrap_or(raw);
        let level = &mut self.level;
        level.member = hides_of(name);
        level.kind = MemberKind::Plain;
        match name.last().map(u8::to_ascii_lowercase) {
            Some(b'e') if is_named(name, b"value") => {
                level.member = level.member.max(level.named);
                level.kind = MemberKind::Value(0);
            }
            // With these somebody else could complete a sign-in.
            Some(b'e') if is_named(name, b"usercode") => level.member = Hides::Strings,
            Some(b'l') if is_named(name, b"authurl") => level.member = Hides::Strings,
            Some(b'e') if is_named(name, b"name") => level.kind = MemberKind::Name,
            Some(b'y') if is_named(name, b"key") => level.kind = MemberKind::Name,
            Some(b'h') if is_named(name, b"keypath") => level.kind = MemberKind::Name,
            Some(b'4') if ends_with(name, b"base64") => level.kind = MemberKind::Base64,
            Some(b't') if is_named(name, b"issecret") => level.kind = MemberKind::IsSecret,
            Some(b's') if self.masker.asked_for_secrets && is_named(name, b"answers") => {
                level.member = Hides::StringsAndNumbers;
            }
            _ => {}
        }
        if may_contain_secret(found) {
            let mut text = name.to_vec();
            if mask_tokens(&mut text) {
                self.mask(part.start - 1..part.end + 1, |out| quote(&text, out));
            }
        }
        Ok(())
    }

    /// Copies a string that is a value.
    fn string(&mut self) -> Result<(), Invalid> {
        let (part, found) = self.scan()?;
        if self.masker.shows_secrets {
            return Ok(());
        }
        let quoted = part.start - 1..part.end + 1;
        if self.hides() > Hides::Nothing {
            if !part.is_empty() {
                self.mask(quoted, |out| out.extend_from_slice(MASK));
            }
            return Ok(());
        }
        let text = self.text;
        let raw = &text[part];
        let decoded = if found & ESCAPE == 0 { None } else { Some(unescape(raw)) };
        let value = decoded.as_deref().unwrap_or(raw);
        match self.level.kind {
            MemberKind::Name => {
                self.level.named = hides_of(value);
                if self.level.named > Hides::Nothing {
                    self.mask_value(self.level.named);
                }
            }
            MemberKind::Base64 => {
                if let Ok(bytes) = BASE64.decode(value) {
                    if let Some(masked) = self.masker.masked_text(&bytes) {
                        self.mask(quoted, |out| quote(BASE64.encode(&masked).as_bytes(), out));
                    }
                    return Ok(());
                }
            }
            _ => {}
        }
        if may_contain_secret(found) {
            if let Some(masked) = self.masker.masked_text(value) {
                self.mask(quoted, |out| quote(&masked, out));
            }
        }
        Ok(())
    }

    /// Copies a number, `true`, `false` or `null`.
    fn scalar(&mut self) -> Result<(), Invalid> {
        let start = self.at;
        let rest = &self.text[start..];
        let is_word = |word: &&[u8]| rest.starts_with(word);
        if let Some(word) = [&b"null"[..], b"true", b"false"].into_iter().find(is_word) {
            self.at += word.len();
            if word == b"true" && self.level.kind == MemberKind::IsSecret {
                self.masker.asked_for_secrets = true;
            }
            return Ok(());
        }
        let length = number_length(rest).ok_or(Invalid)?;
        self.at += length;
        if self.hides() == Hides::StringsAndNumbers {
            self.mask(start..start + length, |out| out.push(b'0'));
        }
        Ok(())
    }
}

/// A control character, which is not valid in a string.
const CONTROL: u8 = 1;
const ESCAPE: u8 = 1 << 1;
/// Something that only texts with secrets have, or few others: `:`, `=`, `J`.
const SUSPECT: u8 = 1 << 2;
const SPACE: u8 = 1 << 3;
const DASH: u8 = 1 << 4;
const LOWER_K: u8 = 1 << 5;
const LETTER_B: u8 = 1 << 6;

/// What each byte of a string says about it.
static CLASSES: [u8; 256] = {
    let mut classes = [0; 256];
    let mut byte = 0;
    while byte < 0x20 {
        classes[byte] = CONTROL;
        byte += 1;
    }
    classes[b'\\' as usize] = ESCAPE;
    classes[b':' as usize] = SUSPECT;
    classes[b'=' as usize] = SUSPECT;
    classes[b'J' as usize] = SUSPECT;
    classes[b' ' as usize] = SPACE;
    classes[b'-' as usize] = DASH;
    classes[b'k' as usize] = LOWER_K;
    classes[b'b' as usize] = LETTER_B;
    classes[b'B' as usize] = LETTER_B;
    classes
};

/// Whether a string with these bytes has to be looked at.
fn may_contain_secret(found: u8) -> bool {
    let has = |all: u8| found & all == all;
    found & (ESCAPE | SUSPECT) != 0 || has(DASH | LOWER_K) || has(SPACE | LETTER_B)
}

/// The end of a string, and the classes of the bytes in it. `None` if it is not valid.
fn scan_string(text: &[u8], start: usize) -> Option<(usize, u8)> {
    let mut at = start;
    let end = loop {
        at += memchr::memchr2(b'"', b'\\', &text[at..])?;
        match (text[at], text.get(at + 1)) {
            (b'"', _) => break at,
            (_, Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't')) => at += 2,
            (_, Some(b'u')) if text.get(at + 2..at + 6)?.iter().all(u8::is_ascii_hexdigit) => at += 6,
            _ => return None,
        }
    };
    let found = text[start..end].iter().fold(0, |found, byte| found | CLASSES[usize::from(*byte)]);
    (found & CONTROL == 0).then_some((end, found))
}

/// The length of the number at the beginning.
fn number_length(text: &[u8]) -> Option<usize> {
    let digits = |from: usize| text[from..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let is_at = |at: usize, bytes: &[u8]| text.get(at).is_some_and(|byte| bytes.contains(byte));
    let mut at = usize::from(is_at(0, b"-"));
    match digits(at) {
        0 => return None,
        1 => at += 1,
        _ if is_at(at, b"0") => return None,
        count => at += count,
    }
    if is_at(at, b".") {
        at += 1 + Some(digits(at + 1)).filter(|count| *count > 0)?;
    }
    if is_at(at, b"eE") {
        at += 1;
        at += usize::from(is_at(at, b"+-"));
        at += Some(digits(at)).filter(|count| *count > 0)?;
    }
    Some(at)
}

/// Decodes the escapes of a valid string. A lone surrogate becomes U+FFFD.
fn unescape(raw: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(at) = memchr::memchr(b'\\', rest) {
        out.extend_from_slice(&rest[..at]);
        let escape = rest.get(at + 1).copied().unwrap_or(b'\\');
        rest = rest.get(at + 2..).unwrap_or_default();
        match escape {
            b'u' => {
                let first = unit(rest);
                rest = rest.get(4..).unwrap_or_default();
                let second =
                    rest.strip_prefix(b"\\u").map(unit).filter(|unit| (0xdc00..0xe000).contains(unit));
                let code = match (first, second) {
                    (0xd800..0xdc00, Some(second)) => {
                        rest = rest.get(6..).unwrap_or_default();
                        0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00)
                    }
                    _ => first,
                };
                let letter = char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER);
                out.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes());
            }
            b'n' => out.push(b'\n'),
            b't' => out.push(b'\t'),
            b'r' => out.push(b'\r'),
            b'b' => out.push(8),
            b'f' => out.push(12),
            other => out.push(other),
        }
    }
    out.extend_from_slice(rest);
    out
}

/// The code unit of four hexadecimal digits.
fn unit(digits: &[u8]) -> u32 {
    let digits = digits.get(..4).and_then(|digits| std::str::from_utf8(digits).ok());
    digits.and_then(|digits| u32::from_str_radix(digits, 16).ok()).unwrap_or(0xfffd)
}

/// Appends a text as a JSON string.
fn quote(text: &[u8], out: &mut Vec<u8>) {
    // Writing to a vector does not fail.
    let _ = serde_json::to_writer(out, &String::from_utf8_lossy(text));
}

/// The letters of a name from its end, in lower case and without `_`, `-`, and the quotes that a name in a path may
/// have.
fn letters_backwards(name: &[u8]) -> impl Iterator<Item = u8> {
    name.iter().rev().filter(|byte| !matches!(byte, b'_' | b'-' | b'"' | b'\'')).map(u8::to_ascii_lowercase)
}

fn ends_with(name: &[u8], ending: &[u8]) -> bool {
    let mut letters = letters_backwards(name);
    ending.iter().rev().all(|expected| letters.next() == Some(*expected))
}

fn is_named(name: &[u8], expected: &[u8]) -> bool {
    letters_backwards(name).eq(expected.iter().rev().copied())
}

/// What is masked of the value with this name, which may be a path: `mcp_servers.docs.env.KEY`.
fn hides_of(name: &[u8]) -> Hides {
    // Most names end with another letter, and need no closer look.
    let may_be_secret = matches!(
        name.last(),
        Some(b'y' | b'Y' | b'n' | b'N' | b't' | b'T' | b'd' | b'D' | b'_' | b'-' | b'"' | b'\'')
    );
    let holds_secrets = |part: &[u8]| is_named(part, b"env") || is_named(part, b"httpheaders");
    match name.iter().rposition(|byte| *byte == b'.') {
        Some(_) if name.split(|byte| *byte == b'.').any(holds_secrets) => Hides::StringsAndNumbers,
        Some(dot) if is_secret(&name[dot + 1..]) => Hides::Strings,
        None if matches!(name.last(), Some(b'v' | b'V' | b's' | b'S' | b'_' | b'-' | b'"' | b'\''))
            && holds_secrets(name) =>
        {
            Hides::StringsAndNumbers
        }
        None if may_be_secret && is_secret(name) => Hides::Strings,
        _ => Hides::Nothing,
    }
}

/// Whether a name is `authorization`, or ends with that of a secret: `access_token`, `OPENAI_API_KEY`.
fn is_secret(name: &[u8]) -> bool {
    match letters_backwards(name).next() {
        Some(b'y') => ends_with(name, b"apikey"),
        Some(b'n') => ends_with(name, b"token") || is_authorization(name),
        Some(b't') => ends_with(name, b"secret"),
        Some(b'd') => ends_with(name, b"password"),
        _ => false,
    }
}

fn is_authorization(name: &[u8]) -> bool {
    is_named(name, b"authorization") || is_named(name, b"proxyauthorization")
}

/// Masks the secrets within a text, without changing its length. Returns whether there are any.
///
/// - `sk-..`, `eyJ..` and what follows `Bearer`;
/// - the string of a member with a secret name, in a text that is no JSON but contains parts of it;
/// - what follows `authorization:`, up to the end of its line;
/// - what follows the name of a secret and `=`, without spaces: `KEY=..`, `?token=..`.
fn mask_tokens(text: &mut [u8]) -> bool {
    let mut has_secrets = false;
    let mut at = 0;
    while at < text.len() {
        let before = &text[..at];
        let secret = match text[at] {
            b'-' if before.ends_with(b"sk") && is_start(text, at - 2) => token(text, at + 1),
            b'J' if before.ends_with(b"ey") && is_start(text, at - 2) => token(text, at + 1),
            b':' | b'=' => assigned(text, at).or_else(|| bearer(text, at)),
            b' ' | b'\t' | b'\n' | b'\r' | b'\\' | b'%' => bearer(text, at),
            _ => None,
        };
        match secret {
            Some(secret) if !secret.is_empty() => {
                has_secrets = true;
                at = secret.end;
                let masked = |byte: &&mut u8| !matches!(**byte, b'.' | b'=');
                text[secret].iter_mut().filter(masked).for_each(|byte| *byte = b'x');
            }
            _ => at += 1,
        }
    }
    has_secrets
}

/// Whether a word may begin here: behind no letter and no digit, but those of an escape.
fn is_start(text: &[u8], at: usize) -> bool {
    let before = &text[..at];
    match before {
        [.., b'\\', b'n' | b'r' | b't' | b'b' | b'f'] => true,
        [.., b'\\', b'u', a, b, c, d] if [a, b, c, d].iter().all(|digit| digit.is_ascii_hexdigit()) => true,
        // `%20`, of a URL.
        [.., b'%', a, b] if a.is_ascii_hexdigit() && b.is_ascii_hexdigit() => true,
        [.., last] => !last.is_ascii_alphanumeric(),
        [] => true,
    }
}

fn is_of_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte)
}

/// The token that begins here.
fn token(text: &[u8], start: usize) -> Option<Range<usize>> {
    let length = text[start..].iter().take_while(|byte| is_of_token(**byte)).count();
    Some(start..start + length)
}

/// The token behind the word `Bearer`, if that ends here.
fn bearer(text: &[u8], at: usize) -> Option<Range<usize>> {
    let start = at.checked_sub(6)?;
    if !text[start..at].eq_ignore_ascii_case(b"bearer") || !is_start(text, start) {
        return None;
    }
    let is_between = |byte: &&u8| byte.is_ascii_whitespace() || b"\"'\\%:=<".contains(byte);
    let between = text[at..].iter().take_while(is_between).count();
    token(text, at + between)
}

/// The secret behind `:` or `=`, if the name before it is that of one.
fn assigned(text: &[u8], at: usize) -> Option<Range<usize>> {
    let is_quote = |byte: u8| matches!(byte, b'"' | b'\'' | b'\\' | b'`');
    let before = text[..at].trim_ascii_end();
    let quotes = before.iter().rev().take_while(|byte| is_quote(**byte)).count();
    let name_end = before.len() - quotes;
    let is_of_name = |byte: &&u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    let name_length = text[..name_end].iter().rev().take(64).take_while(is_of_name).count();
    let name = &text[name_end - name_length..name_end];
    if !is_secret(name) {
        return None;
    }
    let behind = &text[at + 1..];
    let space = match behind {
        // A word of a shell, with escapes.
        [b'$', b'\'' | b'"', ..] => 1,
        _ => behind.iter().take_while(|byte| byte.is_ascii_whitespace()).count(),
    };
    let opening = behind[space..].iter().take_while(|byte| is_quote(**byte)).count();
    let start = at + 1 + space + opening;
    let is_authorization = is_authorization(name);
    let is_joined = text[at] == b'=' && quotes == 0 && name_end == at && (space == 0 || behind[0] == b'$');
    let length = match text.get(start - 1).filter(|_| opening > 0) {
        Some(quote) if quotes > 0 || is_authorization || is_joined => {
            quoted_length(&text[start..], *quote, opening - 1)
        }
        None if is_authorization => text[start..]
            .iter()
            .take_while(|byte| !is_quote(**byte) && **byte != b'\n' && **byte != b'\r')
            .count(),
        None if is_joined => {
            let ends = |byte: u8| byte.is_ascii_whitespace() || is_quote(byte) || b"&;,)]}".contains(&byte);
            text[start..].iter().take_while(|byte| !ends(**byte)).count()
        }
        _ => return None,
    };
    Some(start..start + length)
}

/// The length of a string up to the quote that ends it, in a text in which its first quote is behind so many
/// backslashes.
fn quoted_length(text: &[u8], quote: u8, backslashes: usize) -> usize {
    let mut before = 0;
    for (at, byte) in text.iter().enumerate() {
        match byte {
            b'\n' => return at,
            b'\\' => before += 1,
            byte if *byte == quote && before <= backslashes => return at - before,
            _ => before = 0,
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn copied(masker: &mut Masker, message: &str) -> Option<String> {
        let mut line = b"before".to_vec();
        let is_json = masker.copy(message.as_bytes(), &mut line);
        let line = String::from_utf8(line).unwrap();
        let copy = line.strip_prefix("before").unwrap().to_owned();
        assert!(is_json || copy.is_empty(), "{copy}");
        is_json.then_some(copy)
    }

    fn masked(message: &str) -> String {
        copied(&mut Masker::new(false), message).unwrap_or_else(|| panic!("not JSON: {message}"))
    }

    fn masked_value(message: &Value) -> Value {
        serde_json::from_str(&masked(&message.to_string())).unwrap()
    }

    fn masked_string(text: &str) -> String {
        masked_value(&text.into()).as_str().unwrap().to_owned()
    }

    #[test]
    fn what_has_no_secret_is_copied_to_the_letter() {
        for text in [
            r#"{"method":"item/agentMessage/delta","params":{"threadId":"0199-ab","delta":" a-b = c: J \n\u00e9\ud83d\ude00"}}"#,
            r#" { "a" : [ 1 , -2.5e+3 , true , false , null , { } , [ ] , "" ] , "b" : { "c" : 0 } } "#,
            r#"{"tokenUsage":{"totalTokens":5,"last":{}},"maxTokens":"7","isSecret":false,"keys":"x","environment":"y"}"#,
            r#"{"text":"a task-force of disks, the bearer, a monkey: j = k; the token is lost, key: v, keyJ"}"#,
            r#"{"text":"{\"a\":1,\n \"b\":[\"x\"]}","lone":"\ud800 ok"}"#,
            r#"{"password":null,"secret":true,"token":7,"env":{"A":null,"B":""}}"#,
            "3",
            r#""x""#,
        ] {
            assert_eq!(masked(text), text);
        }
    }

    #[test]
    fn line_breaks_between_values_become_spaces() {
        assert_eq!(masked("{\n \"a\":\r\n1}\n"), "{  \"a\":  1} ");
    }

    #[test]
    fn what_is_no_json_is_not_copied() {
        for text in [
            "",
            " ",
            "{",
            "}",
            "[",
            "]",
            "[}",
            "{]",
            "{\"a\"}",
            "{\"a\":}",
            "{\"a\":1,}",
            "[1,]",
            "[,1]",
            "{,}",
            "1 2",
            "{}{}",
            "{a:1}",
            "{1:2}",
            "[1 2]",
            "{\"a\" 1}",
            "nul",
            "truefalse",
            "01",
            "-",
            "1.",
            ".5",
            "1e",
            "+1",
            "\"",
            "\"\\x\"",
            "\"\\u12g4\"",
            "\"a\nb\"",
            "\"\u{1}\"",
            "'a'",
            "[\"a\":1]",
            "{\"a\",1}",
            "\u{feff}{}",
            "NaN",
            ":",
            ",",
            "\"a\" :",
            "{\"a\":1]",
        ] {
            assert_eq!(copied(&mut Masker::new(false), text), None, "{text:?}");
            assert!(serde_json::from_str::<serde::de::IgnoredAny>(text).is_err(), "{text:?}");
        }
        let mut line = Vec::new();
        assert!(!Masker::new(false).copy(b"\"\xff\"", &mut line));
        // One that ended in the middle leaves nothing behind for the next.
        let mut masker = Masker::new(false);
        assert_eq!(copied(&mut masker, r#"{"env":{"a":["#), None);
        assert_eq!(copied(&mut masker, r#"{"a":"x"}"#).unwrap(), r#"{"a":"x"}"#);
    }

    #[test]
    fn json_of_any_depth_is_copied() {
        let deep = "[".repeat(100_000) + r#"{"token":"hush"}"# + &"]".repeat(100_000);
        assert_eq!(masked(&deep), deep.replace("hush", "***"));
    }

    #[test]
    fn strings_with_a_secret_name_are_masked_however_it_is_written() {
        for name in [
            "apiKey",
            "api_key",
            "API-KEY",
            "OPENAI_API_KEY",
            "x-api-key",
            "token",
            "Token",
            "access_token",
            "refreshToken",
            "id-token",
            "authToken",
            "Authorization",
            "Proxy-Authorization",
            "secret",
            "client_secret",
            "pass_word",
            "PASSWORD",
            "\\u0061pi_key",
            "p\\u0061ssword",
            "a.b.api_key",
        ] {
            let text = format!(r#"{{"a":[{{"{name}":"hush"}}],"b":"c"}}"#);
            assert_eq!(masked(&text), text.replace("hush", "***"));
        }
    }

    #[test]
    fn everything_within_a_secret_member_is_masked() {
        let message =
            json!({ "token": { "a": "hush", "b": ["hush", { "c": "hush" }], "n": 1 }, "after": "x" });
        let expected = json!({ "token": { "a": "***", "b": ["***", { "c": "***" }], "n": 1 }, "after": "x" });
        assert_eq!(masked_value(&message), expected);
    }

    #[test]
    fn all_values_of_an_environment_are_masked() {
        let message = json!({ "env": { "A": "hush", "B": 7, "C": null, "D": true, "E": ["hush"] }, "F": "x",
            "ENV": ["A=hush"], "mcp_servers.docs.env": { "A": "hush" }, "a.env.KEY": "hush", "e_n_v": 5 });
        let expected = json!({ "env": { "A": "***", "B": 0, "C": null, "D": true, "E": ["***"] }, "F": "x",
            "ENV": ["***"], "mcp_servers.docs.env": { "A": "***" }, "a.env.KEY": "***", "e_n_v": 0 });
        assert_eq!(masked_value(&message), expected);
    }

    #[test]
    fn all_headers_of_a_configured_server_are_masked() {
        let message = json!({ "http_headers": { "X": "hush" }, "a.httpHeaders": { "X": "hush" },
            "a.\"http_headers\".X": "hush", "headers": "x" });
        let expected = json!({ "http_headers": { "X": "***" }, "a.httpHeaders": { "X": "***" },
            "a.\"http_headers\".X": "***", "headers": "x" });
        assert_eq!(masked_value(&message), expected);
    }

    #[test]
    fn a_value_that_another_member_names_is_masked() {
        for (name, value) in
            [("name", "Authorization"), ("keyPath", "mcp.env.A"), ("key", "api_key"), ("key_path", "x.token")]
        {
            let message = json!({ name: value, "value": "hush" });
            assert_eq!(masked_value(&message)["value"], "***", "{message}");
            let message = json!([{ name: value }, { "value": "shown" }]);
            assert_eq!(masked_value(&message), message);
            // In whichever order.
            for hush in
                [r#""hush""#, r#"{"a":["hush",{"value":"hush","name":"x"}]}"#, r#""{\"a\":\"hush\"}""#]
            {
                let text = format!(r#"{{"a":1, "value" : {hush} , "b":2,"{name}":"{value}","c":[3]}}"#);
                let copy: Value = serde_json::from_str(&masked(&text)).unwrap();
                assert!(!copy.to_string().contains("hush"), "{copy}");
                assert_eq!(
                    (&copy["a"], &copy["b"], &copy[name], &copy["c"]),
                    (&json!(1), &json!(2), &json!(value), &json!([3]))
                );
                let as_text = masked_string(&text);
                assert!(!as_text.contains("hush") && as_text.contains(value), "{as_text}");
            }
        }
        assert_eq!(masked(r#"{"value":5,"keyPath":"a.env.B"}"#), r#"{"value":0,"keyPath":"a.env.B"}"#);
        let plain = r#"{"value":"shown","name":"x","b":{"value":1}}"#;
        assert_eq!(masked(plain), plain);
    }

    #[test]
    fn a_path_with_quoted_names_is_one() {
        for path in
            ["a.\"Authorization\"", "mcp.\"b.c\".env.KEY", "a.'env'.KEY", "a.\"x_token\"", "'api-key'"]
        {
            let message = json!({ "keyPath": path, "value": "hush" });
            assert_eq!(masked_value(&message)["value"], "***", "{message}");
        }
    }

    #[test]
    fn values_within_values_that_are_named_behind_them_cost_no_more_than_a_few_copies() {
        let depth = 30_000;
        let deep = r#"{"value":"#.repeat(depth) + r#""hush""# + &r#","name":"env.token"}"#.repeat(depth);
        let copy = masked(&deep);
        assert!(!copy.contains("hush") && copy.len() < 2 * deep.len());
    }

    #[test]
    fn what_completes_a_sign_in_is_masked() {
        let reply = json!({ "loginId": "1", "userCode": "hush", "authUrl": "https://hush" });
        assert_eq!(masked_value(&reply), json!({ "loginId": "1", "userCode": "***", "authUrl": "***" }));
    }

    #[test]
    fn tokens_within_a_text_are_masked() {
        for (text, expected) in [
            ("sk-proj-A1_b2", "sk-xxxxxxxxxx"),
            ("use sk-abc, please", "use sk-xxx, please"),
            ("(sk-abc)", "(sk-xxx)"),
            ("\nsk-abc", "\nsk-xxx"),
            ("cut \\nsk-abc\\n", "cut \\nsk-xxx\\n"),
            ("é sk-abc", "é sk-xxx"),
            ("eyJhbG.eyJzdWI.sig-n_", "eyJxxx.xxxxxxx.xxxxxx"),
            ("a=eyJhbG==", "a=eyJxxx=="),
            ("Bearer a.b~c+/=", "Bearer x.xxxxx="),
            ("bearer\t a1", "bearer\t xx"),
            ("-H 'Authorization: Bearer a1' -v", "-H 'Authorization: xxxxxxxxx' -v"),
            ("Authorization: Basic dTpw\r\nHost: x", "Authorization: xxxxxxxxxx\r\nHost: x"),
            ("https://x/?token=a%20b&y=z", "https://x/?token=xxxxx&y=z"),
            ("OPENAI_API_KEY=hush env", "OPENAI_API_KEY=xxxx env"),
            ("export PASSWORD='a b c'; x", "export PASSWORD='xxxxx'; x"),
            ("export PASSWORD=$'a b'; x", "export PASSWORD=$'xxx'; x"),
        ] {
            assert_eq!(masked_string(text), expected);
            assert_eq!(masked_value(&json!({ text: 1 })), json!({ expected: 1 }));
        }
    }

    #[test]
    fn json_in_a_text_is_masked_by_its_members() {
        let inner = json!({ "api_key": "hush", "a": ["x", { "env": { "B": "hush" } }] });
        let text = inner.to_string();
        assert_eq!(masked_string(&text), text.replace("hush", "***"));
        let twice = Value::from(text.as_str()).to_string();
        assert_eq!(masked_string(&twice), twice.replace("hush", "***"));
        let pretty = serde_json::to_string_pretty(&inner).unwrap();
        assert_eq!(masked_string(&pretty), pretty.replace("hush", "***"));
        let lines = format!("{text}\n{text}\n");
        assert_eq!(masked_string(&lines), lines.replace("hush", "***"));
    }

    #[test]
    fn json_that_is_a_part_of_a_text_is_masked_by_its_members() {
        for text in [
            "$ cat auth.json\n{\"api_key\": \"hush\", \"a\": 1}",
            "{\"token\" : \"hush\"",
            "a {\\\"token\\\":\\\"hush\\\"} b",
            "{'password': 'hush', 'a': 'b'}",
            "{\"password\": \"hush",
        ] {
            assert_eq!(masked_string(text), text.replace("hush", "xxxx"));
        }
        assert_eq!(masked_string("x \"token\":\"a\\\"hush\" y"), "x \"token\":\"xxxxxxx\" y");
    }

    #[test]
    fn base64_is_masked_as_the_text_that_it_is() {
        let message = json!({ "deltaBase64": BASE64.encode(b"key: sk-hush\n\xff") });
        let masked = masked_value(&message);
        assert_eq!(
            BASE64.decode(masked["deltaBase64"].as_str().unwrap().as_bytes()).unwrap(),
            b"key: sk-xxxx\n\xff"
        );
        // The beginning of JSON looks like the one of a token.
        let message = json!({ "deltaBase64": BASE64.encode(b"{\"a\":1}") });
        assert_eq!(masked_value(&message), message);
    }

    #[test]
    fn answers_are_masked_once_a_question_asked_for_a_secret() {
        let mut masker = Masker::new(false);
        let answer = r#"{"id":1,"result":{"answers":{"q":{"answers":["hush"]}}}}"#;
        assert_eq!(copied(&mut masker, answer).unwrap(), answer);
        let question = r#"{"id":1,"params":{"questions":[{"id":"q","isSecret":true}]}}"#;
        assert_eq!(copied(&mut masker, question).unwrap(), question);
        assert_eq!(copied(&mut masker, answer).unwrap(), answer.replace("hush", "***"));
    }

    #[test]
    fn nothing_is_masked_if_that_is_asked_for() {
        let message = r#"{"token":"a","env":{"A":1},"x":"sk-abc eyJa Bearer b"}"#;
        assert_eq!(copied(&mut Masker::new(true), message).unwrap(), message);
        let mut line = Vec::new();
        Masker::new(true).copy_text(b"sk-abc \xff", &mut line);
        assert_eq!(line, "\"sk-abc \u{fffd}\"".as_bytes());
    }

    #[test]
    fn a_text_that_is_no_message_is_masked_too() {
        let mut line = Vec::new();
        Masker::new(false).copy_text(b"Bearer hush \"\xff", &mut line);
        assert_eq!(line, "\"Bearer xxxx \\\"\u{fffd}\"".as_bytes());
    }

    /// It occurs in nothing else.
    const SECRET: &str = "QzW9hush";

    /// A text that is a secret by itself.
    fn secret_text() -> impl Strategy<Value = String> {
        prop_oneof![
            Just(format!("sk-{SECRET}")),
            Just(format!("eyJ{SECRET}.{SECRET}")),
            Just(format!("Bearer {SECRET}")),
            Just(format!("Authorization: Basic {SECRET}")),
            Just(format!("API_KEY={SECRET}")),
            Just(format!("\"api_key\": \"{SECRET}\"")),
        ]
    }

    fn text_with_secret() -> impl Strategy<Value = Value> {
        let around = "[ a-z0-9\\n\"\\\\{}é,]{0,12}";
        (around, secret_text(), around)
            .prop_map(|(before, secret, after)| Value::from(format!("{before} {secret} {after}")))
    }

    fn secret_name() -> impl Strategy<Value = String> {
        const NAMES: &[&str] = &[
            "apiKey",
            "token",
            "accesstoken",
            "refresh_token",
            "ID_TOKEN",
            "auth-token",
            "Authorization",
            "secret",
            "password",
        ];
        (prop::sample::select(NAMES), any::<u32>()).prop_map(|(name, bits)| {
            let letter = |(at, letter): (usize, char)| {
                let bit = |by: usize| bits >> ((at + by) % 32) & 1 == 1;
                let letter = if bit(0) { letter.to_ascii_uppercase() } else { letter.to_ascii_lowercase() };
                let end = if bit(7) { "_" } else { "" };
                format!("{letter}{end}")
            };
            name.chars().enumerate().map(letter).collect()
        })
    }

    fn plain() -> impl Strategy<Value = Value> {
        prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<i32>().prop_map(|number| Value::from(f64::from(number) / 4.0)),
            "[a-z0-9 \\n\"\\\\é-]{0,20}".prop_map(Value::from),
        ]
    }

    fn tree() -> impl Strategy<Value = Value> {
        let secret = Just(Value::from(SECRET));
        let leaf = prop_oneof![plain(), text_with_secret()];
        leaf.prop_recursive(6, 60, 5, move |inner| {
            let secrets = prop_oneof![
                secret.clone(),
                secret.clone().prop_map(|secret| json!([secret, [secret], { "a": secret }])),
            ];
            let named = (secret_name(), secrets.clone()).prop_map(|(name, secret)| json!({ name: secret }));
            let environment = (inner.clone(), secrets)
                .prop_map(|(inner, secret)| json!({ "env": { "A": secret, "B": inner } }));
            let as_text = inner.clone().prop_map(|inner| Value::from(inner.to_string()));
            let pretty =
                inner.clone().prop_map(|inner| Value::from(serde_json::to_string_pretty(&inner).unwrap()));
            let base64 = text_with_secret()
                .prop_map(|text| json!({ "deltaBase64": BASE64.encode(text.as_str().unwrap().as_bytes()) }));
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::vec(("[a-z]{1,8}", inner), 0..4)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
                named,
                environment,
                as_text,
                pretty,
                base64,
            ]
        })
    }

    /// The same structure; and the same values, but for strings and numbers.
    fn is_alike(a: &Value, b: &Value) -> bool {
        match (a, b) {
            (Value::Object(a), Value::Object(b)) => {
                a.len() == b.len()
                    && a.iter().zip(b).all(|((name, a), (other, b))| name == other && is_alike(a, b))
            }
            (Value::Array(a), Value::Array(b)) => {
                a.len() == b.len() && a.iter().zip(b).all(|(a, b)| is_alike(a, b))
            }
            (Value::String(_), Value::String(_)) | (Value::Number(_), Value::Number(_)) => true,
            _ => a == b,
        }
    }

    /// The text with letters of its strings as escapes.
    fn escaped(text: &str, every: usize) -> String {
        let mut is_escaped = false;
        let mut in_string = false;
        let mut out = String::new();
        for (at, letter) in text.char_indices() {
            in_string ^= letter == '"' && !is_escaped;
            let is_plain = in_string && !is_escaped && letter.is_ascii_alphanumeric() && at % every == 0;
            // The digits of an escape are none.
            let after_u = text[..at].ends_with("\\u")
                || (1..4)
                    .any(|by| at >= by && text.get(..at - by).is_some_and(|before| before.ends_with("\\u")));
            is_escaped = letter == '\\' && !is_escaped;
            if is_plain && !after_u {
                out += &format!("\\u{:04x}", u32::from(letter));
            } else {
                out.push(letter);
            }
        }
        out
    }

    proptest! {
        #[test]
        fn no_planted_secret_survives_and_the_structure_does(tree in tree(), every in 1_usize..5) {
            for text in [tree.to_string(), escaped(&tree.to_string(), every)] {
                prop_assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), tree.clone());
                let copy = masked(&text);
                let copied: Value = serde_json::from_str(&copy).unwrap();
                prop_assert!(is_alike(&copied, &tree), "{} {}", copied, tree);
                // Decoded at every level, also in base64.
                let mut shown = format!("{copied:?}{copied}");
                let mut stack = vec![copied];
                while let Some(value) = stack.pop() {
                    match value {
                        Value::Array(items) => stack.extend(items),
                        Value::Object(members) => stack.extend(members.into_iter().map(|(_, value)| value)),
                        Value::String(text) => {
                            if let Ok(bytes) = BASE64.decode(text.as_bytes()) {
                                shown += &String::from_utf8_lossy(&bytes);
                            }
                            stack.extend(serde_json::from_str::<Value>(&text).ok().filter(|value| !value.is_null()));
                            shown += &text;
                        }
                        _ => {}
                    }
                }
                prop_assert!(!shown.contains(SECRET), "{} -> {}", text, copy);
            }
        }

        #[test]
        fn it_takes_for_json_what_serde_json_does(text in "[\\[\\]{}:,\"\\\\a0-9.eE+\\-tru nl/u]{0,12}") {
            let is_json = serde_json::from_str::<serde::de::IgnoredAny>(&text).is_ok();
            prop_assert_eq!(copied(&mut Masker::new(false), &text).is_some(), is_json, "{}", text);
        }
    }
}
