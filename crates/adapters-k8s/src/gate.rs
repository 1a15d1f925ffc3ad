//! Gates: how a container waits for the end of another one, whatever its exit code, which Kubernetes can't express.
//!
//! The container takes variables from a ConfigMap that isn't there, and has none in it: the node leaves the container
//! alone (CreateContainerConfigError) and looks again. When what it waits for has come true, the ConfigMap is made, and
//! the Pod touched, so that the node looks at once. What is waited for stands in an annotation of the Pod: whoever
//! observes it needs to know nothing else, also after a restart.

use std::collections::BTreeMap;
use std::time::Duration;

use k8s_openapi::api::core::v1::{ConfigMap, ConfigMapEnvSource, ContainerStatus, EnvFromSource, Pod};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use kecs_domain::model::{ContainerCondition, ContainerDefinition, HealthStatus};
use kecs_domain::task::{ContainerObservation, ContainerState};
use kube::Client;
use kube::api::{Api, ObjectMeta, Patch, PatchParams, PostParams};

use crate::error::{already_exists, is_status};
use crate::names::dns_label;

/// The gates of a Pod: container, what it depends on, condition.
pub(crate) const GATES: &str = "kecs.dev/gates";
/// The gates that are open. Written to be seen by the node; it is read by nobody.
const OPENED: &str = "kecs.dev/gates-opened";

const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// The ConfigMap that is the gate of a container.
fn config_map_name(pod: &str, container: &str) -> String {
    format!("{pod}.{}", dns_label(container))
}

/// What makes a container wait.
pub(crate) fn closed(pod: &str, container: &str) -> EnvFromSource {
    let source = ConfigMapEnvSource { name: config_map_name(pod, container), optional: None };
    EnvFromSource { config_map_ref: Some(source), ..EnvFromSource::default() }
}

/// What a container may be told about its gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Wait,
    Open,
    Never,
}

/// The gates of one Pod.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Gates(BTreeMap<String, BTreeMap<String, ContainerCondition>>);

impl Gates {
    /// A gate for each of these containers.
    pub(crate) fn for_containers<'a>(containers: impl Iterator<Item = &'a ContainerDefinition>) -> Self {
        let conditions = |container: &ContainerDefinition| {
            let all = container.depends_on.iter().flatten();
            all.map(|dependency| (dependency.container_name.clone(), dependency.condition)).collect()
        };
        Self(containers.filter_map(|it| Some((it.name.clone()?, conditions(it)))).collect())
    }

    /// The gates that a Pod was made with.
    pub(crate) fn of(pod: &Pod) -> Self {
        let text = pod.metadata.annotations.as_ref().and_then(|all| all.get(GATES));
        Self(text.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default())
    }

    /// As an annotation. None without gates.
    pub(crate) fn annotation(&self) -> Option<String> {
        if self.0.is_empty() { None } else { serde_json::to_string(&self.0).ok() }
    }

    /// Whether the container waits for nothing but its gate.
    pub(crate) fn holds(&self, pod: &str, container: &str, status: &ContainerStatus) -> bool {
        let waiting = status.state.as_ref().and_then(|state| state.waiting.as_ref());
        self.0.contains_key(container)
            && waiting.is_some_and(|waiting| {
                let message = waiting.message.as_deref().unwrap_or_default();
                waiting.reason.as_deref() == Some("CreateContainerConfigError")
                    && message.contains(&format!("\"{}\"", config_map_name(pod, container)))
            })
    }

    /// The containers whose gates are to be opened, as the task looks now. None when one of them never can be: then
    /// the task can't start.
    pub(crate) fn to_open(&self, seen: &[ContainerObservation]) -> Option<Vec<&str>> {
        let find = |name: &str| seen.iter().find(|one| one.name == name);
        let mut open = Vec::new();
        for (container, conditions) in &self.0 {
            if find(container).is_some_and(|one| one.state != ContainerState::Pending) {
                continue;
            }
            let all = conditions.iter().map(|(name, condition)| {
                find(name).map_or(Verdict::Wait, |other| verdict(other, *condition))
            });
            let all: Vec<_> = all.collect();
            if all.contains(&Verdict::Never) {
                return None;
            }
            if all.iter().all(|verdict| *verdict == Verdict::Open) {
                open.push(container.as_str());
            }
        }
        Some(open)
    }
}

fn verdict(other: &ContainerObservation, condition: ContainerCondition) -> Verdict {
    let ended = other.state == ContainerState::Stopped;
    let (true_now, possible) = match condition {
        ContainerCondition::Start => (other.started_at.is_some(), !ended),
        ContainerCondition::Complete => (ended && other.exit_code.is_some(), !ended),
        ContainerCondition::Success => (other.exit_code == Some(0), !ended),
        ContainerCondition::Healthy => (
            other.health == Some(HealthStatus::Healthy) && !ended,
            !ended && other.health != Some(HealthStatus::Unhealthy),
        ),
    };
    match (true_now, possible) {
        (true, _) => Verdict::Open,
        (false, true) => Verdict::Wait,
        (false, false) => Verdict::Never,
    }
}

/// A gate to be opened.
#[derive(Clone, Debug)]
pub struct Opening {
    namespace: String,
    pod: String,
    uid: String,
    labels: BTreeMap<String, String>,
    container: String,
}

impl Opening {
    /// That of a container of a Pod.
    pub(crate) fn new(pod: &Pod, container: &str) -> Option<Self> {
        let metadata = pod.metadata.clone();
        Some(Self {
            namespace: metadata.namespace?,
            pod: metadata.name?,
            uid: metadata.uid?,
            labels: metadata.labels.unwrap_or_default(),
            container: container.to_owned(),
        })
    }

    fn config_map(&self) -> ConfigMap {
        // It goes with the Pod.
        let owner = OwnerReference {
            api_version: "v1".to_owned(),
            kind: "Pod".to_owned(),
            name: self.pod.clone(),
            uid: self.uid.clone(),
            ..OwnerReference::default()
        };
        ConfigMap {
            metadata: ObjectMeta {
                name: Some(config_map_name(&self.pod, &self.container)),
                namespace: Some(self.namespace.clone()),
                labels: Some(self.labels.clone()),
                owner_references: Some(vec![owner]),
                ..ObjectMeta::default()
            },
            ..ConfigMap::default()
        }
    }
}

/// Opens a gate, and doesn't give up before the Pod is gone.
pub(crate) async fn open(client: Client, opening: Opening) {
    let mut pause = FIRST_PAUSE;
    while let Err(error) = try_open(&client, &opening).await {
        if is_status(&error, 404) {
            return;
        }
        tracing::warn!(pod = %opening.pod, container = %opening.container, %error, "a container still waits for its gate");
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

async fn try_open(client: &Client, opening: &Opening) -> kube::Result<()> {
    let maps: Api<ConfigMap> = Api::namespaced(client.clone(), &opening.namespace);
    match maps.create(&PostParams::default(), &opening.config_map()).await {
        Ok(_) => {}
        Err(error) if already_exists(&error) => {}
        Err(error) => return Err(error),
    }
    let pods: Api<Pod> = Api::namespaced(client.clone(), &opening.namespace);
    let patch = serde_json::json!({"metadata": {"annotations": {OPENED: opening.container}}});
    pods.patch(&opening.pod, &PatchParams::default(), &Patch::Strategic(&patch)).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ended(name: &str, code: i32) -> ContainerObservation {
        ContainerObservation {
            state: ContainerState::Stopped,
            exit_code: Some(code),
            started_at: Some(kecs_domain::Timestamp::from_millis(1)),
            ..ContainerObservation::pending(name)
        }
    }

    fn gates(condition: ContainerCondition) -> Gates {
        Gates(BTreeMap::from([("web".to_owned(), BTreeMap::from([("other".to_owned(), condition)]))]))
    }

    #[test]
    fn a_gate_opens_when_its_conditions_are_met_and_never_when_they_cannot_be() {
        use ContainerCondition::{Complete, Healthy, Start, Success};
        let pending = ContainerObservation::pending("other");
        let running = ContainerObservation {
            state: ContainerState::Running,
            started_at: Some(kecs_domain::Timestamp::from_millis(1)),
            ..pending.clone()
        };
        let health = |health| ContainerObservation { health: Some(health), ..running.clone() };
        let never_began = ContainerObservation { state: ContainerState::Stopped, ..pending.clone() };
        for (other, condition, expected) in [
            (&pending, Start, Some(false)),
            (&running, Start, Some(true)),
            (&ended("other", 3), Start, Some(true)),
            (&never_began, Start, None),
            (&running, Complete, Some(false)),
            (&ended("other", 3), Complete, Some(true)),
            (&ended("other", 0), Complete, Some(true)),
            (&never_began, Complete, None),
            (&running, Success, Some(false)),
            (&ended("other", 0), Success, Some(true)),
            (&ended("other", 3), Success, None),
            (&running, Healthy, Some(false)),
            (&health(HealthStatus::Healthy), Healthy, Some(true)),
            (&health(HealthStatus::Unhealthy), Healthy, None),
            (&ended("other", 0), Healthy, None),
        ] {
            let seen = [other.clone(), ContainerObservation::pending("web")];
            let open = gates(condition).to_open(&seen).map(|open| !open.is_empty());
            assert_eq!(open, expected, "{condition} of {other:?}");
        }
    }

    #[test]
    fn a_container_that_has_begun_has_no_gate_any_more() {
        let seen = [ended("other", 3), ended("web", 0)];
        assert_eq!(gates(ContainerCondition::Success).to_open(&seen), Some(vec![]));
    }

    #[test]
    fn gates_are_read_back_from_the_annotation() {
        let gates = gates(ContainerCondition::Complete);
        let annotations = BTreeMap::from([(GATES.to_owned(), gates.annotation().unwrap())]);
        let metadata = ObjectMeta { annotations: Some(annotations), ..ObjectMeta::default() };
        assert_eq!(Gates::of(&Pod { metadata, ..Pod::default() }), gates);
    }
}
