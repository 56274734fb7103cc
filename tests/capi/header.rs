//! The header is what the sources say, and so is the record of the exported functions.

use std::{env, fs, process::Command};

use crate::{
    library::{checked, library, root},
    signatures::{Signature, signatures_of},
};

fn header() -> String {
    let config = cbindgen::Config::from_file(root().join("tests/capi/cbindgen.toml")).unwrap();
    // It goes into the modules by itself.
    let builder = cbindgen::Builder::new().with_config(config).with_src(root().join("src/capi/mod.rs"));
    let mut header = Vec::new();
    builder.generate().unwrap().write(&mut header);
    let header = String::from_utf8(header).unwrap();
    // cbindgen leaves the types of callbacks outside, where they are functions of C++.
    let begin = "#ifdef __cplusplus\nextern \"C\" {\n#endif // __cplusplus\n\n";
    let (before, after) = header.split_once(begin).unwrap();
    let first = "/**\n * A function that is called when something is ready.";
    let header = format!("{}{after}", before.replacen(first, &format!("{begin}{first}"), 1));
    // cbindgen leaves the parentheses out.
    let lines = header.lines().map(|line| match line.rsplit_once(" -") {
        Some((name, digits)) if name.starts_with("#define ") => format!("{name} (-{digits})\n"),
        _ => format!("{line}\n"),
    });
    lines.collect()
}

fn is_writing() -> bool {
    env::var_os("C_ABI").is_some_and(|mode| mode == "write")
}

#[test]
fn the_header_is_up_to_date() {
    let path = root().join("src/capi/codex_blocking.h");
    let header = header();
    if is_writing() {
        fs::write(&path, &header).unwrap();
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    assert!(header == committed, "run C_ABI=write cargo test -p capi-tests header");
}

#[test]
fn the_interface_is_the_recorded_one() {
    let path = root().join("tests/c_abi.txt");
    let header = header();
    let version = header.lines().find(|line| line.starts_with("#define CODEX_ABI_VERSION")).unwrap();
    let interface: String = signatures_of(&header).iter().map(Signature::line).collect();
    let interface = format!("{version}\n{interface}");
    if is_writing() {
        fs::write(&path, &interface).unwrap();
    }
    assert!(
        fs::read_to_string(&path).unwrap_or_default() == interface,
        "the interface has changed: if a line was changed or removed, CODEX_ABI_VERSION in src/capi/mod.rs must \
         grow; then run C_ABI=write cargo test -p capi-tests header"
    );
}

#[test]
fn the_library_exports_what_the_header_declares() {
    let library = library().join("libcodex_blocking.so");
    if !library.exists() {
        eprintln!("NOT TESTED: the shared library has another name on this system");
        return;
    }
    let listed =
        checked(Command::new("nm").args(["--dynamic", "--defined-only", "--format=posix"]).arg(library));
    let listed = String::from_utf8(listed.stdout).unwrap();
    let mut exported: Vec<&str> = listed.lines().filter_map(|line| line.split(' ').next()).collect();
    exported.sort_unstable();
    let declared = signatures_of(&header());
    let declared: Vec<&str> = declared.iter().map(|signature| signature.name.as_str()).collect();
    assert_eq!(exported, declared);
}
