//! Capacity providers and strategies: what a cluster can be given, and what a task or service can ask of it.

use crate::arn::ClusterKey;
use crate::capacity_provider::{Providers, name_of};
use crate::error::EcsError;
use crate::model::{CapacityProviderStrategyItem, LaunchType};
use crate::scope::Scope;

/// The most capacity providers in a cluster or a strategy. (ECS service quota)
pub const MOST_PROVIDERS: usize = 20;

/// The short names of the capacity providers that `cluster` is given, each once.
///
/// # Errors
/// `InvalidParameterException` for one that is not there for this cluster, and for more than [`MOST_PROVIDERS`].
pub fn check_providers(
    cluster: &ClusterKey,
    given: &[String],
    known: &Providers,
) -> Result<Vec<String>, EcsError> {
    let mut providers: Vec<String> = Vec::with_capacity(given.len());
    for provider in given {
        let name = name_of(&cluster.scope, provider);
        if !known.is_for(name, &cluster.name) {
            return Err(EcsError::invalid_parameter(
                "The specified capacity provider was not found. Specify a valid capacity provider and try again.",
            ));
        }
        if !providers.iter().any(|have| have == name) {
            providers.push(name.to_owned());
        }
    }
    check_count(providers.len(), "capacityProviders")?;
    Ok(providers)
}

/// The default strategy of a cluster with `providers`, with short names, base and weight filled in.
///
/// # Errors
/// `InvalidParameterException` for a provider that the cluster doesn't have, for providers of several launch types
/// and for two items with a base.
pub fn check_default(
    scope: &Scope,
    given: &[CapacityProviderStrategyItem],
    providers: &[String],
    known: &Providers,
) -> Result<Vec<CapacityProviderStrategyItem>, EcsError> {
    let strategy: Vec<_> = given
        .iter()
        .map(|item| CapacityProviderStrategyItem {
            capacity_provider: name_of(scope, &item.capacity_provider).to_owned(),
            weight: Some(item.weight.unwrap_or(0)),
            base: Some(item.base.unwrap_or(0)),
        })
        .collect();
    if strategy.iter().any(|item| !providers.contains(&item.capacity_provider)) {
        return Err(EcsError::invalid_parameter(
            "The specified capacity provider strategy cannot contain a capacity provider that is not associated with the cluster. Associate the capacity provider with the cluster or specify a valid capacity provider and try again.",
        ));
    }
    check_count(strategy.len(), "capacityProviderStrategy")?;
    check_mix(&strategy, known)?;
    if strategy.iter().filter(|item| item.base.unwrap_or(0) > 0).count() > 1 {
        return Err(EcsError::invalid_parameter(
            "There are multiple capacity providers in the specified capacity provider strategy with a base value defined",
        ));
    }
    Ok(strategy)
}

/// The strategy of a task or a service, likewise. Unlike a cluster's default, it is used at once.
///
/// # Errors
/// Those of [`check_default`], and one more when no item has a weight.
pub fn check_used(
    scope: &Scope,
    given: &[CapacityProviderStrategyItem],
    providers: &[String],
    known: &Providers,
) -> Result<Vec<CapacityProviderStrategyItem>, EcsError> {
    let strategy = check_default(scope, given, providers, known)?;
    if !strategy.is_empty() && strategy.iter().all(|item| item.weight.unwrap_or(0) == 0) {
        return Err(EcsError::invalid_parameter(
            "There are no capacity providers in the capacity provider strategy with a weight value greater than zero",
        ));
    }
    Ok(strategy)
}

/// The launch type of the tasks of a strategy: all its providers have the same one. None if no provider is known.
pub fn launch_type(strategy: &[CapacityProviderStrategyItem], known: &Providers) -> Option<LaunchType> {
    strategy.iter().find_map(|item| known.launch_type(&item.capacity_provider))
}

fn check_mix(strategy: &[CapacityProviderStrategyItem], known: &Providers) -> Result<(), EcsError> {
    let mut launch_types = strategy.iter().filter_map(|item| known.launch_type(&item.capacity_provider));
    let Some(first) = launch_types.next() else { return Ok(()) };
    let Some(other) = launch_types.find(|other| *other != first) else { return Ok(()) };
    if [first, other].contains(&LaunchType::ManagedInstances) {
        return Err(EcsError::invalid_parameter(
            "A capacity provider strategy cannot contain a mix of capacity providers using Managed Instances and other capacity providers. Specify one or the other and try again.",
        ));
    }
    Err(EcsError::invalid_parameter(
        "A capacity provider strategy cannot contain a mix of capacity providers using Auto Scaling groups and Fargate providers. Specify one or the other and try again.",
    ))
}

pub(super) fn check_count(count: usize, member: &str) -> Result<(), EcsError> {
    if count > MOST_PROVIDERS {
        return Err(EcsError::invalid_parameter(format!("{member} can have at most {MOST_PROVIDERS} items")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arn::cluster_ref;
    use crate::capacity_provider::FARGATE_PROVIDERS;
    use crate::capacity_provider::tests::{group_provider, scope};

    fn item(provider: &str, base: Option<i32>, weight: Option<i32>) -> CapacityProviderStrategyItem {
        CapacityProviderStrategyItem { capacity_provider: provider.to_owned(), weight, base }
    }

    fn both() -> Vec<String> {
        FARGATE_PROVIDERS.map(str::to_owned).to_vec()
    }

    fn main() -> ClusterKey {
        cluster_ref(&scope(), Some("main")).unwrap()
    }

    fn used(
        items: &[CapacityProviderStrategyItem],
        providers: &[String],
        known: &Providers,
    ) -> Result<Vec<CapacityProviderStrategyItem>, EcsError> {
        check_used(&scope(), items, providers, known)
    }

    #[test]
    fn a_cluster_can_have_the_providers_that_exist_each_once() {
        let arn = "arn:aws:ecs:eu-central-1:123456789012:capacity-provider/FARGATE";
        let given = ["FARGATE".to_owned(), arn.to_owned(), "FARGATE_SPOT".to_owned()];
        assert_eq!(check_providers(&main(), &given, &Providers::default()), Ok(both()));
        let mine = ["mine".to_owned()];
        assert_eq!(
            check_providers(&main(), &mine, &Providers::default()).unwrap_err().message,
            "The specified capacity provider was not found. Specify a valid capacity provider and try again."
        );
        let known: Providers = [group_provider("mine")].into_iter().collect();
        assert_eq!(check_providers(&main(), &mine, &known), Ok(mine.to_vec()));
        let gone: Providers = [group_provider("mine").deleted()].into_iter().collect();
        assert!(check_providers(&main(), &mine, &gone).is_err());
    }

    #[test]
    fn base_and_weight_are_filled_in() {
        let strategy =
            check_default(&scope(), &[item("FARGATE", None, None)], &both(), &Providers::default());
        assert_eq!(strategy, Ok(vec![item("FARGATE", Some(0), Some(0))]));
    }

    #[test]
    fn a_strategy_is_of_one_kind() {
        let known: Providers = [group_provider("mine"), group_provider("other")].into_iter().collect();
        let providers: Vec<String> = ["FARGATE", "mine", "other"].map(str::to_owned).to_vec();
        let (fargate, mine) = (item("FARGATE", None, Some(1)), item("mine", None, Some(1)));
        let own = [mine.clone(), item("other", None, Some(1))];
        let strategy = used(&own, &providers, &known).unwrap();
        assert_eq!(launch_type(&strategy, &known), Some(LaunchType::Ec2));
        assert_eq!(
            used(&[fargate, mine], &providers, &known).unwrap_err().message,
            "A capacity provider strategy cannot contain a mix of capacity providers using Auto Scaling groups and Fargate providers. Specify one or the other and try again."
        );
    }

    #[test]
    fn a_strategy_is_checked_in_the_order_provider_base_weight() {
        let providers = ["FARGATE".to_owned()];
        let known = Providers::default();
        let spot = item("FARGATE_SPOT", Some(1), Some(1));
        let (one, other) = (item("FARGATE", Some(1), None), item("FARGATE", Some(2), None));
        assert_eq!(
            used(&[one.clone(), spot.clone()], &providers, &known).unwrap_err().message,
            "The specified capacity provider strategy cannot contain a capacity provider that is not associated with the cluster. Associate the capacity provider with the cluster or specify a valid capacity provider and try again."
        );
        assert_eq!(
            used(&[one.clone(), other], &providers, &known).unwrap_err().message,
            "There are multiple capacity providers in the specified capacity provider strategy with a base value defined"
        );
        assert_eq!(
            used(std::slice::from_ref(&one), &providers, &known).unwrap_err().message,
            "There are no capacity providers in the capacity provider strategy with a weight value greater than zero"
        );
        assert!(check_default(&scope(), &[one], &providers, &known).is_ok(), "a default may lie unused");
        assert!(used(&[spot], &both(), &known).is_ok());
    }
}
