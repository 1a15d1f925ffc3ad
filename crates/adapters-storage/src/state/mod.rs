//! The state that a store holds in memory: every entity once, and an index for each question of the read ports.
//!
//! Pure data: no I/O, no locks, no async. Whoever owns it decides when a change is durable and puts it in then. The
//! cost of each answer follows its size; counts are kept, not counted.

mod check;
mod cluster;
mod ports;
mod resource;
mod service;
#[cfg(feature = "duckdb")]
mod slim;
mod sorted;
mod task;
mod task_definition;
mod token;

use kecs_usecases::ports::store::{Entity, EntityKey};
use kecs_usecases::ports::{Version, Versioned};

pub(crate) use check::{Checked, check};
pub(crate) use ports::implement_reads;
#[cfg(feature = "duckdb")]
pub(crate) use slim::slim;

use cluster::Clusters;
use resource::Resources;
use task::StoppedTasks;
use task_definition::TaskDefinitions;
use token::Tokens;

/// Everything that is stored.
#[derive(Default)]
pub(crate) struct State {
    clusters: Clusters,
    stopped: StoppedTasks,
    definitions: TaskDefinitions,
    tokens: Tokens,
    resources: Resources,
    entities: usize,
}

impl State {
    /// How many entities there are.
    pub(crate) fn len(&self) -> usize {
        self.entities
    }

    /// The version stored under `key`.
    pub(crate) fn version_of(&self, key: &EntityKey) -> Option<Version> {
        match key {
            EntityKey::Cluster(key) => self.clusters.get(key)?.cluster.as_ref().map(|it| it.version),
            EntityKey::Family(key) => self.definitions.family(key).map(|it| it.version),
            EntityKey::TaskDefinition(key) => self.definitions.revision(key).map(|it| it.version),
            EntityKey::Task(key) => self.clusters.get(&key.cluster)?.tasks.get(key.id).map(|it| it.version),
            EntityKey::Service(key) => {
                self.clusters.get(&key.cluster)?.services.service(&key.name).map(|it| it.version)
            }
            EntityKey::ServiceDeployment(key) => {
                self.clusters.get(&key.service.cluster)?.services.deployment(key).map(|it| it.version)
            }
            EntityKey::ServiceRevision(key) => {
                self.clusters.get(&key.service.cluster)?.services.revision(key).map(|it| it.version)
            }
            EntityKey::Token(key) => self.tokens.get(key).map(|it| it.version),
            EntityKey::Resource(key) => self.resources.get(key).map(|it| it.version),
        }
    }

    /// Saves an entity. Returns the version that it replaces.
    pub(crate) fn put(&mut self, entity: Entity, version: Version) -> Option<Version> {
        let old = match entity {
            Entity::Cluster(value) => self.clusters.put(Versioned { value, version }),
            Entity::Family(value) => self.definitions.put_family(Versioned { value, version }),
            Entity::TaskDefinition(value) => self.definitions.put_revision(Versioned { value, version }),
            Entity::Task(value) => {
                let slot = self.clusters.slot(&value.key.cluster);
                let old = slot.tasks.put(Versioned { value: value.clone(), version }, &mut slot.counts);
                if let Some(old) = &old {
                    self.stopped.remove(old);
                }
                self.stopped.insert(&Versioned { value, version });
                old.map(|old| old.version)
            }
            Entity::Service(value) => {
                let slot = self.clusters.slot(&value.key.cluster);
                slot.services.put(Versioned { value, version }, &mut slot.counts)
            }
            Entity::ServiceDeployment(value) => {
                let slot = self.clusters.slot(&value.key.service.cluster);
                slot.services.put_deployment(Versioned { value, version })
            }
            Entity::ServiceRevision(value) => {
                let slot = self.clusters.slot(&value.key.service.cluster);
                slot.services.put_revision(Versioned { value, version })
            }
            Entity::Token(value) => self.tokens.put(Versioned { value, version }),
            Entity::Resource(value) => self.resources.put(Versioned { value, version }),
        };
        if old.is_none() {
            self.entities += 1;
        }
        old
    }

    /// Removes an entity. Returns its version, or None if it wasn't there.
    pub(crate) fn remove(&mut self, key: &EntityKey) -> Option<Version> {
        let old = match key {
            EntityKey::Cluster(key) => self.clusters.remove(key),
            EntityKey::Family(key) => self.definitions.remove_family(key),
            EntityKey::TaskDefinition(key) => self.definitions.remove_revision(key),
            EntityKey::Task(key) => self.clusters.change(&key.cluster, |slot| {
                let old = slot.tasks.remove(key.id, &mut slot.counts)?;
                self.stopped.remove(&old);
                Some(old.version)
            }),
            EntityKey::Service(key) => {
                self.clusters.change(&key.cluster, |slot| slot.services.remove(&key.name, &mut slot.counts))
            }
            EntityKey::ServiceDeployment(key) => {
                self.clusters.change(&key.service.cluster, |slot| slot.services.remove_deployment(key))
            }
            EntityKey::ServiceRevision(key) => {
                self.clusters.change(&key.service.cluster, |slot| slot.services.remove_revision(key))
            }
            EntityKey::Token(key) => self.tokens.remove(key),
            EntityKey::Resource(key) => self.resources.remove(key),
        };
        if old.is_some() {
            self.entities -= 1;
        }
        old
    }
}
