//! The orchestrators' contract, kept by the simulation. The clock is virtual: no case takes time.

mod common;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use common::ManualClock;
use futures::FutureExt;
use kecs_adapters_sim::labels::PREFIX;
use kecs_adapters_sim::{SimOptions, SimulatedOrchestrator};
use kecs_domain::Timestamp;
use kecs_domain::arn::{ClusterKey, TaskKey};
use kecs_domain::model::{ContainerDefinition, HealthCheck};
use kecs_domain::name::TaskId;
use kecs_testkit::orchestrator::cases::Case;
use kecs_testkit::orchestrator::{Ability, Condition, Latest, OrchestratorHarness, Script, Watch};
use kecs_usecases::ports::{Clock, Launch, Logs, Orchestrator};
use parking_lot::Mutex;

kecs_testkit::orchestrator_contract!(run);

fn run(case: Case) {
    // Nothing in the simulation waits, and it needs no runtime.
    case(Arc::new(SimHarness::new()))
        .now_or_never()
        .expect("no case waits for anything but the virtual clock");
}

struct SimHarness {
    clock: Arc<ManualClock>,
    state: Mutex<State>,
}

struct State {
    sim: Arc<SimulatedOrchestrator>,
    watch: Watch,
    ids: u128,
}

impl SimHarness {
    fn new() -> Self {
        let clock = Arc::new(ManualClock::new());
        let sim = Self::sim(&clock);
        let watch = Watch::new(&*sim);
        Self { clock, state: Mutex::new(State { sim, watch, ids: 0 }) }
    }

    fn sim(clock: &Arc<ManualClock>) -> Arc<SimulatedOrchestrator> {
        // Delays, so that the order of events shows.
        let options = SimOptions {
            placement_delay: Duration::from_millis(100),
            pull_delay: Duration::from_millis(500),
            start_delay: Duration::from_millis(200),
            ..SimOptions::default()
        };
        let clock: Arc<dyn Clock> = Arc::clone(clock) as Arc<dyn Clock>;
        Arc::new(SimulatedOrchestrator::new(options, clock).expect("the options make sense"))
    }

    fn current(&self) -> Arc<SimulatedOrchestrator> {
        Arc::clone(&self.state.lock().sim)
    }

    /// Does what is due now, and what is seen then.
    fn look(&self) -> Latest {
        let mut state = self.state.lock();
        let sim = Arc::clone(&state.sim);
        state.watch.drain(&*sim);
        sim.tick(self.clock.now());
        state.watch.drain(&*sim);
        let latest = state.watch.latest().clone();
        assert_eq!(latest.violations(), [] as [String; 0], "{latest:#?}");
        latest
    }

    /// Sets the clock to the next deadline, if that is not after `end`.
    fn step(&self, end: Timestamp) -> bool {
        let next = self.current().next_deadline().filter(|next| *next <= end);
        if let Some(next) = next {
            self.clock.set(next);
        }
        next.is_some()
    }
}

#[async_trait]
impl OrchestratorHarness for SimHarness {
    fn orchestrator(&self) -> Arc<dyn Orchestrator> {
        self.current()
    }

    fn logs(&self) -> Arc<dyn Logs> {
        self.current()
    }

    fn cluster(&self) -> ClusterKey {
        common::cluster()
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    fn fresh_id(&self) -> TaskId {
        let mut state = self.state.lock();
        state.ids += 1;
        common::id(state.ids)
    }

    fn container(&self, name: &str, script: Script) -> ContainerDefinition {
        let labels: Vec<(&str, String)> = match script {
            Script::Run => vec![],
            Script::Says => vec![("log", "one\ntwo\nthree".into())],
            Script::IgnoreSigterm => vec![("ignore-sigterm", "true".into())],
            Script::Exit { after, code } => {
                vec![("run-for", format!("{}ms", after.as_millis())), ("exit-code", code.to_string())]
            }
            Script::PullFailure => vec![("pull-error", "no such image".into())],
            Script::OutOfMemory => vec![("oom-after", "1s".into())],
            Script::Healthy => vec![("health", "healthy".into())],
            Script::Unhealthy => vec![("health", "unhealthy".into())],
            Script::TurnsUnhealthy => vec![("health", "unhealthy-after=12s".into())],
            Script::TurnsHealthy => vec![("health", "healthy-after=22s".into())],
            Script::Test(condition) => unreachable!("{condition}: the harness said that it runs no programs"),
        };
        let checked = labels.iter().any(|(name, _)| *name == "health");
        let command = vec!["CMD-SHELL".into(), "true".into()];
        let check = HealthCheck { command, interval: Some(5), retries: Some(2), ..HealthCheck::default() };
        ContainerDefinition {
            name: Some(name.to_owned()),
            image: Some("example/app:1".to_owned()),
            docker_labels: Some(
                labels.into_iter().map(|(name, value)| (format!("{PREFIX}{name}"), value)).collect(),
            ),
            health_check: checked.then_some(check),
            ..ContainerDefinition::default()
        }
    }

    fn can(&self, ability: Ability) -> bool {
        match ability {
            Ability::LoseNode | Ability::DrainNode => true,
            // There is nothing inside of a simulated container.
            Ability::Programs => false,
        }
    }

    async fn until(&self, what: &str, within: Duration, holds: &Condition<'_>) -> Latest {
        let end = self.now().saturating_add(within);
        loop {
            let latest = self.look();
            if holds(&latest) {
                return latest;
            }
            assert!(self.step(end), "until {what}: {latest:#?}");
        }
    }

    async fn wait(&self, time: Duration) -> Latest {
        let end = self.now().saturating_add(time);
        loop {
            let latest = self.look();
            if !self.step(end) {
                self.clock.set(end);
                return latest;
            }
        }
    }

    async fn restart(&self, tasks: Vec<Launch>) {
        let sim = Self::sim(&self.clock);
        sim.restore(tasks).await.expect("restoring works");
        let mut state = self.state.lock();
        state.watch = Watch::new(&*sim);
        state.sim = sim;
    }

    async fn delete_task(&self, key: &TaskKey) {
        self.current().delete_task(key).expect("the task is there");
    }

    async fn put_secret(&self, name: &str, _members: &[(&str, &str)]) {
        unreachable!("{name}: the harness said that it runs no programs");
    }

    async fn put_file(&self, place: &str, _variables: &[(&str, &str)]) {
        unreachable!("{place}: the harness said that it runs no programs");
    }

    async fn lose_node(&self, host: &str) {
        self.current().lose_node(host).expect("the node is there");
    }

    async fn drain_node(&self, host: &str) {
        self.current().drain(host).expect("the node is there");
    }
}
