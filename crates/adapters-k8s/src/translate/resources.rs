//! CPU and memory. 1024 CPU units are one CPU; nothing is scaled up.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::ResourceRequirements;
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use kecs_domain::model::{ContainerDefinition, ContainerOverride, ResourceType, TaskDefinition};
use kecs_domain::task::Task;

/// What device plugins call a GPU.
const GPU: &str = "nvidia.com/gpu";

/// CPU units as Kubernetes writes them: thousandths of a CPU, rounded down so that they fit where ECS's would.
fn cpu(units: i64) -> Quantity {
    Quantity(format!("{}m", units * 1000 / 1024))
}

fn memory(mib: i64) -> Quantity {
    Quantity(format!("{mib}Mi"))
}

/// Requests and limits of one container: `cpu` is a share and so a request; `memoryReservation` is the request and
/// `memory` the limit.
pub(super) fn of_container(
    definition: &ContainerDefinition,
    overridden: Option<&ContainerOverride>,
) -> Option<ResourceRequirements> {
    let pick = |of: fn(&ContainerOverride) -> Option<i32>, defined: Option<i32>| {
        overridden.and_then(of).or(defined).filter(|amount| *amount > 0).map(i64::from)
    };
    let units = pick(|o| o.cpu, definition.cpu);
    let hard = pick(|o| o.memory, definition.memory);
    let soft = pick(|o| o.memory_reservation, definition.memory_reservation);
    let mut requests = BTreeMap::new();
    let mut limits = BTreeMap::new();
    if let Some(units) = units {
        requests.insert("cpu".to_owned(), cpu(units));
    }
    if let Some(mib) = soft.or(hard) {
        requests.insert("memory".to_owned(), memory(mib));
    }
    if let Some(mib) = hard {
        limits.insert("memory".to_owned(), memory(mib));
    }
    let own = overridden.and_then(|o| o.resource_requirements.as_ref());
    let wanted = own.or(definition.resource_requirements.as_ref()).into_iter().flatten();
    let gpus = wanted.into_iter().find(|one| one.r#type == ResourceType::Gpu);
    if let Some(count) = gpus.and_then(|gpus| gpus.value.clone()) {
        // A resource of this kind is asked for by its limit.
        limits.insert(GPU.to_owned(), Quantity(count));
    }
    let filled = |map: BTreeMap<String, Quantity>| (!map.is_empty()).then_some(map);
    let (requests, limits) = (filled(requests), filled(limits));
    (requests.is_some() || limits.is_some()).then(|| ResourceRequirements {
        requests,
        limits,
        ..ResourceRequirements::default()
    })
}

/// The task's own size, as the Pod's: its containers share it.
pub(super) fn of_pod(task: &Task, definition: &TaskDefinition) -> Option<ResourceRequirements> {
    let overrides = task.doc.overrides.as_ref();
    let number = |text: Option<&String>| text.and_then(|text| text.parse::<i64>().ok());
    let units = number(overrides.and_then(|o| o.cpu.as_ref()).or(definition.cpu.as_ref()));
    let mib = number(overrides.and_then(|o| o.memory.as_ref()).or(definition.memory.as_ref()));
    let mut amounts = BTreeMap::new();
    if let Some(units) = units {
        amounts.insert("cpu".to_owned(), cpu(units));
    }
    if let Some(mib) = mib {
        amounts.insert("memory".to_owned(), memory(mib));
    }
    (!amounts.is_empty()).then(|| ResourceRequirements {
        requests: Some(amounts.clone()),
        limits: Some(amounts),
        ..ResourceRequirements::default()
    })
}
