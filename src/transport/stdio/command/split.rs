//! Splits a command line by the rules of Windows, as the C runtime and Rust's `std` split that of a program.
//!
//! Relies on nothing. Invariant: what `std` quotes for a child is split into the original arguments. A backslash
//! is itself unless a quote follows, so that paths need no escaping.

use std::{iter::Peekable, mem, str::Chars};

/// Splits a command line. `None` if it has a quote without its end.
pub(super) fn split_windows(text: &str) -> Option<Vec<String>> {
    let mut chars = text.trim_matches(is_blank).chars().peekable();
    let mut words = Vec::new();
    if chars.peek().is_some() {
        words.push(program(&mut chars)?);
    }
    let mut word = String::new();
    let (mut has_begun, mut is_quoted) = (false, false);
    while let Some(c) = chars.next() {
        if is_blank(c) && !is_quoted {
            if mem::take(&mut has_begun) {
                words.push(mem::take(&mut word));
            }
            continue;
        }
        has_begun = true;
        match c {
            '\\' => {
                let mut count = 1;
                while chars.next_if_eq(&'\\').is_some() {
                    count += 1;
                }
                // Before a quote, two are one, and an odd one takes the meaning from the quote.
                if chars.peek() == Some(&'"') {
                    word.extend(['\\'].repeat(count / 2));
                    if count % 2 == 1 {
                        word.extend(chars.next());
                    }
                } else {
                    word.extend(['\\'].repeat(count));
                }
            }
            '"' if is_quoted && chars.next_if_eq(&'"').is_some() => word.push('"'),
            '"' => is_quoted = !is_quoted,
            _ => word.push(c),
        }
    }
    if has_begun {
        words.push(word);
    }
    (!is_quoted).then_some(words)
}

/// The first word, in which backslashes never have a meaning.
fn program(chars: &mut Peekable<Chars<'_>>) -> Option<String> {
    let mut word = String::new();
    let mut is_quoted = false;
    for c in chars {
        match c {
            '"' => is_quoted = !is_quoted,
            _ if is_blank(c) && !is_quoted => break,
            _ => word.push(c),
        }
    }
    (!is_quoted).then_some(word)
}

fn is_blank(c: char) -> bool {
    c == ' ' || c == '\t'
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Lines whose arguments test each rule.
    const LINES: &[(&str, &[&str])] = &[
        (
            r"p C:\Users\me\codex.exe \\host\share\ end\",
            &["C:\\Users\\me\\codex.exe", r"\\host\share\", "end\\"],
        ),
        (r#"p "C:\Program Files\a b" x"#, &[r"C:\Program Files\a b", "x"]),
        (r#"p -c "model=\"a b\"" x"#, &["-c", r#"model="a b""#, "x"]),
        (r#"p "ends with\\" x"#, &[r"ends with\", "x"]),
        (r#"p a\\\"b a\\"b c" \\\\"d"#, &[]),
        (r#"p a\\\"b a\\"b c""#, &[r#"a\"b"#, r"a\b c"]),
        (r#"p "a""b" """" """#, &[r#"a"b"#, "\"", ""]),
        (r#"p d"e f"g h"#, &["de fg", "h"]),
        ("p  a\t b 'c d'", &["a", "b", "'c", "d'"]),
    ];

    #[test]
    fn each_rule_of_quotes_and_backslashes_is_kept() {
        for (line, expected) in LINES {
            match split_windows(line) {
                Some(words) => assert_eq!(words[1..], **expected, "{line}"),
                None => assert!(expected.is_empty(), "{line}"),
            }
        }
    }

    #[test]
    fn the_program_may_be_quoted_and_its_backslashes_are_kept() {
        for (line, program) in [
            (r"C:\Users\me\codex.exe app-server", r"C:\Users\me\codex.exe"),
            (r#""C:\Program Files\codex\" app-server"#, r"C:\Program Files\codex\"),
            (r#"  C:\"Program Files"\codex app-server"#, r"C:\Program Files\codex"),
        ] {
            assert_eq!(split_windows(line).unwrap(), [program, "app-server"], "{line}");
        }
    }

    #[test]
    fn a_blank_line_has_no_words() {
        assert_eq!(split_windows(" \t "), Some(vec![]));
    }

    #[test]
    fn a_quote_without_its_end_is_an_error() {
        for line in [r#""C:\Program Files\codex app-server"#, r#"codex "app-server"#, r#"codex "a\""#] {
            assert_eq!(split_windows(line), None, "{line}");
        }
    }

    /// Quotes an argument as `std` does for a child.
    fn quoted(argument: &str) -> String {
        let quote = if argument.is_empty() || argument.contains([' ', '\t']) { "\"" } else { "" };
        let mut line = quote.to_owned();
        let mut backslashes = 0;
        for c in argument.chars() {
            match c {
                '\\' => backslashes += 1,
                '"' => line.push_str(&"\\".repeat(mem::take(&mut backslashes) + 1)),
                _ => backslashes = 0,
            }
            line.push(c);
        }
        if !quote.is_empty() {
            line.push_str(&"\\".repeat(backslashes));
        }
        line + quote
    }

    proptest! {
        #[test]
        fn what_std_quotes_is_split_into_the_original(
            program in r#"[a\\ ']{1,6}"#,
            arguments in prop::collection::vec(r#"[a\\" \t']{0,8}"#, 0..5),
        ) {
            let mut line = format!("\"{program}\"");
            for argument in &arguments {
                line = line + " " + &quoted(argument);
            }
            let words = split_windows(&line).unwrap();
            prop_assert_eq!(&words[0], &program);
            prop_assert_eq!(&words[1..], &arguments[..]);
        }

        #[test]
        fn no_text_makes_it_panic(text in r#"[a\\" \t']{0,12}"#) {
            split_windows(&text);
        }
    }

    /// Runs this test program again with the lines, and compares what it sees.
    #[cfg(windows)]
    #[test]
    fn a_line_is_split_as_a_program_on_windows_sees_it() {
        use std::{env, os::windows::process::CommandExt, process::Command};

        const PROBE: &str = "CODEX_BLOCKING_SPLIT_PROBE";
        // The words of the line are names of tests to run, too; none has such a name.
        let test = format!("{}::a_line_is_split_as_a_program_on_windows_sees_it", module_path!());
        let (_, test) = test.split_once("::").unwrap();
        if env::var_os(PROBE).is_some() {
            println!("seen: {:?}", env::args().skip_while(|word| word != "p").collect::<Vec<_>>());
            return;
        }
        let lines: Vec<_> = LINES.iter().filter(|(_, expected)| !expected.is_empty()).collect();
        assert!(!lines.is_empty());
        for (line, _) in lines {
            let mut probe = Command::new(env::current_exe().unwrap());
            probe.env(PROBE, "1").args(["--nocapture", "--exact", test, "--"]).raw_arg(line);
            let output = String::from_utf8(probe.output().unwrap().stdout).unwrap();
            let expected = format!("seen: {:?}", split_windows(line).unwrap());
            assert!(output.contains(&expected), "{expected}\n{output}");
        }
    }
}
