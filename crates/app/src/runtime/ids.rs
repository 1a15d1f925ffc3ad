//! Random identifiers.

use kecs_usecases::ports::IdGenerator;

/// Bits of the thread's ChaCha generator, which the system seeds: no lock, and no two processes get the same.
#[derive(Clone, Copy, Debug, Default)]
pub struct RandomIds;

impl IdGenerator for RandomIds {
    #[allow(clippy::disallowed_methods, reason = "this is the one place where randomness comes from")]
    fn bits(&self) -> u128 {
        rand::random()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn ids_differ() {
        let ids: HashSet<u128> = (0..10_000).map(|_| RandomIds.bits()).collect();
        assert_eq!(ids.len(), 10_000);
    }
}
