//! What the machine is, and what a process uses of it: read from `/proc`, so on Linux only.

use std::fs;
use std::path::Path;
use std::thread;

use anyhow::{Context as _, Result};

/// Ticks of `/proc/PID/stat` in a second: USER_HZ, which Linux has fixed at 100 for user space.
const TICKS_PER_SECOND: f64 = 100.0;

/// Resident memory in MB (10^6 bytes).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Memory {
    /// All of it, mapped files included.
    pub(crate) resident: f64,
    /// What belongs to no file: heap and stacks.
    pub(crate) anonymous: f64,
}

/// The resident memory of a process.
pub(crate) fn memory(pid: u32) -> Result<Memory> {
    let text = proc_file(pid, "smaps_rollup")?;
    let field = |name: &str| {
        let line = text.lines().find(|line| line.starts_with(name)).with_context(|| format!("no {name}"))?;
        let kib: f64 = line.split_whitespace().nth(1).context("no number")?.parse()?;
        anyhow::Ok(kib * 1024.0 / 1e6)
    };
    Ok(Memory { resident: field("Rss:")?, anonymous: field("Anonymous:")? })
}

/// The CPU seconds that a process has used.
pub(crate) fn cpu_seconds(pid: u32) -> Result<f64> {
    let text = proc_file(pid, "stat")?;
    // The name in parentheses may contain anything; what follows is fixed. utime and stime are fields 14 and 15.
    let fields: Vec<&str> = text.rsplit_once(')').context("no name")?.1.split_whitespace().collect();
    let ticks: f64 = fields.get(11).context("no utime")?.parse::<f64>()?
        + fields.get(12).context("no stime")?.parse::<f64>()?;
    Ok(ticks / TICKS_PER_SECOND)
}

fn proc_file(pid: u32, name: &str) -> Result<String> {
    let path = Path::new("/proc").join(pid.to_string()).join(name);
    fs::read_to_string(&path).with_context(|| format!("can't read {}; this needs Linux", path.display()))
}

/// The machine's shape, in a line.
pub(crate) fn shape() -> String {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let value = |text: &str, name: &str| {
        let line = text.lines().find(|line| line.starts_with(name))?;
        Some(line.split_once(':')?.1.trim().to_owned())
    };
    let cores = thread::available_parallelism().map_or(0, usize::from);
    let cpu = value(&read("/proc/cpuinfo"), "model name").unwrap_or_else(|| "unknown CPU".to_owned());
    let memory = value(&read("/proc/meminfo"), "MemTotal").unwrap_or_default();
    let kib: f64 = memory.trim_end_matches(" kB").parse().unwrap_or_default();
    let kernel = read("/proc/sys/kernel/osrelease");
    format!("{cores} cores ({cpu}), {:.0} GiB, Linux {}", kib / 1024.0 / 1024.0, kernel.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_memory_and_time_can_be_read() {
        let memory = memory(std::process::id()).unwrap();
        assert!(memory.anonymous > 0.0 && memory.resident >= memory.anonymous);
        assert!(cpu_seconds(std::process::id()).unwrap() >= 0.0);
    }
}
