//! Health checks that fail: Kubernetes' status says only that a container isn't ready, its Events say how often a
//! check has failed.

use std::collections::HashMap;

use k8s_openapi::api::core::v1::{Event, Pod};

/// How often each container's check has failed, by Pod and Event: an Event that is told again has counted on.
#[derive(Default)]
pub(super) struct Failures(HashMap<String, HashMap<String, HashMap<String, i32>>>);

impl Failures {
    /// Takes in an Event of reason `Unhealthy`; the id of the Pod that it is about. Those of Pods that aren't ours
    /// are few, and go with [`Failures::retain`].
    pub(super) fn note(&mut self, event: &Event) -> Option<String> {
        let about = &event.involved_object;
        let pod = about.uid.clone()?;
        let container = about.field_path.as_deref()?.split_once('{')?.1.strip_suffix('}')?.to_owned();
        let series = event.series.as_ref().and_then(|series| series.count);
        let count = series.or(event.count).unwrap_or(1);
        let events = self.0.entry(pod.clone()).or_default().entry(container).or_default();
        events.insert(event.metadata.name.clone()?, count);
        Some(pod)
    }

    /// Whether the container's check has failed as often as it may.
    pub(super) fn is_unhealthy(&self, pod: &Pod, container: &str) -> bool {
        let failed = pod
            .metadata
            .uid
            .as_ref()
            .and_then(|uid| self.0.get(uid)?.get(container))
            .map_or(0, |events| events.values().sum());
        let spec = pod.spec.as_ref();
        let probe = spec
            .and_then(|spec| {
                let mut all = spec.containers.iter().chain(spec.init_containers.iter().flatten());
                all.find(|one| one.name == container)
            })
            .and_then(|one| one.readiness_probe.as_ref());
        probe.is_some_and(|probe| failed >= probe.failure_threshold.unwrap_or(3))
    }

    /// Forgets the Pod.
    pub(super) fn forget(&mut self, uid: &str) {
        self.0.remove(uid);
    }

    /// Keeps those of these Pods only.
    pub(super) fn retain(&mut self, is_known: impl Fn(&str) -> bool) {
        self.0.retain(|uid, _| is_known(uid));
    }
}
