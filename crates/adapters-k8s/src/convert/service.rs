//! A service as a Deployment, or as a DaemonSet where it runs once on each instance.

use std::collections::BTreeMap;

use k8s_openapi::api::apps::v1::{DaemonSet, DaemonSetSpec, Deployment, DeploymentSpec};
use k8s_openapi::api::core::v1::{PodSpec, PodTemplateSpec, Probe};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use kecs_domain::model::{ContainerDefinition, CreateServiceRequest, SchedulingStrategy};
use kube::api::ObjectMeta;

use super::rollout::{Bounds, note_configuration};
use super::template::{Template, all_containers, labels, note, template, title};
use super::{
    Conversion, ConvertError, ConvertOptions, Definition, Service, expose, metadata, object, placement,
    selector,
};
use crate::names::dns_label;
use crate::translate::Note;

/// Converts a service with its task definition.
pub(super) fn convert(
    service: &Service,
    definition: &Definition,
    name: &str,
    options: &ConvertOptions,
) -> Result<Conversion, ConvertError> {
    let request = &service.request;
    let place = service.place.as_str();
    let Template { mut spec, notes: mut of_definition } = template(definition)?;
    let mut notes = service.notes.clone();
    keep_running(definition, &mut spec, &mut notes);
    placement::place(request, name, &mut spec, &mut notes);
    let daemon = request.scheduling_strategy == Some(SchedulingStrategy::Daemon);
    let bounds = Bounds::of(request, daemon);
    note_configuration(request, &mut notes);
    note_surroundings(request, &mut notes);
    let labels = labels(name, request.tags.as_deref().unwrap_or_default(), "tags", &mut notes);

    let template = PodTemplateSpec {
        metadata: Some(ObjectMeta { labels: Some(labels.clone()), ..ObjectMeta::default() }),
        spec: Some(spec),
    };
    let ours = LabelSelector { match_labels: Some(selector(name)), ..LabelSelector::default() };
    let head = metadata(name, labels.clone(), options);
    let mut objects = Vec::new();
    if daemon {
        let spec = DaemonSetSpec {
            selector: ours,
            template,
            update_strategy: Some(bounds.daemon_set()),
            ..DaemonSetSpec::default()
        };
        objects.push(object(place, &DaemonSet { metadata: head, spec, status: None })?);
    } else {
        let spec = DeploymentSpec {
            replicas: Some(request.desired_count.unwrap_or(0)),
            selector: ours,
            strategy: Some(bounds.deployment(&mut notes)),
            template,
            ..DeploymentSpec::default()
        };
        objects.push(object(place, &Deployment { metadata: head, spec, status: None })?);
    }
    for service in expose::services(request, definition, name, &labels, options, &mut notes) {
        objects.push(object(place, &service)?);
    }
    if !daemon
        && let Some(budget) = expose::disruption_budget(request, bounds, name, &labels, options, &mut notes)
    {
        objects.push(object(place, &budget)?);
    }
    of_definition.append(&mut notes);
    let of = format!("the service {}, of the task definition {}", request.service_name, title(definition));
    Ok(Conversion { of, objects, notes: of_definition })
}

/// What ECS's scheduler does by starting another task, the kubelet does by starting the container again.
fn keep_running(definition: &Definition, spec: &mut PodSpec, notes: &mut Vec<Note>) {
    // The only policy that Deployments and DaemonSets take.
    spec.restart_policy = Some("Always".to_owned());
    let sidecars: Vec<_> =
        spec.init_containers.iter().flatten().map(|container| container.name.clone()).collect();
    let all = definition.doc.container_definitions.as_deref().unwrap_or_default();
    let name = |it: &ContainerDefinition| dns_label(it.name.as_deref().unwrap_or_default());
    let essential: BTreeMap<_, _> = all.iter().map(|it| (name(it), it.essential != Some(false))).collect();
    for container in all_containers(spec).filter(|it| !sidecars.contains(&it.name)) {
        if essential.get(container.name.as_str()).copied().unwrap_or(true) {
            // ECS stops a task whose essential container is unhealthy, and the service starts another one.
            let check = container.readiness_probe.as_ref();
            container.liveness_probe = check.map(|check| Probe { success_threshold: None, ..check.clone() });
        } else if container.restart_policy.is_none() {
            container.restart_policy = Some("Never".to_owned());
            let index = all.iter().position(|it| name(it) == container.name);
            notes.push(note(
                format!("containerDefinitions[{}].essential", index.unwrap_or_default()),
                "The container is left ended, as in ECS: that needs Kubernetes 1.35. Before, drop its restartPolicy, and \
                 it is started again.",
            ));
        }
    }
    if essential.values().filter(|essential| **essential).count() > 1 {
        notes.push(note(
            "containerDefinitions",
            "When an essential container ends, ECS replaces the whole task. Kubernetes starts this container again and \
             leaves the others alone.",
        ));
    }
}

/// What of a service is about AWS's other services.
fn note_surroundings(request: &CreateServiceRequest, notes: &mut Vec<Note>) {
    let mut says = |is: bool, member: &str, what: &str| {
        if is {
            notes.push(note(member, what));
        }
    };
    fn given<T>(list: &Option<Vec<T>>) -> bool {
        list.as_ref().is_some_and(|list| !list.is_empty())
    }
    says(
        given(&request.load_balancers),
        "loadBalancers",
        "Nothing outside of the cluster leads to the Service yet: put an Ingress or a Gateway in front, or make it one of \
         type LoadBalancer.",
    );
    says(
        given(&request.service_registries),
        "serviceRegistries",
        "No names are registered in AWS Cloud Map: the Service has one within the cluster.",
    );
    says(
        given(&request.capacity_provider_strategy),
        "capacityProviderStrategy",
        "Which nodes the Pods go to is written as a nodeSelector, affinity or toleration: none is written here.",
    );
    says(
        request.network_configuration.is_some(),
        "networkConfiguration",
        "Subnets and security groups have no counterpart in a Pod: a NetworkPolicy says who may talk to whom.",
    );
    says(
        request.health_check_grace_period_seconds.is_some_and(|seconds| seconds > 0),
        "healthCheckGracePeriodSeconds",
        "No load balancer checks the Pods; a container that is slow to start gets a startup probe.",
    );
    says(
        given(&request.volume_configurations),
        "volumeConfigurations",
        "Volumes that are made for each task need a volume claim template or a generic ephemeral volume.",
    );
    says(given(&request.vpc_lattice_configurations), "vpcLatticeConfigurations", "VPC Lattice is left out.");
    says(given(&request.gateway_connectors), "gatewayConnectors", "Gateways are left out.");
    says(request.monitoring.is_some(), "monitoring", "What watches the service is left out.");
    let connect = request.service_connect_configuration.as_ref().filter(|it| it.enabled);
    says(
        connect.is_some(),
        "serviceConnectConfiguration",
        "Its names are Services; retries, metrics and logs of its proxy need a service mesh.",
    );
}
