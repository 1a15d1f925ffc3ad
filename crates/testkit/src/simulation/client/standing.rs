//! What was acknowledged of the states of container instances, and whether it stays.

use std::collections::BTreeMap;

use kecs_domain::Scope;
use kecs_domain::arn::{ClusterKey, cluster_ref, container_instance_ref};
use kecs_domain::container_instance::InstanceState;
use kecs_domain::model::{ContainerInstance, ContainerInstanceStatus, Failure};
use kecs_domain::name::HexId;

use super::call::{Answer, Outcome, Request};
use super::register::Register;
use crate::simulation::ledger::Ledger;

/// See the module.
#[derive(Default)]
pub(super) struct Standings(BTreeMap<(ClusterKey, HexId), Register<InstanceState>>);

/// The instances of a cluster that a call writes, and what.
fn written(scope: &Scope, request: &Request) -> Option<(ClusterKey, Vec<HexId>, InstanceState)> {
    let cluster = |named: Option<&String>| cluster_ref(scope, named.map(String::as_str)).ok();
    match request {
        Request::UpdateContainerInstancesState(it) => {
            let cluster = cluster(it.cluster.as_ref())?;
            let ids =
                it.container_instances.iter().filter_map(|id| container_instance_ref(&cluster, id).ok());
            let draining = it.status == ContainerInstanceStatus::Draining;
            let state = if draining { InstanceState::Draining } else { InstanceState::Active };
            Some((cluster.clone(), ids.collect(), state))
        }
        Request::DeregisterContainerInstance(it) => {
            let cluster = cluster(it.cluster.as_ref())?;
            let id = container_instance_ref(&cluster, &it.container_instance).ok()?;
            Some((cluster, vec![id], InstanceState::Inactive))
        }
        _ => None,
    }
}

impl Standings {
    /// A call is made.
    pub(super) fn begin(&mut self, scope: &Scope, call: u64, request: &Request, at: u64) {
        if let Some((cluster, ids, state)) = written(scope, request) {
            for id in ids {
                let register = self.0.entry((cluster.clone(), id));
                register.or_insert_with(|| Register::new(InstanceState::Active)).begin(call, state, at);
            }
        }
        // A cluster that is deleted, or created again, forgets all of them; a node that registers may have been away, and then it takes
        // tasks again. Nobody is told whether that changed anything.
        let (cluster, state) = match request {
            Request::DeleteCluster(it) => (Some(&it.cluster), InstanceState::Active),
            Request::RegisterContainerInstance(it) => (it.cluster.as_ref(), InstanceState::Active),
            Request::CreateCluster(it) => (it.cluster_name.as_ref(), InstanceState::Active),
            _ => return,
        };
        let Ok(cluster) = cluster_ref(scope, cluster.map(String::as_str)) else { return };
        for ((of, _), register) in &mut self.0 {
            if *of == cluster {
                register.begin(call, state, at);
            }
        }
    }

    /// A call is over.
    pub(super) fn end(&mut self, scope: &Scope, call: u64, request: &Request, outcome: &Outcome, at: u64) {
        let written = written(scope, request);
        for ((cluster, id), register) in &mut self.0 {
            let named = written.as_ref().is_some_and(|(of, ids, _)| of == cluster && ids.contains(id));
            match outcome {
                Outcome::Refused(_) => register.refuse(call),
                Outcome::Acknowledged(answer) if named => match answer {
                    Answer::UpdateContainerInstancesState(answer) => {
                        if failed(answer.failures.as_deref(), *id) {
                            register.refuse(call);
                        } else if shown(answer.container_instances.as_deref(), *id) {
                            register.acknowledge(call, at);
                        }
                    }
                    _ => register.acknowledge(call, at),
                },
                Outcome::Acknowledged(_) | Outcome::Unknown(_) => register.give_up(call, at),
            }
        }
    }

    /// Whether what is stored may be seen.
    pub(super) fn check(&self, ledger: &Ledger) -> Result<(), String> {
        for ((cluster, id), register) in &self.0 {
            let state = ledger.instance_state(cluster, *id);
            if !register.allows(&state) {
                return Err(format!(
                    "container instance {id} of {} is {state:?}, but may only be one of {register}",
                    cluster.name
                ));
            }
        }
        Ok(())
    }
}

fn failed(failures: Option<&[Failure]>, id: HexId) -> bool {
    let id = id.to_string();
    failures.unwrap_or_default().iter().any(|one| one.arn.as_deref().is_some_and(|arn| arn.ends_with(&id)))
}

fn shown(instances: Option<&[kecs_domain::Doc<ContainerInstance>]>, id: HexId) -> bool {
    let id = id.to_string();
    let mut arns = instances.unwrap_or_default().iter().filter_map(|it| it.container_instance_arn.as_deref());
    arns.any(|arn| arn.ends_with(&id))
}
