//! Plays a history and checks, at every step, what must always be true.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use kecs_adapters_sim::{Engine, FaultError};
use kecs_domain::Timestamp;
use kecs_domain::arn::TaskKey;
use kecs_domain::model::TaskStopCode;
use kecs_domain::task::{Interruption, TaskObservation};
use kecs_testkit::orchestrator::invariants;
use kecs_usecases::ports::Launch;

use crate::common::{BEGIN, cluster, id, text};
use crate::scenario::{Act, SPAN, Scenario, TASKS};

/// What came of a history.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// Every observation, as text.
    pub(crate) timeline: String,
    /// The last observation of each task.
    pub(crate) last: BTreeMap<TaskKey, TaskObservation>,
    /// The tasks as the use cases would have stored them.
    pub(crate) stored: BTreeMap<TaskKey, Launch>,
}

/// Who looks at the simulation when.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Pace {
    /// At every deadline.
    InTime,
    /// Only when something is done to it, and now and then.
    Late,
}

pub(crate) struct Play<'a> {
    scenario: &'a Scenario,
    engine: Engine,
    outcome: Outcome,
}

fn time(millis: u64) -> Timestamp {
    BEGIN.saturating_add(Duration::from_millis(millis))
}

fn key(number: u128) -> TaskKey {
    TaskKey { cluster: cluster(), id: id(number) }
}

impl<'a> Play<'a> {
    /// Launches the tasks.
    pub(crate) fn new(scenario: &'a Scenario) -> Self {
        let engine = Engine::new(scenario.options.clone()).expect("the options make sense");
        let mut play = Self { scenario, engine, outcome: Outcome::default() };
        for number in 1..=TASKS {
            let launch = scenario.recipe.launch(&cluster(), id(number), BEGIN);
            play.engine.launch(BEGIN, &launch).expect("the definition can be simulated");
            play.outcome.stored.insert(launch.task.key.clone(), launch);
        }
        play
    }

    /// Plays what happens in a span of milliseconds.
    pub(crate) fn acts(&mut self, pace: Pace, span: Range<u64>) -> &mut Self {
        let mut looks: Vec<_> =
            self.scenario.looks.iter().copied().filter(|look| span.contains(look)).collect();
        looks.sort_unstable();
        let mut looks = looks.into_iter().peekable();
        for (at, act) in self.scenario.acts.iter().filter(|(at, _)| span.contains(at)) {
            while let Some(look) = looks.next_if(|look| look < at) {
                self.go_to(pace, look);
            }
            self.go_to(pace, *at);
            self.act(time(*at), act);
        }
        for look in looks.chain([span.end]) {
            self.go_to(pace, look);
        }
        self
    }

    /// Stops every task and plays to the end, when nothing happens any more.
    pub(crate) fn end(&mut self) -> &mut Self {
        for number in 1..=TASKS {
            self.stop(time(SPAN), number);
        }
        let mut steps = 0;
        while let Some(next) = self.engine.next_deadline() {
            self.look(next.max(time(SPAN)));
            steps += 1;
            assert!(steps < 10_000, "there is no end");
        }
        self
    }

    /// Forgets every task: nothing of them must be left.
    pub(crate) fn forget(mut self) -> Outcome {
        for (key, seen) in &self.outcome.last {
            assert!(seen.released, "{seen:#?}\n{}", self.outcome.timeline);
            self.engine.forget(key);
        }
        let load = self.engine.load();
        assert_eq!((load.tasks, load.addresses, load.timers, load.scripts), (0, 0, 0, 0));
        assert_eq!(self.engine.next_deadline(), None);
        for instance in self.engine.instances("r") {
            assert_eq!(instance.remaining, instance.registered);
        }
        self.outcome
    }

    /// What came of it so far.
    pub(crate) fn outcome(&self) -> &Outcome {
        &self.outcome
    }

    /// The process dies at `millis`, and another one takes up what is stored.
    pub(crate) fn restart(&mut self, millis: u64) {
        let tasks: Vec<_> = self.outcome.stored.values().cloned().collect();
        self.engine = Engine::new(self.scenario.options.clone()).expect("the options make sense");
        self.engine.restore(time(millis), &tasks);
        self.outcome.last.clear();
        for seen in self.engine.snapshot() {
            self.take(time(millis), seen);
        }
    }

    fn go_to(&mut self, pace: Pace, millis: u64) {
        let now = time(millis);
        while pace == Pace::InTime
            && let Some(next) = self.engine.next_deadline().filter(|next| *next < now)
        {
            self.look(next);
        }
        self.look(now);
    }

    fn look(&mut self, now: Timestamp) {
        for seen in self.engine.advance(now) {
            self.take(now, seen);
        }
        let next = self.engine.next_deadline();
        assert!(next.is_none_or(|next| next > now), "nothing that is due is left");
        self.check_shared();
    }

    fn take(&mut self, now: Timestamp, seen: TaskObservation) {
        self.outcome.timeline += &text(now, &seen);
        let before = self.outcome.last.insert(seen.key.clone(), seen.clone());
        let check =
            before.map_or_else(|| invariants::check(&seen), |before| invariants::check_next(&before, &seen));
        check.unwrap_or_else(|wrong| panic!("{wrong}\n{}", self.outcome.timeline));
        let launch = self.outcome.stored.get_mut(&seen.key).expect("a task that was launched");
        if let Some(task) = launch.task.observe(&seen, &launch.definition.doc, now) {
            launch.task = Arc::new(task);
        }
    }

    /// No two tasks that live have an address or a port of an instance in common.
    fn check_shared(&self) {
        let mut taken = BTreeSet::new();
        for seen in self.engine.snapshot().iter().filter(|seen| !seen.released) {
            if let Some(network) = &seen.network {
                assert!(taken.insert(network.private_ipv4.clone()), "{}", self.outcome.timeline);
            }
            let bindings: BTreeSet<_> =
                seen.containers.iter().flat_map(|it| &it.bindings).map(|it| it.host_port).collect();
            for port in bindings {
                assert!(taken.insert(format!("{:?} {port:?}", seen.instance)), "{}", self.outcome.timeline);
            }
        }
    }

    fn stop(&mut self, now: Timestamp, number: u128) {
        let stored = self.outcome.stored.get_mut(&key(number)).expect("a task that was launched");
        let why = Interruption::new(TaskStopCode::UserInitiated, "Task stopped by user");
        let stopping = stored.task.interrupt(why).unwrap_or_else(|| (*stored.task).clone());
        stored.task = Arc::new(stopping.begin_stopping(now).unwrap_or(stopping));
        self.engine.stop(now, &key(number));
    }

    fn act(&mut self, now: Timestamp, act: &Act) {
        let node = |index: &usize| format!("node-{}", index + 1);
        let done = match act {
            Act::Launch(number) => {
                let launch = self.scenario.recipe.launch(&cluster(), id(*number), now);
                self.engine.launch(now, &launch).expect("the definition can be simulated");
                Ok(())
            }
            Act::Stop(number) => {
                self.stop(now, *number);
                Ok(())
            }
            Act::Crash(number, container, code) => {
                self.engine.crash_container(now, &key(*number), &format!("c{container}"), *code)
            }
            Act::Delete(number) => self.engine.delete_task(now, &key(*number)),
            Act::InterruptSpot(number) => self.engine.interrupt_spot(now, &key(*number)),
            Act::LoseNode(index) => self.engine.lose_node(now, &node(index)),
            Act::Drain(index) => self.engine.drain(now, &node(index)),
            Act::Activate(index) => self.engine.activate(now, &node(index)),
        };
        match done {
            Ok(()) | Err(FaultError::NotRunning(_) | FaultError::UnknownContainer(_)) => {}
            Err(error) => panic!("{error}"),
        }
    }
}
