//! Finds the file of a program by its name.
//!
//! Relies on `environment`. Invariant: the path of the program is absolute, so that the file that was checked is the
//! one that runs, wherever the child does. If none is found, the error lists the paths tried.

use std::{
    collections::HashSet,
    env,
    ffi::{OsStr, OsString},
    path::{Path, PathBuf},
};

use super::environment::{Environment, System};
use crate::error::{Result, TransportFailure};

/// The endings of the files that Windows starts as programs. PATHEXT has others, for which its shell knows an
/// interpreter.
const RUNNABLE: [&str; 4] = [".com", ".exe", ".bat", ".cmd"];

/// The endings of scripts that stand next to, or in place of, a program on Windows. The file without one is a
/// script for other shells.
const SCRIPTS: [&str; 6] = ["", ".ps1", ".js", ".vbs", ".wsf", ".msc"];

/// How many paths an error lists; a usual `PATH` has fewer.
const MOST_SHOWN: usize = 100;

/// Where installers and version managers put `codex` on Unix.
const UNIX_DIRECTORIES: &[&str] = &[
    // Codex's own installer.
    "$CODEX_INSTALL_DIR",
    "~/.local/bin",
    "~/.codex/bin",
    // npm, and the version managers of Node.
    "$npm_config_prefix/bin",
    "$NPM_CONFIG_PREFIX/bin",
    "~/.npm-global/bin",
    "$NVM_BIN",
    "$VOLTA_HOME/bin",
    "~/.volta/bin",
    "~/.local/share/fnm/aliases/default/bin",
    "~/Library/Application Support/fnm/aliases/default/bin",
    "~/.local/share/mise/shims",
    "~/.asdf/shims",
    // pnpm; `bin` since its version 11.
    "$PNPM_HOME/bin",
    "$PNPM_HOME",
    "~/.local/share/pnpm/bin",
    "~/.local/share/pnpm",
    "~/Library/pnpm/bin",
    "~/Library/pnpm",
    "$BUN_INSTALL/bin",
    "~/.bun/bin",
    "~/.cargo/bin",
    "~/.nix-profile/bin",
    // npm and Homebrew on macOS, Homebrew on Linux, MacPorts, and the system's packages.
    "/usr/local/bin",
    "/opt/homebrew/bin",
    "/home/linuxbrew/.linuxbrew/bin",
    "/opt/local/bin",
    "/run/current-system/sw/bin",
    "/usr/bin",
];

/// Where installers and version managers put `codex` on Windows.
const WINDOWS_DIRECTORIES: &[&str] = &[
    // Codex's own installer.
    "$CODEX_INSTALL_DIR",
    "$LOCALAPPDATA/Programs/OpenAI/Codex/bin",
    // npm, and the version managers of Node.
    "$NPM_CONFIG_PREFIX",
    "$APPDATA/npm",
    "$NVM_SYMLINK",
    "$ProgramFiles/nodejs",
    "$VOLTA_HOME/bin",
    "$LOCALAPPDATA/Volta/bin",
    "$APPDATA/fnm/aliases/default",
    "$LOCALAPPDATA/mise/shims",
    // pnpm; `bin` since its version 11.
    "$PNPM_HOME/bin",
    "$PNPM_HOME",
    "$LOCALAPPDATA/pnpm/bin",
    "$LOCALAPPDATA/pnpm",
    "$BUN_INSTALL/bin",
    "~/.bun/bin",
    "~/.cargo/bin",
    "~/.local/bin",
    // WinGet, Scoop and Chocolatey.
    "$LOCALAPPDATA/Microsoft/WinGet/Links",
    "$ProgramFiles/WinGet/Links",
    "$SCOOP/shims",
    "~/scoop/shims",
    "$SCOOP_GLOBAL/shims",
    "$ProgramData/scoop/shims",
    "$ChocolateyInstall/bin",
];

/// Whether this is the name of Codex's program, without a directory.
pub(super) fn is_codex(program: &OsStr, system: System) -> bool {
    match system {
        System::Unix => program == "codex",
        System::Windows => {
            let name = program.to_ascii_lowercase();
            name == "codex" || RUNNABLE.iter().any(|ending| *name == *format!("codex{ending}"))
        }
    }
}

/// Finds a program: at its path, or in the directories of `PATH` if it is a bare name. What is relative, is
/// relative to the current directory of this process, not to that of the child.
pub(super) fn find(program: &OsStr, environment: &Environment<'_>) -> Result<PathBuf> {
    let endings = endings(program, environment);
    let (mut tried, mut not_runnable, mut seen) = (Vec::new(), Vec::new(), HashSet::new());
    for path in paths(program, environment) {
        // Fails if the current directory was removed; then nothing is relative to it.
        let Ok(path) = std::path::absolute(path) else { continue };
        if !seen.insert(path.clone()) {
            continue;
        }
        let mut files = endings.iter().map(|ending| with_ending(&path, ending));
        if let Some(file) = files.find(|file| is_executable(file, environment.system)) {
            return Ok(file);
        }
        not_runnable.extend(not_runnable_files(&path, environment));
        tried.push(path);
    }
    let mut message = match tried.is_empty() {
        true => "program not found; PATH has no directories".to_owned(),
        false => format!("program not found; tried {}", list(&tried)),
    };
    if endings.iter().any(|ending| !ending.is_empty()) && !tried.is_empty() {
        message += &format!(", with each of the endings {}", endings.join(", "));
    }
    if !not_runnable.is_empty() {
        message += &format!("; not executable: {}", list(&not_runnable));
        if environment.system == System::Windows {
            message += &format!(
                " (only files that end in {} are; run a script with its interpreter)",
                RUNNABLE.join(", ")
            );
        }
    }
    if is_codex(program, environment.system) {
        message += &format!("; install it with `npm install -g @openai/codex`, or set {}", super::VARIABLE);
    }
    Err(TransportFailure::new(message).while_connecting(format!("start {}", Path::new(program).display())))
}

/// The paths at which the program may be, without the endings that are appended.
fn paths(program: &OsStr, environment: &Environment<'_>) -> Vec<PathBuf> {
    let path = Path::new(program);
    if path.components().count() > 1 {
        return vec![path.to_owned()];
    }
    let search_path = environment.get("PATH").unwrap_or_default();
    let directories = env::split_paths(&search_path).filter(|directory| !directory.as_os_str().is_empty());
    let install_directories = match (is_codex(program, environment.system), environment.system) {
        (false, _) => &[],
        (true, System::Unix) => UNIX_DIRECTORIES,
        (true, System::Windows) => WINDOWS_DIRECTORIES,
    };
    let install_directories = install_directories.iter().filter_map(|pattern| environment.directory(pattern));
    directories.chain(install_directories).map(|directory| directory.join(path)).collect()
}

/// What is appended to the name of the program. On Windows those endings of `PATHEXT` that can be started, unless
/// the name has one of them.
fn endings(program: &OsStr, environment: &Environment<'_>) -> Vec<String> {
    let name = program.to_ascii_lowercase();
    let has_ending = RUNNABLE.iter().any(|ending| name.as_encoded_bytes().ends_with(ending.as_bytes()));
    if environment.system == System::Unix || has_ending {
        return vec![String::new()];
    }
    let mut endings = path_extensions(environment);
    endings.retain(|ending| RUNNABLE.contains(&ending.as_str()));
    // A PATHEXT without any of them is not about programs.
    if endings.is_empty() { RUNNABLE.map(str::to_owned).to_vec() } else { endings }
}

/// The endings in `PATHEXT`.
fn path_extensions(environment: &Environment<'_>) -> Vec<String> {
    let variable = environment.get("PATHEXT").unwrap_or_default().to_string_lossy().to_ascii_lowercase();
    variable.split(';').map(|ending| ending.trim().to_owned()).filter(|ending| !ending.is_empty()).collect()
}

/// The files that have the name of the program, but can't be started.
fn not_runnable_files(path: &Path, environment: &Environment<'_>) -> Vec<PathBuf> {
    let mut endings = SCRIPTS.map(str::to_owned).to_vec();
    match environment.system {
        System::Unix => endings.truncate(1),
        System::Windows => {
            let others = path_extensions(environment);
            endings.extend(others.into_iter().filter(|ending| !RUNNABLE.contains(&ending.as_str())));
        }
    }
    let mut files: Vec<_> = endings.iter().map(|ending| with_ending(path, ending)).collect();
    files.sort();
    files.dedup();
    files.retain(|file| file.is_file());
    files
}

fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut path = OsString::from(path);
    path.push(ending);
    path.into()
}

/// Whether this is the path of a file that can be started.
pub(super) fn is_executable(path: &Path, system: System) -> bool {
    path.is_file() && (system == System::Windows || is_permitted(path))
}

/// Whether this process may execute the file.
#[cfg(unix)]
fn is_permitted(path: &Path) -> bool {
    use rustix::fs::{Access, access};

    access(path, Access::EXEC_OK).is_ok()
}

#[cfg(not(unix))]
fn is_permitted(_: &Path) -> bool {
    true
}

fn list(paths: &[PathBuf]) -> String {
    let shown: Vec<_> = paths.iter().take(MOST_SHOWN).map(|path| path.display().to_string()).collect();
    let mut list = shown.join(", ");
    if paths.len() > MOST_SHOWN {
        list += &format!(" and {} more", paths.len() - MOST_SHOWN);
    }
    list
}

#[cfg(test)]
mod tests {
    use super::{
        super::{environment::Variables, scratch::Scratch},
        *,
    };

    /// Finds a program with these variables, and with `/nowhere/home` as the home directory.
    fn found(system: System, program: &str, set: &[(&str, &OsStr)]) -> Result<PathBuf> {
        let mut variables = Variables::default();
        set.iter().for_each(|(name, value)| variables.set(name, value));
        let home = || std::path::absolute("/nowhere/home").ok();
        find(OsStr::new(program), &Environment { system, variables: &variables, inherited: &|_| None, home })
    }

    fn error(system: System, program: &str, set: &[(&str, &OsStr)]) -> String {
        found(system, program, set).unwrap_err().to_string()
    }

    /// How a path is shown on the system that runs the test.
    fn shown(path: &str) -> String {
        std::path::absolute(path).unwrap().display().to_string()
    }

    #[test]
    fn a_missing_program_lists_what_was_tried() {
        let path = env::join_paths(["/nowhere/a", "", "/nowhere/b", "/nowhere/a"]).unwrap();
        let error = error(System::Unix, "no-such-program", &[("PATH", &path)]);
        let tried = ["/nowhere/a/no-such-program", "/nowhere/b/no-such-program"].map(shown).join(", ");
        assert!(error.ends_with(&format!("program not found; tried {tried}")), "{error}");
    }

    #[test]
    fn on_windows_a_missing_program_lists_the_endings_that_were_tried() {
        let path = OsStr::new("/nowhere/a");
        let pathext = OsStr::new(".COM;.EXE;.JS;.CMD;.MSC");
        let error = error(System::Windows, "no-such-program", &[("PATH", path), ("PATHEXT", pathext)]);
        let tried = shown("/nowhere/a/no-such-program");
        let expected = format!("tried {tried}, with each of the endings .com, .exe, .cmd");
        assert!(error.ends_with(&expected), "{error}");
    }

    #[test]
    fn a_missing_codex_is_told_how_to_get_one() {
        for (system, directory) in [
            (System::Unix, "/nowhere/home/.local/bin/codex"),
            (System::Windows, "/nowhere/home/scoop/shims/codex"),
        ] {
            let error = error(system, "codex", &[]);
            for part in [&shown(directory), "npm install -g @openai/codex", "CODEX_APP_SERVER_CMD"] {
                assert!(error.contains(part), "{part} is not in: {error}");
            }
        }
    }

    #[test]
    fn a_path_of_many_thousand_directories_is_searched_within_seconds() {
        let path = env::join_paths((0..30_000).map(|number| format!("/nowhere/{number}"))).unwrap();
        let begun = std::time::Instant::now();
        let error = error(System::Unix, "no-such-program", &[("PATH", &path)]);
        assert!(begun.elapsed() < std::time::Duration::from_secs(30), "{:?}", begun.elapsed());
        assert!(error.contains(&shown("/nowhere/0/no-such-program")));
        assert!(error.len() < 10_000, "{} bytes", error.len());
    }

    #[test]
    fn without_any_directory_the_error_says_so() {
        let error = error(System::Unix, "no-such-program", &[]);
        assert!(error.ends_with("program not found; PATH has no directories"), "{error}");
    }

    #[test]
    fn on_windows_the_path_is_found_whatever_the_case_of_its_name() {
        let scratch = Scratch::new();
        let program = scratch.file("codex.exe", "");
        let found = found(System::Windows, "codex", &[("pAtH", scratch.as_ref().as_os_str())]);
        assert_eq!(found.unwrap(), program);
    }

    #[test]
    fn on_windows_the_endings_are_tried_in_the_order_of_pathext() {
        let scratch = Scratch::new();
        let (exe, cmd) = (scratch.file("codex.exe", ""), scratch.file("codex.cmd", ""));
        for name in ["codex", "codex.ps1", "codex.js", "codex.vbs"] {
            scratch.file(name, "");
        }
        let path = ("Path", scratch.as_ref().as_os_str());
        for (pathext, expected) in [
            (".EXE;.CMD", &exe),
            (".CMD;.EXE", &cmd),
            (" .cmd ;;.exe", &cmd),
            (".JS;.VBS;.PS1;.CMD", &cmd),
            (".JS", &exe),
            ("", &exe),
        ] {
            let found = found(System::Windows, "codex", &[path, ("PathExt", OsStr::new(pathext))]);
            assert_eq!(found.unwrap(), *expected, "{pathext}");
        }
        assert_eq!(found(System::Windows, "codex", &[path]).unwrap(), exe);
    }

    #[test]
    fn on_windows_a_name_with_an_ending_is_that_file() {
        let scratch = Scratch::new();
        scratch.file("codex.exe", "");
        let cmd = scratch.file("codex.cmd", "");
        let path = ("Path", scratch.as_ref().as_os_str());
        assert_eq!(found(System::Windows, "codex.cmd", &[path]).unwrap(), cmd);
        let error = error(System::Windows, scratch.path("tool-1.2").to_str().unwrap(), &[]);
        assert!(error.contains("tool-1.2, with each of the endings .com, .exe, .bat, .cmd"), "{error}");
    }

    #[test]
    fn on_windows_a_program_that_exists_only_as_a_script_is_told_apart() {
        for name in ["codex.ps1", "codex.js", "codex", "codex.py"] {
            let scratch = Scratch::new();
            let script = scratch.file(name, "");
            let path = ("Path", scratch.as_ref().as_os_str());
            for program in ["codex", scratch.path("codex").to_str().unwrap()] {
                let error = error(System::Windows, program, &[path, ("PATHEXT", OsStr::new(".EXE;.PY"))]);
                let expected =
                    format!("; not executable: {} (only files that end in .com, ", script.display());
                assert!(error.contains(&expected), "{expected}\n{error}");
            }
        }
    }

    #[cfg(unix)]
    #[test]
    fn on_unix_a_file_that_is_not_executable_is_told_apart() {
        let scratch = Scratch::new();
        let file = scratch.file("a/tool", "");
        let path = env::join_paths([scratch.path("a"), scratch.path("b")]).unwrap();
        let error = error(System::Unix, "tool", &[("PATH", &path)]);
        assert!(error.ends_with(&format!("; not executable: {}", file.display())), "{error}");
        let program = scratch.program("b/tool");
        assert_eq!(found(System::Unix, "tool", &[("PATH", &path)]).unwrap(), program);
    }

    #[test]
    fn codex_is_found_where_the_variables_of_its_installers_point_to() {
        for (system, name, below) in [
            (System::Windows, "appdata", "npm/codex.cmd"),
            (System::Windows, "LOCALAPPDATA", "pnpm/codex.cmd"),
            (System::Windows, "LOCALAPPDATA", "Microsoft/WinGet/Links/codex.exe"),
            (System::Windows, "LOCALAPPDATA", "Volta/bin/codex.exe"),
            (System::Windows, "LOCALAPPDATA", "Programs/OpenAI/Codex/bin/codex.exe"),
            (System::Windows, "SCOOP", "shims/codex.exe"),
            (System::Windows, "PROGRAMFILES", "nodejs/codex.cmd"),
            (System::Windows, "npm_config_prefix", "codex.cmd"),
            (System::Unix, "PNPM_HOME", "codex"),
            (System::Unix, "VOLTA_HOME", "bin/codex"),
            (System::Unix, "npm_config_prefix", "bin/codex"),
            (System::Unix, "NVM_BIN", "codex"),
        ] {
            let scratch = Scratch::new();
            let program = scratch.program(below);
            let found = found(system, "codex", &[(name, scratch.as_ref().as_os_str())]);
            assert_eq!(found.unwrap(), program, "{name}");
        }
    }

    #[test]
    fn other_programs_are_searched_for_on_the_path_only() {
        let scratch = Scratch::new();
        scratch.program("bin/other");
        let set = [("VOLTA_HOME", scratch.as_ref().as_os_str())];
        found(System::Unix, "other", &set).unwrap_err();
    }
}
