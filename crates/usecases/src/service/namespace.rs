//! Which services are in which namespace: an index that is kept in the same commits as the services.

use kecs_domain::Scope;
use kecs_domain::resource::{Resource, ResourceKey};
use kecs_domain::service::{NamespaceMember, Service, ServiceNamespace};

use crate::ports::{Changes, Entity, EntityKey, Expect};

/// Adds to `changes` what the index needs when the service that was `before` becomes `after`.
pub(crate) fn follow(before: Option<&Service>, after: &Service, changes: &mut Changes) {
    let (old, new) = (before.and_then(Service::namespace), after.namespace());
    if old == new {
        return;
    }
    let scope = &after.key.cluster.scope;
    let id = format!("{}/{}", after.key.cluster.name, after.key.name);
    if let Some(old) = old {
        let key = ResourceKey::of::<NamespaceMember>(scope, old, &*id);
        changes.deletes.push((EntityKey::Resource(key), Expect::Any));
    }
    if let Some(new) = new {
        let member = NamespaceMember { service: after.key.clone() };
        for resource in
            [Resource::new(scope, new, id, member), Resource::new(scope, "", new, ServiceNamespace {})]
        {
            changes.puts.push((Entity::from(resource), Expect::Any));
        }
    }
}

/// Where it is noted that a service has named a namespace.
pub(super) fn key(scope: &Scope, namespace: &str) -> ResourceKey {
    ResourceKey::of::<ServiceNamespace>(scope, "", namespace)
}
