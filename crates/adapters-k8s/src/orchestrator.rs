//! The I/O: one watch for all Pods, and the few calls that make and end them.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use async_trait::async_trait;
use futures::FutureExt as _;
use futures::channel::mpsc::{UnboundedSender, unbounded};
use futures::channel::oneshot;
use futures::stream::{self, BoxStream, StreamExt as _, select};
use k8s_openapi::api::core::v1::{self as core, Node, Pod};
use kecs_domain::arn::{ClusterKey, TaskDefinitionKey, TaskKey};
use kecs_domain::error::EcsError;
use kecs_domain::model;
use kecs_domain::name::HexId;
use kecs_domain::task::{Task, TaskObservation};
use kecs_usecases::ports::{
    Exec, Instance, InstanceStatus, Launch, Observation, Orchestrator, PortError, PortErrorKind, Process,
    Shell, StopOrder,
};
use kube::Client;
use kube::api::{Api, DeleteParams, ListParams};
use kube::runtime::watcher::{self, Event};
use parking_lot::Mutex;

use crate::calls::careful;
use crate::cluster;
use crate::error::{ConnectError, is_status, port_error};
use crate::exec;
use crate::gate;
use crate::identity::Identity;
use crate::lasting::lasting;
use crate::launch;
use crate::names::namespace_name;
use crate::nodes;
use crate::observe::{Index, PodEvent, Surroundings, instance_of, with_load};
use crate::options::KubernetesOptions;
use crate::translate::{Offer, Place, STOP_TIMEOUT, longest_stop, name_of, translate};

/// How many gates are opened at a time.
const GATES_AT_ONCE: usize = 8;

/// What all observers share.
#[derive(Default)]
struct Around {
    /// The nodes by name, as last seen.
    nodes: Mutex<BTreeMap<String, Instance>>,
    /// Tasks whose end we asked for. Lost with the process, as it may be: a task that should be stopped has its
    /// reason stored.
    stopping: Mutex<HashSet<TaskKey>>,
}

impl Surroundings for Around {
    fn zone(&self, node: &str) -> Option<String> {
        let zone = self.nodes.lock().get(node).map(|it| it.availability_zone.clone());
        zone.filter(|zone| !zone.is_empty())
    }

    fn is_stopping(&self, task: &TaskKey) -> bool {
        self.stopping.lock().contains(task)
    }
}

/// Runs tasks as Pods.
pub struct KubernetesOrchestrator {
    client: Client,
    identity: Identity,
    /// That of the latest observer. Each has its own: what one was told, the other still has to be.
    index: Mutex<Arc<Mutex<Index>>>,
    around: Arc<Around>,
    /// Clusters whose namespaces were seen to exist.
    ensured: Mutex<HashSet<ClusterKey>>,
    /// What this Kubernetes has.
    offer: Offer,
    /// Task definitions of which was logged what their Pods don't do: once is enough.
    noted: Mutex<HashSet<TaskDefinitionKey>>,
    /// Observations of what isn't there, for those who observe.
    aside: Mutex<Vec<UnboundedSender<Observation>>>,
}

impl KubernetesOrchestrator {
    /// Connects, and checks that the cluster answers.
    ///
    /// # Errors
    /// When there is no usable configuration, or no answer.
    pub async fn connect(options: KubernetesOptions) -> Result<Self, ConnectError> {
        let config = options.client_config().await?;
        let unreachable = |error| ConnectError::Unreachable(Box::new(error));
        let client = Client::try_from(config).map_err(unreachable)?;
        let version = client.apiserver_version().await.map_err(unreachable)?;
        tracing::info!(version = %version.git_version, "connected to Kubernetes");
        let installation = options.installation.clone();
        let orchestrator = Self { offer: options.offer(&version), ..Self::with_client(client, installation) };
        // Known from the beginning: the first request may be for a place on one.
        orchestrator.load_nodes().await.map_err(unreachable)?;
        Ok(orchestrator)
    }

    /// An orchestrator over a client that is there already. It adds deadlines, a limit of calls at a time, and
    /// repetition where the server asks for it. Call it within a tokio runtime.
    pub fn with_client(client: Client, installation: impl Into<String>) -> Self {
        Self {
            client: careful(client),
            identity: Identity::new(installation),
            index: Mutex::default(),
            around: Arc::default(),
            ensured: Mutex::default(),
            offer: Offer::default(),
            noted: Mutex::default(),
            aside: Mutex::default(),
        }
    }

    fn pods(&self, cluster: &ClusterKey) -> Api<Pod> {
        Api::namespaced(self.client.clone(), &namespace_name(self.identity.installation(), cluster))
    }

    /// The Pod of a task: by what is known of it, or else by a look at the cluster.
    pub(crate) async fn find(&self, task: &TaskKey) -> Result<Option<(Api<Pod>, String)>, PortError> {
        let known = self.index.lock().lock().location(task).cloned();
        if let Some(known) = known {
            return Ok(Some((Api::namespaced(self.client.clone(), &known.namespace), known.name)));
        }
        let api = self.pods(&task.cluster);
        let selector = format!("{},kecs.dev/task={}", self.identity.selector(), task.id);
        let list = api
            .list(&ListParams::default().labels(&selector))
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
        // Without an observer nobody is told: the next one begins with a snapshot, which lacks the task.
        self.aside
            .lock()
            .retain(|observer| observer.unbounded_send(Observation::Changed(vec![seen.clone()])).is_ok());
    }

    async fn load_nodes(&self) -> kube::Result<()> {
        let api: Api<Node> = Api::all(self.client.clone());
        let all = api.list(&ListParams::default()).await?;
        *self.around.nodes.lock() =
            all.iter().filter_map(instance_of).map(|it| (it.host.clone(), it)).collect();
        Ok(())
    }

    /// Where a task goes.
    async fn place(&self, task: &Task) -> Result<Place, PortError> {
        let taken = self.index.lock().lock().ports().collect();
        let offer = self.offer.clone();
        let Some(id) = task.instance else { return Ok(Place { node: None, taken, offer }) };
        let known =
            |around: &Around| around.nodes.lock().values().find(|it| it.id == id).map(|it| it.host.clone());
        if let Some(node) = known(&self.around) {
            return Ok(Place { node: Some(node), taken, offer });
        }
        self.load_nodes().await.map_err(|error| port_error("listing nodes", &error))?;
        let node = known(&self.around);
        let node =
            node.ok_or_else(|| PortError::permanent(format!("The container instance {id} is gone")))?;
        Ok(Place { node: Some(node), taken, offer })
    }
}

#[async_trait]
impl Shell for KubernetesOrchestrator {
    async fn is_connected(&self, task: &Task, _container: &str) -> Result<bool, PortError> {
        // Whether the container runs was observed; only whether its Pod is still there isn't known.
        Ok(self.find(&task.key).await?.is_some())
    }

    async fn start(&self, exec: Exec) -> Result<Process, PortError> {
        let Some((api, pod)) = self.find(&exec.task.key).await? else {
            return Err(PortError::not_found("the task's Pod is gone"));
        };
        exec::start(&api, &pod, &exec).await
    }
}

#[async_trait]
impl Orchestrator for KubernetesOrchestrator {
    fn check(&self, _definition: &model::TaskDefinition) -> Result<(), EcsError> {
        // What Kubernetes refuses, it refuses at the launch: that depends on the cluster's own rules.
        Ok(())
    }

    fn untranslated(&self, launch: &Launch) -> Vec<String> {
        let doc = &launch.definition.doc;
        let place = Place { offer: self.offer.clone(), ..Place::default() };
        let notes = translate(&self.identity, &launch.task, doc, &place).notes;
        notes.iter().map(ToString::to_string).collect()
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
        let place = self.place(&task).await?;
        let translation = translate(&self.identity, &task, &definition.doc, &place);
        if self.noted.lock().insert(definition.key.clone()) {
            for note in &translation.notes {
                tracing::warn!(definition = %definition.key.arn(), member = %note.member, "{}", note.what);
            }
        }
        let namespace = namespace_name(self.identity.installation(), &task.key.cluster);
        let made = launch::make(&self.client, &self.identity, &namespace, &translation).await;
        if let Err(error) = &made
            && error.kind == PortErrorKind::NotFound
        {
            // Somebody deleted the namespace behind our back: the next try makes it anew.
            self.ensured.lock().remove(&task.key.cluster);
            return Err(PortError::transient(error.message.clone()));
        }
        made
    }

    async fn stop(&self, order: StopOrder) -> Result<(), PortError> {
        let Some((api, name)) = self.find(&order.task).await? else {
            self.tell_released(&order.task);
            return Ok(());
        };
        let containers =
            order.definition.as_ref().and_then(|found| found.doc.container_definitions.as_deref());
        let grace = containers.map_or(STOP_TIMEOUT, longest_stop);
        // Noted before: the end must not be taken for somebody else's doing.
        self.around.stopping.lock().insert(order.task.clone());
        let parameters =
            DeleteParams { grace_period_seconds: u32::try_from(grace).ok(), ..DeleteParams::default() };
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
        if let Some((api, name)) = self.find(task).await? {
            cluster::release(&api, &name).await?;
        }
        self.around.stopping.lock().remove(task);
        Ok(())
    }

    async fn restore(&self, _tasks: Vec<Launch>) -> Result<(), PortError> {
        // The Pods are there, whatever became of us.
        Ok(())
    }

    fn observe(&self) -> BoxStream<'static, Observation> {
        let (send, aside) = unbounded();
        self.aside.lock().push(send);
        // What is told aside comes after the snapshot, which begins every stream.
        let (began, begin) = oneshot::channel::<()>();
        let mut began = Some(began);
        let aside = begin.into_stream().filter_map(|_| std::future::ready(None)).chain(aside);
        let index: Arc<Mutex<Index>> = Arc::default();
        *self.index.lock() = Arc::clone(&index);
        let around = Arc::clone(&self.around);
        let config = watcher::Config::default().labels(&self.identity.selector());
        let (open, to_open) = unbounded();
        // Whoever would hear it is the stream that this one is a part of.
        let open = move |index: &mut Index| {
            index.take_openings().into_iter().for_each(|gate| drop(open.unbounded_send(gate)));
        };
        let client = self.client.clone();
        let gates = to_open
            .map(move |opening| gate::open(client.clone(), opening))
            .buffer_unordered(GATES_AT_ONCE)
            .filter_map(|()| std::future::ready(None));
        let (seen_by, with, open_by) = (Arc::clone(&index), Arc::clone(&around), open.clone());
        // The watchers begin anew by themselves; the pauses keep them from asking in a hurry.
        let pods = lasting(Api::<Pod>::all(self.client.clone()), config).map(move |event| match event {
            Ok(event) => {
                let mut index = seen_by.lock();
                let seen = index.apply(pod_event(event), &*with);
                open_by(&mut index);
                if let Some(began) = began.take_if(|_| matches!(seen[..], [Observation::Snapshot(_), ..])) {
                    // Whoever would hear it is the stream that this one is a part of.
                    let _ = began.send(());
                }
                seen
            }
            Err(error) => {
                tracing::warn!(%error, "the watch of Pods was interrupted");
                Vec::new()
            }
        });
        let (near, places) = (Arc::clone(&index), Arc::clone(&around));
        let mut listing = BTreeMap::new();
        let nodes =
            lasting(Api::<Node>::all(self.client.clone()), watcher::Config::default()).map(move |event| {
                match event {
                    Ok(event) => {
                        let changed = nodes::note(&mut places.nodes.lock(), &mut listing, event);
                        let mut seen = near.lock().nodes_changed(&*places);
                        seen.extend(changed.then_some(Observation::Instances));
                        seen
                    }
                    Err(error) => {
                        tracing::warn!(%error, "the watch of nodes was interrupted");
                        Vec::new()
                    }
                }
            });
        let (told, with) = (Arc::clone(&index), Arc::clone(&around));
        let failures = watcher::Config::default().fields("reason=Unhealthy,involvedObject.kind=Pod");
        let checks =
            lasting(Api::<core::Event>::all(self.client.clone()), failures).map(move |event| match event {
                Ok(Event::Apply(event) | Event::InitApply(event)) => {
                    let mut index = told.lock();
                    let seen = index.check_failed(&event, &*with);
                    open(&mut index);
                    seen
                }
                Ok(_) => Vec::new(),
                Err(error) => {
                    tracing::warn!(%error, "the watch of failed health checks was interrupted");
                    Vec::new()
                }
            });
        // `select` ends when all have ended, and the watchers never do. What is told together stays together:
        // nothing newer comes between the keys of a snapshot and its states.
        let others = select(aside, gates).map(|told| vec![told]);
        select(select(pods, nodes), select(checks, others)).flat_map(stream::iter).boxed()
    }

    async fn instances(&self, _cluster: &ClusterKey) -> Result<Vec<Instance>, PortError> {
        let index = Arc::clone(&self.index.lock());
        let index = index.lock();
        Ok(self.around.nodes.lock().values().map(|it| with_load(it, index.loads(&it.host))).collect())
    }

    async fn set_instance_status(&self, id: HexId, status: InstanceStatus) -> Result<bool, PortError> {
        let host = self.around.nodes.lock().values().find(|node| node.id == id).map(|node| node.host.clone());
        let Some(host) = host else { return Ok(false) };
        let Some(node) = nodes::cordon(&self.client, &host, status == InstanceStatus::Draining).await? else {
            return Ok(false);
        };
        // The watch tells it a moment later, which would be too late for whoever asks next.
        self.around.nodes.lock().extend(instance_of(&node).map(|it| (it.host.clone(), it)));
        Ok(true)
    }

    async fn instance_count(&self, _cluster: &ClusterKey) -> Result<usize, PortError> {
        Ok(self.around.nodes.lock().len())
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

impl KubernetesOrchestrator {
    /// Where the Pod of a task is made: namespace and name.
    pub fn pod_of(&self, task: &Task) -> (String, String) {
        (namespace_name(self.identity.installation(), &task.key.cluster), name_of(task))
    }
}
