//! The simulation behind its port, driven by a clock that goes by itself (tokio's, which jumps to the next timer).

mod common;

use std::sync::Arc;
use std::time::Duration;

use common::{BEGIN, cluster, id};
use futures::StreamExt;
use futures::stream::BoxStream;
use kecs_adapters_sim::{FaultError, SimOptions, SimulatedOrchestrator};
use kecs_domain::Timestamp;
use kecs_domain::error::ErrorCode;
use kecs_domain::model::ContainerDefinition;
use kecs_domain::task::{ContainerState, TaskFailure, TaskObservation};
use kecs_testkit::orchestrator::Recipe;
use kecs_usecases::ports::{Clock, Launch, Observation, Orchestrator, PortErrorKind, StopOrder};
use tokio::time::Instant;

struct TokioClock(Instant);

impl Clock for TokioClock {
    fn now(&self) -> Timestamp {
        BEGIN.saturating_add(self.0.elapsed())
    }
}

/// A simulation whose driver runs.
fn simulation(options: SimOptions) -> Arc<SimulatedOrchestrator> {
    let clock = Arc::new(TokioClock(Instant::now()));
    let sim = Arc::new(SimulatedOrchestrator::new(options, clock).expect("the options make sense"));
    let driven = Arc::clone(&sim);
    tokio::spawn(async move { driven.run().await });
    sim
}

fn launch(number: u128, labels: &[(&str, &str)]) -> Launch {
    let labels = labels.iter().map(|(name, value)| (format!("kecs.dev/sim.{name}"), (*value).to_owned()));
    let container = ContainerDefinition {
        name: Some("web".to_owned()),
        image: Some("nginx".to_owned()),
        docker_labels: Some(labels.collect()),
        ..ContainerDefinition::default()
    };
    Recipe::fargate("web", [container]).launch(&cluster(), id(number), BEGIN)
}

fn stop(launch: &Launch) -> StopOrder {
    StopOrder { task: launch.task.key.clone(), definition: None }
}

async fn changed(stream: &mut BoxStream<'static, Observation>) -> Vec<TaskObservation> {
    match stream.next().await {
        Some(Observation::Changed(changed)) => changed,
        other => panic!("not a change: {other:?}"),
    }
}

async fn subscribe(sim: &SimulatedOrchestrator) -> BoxStream<'static, Observation> {
    let mut stream = sim.observe();
    assert!(matches!(stream.next().await, Some(Observation::Snapshot(_))));
    stream
}

#[tokio::test(start_paused = true)]
async fn the_driver_does_what_is_due_when_it_is_due() {
    let sim = simulation(SimOptions { pull_delay: Duration::from_secs(2), ..SimOptions::default() });
    let mut stream = subscribe(&sim).await;
    let begin = Instant::now();
    let launch = launch(1, &[("run-for", "3s"), ("exit-code", "4")]);
    sim.launch(launch.clone()).await.unwrap();
    let pulling = changed(&mut stream).await;
    assert!(pulling[0].placed && pulling[0].pull_stopped_at.is_none());
    let running = changed(&mut stream).await;
    assert_eq!((running[0].containers[0].state, begin.elapsed().as_secs()), (ContainerState::Running, 2));
    let ended = changed(&mut stream).await;
    assert_eq!((ended[0].containers[0].exit_code, begin.elapsed().as_secs()), (Some(4), 5));
    assert!(changed(&mut stream).await[0].released);
}

#[tokio::test(start_paused = true)]
async fn a_driver_that_sleeps_is_woken_by_new_work() {
    let sim = simulation(SimOptions::default());
    let mut stream = subscribe(&sim).await;
    let long = launch(1, &[("run-for", "1h")]);
    sim.launch(long.clone()).await.unwrap();
    assert_eq!(changed(&mut stream).await[0].containers[0].state, ContainerState::Running);
    // The driver sleeps for an hour now.
    let begin = Instant::now();
    sim.stop(stop(&long)).await.unwrap();
    assert_eq!(changed(&mut stream).await[0].containers[0].exit_code, Some(0));
    assert!(begin.elapsed() < Duration::from_secs(1));
}

#[tokio::test(start_paused = true)]
async fn launches_at_one_instant_come_as_one_change_with_one_observation_each() {
    let sim = simulation(SimOptions::default());
    let mut stream = subscribe(&sim).await;
    for number in 1..=1000 {
        sim.launch(launch(number, &[])).await.unwrap();
    }
    let all = changed(&mut stream).await;
    assert_eq!(all.len(), 1000);
    assert!(all.iter().all(|seen| seen.containers[0].state == ContainerState::Running));
}

#[tokio::test(start_paused = true)]
async fn an_observer_that_is_slow_sees_the_latest_state_and_no_backlog() {
    let sim = simulation(SimOptions::default());
    let mut stream = subscribe(&sim).await;
    let launch = launch(1, &[("start-delay", "1s"), ("run-for", "1s")]);
    sim.launch(launch).await.unwrap();
    tokio::time::sleep(Duration::from_secs(10)).await;
    let late = changed(&mut stream).await;
    assert!(late.len() == 1 && late[0].released, "{late:#?}");
}

#[tokio::test(start_paused = true)]
async fn the_stream_ends_when_the_orchestrator_is_given_up() {
    let clock = Arc::new(TokioClock(Instant::now()));
    let sim = SimulatedOrchestrator::new(SimOptions::default(), clock).unwrap();
    let mut stream = subscribe(&sim).await;
    let end = tokio::spawn(async move { stream.next().await });
    tokio::task::yield_now().await;
    drop(sim);
    assert_eq!(end.await.unwrap(), None);
}

#[tokio::test(start_paused = true)]
async fn a_wrong_label_is_refused_at_registration_and_for_good_at_the_launch() {
    let sim = simulation(SimOptions::default());
    let wrong = launch(1, &[("exit-code", "none")]);
    let refused = sim.check(&wrong.definition.doc).unwrap_err();
    assert_eq!(refused.code, ErrorCode::Client);
    assert_eq!(
        refused.message,
        "Container 'web': the label kecs.dev/sim.exit-code with the value 'none' is not accepted. \
         Accepted is an integer from 0 to 255."
    );
    let failed = sim.launch(wrong.clone()).await.unwrap_err();
    assert_eq!((failed.kind, failed.message.as_ref()), (PortErrorKind::Permanent, refused.message.as_str()));
    // After a restart such a task is there all the same, and is taken up without its script.
    sim.restore(vec![wrong]).await.unwrap();
    let Some(Observation::Snapshot(all)) = sim.observe().next().await else { panic!("no snapshot") };
    assert_eq!(all.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn faults_are_brought_about_and_wrong_ones_are_refused_by_name() {
    let sim = simulation(SimOptions::default());
    let mut stream = subscribe(&sim).await;
    let launch = launch(1, &[]);
    let key = launch.task.key.clone();
    assert_eq!(sim.interrupt_spot(&key), Err(FaultError::UnknownTask(key.arn())));
    assert_eq!(sim.drain("nope"), Err(FaultError::UnknownNode("nope".into())));
    let node = SimOptions::default().nodes[0].clone();
    assert_eq!(sim.add_node(node.clone()), Err(FaultError::NodeExists("node-1".into())));
    sim.lose_node("node-1").unwrap();
    assert_eq!(sim.add_node(node), Ok(()), "a lost node can come back");
    sim.launch(launch).await.unwrap();
    changed(&mut stream).await;
    assert_eq!(sim.crash_container(&key, "db", 1), Err(FaultError::UnknownContainer("db".into())));
    sim.interrupt_spot(&key).unwrap();
    assert_eq!(changed(&mut stream).await[0].failure, Some(TaskFailure::SpotInterruption));
    assert_eq!(sim.crash_container(&key, "web", 1), Err(FaultError::NotRunning("web".into())));
}

#[tokio::test(start_paused = true)]
async fn a_task_takes_its_room_when_it_is_launched_and_not_later() {
    let clock = Arc::new(TokioClock(Instant::now()));
    // Nobody drives this one.
    let sim = SimulatedOrchestrator::new(SimOptions::default(), clock).unwrap();
    let instance = sim.instances(&cluster()).await.unwrap().swap_remove(0);
    let container = ContainerDefinition { name: Some("web".to_owned()), ..ContainerDefinition::default() };
    let launch = Recipe::bridge("web", [container]).on(instance.id).launch(&cluster(), id(1), BEGIN);
    sim.launch(launch).await.unwrap();
    let left = sim.instances(&cluster()).await.unwrap().swap_remove(0).remaining.cpu;
    assert_eq!(left, instance.remaining.cpu - 256);
}
