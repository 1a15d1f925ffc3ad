//! What stands beside a workload: the Services by which it is reached, and how many of its Pods a drain may take.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Service, ServicePort, ServiceSpec};
use k8s_openapi::api::policy::v1::{PodDisruptionBudget, PodDisruptionBudgetSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use kecs_domain::model::{ApplicationProtocol, CreateServiceRequest, PortMapping, TransportProtocol};

use super::rollout::Bounds;
use super::template::note;
use super::{ConvertOptions, Definition, metadata, selector};
use crate::names::object_name;
use crate::translate::Note;

/// The Services: one with the workload's name for all its ports, and one for each name that Service Connect gives it.
pub(super) fn services(
    service: &CreateServiceRequest,
    definition: &Definition,
    name: &str,
    labels: &BTreeMap<String, String>,
    options: &ConvertOptions,
    notes: &mut Vec<Note>,
) -> Vec<Service> {
    let mut by_name: Vec<(String, Vec<ServicePort>)> = Vec::new();
    let own: Vec<_> = mappings(definition).filter_map(|it| port(it, None, None)).collect();
    if !own.is_empty() {
        by_name.push((name.to_owned(), own));
    }
    let connect = service.service_connect_configuration.as_ref().filter(|it| it.enabled);
    for (index, item) in connect.iter().flat_map(|it| it.services.iter().flatten()).enumerate() {
        let path = format!("serviceConnectConfiguration.services[{index}]");
        let Some(mapping) = mappings(definition).find(|it| it.name.as_ref() == Some(&item.port_name)) else {
            notes.push(note(format!("{path}.portName"), "The task definition has no port of this name."));
            continue;
        };
        if item.tls.is_some() || item.timeout.is_some() {
            notes.push(note(path.clone(), "TLS and timeouts need a service mesh: they are left out."));
        }
        let discovered = item.discovery_name.as_deref().unwrap_or(&item.port_name);
        let aliases = item.client_aliases.as_deref().unwrap_or_default();
        for (number, alias) in aliases.iter().enumerate() {
            let told = alias.dns_name.as_deref().unwrap_or(discovered);
            if told.contains('.') {
                notes.push(note(
                    format!("{path}.clientAliases[{number}].dnsName"),
                    "A Service has a name without dots, within its namespace.",
                ));
            }
            add(&mut by_name, object_name(told), port(mapping, Some(alias.port), Some(&item.port_name)));
        }
        if aliases.is_empty() {
            add(&mut by_name, object_name(discovered), port(mapping, None, Some(&item.port_name)));
        }
    }
    by_name
        .into_iter()
        .map(|(called, ports)| Service {
            metadata: metadata(&called, labels.clone(), options),
            spec: Some(ServiceSpec {
                selector: Some(selector(name)),
                ports: Some(named(ports)),
                ..ServiceSpec::default()
            }),
            status: None,
        })
        .collect()
}

fn mappings(definition: &Definition) -> impl Iterator<Item = &PortMapping> {
    definition
        .doc
        .container_definitions
        .iter()
        .flatten()
        .flat_map(|container| container.port_mappings.iter().flatten())
}

/// A port of a Service to that of a container. Ranges have no counterpart.
fn port(mapping: &PortMapping, outside: Option<i32>, called: Option<&str>) -> Option<ServicePort> {
    let inside = mapping.container_port?;
    let protocol = mapping.protocol.unwrap_or(TransportProtocol::Tcp);
    let app_protocol = mapping.app_protocol.map(|protocol| match protocol {
        ApplicationProtocol::Http => "http".to_owned(),
        // What is spoken without TLS. (Kubernetes documentation, Application protocol)
        ApplicationProtocol::Http2 | ApplicationProtocol::Grpc => "kubernetes.io/h2c".to_owned(),
    });
    Some(ServicePort {
        name: called.or(mapping.name.as_deref()).map(object_name),
        port: outside.unwrap_or(inside),
        target_port: Some(IntOrString::Int(inside)),
        protocol: Some(protocol.as_str().to_ascii_uppercase()),
        app_protocol,
        node_port: None,
    })
}

fn add(all: &mut Vec<(String, Vec<ServicePort>)>, name: String, port: Option<ServicePort>) {
    let Some(port) = port else { return };
    match all.iter_mut().find(|(known, _)| *known == name) {
        Some((_, ports)) => ports.push(port),
        None => all.push((name, vec![port])),
    }
}

/// One of each port; where there are several, each has a name of its own, as Kubernetes wants it.
fn named(ports: Vec<ServicePort>) -> Vec<ServicePort> {
    let mut kept: Vec<ServicePort> = Vec::new();
    for port in ports {
        if !kept.iter().any(|it| it.port == port.port && it.protocol == port.protocol) {
            kept.push(port);
        }
    }
    if kept.len() > 1 {
        for index in 0..kept.len() {
            let taken = kept[..index].iter().any(|it| it.name == kept[index].name);
            let port = &mut kept[index];
            if port.name.is_none() || taken {
                let protocol = port.protocol.as_deref().unwrap_or("TCP").to_ascii_lowercase();
                port.name = Some(format!("{protocol}-{}", port.port));
            }
        }
    }
    kept
}

/// The least that a drain of nodes leaves running, as ECS's draining keeps `minimumHealthyPercent`.
pub(super) fn disruption_budget(
    service: &CreateServiceRequest,
    bounds: Bounds,
    name: &str,
    labels: &BTreeMap<String, String>,
    options: &ConvertOptions,
    notes: &mut Vec<Note>,
) -> Option<PodDisruptionBudget> {
    if bounds.minimum <= 0 {
        return None;
    }
    let count = service.desired_count.unwrap_or(0);
    let least = (i64::from(count) * i64::from(bounds.minimum) + 99) / 100;
    let mut spec = PodDisruptionBudgetSpec {
        selector: Some(LabelSelector { match_labels: Some(selector(name)), ..LabelSelector::default() }),
        ..PodDisruptionBudgetSpec::default()
    };
    if least >= i64::from(count) {
        notes.push(note(
            "deploymentConfiguration.minimumHealthyPercent",
            "ECS starts the replacement of a task before it drains its instance. Kubernetes evicts first: the \
             PodDisruptionBudget lets one Pod go at a time, as none at all would block every drain.",
        ));
        spec.max_unavailable = Some(IntOrString::Int(1));
    } else {
        spec.min_available = Some(IntOrString::String(format!("{}%", bounds.minimum)));
    }
    Some(PodDisruptionBudget {
        metadata: metadata(name, labels.clone(), options),
        spec: Some(spec),
        status: None,
    })
}
