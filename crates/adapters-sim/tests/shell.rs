//! Commands inside of simulated containers: the duties of the port `Shell`.

mod common;

use std::sync::Arc;
use std::time::Duration;

use common::{BEGIN, ManualClock, cluster, id};
use futures::{SinkExt as _, StreamExt as _};
use kecs_adapters_sim::{SimOptions, SimulatedOrchestrator};
use kecs_domain::model::ContainerDefinition;
use kecs_testkit::orchestrator::Recipe;
use kecs_usecases::ports::{
    Clock as _, Exec, Input, Launch, Orchestrator as _, Output, PortErrorKind, Process, Shell as _,
    StopOrder, TerminalSize,
};

/// A simulation with one task that runs.
async fn running() -> (Arc<ManualClock>, SimulatedOrchestrator, Launch) {
    let clock = Arc::new(ManualClock::new());
    let sim = SimulatedOrchestrator::new(SimOptions::default(), clock.clone()).expect("good options");
    let container = ContainerDefinition {
        name: Some("web".to_owned()),
        image: Some("nginx".to_owned()),
        ..ContainerDefinition::default()
    };
    let launch = Recipe::fargate("web", [container]).launch(&cluster(), id(1), BEGIN);
    sim.launch(launch.clone()).await.expect("it is accepted");
    forward(&clock, &sim, 60);
    (clock, sim, launch)
}

fn forward(clock: &ManualClock, sim: &SimulatedOrchestrator, seconds: u64) {
    clock.set(clock.now().saturating_add(Duration::from_secs(seconds)));
    sim.tick(clock.now());
}

fn exec(launch: &Launch, command: &[&str]) -> Exec {
    Exec {
        task: Arc::clone(&launch.task),
        definition: Arc::clone(&launch.definition),
        container: "web".to_owned(),
        command: command.iter().map(|word| (*word).to_owned()).collect(),
    }
}

/// Everything that still comes out: the text, and how it ended.
async fn rest(process: &mut Process) -> (String, Option<Output>) {
    let mut text = Vec::new();
    while let Some(output) = process.output.next().await {
        match output {
            Output::Data(bytes) => text.extend(bytes),
            last => return (String::from_utf8(text).expect("text"), Some(last)),
        }
    }
    (String::from_utf8(text).expect("text"), None)
}

#[tokio::test]
async fn a_command_tells_everything_and_then_how_it_ended() {
    let (_, sim, launch) = running().await;
    let mut process = sim.start(exec(&launch, &["seq", "20000"])).await.expect("it starts");
    let (text, end) = rest(&mut process).await;
    assert_eq!(text.lines().count(), 20_000);
    assert_eq!(end, Some(Output::Exited(0)));
    assert_eq!(process.output.next().await, None);
}

#[tokio::test]
async fn what_is_typed_goes_in() {
    let (_, sim, launch) = running().await;
    let mut process = sim.start(exec(&launch, &["sh"])).await.expect("it starts");
    let size = TerminalSize { columns: 99, rows: 11 };
    for input in [Input::Resize(size), Input::Data(b"stty size; exit 7\r".to_vec())] {
        process.input.send(input).await.expect("it is taken");
    }
    let (text, end) = rest(&mut process).await;
    assert_eq!(text, "# stty size; exit 7\r\n11 99\r\n");
    assert_eq!(end, Some(Output::Exited(7)));
}

#[tokio::test]
async fn it_ends_with_its_container() {
    let (clock, sim, launch) = running().await;
    let mut process = sim.start(exec(&launch, &["cat"])).await.expect("it starts");
    let order = StopOrder { task: launch.task.key.clone(), definition: None };
    let (_, end) = futures::future::join(
        async {
            sim.stop(order).await.expect("it stops");
            forward(&clock, &sim, 300);
        },
        rest(&mut process),
    )
    .await;
    assert_eq!(end.1, Some(Output::Exited(137)));
    assert_eq!(sim.is_connected(&launch.task, "web").await, Ok(false));
}

#[tokio::test]
async fn what_is_not_there_can_not_be_started() {
    let (_, sim, launch) = running().await;
    let kind = async |exec: Exec| sim.start(exec).await.expect_err("it can't start").kind;
    assert_eq!(kind(exec(&launch, &["/bin/zsh"])).await, PortErrorKind::Permanent);
    let elsewhere = Exec { container: "other".to_owned(), ..exec(&launch, &["sh"]) };
    assert_eq!(kind(elsewhere).await, PortErrorKind::NotFound);
    let other = Recipe::fargate("web", []).launch(&cluster(), id(2), BEGIN);
    assert_eq!(kind(exec(&other, &["sh"])).await, PortErrorKind::NotFound);
    assert_eq!(sim.is_connected(&launch.task, "web").await, Ok(true));
    assert_eq!(sim.is_connected(&other.task, "web").await, Ok(false));
}

#[tokio::test]
async fn nothing_is_written_faster_than_it_is_read_and_an_end_of_reading_is_an_end() {
    let (_, sim, launch) = running().await;
    // Some exabytes: only what is asked for is ever made.
    let mut process = sim.start(exec(&launch, &["seq", "1000000000000000000"])).await.expect("it starts");
    assert!(matches!(process.output.next().await, Some(Output::Data(_))));
    process.input.send(Input::Data(vec![3])).await.expect("it is taken");
    let (_, end) = rest(&mut process).await;
    assert_eq!(end, Some(Output::Exited(130)), "control-C ends it");
    let process = sim.start(exec(&launch, &["cat"])).await.expect("it starts");
    let mut input = process.input.clone();
    drop(process.output);
    assert!(input.send(Input::Data(b"x".to_vec())).await.is_err());
}
