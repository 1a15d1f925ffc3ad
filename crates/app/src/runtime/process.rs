//! The process's own numbers for the metrics.

use std::sync::Arc;

use kecs_adapters_http::{Gauges, MetricsText};

/// Resident memory, from Linux's /proc. Elsewhere nothing is told.
pub(super) fn gauges() -> Arc<dyn Gauges> {
    Arc::new(|out: &mut MetricsText| {
        if let Some(resident) =
            std::fs::read_to_string("/proc/self/status").ok().as_deref().and_then(resident)
        {
            out.gauge("process_resident_memory_bytes", "Memory that is in RAM.", resident);
        }
    })
}

/// The bytes of the line `VmRSS:     1234 kB`.
fn resident(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kib * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resident_memory_is_read_from_the_kernels_text() {
        assert_eq!(resident("Name:\tkecs\nVmRSS:\t    2048 kB\nThreads:\t3\n"), Some(2 << 20));
        assert_eq!(resident("Name:\tkecs\n"), None);
    }
}
