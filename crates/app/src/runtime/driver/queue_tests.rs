//! The queue's promises, in virtual time.

use std::sync::Arc;

use kecs_domain::Scope;
use kecs_domain::arn::{ClusterKey, ServiceKey};
use kecs_domain::name::{ClusterName, ServiceName};
use tokio::time::{sleep, timeout};

use super::*;

fn key(name: &str) -> WakeKey {
    let cluster = ClusterKey::new(Scope::new("000000000000", "us-east-1"), ClusterName::parse("c").unwrap());
    WakeKey::Service(ServiceKey { cluster, name: ServiceName::parse(name).unwrap() })
}

/// The next key, if there is one at once.
async fn now(queue: &WakeQueue) -> Option<WakeKey> {
    timeout(Duration::ZERO, queue.next()).await.ok().flatten()
}

/// A queue whose put-off keys become ready.
fn timed() -> Arc<WakeQueue> {
    let queue = Arc::new(WakeQueue::new());
    let timer = Arc::clone(&queue);
    tokio::spawn(async move { timer.keep_time().await });
    queue
}

#[tokio::test(start_paused = true)]
async fn keys_come_out_in_order_and_each_once() {
    let queue = WakeQueue::new();
    queue.wake(vec![key("a"), key("b"), key("a")]);
    queue.wake(vec![key("b")]);
    assert_eq!(now(&queue).await, Some(key("a")));
    assert_eq!(now(&queue).await, Some(key("b")));
    assert_eq!(now(&queue).await, None);
}

#[tokio::test(start_paused = true)]
async fn a_key_is_worked_on_by_one_worker_and_looked_at_again_if_woken_meanwhile() {
    let queue = WakeQueue::new();
    queue.wake(vec![key("a")]);
    assert_eq!(now(&queue).await, Some(key("a")));
    queue.wake(vec![key("a")]);
    queue.wake(vec![key("a")]);
    assert_eq!(now(&queue).await, None, "it is still being worked on");
    queue.done(key("a"), None);
    assert_eq!(now(&queue).await, Some(key("a")));
    queue.done(key("a"), None);
    assert_eq!(now(&queue).await, None);
    assert_eq!(queue.size(), QueueSize::default());
}

#[tokio::test(start_paused = true)]
async fn a_key_that_is_put_off_comes_at_its_time() {
    let queue = timed();
    for (name, seconds) in [("late", 20), ("early", 10)] {
        queue.wake(vec![key(name)]);
        assert_eq!(queue.next().await, Some(key(name)));
        queue.done(key(name), Some(Duration::from_secs(seconds)));
    }
    assert_eq!(queue.size().put_off, 2);
    let begin = Instant::now();
    assert_eq!(queue.next().await, Some(key("early")));
    assert_eq!(begin.elapsed().as_secs(), 10);
    assert_eq!(queue.next().await, Some(key("late")));
    assert_eq!(begin.elapsed().as_secs(), 20);
}

#[tokio::test(start_paused = true)]
async fn a_hint_brings_a_put_off_key_forward_and_its_old_time_is_forgotten() {
    let queue = timed();
    queue.wake(vec![key("a")]);
    queue.next().await;
    queue.done(key("a"), Some(Duration::from_secs(10)));
    queue.wake(vec![key("a")]);
    assert_eq!(now(&queue).await, Some(key("a")));
    queue.done(key("a"), None);
    sleep(Duration::from_secs(60)).await;
    assert_eq!(now(&queue).await, None);
}

#[tokio::test(start_paused = true)]
async fn what_is_said_last_about_a_key_replaces_what_was_said_before() {
    let queue = timed();
    queue.wake(vec![key("a")]);
    for seconds in [5, 50] {
        assert_eq!(queue.next().await, Some(key("a")));
        queue.done(key("a"), Some(Duration::from_secs(seconds)));
    }
    let begin = Instant::now();
    assert_eq!(queue.next().await, Some(key("a")));
    assert_eq!(begin.elapsed().as_secs(), 50);
}

#[tokio::test(start_paused = true)]
async fn a_failed_key_waits_even_if_it_was_woken_meanwhile() {
    let queue = timed();
    queue.wake(vec![key("a")]);
    queue.next().await;
    queue.wake(vec![key("a")]);
    queue.failed(key("a"), Duration::from_secs(3));
    assert_eq!(now(&queue).await, None);
    let begin = Instant::now();
    assert_eq!(queue.next().await, Some(key("a")));
    assert_eq!(begin.elapsed().as_secs(), 3);
}

#[tokio::test(start_paused = true)]
async fn every_waiting_worker_gets_a_key_when_there_are_enough() {
    let queue = Arc::new(WakeQueue::new());
    let workers: Vec<_> = (0..4)
        .map(|_| {
            let queue = Arc::clone(&queue);
            tokio::spawn(async move { queue.next().await })
        })
        .collect();
    sleep(Duration::from_millis(1)).await;
    queue.wake((0..4).map(|n| key(&format!("k{n}"))).collect());
    for worker in workers {
        assert!(
            timeout(Duration::from_secs(1), worker).await.expect("a worker sleeps on").unwrap().is_some()
        );
    }
}

#[tokio::test(start_paused = true)]
async fn closing_sends_every_worker_home() {
    let queue = timed();
    let waiting = {
        let queue = Arc::clone(&queue);
        tokio::spawn(async move { queue.next().await })
    };
    sleep(Duration::from_millis(1)).await;
    queue.close();
    queue.wake(vec![key("a")]);
    assert_eq!(waiting.await.unwrap(), None);
    assert_eq!(queue.next().await, None);
    timeout(Duration::from_secs(1), queue.keep_time()).await.expect("the timer ends");
}
