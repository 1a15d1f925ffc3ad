//! A disk that is full: commits are refused, nothing is half there, and it goes on when there is room again.

use std::process::{Command, Stdio};
use std::time::Duration;

use kecs_testkit::sample;
use kecs_usecases::ports::{Changes, ClusterStore, Expect, PortErrorKind, UnitOfWork};

use crate::open;

/// The most that the helper may write to one file, in units of 512 bytes.
const LIMIT: &str = "4000";

fn tasks(first: u128) -> Changes {
    let main = sample::cluster_key("main");
    let puts = (first..first + 10).map(|id| (sample::task(&main, id).into(), Expect::Absent)).collect();
    Changes { puts, ..Changes::default() }
}

/// The limit is for a whole process, so the test is in one of its own, which ignores the signal that comes with it.
#[tokio::test]
async fn a_full_disk_refuses_commits_until_there_is_room() {
    let dir = tempfile::tempdir().unwrap();
    let helper = Command::new("sh")
        .args(["-c", &format!("trap '' XFSZ; ulimit -S -f {LIMIT}; exec \"$0\" \"$@\"")])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "disk::helper_on_a_full_disk", "--nocapture"])
        .env("KECS_FULL_DISK", dir.path())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&helper.stderr);
    assert!(helper.status.success() && said.contains("went on after"), "{said}");
    // What the helper was told is what is there.
    let (store, report) = open(dir.path());
    assert!(report.is_clean(), "{report:?}");
    let made = store.cluster_counts(&sample::cluster_key("main")).await.unwrap().unfinished_tasks;
    assert!(said.contains(&format!("went on after {made} tasks")), "{made} tasks are there; {said}");
}

/// Not a test of its own: does nothing unless it is asked to.
#[tokio::test]
async fn helper_on_a_full_disk() {
    let Some(dir) = std::env::var_os("KECS_FULL_DISK") else { return };
    let (store, _) = open(std::path::Path::new(&dir));
    let main = sample::cluster_key("main");
    let mut first = 0;
    let refusal = loop {
        match store.commit(tasks(first)).await {
            Ok(_) => first += 10,
            Err(refusal) => break refusal,
        }
        assert!(first < 100_000, "the limit has no effect");
    };
    assert_eq!(refusal.kind, PortErrorKind::Transient, "{refusal}");
    // Reads go on, and show what was acknowledged.
    let made = store.cluster_counts(&main).await.unwrap().unfinished_tasks;
    assert_eq!(u128::try_from(made).unwrap(), first);
    // There is room again.
    let pid = std::process::id().to_string();
    let raised = Command::new("prlimit").args(["--pid", &pid, "--fsize=unlimited"]).status().unwrap();
    assert!(raised.success());
    for attempt in 0.. {
        match store.commit(tasks(first)).await {
            Ok(_) => break,
            Err(refusal) => {
                assert_eq!(refusal.kind, PortErrorKind::Transient, "{refusal}");
                assert!(attempt < 5000, "{refusal}");
                // The journal is opened again at most once a second of the test's clock, which ticks when it is asked.
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        }
    }
    store.close().await;
    eprintln!("went on after {} tasks", first + 10);
}
