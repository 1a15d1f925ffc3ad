//! The duties of the archive of logs, kept in a directory and in memory.

use kecs_adapters_storage::KeptLogs;
use kecs_testkit::sample;
use kecs_usecases::ports::{KeptLog, LogArchive, LogLine};

fn log(container: &str, texts: &[&str]) -> KeptLog {
    let lines = texts
        .iter()
        .zip(0..)
        .map(|(text, second)| LogLine { at: sample::at(second), text: (*text).to_owned() });
    KeptLog { container: container.to_owned(), lines: lines.collect() }
}

async fn texts(archive: &KeptLogs, id: u128, container: &str) -> Option<Vec<String>> {
    let key = sample::task_key(&sample::cluster_key("main"), id);
    let lines = archive.kept(&key, container).await.unwrap()?;
    Some(lines.into_iter().map(|line| line.text).collect())
}

async fn keeps(archive: KeptLogs) {
    let key = sample::task_key(&sample::cluster_key("main"), 1);
    assert!(!archive.has(&key));
    assert_eq!(archive.kept(&key, "web").await.unwrap(), None);
    let logs = vec![log("web", &["one", "two \"quoted\"\u{7}"]), log("side", &["other"])];
    archive.keep(&key, logs.clone()).await.unwrap();
    assert!(archive.has(&key));
    assert_eq!(archive.kept(&key, "web").await.unwrap(), Some(logs[0].lines.clone()), "with their times");
    assert_eq!(texts(&archive, 1, "none").await, Some(Vec::new()));
    archive.keep(&key, vec![log("web", &["again"])]).await.unwrap();
    assert_eq!(texts(&archive, 1, "web").await, Some(vec!["again".to_owned()]));
    assert_eq!(texts(&archive, 1, "side").await, Some(Vec::new()), "kept in the place of what was there");
    for _ in 0..2 {
        archive.drop_task(&key).await.unwrap();
        assert!(!archive.has(&key));
        assert_eq!(texts(&archive, 1, "web").await, None);
    }
}

#[tokio::test]
async fn logs_are_kept_replaced_and_dropped_in_a_directory() {
    let directory = tempfile::tempdir().unwrap();
    keeps(KeptLogs::open(&directory.path().join("logs")).unwrap()).await;
}

#[tokio::test]
async fn logs_are_kept_replaced_and_dropped_in_memory() {
    keeps(KeptLogs::in_memory()).await;
}

#[tokio::test]
async fn the_oldest_go_when_there_are_too_many_also_after_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let cluster = sample::cluster_key("main");
    let long = "x".repeat(1000);
    let open = || KeptLogs::open_with(directory.path(), 2_500).unwrap();
    let archive = open();
    for id in 1..=2 {
        archive.keep(&sample::task_key(&cluster, id), vec![log("web", &[&long])]).await.unwrap();
        // Files are told apart by their times after a restart.
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    drop(archive);
    let archive = open();
    archive.keep(&sample::task_key(&cluster, 3), vec![log("web", &[&long])]).await.unwrap();
    let there: Vec<bool> = (1..=3).map(|id| archive.has(&sample::task_key(&cluster, id))).collect();
    assert_eq!(there, [false, true, true]);
    assert_eq!(texts(&archive, 1, "web").await, None, "its file is gone");
    assert_eq!(texts(&archive, 2, "web").await, Some(vec![long]));
}

#[cfg(unix)]
#[tokio::test]
async fn nobody_else_may_read_them() {
    use std::os::unix::fs::MetadataExt as _;
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path().join("logs");
    let archive = KeptLogs::open(&root).unwrap();
    archive.keep(&sample::task_key(&sample::cluster_key("main"), 1), vec![log("web", &["x"])]).await.unwrap();
    assert_eq!(std::fs::metadata(&root).unwrap().mode() & 0o077, 0);
}
