//! The driver's promises, with work that does what a test needs, in virtual time.

use std::collections::HashMap;

use async_trait::async_trait;
use kecs_domain::Scope;
use kecs_domain::arn::{ClusterKey, ServiceKey};
use kecs_domain::name::{ClusterName, ServiceName};
use kecs_usecases::Error;
use kecs_usecases::ports::{Observation, PortError, Wake, WakeKey};
use parking_lot::Mutex;
use tokio::time::{Instant, sleep};

use super::*;

#[derive(Default)]
struct Fake {
    /// What the attempts of a key do, by turns; afterwards they succeed.
    script: Mutex<HashMap<WakeKey, Vec<Attempt>>>,
    attempts: Mutex<Vec<(WakeKey, Instant)>>,
    at_once: Mutex<(usize, usize)>,
    observed: Mutex<Vec<usize>>,
    refused: Mutex<usize>,
    resyncs: Mutex<usize>,
    sweeps: Mutex<usize>,
}

#[derive(Clone, Copy)]
enum Attempt {
    Transient,
    Permanent,
    Panic,
    Again(Duration),
    Takes(Duration),
}

#[async_trait]
impl Work for Fake {
    async fn reconcile(&self, key: &WakeKey) -> Result<Option<Duration>, Error> {
        self.attempts.lock().push((key.clone(), Instant::now()));
        {
            let mut at_once = self.at_once.lock();
            at_once.0 += 1;
            at_once.1 = at_once.1.max(at_once.0);
        }
        let attempt = self.script.lock().get_mut(key).and_then(Vec::pop);
        let result = match attempt {
            None => Ok(None),
            Some(Attempt::Again(after)) => Ok(Some(after)),
            Some(Attempt::Transient) => Err(PortError::transient("away").into()),
            Some(Attempt::Permanent) => Err(PortError::permanent("broken").into()),
            Some(Attempt::Takes(time)) => {
                sleep(time).await;
                Ok(None)
            }
            Some(Attempt::Panic) => {
                self.at_once.lock().0 -= 1;
                panic!("a defect")
            }
        };
        self.at_once.lock().0 -= 1;
        result
    }

    async fn observed(&self, batch: &[Observation]) -> Result<(), Error> {
        {
            let mut refused = self.refused.lock();
            if *refused > 0 {
                *refused -= 1;
                return Err(PortError::transient("away").into());
            }
        }
        // A snapshot can't be stored in this fake.
        if batch.iter().any(|observation| matches!(observation, Observation::Snapshot(_))) {
            return Err(PortError::permanent("no snapshots").into());
        }
        self.observed.lock().push(batch.len());
        Ok(())
    }

    async fn resync(&self) -> Result<(), Error> {
        *self.resyncs.lock() += 1;
        Ok(())
    }

    async fn sweep(&self) -> Result<bool, Error> {
        let mut sweeps = self.sweeps.lock();
        *sweeps += 1;
        // There is more three times, each time.
        Ok(!sweeps.is_multiple_of(4))
    }
}

fn key(name: &str) -> WakeKey {
    let cluster = ClusterKey::new(Scope::new("000000000000", "us-east-1"), ClusterName::parse("c").unwrap());
    WakeKey::Service(ServiceKey { cluster, name: ServiceName::parse(name).unwrap() })
}

/// Workers over a script. Each key's attempts are written last first.
fn workers(
    count: usize,
    script: impl IntoIterator<Item = (WakeKey, Vec<Attempt>)>,
) -> (Arc<Fake>, Arc<WakeQueue>, JoinSet<()>) {
    let fake = Arc::new(Fake { script: Mutex::new(script.into_iter().collect()), ..Fake::default() });
    let queue = Arc::new(WakeQueue::new());
    let tally = Arc::<worker::Tally>::default();
    let mut tasks = JoinSet::new();
    for _ in 0..count {
        tasks.spawn(worker::run(fake.clone(), Arc::clone(&queue), Arc::clone(&tally)));
    }
    let timer = Arc::clone(&queue);
    tasks.spawn(async move { timer.keep_time().await });
    (fake, queue, tasks)
}

impl Fake {
    /// When the attempts of a key were, in milliseconds after the first.
    fn attempts_of(&self, key: &WakeKey) -> Vec<u128> {
        let attempts = self.attempts.lock();
        let times: Vec<_> =
            attempts.iter().filter(|(found, _)| found == key).map(|(_, time)| *time).collect();
        times.iter().map(|time| time.duration_since(times[0]).as_millis()).collect()
    }
}

#[tokio::test(start_paused = true)]
async fn a_transient_failure_is_tried_again_with_growing_pauses() {
    let script = [(key("a"), vec![Attempt::Transient; 3])];
    let (fake, queue, _tasks) = workers(2, script);
    queue.wake(vec![key("a")]);
    sleep(Duration::from_secs(60)).await;
    assert_eq!(fake.attempts_of(&key("a")), [0, 100, 300, 700]);
}

#[tokio::test(start_paused = true)]
async fn a_permanent_failure_waits_for_the_next_hint() {
    let (fake, queue, _tasks) = workers(2, [(key("a"), vec![Attempt::Permanent])]);
    queue.wake(vec![key("a")]);
    sleep(Duration::from_secs(60)).await;
    assert_eq!(fake.attempts_of(&key("a")).len(), 1);
    queue.wake(vec![key("a")]);
    sleep(Duration::from_millis(1)).await;
    assert_eq!(fake.attempts_of(&key("a")).len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_panic_costs_no_worker() {
    let (fake, queue, _tasks) = workers(1, [(key("a"), vec![Attempt::Panic])]);
    queue.wake(vec![key("a"), key("b")]);
    sleep(Duration::from_millis(1)).await;
    assert_eq!(fake.attempts_of(&key("b")).len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_reconciler_says_when_to_look_again() {
    let script = [(key("a"), vec![Attempt::Again(Duration::from_secs(7))])];
    let (fake, queue, _tasks) = workers(1, script);
    queue.wake(vec![key("a")]);
    sleep(Duration::from_secs(60)).await;
    assert_eq!(fake.attempts_of(&key("a")), [0, 7000]);
}

#[tokio::test(start_paused = true)]
async fn no_more_keys_are_worked_on_at_once_than_there_are_workers_and_no_key_twice() {
    let second = Duration::from_secs(1);
    let script = (0..10).map(|n| (key(&format!("k{n}")), vec![Attempt::Takes(second); 2]));
    let (fake, queue, _tasks) = workers(3, script);
    let keys: Vec<_> = (0..10).map(|n| key(&format!("k{n}"))).collect();
    queue.wake(keys.clone());
    sleep(Duration::from_millis(500)).await;
    queue.wake(keys.clone());
    sleep(Duration::from_secs(60)).await;
    assert_eq!(fake.at_once.lock().1, 3);
    for (n, key) in keys.iter().enumerate() {
        // The three that were worked on when the second hint came are looked at once more, the others weren't yet.
        assert_eq!(fake.attempts_of(key).len(), if n < 3 { 2 } else { 1 }, "{n}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_observed_is_taken_in_batches_and_kept_while_the_store_is_away() {
    let fake = Arc::new(Fake { refused: Mutex::new(2), ..Fake::default() });
    let orchestrator = Observed((0..1500).map(|_| Observation::Changed(Vec::new())).collect());
    let observer = tokio::spawn(observer::run(fake.clone(), Arc::new(orchestrator), Arc::default()));
    sleep(Duration::from_millis(900)).await;
    assert_eq!(*fake.observed.lock(), [1000, 500]);
    observer.abort();
}

#[tokio::test(start_paused = true)]
async fn an_observation_that_cannot_be_stored_does_not_take_others_with_it() {
    let fake = Arc::new(Fake::default());
    let changed = || Observation::Changed(Vec::new());
    let orchestrator = Observed(vec![changed(), Observation::Snapshot(Vec::new()), changed()]);
    let observer = tokio::spawn(observer::run(fake.clone(), Arc::new(orchestrator), Arc::default()));
    sleep(Duration::from_millis(900)).await;
    assert_eq!(*fake.observed.lock(), [1, 1]);
    observer.abort();
}

#[tokio::test(start_paused = true)]
async fn a_running_driver_resyncs_and_sweeps_and_ends_when_told() {
    let fake = Arc::new(Fake::default());
    let queue = Arc::new(WakeQueue::new());
    let driver = Driver::new(fake.clone(), Arc::new(Observed::default()), Arc::clone(&queue), 2);
    let gauges = driver.gauges();
    queue.wake(vec![key("a")]);
    driver.run(sleep(Duration::from_secs(95))).await;
    assert_eq!(*fake.resyncs.lock(), 3);
    assert_eq!(*fake.sweeps.lock(), 8);
    assert_eq!(fake.attempts_of(&key("a")).len(), 1);
    let mut text = MetricsText::default();
    gauges.write(&mut text);
    assert!(text.into_string().contains("kecs_reconciles_total 1\n"));
}

#[tokio::test(start_paused = true)]
async fn the_end_waits_for_reconcilers_at_work_but_not_for_ever() {
    for (takes, waits) in [(2, 2), (3600, 5)] {
        let script = HashMap::from([(key("a"), vec![Attempt::Takes(Duration::from_secs(takes))])]);
        let fake = Arc::new(Fake { script: Mutex::new(script), ..Fake::default() });
        let queue = Arc::new(WakeQueue::new());
        let driver = Driver::new(fake, Arc::new(Observed::default()), Arc::clone(&queue), 1);
        queue.wake(vec![key("a")]);
        let begin = Instant::now();
        driver.run(sleep(Duration::from_millis(1))).await;
        assert_eq!(begin.elapsed().as_secs(), waits);
    }
}

/// An orchestrator that has seen something, and does nothing.
#[derive(Default)]
struct Observed(Vec<Observation>);

#[async_trait]
impl Orchestrator for Observed {
    fn check(&self, _: &kecs_domain::model::TaskDefinition) -> Result<(), kecs_domain::EcsError> {
        Ok(())
    }
    async fn ensure_cluster(&self, _: &ClusterKey) -> Result<(), PortError> {
        Ok(())
    }
    async fn delete_cluster(&self, _: &ClusterKey) -> Result<(), PortError> {
        Ok(())
    }
    async fn launch(&self, _: kecs_usecases::ports::Launch) -> Result<(), PortError> {
        Ok(())
    }
    async fn stop(&self, _: kecs_usecases::ports::StopOrder) -> Result<(), PortError> {
        Ok(())
    }
    async fn forget(&self, _: &kecs_domain::arn::TaskKey) -> Result<(), PortError> {
        Ok(())
    }
    async fn restore(&self, _: Vec<kecs_usecases::ports::Launch>) -> Result<(), PortError> {
        Ok(())
    }
    fn observe(&self) -> futures::stream::BoxStream<'static, Observation> {
        use futures::StreamExt;
        futures::stream::iter(self.0.clone()).chain(futures::stream::pending()).boxed()
    }
    async fn instances(&self, _: &ClusterKey) -> Result<Vec<kecs_usecases::ports::Instance>, PortError> {
        Ok(Vec::new())
    }
}
