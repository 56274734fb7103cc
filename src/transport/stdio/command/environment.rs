//! The environment variables of the child, and the rules of the system that reads them.
//!
//! Relies on nothing. Invariant: the system is a value, so that the rules of each one are tested on all of them.

use std::{
    env,
    ffi::{OsStr, OsString},
    path::PathBuf,
};

use crate::transport::home_dir;

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

/// The environment of the child: the variables that the program sets for it, and those that it inherits.
#[derive(Clone, Copy)]
pub(super) struct Environment<'a> {
    pub(super) system: System,
    pub(super) set: &'a [(OsString, OsString)],
    pub(super) inherited: &'a dyn Fn(&str) -> Option<OsString>,
    pub(super) home: fn() -> Option<PathBuf>,
}

impl<'a> Environment<'a> {
    /// That of a child of this process, for which these variables are set.
    pub(super) fn of_child(set: &'a [(OsString, OsString)]) -> Self {
        Environment { system: System::HERE, set, inherited: &|name| env::var_os(name), home: home_dir }
    }

    /// The value of a variable. Windows ignores the case of names.
    pub(super) fn get(&self, name: &str) -> Option<OsString> {
        let is_it = |other: &OsStr| match self.system {
            System::Unix => other == name,
            System::Windows => other.eq_ignore_ascii_case(name),
        };
        let set = self.set.iter().rev().find(|(other, _)| is_it(other));
        set.map(|(_, value)| value.clone()).or_else(|| (self.inherited)(name))
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

    fn on(system: System, set: &[(OsString, OsString)]) -> Environment<'_> {
        let inherited: &dyn Fn(&str) -> Option<OsString> = &|name| Some(format!("our {name}").into());
        Environment { system, set, inherited, home: || None }
    }

    #[test]
    fn windows_ignores_the_case_of_the_names_of_variables() {
        let set = [("Path".into(), "a".into())];
        assert_eq!(on(System::Windows, &set).get("PATH").unwrap(), "a");
        assert_eq!(on(System::Unix, &set).get("PATH").unwrap(), "our PATH");
    }

    #[test]
    fn the_last_value_that_is_set_for_a_variable_counts() {
        let set = [("PATH".into(), "a".into()), ("Path".into(), "b".into())];
        assert_eq!(on(System::Windows, &set).get("PATH").unwrap(), "b");
        assert_eq!(on(System::Unix, &set).get("PATH").unwrap(), "a");
    }

    #[test]
    fn a_directory_whose_variable_is_unset_empty_or_relative_is_none() {
        let set = [("EMPTY".into(), "".into()), ("RELATIVE".into(), "bin".into())];
        let environment = Environment { inherited: &|_| None, ..on(System::HERE, &set) };
        for pattern in ["$UNSET", "$UNSET/bin", "$EMPTY/bin", "$RELATIVE", "~/bin"] {
            assert_eq!(environment.directory(pattern), None, "{pattern}");
        }
    }
}
