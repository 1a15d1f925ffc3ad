//! What containers write.

use std::time::Duration;

use futures::StreamExt as _;
use kecs_usecases::ports::{Launch, LogLine, LogQuery, PortError, PortErrorKind};

use super::{SOON, Scene};
use crate::orchestrator::{Recipe, Script};

const MOMENT: Duration = Duration::from_millis(500);

fn query(launch: &Launch, container: &str) -> LogQuery {
    let task = launch.task.clone();
    LogQuery { task, container: container.to_owned(), follow: false, tail: None, since: None }
}

impl Scene {
    async fn lines(&self, query: LogQuery) -> Result<Vec<LogLine>, PortError> {
        let mut lines = self.harness.logs().lines(query).await?;
        let mut all = Vec::new();
        while let Some(line) = lines.next().await {
            all.push(line?);
        }
        Ok(all)
    }

    /// A task that writes, whose three lines are there.
    async fn says(&self) -> (Launch, Vec<LogLine>) {
        let launch = self.run(&Recipe::fargate("web", [self.container("web", Script::Says)])).await;
        for _ in 0..SOON.as_millis() / MOMENT.as_millis() {
            let lines = self.lines(query(&launch, "web")).await.expect("a container that runs has logs");
            if lines.len() >= 3 {
                return (launch, lines);
            }
            self.harness.wait(MOMENT).await;
        }
        panic!("the container doesn't write");
    }
}

fn texts(lines: &[LogLine]) -> Vec<&str> {
    lines.iter().map(|line| line.text.as_str()).collect()
}

pub(super) async fn lines_come_in_their_order_with_their_times(scene: Scene) {
    let before = scene.harness.now();
    let (launch, lines) = scene.says().await;
    assert_eq!(texts(&lines), ["one", "two", "three"]);
    assert!(lines.is_sorted_by_key(|line| line.at), "{lines:?}");
    assert!(before <= lines[0].at && lines[2].at <= scene.harness.now(), "{lines:?}");
    scene.end(&launch).await;
}

pub(super) async fn of_many_lines_the_last_ones_can_be_asked_for(scene: Scene) {
    let (launch, _) = scene.says().await;
    let tail = |lines| LogQuery { tail: Some(lines), ..query(&launch, "web") };
    assert_eq!(texts(&scene.lines(tail(2)).await.unwrap()), ["two", "three"]);
    assert_eq!(texts(&scene.lines(tail(9)).await.unwrap()), ["one", "two", "three"]);
    assert_eq!(texts(&scene.lines(tail(0)).await.unwrap()), [""; 0]);
    scene.end(&launch).await;
}

pub(super) async fn lines_before_a_time_are_left_out(scene: Scene) {
    let (launch, lines) = scene.says().await;
    let since = |at| LogQuery { since: Some(at), ..query(&launch, "web") };
    let all = scene.lines(since(lines[0].at)).await.unwrap();
    assert_eq!(texts(&all), ["one", "two", "three"]);
    let after = lines[2].at.saturating_add(Duration::from_secs(1));
    assert_eq!(texts(&scene.lines(since(after)).await.unwrap()), [""; 0]);
    scene.end(&launch).await;
}

pub(super) async fn following_ends_with_the_container(scene: Scene) {
    let (launch, _) = scene.says().await;
    let follow = LogQuery { follow: true, ..query(&launch, "web") };
    let mut lines = scene.harness.logs().lines(follow).await.expect("a container that runs can be followed");
    for text in ["one", "two", "three"] {
        assert_eq!(lines.next().await.unwrap().unwrap().text, text);
    }
    scene.end(&launch).await;
    assert!(lines.next().await.is_none(), "no line comes after the end");
}

pub(super) async fn the_logs_of_an_ended_task_are_there_until_it_is_forgotten(scene: Scene) {
    let (launch, _) = scene.says().await;
    scene.stop(&launch).await;
    scene.until_stopped(&launch.task.key, "web").await;
    let lines = scene.lines(query(&launch, "web")).await.expect("an ended task has logs");
    assert_eq!(texts(&lines), ["one", "two", "three"]);
    let follow = LogQuery { follow: true, ..query(&launch, "web") };
    assert_eq!(scene.lines(follow).await.unwrap().len(), 3, "and following them ends");
    scene.harness.orchestrator().forget(&launch.task.key).await.expect("it is let go of");
}

pub(super) async fn a_container_that_is_not_there_or_has_not_started_has_no_logs(scene: Scene) {
    let none = |error: PortError| error.kind == PortErrorKind::NotFound;
    let launch = scene.launch(&Recipe::fargate("web", [scene.container("web", Script::PullFailure)])).await;
    assert!(none(scene.lines(query(&launch, "web")).await.unwrap_err()), "it has not started");
    scene.until_failed_to_start(&launch).await;
    scene.harness.orchestrator().forget(&launch.task.key).await.expect("it is let go of");
    let (launch, _) = scene.says().await;
    assert!(none(scene.lines(query(&launch, "other")).await.unwrap_err()), "there is no such container");
    scene.end(&launch).await;
}
