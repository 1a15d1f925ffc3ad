//! Builders, contract suites and the deterministic simulation. A development dependency only.
