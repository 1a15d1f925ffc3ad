//! The `kecs serve` that the demonstration runs, kills and runs again.

use std::io::{self, BufRead as _, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;

use anyhow::{Context as _, Result, bail, ensure};

/// A running server. It ends with this.
pub(super) struct Server {
    child: Child,
    /// The line with which it said that it serves.
    pub(super) ready: String,
    /// Where, as `HOST:PORT`.
    pub(super) api: String,
}

impl Server {
    /// Starts it, on `address` if it is given, else on its usual port if that is free.
    pub(super) fn start(
        kecs: &Path,
        data: &Path,
        settings: &[String],
        address: Option<&str>,
    ) -> Result<Self> {
        let usual = "127.0.0.1:5373";
        let free = TcpListener::bind(usual).is_ok();
        let listen = address.unwrap_or(if free { usual } else { "127.0.0.1:0" });
        let mut command = Command::new(kecs);
        command.args(["serve", "--admin-listen", "127.0.0.1:0", "--log-level", "warn", "--listen", listen]);
        command.arg("--data-dir").arg(data).args(settings).stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = command.spawn().with_context(|| format!("can't start {}", kecs.display()))?;
        let mut output = BufReader::new(child.stdout.take().context("no standard output")?);
        let mut ready = String::new();
        output.read_line(&mut ready)?;
        let ready = ready.trim().to_owned();
        let api =
            ready.split_whitespace().find_map(|word| word.strip_prefix("api=http://")).map(str::to_owned);
        let Some(api) = api else {
            let _ = child.kill();
            bail!("kecs serve ended with {} before it served", child.wait()?);
        };
        // What it says later must not fill the pipe.
        thread::spawn(move || io::copy(&mut output, &mut io::sink()));
        Ok(Self { child, ready, api })
    }

    /// Its process id.
    pub(super) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Kills it as a power cut would.
    pub(super) fn kill(&mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// Ends it as an operator would.
    pub(super) fn terminate(mut self) -> Result<()> {
        crate::process::run(Command::new("kill").arg("-TERM").arg(self.pid().to_string()))?;
        let status = self.child.wait()?;
        ensure!(status.success(), "kecs serve ended with {status} on SIGTERM");
        Ok(())
    }

    /// Waits until somebody else ends it.
    pub(super) fn wait(mut self) -> Result<()> {
        let status = self.child.wait()?;
        ensure!(status.success(), "kecs serve ended with {status}");
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
