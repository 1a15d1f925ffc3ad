//! Entities without spare room: what the state keeps of each one.
//!
//! A parser leaves vectors with room for four where there is one, and writing a document leaves its text behind in it. For
//! a task that is 2.6 kB and 1.9 kB beside the 4 kB that it needs.

use std::sync::Arc;

use kecs_domain::Doc;
use kecs_usecases::ports::store::Entity;

/// The same entity, with a document that has neither its own text nor room to grow.
pub(crate) fn slim(entity: &Entity) -> Entity {
    // A clone of a vector has no spare room. Kinds without a document are few, and shared as they are.
    match entity {
        Entity::Task(it) => {
            let mut slim = (**it).clone();
            slim.doc = Doc::new((*it.doc).clone());
            Entity::Task(Arc::new(slim))
        }
        Entity::TaskDefinition(it) => {
            let mut slim = (**it).clone();
            slim.doc = Doc::new((*it.doc).clone());
            Entity::TaskDefinition(Arc::new(slim))
        }
        Entity::ServiceDeployment(it) => {
            let mut slim = (**it).clone();
            slim.doc = Doc::new((*it.doc).clone());
            Entity::ServiceDeployment(Arc::new(slim))
        }
        Entity::ServiceRevision(it) => {
            let mut slim = (**it).clone();
            slim.doc = Doc::new((*it.doc).clone());
            Entity::ServiceRevision(Arc::new(slim))
        }
        Entity::Cluster(_)
        | Entity::Family(_)
        | Entity::Service(_)
        | Entity::Token(_)
        | Entity::Resource(_) => entity.clone(),
    }
}
