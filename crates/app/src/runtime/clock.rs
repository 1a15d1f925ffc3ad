//! The system's clock, made monotone.

use std::sync::atomic::{AtomicI64, Ordering};

use kecs_domain::Timestamp;
use kecs_usecases::ports::Clock;

/// The system's time, except that it stands still where the system's clock is set back.
#[derive(Debug)]
pub struct SystemClock {
    latest: AtomicI64,
}

impl SystemClock {
    /// The clock.
    pub fn new() -> Self {
        Self { latest: AtomicI64::new(i64::MIN) }
    }

    /// The later of `time` and everything that was told before.
    fn monotone(&self, time: Timestamp) -> Timestamp {
        let millis = time.as_millis();
        Timestamp::from_millis(self.latest.fetch_max(millis, Ordering::Relaxed).max(millis))
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    #[allow(clippy::disallowed_methods, reason = "this is the one place where the time comes from")]
    fn now(&self) -> Timestamp {
        self.monotone(jiff::Timestamp::now().into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_never_goes_back() {
        let clock = SystemClock::new();
        let told: Vec<_> =
            [5, 9, 3, 9, 10].map(|millis| clock.monotone(Timestamp::from_millis(millis)).as_millis()).into();
        assert_eq!(told, [5, 9, 9, 9, 10]);
    }

    #[test]
    fn it_is_the_present() {
        // Later than this line was written, and before the year 2200.
        let now = SystemClock::new().now().as_millis();
        assert!((1_760_000_000_000..7_258_118_400_000).contains(&now), "{now}");
    }
}
