//! The keys of what has an ARN, and their ARNs.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Arn, service_child_ref};

use crate::name::{ClusterName, DeploymentId, FamilyName, HexId, ServiceName, TaskId};
use crate::scope::Scope;

/// A cluster's identity.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ClusterKey {
    /// Whose cluster.
    pub scope: Scope,
    /// Its name.
    pub name: ClusterName,
}

/// A task's identity.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct TaskKey {
    /// The cluster it runs in.
    pub cluster: ClusterKey,
    /// Its identifier.
    pub id: TaskId,
}

/// A service's identity.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ServiceKey {
    /// The cluster it runs in.
    pub cluster: ClusterKey,
    /// Its name.
    pub name: ServiceName,
}

/// The identity of one revision of a task definition.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct TaskDefinitionKey {
    /// Whose task definition.
    pub scope: Scope,
    /// Its family.
    pub family: FamilyName,
    /// Its revision, from 1.
    pub revision: i32,
}

/// The identity of a service deployment: `service-deployment/CLUSTER/SERVICE/ID`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ServiceDeploymentKey {
    /// The service that is deployed.
    pub service: ServiceKey,
    /// 21 characters of `[A-Za-z0-9_-]`.
    pub id: String,
}

/// The identity of a service revision: `service-revision/CLUSTER/SERVICE/NUMBER`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ServiceRevisionKey {
    /// The service whose revision it is.
    pub service: ServiceKey,
    /// The number of the deployment that made it.
    pub id: DeploymentId,
}

pub(crate) fn ecs_arn(scope: &Scope, resource: impl fmt::Display) -> String {
    format!("arn:{}:ecs:{}:{}:{resource}", scope.partition(), scope.region(), scope.account())
}

/// `capacity-provider/NAME`
pub fn capacity_provider_arn(scope: &Scope, name: &str) -> String {
    ecs_arn(scope, format_args!("capacity-provider/{name}"))
}

impl ClusterKey {
    /// The cluster `name` of `scope`.
    pub fn new(scope: Scope, name: ClusterName) -> Self {
        Self { scope, name }
    }

    /// `arn:aws:ecs:REGION:ACCOUNT:cluster/NAME`
    pub fn arn(&self) -> String {
        ecs_arn(&self.scope, format_args!("cluster/{}", self.name))
    }

    /// Makes the ARNs of the cluster's tasks, `task/CLUSTER/ID`: what they share is written once for a whole list.
    pub fn task_arns(&self) -> impl Fn(TaskId) -> String {
        let shared = self.task_arns_prefix();
        move |id| {
            let mut arn = String::with_capacity(shared.len() + 32);
            arn.push_str(&shared);
            id.push_to(&mut arn);
            arn
        }
    }

    /// What the ARNs of the cluster's tasks begin with: all but the id.
    pub fn task_arns_prefix(&self) -> String {
        ecs_arn(&self.scope, format_args!("task/{}/", self.name))
    }

    /// `container-instance/CLUSTER/ID`
    pub fn container_instance_arn(&self, id: HexId) -> String {
        ecs_arn(&self.scope, format_args!("container-instance/{}/{id}", self.name))
    }
}

impl TaskKey {
    /// `task/CLUSTER/ID`
    pub fn arn(&self) -> String {
        self.cluster.task_arns()(self.id)
    }

    /// `container/CLUSTER/TASK/UUID`
    pub fn container_arn(&self, uuid: &str) -> String {
        ecs_arn(&self.cluster.scope, format_args!("container/{}/{}/{uuid}", self.cluster.name, self.id))
    }
}

impl ServiceKey {
    /// `service/CLUSTER/NAME`
    pub fn arn(&self) -> String {
        ecs_arn(&self.cluster.scope, format_args!("service/{}/{}", self.cluster.name, self.name))
    }

    /// `task-set/CLUSTER/NAME/ecs-svc/NUMBER`
    pub fn task_set_arn(&self, id: DeploymentId) -> String {
        let (cluster, name) = (&self.cluster, &self.name);
        ecs_arn(&cluster.scope, format_args!("task-set/{}/{name}/{id}", cluster.name))
    }

    /// Reads a task set of this service as clients name it: `ecs-svc/NUMBER` or its ARN. None for what can't be one of
    /// this service's.
    pub fn task_set_ref(&self, text: &str) -> Option<DeploymentId> {
        if Arn::parse(text).is_none() {
            return DeploymentId::parse(text);
        }
        let (service, id) = service_child_ref(&self.cluster.scope, "task-set", text)?;
        DeploymentId::parse(id).filter(|_| service == *self)
    }
}

impl TaskDefinitionKey {
    /// `task-definition/FAMILY:REVISION`
    pub fn arn(&self) -> String {
        ecs_arn(&self.scope, format_args!("task-definition/{}:{}", self.family, self.revision))
    }
}

impl ServiceDeploymentKey {
    /// `service-deployment/CLUSTER/SERVICE/ID`
    pub fn arn(&self) -> String {
        let service = &self.service;
        ecs_arn(
            &service.cluster.scope,
            format_args!("service-deployment/{}/{}/{}", service.cluster.name, service.name, self.id),
        )
    }
}

impl ServiceRevisionKey {
    /// `service-revision/CLUSTER/SERVICE/NUMBER`
    pub fn arn(&self) -> String {
        let service = &self.service;
        ecs_arn(
            &service.cluster.scope,
            format_args!(
                "service-revision/{}/{}/{:019}",
                service.cluster.name,
                service.name,
                self.id.number()
            ),
        )
    }
}
