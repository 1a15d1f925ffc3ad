//! Sharing what many entities have in common, once they come out of the journal as separate copies.
//!
//! A use case hands its cluster key to all the tasks it makes; a parser makes a new one for each. For 100,000 tasks the
//! difference is some 40 MB.

use std::collections::{HashMap, HashSet};
use std::hash::Hash;
use std::sync::Arc;

use kecs_domain::arn::{ClusterKey, TaskDefinitionKey};
use kecs_domain::model::TaskOverride;
use kecs_domain::name::{FamilyName, ServiceName};
use kecs_domain::task::LaunchSettings;
use kecs_domain::{Doc, Scope};
use kecs_usecases::ports::store::Entity;

/// What was seen so far.
#[derive(Default)]
pub(super) struct Interner {
    scopes: HashSet<Scope>,
    clusters: HashSet<ClusterKey>,
    families: HashSet<FamilyName>,
    services: HashSet<ServiceName>,
    /// The launch settings and the overrides seen last: tasks of one request have the same.
    launches: HashMap<Origin, (Arc<LaunchSettings>, Option<Doc<TaskOverride>>)>,
}

/// Of which task definition and service a task is.
type Origin = (TaskDefinitionKey, Option<ServiceName>);

/// Replaces `value` by the equal one that was seen first.
fn share<T: Clone + Eq + Hash>(seen: &mut HashSet<T>, value: &mut T) {
    match seen.get(value) {
        Some(first) => *value = first.clone(),
        None => {
            seen.insert(value.clone());
        }
    }
}

impl Interner {
    fn cluster(&mut self, key: &mut ClusterKey) {
        share(&mut self.scopes, &mut key.scope);
        share(&mut self.clusters, key);
    }

    /// Makes `entity` share what it can. Does nothing to one that somebody else holds already.
    pub(super) fn share(&mut self, entity: &mut Entity) {
        match entity {
            Entity::Cluster(it) => {
                let Some(it) = Arc::get_mut(it) else { return };
                self.cluster(&mut it.key);
            }
            Entity::Family(it) => {
                let Some(it) = Arc::get_mut(it) else { return };
                share(&mut self.scopes, &mut it.scope);
                share(&mut self.families, &mut it.family);
            }
            Entity::TaskDefinition(it) => {
                let Some(it) = Arc::get_mut(it) else { return };
                share(&mut self.scopes, &mut it.key.scope);
                share(&mut self.families, &mut it.key.family);
            }
            Entity::Task(it) => {
                let Some(it) = Arc::get_mut(it) else { return };
                self.cluster(&mut it.key.cluster);
                share(&mut self.scopes, &mut it.definition.scope);
                share(&mut self.families, &mut it.definition.family);
                if let Some(service) = &mut it.service {
                    share(&mut self.services, &mut service.name);
                }
                let origin = (it.definition.clone(), it.service.as_ref().map(|service| service.name.clone()));
                match self.launches.get(&origin) {
                    Some((launch, overrides)) if *launch == it.launch && *overrides == it.doc.overrides => {
                        it.launch = Arc::clone(launch);
                        it.doc.make_mut().overrides.clone_from(overrides);
                    }
                    _ => {
                        self.launches.insert(origin, (Arc::clone(&it.launch), it.doc.overrides.clone()));
                    }
                }
            }
            Entity::Service(it) => {
                let Some(it) = Arc::get_mut(it) else { return };
                self.cluster(&mut it.key.cluster);
                share(&mut self.services, &mut it.key.name);
            }
            Entity::ServiceDeployment(it) => {
                let Some(it) = Arc::get_mut(it) else { return };
                self.cluster(&mut it.key.service.cluster);
                share(&mut self.services, &mut it.key.service.name);
            }
            Entity::ServiceRevision(it) => {
                let Some(it) = Arc::get_mut(it) else { return };
                self.cluster(&mut it.key.service.cluster);
                share(&mut self.services, &mut it.key.service.name);
            }
            Entity::Token(it) => {
                let Some(it) = Arc::get_mut(it) else { return };
                self.cluster(&mut it.key.cluster);
            }
            Entity::Resource(it) => {
                let Some(it) = Arc::get_mut(it) else { return };
                share(&mut self.scopes, &mut it.key.scope);
            }
        }
    }
}
