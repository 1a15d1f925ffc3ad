//! What the benchmarks have in kecs before they measure.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Value, json};

use crate::client::Client;

/// The family that all tasks are of.
pub(super) const FAMILY: &str = "bench";

/// Registers a task definition such as people have: 1.5 kB of settings, one container.
pub(super) fn register(client: &mut Client) -> Result<()> {
    let environment: Vec<Value> = (0..12)
        .map(|n| json!({"name": format!("SETTING_{n}"), "value": format!("the value of setting {n}")}))
        .collect();
    client.call(
        "RegisterTaskDefinition",
        &json!({
            "family": FAMILY, "networkMode": "awsvpc", "requiresCompatibilities": ["FARGATE"],
            "cpu": "256", "memory": "512",
            "executionRoleArn": "arn:aws:iam::000000000000:role/ecs-task-execution",
            "containerDefinitions": [{
                "name": "app", "image": "registry.example/bench/app:1.0", "essential": true,
                "portMappings": [{"containerPort": 8080, "protocol": "tcp"}],
                "environment": environment,
                "logConfiguration": {"logDriver": "awslogs", "options": {
                    "awslogs-group": "/ecs/bench", "awslogs-region": "us-east-1", "awslogs-stream-prefix": "app"}},
            }],
        }),
    )?;
    Ok(())
}

/// Makes a cluster.
pub(super) fn cluster(client: &mut Client, name: &str) -> Result<()> {
    client.call("CreateCluster", &json!({"clusterName": name})).map(drop)
}

/// The network that awsvpc tasks need.
pub(super) fn network() -> Value {
    json!({"awsvpcConfiguration": {"subnets": ["subnet-0123456789abcdef0"], "assignPublicIp": "DISABLED"}})
}

/// A RunTask request for ten tasks.
pub(super) fn run_ten(cluster: &str) -> Value {
    json!({
        "cluster": cluster, "taskDefinition": FAMILY, "count": 10, "launchType": "FARGATE",
        "networkConfiguration": network(),
    })
}

/// What of RunTask's answer is looked at.
#[derive(Deserialize)]
struct Ran {
    tasks: Vec<IgnoredAny>,
    failures: Vec<Value>,
}

/// Checks an answer to [`run_ten`].
pub(super) fn all_ran(answer: &[u8]) -> Result<()> {
    let ran: Ran = serde_json::from_slice(answer)?;
    ensure!(
        ran.tasks.len() == 10 && ran.failures.is_empty(),
        "{} tasks of 10 ran: {:?}",
        ran.tasks.len(),
        ran.failures
    );
    Ok(())
}

/// How many tasks of the cluster are RUNNING.
pub(super) fn running(client: &mut Client, cluster: &str) -> Result<u64> {
    let answer = client.call("DescribeClusters", &json!({"clusters": [cluster]}))?;
    answer["clusters"][0]["runningTasksCount"].as_u64().context("no runningTasksCount")
}

/// Waits until that many tasks are RUNNING; returns how long it took.
pub(super) fn wait_running(
    client: &mut Client,
    cluster: &str,
    tasks: u64,
    limit: Duration,
) -> Result<Duration> {
    let start = Instant::now();
    loop {
        let found = running(client, cluster)?;
        if found >= tasks {
            return Ok(start.elapsed());
        }
        if start.elapsed() > limit {
            bail!("only {found} of {tasks} tasks are RUNNING after {} s", limit.as_secs());
        }
        thread::sleep(Duration::from_millis(50));
    }
}
