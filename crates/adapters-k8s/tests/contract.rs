//! The orchestrators' contract, kept on a real Kubernetes: real containers, real time. Each case has an installation
//! and a namespace of its own, so that they run side by side.

mod common;

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use futures::FutureExt as _;
use k8s_openapi::api::core::v1::{ConfigMap, Pod, Secret};
use kecs_adapters_k8s::{KubernetesOptions, KubernetesOrchestrator, namespace_name};
use kecs_domain::arn::{ClusterKey, TaskKey};
use kecs_domain::model::{ContainerDefinition, HealthCheck};
use kecs_domain::name::{ClusterName, TaskId};
use kecs_domain::{Scope, Timestamp};
use kecs_testkit::orchestrator::cases::Case;
use kecs_testkit::orchestrator::{Ability, Condition, Latest, OrchestratorHarness, Script, Watch};
use kecs_usecases::ports::{Launch, Logs, Orchestrator};
use kube::api::{Api, DeleteParams, ListParams, ObjectMeta, PostParams};
use kube::{Client, ResourceExt as _};
use parking_lot::Mutex;
use tokio::time::{Instant, timeout_at};

kecs_testkit::orchestrator_contract!(run);

const IMAGE: &str = "kecs.dev/test/busybox:1";
/// The shell as first process heeds SIGTERM only where it has a trap.
const HEEDS: &str = "trap 'exit 0' TERM";
const LOOP: &str = "while :; do sleep 0.1; done";

fn run(case: Case) {
    let Some(path) = common::kubeconfig("a case of the orchestrators' contract") else { return };
    common::block_on(async {
        let harness = Arc::new(Harness::new(path).await);
        let outcome =
            AssertUnwindSafe(case(Arc::clone(&harness) as Arc<dyn OrchestratorHarness>)).catch_unwind().await;
        let orchestrator = harness.orchestrator();
        let cleaned = orchestrator.delete_cluster(&harness.cluster()).await;
        if let Err(panic) = outcome {
            std::panic::resume_unwind(panic);
        }
        cleaned.expect("the namespace can be deleted");
    });
}

/// Different for every call, in this process and another.
fn fresh() -> u128 {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let millis = u128::try_from(now().as_millis()).expect("after 1970");
    (millis << 64) | (u128::from(std::process::id()) << 32) | u128::from(count)
}

#[allow(clippy::disallowed_methods, reason = "the cluster's time is the real one")]
fn now() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970");
    Timestamp::from_millis(i64::try_from(since.as_millis()).expect("a time of our age"))
}

fn texts(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

struct Harness {
    client: Client,
    options: KubernetesOptions,
    cluster: ClusterKey,
    current: Mutex<Arc<KubernetesOrchestrator>>,
    watch: tokio::sync::Mutex<Watch>,
}

impl Harness {
    async fn new(path: PathBuf) -> Self {
        let client = common::client(&path).await;
        let name = format!("contract-{:x}", fresh());
        let options =
            KubernetesOptions { kubeconfig: Some(path), installation: name, ..KubernetesOptions::default() };
        let orchestrator =
            KubernetesOrchestrator::connect(options.clone()).await.expect("the cluster answers");
        let watch = Watch::new(&orchestrator);
        let name = ClusterName::parse("main").expect("a legal name");
        Self {
            client,
            options,
            cluster: ClusterKey::new(Scope::new("123456789012", "eu-central-1"), name),
            current: Mutex::new(Arc::new(orchestrator)),
            watch: tokio::sync::Mutex::new(watch),
        }
    }

    /// Objects in the cluster's namespace.
    fn namespaced<K>(&self) -> Api<K>
    where
        K: kube::Resource<Scope = kube::core::NamespaceResourceScope>,
        K::DynamicType: Default,
    {
        let namespace = namespace_name(&self.options.installation, &self.cluster);
        Api::namespaced(self.client.clone(), &namespace)
    }

    /// Watches until `end`, or until it holds.
    async fn look(&self, end: Instant, holds: &Condition<'_>) -> (bool, Latest) {
        let orchestrator = Arc::clone(&self.current.lock());
        let mut watch = self.watch.lock().await;
        loop {
            let latest = watch.latest().clone();
            assert_eq!(latest.violations(), [] as [String; 0], "{latest:#?}");
            if holds(&latest) {
                return (true, latest);
            }
            if timeout_at(end, watch.next(&*orchestrator)).await.is_err() {
                return (false, latest);
            }
        }
    }
}

#[async_trait]
impl OrchestratorHarness for Harness {
    fn orchestrator(&self) -> Arc<dyn Orchestrator> {
        Arc::clone(&self.current.lock()) as Arc<dyn Orchestrator>
    }

    fn logs(&self) -> Arc<dyn Logs> {
        Arc::clone(&self.current.lock()) as Arc<dyn Logs>
    }

    fn cluster(&self) -> ClusterKey {
        self.cluster.clone()
    }

    fn now(&self) -> Timestamp {
        now()
    }

    fn fresh_id(&self) -> TaskId {
        TaskId::from_bits(fresh())
    }

    fn container(&self, name: &str, script: Script) -> ContainerDefinition {
        let image = if script == Script::PullFailure { "127.0.0.1:1/none:1" } else { IMAGE };
        let program = match script {
            Script::IgnoreSigterm => format!("trap '' TERM; {LOOP}"),
            Script::Exit { after, code } => format!("sleep {}; exit {code}", after.as_secs_f64()),
            // The kernel kills the container only if it is the first process that takes the memory.
            Script::Says => format!("{HEEDS}; echo one; echo two; echo three; {LOOP}"),
            Script::OutOfMemory => "sleep 1; exec tail /dev/zero".to_owned(),
            Script::TurnsUnhealthy => format!("{HEEDS}; (sleep 12; touch /tmp/turned) & {LOOP}"),
            Script::TurnsHealthy => format!("{HEEDS}; (sleep 22; touch /tmp/turned) & {LOOP}"),
            Script::Test(condition) => condition.to_owned(),
            Script::Run | Script::PullFailure | Script::Healthy | Script::Unhealthy => {
                format!("{HEEDS}; {LOOP}")
            }
        };
        let check = match script {
            Script::Healthy => Some("true"),
            Script::Unhealthy => Some("false"),
            Script::TurnsUnhealthy => Some("test ! -e /tmp/turned"),
            Script::TurnsHealthy => Some("test -e /tmp/turned"),
            _ => None,
        };
        ContainerDefinition {
            name: Some(name.to_owned()),
            image: Some(image.to_owned()),
            command: Some(vec!["sh".to_owned(), "-c".to_owned(), program]),
            memory: (script == Script::OutOfMemory).then_some(32),
            health_check: check.map(|check| HealthCheck {
                command: vec!["CMD-SHELL".to_owned(), check.to_owned()],
                interval: Some(5),
                retries: Some(2),
                ..HealthCheck::default()
            }),
            ..ContainerDefinition::default()
        }
    }

    fn can(&self, ability: Ability) -> bool {
        match ability {
            // There is one node, and the other cases run on it.
            Ability::LoseNode | Ability::DrainNode => false,
            Ability::Programs => true,
        }
    }

    async fn until(&self, what: &str, within: Duration, holds: &Condition<'_>) -> Latest {
        let (held, latest) = self.look(Instant::now() + within, holds).await;
        assert!(held, "until {what}: {latest:#?}");
        latest
    }

    async fn wait(&self, time: Duration) -> Latest {
        self.look(Instant::now() + time, &|_| false).await.1
    }

    async fn restart(&self, tasks: Vec<Launch>) {
        let next = KubernetesOrchestrator::connect(self.options.clone()).await.expect("the cluster answers");
        next.restore(tasks).await.expect("restoring works");
        *self.watch.lock().await = Watch::new(&next);
        *self.current.lock() = Arc::new(next);
    }

    async fn delete_task(&self, key: &TaskKey) {
        let pods: Api<Pod> = self.namespaced();
        let selector = ListParams::default().labels(&format!("kecs.dev/task={}", key.id));
        for pod in pods.list(&selector).await.expect("Pods can be listed") {
            pods.delete(&pod.name_any(), &DeleteParams::default()).await.expect("the Pod can be deleted");
        }
    }

    async fn put_secret(&self, name: &str, members: &[(&str, &str)]) {
        self.orchestrator().ensure_cluster(&self.cluster).await.expect("the namespace is made");
        let name = name.to_lowercase().replace('/', "-");
        let secret = Secret {
            metadata: ObjectMeta { name: Some(name), ..ObjectMeta::default() },
            string_data: Some(texts(members)),
            ..Secret::default()
        };
        self.namespaced().create(&PostParams::default(), &secret).await.expect("the Secret is made");
    }

    async fn put_file(&self, place: &str, variables: &[(&str, &str)]) {
        self.orchestrator().ensure_cluster(&self.cluster).await.expect("the namespace is made");
        let map = ConfigMap {
            metadata: ObjectMeta { name: Some(place.replace('/', "-")), ..ObjectMeta::default() },
            data: Some(texts(variables)),
            ..ConfigMap::default()
        };
        self.namespaced().create(&PostParams::default(), &map).await.expect("the ConfigMap is made");
    }

    async fn lose_node(&self, host: &str) {
        unreachable!("{host}: the harness said that it can't");
    }

    async fn drain_node(&self, host: &str) {
        unreachable!("{host}: the harness said that it can't");
    }
}
