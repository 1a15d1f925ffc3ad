//! The simulation itself: the same seed is the same history, it gets everywhere, and it finds bugs that are planted.
//!
//! `cargo xtask test` runs hundreds of histories with the optimised binary `kecs-simulate`; here are a few, and those
//! that once failed.

use std::collections::BTreeMap;

use kecs_testkit::simulation::{Fault, Faults, Plant, Seed, run, run_planted, run_seed, shrink};

/// What broke in these histories is mended. Each has a line that says what it was.
const ONCE_BROKEN: &[Seed] = &[
    // Tasks that failed to start were replaced without being counted while their remains were cleared away.
    Seed { seed: 374, steps: 189, faults: Faults::ALL },
];

#[test]
fn the_same_seed_makes_the_same_trace_byte_for_byte() {
    for seed in 1..=20 {
        let [first, second] = [(); 2].map(|()| run_seed(Seed::new(seed, 300), true));
        for (line, (one, other)) in first.trace.iter().zip(&second.trace).enumerate() {
            assert_eq!(one, other, "seed {seed}, line {line}");
        }
        assert_eq!(first.trace.len(), second.trace.len(), "seed {seed}");
        assert_eq!(first.trace_hash, second.trace_hash, "seed {seed}");
        assert!(first.trace.len() > 300, "seed {seed} does nothing");
    }
}

#[test]
fn other_seeds_make_other_histories() {
    assert_ne!(run(1, 50).trace_hash, run(2, 50).trace_hash);
}

#[test]
fn histories_keep_every_promise() {
    for seed in 1001..=1020 {
        let outcome = run(seed, 500);
        assert!(outcome.violations.is_empty(), "seed {seed}: {:?}", outcome.violations);
    }
}

#[test]
fn histories_that_once_broke_a_promise_keep_it_now() {
    for seed in ONCE_BROKEN {
        let outcome = run_seed(*seed, false);
        assert!(outcome.violations.is_empty(), "{seed:?}: {:?}", outcome.violations);
    }
}

/// Things that happen in some histories, or the simulation proves nothing about them.
const HAPPENS: &[&str] = &[
    "CreateCapacityProvider acknowledged",
    "CreateDaemon acknowledged",
    "CreateDaemon unknown",
    "CreateExpressGatewayService acknowledged",
    "CreateService acknowledged",
    "CreateService unknown",
    "CreateTaskSet acknowledged",
    "DeleteCapacityProvider acknowledged",
    "DeleteCapacityProvider refused",
    "DeleteCluster acknowledged",
    "DeleteCluster refused",
    "DeleteDaemon acknowledged",
    "DeleteExpressGatewayService acknowledged",
    "DeleteTaskDefinitions acknowledged",
    "DeleteTaskSet acknowledged",
    "DeregisterContainerInstance acknowledged",
    "RegisterContainerInstance acknowledged",
    "RunTask acknowledged",
    "RunTask unknown",
    "Spot",
    "StopTask acknowledged",
    "TagResource acknowledged",
    "TaskCrash",
    "TaskDeleted",
    "UpdateContainerInstancesState acknowledged",
    "UpdateContainerInstancesState unknown",
    "UpdateDaemon acknowledged",
    "UpdateExpressGatewayService acknowledged",
    "UpdateService acknowledged",
    "UpdateService unknown",
    "UpdateServicePrimaryTaskSet acknowledged",
    "UpdateTaskSet acknowledged",
    "a circuit breaker opens",
    "a daemon is rolled out",
    "a daemon task definition is DELETED",
    "a daemon's task goes from an instance that is drained",
    "a definition is DeleteInProgress",
    "a deployment is rolled back",
    "a deployment is stuck",
    "a hint is lost",
    "a node is drained",
    "a node is lost",
    "a record is ROLLBACK_SUCCESSFUL",
    "a record is STOPPED",
    "a record is SUCCESSFUL",
    "a service is DRAINING",
    "a service is INACTIVE",
    "a service is created again",
    "a service is steady",
    "a service is throttled",
    "a service stops pending tasks",
    "a service stops running tasks",
    "a task ends with EssentialContainerExited",
    "a task ends with InfrastructureHealth",
    "a task ends with ServiceSchedulerInitiated",
    "a task ends with SpotInterruption",
    "a task ends with TaskFailedToStart",
    "a task ends with UserInitiated",
    "a task finds a place after it has waited",
    "a task is removed",
    "a task of the replaced revision is replaced",
    "a task set is stable",
    "a task waits for capacity",
    "a token is removed",
    "observations are lost",
    "somebody was faster",
    "the answer is lost",
    "the orchestrator is away",
    "the orchestrator will never run this",
    "the process dies after a commit",
    "the process dies after an order",
    "the process dies before a commit",
    "the process dies before an order",
    "the process dies reading",
    "the store is away",
    "the tasks die with the process",
    "the tasks outlive the process",
    "three deployments at once",
];

#[test]
fn histories_get_everywhere() {
    let mut reached = BTreeMap::<String, u64>::new();
    for seed in 2001..=2060 {
        for (what, times) in run(seed, 500).reached {
            *reached.entry(what).or_default() += times;
        }
    }
    let missing: Vec<_> = HAPPENS.iter().filter(|what| !reached.contains_key(**what)).collect();
    assert!(missing.is_empty(), "never happened: {missing:?}; happened: {reached:?}");
}

#[test]
fn every_planted_bug_is_found() {
    for plant in Plant::ALL {
        let found = (1..=40).find_map(|seed| {
            let outcome = run_planted(Seed::new(seed, 500), plant);
            outcome.violations.into_iter().next().map(|violation| violation.promise)
        });
        let expected: &[&str] = match plant {
            Plant::LoseUpdate | Plant::ForgetToken => &["an acknowledged change stays"],
            Plant::IgnoreMinimum => &["never fewer than the minimum"],
            Plant::Overshoot => &["never more than the maximum"],
            Plant::IgnoreVersions => {
                &["tasks go their way", "services are sound", "an acknowledged change stays"]
            }
            Plant::NeverForget => &["nothing is left behind"],
            Plant::LoseObservations => &["everything comes to rest", "nothing is lost"],
            Plant::DaemonTwins => &["one daemon task on an instance"],
            Plant::IgnoreShares => &["tasks are shared out", "an acknowledged change stays"],
            Plant::LoseDrain => &["an acknowledged change stays"],
        };
        assert!(found.is_some_and(|found| expected.contains(&found)), "{plant:?} is found as {found:?}");
    }
}

#[test]
fn a_failed_history_is_made_smaller_and_still_fails() {
    let plant = Plant::LoseUpdate;
    let planted = |seed| run_planted(seed, plant);
    let (seed, outcome) = (1..=40)
        .map(|seed| Seed::new(seed, 500))
        .map(|seed| (seed, planted(seed)))
        .find(|(_, outcome)| !outcome.violations.is_empty())
        .expect("a history that finds the bug");
    let small = shrink(seed, &outcome, &planted);
    assert!(small.steps < seed.steps && small.faults != Faults::ALL, "{small:?}");
    assert_eq!(planted(small).violations[0].promise, outcome.violations[0].promise);
    let pasted = format!("{small:?}");
    assert!(pasted.starts_with("Seed { seed: ") && pasted.contains("faults: Faults::"), "{pasted}");
}

#[test]
fn without_faults_nothing_goes_wrong_and_nobody_is_told_that_it_did() {
    for seed in 1..=10 {
        let outcome = run_seed(Seed { faults: Faults::NONE, ..Seed::new(seed, 300) }, false);
        assert!(outcome.violations.is_empty(), "seed {seed}: {:?}", outcome.violations);
        let unknown = outcome.reached.keys().find(|what| what.ends_with("unknown"));
        assert_eq!(unknown, None, "seed {seed}");
    }
    assert!(Fault::ALL.iter().all(|fault| !Faults::NONE.contains(*fault)));
}
