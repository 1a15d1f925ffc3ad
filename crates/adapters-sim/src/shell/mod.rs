//! Commands inside of simulated containers. There is no container, so there is a small shell with a few programs of its
//! own: enough to see that a terminal works.
//!
//! Nothing is spawned: a command goes on while its output is read, and ends when it is dropped.

mod discipline;
mod programs;
mod terminal;
mod words;

use std::collections::BTreeMap;

use futures::channel::mpsc;
use futures::stream::{FuturesUnordered, StreamExt as _, select};
use futures::{FutureExt as _, future};
use kecs_usecases::ports::{Exec, Output, PortError, Process};

use programs::{Gone, Shell};
use terminal::Terminal;

/// How many keystrokes, and how many pieces of output, may wait.
const INPUT: usize = 64;
const OUTPUT: usize = 4;

/// Starts a command that runs until it ends, or until `ended` is ready because its container has ended.
///
/// # Errors
/// `Permanent` for a program that isn't there.
pub(crate) fn start(
    exec: &Exec,
    ended: impl Future<Output = ()> + Send + 'static,
) -> Result<Process, PortError> {
    let program = exec.command.first().map_or("", String::as_str);
    if !programs::is_known(program) {
        // As the agent of a real container says it.
        return Err(PortError::permanent(format!(
            "Failed to start pty: fork/exec {program}: no such file or directory"
        )));
    }
    let (input, keys) = mpsc::channel(INPUT);
    let (send, output) = mpsc::channel(OUTPUT);
    let mut last = send.clone();
    let mut shell = Shell::new(Terminal::new(keys, send), environment(exec));
    let command = exec.command.clone();
    let work = async move {
        let running = std::pin::pin!(shell.run(&command));
        let code = match future::select(running, std::pin::pin!(ended)).await {
            future::Either::Left((Ok(code), _)) => code,
            // Nobody listens any more.
            future::Either::Left((Err(Gone), _)) => return,
            // With its container everything in it is killed.
            future::Either::Right(_) => 137,
        };
        let _ = futures::SinkExt::send(&mut last, Output::Exited(code)).await;
    };
    // Driven by whoever reads, and of no output itself.
    let work: FuturesUnordered<_> = std::iter::once(work.boxed()).collect();
    let work = work.filter_map(|()| future::ready(None));
    Ok(Process { input, output: select(output, work).boxed() })
}

/// The variables of the container, as far as they are known: some that every container has, then those of its
/// definition, then those of the task's overrides. Secrets aren't known.
fn environment(exec: &Exec) -> BTreeMap<String, String> {
    let given = [
        ("HOME", "/root"),
        ("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"),
        ("TERM", "xterm-256color"),
    ];
    let mut all: BTreeMap<_, _> =
        given.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let host = exec.task.key.id.to_string();
    all.insert("HOSTNAME".to_owned(), host[..12.min(host.len())].to_owned());
    let named = |name: Option<&str>| name == Some(exec.container.as_str());
    let defined = exec.definition.doc.container_definitions.iter().flatten();
    let defined = defined.filter(|one| named(one.name.as_deref())).flat_map(|one| one.environment.iter());
    let overrides = exec.task.doc.overrides.iter().flat_map(|all| all.container_overrides.iter().flatten());
    let overridden =
        overrides.filter(|one| named(one.name.as_deref())).flat_map(|one| one.environment.iter());
    for pair in defined.chain(overridden).flatten() {
        if let (Some(name), Some(value)) = (&pair.name, &pair.value) {
            all.insert(name.clone(), value.clone());
        }
    }
    all
}
