//! Builds the library as its users do, and programs against it.

use std::{
    env,
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::{
        OnceLock,
        atomic::{AtomicU32, Ordering},
    },
};

pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap().to_owned()
}

/// A folder for what is built.
pub(crate) fn folder() -> &'static Path {
    Path::new(env!("CARGO_TARGET_TMPDIR"))
}

/// The folder of the library, which is built once.
pub(crate) fn library() -> &'static Path {
    static LIBRARY: OnceLock<PathBuf> = OnceLock::new();
    LIBRARY.get_or_init(|| {
        // Beside that of Cargo's own build, whose library has other features.
        let target = folder().join("library");
        let mut cargo = Command::new(env!("CARGO"));
        cargo.current_dir(root()).args([
            "rustc",
            "--quiet",
            "--lib",
            "-p",
            "codex-blocking",
            "--features",
            "capi",
        ]);
        cargo.args(["--crate-type", "cdylib,staticlib"]).arg("--target-dir").arg(&target);
        checked(&mut cargo);
        target.join("debug")
    })
}

/// How a program is built and run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum With {
    /// Nothing but the warnings.
    Plain,
    /// AddressSanitizer, UndefinedBehaviorSanitizer and LeakSanitizer.
    Sanitizers,
    Valgrind,
}

fn compiler(source: &Path) -> (String, &'static str) {
    let (variable, usual, standard) = match source.extension().and_then(OsStr::to_str) {
        Some("cpp") => ("CXX", "c++", "-std=c++17"),
        _ => ("CC", "cc", "-std=c11"),
    };
    (env::var(variable).unwrap_or_else(|_| usual.to_owned()), standard)
}

/// Builds a program of `tests/capi/c`, or the one at an absolute path.
pub(crate) fn build(source: impl AsRef<Path>, with: With) -> PathBuf {
    build_with(source, with, &[])
}

/// Same as [`build`], with more arguments for the compiler.
pub(crate) fn build_with(source: impl AsRef<Path>, with: With, arguments: &[&OsStr]) -> PathBuf {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let source = root().join("tests/capi/c").join(source);
    let (compiler, standard) = compiler(&source);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let name = source.file_stem().unwrap().to_string_lossy().into_owned();
    let program = folder().join(format!("{name}-{}-{number}", std::process::id()));
    let mut command = Command::new(&compiler);
    command.args([standard, "-Wall", "-Wextra", "-Werror", "-g", "-O1", "-pthread"]);
    if with == With::Sanitizers {
        command.args(["-fsanitize=address,undefined", "-fno-sanitize-recover=undefined"]);
    }
    command.args(arguments).arg("-I").arg(root().join("src/capi")).arg("-o").arg(&program).arg(&source);
    command
        .arg("-L")
        .arg(library())
        .arg("-lcodex_blocking")
        .arg(format!("-Wl,-rpath,{}", library().display()));
    let output = command.output();
    let output =
        output.unwrap_or_else(|error| panic!("the C ABI can't be tested without {compiler}: {error}"));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    program
}

/// Whether there is valgrind; says so if not.
pub(crate) fn has_valgrind() -> bool {
    let is_there = Command::new("valgrind").arg("--version").output().is_ok();
    if !is_there {
        eprintln!("NOT TESTED: there is no valgrind on this machine");
    }
    is_there
}

/// The command that runs a program.
pub(crate) fn command(program: &Path, with: With) -> Command {
    let mut command = match with {
        With::Plain | With::Sanitizers => Command::new(program),
        With::Valgrind => {
            let mut command = Command::new("valgrind");
            command.args(["--quiet", "--error-exitcode=99", "--leak-check=full"]);
            // The rest is what statics keep, of this library and of others.
            command
                .args(["--show-leak-kinds=definite,indirect", "--errors-for-leak-kinds=definite,indirect"]);
            command.arg(program);
            command
        }
    };
    // Cargo sets it to a folder in which there may be another build of the library.
    command.env_remove("LD_LIBRARY_PATH");
    command
}

/// Runs a command, which must succeed.
pub(crate) fn checked(command: &mut Command) -> Output {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?} can't be run: {error}"));
    assert!(
        output.status.success(),
        "{command:?}: {}\n{}\n{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    output
}

/// Runs a program to its end, and removes it.
pub(crate) fn run(program: &Path, with: With, arguments: &[&str]) -> String {
    let output = checked(command(program, with).args(arguments));
    let _ = fs::remove_file(program);
    String::from_utf8(output.stdout).unwrap()
}
