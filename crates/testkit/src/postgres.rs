//! A PostgreSQL server for tests: started for one test binary, on a socket of its own, and gone with it.
//!
//! Nothing is installed and nothing is shared: it finds the server's programs on this machine, or takes the server that
//! `KECS_TEST_POSTGRES_URL` names. The server belongs to a shell that waits for its input to end, which happens however
//! this process ends; so a killed test leaves neither server nor files behind.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// How long the server may take to start.
const PATIENCE: Duration = Duration::from_secs(60);

/// How often that is looked at.
const PAUSE: Duration = Duration::from_millis(20);

/// A running server. Dropping it ends it.
#[derive(Debug)]
pub struct Server {
    url: String,
    shell: Option<Child>,
    databases: AtomicU64,
}

/// Why there is no server.
#[derive(Debug, thiserror::Error)]
pub enum NoServer {
    /// Its programs are not on this machine.
    #[error("no initdb and postgres in PATH or /usr/lib/postgresql/*/bin, and no KECS_TEST_POSTGRES_URL")]
    NotInstalled,
    /// It did not start.
    #[error("PostgreSQL did not start: {0}")]
    DidNotStart(String),
    /// A file or program could not be used.
    #[error("PostgreSQL could not be started: {0}")]
    Io(#[from] io::Error),
}

/// Runs as the user of the server. Its input ends when the test's process does.
const SCRIPT: &str = r#"
"$BIN/initdb" -D "$DIR/data" -U kecs -A trust -E UTF8 --locale=C --no-sync >"$DIR/initdb.log" 2>&1 || exit 1
"$BIN/postgres" -D "$DIR/data" -c listen_addresses= -k "$DIR" -F -c max_connections=300 \
    -c shared_buffers=32MB -c autovacuum=off >"$DIR/server.log" 2>&1 </dev/null &
server=$!
read -r _
kill -INT $server
wait $server
rm -rf "$DIR"
"#;

impl Server {
    /// Starts a server, or takes the one of `KECS_TEST_POSTGRES_URL` (of a user who may make databases).
    ///
    /// # Errors
    /// [`NoServer::NotInstalled`] if there is none to start: a test should then say aloud that it does nothing. Anything
    /// else is a failure.
    pub fn start() -> Result<Self, NoServer> {
        if let Ok(url) = std::env::var("KECS_TEST_POSTGRES_URL") {
            return Ok(Self { url, shell: None, databases: AtomicU64::new(0) });
        }
        let bin = programs().ok_or(NoServer::NotInstalled)?;
        let dir = PathBuf::from(format!("{}/kecs-pg-{}", std::env::temp_dir().display(), std::process::id()));
        // A directory of a process that had the same number and is gone.
        let _ = fs::remove_dir_all(&dir);
        fs::create_dir(&dir)?;
        let mut command = command_of_another_user(&dir)?;
        command.args(["sh", "-c", SCRIPT]).env("BIN", bin).env("DIR", &dir).current_dir(&dir);
        let child = command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
        // From here on a drop ends it.
        let mut server = Self {
            url: format!("postgres://kecs@localhost/postgres?host={}", dir.display()),
            shell: Some(child),
            databases: AtomicU64::new(0),
        };
        server.wait_until_ready(&dir)?;
        Ok(server)
    }

    fn wait_until_ready(&mut self, dir: &Path) -> Result<(), NoServer> {
        let log = || {
            let read = |name: &str| fs::read_to_string(dir.join(name)).unwrap_or_default();
            format!("{}{}", read("initdb.log"), read("server.log"))
        };
        let mut waited = Duration::ZERO;
        while !log().contains("database system is ready to accept connections") {
            let ended = self.shell.as_mut().map(Child::try_wait).transpose()?.flatten().is_some();
            if ended || waited > PATIENCE {
                return Err(NoServer::DidNotStart(log()));
            }
            #[allow(
                clippy::disallowed_methods,
                reason = "a test waits for a process here, and nobody else has the thread"
            )]
            std::thread::sleep(PAUSE);
            waited += PAUSE;
        }
        Ok(())
    }

    /// The URL of the server's own database, in which new ones are made.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// A name for a database that no other test of this server has, and its URL. Making it is up to the caller.
    pub fn fresh_database(&self) -> (String, String) {
        let n = self.databases.fetch_add(1, Ordering::Relaxed);
        let name = format!("kecs_{}_{n}", std::process::id());
        let (server, query) = self.url.split_once('?').unwrap_or((&self.url, ""));
        // `postgres://USER@HOST:PORT/DATABASE`: what comes after the host's slash is replaced.
        let host = server.find("://").map_or(0, |at| at + 3);
        let base = server[host..].find('/').map_or(server, |slash| &server[..host + slash]);
        let query = if query.is_empty() { String::new() } else { format!("?{query}") };
        let url = format!("{base}/{name}{query}");
        (name, url)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(mut shell) = self.shell.take() {
            // The end of its input is the sign; the shell takes the files along.
            drop(shell.stdin.take());
            let _ = shell.wait();
        }
    }
}

/// The directory of `initdb` and `postgres`.
fn programs() -> Option<PathBuf> {
    let has_both = |dir: &PathBuf| dir.join("initdb").is_file() && dir.join("postgres").is_file();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut installed: Vec<PathBuf> = fs::read_dir("/usr/lib/postgresql")
        .map(|versions| versions.flatten().map(|version| version.path().join("bin")).collect())
        .unwrap_or_default();
    // The newest first.
    installed.sort();
    installed.reverse();
    std::env::split_paths(&path).chain(installed).find(has_both)
}

/// The beginning of a command that PostgreSQL agrees to run under: it refuses to be root.
fn command_of_another_user(dir: &Path) -> io::Result<Command> {
    let is_root = Command::new("id").arg("-u").output().is_ok_and(|id| id.stdout.starts_with(b"0\n"));
    if !is_root {
        return Ok(Command::new("env"));
    }
    let exists = |user: &str| Command::new("id").arg(user).output().is_ok_and(|id| id.status.success());
    let user = if exists("postgres") { "postgres" } else { "nobody" };
    let owned = Command::new("chown").arg(user).arg(dir).status()?;
    if !owned.success() {
        return Err(io::Error::other(format!("{} could not be given to {user}", dir.display())));
    }
    let mut command = Command::new("runuser");
    command.args(["-u", user, "--"]);
    Ok(command)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fresh_database_has_a_url_of_its_own() {
        let server = |url: &str| Server { url: url.to_owned(), shell: None, databases: AtomicU64::new(0) };
        let pid = std::process::id();
        for (url, expected) in [
            (
                "postgres://kecs@localhost/postgres?host=/tmp/x",
                format!("postgres://kecs@localhost/kecs_{pid}_0?host=/tmp/x"),
            ),
            ("postgres://u:p@127.0.0.1:5432/postgres", format!("postgres://u:p@127.0.0.1:5432/kecs_{pid}_0")),
            ("postgres://u@h", format!("postgres://u@h/kecs_{pid}_0")),
        ] {
            let server = server(url);
            assert_eq!(server.fresh_database().1, expected);
            assert_ne!(server.fresh_database().1, expected);
        }
    }
}
