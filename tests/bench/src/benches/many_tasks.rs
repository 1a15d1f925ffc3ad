//! A hundred thousand tasks: what a restart takes, and what they weigh.

use std::thread;
use std::time::Duration;

use anyhow::{Result, ensure};

use super::{Setting, scene};
use crate::figure::{Figure, Goal};
use crate::machine;
use crate::server::{Server, start_timed};

const CLUSTER: &str = "many";

pub(super) fn run(setting: &Setting) -> Result<Vec<Figure>> {
    let tasks: u64 = setting.pick(100_000, 1000);
    let data = tempfile::tempdir()?;
    let kecs = Server::kecs(&setting.kecs, data.path())?;
    let mut client = kecs.client()?;
    scene::register(&mut client)?;
    scene::cluster(&mut client, CLUSTER)?;
    for _ in 0..tasks / 10 {
        client.call("RunTask", &scene::run_ten(CLUSTER))?;
    }
    scene::wait_running(&mut client, CLUSTER, tasks, Duration::from_secs(300))?;
    let before = machine::memory(kecs.pid())?;
    kecs.terminate()?;
    let mut times = Vec::new();
    let mut after = before;
    for _ in 0..setting.pick(3, 1) {
        let (kecs, time) = start_timed(&setting.kecs, data.path())?;
        times.push(time.as_secs_f64());
        let found = scene::running(&mut kecs.client()?, CLUSTER)?;
        ensure!(found == tasks, "only {found} of {tasks} tasks are RUNNING after a restart");
        thread::sleep(Duration::from_secs(2));
        after = machine::memory(kecs.pid())?;
        kecs.terminate()?;
    }
    times.sort_by(f64::total_cmp);
    let note = format!("{:.0} MB before the restart", before.resident);
    Ok(vec![
        Figure::new(
            format!("{tasks} tasks: start to first answer"),
            times[times.len() / 2],
            "s",
            Goal::AtMost(2.0),
        ),
        Figure::new(format!("{tasks} tasks: resident memory"), after.resident, "MB", Goal::AtMost(500.0))
            .note(note),
        Figure::new(format!("{tasks} tasks: anonymous memory"), after.anonymous, "MB", Goal::Told),
    ])
}
