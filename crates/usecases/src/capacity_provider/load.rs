//! Providers as they are stored: found by name, and associated with clusters.

use std::collections::BTreeMap;

use kecs_domain::Scope;
use kecs_domain::arn::ClusterKey;
use kecs_domain::capacity_provider::{CapacityProvider, Providers, is_predefined, name_of};
use kecs_domain::resource::{Resource, ResourceKey};

use crate::ports::{Changes, EntityKey, Version, Versioned};
use crate::{Ports, Result};

/// Where a provider is kept. All are beside each other, also those that belong to a cluster: an ARN has no place for
/// the cluster's name.
pub(super) fn key(scope: &Scope, name: &str) -> ResourceKey {
    ResourceKey::of::<CapacityProvider>(scope, "", name)
}

/// A provider, to be stored.
pub(crate) fn stored(provider: CapacityProvider) -> Resource {
    let (scope, name) = (provider.scope.clone(), provider.name.clone());
    Resource::new(&scope, "", name, provider)
}

/// The account's own provider with this name, ACTIVE or not.
pub(crate) async fn find(
    ports: &Ports,
    scope: &Scope,
    name: &str,
) -> Result<Option<(CapacityProvider, Version)>> {
    let found = ports.resources.resources(&[key(scope, name)]).await?.pop().flatten();
    Ok(found.as_ref().and_then(read))
}

fn read(found: &Versioned<Resource>) -> Option<(CapacityProvider, Version)> {
    found.value.get::<CapacityProvider>().map(|provider| (provider.clone(), found.version))
}

/// The account's own providers among those that somebody named.
pub(crate) struct Loaded {
    pub(crate) known: Providers,
    versions: BTreeMap<String, Version>,
}

/// Loads what there is of `named`: names or ARNs, in any order, as often as they like.
pub(crate) async fn load<'a>(
    ports: &Ports,
    scope: &Scope,
    named: impl IntoIterator<Item = &'a str>,
) -> Result<Loaded> {
    let mut names: Vec<&str> =
        named.into_iter().map(|text| name_of(scope, text)).filter(|name| !is_predefined(name)).collect();
    names.sort_unstable();
    names.dedup();
    let keys: Vec<_> = names.into_iter().map(|name| key(scope, name)).collect();
    let found = if keys.is_empty() { Vec::new() } else { ports.resources.resources(&keys).await? };
    let found: Vec<_> = found.iter().flatten().filter_map(read).collect();
    let versions = found.iter().map(|(provider, version)| (provider.name.clone(), *version)).collect();
    Ok(Loaded { known: found.into_iter().map(|(provider, _)| provider).collect(), versions })
}

impl Loaded {
    /// Adds to `changes` that `cluster` has the providers `names`: each must be as it was read when the cluster gets
    /// it, so that none is deleted meanwhile, and knows afterwards where to look for its use.
    pub(crate) fn associate(&self, cluster: &ClusterKey, names: &[String], changes: &mut Changes) {
        for name in names {
            let (Some(provider), Some(version)) = (self.known.get(name), self.versions.get(name)) else {
                continue;
            };
            if provider.clusters.contains(&cluster.name) {
                changes.require(EntityKey::Resource(key(&cluster.scope, name)), *version);
            } else {
                let mut provider = provider.clone();
                provider.clusters.insert(cluster.name.clone());
                changes.update(stored(provider), *version);
            }
        }
    }
}
