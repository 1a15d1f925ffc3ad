//! RunTask from several clients for a minute: acknowledged means durable.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow, ensure};

use super::{Setting, journal, scene};
use crate::client::{Client, request};
use crate::figure::{Figure, Goal};
use crate::server::Server;

const CLUSTER: &str = "run-task";
const CLIENTS: usize = 4;

/// The minute is told in parts of this many: the cost must not grow with what is stored.
const WINDOWS: usize = 6;

pub(super) fn run(setting: &Setting) -> Result<Vec<Figure>> {
    let data = tempfile::tempdir()?;
    let kecs = Server::kecs(&setting.kecs, data.path())?;
    let mut client = kecs.client()?;
    scene::register(&mut client)?;
    scene::cluster(&mut client, CLUSTER)?;
    let window = Duration::from_secs(setting.pick(10, 1));
    let acknowledged = load(kecs.address, window)?;
    let total: u64 = acknowledged.iter().sum();
    let behind = scene::wait_running(&mut client, CLUSTER, total, window * 12)?;
    let rates: Vec<f64> = acknowledged.iter().map(|tasks| *tasks as f64 / window.as_secs_f64()).collect();
    let rate = rates.iter().sum::<f64>() / rates.len() as f64;
    let shown: Vec<String> = rates.iter().map(|rate| format!("{rate:.0}")).collect();
    let note = format!("per {} s: {}", window.as_secs(), shown.join(", "));
    let steadiness = rates[WINDOWS - 1] / rates[0];
    let mut figures = vec![
        Figure::new("RunTask(10) from 4 clients: durable tasks", rate, "/s", Goal::AtLeast(5000.0))
            .note(note),
        Figure::new("RunTask(10): last part to first", steadiness, "", Goal::AtLeast(0.8)),
        Figure::new(
            "RunTask(10): all RUNNING after the last acknowledgement",
            behind.as_secs_f64(),
            "s",
            Goal::Told,
        ),
    ];
    kecs.terminate()?;
    let busy = window.as_secs_f64() * WINDOWS as f64 + behind.as_secs_f64();
    figures.extend(journal::compare(setting, data.path(), busy)?);
    Ok(figures)
}

/// Tasks that were acknowledged in each window.
fn load(address: SocketAddr, window: Duration) -> Result<Vec<u64>> {
    let counters: Vec<AtomicU64> = (0..WINDOWS).map(|_| AtomicU64::new(0)).collect();
    let start = Instant::now();
    let client = || -> Result<()> {
        let mut client = Client::connect(address)?;
        let request = request(address, "RunTask", &scene::run_ten(CLUSTER));
        loop {
            let answer = client.answer(&request)?;
            scene::all_ran(&answer)?;
            let part = (start.elapsed().as_secs_f64() / window.as_secs_f64()) as usize;
            // Every acknowledged task must be waited for, so the few past the end are counted in the last part.
            counters[part.min(WINDOWS - 1)].fetch_add(10, Ordering::Relaxed);
            if part >= WINDOWS {
                return Ok(());
            }
        }
    };
    thread::scope(|scope| {
        let threads: Vec<_> = (0..CLIENTS).map(|_| scope.spawn(client)).collect();
        threads.into_iter().try_for_each(|thread| thread.join().map_err(|_| anyhow!("a client panicked"))?)
    })?;
    let counts: Vec<u64> = counters.iter().map(|counter| counter.load(Ordering::Relaxed)).collect();
    ensure!(counts.iter().all(|count| *count > 0), "nothing was acknowledged for a whole window: {counts:?}");
    Ok(counts)
}
