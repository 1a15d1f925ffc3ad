//! A histogram of latencies with fixed buckets.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::MetricsText;

/// The upper ends of the buckets in microseconds, and as Prometheus writes them in seconds. Reads take some ten
/// microseconds and commits about a millisecond, so that is where they are dense.
const BUCKETS: [(u64, &str); 12] = [
    (50, "0.00005"),
    (100, "0.0001"),
    (250, "0.00025"),
    (500, "0.0005"),
    (1_000, "0.001"),
    (2_500, "0.0025"),
    (5_000, "0.005"),
    (10_000, "0.01"),
    (50_000, "0.05"),
    (250_000, "0.25"),
    (1_000_000, "1"),
    (10_000_000, "10"),
];

/// Counts of durations.
pub(super) struct Histogram {
    /// One for each bucket, and one for what is beyond the last.
    counts: [AtomicU64; BUCKETS.len() + 1],
    sum_micros: AtomicU64,
}

impl Histogram {
    pub(super) const fn new() -> Self {
        Self { counts: [const { AtomicU64::new(0) }; BUCKETS.len() + 1], sum_micros: AtomicU64::new(0) }
    }

    pub(super) fn record(&self, took: Duration) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let bucket = BUCKETS.iter().position(|(end, _)| micros <= *end).unwrap_or(BUCKETS.len());
        self.counts[bucket].fetch_add(1, Ordering::Relaxed);
        self.sum_micros.fetch_add(micros, Ordering::Relaxed);
    }

    pub(super) fn write(&self, name: &str, operation: &str, out: &mut MetricsText) {
        let counts = self.counts.each_ref().map(|count| count.load(Ordering::Relaxed));
        let total: u64 = counts.iter().sum();
        if total == 0 {
            return;
        }
        let bucket = format!("{name}_bucket");
        let mut so_far = 0;
        for ((_, end), count) in BUCKETS.iter().zip(counts) {
            so_far += count;
            out.sample(&bucket, &[("operation", operation), ("le", end)], so_far);
        }
        out.sample(&bucket, &[("operation", operation), ("le", "+Inf")], total);
        #[allow(clippy::cast_precision_loss, reason = "a sum for a graph")]
        let seconds = self.sum_micros.load(Ordering::Relaxed) as f64 / 1e6;
        out.sample(&format!("{name}_sum"), &[("operation", operation)], seconds);
        out.sample(&format!("{name}_count"), &[("operation", operation)], total);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_are_cumulative() {
        let histogram = Histogram::new();
        for micros in [50, 51, 2_000_000, 60_000_000] {
            histogram.record(Duration::from_micros(micros));
        }
        let mut out = MetricsText::default();
        histogram.write("x", "Run", &mut out);
        let text = out.into_string();
        for line in [
            r#"x_bucket{operation="Run",le="0.00005"} 1"#,
            r#"x_bucket{operation="Run",le="0.0001"} 2"#,
            r#"x_bucket{operation="Run",le="1"} 2"#,
            r#"x_bucket{operation="Run",le="10"} 3"#,
            r#"x_bucket{operation="Run",le="+Inf"} 4"#,
            r#"x_sum{operation="Run"} 62.000101"#,
            r#"x_count{operation="Run"} 4"#,
        ] {
            assert!(text.lines().any(|found| found == line), "{line} in\n{text}");
        }
    }
}
