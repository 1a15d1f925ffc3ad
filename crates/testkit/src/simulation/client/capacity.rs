//! Calls about what tasks run on: capacity providers, strategies, and container instances.

use kecs_domain::container_instance::{ContainerInstance, InstanceState};
use kecs_domain::model;
use kecs_domain::name::HexId;
use kecs_domain::resource::ResourceKey;
use kecs_domain::task_definition::TaskDefinition;
use serde_json::{Value, json};

use super::call::Request;
use super::{CLUSTERS, Client, build};
use crate::simulation::ledger::Ledger;
use crate::simulation::random::Random;

/// A provider of an Auto Scaling group that ECS scales: what doesn't fit waits.
const GROWING: &str = "growing";
/// One that ECS doesn't scale: what doesn't fit is refused.
const FIXED: &str = "fixed";
/// A provider of Managed Instances. Belongs to the first cluster.
const MANAGED: &str = "managed";
/// The providers that an account makes of its own.
pub(crate) const PROVIDERS: [&str; 3] = [GROWING, FIXED, MANAGED];
const FARGATE: [&str; 2] = ["FARGATE", "FARGATE_SPOT"];

const ROLE: &str = "arn:aws:iam::123456789012:role/infrastructure";

/// The request that makes one of [`PROVIDERS`].
fn provider(name: &str) -> Request {
    let group =
        |status| json!({"autoScalingGroupArn": format!("asg-{name}"), "managedScaling": {"status": status}});
    let request = match name {
        MANAGED => json!({"name": name, "cluster": CLUSTERS[0], "managedInstancesProvider": {
            "infrastructureRoleArn": ROLE,
            "instanceLaunchTemplate": {
                "ec2InstanceProfileArn": "arn:aws:iam::123456789012:instance-profile/nodes",
                "networkConfiguration": {"subnets": ["subnet-a"]},
            },
        }}),
        GROWING => json!({"name": name, "autoScalingGroupProvider": group("ENABLED")}),
        _ => json!({"name": name, "autoScalingGroupProvider": group("DISABLED")}),
    };
    build::<model::CreateCapacityProviderRequest>(request)
}

/// What is called first where providers matter: they are made, and the clusters get them.
pub(super) fn opening() -> [Vec<Request>; 2] {
    let associate = |cluster: &&str| {
        build::<model::PutClusterCapacityProvidersRequest>(json!({
            "cluster": cluster, "capacityProviders": [FARGATE[0], FARGATE[1], GROWING, FIXED],
            "defaultCapacityProviderStrategy": [],
        }))
    };
    [PROVIDERS.map(provider).into(), CLUSTERS[..2].iter().map(associate).collect()]
}

/// Whether the tasks of such a definition may go to Managed Instances and to Fargate.
fn fargate(definition: &TaskDefinition) -> bool {
    definition.supports(model::LaunchType::Fargate)
}

/// Shares of some providers of one kind: one of them may have a base, and one at least has a weight.
fn shares(random: &mut Random, providers: &[&str]) -> Value {
    let with_base = random.index(providers.len() * 2);
    let items = providers.iter().enumerate().map(|(index, provider)| {
        let base = if index == with_base { random.between(1, 3) } else { 0 };
        let weight = if index == 0 { random.between(1, 4) } else { random.between(0, 4) };
        json!({"capacityProvider": provider, "base": base, "weight": weight})
    });
    items.collect()
}

impl Client {
    /// A capacity provider strategy that tasks of `definition` can have.
    pub(super) fn strategy(&mut self, definition: &TaskDefinition) -> Value {
        let kind = self.random.below(if fargate(definition) { 10 } else { 4 });
        match kind {
            0 => shares(&mut self.random, &[GROWING]),
            1 => shares(&mut self.random, &[FIXED]),
            2 | 3 => shares(&mut self.random, &[GROWING, FIXED]),
            4 => shares(&mut self.random, &[MANAGED]),
            _ => shares(&mut self.random, &FARGATE),
        }
    }

    pub(super) fn create_provider(&mut self, _ledger: &Ledger) -> Option<Request> {
        let name = *self.random.pick(&PROVIDERS);
        Some(provider(name))
    }

    pub(super) fn delete_provider(&mut self, _ledger: &Ledger) -> Option<Request> {
        let name = *self.random.pick(&PROVIDERS);
        Some(build::<model::DeleteCapacityProviderRequest>(json!({"capacityProvider": name})))
    }

    pub(super) fn associate(&mut self, ledger: &Ledger) -> Option<Request> {
        let mut providers = vec![FARGATE[0], FARGATE[1]];
        providers.extend([GROWING, FIXED].into_iter().filter(|_| self.random.percent(85)));
        let default = if self.random.percent(70) { json!([]) } else { shares(&mut self.random, &FARGATE) };
        Some(build::<model::PutClusterCapacityProvidersRequest>(json!({
            "cluster": self.cluster(ledger), "capacityProviders": providers,
            "defaultCapacityProviderStrategy": default,
        })))
    }

    fn instance(&mut self) -> Option<(String, HexId)> {
        (!self.instances.is_empty()).then(|| self.random.pick(&self.instances).clone())
    }

    pub(super) fn set_state(&mut self, ledger: &Ledger) -> Option<Request> {
        let cluster = self.cluster(ledger);
        let (_, first) = self.instance()?;
        let (_, second) = self.instance()?;
        let mut instances = vec![first.to_string()];
        if self.random.percent(15) {
            instances.push(second.to_string());
        }
        let status = *self.random.pick(&["DRAINING", "DRAINING", "ACTIVE"]);
        Some(build::<model::UpdateContainerInstancesStateRequest>(
            json!({"cluster": cluster, "containerInstances": instances, "status": status}),
        ))
    }

    pub(super) fn deregister_instance(&mut self, ledger: &Ledger) -> Option<Request> {
        let (_, id) = self.instance()?;
        let force = self.random.percent(70);
        Some(build::<model::DeregisterContainerInstanceRequest>(
            json!({"cluster": self.cluster(ledger), "containerInstance": id.to_string(), "force": force}),
        ))
    }

    /// Takes a node into its cluster again, mostly one that was deregistered.
    pub(super) fn register_instance(&mut self, ledger: &Ledger) -> Option<Request> {
        let gone: Vec<_> = instances(ledger).filter(|(_, kept)| kept.is_inactive()).collect();
        let (cluster, host) = if gone.is_empty() {
            (self.cluster(ledger), self.instance()?.0)
        } else {
            let (key, kept) = *self.random.pick(&gone);
            let known = self.instances.iter().find(|(_, id)| *id == kept.id);
            (key.parent.clone(), known?.0.clone())
        };
        Some(registration(&cluster, &host))
    }

    pub(super) fn describe_instance(&mut self, ledger: &Ledger) -> Option<Request> {
        let (_, id) = self.instance()?;
        Some(build::<model::DescribeContainerInstancesRequest>(
            json!({"cluster": self.cluster(ledger), "containerInstances": [id.to_string()]}),
        ))
    }

    /// What is called at the end: some instances take tasks again, others stay as they are.
    pub(super) fn calm_instances(&mut self, ledger: &Ledger) -> Vec<Request> {
        let changed = instances(ledger).filter(|(_, kept)| kept.state == InstanceState::Draining);
        let changed: Vec<_> = changed.map(|(key, kept)| (key.parent.clone(), kept.id)).collect();
        let mut calls = Vec::new();
        for (cluster, id) in changed {
            if self.random.percent(50) {
                calls.push(build::<model::UpdateContainerInstancesStateRequest>(
                    json!({"cluster": cluster, "containerInstances": [id.to_string()], "status": "ACTIVE"}),
                ));
            }
        }
        calls
    }
}

/// What is kept of instances.
fn instances(ledger: &Ledger) -> impl Iterator<Item = (&ResourceKey, &ContainerInstance)> {
    ledger.resources.iter().filter_map(|(key, kept)| Some((key, kept.get::<ContainerInstance>()?)))
}

/// A node registers, as its identity document says.
fn registration(cluster: &str, host: &str) -> Request {
    let document = json!({"instanceId": host}).to_string();
    build::<model::RegisterContainerInstanceRequest>(
        json!({"cluster": cluster, "instanceIdentityDocument": document, "totalResources": []}),
    )
}
