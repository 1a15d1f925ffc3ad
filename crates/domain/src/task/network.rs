//! A task's network interface: the attachment from PRECREATED to DELETED, and what its containers show of it.

use super::NetworkObservation;
use crate::Timestamp;
use crate::generated as model;

/// The type of the attachment.
const KIND: &str = "ElasticNetworkInterface";

fn detail(name: &str, value: &str) -> model::KeyValuePair {
    model::KeyValuePair { name: Some(name.to_owned()), value: Some(value.to_owned()) }
}

/// The attachment of a new task: only its subnet is known.
pub(super) fn precreated(id: String, network: Option<&model::NetworkConfiguration>) -> model::Attachment {
    let subnet = network
        .and_then(|network| network.awsvpc_configuration.as_ref())
        .and_then(|vpc| vpc.subnets.first())
        .map_or("", String::as_str);
    model::Attachment {
        id: Some(id),
        r#type: Some(KIND.to_owned()),
        status: Some("PRECREATED".to_owned()),
        details: Some(vec![detail("subnetId", subnet)]),
    }
}

fn interface(task: &mut model::Task) -> Option<&mut model::Attachment> {
    task.attachments.iter_mut().flatten().find(|attachment| attachment.r#type.as_deref() == Some(KIND))
}

fn is_at(attachment: &model::Attachment, status: &str) -> bool {
    attachment.status.as_deref() == Some(status)
}

/// Whether the task has, or had, a network interface of its own.
pub(super) fn has_interface(task: &model::Task) -> bool {
    task.attachments.iter().flatten().any(|attachment| attachment.r#type.as_deref() == Some(KIND))
}

/// Shows that the task can be reached, since the first time.
pub(super) fn connect(task: &mut model::Task, at: Timestamp) {
    task.connectivity = Some(model::Connectivity::Connected);
    task.connectivity_at.get_or_insert(at);
}

/// Shows the address that the task got. Says nothing new the second time.
pub(super) fn attach(task: &mut model::Task, network: &NetworkObservation) {
    connect(task, network.connected_at);
    let Some(attachment) = interface(task).filter(|attachment| is_at(attachment, "PRECREATED")) else {
        return;
    };
    attachment.status = Some("ATTACHED".to_owned());
    let id = attachment.id.clone();
    let details = attachment.details.get_or_insert_default();
    details.push(detail("networkInterfaceId", &network.interface_id));
    if let Some(mac) = &network.mac {
        details.push(detail("macAddress", mac));
    }
    details.push(detail("privateDnsName", &network.private_dns_name));
    details.push(detail("privateIPv4Address", &network.private_ipv4));
    for container in task.containers.iter_mut().flatten() {
        container.network_interfaces = Some(vec![model::NetworkInterface {
            attachment_id: id.clone(),
            private_ipv4_address: Some(network.private_ipv4.clone()),
            ..Default::default()
        }]);
    }
}

/// Shows that the address is given back.
pub(super) fn detach(task: &mut model::Task) {
    let Some(attachment) = interface(task) else { return };
    if is_at(attachment, "PRECREATED") {
        attachment.details.get_or_insert_default().push(detail("networkInterfaceId", "unset"));
    }
    attachment.status = Some("DELETED".to_owned());
}
