//! Read requests: kecs in turns with a bare hyper server that answers with the same bytes.

use std::fs;
use std::time::Duration;

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use super::{Setting, scene};
use crate::client::{Client, request};
use crate::figure::{Figure, Goal};
use crate::load;
use crate::server::Server;

const CLUSTER: &str = "reads";

/// How many tasks ListTasks has to list: a full page.
const TASKS: u64 = 100;

/// Each operation, from 4 connections and from 64.
pub(super) fn run(setting: &Setting) -> Result<Vec<Figure>> {
    let data = tempfile::tempdir()?;
    let kecs = Server::kecs(&setting.kecs, data.path())?;
    let mut client = kecs.client()?;
    scene::register(&mut client)?;
    scene::cluster(&mut client, CLUSTER)?;
    for _ in 0..TASKS / 10 {
        client.call("RunTask", &scene::run_ten(CLUSTER))?;
    }
    scene::wait_running(&mut client, CLUSTER, TASKS, Duration::from_secs(60))?;
    let listed = client.call("ListTasks", &json!({"cluster": CLUSTER}))?;
    let ten: Vec<&Value> = listed["taskArns"].as_array().context("no taskArns")?.iter().take(10).collect();
    let operations = [
        ("DescribeClusters", json!({"clusters": [CLUSTER]})),
        ("DescribeTasks", json!({"cluster": CLUSTER, "tasks": ten})),
        ("ListTasks", json!({"cluster": CLUSTER})),
    ];
    let mut figures = Vec::new();
    for (operation, body) in operations {
        for connections in [4, 64] {
            figures.extend(compare(setting, &kecs, &mut client, operation, &body, connections)?);
        }
    }
    Ok(figures)
}

fn compare(
    setting: &Setting,
    kecs: &Server,
    client: &mut Client,
    operation: &str,
    body: &Value,
    connections: usize,
) -> Result<Vec<Figure>> {
    let answer = client.answer(&request(kecs.address, operation, body))?;
    let file = tempfile::NamedTempFile::new()?;
    fs::write(file.path(), &answer)?;
    let bare = Server::bare(file.path())?;
    let time = Duration::from_millis(setting.pick(2000, 200));
    let turn = |server: &Server, time| {
        load::round(server.address, &request(server.address, operation, body), connections, time)
    };
    // Both warm, then in turns: each ratio is of two rounds that were neighbours in time.
    turn(&bare, time / 2)?;
    turn(kecs, time / 2)?;
    let (mut ratios, mut rates, mut bare_rates, mut p99s) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for _ in 0..setting.pick(5, 1) {
        let (of_bare, of_kecs) = (turn(&bare, time)?, turn(kecs, time)?);
        ratios.push(of_kecs.per_second / of_bare.per_second);
        rates.push(of_kecs.per_second);
        bare_rates.push(of_bare.per_second);
        p99s.push(of_kecs.p99.as_secs_f64() * 1e3);
    }
    let name = format!("{operation} from {connections} connections");
    let bytes = answer.len();
    let note = format!(
        "bare hyper {:.0} /s; answers of {bytes} bytes; 99 % within {:.2} ms",
        median(bare_rates),
        median(p99s)
    );
    Ok(vec![
        Figure::new(format!("{name}: to bare hyper"), median(ratios), "", Goal::AtLeast(0.6)),
        Figure::new(name, median(rates), "/s", Goal::Told).note(note),
    ])
}

fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers[numbers.len() / 2]
}
