//! Random calls of all functions, with random arguments, for a while: `C_FUZZ_SECONDS` (20) with `C_FUZZ_SEED` (the
//! time).

use std::{env, fmt::Write, fs, path::PathBuf};

use crate::{
    library::{With, build_with, checked, command},
    signatures::{Signature, signatures},
};

/// The kinds of handles, in the order of their numbers.
const KINDS: [&str; 7] = ["client", "chat", "stream", "thread", "command", "login", "transcript"];

fn kind_of(declared: &str) -> Option<usize> {
    let name = declared.strip_prefix("codex_")?.split(' ').next()?;
    KINDS.iter().position(|kind| *kind == name).map(|index| index + 1)
}

/// An argument for the parameter, and what comes before and after the call.
fn argument(function: &str, declared: &str, index: usize, before: &mut String, after: &mut String) -> String {
    let (kind, name) = declared.rsplit_once([' ', '*']).unwrap();
    let kind = declared[..kind.len() + 1].trim().trim_end_matches(' ');
    match (kind, name) {
        ("char **", _) => {
            write!(before, "char *text{index} = NULL; ").unwrap();
            write!(after, "keep_text(text{index}); ").unwrap();
            format!("MAYBE(&text{index})")
        }
        ("const char *", _) => "random_text()".to_owned(),
        // Not a string of nobody: that a pointer was freed can be told, that it never was one can't.
        ("char *", _) => "NULL".to_owned(),
        ("const uint8_t *", _) => "(const uint8_t *)\"some data\"".to_owned(),
        ("uint8_t *", _) => {
            before.push_str("uint8_t buffer[64]; ");
            "MAYBE(buffer)".to_owned()
        }
        ("size_t *", _) => {
            before.push_str("size_t length; ");
            "MAYBE(&length)".to_owned()
        }
        ("int32_t *", _) => {
            before.push_str("int32_t number; ");
            "MAYBE(&number)".to_owned()
        }
        ("size_t", "capacity") => "random_below(65)".to_owned(),
        ("size_t", "length") => "random_below(9)".to_owned(),
        // Nothing ends these waits but the end of the connection, which may have no handle any more.
        ("int64_t", "timeout_ms") if function.contains("login") || function.contains("request") => {
            "WAIT".to_owned()
        }
        ("int64_t", "timeout_ms") => "TIMEOUT".to_owned(),
        ("int64_t" | "int32_t" | "uint32_t" | "uint16_t", _) => format!("({kind})NUMBER"),
        ("codex_callback", _) => "MAYBE(random_callback)".to_owned(),
        ("codex_question_callback", _) => "MAYBE(random_on_question)".to_owned(),
        ("codex_log_callback", _) => "MAYBE(random_on_log)".to_owned(),
        ("void *", "user") => "NULL".to_owned(),
        (kind, _) if kind.ends_with("**") => {
            let kind = kind.trim_end_matches(['*', ' ']);
            write!(before, "{kind} *handle{index} = NULL; ").unwrap();
            write!(after, "keep_handle(handle{index}); ").unwrap();
            format!("MAYBE(&handle{index})")
        }
        (kind, _) => {
            let number = kind_of(kind).unwrap_or_else(|| panic!("no argument for {declared} of {function}"));
            format!("HANDLE({}, {number})", kind.trim_end_matches(['*', ' ']))
        }
    }
}

fn case(number: usize, signature: &Signature) -> String {
    let (mut before, mut after) = (String::new(), String::new());
    let arguments: Vec<String> = (signature.parameters.iter().enumerate())
        .map(|(index, declared)| argument(&signature.name, declared, index, &mut before, &mut after))
        .collect();
    let call = format!("{}({})", signature.name, arguments.join(", "));
    let call = match signature.returns.as_str() {
        "int32_t" => format!("status = {call};"),
        _ => format!("(void){call};").replace("(void)codex_string_free", "codex_string_free"),
    };
    let call = if signature.returns == "void" { call.replace("(void)", "") } else { call };
    format!("        case {number}: {{ {before}{call} {after}break; }}\n")
}

/// The calls as C, in a folder of their own.
fn write_calls() -> PathBuf {
    let signatures = signatures();
    let (frees, calls): (Vec<_>, Vec<_>) =
        signatures.iter().partition(|signature| signature.name.ends_with("_free"));
    let names: String = calls.iter().map(|signature| format!("\"{}\", ", signature.name)).collect();
    let mut code = format!("static const char *const FUZZ_NAMES[] = {{{names}}};\n");
    write!(code, "#define FUZZ_CALLS {}\n\nstatic int fuzz_call(uint32_t which) {{\n", calls.len()).unwrap();
    code.push_str("    int status = 0;\n    switch (which) {\n");
    code.extend(calls.iter().enumerate().map(|(number, signature)| case(number, signature)));
    code.push_str("    }\n    return status;\n}\n\nstatic void fuzz_free_any(void *handle) {\n");
    let frees: Vec<_> = frees.iter().filter(|signature| signature.name != "codex_string_free").collect();
    for free in &frees {
        let kind = free.parameters[0].rsplit_once('*').unwrap().0;
        writeln!(code, "    {}(({kind}*)handle);", free.name).unwrap();
    }
    code.push_str("}\n\nstatic void fuzz_free(void) {\n    fuzz_free_any(random_handle(1 + (int)random_below(KINDS)));\n}\n");
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("fuzz-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("fuzz_calls.h"), code).unwrap();
    folder
}

#[test]
fn random_calls_crash_nothing_and_leave_nothing() {
    let setting = |name: &str| env::var(name).ok();
    let seconds = setting("C_FUZZ_SECONDS").unwrap_or_else(|| "20".to_owned());
    let folder = write_calls();
    let program = build_with("fuzz.c", With::Sanitizers, &["-I".as_ref(), folder.as_os_str()]);
    let mut fuzz = command(&program, With::Sanitizers);
    let output = checked(fuzz.arg(seconds).args(setting("C_FUZZ_SEED")));
    eprint!("{}", String::from_utf8_lossy(&output.stderr));
    print!("{}", String::from_utf8_lossy(&output.stdout));
    fs::remove_dir_all(folder).unwrap();
    fs::remove_file(program).unwrap();
}
