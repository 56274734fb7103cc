//! The real `codex app-server` as a peer of tests: its binary, and a home in which a stub is its model.
//!
//! Relies on npm (once per version; see `codex_bin`) and on the feature `testing`. Invariant: nothing is read
//! or written in the user's own home, and each `RealHome` is removed when it is dropped.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use codex_blocking::testing::ModelStub;

/// The version that is installed unless `CODEX_VERSION` names another.
const CODEX_VERSION: &str = "0.169.0";

/// Where Cargo lets tests write: in the target directory, which lies outside of the system's temporary
/// directory.
const TEST_DIR: &str = env!("CARGO_TARGET_TMPDIR");

/// The version that the tests run against.
fn codex_version() -> String {
    std::env::var("CODEX_VERSION").unwrap_or_else(|_| CODEX_VERSION.to_owned())
}

/// Whether the server is older than the one that the tests are written for: where it is known to behave
/// in another way, a test expects that or has nothing to show.
pub(crate) fn is_old_server() -> bool {
    codex_version() != CODEX_VERSION
}

/// Whether the server is older than `0.MINOR`.
pub(crate) fn is_before(minor: u32) -> bool {
    let version = codex_version();
    let told = version.split('.').nth(1).and_then(|told| told.parse::<u32>().ok());
    told.expect("CODEX_VERSION has three numbers") < minor
}

/// The native `codex` binary: `CODEX_BIN`, or the npm package, installed into the target directory at the
/// first call.
pub(crate) fn codex_bin() -> PathBuf {
    static FOUND: OnceLock<PathBuf> = OnceLock::new();
    FOUND
        .get_or_init(|| match std::env::var_os("CODEX_BIN") {
            Some(path) => {
                let path = PathBuf::from(path);
                assert!(path.is_file(), "CODEX_BIN is no file: {}", path.display());
                path
            }
            None => installed(&codex_version()),
        })
        .clone()
}

fn installed(version: &str) -> PathBuf {
    let target = Path::new(TEST_DIR).parent().expect("Cargo's test directory lies in the target directory");
    let prefix = target.join(format!("codex-npm-{version}"));
    // Written last: an installation that was broken off has none.
    let complete = prefix.join("complete");
    // Another test program may be installing.
    let _lock = lock(&target.join(format!("codex-npm-{version}.lock")));
    if !complete.is_file() {
        if prefix.exists() {
            fs::remove_dir_all(&prefix).expect("the remains of an installation can be removed");
        }
        fs::create_dir_all(&prefix).expect("the target directory can be written");
        install(version, &prefix);
        File::create(&complete).expect("the target directory can be written");
    }
    let name = if cfg!(windows) { "codex.exe" } else { "codex" };
    find_in_vendor(&prefix.join("node_modules"), name, false).unwrap_or_else(|| {
        panic!("the npm package of Codex {version} has no {name} for this platform in {}", prefix.display())
    })
}

fn install(version: &str, prefix: &Path) {
    let npm = if cfg!(windows) { "npm.cmd" } else { "npm" };
    let output = Command::new(npm)
        .args(["install", "--no-save", "--no-audit", "--no-fund", "--loglevel=error", "--prefix"])
        .arg(prefix)
        .arg(format!("@openai/codex@{version}"))
        .output()
        .unwrap_or_else(|error| {
            panic!("{npm} can't be run ({error}): install npm, or set CODEX_BIN to a codex binary")
        });
    assert!(
        output.status.success(),
        "npm can't install Codex {version} ({}); set CODEX_BIN to a codex binary to do without.\n{}",
        output.status,
        String::from_utf8_lossy(&output.stderr),
    );
}

/// The file of this name below a directory named `vendor`: the launcher script in `node_modules/.bin` has the
/// same name.
fn find_in_vendor(dir: &Path, name: &str, in_vendor: bool) -> Option<PathBuf> {
    let entries = fs::read_dir(dir).ok()?;
    entries.flatten().find_map(|entry| {
        let path = entry.path();
        // Of the entry itself: links may lead in circles.
        if entry.file_type().ok()?.is_dir() {
            find_in_vendor(&path, name, in_vendor || entry.file_name() == "vendor")
        } else {
            (in_vendor && entry.file_name() == name).then_some(path)
        }
    })
}

/// Waits until this process and thread alone holds the file; closing it, or dying, lets it go.
#[cfg(unix)]
fn lock(path: &Path) -> File {
    let file = File::create(path).expect("the target directory can be written");
    rustix::fs::flock(&file, rustix::fs::FlockOperation::LockExclusive).expect("a lock on a local file");
    file
}

/// Waits until this process and thread alone holds the file; closing it, or dying, lets it go.
#[cfg(windows)]
fn lock(path: &Path) -> File {
    use std::os::windows::fs::OpenOptionsExt;
    use std::time::Duration;

    // Windows has no safe call that waits for a lock, but refuses to open a file that is not shared.
    const SHARING_VIOLATION: i32 = 32;
    loop {
        match File::options().write(true).create(true).truncate(true).share_mode(0).open(path) {
            Ok(file) => return file,
            Err(error) if error.raw_os_error() == Some(SHARING_VIOLATION) => {
                std::thread::sleep(Duration::from_millis(100));
            }
            Err(error) => panic!("the target directory can't be written: {error}"),
        }
    }
}

/// A fresh `CODEX_HOME` and a workspace, with a stub as the model. Stop the server before dropping it.
#[derive(Debug)]
pub(crate) struct RealHome {
    root: PathBuf,
    model: ModelStub,
}

impl RealHome {
    /// With the stub's own script.
    pub(crate) fn new() -> Self {
        Self::with_model(ModelStub::start().expect("loopback can be bound"))
    }

    pub(crate) fn with_model(model: ModelStub) -> Self {
        static MADE: AtomicU32 = AtomicU32::new(0);
        let number = MADE.fetch_add(1, Ordering::Relaxed);
        let root = Path::new(TEST_DIR).join(format!("home-{}-{number}", std::process::id()));
        if root.exists() {
            fs::remove_dir_all(&root).expect("what an earlier process of this number left can be removed");
        }
        let home = RealHome { root, model };
        home.model.write_home(home.home()).expect("the target directory can be written");
        fs::create_dir_all(home.workspace()).expect("the target directory can be written");
        home
    }

    /// The `CODEX_HOME`.
    pub(crate) fn home(&self) -> PathBuf {
        self.root.join("home")
    }

    /// An empty directory to work in.
    pub(crate) fn workspace(&self) -> PathBuf {
        self.root.join("workspace")
    }

    pub(crate) fn model(&self) -> &ModelStub {
        &self.model
    }

    /// The server's command line.
    pub(crate) fn command(&self) -> Vec<String> {
        let codex =
            codex_bin().into_os_string().into_string().expect("the target directory's name is Unicode");
        vec![codex, "app-server".to_owned()]
    }

    /// What to add to the server's environment.
    pub(crate) fn envs(&self) -> Vec<(String, String)> {
        let home =
            self.home().into_os_string().into_string().expect("the target directory's name is Unicode");
        // Both spellings: a proxy that the user has set is not asked for loopback.
        let pairs = [
            ("CODEX_HOME", home.as_str()),
            ("HOME", &home),
            ("USERPROFILE", &home),
            ("NO_PROXY", "127.0.0.1"),
            ("no_proxy", "127.0.0.1"),
            ("RUST_LOG", "error"),
        ];
        pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
    }
}

impl Drop for RealHome {
    fn drop(&mut self) {
        // A command that the server started may still write; what stays lies in the target directory.
        let _ = fs::remove_dir_all(&self.root);
    }
}
