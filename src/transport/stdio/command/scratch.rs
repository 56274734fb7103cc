//! A directory for the tests of this module, which is removed with the value.
//!
//! Relies on nothing. Invariant: no two values have the same directory.

use std::{
    fs,
    path::{Path, PathBuf},
    process,
    sync::atomic::{AtomicU32, Ordering},
};

pub(super) struct Scratch(PathBuf);

impl Scratch {
    pub(super) fn new() -> Scratch {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("codex-command-{}-{number}", process::id());
        let directory = std::env::temp_dir().join(name);
        fs::create_dir_all(&directory).unwrap();
        // The system's own may lie behind a link, whose target is what is found.
        Scratch(if cfg!(unix) { fs::canonicalize(directory).unwrap() } else { directory })
    }

    pub(super) fn path(&self, below: &str) -> PathBuf {
        // With the separators of the system.
        std::path::absolute(self.0.join(below)).unwrap()
    }

    pub(super) fn file(&self, below: &str, text: &str) -> PathBuf {
        let path = self.path(below);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    /// A file that may be executed.
    pub(super) fn program(&self, below: &str) -> PathBuf {
        let path = self.file(below, "");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;

            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        }
        path
    }

    #[cfg(unix)]
    pub(super) fn link(&self, target: &str, below: &str) {
        let path = self.path(below);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::os::unix::fs::symlink(target, path).unwrap();
    }
}

impl AsRef<Path> for Scratch {
    fn as_ref(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
