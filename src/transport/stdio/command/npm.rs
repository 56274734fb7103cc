//! Finds the native program of Codex's npm package behind the script that npm puts on `PATH`.
//!
//! The script runs Node, which runs the native program: on Windows with a command interpreter in front, which
//! gives characters of the arguments a meaning; on Unix with every signal to the process group passed on a second
//! time, and only if `node` is on `PATH`. What the script does otherwise is to set two variables, which say how
//! Codex was installed.
//!
//! Relies on `environment` and `find`. Invariant: whatever is not as npm leaves it, leaves the script to be run.

use std::{
    fs::{self, File},
    io::Read,
    path::{Path, PathBuf},
};

use super::{
    environment::{System, Variables},
    find::is_executable,
};

/// The package's script, at the end of its path.
const SCRIPT: &str = "@openai/codex/bin/codex.js";
/// The longest batch file that is looked into, in bytes. Those of npm have less than 400.
const MAX_BATCH_FILE: u64 = 4096;
/// The variables that say which package manager has installed Codex.
const MANAGERS: [&str; 4] =
    ["CODEX_MANAGED_BY_NPM", "CODEX_MANAGED_BY_BUN", "CODEX_MANAGED_BY_PNPM", "CODEX_MANAGED_BY_VITE_PLUS"];

/// The native program, and what the script changes in its environment.
#[cfg_attr(test, derive(Debug, PartialEq))]
pub(super) struct Native {
    pub(super) program: PathBuf,
    pub(super) variables: Variables,
}

/// The names that the packages have for a platform.
pub(super) struct Platform {
    package: String,
    target: String,
    program: &'static str,
}

impl Platform {
    /// By the names in [`std::env::consts`]. `None` if Codex has no package for it.
    pub(super) fn new(os: &str, architecture: &str) -> Option<Platform> {
        let cpu = match architecture {
            "x86_64" => "x64",
            "aarch64" => "arm64",
            _ => return None,
        };
        let (name, system, program) = match os {
            "linux" | "android" => ("linux", "unknown-linux-musl", "codex"),
            "macos" => ("darwin", "apple-darwin", "codex"),
            "windows" => ("win32", "pc-windows-msvc", "codex.exe"),
            _ => return None,
        };
        Some(Platform {
            package: format!("codex-{name}-{cpu}"),
            target: format!("{architecture}-{system}"),
            program,
        })
    }

    /// The path of the native program next to the package with the script.
    #[cfg(test)]
    pub(super) fn below_scope(&self) -> PathBuf {
        Path::new(&self.package).join(self.below_package())
    }

    /// The path of the native program below its package.
    fn below_package(&self) -> PathBuf {
        Path::new("vendor").join(&self.target).join("bin").join(self.program)
    }
}

/// The native program that the file at this path runs, if the file is as npm (or Bun, on Unix) has made it.
pub(super) fn native(file: &Path, system: System, platform: &Platform) -> Option<Native> {
    let script = match system {
        // A symbolic link.
        System::Unix => fs::canonicalize(file).ok()?,
        System::Windows => script_of_batch_file(file)?,
    };
    if !script.ends_with(SCRIPT) || !script.is_file() {
        return None;
    }
    let root = script.ancestors().nth(2)?;
    if is_of_another_manager(root) {
        return None;
    }
    let is_bun = system == System::Unix && root.to_str()?.contains("/.bun/install/global/");
    let manager = if is_bun { "CODEX_MANAGED_BY_BUN" } else { "CODEX_MANAGED_BY_NPM" };
    // Within the package, next to it, or, for one platform only, the package itself.
    let packages = [
        root.join("node_modules/@openai").join(&platform.package),
        root.with_file_name(&platform.package),
        root.to_owned(),
    ];
    let mut programs = packages.iter().map(|package| package.join(platform.below_package()));
    let program = programs.find(|program| is_executable(program, system))?;
    let mut variables = Variables::default();
    variables.set("CODEX_MANAGED_PACKAGE_ROOT", root);
    for name in MANAGERS {
        match name == manager {
            true => variables.set(name, "1"),
            false => variables.remove(name),
        }
    }
    Some(Native { program, variables })
}

/// The script that a batch file runs, if npm has written the file, and it does nothing else.
fn script_of_batch_file(file: &Path) -> Option<PathBuf> {
    if !file.extension()?.eq_ignore_ascii_case("cmd") {
        return None;
    }
    let mut text = String::new();
    let length = File::open(file).ok()?.take(MAX_BATCH_FILE).read_to_string(&mut text).ok()?;
    if length as u64 == MAX_BATCH_FILE {
        return None;
    }
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let last = lines.next_back()?;
    if !lines.all(is_preparation) {
        return None;
    }
    // `%dp0%` is the directory of the file.
    let (before, path) = last.strip_suffix("\" %*")?.rsplit_once("\"%dp0%\\")?;
    if !before.trim_end().ends_with("\"%_prog%\"") {
        return None;
    }
    std::path::absolute(file.parent()?.join(path.replace('\\', "/"))).ok()
}

/// Whether a line of a batch file only finds the directory of the file and Node.
fn is_preparation(line: &str) -> bool {
    let line = line.to_ascii_lowercase();
    if line.contains(['&', '|']) {
        return false;
    }
    let (first, rest) = line.split_once(' ').unwrap_or((&line, ""));
    match first {
        "@echo" | "goto" | "exit" | "setlocal" | ")" => true,
        "if" => rest.ends_with('('),
        "call" => rest == ":find_dp0",
        "set" => ["dp0=", "\"_prog=", "pathext="].iter().any(|name| rest.starts_with(name)),
        _ => first.starts_with(':'),
    }
}

/// Whether pnpm or Vite+ has installed the package: by the files that they leave in a directory above.
fn is_of_another_manager(root: &Path) -> bool {
    let marks = ["node_modules/.modules.yaml", "@openai/codex.json"];
    root.ancestors().any(|directory| marks.iter().any(|mark| directory.join(mark).exists()))
}

/// What npm writes on Windows.
#[cfg(test)]
pub(super) const BATCH_FILE: &str = concat!(
    "@ECHO off\r\nGOTO start\r\n:find_dp0\r\nSET dp0=%~dp0\r\nEXIT /b\r\n:start\r\nSETLOCAL\r\nCALL :find_dp0\r\n",
    "\r\nIF EXIST \"%dp0%\\node.exe\" (\r\n  SET \"_prog=%dp0%\\node.exe\"\r\n) ELSE (\r\n  SET \"_prog=node\"\r\n",
    "  SET PATHEXT=%PATHEXT:;.JS;=;%\r\n)\r\n\r\n",
    "endLocal & goto #_undefined_# 2>NUL || title %COMSPEC% & \"%_prog%\"  ",
    "\"%dp0%\\node_modules\\@openai\\codex\\bin\\codex.js\" %*\r\n",
);

#[cfg(test)]
mod tests {
    use super::{super::scratch::Scratch, *};

    const PROGRAM: &str = "codex-win32-x64/vendor/x86_64-pc-windows-msvc/bin/codex.exe";

    /// What the script changes for a package in this directory that this manager has installed.
    fn changes(root: PathBuf, by: &str) -> Variables {
        let mut variables = Variables::default();
        variables.set("CODEX_MANAGED_PACKAGE_ROOT", root);
        for name in ["NPM", "BUN", "PNPM", "VITE_PLUS"] {
            let variable = format!("CODEX_MANAGED_BY_{name}");
            if name == by { variables.set(variable, "1") } else { variables.remove(variable) }
        }
        variables
    }

    /// The native program of an installation for Windows.
    fn on_windows(scratch: &Scratch) -> Option<Native> {
        let platform = Platform::new("windows", "x86_64").unwrap();
        native(&scratch.path("codex.cmd"), System::Windows, &platform)
    }

    /// An installation below npm's prefix on Windows.
    fn installed(batch_file: &str, program: &str) -> Scratch {
        let scratch = Scratch::new();
        scratch.file("codex.cmd", batch_file);
        scratch.file("node_modules/@openai/codex/bin/codex.js", "");
        scratch.file(program, "");
        scratch
    }

    #[test]
    fn npms_batch_file_leads_to_the_native_program_wherever_npm_puts_it() {
        for program in [
            format!("node_modules/@openai/codex/node_modules/@openai/{PROGRAM}"),
            format!("node_modules/@openai/{PROGRAM}"),
            "node_modules/@openai/codex/vendor/x86_64-pc-windows-msvc/bin/codex.exe".to_owned(),
        ] {
            let scratch = installed(BATCH_FILE, &program);
            let root = scratch.path("node_modules/@openai/codex");
            let expected = Native { program: scratch.path(&program), variables: changes(root, "NPM") };
            assert_eq!(on_windows(&scratch), Some(expected));
        }
    }

    #[test]
    fn a_batch_file_that_npm_has_not_written_so_is_run() {
        let program = format!("node_modules/@openai/{PROGRAM}");
        let last = BATCH_FILE.trim_end().lines().next_back().unwrap();
        for other in [
            String::new(),
            "@node \"%~dp0\\node_modules\\@openai\\codex\\bin\\codex.js\" %*".to_owned(),
            BATCH_FILE.replace("SETLOCAL", "SETLOCAL\r\nSET OPENAI_API_KEY=x"),
            BATCH_FILE.replace("SETLOCAL", "SETLOCAL\r\nCALL settings.bat"),
            BATCH_FILE.replace("SETLOCAL", "SETLOCAL & SET A=b"),
            BATCH_FILE.replace("SETLOCAL", "SETLOCAL\r\nsettings.bat"),
            BATCH_FILE.replace("codex.js\" %*", "codex.js\" --flag %*"),
            BATCH_FILE.replace("@openai\\codex", "someone\\codex"),
            BATCH_FILE.replace(last, &last.replace("\"%_prog%\"  ", "\"%_prog%\" --inspect ")),
            BATCH_FILE.to_owned() + "echo done\r\n",
            BATCH_FILE.to_owned() + &" ".repeat(9000) + "echo done",
        ] {
            let scratch = installed(&other, &program);
            assert_eq!(on_windows(&scratch), None, "{other}");
        }
        assert!(on_windows(&installed(BATCH_FILE, &program)).is_some());
    }

    #[test]
    fn a_package_without_the_native_program_is_run_by_its_script() {
        assert_eq!(on_windows(&installed(BATCH_FILE, "elsewhere/codex.exe")), None);
        // The layout of older versions.
        let old = "node_modules/@openai/codex/vendor/x86_64-pc-windows-msvc/codex/codex.exe";
        assert_eq!(on_windows(&installed(BATCH_FILE, old)), None);
    }

    #[test]
    fn what_pnpm_or_vite_plus_has_installed_is_run_by_its_script() {
        for mark in ["node_modules/.modules.yaml", "@openai/codex.json"] {
            let scratch = installed(BATCH_FILE, &format!("node_modules/@openai/{PROGRAM}"));
            scratch.file(mark, "{}");
            assert_eq!(on_windows(&scratch), None, "{mark}");
        }
    }

    #[test]
    fn only_platforms_with_a_package_have_a_native_program() {
        let names = |os, architecture| Platform::new(os, architecture).map(|it| (it.package, it.target));
        let linux = ("codex-linux-arm64".to_owned(), "aarch64-unknown-linux-musl".to_owned());
        assert_eq!(names("linux", "aarch64"), Some(linux));
        let macos = ("codex-darwin-x64".to_owned(), "x86_64-apple-darwin".to_owned());
        assert_eq!(names("macos", "x86_64"), Some(macos));
        assert_eq!(names("linux", "riscv64"), None);
        assert_eq!(names("freebsd", "x86_64"), None);
    }

    #[cfg(unix)]
    mod unix {
        use super::*;

        const PROGRAM: &str = "@openai/codex-linux-x64/vendor/x86_64-unknown-linux-musl/bin/codex";

        fn on_linux(scratch: &Scratch) -> Option<Native> {
            let platform = Platform::new("linux", "x86_64").unwrap();
            native(&scratch.path("bin/codex"), System::Unix, &platform)
        }

        /// An installation below this directory, to whose script `bin/codex` is a link.
        fn installed(modules: &str, program: &str) -> Scratch {
            let scratch = Scratch::new();
            scratch.file(&format!("{modules}/@openai/codex/bin/codex.js"), "");
            scratch.program(&format!("{modules}/{program}"));
            scratch.link(&format!("../{modules}/@openai/codex/bin/codex.js"), "bin/codex");
            scratch
        }

        #[test]
        fn npms_link_leads_to_the_native_program() {
            for program in [PROGRAM.to_owned(), format!("@openai/codex/node_modules/{PROGRAM}")] {
                let scratch = installed("lib/node_modules", &program);
                let native = on_linux(&scratch).unwrap();
                assert_eq!(native.program, scratch.path(&format!("lib/node_modules/{program}")));
                let root = scratch.path("lib/node_modules/@openai/codex");
                assert_eq!(native.variables, changes(root, "NPM"));
            }
        }

        #[test]
        fn buns_link_leads_to_the_native_program_and_names_bun() {
            let scratch = installed(".bun/install/global/node_modules", PROGRAM);
            let root = scratch.path(".bun/install/global/node_modules/@openai/codex");
            assert_eq!(on_linux(&scratch).unwrap().variables, changes(root, "BUN"));
        }

        #[test]
        fn a_native_program_that_is_not_executable_is_left_to_the_script() {
            let scratch = installed("lib/node_modules", "@openai/elsewhere/codex");
            scratch.file(&format!("lib/node_modules/{PROGRAM}"), "");
            assert_eq!(on_linux(&scratch), None);
        }

        #[test]
        fn a_file_that_is_no_link_to_the_script_is_run() {
            let scratch = installed("lib/node_modules", PROGRAM);
            std::fs::remove_file(scratch.path("bin/codex")).unwrap();
            scratch.program("bin/codex");
            assert_eq!(on_linux(&scratch), None);
        }
    }
}
