//! Start-up and memory with nothing in it.

use std::thread;
use std::time::Duration;

use anyhow::Result;

use super::Setting;
use crate::figure::{Figure, Goal};
use crate::machine;
use crate::server::start_timed;

/// Starts a few times on fresh data directories. The median: a single start is at the mercy of the page cache.
pub(super) fn run(setting: &Setting) -> Result<Vec<Figure>> {
    let mut times = Vec::new();
    let mut memory = None;
    for _ in 0..setting.pick(11, 3) {
        let data = tempfile::tempdir()?;
        let (server, time) = start_timed(&setting.kecs, data.path())?;
        times.push(time.as_secs_f64() * 1e3);
        if memory.is_none() {
            thread::sleep(Duration::from_secs(1));
            memory = Some(machine::memory(server.pid())?);
        }
        server.terminate()?;
    }
    times.sort_by(f64::total_cmp);
    let median = times[times.len() / 2];
    let spread = format!("median of {}, from {:.0} to {:.0}", times.len(), times[0], times[times.len() - 1]);
    let mut figures = vec![
        Figure::new("empty journal: start to first answer", median, "ms", Goal::AtMost(60.0)).note(spread),
    ];
    if let Some(memory) = memory {
        figures.push(Figure::new(
            "empty journal: resident memory",
            memory.resident,
            "MB",
            Goal::AtMost(50.0),
        ));
        figures.push(Figure::new(
            "empty journal: anonymous memory",
            memory.anonymous,
            "MB",
            Goal::AtMost(15.0),
        ));
    }
    Ok(figures)
}
