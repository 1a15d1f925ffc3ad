//! What the tests under `tests/sdk` are made with: a `kecs` process of its own for each test, and the official SDK's
//! client as its users configure it. Not a test itself.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use aws_sdk_ecs::Client;
use aws_sdk_ecs::config::retry::RetryConfig;
use aws_sdk_ecs::config::{BehaviorVersion, Config, Credentials, Region};
use aws_smithy_http_client::Builder;
use tempfile::TempDir;

/// How long a debug build may take to start on a busy machine.
const READY_WITHIN: Duration = Duration::from_secs(30);

/// The account of [`Server::client`].
pub const ACCOUNT: &str = "123456789012";
/// The region of all clients.
pub const REGION: &str = "eu-central-1";

/// A running `kecs serve`, killed when it is dropped.
#[derive(Debug)]
pub struct Server {
    process: Child,
    api: String,
    _data: TempDir,
}

impl Server {
    /// Starts a server on a free port, with its default storage in a directory of its own.
    ///
    /// # Panics
    /// When there is no `kecs` (see [`binary`]) or it doesn't get ready.
    pub fn start() -> Self {
        let data = tempfile::tempdir().expect("a directory for the data");
        let mut command = Command::new(binary());
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("KECS_")) {
            command.env_remove(name);
        }
        command
            .args([
                "serve",
                "--listen",
                "127.0.0.1:0",
                "--admin-listen",
                "127.0.0.1:0",
                "--log-level",
                "error",
            ])
            .arg("--data-dir")
            .arg(data.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped());
        let mut process = command.spawn().expect("kecs starts");
        let (tell, told) = mpsc::channel();
        let lines = BufReader::new(process.stdout.take().expect("its output is piped")).lines();
        std::thread::spawn(move || {
            let ready = lines.map_while(Result::ok).find_map(|line| api_of(&line));
            // Nobody listens any more when it was too late.
            let _ = tell.send(ready);
        });
        match told.recv_timeout(READY_WITHIN) {
            Ok(Some(api)) => Self { process, api, _data: data },
            other => {
                let _ = process.kill();
                panic!("kecs did not get ready: {other:?}");
            }
        }
    }

    /// The SDK's client in [`ACCOUNT`].
    pub fn client(&self) -> Client {
        self.client_of(ACCOUNT)
    }

    /// The SDK's client in an account. It doesn't retry, so that each answer is seen.
    pub fn client_of(&self, account: &str) -> Client {
        let config = Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(REGION))
            .credentials_provider(Credentials::new(account, "secret", None, None, "kecs"))
            .endpoint_url(&self.api)
            .http_client(Builder::new().build_http())
            .retry_config(RetryConfig::disabled())
            .build();
        Client::from_conf(config)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The address in the line `kecs ready: api=http://... admin=http://...`.
fn api_of(line: &str) -> Option<String> {
    let fields = line.strip_prefix("kecs ready: ")?;
    fields.split_whitespace().find_map(|field| field.strip_prefix("api=")).map(str::to_owned)
}

/// The `kecs` under test: `KECS_BIN`, else what cargo built beside this test.
///
/// # Panics
/// When neither is there.
pub fn binary() -> PathBuf {
    let given = std::env::var_os("KECS_BIN").map(PathBuf::from);
    let path = given.unwrap_or_else(|| {
        let test = std::env::current_exe().expect("this test has a path");
        // target/debug/deps/sdk-0123456789abcdef
        let profile = test.parent().and_then(|deps| deps.parent()).expect("it is in a target directory");
        profile.join("kecs")
    });
    assert!(path.is_file(), "no kecs at {}: build it, or set KECS_BIN", path.display());
    path
}
