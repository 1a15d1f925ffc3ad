//! A process that is measured: started, asked, and ended with us.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::json;

use crate::bare;
use crate::client::Client;

/// A running server.
pub(crate) struct Server {
    child: Child,
    /// Where it answers.
    pub(crate) address: SocketAddr,
}

impl Server {
    /// `kecs serve` on a data directory with free ports, as it comes out of the box.
    pub(crate) fn kecs(binary: &Path, data_dir: &Path) -> Result<Self> {
        let mut command = Command::new(binary);
        command.args(["serve", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"]);
        command.arg("--data-dir").arg(data_dir).env("KECS_LOG_LEVEL", "warn");
        Self::start(command, api_address)
    }

    /// The bare server, with this body.
    pub(crate) fn bare(body: &Path) -> Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("bare").arg(body);
        Self::start(command, |line| line.strip_prefix(bare::READY)?.parse().ok())
    }

    fn start(mut command: Command, address: fn(&str) -> Option<SocketAddr>) -> Result<Self> {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("can't start {}", command.get_program().display()))?;
        let mut output = BufReader::new(child.stdout.take().context("no standard output")?);
        let mut line = String::new();
        while output.read_line(&mut line)? > 0 {
            if let Some(address) = address(line.trim()) {
                // Its further output must not fill the pipe.
                thread::spawn(move || std::io::copy(&mut output, &mut std::io::sink()));
                return Ok(Self { child, address });
            }
            line.clear();
        }
        let status = child.wait()?;
        bail!("{} ended with {status} before it served", command.get_program().display());
    }

    /// Its process id.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// A connection to it.
    pub(crate) fn client(&self) -> Result<Client> {
        Client::connect(self.address)
    }

    /// Ends it as an operator would, and waits for that.
    pub(crate) fn terminate(mut self) -> Result<()> {
        let status = Command::new("kill").arg("-TERM").arg(self.pid().to_string()).status()?;
        ensure!(status.success(), "can't signal the server");
        let end = Instant::now() + Duration::from_secs(60);
        while Instant::now() < end {
            if let Some(status) = self.child.try_wait()? {
                ensure!(status.success(), "the server ended with {status} on SIGTERM");
                return Ok(());
            }
            thread::sleep(Duration::from_millis(10));
        }
        bail!("the server doesn't end on SIGTERM");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Starts kecs; returns it with the time from its start to its first answer.
pub(crate) fn start_timed(binary: &Path, data_dir: &Path) -> Result<(Server, Duration)> {
    let start = Instant::now();
    let server = Server::kecs(binary, data_dir)?;
    server.client()?.call("ListClusters", &json!({}))?;
    Ok((server, start.elapsed()))
}

/// The API's address out of the line that kecs prints when it serves.
fn api_address(line: &str) -> Option<SocketAddr> {
    let rest = line.split_once("api=")?.1;
    let address = rest.split_whitespace().next()?;
    address.trim_start_matches("http://").trim_end_matches('/').parse().ok()
}
