//! The capacity providers of a cluster: how it gets them and loses them.

use super::{ClusterSpec, strategy};
use crate::capacity_provider::{AttachmentIds, is_predefined};
use crate::error::EcsError;
use crate::model::CapacityProviderStrategyItem;

impl ClusterSpec {
    /// Gives the cluster `providers` and the default strategy `default`, both checked, and no others. `uuid` yields
    /// fresh UUIDs for what new ones attach.
    pub fn associate(
        &mut self,
        providers: Vec<String>,
        default: Vec<CapacityProviderStrategyItem>,
        uuid: &mut dyn FnMut() -> String,
    ) {
        self.capacity_providers = providers;
        self.default_capacity_provider_strategy = default;
        self.attach(uuid);
    }

    /// Gives fresh identifiers to what the providers attach that have none yet, and forgets the others'.
    pub fn attach(&mut self, uuid: &mut dyn FnMut() -> String) {
        let providers = &self.capacity_providers;
        self.attachments.retain(|name, _| providers.contains(name));
        for name in providers.iter().filter(|name| !is_predefined(name)) {
            self.attachments
                .entry(name.clone())
                .or_insert_with(|| AttachmentIds { policy: uuid(), draining: uuid() });
        }
    }

    /// Goes back to the providers of `before`.
    pub fn put_back(&mut self, before: &Self) {
        self.capacity_providers.clone_from(&before.capacity_providers);
        self.default_capacity_provider_strategy.clone_from(&before.default_capacity_provider_strategy);
        self.attachments.clone_from(&before.attachments);
    }

    /// Gives the cluster a provider that belongs to it.
    ///
    /// # Errors
    /// `InvalidParameterException` when it would have too many.
    pub fn add_scoped(&mut self, name: &str, uuid: &mut dyn FnMut() -> String) -> Result<(), EcsError> {
        let mut providers = self.capacity_providers.clone();
        if !providers.iter().any(|have| have == name) {
            providers.push(name.to_owned());
        }
        strategy::check_count(providers.len(), "capacityProviders")?;
        let default = self.default_capacity_provider_strategy.clone();
        self.associate(providers, default, uuid);
        self.scoped_providers.insert(name.to_owned());
        Ok(())
    }

    /// Takes a provider that belonged to the cluster out of it.
    pub fn remove_scoped(&mut self, name: &str) {
        self.capacity_providers.retain(|have| have != name);
        self.attachments.remove(name);
        self.scoped_providers.remove(name);
    }

    /// Whether the default strategy names the provider.
    pub fn is_default(&self, name: &str) -> bool {
        self.default_capacity_provider_strategy.iter().any(|item| item.capacity_provider == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    fn associated(spec: &mut ClusterSpec, names: &[&str]) -> Vec<String> {
        let mut number = spec.attachments.len() * 10;
        let mut uuid = || {
            number += 1;
            number.to_string()
        };
        spec.associate(named(names), Vec::new(), &mut uuid);
        spec.attachments.values().map(|ids| ids.policy.clone()).collect()
    }

    #[test]
    fn what_a_provider_attaches_keeps_its_identity_while_it_stays() {
        let mut spec = ClusterSpec::default();
        assert_eq!(associated(&mut spec, &["FARGATE", "a"]), ["1"], "Fargate attaches nothing");
        assert_eq!(associated(&mut spec, &["a", "b"]), ["1", "11"]);
        assert_eq!(associated(&mut spec, &["b"]), ["11"]);
        assert_eq!(associated(&mut spec, &["a", "b"]), ["11", "11"], "a is new again");
    }

    #[test]
    fn a_scoped_provider_comes_and_goes_with_its_cluster_knowing() {
        let mut spec = ClusterSpec { capacity_providers: named(&["FARGATE"]), ..ClusterSpec::default() };
        let before = spec.clone();
        spec.add_scoped("managed", &mut String::new).unwrap();
        spec.add_scoped("managed", &mut String::new).unwrap();
        assert_eq!(spec.capacity_providers, ["FARGATE", "managed"]);
        assert!(spec.scoped_providers.contains("managed"));
        spec.remove_scoped("managed");
        assert_eq!(spec, before);
    }

    #[test]
    fn a_cluster_has_at_most_twenty_providers() {
        let mut spec = ClusterSpec::default();
        for number in 0..20 {
            spec.add_scoped(&format!("p{number}"), &mut String::new).unwrap();
        }
        assert!(spec.add_scoped("one-more", &mut String::new).is_err());
    }
}
