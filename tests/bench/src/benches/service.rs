//! One big service: how fast it is there, and what it costs when nothing happens.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use serde_json::json;

use super::{Setting, scene};
use crate::figure::{Figure, Goal};
use crate::machine;
use crate::server::Server;

const CLUSTER: &str = "service";

pub(super) fn run(setting: &Setting) -> Result<Vec<Figure>> {
    let tasks: u64 = setting.pick(10_000, 500);
    let data = tempfile::tempdir()?;
    let kecs = Server::kecs(&setting.kecs, data.path())?;
    let mut client = kecs.client()?;
    scene::register(&mut client)?;
    scene::cluster(&mut client, CLUSTER)?;
    let start = Instant::now();
    client.call(
        "CreateService",
        &json!({
            "cluster": CLUSTER, "serviceName": "big", "taskDefinition": scene::FAMILY, "desiredCount": tasks,
            "launchType": "FARGATE", "networkConfiguration": scene::network(),
        }),
    )?;
    // The condition of the SDKs' waiter services-stable.
    loop {
        let answer = client.call("DescribeServices", &json!({"cluster": CLUSTER, "services": ["big"]}))?;
        let service = &answer["services"][0];
        let one = service["deployments"].as_array().is_some_and(|deployments| deployments.len() == 1);
        if one && service["runningCount"] == tasks && service["deployments"][0]["rolloutState"] == "COMPLETED"
        {
            break;
        }
        if start.elapsed() > Duration::from_secs(300) {
            bail!("not steady after 300 s: {} of {tasks} tasks are running", service["runningCount"]);
        }
        thread::sleep(Duration::from_millis(20));
    }
    let steady = start.elapsed().as_secs_f64();
    // What was put off until later, as compaction, is not idling.
    thread::sleep(Duration::from_secs(setting.pick(10, 1)));
    let span = Duration::from_secs(setting.pick(20, 2));
    let before = machine::cpu_seconds(kecs.pid())?;
    thread::sleep(span);
    let used = machine::cpu_seconds(kecs.pid())? - before;
    let memory = machine::memory(kecs.pid())?;
    kecs.terminate()?;
    Ok(vec![
        Figure::new(format!("service of {tasks} tasks: to steady state"), steady, "s", Goal::AtMost(10.0)),
        Figure::new("then idle: of one core", used / span.as_secs_f64() * 100.0, "%", Goal::AtMost(1.0)),
        Figure::new("then: resident memory", memory.resident, "MB", Goal::Told),
    ])
}
