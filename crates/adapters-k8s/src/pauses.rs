//! How long a watch that broke waits before it begins anew.

use std::time::Duration;

use kube::runtime::utils::Backoff;

const FIRST: Duration = Duration::from_millis(500);
/// Not longer, as the library's own pauses would be: whoever has waited for the API server to come back expects what
/// it knows soon after.
const LONGEST: Duration = Duration::from_secs(5);

/// Pauses that double, up to some seconds.
#[derive(Debug)]
pub(crate) struct Pauses(Duration);

impl Default for Pauses {
    fn default() -> Self {
        Self(FIRST)
    }
}

impl Iterator for Pauses {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        let pause = self.0;
        self.0 = (pause * 2).min(LONGEST);
        Some(pause)
    }
}

impl Backoff for Pauses {
    fn reset(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_five_seconds_and_begin_anew() {
        let mut pauses = Pauses::default();
        let first: Vec<_> = pauses.by_ref().take(6).map(|pause| pause.as_millis()).collect();
        assert_eq!(first, [500, 1000, 2000, 4000, 5000, 5000]);
        pauses.reset();
        assert_eq!(pauses.next(), Some(FIRST));
    }
}
