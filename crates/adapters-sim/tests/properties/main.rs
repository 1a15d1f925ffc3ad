//! What is true of every simulation, whatever the labels say and whatever happens.
//!
//! A failing case is printed as it is, shrunk, and kept by proptest in a file beside this one, from which it is
//! tried first the next time.

#[path = "../common/mod.rs"]
mod common;
mod play;
mod scenario;

use std::collections::BTreeSet;
use std::time::Duration;

use common::BEGIN;
use kecs_adapters_sim::labels::PREFIX;
use kecs_domain::model::ContainerDefinition;
use kecs_domain::task::{ContainerState, TaskStatus};
use play::{Outcome, Pace, Play};
use proptest::prelude::*;
use scenario::{Act, SPAN, Scenario, scenario};

fn whole(scenario: &Scenario, pace: Pace) -> Outcome {
    let mut play = Play::new(scenario);
    play.acts(pace, 0..SPAN).end();
    play.forget()
}

fn label<'a>(container: &'a ContainerDefinition, name: &str) -> Option<&'a str> {
    container.docker_labels.as_ref()?.get(&format!("{PREFIX}{name}")).map(String::as_str)
}

fn millis(container: &ContainerDefinition, name: &str) -> Option<u64> {
    label(container, name).map(|text| text.strip_suffix("ms").expect("in ms").parse().expect("a number"))
}

/// Every exit code that a container of this definition can have.
fn possible_codes(container: &ContainerDefinition, acts: &[(u64, Act)]) -> BTreeSet<i32> {
    let code = |name: &str| label(container, name).map(|text| text.parse::<i32>().expect("a number"));
    let mut codes = BTreeSet::new();
    if label(container, "share").is_some_and(|share| share != "100") {
        codes.insert(0);
    }
    if label(container, "run-for").is_some() || code("exit-code").is_some() {
        codes.insert(code("exit-code").unwrap_or(0));
    }
    let timeout =
        container.stop_timeout.map_or(30_000, |seconds| u64::try_from(seconds).expect("positive") * 1000);
    let deaf = label(container, "ignore-sigterm") == Some("true");
    if deaf
        || millis(container, "stop-delay").is_some_and(|delay| delay >= timeout)
        || label(container, "oom-after").is_some()
    {
        codes.insert(137);
    }
    if !deaf {
        codes.insert(code("exit-on-sigterm").unwrap_or(0));
    }
    codes.extend(acts.iter().filter_map(|(_, act)| match act {
        Act::Crash(_, _, code) => Some(*code),
        _ => None,
    }));
    codes
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, ..ProptestConfig::default() })]

    #[test]
    fn every_history_is_legal_and_ends_with_everything_given_back(scenario in scenario(4)) {
        // The checks are made at every step of the play.
        let outcome = whole(&scenario, Pace::InTime);
        for seen in outcome.last.values() {
            prop_assert!(seen.containers.iter().all(|it| it.state == ContainerState::Stopped), "{seen:#?}");
        }
    }

    #[test]
    fn the_same_history_has_the_same_timeline(scenario in scenario(4)) {
        prop_assert_eq!(whole(&scenario, Pace::InTime).timeline, whole(&scenario, Pace::InTime).timeline);
    }

    #[test]
    fn who_looks_too_late_sees_the_same_facts(scenario in scenario(4)) {
        prop_assert_eq!(whole(&scenario, Pace::InTime).last, whole(&scenario, Pace::Late).last);
    }

    #[test]
    fn exit_codes_are_those_that_the_script_allows(scenario in scenario(3)) {
        let outcome = whole(&scenario, Pace::InTime);
        let lost = scenario.acts.iter().any(|(_, act)| matches!(act, Act::LoseNode(_)));
        for seen in outcome.last.values() {
            for (container, definition) in seen.containers.iter().zip(&scenario.recipe.containers) {
                let started = container.started_at.is_some();
                prop_assert!(started == container.exit_code.is_some() || lost, "{}", outcome.timeline);
                let codes = possible_codes(definition, &scenario.acts);
                prop_assert!(container.exit_code.is_none_or(|code| codes.contains(&code)), "{codes:?}\n{}", outcome.timeline);
            }
        }
    }

    #[test]
    fn a_container_that_is_left_alone_runs_exactly_as_long_as_it_should(mut scenario in scenario(3)) {
        scenario.acts.clear();
        let outcome = whole(&scenario, Pace::Late);
        let stopped = BEGIN.saturating_add(Duration::from_millis(SPAN));
        for seen in outcome.last.values().filter(|seen| seen.failure.is_none()) {
            for (container, definition) in seen.containers.iter().zip(&scenario.recipe.containers) {
                let (Some(started), Some(finished)) = (container.started_at, container.finished_at) else { continue };
                let by_script = definition.restart_policy.is_none() && label(definition, "share").is_none();
                if by_script && finished < stopped {
                    let own = millis(definition, "run-for").or(label(definition, "exit-code").map(|_| 0));
                    let ran = own.into_iter().chain(millis(definition, "oom-after")).min();
                    prop_assert_eq!(Some(finished.duration_since(started)), ran.map(Duration::from_millis));
                }
            }
        }
    }

    #[test]
    fn a_restart_of_the_process_regresses_nothing_and_everything_ends(scenario in scenario(4), at in 0..SPAN) {
        let mut play = Play::new(&scenario);
        play.acts(Pace::InTime, 0..at);
        let before = play.outcome().last.clone();
        let stored = play.outcome().stored.clone();
        play.restart(at);
        for (key, seen) in &play.outcome().last {
            let (before, stored) = (&before[key], &stored[key].task);
            prop_assert_ne!(stored.status, TaskStatus::Stopped);
            if !before.placed {
                continue;
            }
            prop_assert_eq!(&seen.instance, &before.instance);
            prop_assert_eq!(&seen.network, &before.network);
            for (now, before) in seen.containers.iter().zip(&before.containers) {
                // What is told of a stop is told anew; everything else stays or goes on.
                prop_assert!(now.state >= before.state || before.exit_code.is_none(), "{seen:#?}\n{before:#?}");
                prop_assert!(before.exit_code.is_none() || now.exit_code == before.exit_code);
                let told = before.runtime_id.is_none() || now.runtime_id == before.runtime_id;
                prop_assert!(told, "{seen:#?}\n{before:#?}");
            }
        }
        play.end();
        play.forget();
    }

    #[test]
    fn a_container_that_ran_ends_as_if_the_process_had_not_died(
        mut scenario in scenario(1),
        stop in 0..SPAN,
        at in 0..SPAN,
    ) {
        scenario.acts = vec![(stop, Act::Stop(1))];
        scenario.recipe.containers[0].restart_policy = None;
        let undisturbed = whole(&scenario, Pace::InTime).last;
        let mut play = Play::new(&scenario);
        play.acts(Pace::InTime, 0..at);
        let stored = play.outcome().stored.clone();
        play.restart(at);
        let ran: Vec<_> = stored.values().filter(|it| it.task.status == TaskStatus::Running).collect();
        play.acts(Pace::InTime, at..SPAN).end();
        for launch in ran {
            let (seen, expected) = (&play.outcome().last[&launch.task.key], &undisturbed[&launch.task.key]);
            prop_assert_eq!(seen, expected);
        }
    }
}
