//! Running other programs: quietly, or line by line.
//!
//! No shell is involved anywhere: arguments reach the program as they are.

use std::env;
use std::io::{BufRead as _, BufReader, Read};
use std::path::PathBuf;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;

use anyhow::{Context as _, Result, bail};

/// The command as a person would type it. For showing only.
pub(crate) fn shown(command: &Command) -> String {
    let program = PathBuf::from(command.get_program());
    let name = program
        .file_name()
        .map_or_else(|| program.display().to_string(), |n| n.to_string_lossy().into_owned());
    let words = command.get_args().map(|arg| quoted(&arg.to_string_lossy()));
    std::iter::once(name).chain(words).collect::<Vec<_>>().join(" ")
}

/// A word as a POSIX shell would need it.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,+@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

/// Runs it with our own output, and fails if it fails.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("can't start {}", shown(command)))?;
    if !status.success() {
        bail!("{} ended with {status}", shown(command));
    }
    Ok(())
}

/// Runs it and returns what it wrote to its standard output; its errors are part of ours if it fails.
pub(crate) fn capture(command: &mut Command) -> Result<String> {
    let output = command.output().with_context(|| format!("can't start {}", shown(command)))?;
    if !output.status.success() {
        let stderr = String::from_utf8_lossy(&output.stderr);
        bail!("{} ended with {}: {}", shown(command), output.status, stderr.trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Runs it and hands every line of both of its outputs to `line`, in the order of their arrival.
pub(crate) fn lines(command: &mut Command, mut line: impl FnMut(&str)) -> Result<ExitStatus> {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("can't start {}", shown(command)))?;
    let (sender, receiver) = mpsc::channel();
    let stdout = child.stdout.take().map(|pipe| forward(pipe, sender.clone()));
    let stderr = child.stderr.take().map(|pipe| forward(pipe, sender));
    for text in receiver {
        line(&text);
    }
    for thread in [stdout, stderr].into_iter().flatten() {
        let _ = thread.join();
    }
    Ok(child.wait()?)
}

fn forward(pipe: impl Read + Send + 'static, to: mpsc::Sender<String>) -> thread::JoinHandle<()> {
    thread::spawn(move || {
        let mut reader = BufReader::new(pipe);
        let mut bytes = Vec::new();
        while reader.read_until(b'\n', &mut bytes).is_ok_and(|read| read > 0) {
            let text = String::from_utf8_lossy(&bytes);
            if to.send(text.trim_end_matches(['\n', '\r']).to_owned()).is_err() {
                return;
            }
            bytes.clear();
        }
    })
}

/// Whether there is a program of this name on the PATH.
pub(crate) fn exists(program: &str) -> bool {
    env::var_os("PATH").is_some_and(|path| env::split_paths(&path).any(|dir| dir.join(program).is_file()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shown_command_can_be_pasted_into_a_shell() {
        let mut command = Command::new("/usr/bin/aws");
        command.args(["ecs", "run-task", "--tags", "key=a b", "it's"]);
        assert_eq!(shown(&command), r"aws ecs run-task --tags 'key=a b' 'it'\''s'");
    }

    #[test]
    fn lines_of_both_outputs_arrive_and_the_status_is_the_programs() {
        let mut seen = Vec::new();
        let mut command = Command::new("python3");
        command.args(["-c", "import sys; print('out'); print('err', file=sys.stderr); sys.exit(3)"]);
        let status = lines(&mut command, |line| seen.push(line.to_owned())).unwrap();
        seen.sort();
        assert_eq!((seen, status.code()), (vec!["err".to_owned(), "out".to_owned()], Some(3)));
    }

    #[test]
    fn a_failing_program_is_an_error_with_its_words() {
        let mut command = Command::new("python3");
        command.args(["-c", "import sys; sys.exit('broken')"]);
        assert!(capture(&mut command).unwrap_err().to_string().ends_with("broken"));
    }
}
