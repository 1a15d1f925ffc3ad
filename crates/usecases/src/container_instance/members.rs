//! The container instances of a cluster: the orchestrator's nodes, with what is kept of them, and those that an agent
//! registered.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use kecs_domain::arn::{ClusterKey, TaskDefinitionKey, TaskKey};
use kecs_domain::container_instance::{
    ContainerInstance, InstanceState, Registration, Standing, amounts, attributes, of_node, remaining,
};
use kecs_domain::name::HexId;
use kecs_domain::pagination::PageRequest;
use kecs_domain::placement::{Amounts, demand_of};
use kecs_domain::resource::{Resource, ResourceKey, ResourceKind};
use kecs_domain::task::{Task, TaskStatus};
use kecs_domain::task_definition::TaskDefinition;

use crate::ports::{
    Changes, Entity, EntityKey, Expect, Instance, InstanceStatus, ResourceQuery, Resources, TaskQuery,
    Version, Versioned,
};
use crate::{Ports, Result};

/// Everything at once.
const ALL: usize = usize::MAX - 1;

/// A container instance of a cluster.
pub(crate) struct Member {
    /// As placement sees it.
    pub(crate) instance: Instance,
    /// Its state in the cluster.
    pub(crate) state: InstanceState,
    /// The state that its node has by itself, cordoned or not.
    own: InstanceState,
    stored: Option<Versioned<Resource>>,
}

impl Member {
    /// Its id.
    pub(crate) fn id(&self) -> HexId {
        self.instance.id
    }

    /// What is kept of it, if anything is.
    pub(crate) fn kept(&self) -> Option<&ContainerInstance> {
        self.stored.as_ref()?.get()
    }

    /// What its agent said of it, if it was registered by one.
    pub(crate) fn registration(&self) -> Option<&Registration> {
        self.kept()?.registration.as_ref()
    }

    /// Whether its own agent runs its tasks.
    pub(crate) fn by_agent(&self) -> bool {
        self.registration().is_some()
    }

    /// Whether it can only be described.
    pub(crate) fn is_inactive(&self) -> bool {
        self.state == InstanceState::Inactive
    }

    /// What is kept of it, to be changed.
    pub(crate) fn to_kept(&self) -> ContainerInstance {
        self.kept().cloned().unwrap_or_else(|| ContainerInstance::of_node(self.id()))
    }

    /// Adds what is to be kept of it from now on.
    pub(crate) fn save(&self, cluster: &ClusterKey, value: ContainerInstance, changes: &mut Changes) {
        save(cluster, value, self.stored.as_ref().map(|stored| stored.version), changes);
    }

    /// Tells the orchestrator which state is asked for. What is to be kept of it: where the orchestrator itself lets its
    /// instances drain, nothing is, so that whoever cordons or uncordons a node by other means is heeded too.
    pub(crate) async fn ask_for(&mut self, ports: &Ports, state: InstanceState) -> Result<InstanceState> {
        if self.by_agent() || !ports.orchestrator.set_instance_status(self.id(), status(state)).await? {
            return Ok(state);
        }
        self.own = state;
        Ok(InstanceState::Active)
    }

    /// The same member with other things kept of it, for the answer after a commit.
    pub(crate) fn with(mut self, cluster: &ClusterKey, value: ContainerInstance) -> Self {
        self.state = value.state.max(self.own);
        self.instance.status = status(self.state);
        let version = self.stored.as_ref().map_or(Version(0), |stored| stored.version);
        self.stored = Some(Versioned { value: Arc::new(resource(cluster, value)), version });
        self
    }
}

fn resource(cluster: &ClusterKey, value: ContainerInstance) -> Resource {
    Resource::new(&cluster.scope, cluster.name.as_str(), value.id.to_string(), value)
}

/// Adds what is to be kept of an instance; `read` is the version that was read, None if it is new.
pub(crate) fn save(
    cluster: &ClusterKey,
    value: ContainerInstance,
    read: Option<Version>,
    changes: &mut Changes,
) {
    let entity = Entity::from(resource(cluster, value));
    changes.puts.push((entity, read.map_or(Expect::Absent, Expect::Version)));
}

/// What is kept of a cluster's instances.
pub(crate) async fn kept(ports: &Ports, cluster: &ClusterKey) -> Result<Vec<Versioned<Resource>>> {
    let query = ResourceQuery {
        kind: ResourceKind::ContainerInstance,
        scope: cluster.scope.clone(),
        parent: Some(cluster.name.as_str().to_owned()),
    };
    let page = ports.resources.list_resources(&query, PageRequest { after: None, limit: ALL }).await?;
    Ok(page.items)
}

/// The instances of a cluster by id, those that were deregistered too.
pub(crate) async fn members(ports: &Ports, cluster: &ClusterKey) -> Result<Vec<Member>> {
    let mut stored: BTreeMap<HexId, Versioned<Resource>> = BTreeMap::new();
    for one in kept(ports, cluster).await? {
        if let Some(id) = one.get::<ContainerInstance>().map(|kept| kept.id) {
            stored.insert(id, one);
        }
    }
    let mut members: Vec<Member> = Vec::new();
    for node in ports.orchestrator.instances(cluster).await? {
        let stored = stored.remove(&node.id);
        members.push(node_member(node, stored));
    }
    // What is left was registered by agents; or is kept of a node that is gone, and waits for its return.
    stored.retain(|_, stored| stored.get::<ContainerInstance>().is_some_and(|it| it.registration.is_some()));
    let ids: Vec<HexId> = stored.keys().copied().collect();
    let mut taken = taken(ports, cluster, &ids).await?;
    for (id, stored) in stored {
        members.extend(agent_member(stored, &taken.remove(&id).unwrap_or_default()));
    }
    members.sort_unstable_by_key(Member::id);
    Ok(members)
}

/// A node, with what is kept of it.
fn node_member(mut node: Instance, stored: Option<Versioned<Resource>>) -> Member {
    let kept = stored.as_ref().and_then(|stored| stored.get::<ContainerInstance>());
    let own = match node.status {
        InstanceStatus::Active => InstanceState::Active,
        InstanceStatus::Draining => InstanceState::Draining,
    };
    // A node that is DRAINING by itself stays so, whatever is asked for.
    let state = kept.map_or(own, |kept| kept.state.max(own));
    node.status = status(state);
    if let Some(kept) = kept {
        node.attributes = attributes::merged(node.attributes, &kept.attributes);
    }
    Member { instance: node, state, own, stored }
}

/// An agent's instance, whose tasks take so much of it; None if what is kept is of a node.
fn agent_member(stored: Versioned<Resource>, taken: &Amounts) -> Option<Member> {
    let kept = stored.get::<ContainerInstance>()?;
    let instance = by_agent(kept, kept.registration.as_ref()?, taken);
    let (state, own) = (kept.state, InstanceState::Active);
    Some(Member { instance, state, own, stored: Some(stored) })
}

/// Those that were not deregistered: what tasks may be placed on.
pub(crate) async fn open(ports: &Ports, cluster: &ClusterKey) -> Result<Vec<Member>> {
    let mut members = members(ports, cluster).await?;
    members.retain(|member| !member.is_inactive());
    Ok(members)
}

/// One instance of a cluster, deregistered or not.
pub(crate) async fn find(ports: &Ports, cluster: &ClusterKey, id: HexId) -> Result<Option<Member>> {
    let key = ResourceKey::of::<ContainerInstance>(&cluster.scope, cluster.name.as_str(), id.to_string());
    let stored = ports.resources.resources(&[key]).await?.pop().flatten();
    let nodes = ports.orchestrator.instances(cluster).await?;
    if let Some(node) = nodes.into_iter().find(|node| node.id == id) {
        return Ok(Some(node_member(node, stored)));
    }
    let Some(stored) = stored else { return Ok(None) };
    let taken = taken(ports, cluster, &[id]).await?.remove(&id).unwrap_or_default();
    Ok(agent_member(stored, &taken))
}

/// How many instances a cluster has, without those that were deregistered. Every description of a cluster asks for
/// it, and in most clusters nobody ever did anything with an instance.
pub(crate) async fn count(ports: &Ports, cluster: &ClusterKey) -> Result<usize> {
    let stored = kept(ports, cluster).await?;
    if stored.is_empty() {
        return Ok(ports.orchestrator.instance_count(cluster).await?);
    }
    // Without what they have left, which takes a look at the tasks of each.
    let stored: BTreeMap<HexId, &ContainerInstance> =
        stored.iter().filter_map(|one| one.get::<ContainerInstance>()).map(|kept| (kept.id, kept)).collect();
    let mut open: BTreeSet<HexId> =
        stored.values().filter(|kept| kept.registration.is_some()).map(|kept| kept.id).collect();
    open.extend(ports.orchestrator.instances(cluster).await?.into_iter().map(|node| node.id));
    Ok(open.iter().filter(|id| stored.get(id).is_none_or(|kept| !kept.is_inactive())).count())
}

/// Whether a cluster has instances that agents registered.
pub(crate) async fn has_agents(ports: &Ports, cluster: &ClusterKey) -> Result<bool> {
    let by_agent = |kept: &ContainerInstance| kept.registration.is_some() && !kept.is_inactive();
    Ok(kept(ports, cluster).await?.iter().any(|one| one.get().is_some_and(by_agent)))
}

const fn status(state: InstanceState) -> InstanceStatus {
    match state {
        InstanceState::Active => InstanceStatus::Active,
        InstanceState::Draining | InstanceState::Inactive => InstanceStatus::Draining,
    }
}

/// An agent's instance as placement sees it.
fn by_agent(kept: &ContainerInstance, registration: &Registration, taken: &Amounts) -> Instance {
    let total = amounts(&registration.resources);
    let text = |name| registration.attribute(name).unwrap_or_default().to_owned();
    Instance {
        id: kept.id,
        host: registration.host.clone().unwrap_or_default(),
        availability_zone: text("ecs.availability-zone"),
        status: status(kept.state),
        connected: registration.connected,
        remaining: Resources {
            cpu: total.cpu - taken.cpu,
            memory: total.memory - taken.memory,
            ports: total.ports.iter().chain(&taken.ports).copied().collect(),
        },
        registered: Resources { cpu: total.cpu, memory: total.memory, ports: total.ports },
        attributes: attributes::merged(registration.attributes.clone(), &kept.attributes),
        versions: registration.versions.clone().unwrap_or_default(),
        registered_at: Some(registration.registered_at),
    }
}

/// The tasks of a cluster on an instance that are not STOPPED.
pub(crate) async fn tasks_on(ports: &Ports, cluster: &ClusterKey, id: HexId) -> Result<Vec<Versioned<Task>>> {
    tasks_on_all(ports, cluster, &[id]).await
}

/// The same of several instances.
async fn tasks_on_all(ports: &Ports, cluster: &ClusterKey, ids: &[HexId]) -> Result<Vec<Versioned<Task>>> {
    let mut keys = Vec::new();
    for id in ids {
        let query = TaskQuery { instance: Some(*id), ..TaskQuery::of_cluster(cluster) };
        let listed = ports.tasks.list_tasks(&query, PageRequest { after: None, limit: ALL }).await?.items;
        keys.extend(listed.into_iter().map(|id| TaskKey { cluster: cluster.clone(), id }));
    }
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let found = ports.tasks.tasks(&keys).await?.into_iter().flatten();
    Ok(found.filter(|task| task.status != TaskStatus::Stopped).collect())
}

/// What the tasks on agents' instances take of each. What a node has left is the orchestrator's word.
async fn taken(ports: &Ports, cluster: &ClusterKey, ids: &[HexId]) -> Result<BTreeMap<HexId, Amounts>> {
    let mut definitions: HashMap<TaskDefinitionKey, Option<Versioned<TaskDefinition>>> = HashMap::new();
    let mut taken: BTreeMap<HexId, Amounts> = BTreeMap::new();
    for task in tasks_on_all(ports, cluster, ids).await? {
        let Some(at) = task.instance else { continue };
        if !definitions.contains_key(&task.definition) {
            let found = ports.task_definitions.task_definition(&task.definition).await?;
            definitions.insert(task.definition.clone(), found);
        }
        let Some(Some(definition)) = definitions.get(&task.definition) else { continue };
        let one = demand_of(&definition.doc, task.doc.overrides.as_deref());
        let taken = taken.entry(at).or_default();
        taken.cpu += one.cpu;
        taken.memory += one.memory;
        taken.ports.extend(one.ports);
    }
    Ok(taken)
}

/// An instance as it is now, its tasks counted.
pub(super) async fn standing(ports: &Ports, cluster: &ClusterKey, member: &Member) -> Result<Standing> {
    let instance = &member.instance;
    let tasks = tasks_on(ports, cluster, instance.id).await?;
    let count = |matches: fn(TaskStatus) -> bool| {
        i32::try_from(tasks.iter().filter(|task| matches(task.status)).count()).unwrap_or(i32::MAX)
    };
    let (registered, left) = match member.registration() {
        Some(registration) => {
            let taken = taken(ports, cluster, &[instance.id]).await?.remove(&instance.id).unwrap_or_default();
            (registration.resources.clone(), remaining(&registration.resources, &taken))
        }
        None => {
            let (have, left) = (&instance.registered, &instance.remaining);
            let taken = have.ports.iter().chain(&left.ports).copied().collect();
            let have = Amounts { cpu: have.cpu, memory: have.memory, ports: have.ports.clone() };
            let left = Amounts { cpu: left.cpu, memory: left.memory, ports: taken };
            (of_node(&have), of_node(&left))
        }
    };
    Ok(Standing {
        id: instance.id,
        host: Some(instance.host.clone()).filter(|host| !host.is_empty()),
        state: member.state,
        connected: instance.connected,
        registered,
        remaining: left,
        attributes: instance.attributes.clone(),
        versions: Some(instance.versions.clone()),
        registered_at: instance.registered_at,
        running: count(|status| status == TaskStatus::Running),
        pending: count(TaskStatus::is_pending),
    })
}

/// Adds the removal of what is kept of a deleted cluster's instances: should the cluster be made again, it begins
/// afresh.
pub(crate) async fn forget_all(ports: &Ports, cluster: &ClusterKey, changes: &mut Changes) -> Result<()> {
    for one in kept(ports, cluster).await? {
        let key: ResourceKey = one.key.clone();
        changes.deletes.push((EntityKey::Resource(key), Expect::Any));
    }
    Ok(())
}
