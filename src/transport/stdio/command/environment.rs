//! The environment variables of the child, and the rules of the system that reads them.
//!
//! Relies on `error`. Invariant: the system is a value, so that the rules of each one are tested on all of them.

use std::{
    env,
    ffi::{OsStr, OsString},
    path::PathBuf,
    process::Command,
};

use crate::{
    error::{Error, Result},
    transport::home_dir,
};

/// The systems whose programs are found in different ways.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum System {
    /// Unix, and whatever else is not Windows.
    Unix,
    Windows,
}

impl System {
    /// The system that this program is built for.
    pub(super) const HERE: System = if cfg!(windows) { System::Windows } else { System::Unix };
}

/// What the child's environment has in place of what it inherits. Of two changes of a variable the later counts.
#[derive(Clone, Default)]
#[cfg_attr(test, derive(Debug, PartialEq))]
pub(in crate::transport::stdio) struct Variables {
    /// Whether the child inherits none.
    is_cleared: bool,
    /// The new value of each; `None` removes the variable.
    changes: Vec<(OsString, Option<OsString>)>,
}

impl Variables {
    pub(in crate::transport::stdio) fn set(&mut self, name: impl Into<OsString>, value: impl Into<OsString>) {
        self.changes.push((name.into(), Some(value.into())));
    }

    pub(in crate::transport::stdio) fn remove(&mut self, name: impl Into<OsString>) {
        self.changes.push((name.into(), None));
    }

    pub(in crate::transport::stdio) fn clear(&mut self) {
        *self = Variables { is_cleared: true, changes: Vec::new() };
    }

    pub(super) fn extend(&mut self, later: Variables) {
        self.is_cleared |= later.is_cleared;
        self.changes.extend(later.changes);
    }

    /// # Errors
    /// A variable that no process can have.
    pub(super) fn check(&self, system: System) -> Result<()> {
        for (name, value) in &self.changes {
            let bytes = name.as_encoded_bytes();
            // Windows has some that begin with it: the current directories of drives.
            let names = bytes.get(usize::from(system == System::Windows)..).unwrap_or_default();
            if bytes.is_empty() || bytes.contains(&0) || names.contains(&b'=') {
                return Err(Error::invalid(format!(
                    "the name of the environment variable {name:?} is empty, or contains `=` or a NUL character"
                )));
            }
            if value.as_ref().is_some_and(|value| value.as_encoded_bytes().contains(&0)) {
                return Err(Error::invalid(format!(
                    "the value of the environment variable {name:?} contains a NUL character"
                )));
            }
        }
        Ok(())
    }

    pub(in crate::transport::stdio) fn is_cleared(&self) -> bool {
        self.is_cleared
    }

    /// The names of those that are set, and of those that are removed.
    pub(in crate::transport::stdio) fn names(&self, are_set: bool) -> Vec<&OsStr> {
        let changes = self.changes.iter().filter(|(_, value)| value.is_some() == are_set);
        changes.map(|(name, _)| name.as_os_str()).collect()
    }

    pub(in crate::transport::stdio) fn apply(&self, command: &mut Command) {
        if self.is_cleared {
            command.env_clear();
        }
        for (name, value) in &self.changes {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
    }
}

/// For tests: sets these.
#[cfg(test)]
impl<const N: usize> From<[(OsString, OsString); N]> for Variables {
    fn from(set: [(OsString, OsString); N]) -> Self {
        let changes = set.into_iter().map(|(name, value)| (name, Some(value))).collect();
        Variables { is_cleared: false, changes }
    }
}

/// The environment of the child: what the program changes in it, and what it inherits.
#[derive(Clone, Copy)]
pub(super) struct Environment<'a> {
    pub(super) system: System,
    pub(super) variables: &'a Variables,
    pub(super) inherited: &'a dyn Fn(&str) -> Option<OsString>,
    pub(super) home: fn() -> Option<PathBuf>,
}

impl<'a> Environment<'a> {
    /// That of a child of this process.
    pub(super) fn of_child(variables: &'a Variables) -> Self {
        Environment { system: System::HERE, variables, inherited: &|name| env::var_os(name), home: home_dir }
    }

    /// The value of a variable. Windows ignores the case of names.
    pub(super) fn get(&self, name: &str) -> Option<OsString> {
        let is_it = |other: &OsStr| match self.system {
            System::Unix => other == name,
            System::Windows => other.eq_ignore_ascii_case(name),
        };
        match self.variables.changes.iter().rev().find(|(other, _)| is_it(other)) {
            Some((_, value)) => value.clone(),
            None if self.variables.is_cleared => None,
            None => (self.inherited)(name),
        }
    }

    /// The path of a directory that begins with `~` (the home directory), `$NAME` (the value of a variable) or `/`.
    /// `None` if that is missing, or not absolute.
    pub(super) fn directory(&self, pattern: &str) -> Option<PathBuf> {
        let (first, rest) = pattern.split_once('/').unwrap_or((pattern, ""));
        let base = match first.strip_prefix('$') {
            Some(name) => PathBuf::from(self.get(name)?),
            None if first == "~" => (self.home)()?,
            None => return Some(PathBuf::from(pattern)),
        };
        base.is_absolute().then(|| base.join(rest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn on(system: System, variables: &Variables) -> Environment<'_> {
        let inherited: &dyn Fn(&str) -> Option<OsString> = &|name| Some(format!("our {name}").into());
        Environment { system, variables, inherited, home: || None }
    }

    #[test]
    fn windows_ignores_the_case_of_the_names_of_variables() {
        let set = Variables::from([("Path".into(), "a".into())]);
        assert_eq!(on(System::Windows, &set).get("PATH").unwrap(), "a");
        assert_eq!(on(System::Unix, &set).get("PATH").unwrap(), "our PATH");
    }

    #[test]
    fn a_variable_that_no_process_can_have_is_invalid() {
        let checked = |system, name: &str, value: &str| {
            Variables::from([(name.into(), value.into())]).check(system).map_err(|error| error.to_string())
        };
        for system in [System::Unix, System::Windows] {
            for (name, value) in [("", "x"), ("A=B", "x"), ("A\0", "x"), ("A", "x\0secret")] {
                let error = checked(system, name, value).unwrap_err();
                assert!(error.contains(&format!("{name:?}")) && !error.contains("secret"), "{error}");
            }
            checked(system, "A b", "\"=\n\u{1f600}").unwrap();
        }
        checked(System::Windows, "=C:", "x").unwrap();
        checked(System::Unix, "=C:", "x").unwrap_err();
    }

    #[test]
    fn the_last_value_that_is_set_for_a_variable_counts() {
        let set = Variables::from([("PATH".into(), "a".into()), ("Path".into(), "b".into())]);
        assert_eq!(on(System::Windows, &set).get("PATH").unwrap(), "b");
        assert_eq!(on(System::Unix, &set).get("PATH").unwrap(), "a");
    }

    #[test]
    fn a_variable_that_is_removed_or_cleared_and_not_set_later_is_missing() {
        let mut variables = Variables::from([("PATH".into(), "a".into())]);
        assert_eq!(on(System::Unix, &variables).get("HOME").unwrap(), "our HOME");
        variables.remove("PATH");
        assert_eq!(on(System::Unix, &variables).get("PATH"), None);
        variables.remove("Home");
        assert_eq!(on(System::Windows, &variables).get("HOME"), None);
        assert_eq!(on(System::Unix, &variables).get("HOME").unwrap(), "our HOME");
        variables.set("PATH", "b");
        assert_eq!(on(System::Unix, &variables).get("PATH").unwrap(), "b");
        variables.clear();
        assert_eq!(on(System::Unix, &variables).get("PATH"), None);
        assert_eq!(on(System::Unix, &variables).get("HOME"), None);
        variables.set("HOME", "c");
        assert_eq!(on(System::Unix, &variables).get("HOME").unwrap(), "c");
    }

    #[test]
    fn a_directory_whose_variable_is_unset_empty_or_relative_is_none() {
        let set = Variables::from([("EMPTY".into(), "".into()), ("RELATIVE".into(), "bin".into())]);
        let environment = Environment { inherited: &|_| None, ..on(System::HERE, &set) };
        for pattern in ["$UNSET", "$UNSET/bin", "$EMPTY/bin", "$RELATIVE", "~/bin"] {
            assert_eq!(environment.directory(pattern), None, "{pattern}");
        }
    }
}
