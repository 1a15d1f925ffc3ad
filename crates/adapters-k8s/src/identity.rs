//! How our objects are known as ours: labels for people and selectors, annotations for what labels can't hold.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kecs_domain::Scope;
use kecs_domain::arn::{Arn, ClusterKey, TaskKey, cluster_ref, task_ref};
use kecs_domain::daemon::daemon_task_definition_arn;
use kecs_domain::task::Task;

use crate::names::{dns_label, label_value};

/// The prefix of all our labels, annotations and finalizers.
pub const PREFIX: &str = "kecs.dev/";

/// Keeps a Pod readable until its end is stored.
pub(crate) const FINALIZER: &str = "kecs.dev/task";
/// Which installation an object belongs to.
pub(crate) const INSTALLATION: &str = "kecs.dev/installation";
/// The task's ARN in full.
pub(crate) const TASK_ARN: &str = "kecs.dev/task-arn";
/// The task's network mode: who shows a Pod's address has to know it.
pub(crate) const NETWORK_MODE: &str = "kecs.dev/network-mode";
/// The names that containers have in the task definition, by the names that they have in the Pod, where these differ.
pub(crate) const CONTAINER_NAMES: &str = "kecs.dev/container-names";
/// What of the task definition the Pod doesn't do.
pub(crate) const NOT_TRANSLATED: &str = "kecs.dev/not-translated";
/// The cluster's ARN in full.
pub(crate) const CLUSTER_ARN: &str = "kecs.dev/cluster-arn";

/// Writes and reads the marks of one installation.
#[derive(Clone, Debug)]
pub struct Identity {
    installation: String,
}

impl Identity {
    /// The marks of `installation`: two with different names share a Kubernetes without seeing each other.
    pub fn new(installation: impl Into<String>) -> Self {
        Self { installation: installation.into() }
    }

    /// The installation's name.
    pub fn installation(&self) -> &str {
        &self.installation
    }

    /// Selects our objects.
    pub(crate) fn selector(&self) -> String {
        format!("{INSTALLATION}={}", label_value(&self.installation))
    }

    fn labels(&self, scope: &Scope, cluster: &str) -> BTreeMap<String, String> {
        [
            ("app.kubernetes.io/managed-by", "kecs".to_owned()),
            (INSTALLATION, label_value(&self.installation)),
            ("kecs.dev/account", label_value(scope.account())),
            ("kecs.dev/region", label_value(scope.region())),
            ("kecs.dev/cluster", label_value(cluster)),
        ]
        .into_iter()
        .map(|(key, value)| (key.to_owned(), value))
        .collect()
    }

    /// The marks of a cluster's namespace.
    pub(crate) fn of_cluster(
        &self,
        cluster: &ClusterKey,
    ) -> (BTreeMap<String, String>, BTreeMap<String, String>) {
        let annotations = BTreeMap::from([(CLUSTER_ARN.to_owned(), cluster.arn())]);
        (self.labels(&cluster.scope, cluster.name.as_str()), annotations)
    }

    /// The marks of a task's Pod.
    pub(crate) fn of_task(&self, task: &Task) -> (BTreeMap<String, String>, BTreeMap<String, String>) {
        let mut labels = self.labels(&task.key.cluster.scope, task.key.cluster.name.as_str());
        labels.insert("kecs.dev/task".to_owned(), task.key.id.to_string());
        labels.insert("kecs.dev/family".to_owned(), label_value(task.definition.family.as_str()));
        labels.insert("kecs.dev/revision".to_owned(), task.definition.revision.to_string());
        if let Some(service) = &task.service {
            labels.insert("kecs.dev/service".to_owned(), label_value(service.name.as_str()));
            labels.insert("kecs.dev/deployment".to_owned(), service.deployment.number().to_string());
        }
        if let Some(daemon) = &task.daemon {
            labels.insert("kecs.dev/daemon".to_owned(), label_value(daemon.name.as_str()));
        }
        let definition = match task.daemon {
            None => task.definition.arn(),
            Some(_) => daemon_task_definition_arn(&task.definition),
        };
        let annotations = BTreeMap::from([
            (TASK_ARN.to_owned(), task.key.arn()),
            ("kecs.dev/task-definition-arn".to_owned(), definition),
        ]);
        (labels, annotations)
    }

    /// Whether an object is this installation's.
    pub(crate) fn owns(&self, metadata: &ObjectMeta) -> bool {
        let label = metadata.labels.as_ref().and_then(|labels| labels.get(INSTALLATION));
        label.is_some_and(|label| *label == label_value(&self.installation))
    }
}

/// Whether two Pods are of the same task.
pub(crate) fn same_task(left: &ObjectMeta, right: &ObjectMeta) -> bool {
    task_of(left).is_some_and(|task| task_of(right) == Some(task))
}

/// The names that containers have in the task definition.
pub(crate) struct ContainerNames(BTreeMap<String, String>);

impl ContainerNames {
    /// Those of a Pod.
    pub(crate) fn of(metadata: &ObjectMeta) -> Self {
        let text = metadata.annotations.as_ref().and_then(|all| all.get(CONTAINER_NAMES));
        Self(text.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default())
    }

    /// The name in the task definition of the container that the Pod calls so.
    pub(crate) fn get<'a>(&'a self, in_pod: &'a str) -> &'a str {
        self.0.get(in_pod).map_or(in_pod, String::as_str)
    }

    /// The annotation for containers of these names. None if the Pod calls them all the same.
    pub(crate) fn annotation<'a>(names: impl Iterator<Item = &'a str>) -> Option<String> {
        let pairs = names.map(|name| (dns_label(name), name)).filter(|(in_pod, name)| in_pod != name);
        let differing: BTreeMap<_, _> = pairs.collect();
        if differing.is_empty() { None } else { serde_json::to_string(&differing).ok() }
    }
}

/// The task that a Pod is, read from its annotation.
pub(crate) fn task_of(metadata: &ObjectMeta) -> Option<TaskKey> {
    let arn = metadata.annotations.as_ref()?.get(TASK_ARN)?;
    let parsed = Arn::parse(arn)?;
    let scope = Scope::new(parsed.account, parsed.region);
    let cluster = cluster_ref(&scope, Some(parsed.rest.split('/').next()?)).ok()?;
    task_ref(&cluster, arn).ok()
}
