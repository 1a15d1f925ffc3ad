//! The nodes: what is known of them, and the one thing that is changed of them.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::Node;
use kecs_usecases::ports::{Instance, PortError};
use kube::api::{Api, Patch, PatchParams};
use kube::runtime::watcher::Event;
use kube::{Client, ResourceExt as _};

use crate::error::{is_status, port_error};
use crate::observe::instance_of;

/// Keeps the nodes as they are. A new list replaces them at once. Returns whether any is another now; the times and
/// images that a node tells of itself now and then are none of our concern.
pub(crate) fn note(
    nodes: &mut BTreeMap<String, Instance>,
    listing: &mut BTreeMap<String, Instance>,
    event: Event<Node>,
) -> bool {
    match event {
        Event::Init => {
            listing.clear();
            false
        }
        Event::InitApply(node) => {
            listing.extend(instance_of(&node).map(|it| (it.host.clone(), it)));
            false
        }
        Event::InitDone => {
            let before = std::mem::replace(nodes, std::mem::take(listing));
            before != *nodes
        }
        Event::Apply(node) => {
            let name = node.name_any();
            match instance_of(&node) {
                Some(instance) => {
                    nodes.insert(name, instance.clone()).is_none_or(|before| before != instance)
                }
                None => nodes.remove(&name).is_some(),
            }
        }
        Event::Delete(node) => nodes.remove(&node.name_any()).is_some(),
    }
}

/// Cordons or uncordons a node; the node as it is then. None if it is gone, or if we may not: cordoning is a right that
/// not everybody wants to give.
pub(crate) async fn cordon(
    client: &Client,
    name: &str,
    unschedulable: bool,
) -> Result<Option<Node>, PortError> {
    let api: Api<Node> = Api::all(client.clone());
    let patch = serde_json::json!({"spec": {"unschedulable": unschedulable}});
    match api.patch(name, &PatchParams::default(), &Patch::Merge(&patch)).await {
        Ok(node) => Ok(Some(node)),
        Err(error) if is_status(&error, 404) => Ok(None),
        Err(error) if is_status(&error, 403) => {
            tracing::warn!(node = %name, %error, "the node is not cordoned: it drains in one cluster only");
            Ok(None)
        }
        Err(error) => Err(port_error("cordoning a node", &error)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn node(name: &str, unschedulable: bool, beat: &str) -> Node {
        serde_json::from_value(json!({
            "metadata": {"name": name, "resourceVersion": beat},
            "spec": {"unschedulable": unschedulable},
            "status": {"conditions": [{"type": "Ready", "status": "True", "lastHeartbeatTime": beat}]}
        }))
        .unwrap()
    }

    #[test]
    fn a_sign_of_life_is_no_change_and_a_cordon_is() {
        let (mut nodes, mut listing) = (BTreeMap::new(), BTreeMap::new());
        let mut note = |event| note(&mut nodes, &mut listing, event);
        let (early, late) = ("2026-01-01T00:00:00Z", "2026-01-01T00:05:00Z");
        assert!(!note(Event::Init));
        assert!(!note(Event::InitApply(node("a", false, early))));
        assert!(note(Event::InitDone));
        assert!(!note(Event::Apply(node("a", false, late))));
        assert!(note(Event::Apply(node("a", true, late))));
        assert!(note(Event::Apply(node("b", false, late))));
        assert!(note(Event::Delete(node("b", false, late))));
        assert!(!note(Event::Delete(node("b", false, late))));
        assert!(!note(Event::Init));
        assert!(!note(Event::InitApply(node("a", true, late))));
        assert!(!note(Event::InitDone), "the same list again");
    }
}
