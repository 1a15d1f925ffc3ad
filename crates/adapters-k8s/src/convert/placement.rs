//! Where Pods go: spread and constraints.

use k8s_openapi::api::core::v1::{
    Affinity, PodAffinityTerm, PodAntiAffinity, PodSpec, TopologySpreadConstraint,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use kecs_domain::model::{
    AvailabilityZoneRebalancing, CreateServiceRequest, PlacementConstraintType, PlacementStrategyType,
};

use super::selector;
use super::template::note;
use crate::translate::Note;

const ZONE: &str = "topology.kubernetes.io/zone";
const NODE: &str = "kubernetes.io/hostname";

/// Writes the placement of a service into the template of its Pods.
pub(super) fn place(service: &CreateServiceRequest, name: &str, spec: &mut PodSpec, notes: &mut Vec<Note>) {
    let mut over: Vec<String> = Vec::new();
    for (index, strategy) in service.placement_strategy.iter().flatten().enumerate() {
        let member = format!("placementStrategy[{index}]");
        match strategy.r#type {
            Some(PlacementStrategyType::Spread) => {
                let key = topology(strategy.field.as_deref().unwrap_or("instanceId"));
                if !over.contains(&key) {
                    over.push(key);
                }
            }
            Some(PlacementStrategyType::Binpack) => notes.push(note(
                member,
                "How full nodes are packed is the scheduler's configuration (scoring strategy MostAllocated), not a \
                 workload's.",
            )),
            // Any node that fits: what Kubernetes does by itself.
            Some(PlacementStrategyType::Random) | None => {}
        }
    }
    if service.availability_zone_rebalancing == Some(AvailabilityZoneRebalancing::Enabled) {
        if !over.iter().any(|key| key == ZONE) {
            over.push(ZONE.to_owned());
        }
        notes.push(note(
            "availabilityZoneRebalancing",
            "New Pods are spread over the zones; those that run are not moved. A descheduler does that.",
        ));
    }
    let constraints: Vec<_> = over
        .into_iter()
        .map(|topology_key| TopologySpreadConstraint {
            topology_key,
            max_skew: 1,
            // Spread is best effort in ECS too.
            when_unsatisfiable: "ScheduleAnyway".to_owned(),
            label_selector: Some(ours(name)),
            ..TopologySpreadConstraint::default()
        })
        .collect();
    if !constraints.is_empty() {
        spec.topology_spread_constraints = Some(constraints);
    }
    for (index, constraint) in service.placement_constraints.iter().flatten().enumerate() {
        match constraint.r#type {
            Some(PlacementConstraintType::DistinctInstance) => apart(name, spec),
            _ => notes.push(note(
                format!("placementConstraints[{index}]"),
                "Cluster query expressions are not carried over: write a nodeSelector or a node affinity.",
            )),
        }
    }
}

/// The node label that a field of a spread is. Attributes of instances are labels of nodes.
fn topology(field: &str) -> String {
    match field {
        "instanceId" | "host" => NODE.to_owned(),
        "attribute:ecs.availability-zone" => ZONE.to_owned(),
        "attribute:ecs.instance-type" => "node.kubernetes.io/instance-type".to_owned(),
        "attribute:ecs.os-type" => "kubernetes.io/os".to_owned(),
        "attribute:ecs.cpu-architecture" => "kubernetes.io/arch".to_owned(),
        other => other.strip_prefix("attribute:").unwrap_or(other).to_owned(),
    }
}

fn ours(name: &str) -> LabelSelector {
    LabelSelector { match_labels: Some(selector(name)), ..LabelSelector::default() }
}

/// No two Pods of the workload on one node.
fn apart(name: &str, spec: &mut PodSpec) {
    let term = PodAffinityTerm {
        topology_key: NODE.to_owned(),
        label_selector: Some(ours(name)),
        ..PodAffinityTerm::default()
    };
    let affinity = spec.affinity.get_or_insert_with(Affinity::default);
    affinity
        .pod_anti_affinity
        .get_or_insert_with(PodAntiAffinity::default)
        .required_during_scheduling_ignored_during_execution
        .get_or_insert_default()
        .push(term);
}
