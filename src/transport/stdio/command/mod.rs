//! The command that runs the server: its program, arguments, directory and environment.
//!
//! Relies on `error` and, in this directory, on `split` (a command line into arguments), `find` (the file of the
//! program), `npm` (the native program behind npm's script), `overrides` (settings) and `environment`. Invariant: a command is resolved
//! before anything is started, so that a wrong one leaves nothing behind.

mod environment;
mod find;
mod npm;
mod overrides;
#[cfg(test)]
mod scratch;
mod split;

use std::{
    env::{self, consts},
    ffi::{OsStr, OsString},
    fmt,
    path::{Path, PathBuf},
};

pub(super) use self::{environment::Variables, overrides::Override};
use self::{
    environment::{Environment, System},
    find::{find, is_codex},
    npm::Platform,
    split::split_windows,
};
use super::line_handler::OnStderr;
use crate::error::{Error, Result, TransportFailure};

/// The environment variable that holds the server's command line.
const VARIABLE: &str = "CODEX_APP_SERVER_CMD";

/// The variable that holds the directory of the server's settings and sessions.
const HOME_VARIABLE: &str = "CODEX_HOME";

/// A command as the program describes it.
#[derive(Clone, Default)]
pub(super) struct CommandSettings {
    /// `None` stands for the default command.
    pub(super) argv: Option<Vec<OsString>>,
    pub(super) overrides: Vec<Override>,
    pub(super) cwd: Option<PathBuf>,
    pub(super) codex_home: Option<PathBuf>,
    pub(super) variables: Variables,
    pub(super) on_stderr: Option<OnStderr>,
}

/// A command whose program has been found.
pub(super) struct ResolvedCommand {
    pub(super) program: PathBuf,
    pub(super) arguments: Vec<OsString>,
    pub(super) cwd: Option<PathBuf>,
    pub(super) variables: Variables,
    pub(super) on_stderr: Option<OnStderr>,
}

impl fmt::Display for ResolvedCommand {
    /// Shows only the program: arguments may contain secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.program.display().fmt(f)
    }
}

/// Finds the program of a command, and completes its arguments and its variables.
pub(super) fn resolve(settings: &CommandSettings) -> Result<ResolvedCommand> {
    let CommandSettings { argv, overrides, cwd, codex_home, variables, on_stderr } = settings;
    let argv = match argv {
        Some(argv) => argv.clone(),
        None => default_command(env::var_os(VARIABLE), System::HERE)?,
    };
    let Some((program, arguments)) = argv.split_first().filter(|(program, _)| !program.is_empty()) else {
        return Err(Error::invalid("the app-server command is empty; specify a program and its arguments"));
    };
    if argv.iter().any(|word| word.as_encoded_bytes().contains(&0)) {
        return Err(Error::invalid("the app-server command contains a NUL character"));
    }
    let overrides = overrides::arguments(overrides)?;
    if let Some(cwd) = cwd.as_deref().filter(|cwd| !cwd.is_dir()) {
        return Err(TransportFailure::new(format!("the working directory {} does not exist", cwd.display()))
            .while_connecting(format!("start {}", Path::new(program).display())));
    }
    let mut variables = variables.clone();
    if let Some(home) = codex_home {
        // Fails for an empty path, or without a current directory: then the server says what is wrong with it.
        let home = std::path::absolute(home).unwrap_or_else(|_| home.clone());
        variables.set(HOME_VARIABLE, home);
    }
    variables.check(System::HERE)?;
    let (program, changes) = program_to_run(program, &Environment::of_child(&variables))?;
    variables.extend(changes);
    Ok(ResolvedCommand {
        program,
        arguments: arguments.iter().cloned().chain(overrides).collect(),
        cwd: cwd.clone(),
        variables,
        on_stderr: on_stderr.clone(),
    })
}

/// Finds the program, and the variables to set for it. Where `codex` is npm's script, it is the native program that
/// the script runs. A program that is given by its path is that path, whatever is there.
fn program_to_run(program: &OsStr, environment: &Environment<'_>) -> Result<(PathBuf, Variables)> {
    let file = find(program, environment)?;
    let platform = Platform::new(consts::OS, consts::ARCH).filter(|_| is_codex(program, environment.system));
    Ok(match platform.and_then(|platform| npm::native(&file, environment.system, &platform)) {
        Some(native) => {
            log::debug!("running {}, which {} would run", native.program.display(), file.display());
            (native.program, native.variables)
        }
        None => (file, Variables::default()),
    })
}

/// `$CODEX_APP_SERVER_CMD` split into arguments by the rules of the system, or `codex app-server`.
fn default_command(variable: Option<OsString>, system: System) -> Result<Vec<OsString>> {
    let arguments = match variable {
        // Neither error shows the text: arguments may contain secrets.
        Some(text) => {
            let text =
                text.into_string().map_err(|_| Error::invalid(format!("{VARIABLE} is not Unicode")))?;
            split(&text, system).map_err(|source| {
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

fn split(text: &str, system: System) -> Result<Vec<String>, shell_words::ParseError> {
    match system {
        System::Unix => shell_words::split(text),
        System::Windows => split_windows(text).ok_or(shell_words::ParseError),
    }
}

#[cfg(test)]
mod tests {
    use super::{scratch::Scratch, *};

    fn arguments(text: &str, system: System) -> Vec<OsString> {
        default_command(Some(text.into()), system).unwrap()
    }

    #[test]
    fn on_unix_the_variable_is_split_as_a_shell_splits_words() {
        assert_eq!(
            arguments(r#"'/a b/codex' app-server -c "x=1 2""#, System::Unix),
            ["/a b/codex", "app-server", "-c", "x=1 2"]
        );
    }

    #[test]
    fn on_windows_the_variable_keeps_its_backslashes() {
        assert_eq!(
            arguments(r#"C:\Users\me\codex.exe app-server -c "x=1 2""#, System::Windows),
            [r"C:\Users\me\codex.exe", "app-server", "-c", "x=1 2"]
        );
    }

    #[test]
    fn without_the_variable_or_with_a_blank_one_codex_is_run() {
        for system in [System::Unix, System::Windows] {
            assert_eq!(default_command(None, system).unwrap(), ["codex", "app-server"]);
            assert_eq!(arguments("  ", system), ["codex", "app-server"]);
        }
    }

    #[test]
    fn a_quote_left_open_is_the_callers_mistake() {
        for (system, text) in
            [(System::Unix, "codex --token x1y2 'app"), (System::Windows, "codex --token x1y2 \"app")]
        {
            let error = default_command(Some(text.into()), system).unwrap_err();
            assert!(matches!(error, Error::InvalidInput { source: Some(_), .. }), "{error:?}");
            assert!(error.to_string().contains("missing closing quote"), "{error}");
            assert!(!format!("{error:?} {error}").contains("x1y2"), "{error:?}");
        }
    }

    /// An environment in which nothing but `PATH` is set.
    fn with_path(variables: &Variables) -> Environment<'_> {
        Environment { system: System::HERE, variables, inherited: &|_| None, home: || None }
    }

    #[test]
    fn a_program_that_is_given_by_its_path_runs_as_it_is() {
        let scratch = Scratch::new();
        let script = npm_installation(&scratch);
        let path = Variables::from([("PATH".into(), "".into())]);
        let expected = (script.clone(), Variables::default());
        assert_eq!(program_to_run(script.as_os_str(), &with_path(&path)).unwrap(), expected);
    }

    #[test]
    fn codex_on_the_path_is_the_native_program_that_npms_script_runs() {
        let scratch = Scratch::new();
        let script = npm_installation(&scratch);
        let path = Variables::from([("PATH".into(), script.parent().unwrap().into())]);
        let (program, variables) = program_to_run(OsStr::new("codex"), &with_path(&path)).unwrap();
        let Some(platform) = Platform::new(consts::OS, consts::ARCH) else {
            assert_eq!((program, variables), (script, Variables::default()));
            return;
        };
        assert!(program.ends_with(platform.below_scope()), "{}", program.display());
        assert_eq!(variables.names(true), ["CODEX_MANAGED_PACKAGE_ROOT", "CODEX_MANAGED_BY_NPM"]);
    }

    /// Codex as npm installs it on this system. Returns the path of what npm puts on `PATH`.
    fn npm_installation(scratch: &Scratch) -> PathBuf {
        let script = "node_modules/@openai/codex/bin/codex.js";
        scratch.program(script);
        if let Some(platform) = Platform::new(consts::OS, consts::ARCH) {
            let below = platform.below_scope();
            scratch.program(&format!("node_modules/@openai/{}", below.display()));
        }
        #[cfg(windows)]
        return scratch.file("codex.cmd", npm::BATCH_FILE);
        #[cfg(not(windows))]
        {
            scratch.link(&format!("../{script}"), "bin/codex");
            scratch.path("bin/codex")
        }
    }

    /// std replaces the variable whatever the case of its name.
    #[cfg(windows)]
    #[test]
    fn a_child_on_windows_has_the_path_that_was_set_by_another_case_of_its_name() {
        use std::io::Read;

        use super::super::process::{Process, ProtocolChannel};

        let scratch = Scratch::new();
        scratch.file("show-path.cmd", "@echo [%PATH%] [%1]");
        let settings = CommandSettings {
            argv: Some(vec!["show-path".into(), "a b".into()]),
            variables: Variables::from([("pAtH".into(), scratch.as_ref().into())]),
            ..CommandSettings::default()
        };
        let command = resolve(&settings).unwrap();
        let (process, streams) = Process::spawn(&command, ProtocolChannel::Stdio).unwrap();
        let mut text = String::new();
        streams.unwrap().stdout.read_to_string(&mut text).unwrap();
        assert_eq!(text.trim(), format!("[{}] [\"a b\"]", scratch.as_ref().display()));
        process.abandon();
    }
}
