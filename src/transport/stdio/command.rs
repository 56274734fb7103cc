//! Finds the program that runs as the server.
//!
//! Relies on `error`. Invariant: the path of the program is absolute, so that the file that was checked is the one
//! that runs, wherever the child does. If none is found, the error lists every path tried.

use std::{
    collections::HashSet,
    env,
    ffi::{OsStr, OsString},
    fmt,
    path::{Path, PathBuf},
};

use super::super::home_dir;
use crate::error::{Error, Result, TransportFailure};

/// The environment variable that holds the server's command line.
const VARIABLE: &str = "CODEX_APP_SERVER_CMD";

/// A command whose program has been found.
pub(super) struct ResolvedCommand {
    pub(super) program: PathBuf,
    pub(super) arguments: Vec<OsString>,
    pub(super) cwd: Option<PathBuf>,
    pub(super) env: Vec<(OsString, OsString)>,
}

impl fmt::Display for ResolvedCommand {
    /// Shows only the program: arguments may contain secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.program.display().fmt(f)
    }
}

/// Resolves the program of `argv`, or of the default command if `argv` is `None`.
pub(super) fn resolve(
    argv: Option<&[OsString]>,
    env: &[(OsString, OsString)],
    cwd: Option<&Path>,
) -> Result<ResolvedCommand> {
    let argv = match argv {
        Some(argv) => argv.to_vec(),
        None => default_command(env::var_os(VARIABLE))?,
    };
    let Some((program, arguments)) = argv.split_first().filter(|(program, _)| !program.is_empty()) else {
        return Err(Error::invalid("the app-server command is empty; specify a program and its arguments"));
    };
    if let Some(cwd) = cwd.filter(|cwd| !cwd.is_dir()) {
        return Err(TransportFailure::new(format!("the working directory {} does not exist", cwd.display()))
            .while_connecting(format!("start {}", Path::new(program).display())));
    }
    Ok(ResolvedCommand {
        program: find(program, env)?,
        arguments: arguments.to_vec(),
        cwd: cwd.map(Path::to_owned),
        env: env.to_vec(),
    })
}

/// `$CODEX_APP_SERVER_CMD` split into arguments, or `codex app-server`.
fn default_command(variable: Option<OsString>) -> Result<Vec<OsString>> {
    let arguments = match variable {
        Some(text) => {
            // Neither error shows the text: arguments may contain secrets.
            let text = text.into_string().map_err(|_| Error::invalid(format!("{VARIABLE} is not UTF-8")))?;
            shell_words::split(&text).map_err(|source| {
                Error::invalid_because(format!("{VARIABLE} can't be split into arguments: {source}"), source)
            })?
        }
        None => Vec::new(),
    };
    Ok(match arguments.is_empty() {
        true => ["codex", "app-server"].map(OsString::from).to_vec(),
        false => arguments.into_iter().map(OsString::from).collect(),
    })
}

/// Finds a program: at its path, or in the directories of `PATH` if it is a bare name. What is relative, is
/// relative to the current directory of this process, not to that of the child.
fn find(program: &OsStr, env: &[(OsString, OsString)]) -> Result<PathBuf> {
    let path = Path::new(program);
    let mut tried = Vec::new();
    if path.components().count() > 1 {
        if let Some(found) = runnable(path, &mut tried) {
            return Ok(found);
        }
    } else {
        let search_path = env.iter().rev().find(|(name, _)| is_path(name)).map(|(_, value)| value.clone());
        let search_path = search_path.or_else(|| env::var_os("PATH")).unwrap_or_default();
        let directories =
            env::split_paths(&search_path).filter(|directory| !directory.as_os_str().is_empty());
        let usual = if program == "codex" { install_directories() } else { Vec::new() };
        for directory in directories.chain(usual) {
            if let Some(found) = runnable(&directory.join(program), &mut tried) {
                return Ok(found);
            }
        }
    }
    let mut seen = HashSet::new();
    tried.retain(|path| seen.insert(path.clone()));
    let tried: Vec<_> = tried.iter().map(|path| path.display().to_string()).collect();
    let mut message = format!("program not found; tried {}", tried.join(", "));
    if program == "codex" {
        message.push_str(&format!("; install it with `npm install -g @openai/codex`, or set {VARIABLE}"));
    }
    Err(TransportFailure::new(message).while_connecting(format!("start {}", path.display())))
}

/// Whether this is the name of the variable that lists the directories of programs.
fn is_path(name: &OsStr) -> bool {
    if cfg!(windows) { name.eq_ignore_ascii_case("PATH") } else { name == "PATH" }
}

/// The directories where Codex's installers put it: npm, Homebrew, and several Node version managers.
fn install_directories() -> Vec<PathBuf> {
    let mut directories = Vec::new();
    if let Some(home) = home_dir() {
        for directory in [
            ".local/bin",
            ".npm-global/bin",
            ".codex/bin",
            ".volta/bin",
            ".bun/bin",
            ".cargo/bin",
            #[cfg(windows)]
            "AppData/Roaming/npm",
        ] {
            directories.push(home.join(directory));
        }
    }
    #[cfg(unix)]
    directories.extend(["/usr/local/bin", "/opt/homebrew/bin", "/usr/bin"].map(PathBuf::from));
    directories
}

/// Returns the absolute path if it is that of an executable file.
fn runnable(path: &Path, tried: &mut Vec<PathBuf>) -> Option<PathBuf> {
    // Fails if the current directory was removed; then nothing is relative to it.
    let path = std::path::absolute(path).ok()?;
    let found = executable(&path);
    if found.is_none() {
        tried.push(path);
    }
    found
}

/// Returns the path if it is an executable file.
#[cfg(unix)]
fn executable(path: &Path) -> Option<PathBuf> {
    use rustix::fs::{Access, access};

    let is_executable = path.is_file() && access(path, Access::EXEC_OK).is_ok();
    is_executable.then(|| path.to_owned())
}

/// Returns the path with an extension that Windows can execute. npm installs `codex` as `codex.cmd`,
/// which [`std::process::Command`] runs through the command interpreter with safe quoting.
#[cfg(windows)]
fn executable(path: &Path) -> Option<PathBuf> {
    which::which(path).ok()
}

#[cfg(not(any(unix, windows)))]
fn executable(path: &Path) -> Option<PathBuf> {
    path.is_file().then(|| path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments(text: &str) -> Vec<OsString> {
        default_command(Some(text.into())).unwrap()
    }

    #[test]
    fn the_variable_is_split_as_a_shell_splits_words() {
        assert_eq!(
            arguments(r#"'/a b/codex' app-server -c "x=1 2""#),
            ["/a b/codex", "app-server", "-c", "x=1 2"]
        );
    }

    #[test]
    fn without_the_variable_or_with_a_blank_one_codex_is_run() {
        assert_eq!(default_command(None).unwrap(), ["codex", "app-server"]);
        assert_eq!(arguments("  "), ["codex", "app-server"]);
    }

    #[test]
    fn a_quote_left_open_is_the_callers_mistake() {
        let error = default_command(Some("codex --token x1y2 'app".into())).unwrap_err();
        assert!(matches!(error, Error::InvalidInput { source: Some(_), .. }), "{error:?}");
        assert!(error.to_string().contains("missing closing quote"), "{error}");
        assert!(!format!("{error:?} {error}").contains("x1y2"), "{error:?}");
    }

    #[test]
    fn a_missing_program_lists_what_was_tried() {
        let env = [("PATH".into(), "/nowhere/a:/nowhere/b".into())];
        let error = find(OsStr::new("no-such-program"), &env).unwrap_err().to_string();
        assert!(error.contains("/nowhere/a/no-such-program, /nowhere/b/no-such-program"), "{error}");
    }
}
