//! The binary as a process: its line, its signals, its refusals.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

/// A server that has told its addresses. It is killed if a test fails.
struct Kecs {
    child: Child,
    line: String,
    /// Kept open, as a closed pipe would be something else to test.
    _stdout: BufReader<ChildStdout>,
}

fn command(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kecs"));
    command.args(args).env_remove("XDG_DATA_HOME").stdin(Stdio::null());
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("KECS_")) {
        command.env_remove(name);
    }
    command
}

impl Kecs {
    fn serve(args: &[&str]) -> Self {
        let anywhere = ["serve", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"];
        let mut child = command(&[&anywhere, args].concat()).stdout(Stdio::piped()).spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        Self { child, line, _stdout: stdout }
    }

    fn with_directory(directory: &Path) -> Self {
        Self::serve(&["--data-dir", directory.to_str().unwrap()])
    }

    /// A value of the ready line.
    fn value(&self, key: &str) -> &str {
        let mut words = self.line.split_whitespace();
        assert_eq!((words.next(), words.next()), (Some("kecs"), Some("ready:")), "{:?}", self.line);
        words
            .find_map(|word| word.strip_prefix(key)?.strip_prefix('='))
            .unwrap_or_else(|| panic!("no {key} in {}", self.line))
    }

    fn address(&self, key: &str) -> &str {
        self.value(key).strip_prefix("http://").unwrap()
    }

    fn call(&self, operation: &str, body: &str) -> String {
        let head = format!(
            "POST /v1/{operation} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        exchange(self.address("api"), &head)
    }

    /// Asks it to end, and gives its exit code.
    fn end(mut self, signal: &str) -> Option<i32> {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args([signal, &pid]).status().unwrap().success());
        self.child.wait().unwrap().code()
    }
}

impl Drop for Kecs {
    fn drop(&mut self) {
        // Both fail if it has ended, which is what they are for.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn exchange(address: &str, request: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

fn get(address: &str, path: &str) -> String {
    exchange(address, &format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"))
}

/// Exit code and error text of a command that ends by itself.
fn refused(args: &[&str]) -> (Option<i32>, String) {
    let output = command(args).output().unwrap();
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn a_server_tells_where_it_is_and_ends_in_order_when_told() {
    for signal in ["-TERM", "-INT"] {
        let kecs = Kecs::serve(&["--storage", "memory", "--region", "eu-west-1"]);
        assert_eq!(kecs.value("storage"), "memory");
        assert_eq!(kecs.value("orchestrator"), "simulated");
        assert_eq!((kecs.value("region"), kecs.value("account")), ("eu-west-1", "000000000000"));
        assert!(kecs.call("ListClusters", "{}").ends_with(r#"{"clusterArns":[]}"#));
        assert!(get(kecs.address("admin"), "/ready").starts_with("HTTP/1.1 200 OK"));
        let metrics = get(kecs.address("admin"), "/metrics");
        assert!(
            metrics.contains(r#"kecs_requests_total{operation="ListClusters",code="OK"} 1"#),
            "{metrics}"
        );
        assert!(metrics.contains("process_resident_memory_bytes"), "{metrics}");
        assert_eq!(kecs.end(signal), Some(0));
    }
}

#[test]
fn what_was_stored_is_there_after_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let kecs = Kecs::with_directory(directory.path());
    assert!(kecs.call("CreateCluster", r#"{"clusterName":"kept"}"#).starts_with("HTTP/1.1 200 OK"));
    assert_eq!(kecs.end("-TERM"), Some(0));
    let kecs = Kecs::with_directory(directory.path());
    let answer = kecs.call("ListClusters", "{}");
    assert!(
        answer.ends_with(r#"{"clusterArns":["arn:aws:ecs:us-east-1:000000000000:cluster/kept"]}"#),
        "{answer}"
    );
}

#[test]
fn a_second_process_on_a_data_directory_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let first = Kecs::with_directory(directory.path());
    let path = directory.path().to_str().unwrap();
    let (code, error) =
        refused(&["serve", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", "--data-dir", path]);
    assert_eq!(code, Some(1));
    assert!(error.contains("in use") && error.contains("--data-dir"), "{error}");
    assert_eq!(first.end("-TERM"), Some(0));
}

#[test]
fn an_address_in_use_is_refused_with_a_way_out() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let (code, error) = refused(&["serve", "--storage", "memory", "--listen", &address]);
    assert_eq!(code, Some(1));
    assert!(error.contains(&format!("{address} is in use")) && error.contains("--listen"), "{error}");
}

#[test]
fn a_wrong_configuration_is_refused_before_anything_starts() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("kecs.toml");
    std::fs::write(&file, "storrage = \"memory\"\n").unwrap();
    let (code, error) = refused(&["serve", "--config", file.to_str().unwrap()]);
    assert_eq!(code, Some(1));
    assert!(error.contains("line 1: unknown field `storrage`"), "{error}");
    let (code, error) = refused(&["serve", "--storage", "memory", "--log-level", "lou=d"]);
    assert_eq!(code, Some(1));
    assert!(error.contains("log-level"), "{error}");
    assert_eq!(refused(&["serve", "--listen", "here"]).0, Some(2));
}

#[test]
fn the_demonstration_deploys_and_updates_a_service() {
    let output = command(&["demo", "--exit", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"])
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
    assert!(text.contains("deployed: 3 tasks run") && text.contains("updated: 3 tasks run"), "{text}");
    assert!(text.contains("never fewer than 3 did"), "{text}");
}

#[test]
fn definitions_are_converted_from_files_and_from_standard_input() {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples");
    let definition = examples.join("web-service.json");
    let service = std::fs::read(examples.join("web-service.service.json")).unwrap();
    let mut child = command(&["convert", "-", definition.to_str().unwrap()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(&service).unwrap();
    let output = child.wait_with_output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success() && text.contains("kind: Deployment\n"), "{text}");
    let (code, error) = refused(&["convert", "no-such-file.json"]);
    assert_eq!(code, Some(1));
    assert!(error.starts_with("kecs: no-such-file.json can't be read"), "{error}");
}
