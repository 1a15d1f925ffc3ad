//! What a history plays on: the orchestrator's nodes and delays, drawn from the seed.

use std::sync::Arc;
use std::time::Duration;

use kecs_adapters_sim::{NodeSpec, SimOptions, SimulatedOrchestrator};

use super::random::Random;
use super::shared::Shared;

/// The options of the simulated orchestrator: how many nodes, how big, and how long things take.
pub(super) fn options(random: &mut Random) -> SimOptions {
    let nodes = random.index(3) + 2;
    let millis = |random: &mut Random| {
        let most = *random.pick(&[0, 50, 2_000]);
        Duration::from_millis(random.below(most + 1))
    };
    SimOptions {
        nodes: SimOptions::equal_nodes(
            nodes,
            *random.pick(&[1024, 4096, 8192]),
            *random.pick(&[1024, 4096, 8192]),
        ),
        placement_delay: millis(random),
        pull_delay: millis(random),
        start_delay: millis(random),
        release_delay: millis(random),
        ..SimOptions::default()
    }
}

/// A new orchestrator on the shared clock.
pub(super) fn orchestrator(options: &SimOptions, shared: &Arc<Shared>) -> Arc<SimulatedOrchestrator> {
    let clock = Arc::clone(shared) as _;
    // The options were made here and have no name twice.
    let orchestrator = SimulatedOrchestrator::new(options.clone(), clock).expect("sound options");
    Arc::new(orchestrator)
}

/// A node with room for everything.
pub(super) fn spare(number: usize) -> NodeSpec {
    NodeSpec::new(format!("spare-{number}"), ["a", "b", "c"][number % 3], 1 << 20, 1 << 20)
}
