//! The shell and its programs.

use std::collections::BTreeMap;

use futures::FutureExt as _;
use futures::future::BoxFuture;

use super::discipline::Typed;
use super::terminal::Terminal;
use super::words::commands;

/// Nobody reads or writes any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Gone;

/// The exit codes of a shell.
const NOT_FOUND: i32 = 127;
const INTERRUPTED: i32 = 130;
/// How much is written at a time.
const PIECE: usize = 4096;

/// What there is in `/bin`.
const PROGRAMS: [&str; 11] =
    ["bash", "cat", "echo", "env", "exit", "false", "hostname", "seq", "sh", "stty", "true"];

/// The directories of programs.
const DIRECTORIES: [&str; 4] = ["/bin/", "/usr/bin/", "/usr/local/bin/", ""];

/// The name of a program without its directory.
fn name(program: &str) -> &str {
    DIRECTORIES.iter().find_map(|directory| program.strip_prefix(directory)).unwrap_or(program)
}

/// Whether there is such a program.
pub(super) fn is_known(program: &str) -> bool {
    PROGRAMS.contains(&name(program))
}

/// The shell.
pub(super) struct Shell {
    terminal: Terminal,
    environment: BTreeMap<String, String>,
    /// The exit code of the last program.
    last: i32,
}

impl Shell {
    pub(super) fn new(terminal: Terminal, environment: BTreeMap<String, String>) -> Self {
        Self { terminal, environment, last: 0 }
    }

    /// Runs a program, and returns its exit code. A shell in a shell is one, too.
    pub(super) fn run<'a>(&'a mut self, command: &'a [String]) -> BoxFuture<'a, Result<i32, Gone>> {
        async move {
            let words: Vec<&str> = command.iter().map(String::as_str).collect();
            let (program, arguments) =
                words.split_first().map_or(("", &[][..]), |(first, rest)| (*first, rest));
            match (name(program), arguments) {
                ("sh" | "bash", ["-c", script, ..]) => Ok(self.script(script).await?.0),
                ("sh" | "bash", _) => self.interact().await,
                ("echo", ["-n", rest @ ..]) => self.say(&rest.join(" ")).await,
                ("echo", rest) => self.say(&format!("{}\n", rest.join(" "))).await,
                ("cat", []) => self.cat().await,
                ("cat", [file, ..]) => self.fail(&format!("cat: {file}: No such file or directory")).await,
                ("env", []) => {
                    let all: String =
                        self.environment.iter().map(|(name, value)| format!("{name}={value}\n")).collect();
                    self.say(&all).await
                }
                ("hostname", _) => {
                    let host = self.environment.get("HOSTNAME").cloned().unwrap_or_default();
                    self.say(&format!("{host}\n")).await
                }
                ("stty", ["size"]) => {
                    let size = self.terminal.size().await?;
                    self.say(&format!("{} {}\n", size.rows, size.columns)).await
                }
                ("stty", _) => self.fail("stty: only `stty size` is simulated").await,
                ("seq", [last]) => self.seq("1", last).await,
                ("seq", [first, last]) => self.seq(first, last).await,
                ("seq", _) => self.fail("seq: give one number or two").await,
                ("exit", code) => Ok(code.first().map_or(self.last, |code| code.parse().unwrap_or(2) & 255)),
                ("true", _) => Ok(0),
                ("false", _) => Ok(1),
                _ => {
                    self.say(&format!("sh: {program}: not found\n")).await?;
                    Ok(NOT_FOUND)
                }
            }
        }
        .boxed()
    }

    async fn say(&mut self, text: &str) -> Result<i32, Gone> {
        self.terminal.write(text.as_bytes()).await?;
        Ok(0)
    }

    async fn fail(&mut self, text: &str) -> Result<i32, Gone> {
        self.say(&format!("{text}\n")).await?;
        Ok(1)
    }

    /// A shell with a prompt.
    async fn interact(&mut self) -> Result<i32, Gone> {
        loop {
            self.say("# ").await?;
            match self.terminal.read().await? {
                Typed::Line(line) => {
                    let (code, ended) = self.script(&String::from_utf8_lossy(&line)).await?;
                    self.last = code;
                    if ended {
                        return Ok(code);
                    }
                }
                Typed::End => return Ok(self.last),
                Typed::Interrupt => self.last = INTERRUPTED,
            }
        }
    }

    /// The commands of a line, one after the other: the last exit code, and whether `exit` was among them.
    async fn script(&mut self, line: &str) -> Result<(i32, bool), Gone> {
        let value = |name: &str| match name {
            "?" => self.last.to_string(),
            name => self.environment.get(name).cloned().unwrap_or_default(),
        };
        // Variables are looked up before the first command runs: `?` is that of the last line.
        let Ok(all) = commands(line, &value) else {
            self.say("sh: syntax error: unterminated quoted string\n").await?;
            return Ok((2, false));
        };
        let mut code = self.last;
        for command in all {
            code = self.run(&command).await?;
            self.last = code;
            if command.first().is_some_and(|program| program == "exit") {
                return Ok((code, true));
            }
            if code == INTERRUPTED {
                break;
            }
        }
        Ok((code, false))
    }

    /// Copies lines until there are no more.
    async fn cat(&mut self) -> Result<i32, Gone> {
        loop {
            match self.terminal.read().await? {
                Typed::Line(mut line) => {
                    line.push(b'\n');
                    self.terminal.write(&line).await?;
                }
                Typed::End => return Ok(0),
                Typed::Interrupt => return Ok(INTERRUPTED),
            }
        }
    }

    async fn seq(&mut self, first: &str, last: &str) -> Result<i32, Gone> {
        let (Ok(first), Ok(last)) = (first.parse::<i64>(), last.parse::<i64>()) else {
            return self.fail("seq: invalid number").await;
        };
        let mut piece = String::new();
        for number in first..=last {
            piece.push_str(&number.to_string());
            piece.push('\n');
            if piece.len() >= PIECE {
                if self.terminal.is_interrupted().await? {
                    return Ok(INTERRUPTED);
                }
                self.say(&piece).await?;
                piece.clear();
            }
        }
        self.say(&piece).await
    }
}
