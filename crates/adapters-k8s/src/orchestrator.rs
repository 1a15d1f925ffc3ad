//! The I/O: one watch for all Pods, and the few calls that make and end them.

use std::collections::{BTreeMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use futures::channel::mpsc::{UnboundedReceiver, UnboundedSender, unbounded};
use futures::stream::{BoxStream, StreamExt as _};
use k8s_openapi::api::core::v1::{Node, Pod};
use kecs_domain::arn::{ClusterKey, TaskKey};
use kecs_domain::error::EcsError;
use kecs_domain::model;
use kecs_domain::task::TaskObservation;
use kecs_usecases::ports::{Instance, Launch, Observation, Orchestrator, PortError, StopOrder};
use kube::api::{Api, DeleteParams, Patch, PatchParams, PostParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::runtime::watcher::{self, Event, watcher};
use kube::{Client, Config, ResourceExt as _};
use parking_lot::Mutex;

use crate::cluster;
use crate::error::{ConnectError, is_status, port_error};
use crate::identity::Identity;
use crate::names::namespace_name;
use crate::observe::{Index, PodEvent, instance_of};
use crate::translate::{STOP_TIMEOUT, longest_stop, name_of, translate};

/// How Kubernetes is reached.
#[derive(Clone, Debug)]
pub struct KubernetesOptions {
    /// The kubeconfig file; without one, as kubectl would find it, or the Pod's own service account.
    pub kubeconfig: Option<PathBuf>,
    /// The context of the kubeconfig; without one, its current one.
    pub context: Option<String>,
    /// Two installations with different names share a Kubernetes without seeing each other's objects.
    pub installation: String,
}

impl Default for KubernetesOptions {
    fn default() -> Self {
        Self { kubeconfig: None, context: None, installation: "kecs".to_owned() }
    }
}

/// Runs tasks as Pods.
pub struct KubernetesOrchestrator {
    client: Client,
    identity: Identity,
    index: Arc<Mutex<Index>>,
    /// The nodes by name, as last seen.
    nodes: Arc<Mutex<BTreeMap<String, Instance>>>,
    /// Clusters whose namespaces were seen to exist.
    ensured: Mutex<HashSet<ClusterKey>>,
    /// Observations of what isn't there, for whoever observes now.
    aside: Mutex<Option<UnboundedSender<Observation>>>,
}

impl KubernetesOrchestrator {
    /// Connects, and checks that the cluster answers.
    ///
    /// # Errors
    /// When there is no usable configuration, or no answer.
    pub async fn connect(options: KubernetesOptions) -> Result<Self, ConnectError> {
        let choice = KubeConfigOptions { context: options.context.clone(), ..KubeConfigOptions::default() };
        let config = match &options.kubeconfig {
            Some(path) => Config::from_custom_kubeconfig(Kubeconfig::read_from(path)?, &choice).await?,
            None if options.context.is_some() => Config::from_kubeconfig(&choice).await?,
            None => Config::infer().await?,
        };
        let unreachable = |error| ConnectError::Unreachable(Box::new(error));
        let client = Client::try_from(config).map_err(unreachable)?;
        let version = client.apiserver_version().await.map_err(unreachable)?;
        tracing::info!(version = %version.git_version, "connected to Kubernetes");
        Ok(Self::with_client(client, options.installation))
    }

    /// An orchestrator over a client that is there already.
    pub fn with_client(client: Client, installation: impl Into<String>) -> Self {
        Self {
            client,
            identity: Identity::new(installation),
            index: Arc::default(),
            nodes: Arc::default(),
            ensured: Mutex::default(),
            aside: Mutex::default(),
        }
    }

    fn pods(&self, cluster: &ClusterKey) -> Api<Pod> {
        Api::namespaced(self.client.clone(), &namespace_name(self.identity.installation(), cluster))
    }

    /// The Pod of a task: by what is known of it, or else by a look at the cluster.
    async fn find(&self, task: &TaskKey) -> Result<Option<(Api<Pod>, String)>, PortError> {
        let known = self.index.lock().location(task).cloned();
        if let Some(known) = known {
            return Ok(Some((Api::namespaced(self.client.clone(), &known.namespace), known.name)));
        }
        let api = self.pods(&task.cluster);
        let selector = format!("{},kecs.dev/task={}", self.identity.selector(), task.id);
        let list = api
            .list(&kube::api::ListParams::default().labels(&selector))
            .await
            .map_err(|error| port_error("looking for a Pod", &error))?;
        Ok(list.items.into_iter().find_map(|pod| pod.metadata.name).map(|name| (api, name)))
    }

    async fn ensure_once(&self, cluster: &ClusterKey) -> Result<(), PortError> {
        if self.ensured.lock().contains(cluster) {
            return Ok(());
        }
        self.ensure_cluster(cluster).await
    }

    /// Tells the observer that a task holds nothing here.
    fn tell_released(&self, task: &TaskKey) {
        let seen = TaskObservation { released: true, ..TaskObservation::accepted(task.clone()) };
        if let Some(observer) = &*self.aside.lock() {
            // Nobody observes any more: the next observer begins with a snapshot, which lacks the task.
            let _ = observer.unbounded_send(Observation::Changed(vec![seen]));
        }
    }
}

#[async_trait]
impl Orchestrator for KubernetesOrchestrator {
    fn check(&self, _definition: &model::TaskDefinition) -> Result<(), EcsError> {
        // What Kubernetes refuses, it refuses at the launch: that depends on the cluster's own rules.
        Ok(())
    }

    async fn ensure_cluster(&self, cluster: &ClusterKey) -> Result<(), PortError> {
        cluster::ensure(&self.client, &self.identity, cluster).await?;
        self.ensured.lock().insert(cluster.clone());
        Ok(())
    }

    async fn delete_cluster(&self, cluster: &ClusterKey) -> Result<(), PortError> {
        self.ensured.lock().remove(cluster);
        cluster::delete(&self.client, &self.identity, cluster).await
    }

    async fn launch(&self, launch: Launch) -> Result<(), PortError> {
        let Launch { task, definition } = launch;
        self.ensure_once(&task.key.cluster).await?;
        let translation = translate(&self.identity, &task, &definition.doc);
        for note in &translation.notes {
            tracing::debug!(task = %task.key.id, member = %note.member, "{}", note.what);
        }
        let api = self.pods(&task.key.cluster);
        match api.create(&PostParams::default(), &translation.pod).await {
            Ok(_) => Ok(()),
            // The name holds the task's id: what has it is the same task, launched before.
            Err(error) if is_status(&error, 409) => Ok(()),
            Err(error) if is_status(&error, 404) => {
                // Somebody deleted the namespace behind our back: the next try makes it anew.
                self.ensured.lock().remove(&task.key.cluster);
                Err(PortError::transient(format!("making a Pod: {error}")))
            }
            Err(error) => Err(port_error("making a Pod", &error)),
        }
    }

    async fn stop(&self, order: StopOrder) -> Result<(), PortError> {
        let Some((api, name)) = self.find(&order.task).await? else {
            self.tell_released(&order.task);
            return Ok(());
        };
        let containers = order.definition.as_ref().and_then(|found| found.doc.container_definitions.as_deref());
        let grace = containers.map_or(STOP_TIMEOUT, longest_stop);
        let parameters = DeleteParams { grace_period_seconds: u32::try_from(grace).ok(), ..DeleteParams::default() };
        match api.delete(&name, &parameters).await {
            Ok(_) => Ok(()),
            Err(error) if is_status(&error, 404) => {
                self.tell_released(&order.task);
                Ok(())
            }
            Err(error) => Err(port_error("ending a Pod", &error)),
        }
    }

    async fn forget(&self, task: &TaskKey) -> Result<(), PortError> {
        let Some((api, name)) = self.find(task).await? else { return Ok(()) };
        // Deleted first: a Pod without its finalizer would otherwise stay for ever.
        let immediately = DeleteParams { grace_period_seconds: Some(0), ..DeleteParams::default() };
        let gone = |error: &kube::Error| is_status(error, 404);
        match api.delete(&name, &immediately).await {
            Ok(_) => {}
            Err(error) if gone(&error) => return Ok(()),
            Err(error) => return Err(port_error("ending a Pod", &error)),
        }
        let patch = serde_json::json!({"metadata": {"finalizers": null}});
        match api.patch(&name, &PatchParams::default(), &Patch::Merge(&patch)).await {
            Ok(_) => Ok(()),
            Err(error) if gone(&error) => Ok(()),
            Err(error) => Err(port_error("releasing a Pod", &error)),
        }
    }

    async fn restore(&self, _tasks: Vec<Launch>) -> Result<(), PortError> {
        // The Pods are there, whatever became of us.
        Ok(())
    }

    fn observe(&self) -> BoxStream<'static, Observation> {
        let (send, aside) = unbounded();
        *self.aside.lock() = Some(send);
        let index = Arc::clone(&self.index);
        let config = watcher::Config::default().labels(&self.identity.selector());
        let watched = watcher(Api::<Pod>::all(self.client.clone()), config).filter_map(move |event| {
            let seen = match event {
                Ok(event) => index.lock().apply(pod_event(event)),
                Err(error) => {
                    // The watcher begins anew by itself, with growing pauses.
                    tracing::warn!(%error, "the watch of Pods was interrupted");
                    None
                }
            };
            std::future::ready(seen)
        });
        let nodes = Arc::clone(&self.nodes);
        let noted = watcher(Api::<Node>::all(self.client.clone()), watcher::Config::default()).filter_map(move |event| {
            match event {
                Ok(event) => note_node(&mut nodes.lock(), event),
                Err(error) => tracing::warn!(%error, "the watch of nodes was interrupted"),
            }
            // Nodes are asked for, not told.
            std::future::ready(None)
        });
        futures::stream::select(merge(watched.boxed(), aside), noted).boxed()
    }

    async fn instances(&self, _cluster: &ClusterKey) -> Result<Vec<Instance>, PortError> {
        Ok(self.nodes.lock().values().cloned().collect())
    }
}

fn pod_event(event: Event<Pod>) -> PodEvent {
    match event {
        Event::Init => PodEvent::Relist,
        Event::InitApply(pod) => PodEvent::Listed(Box::new(pod)),
        Event::InitDone => PodEvent::Complete,
        Event::Apply(pod) => PodEvent::Changed(Box::new(pod)),
        Event::Delete(pod) => PodEvent::Gone(Box::new(pod)),
    }
}

/// Keeps the nodes as they are. One that went away while the watch was down leaves with the next list.
fn note_node(nodes: &mut BTreeMap<String, Instance>, event: Event<Node>) {
    match event {
        Event::Init => nodes.clear(),
        Event::InitDone => {}
        Event::InitApply(node) | Event::Apply(node) => {
            if let Some(instance) = instance_of(&node) {
                nodes.insert(instance.host.clone(), instance);
            }
        }
        Event::Delete(node) => {
            nodes.remove(&node.name_any());
        }
    }
}

fn merge(
    watched: BoxStream<'static, Observation>,
    aside: UnboundedReceiver<Observation>,
) -> BoxStream<'static, Observation> {
    futures::stream::select(watched, aside).boxed()
}

impl KubernetesOrchestrator {
    /// Where the Pod of a task is made: namespace and name.
    pub fn pod_of(&self, task: &kecs_domain::task::Task) -> (String, String) {
        (namespace_name(self.identity.installation(), &task.key.cluster), name_of(task))
    }
}
