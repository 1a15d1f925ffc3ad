//! Capacity providers and strategies: what a cluster can be given, and what a task or service can ask of it.

use crate::arn::Arn;
use crate::error::EcsError;
use crate::model::CapacityProviderStrategyItem;

/// The capacity providers that every account has.
pub const FARGATE_PROVIDERS: [&str; 2] = ["FARGATE", "FARGATE_SPOT"];

/// The most capacity providers in a cluster or a strategy. (ECS service quota)
pub const MOST_PROVIDERS: usize = 20;

/// The short names of the capacity providers that a cluster is given, each once.
///
/// # Errors
/// `InvalidParameterException` for one that doesn't exist, and for more than [`MOST_PROVIDERS`].
pub fn check_providers(given: &[String]) -> Result<Vec<String>, EcsError> {
    let mut providers: Vec<String> = Vec::with_capacity(given.len());
    for provider in given {
        let name = short_name(provider);
        if !FARGATE_PROVIDERS.contains(&name) {
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
/// `InvalidParameterException` for a provider that the cluster doesn't have and for two items with a base.
pub fn check_default(
    given: &[CapacityProviderStrategyItem],
    providers: &[String],
) -> Result<Vec<CapacityProviderStrategyItem>, EcsError> {
    let strategy: Vec<_> = given
        .iter()
        .map(|item| CapacityProviderStrategyItem {
            capacity_provider: short_name(&item.capacity_provider).to_owned(),
            weight: Some(item.weight.unwrap_or(0)),
            base: Some(item.base.unwrap_or(0)),
        })
        .collect();
    if strategy.iter().any(|item| !providers.contains(&item.capacity_provider)) {
        return Err(EcsError::invalid_parameter(
            "The specified capacity provider strategy cannot contain a capacity provider that is not associated with the cluster. Associate the capacity provider with the cluster and try again.",
        ));
    }
    check_count(strategy.len(), "capacityProviderStrategy")?;
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
    given: &[CapacityProviderStrategyItem],
    providers: &[String],
) -> Result<Vec<CapacityProviderStrategyItem>, EcsError> {
    let strategy = check_default(given, providers)?;
    if !strategy.is_empty() && strategy.iter().all(|item| item.weight.unwrap_or(0) == 0) {
        return Err(EcsError::invalid_parameter(
            "There are no capacity providers in the capacity provider strategy with a weight value greater than zero",
        ));
    }
    Ok(strategy)
}

/// `NAME` of `arn:...:capacity-provider/NAME`, and of `NAME`.
fn short_name(provider: &str) -> &str {
    match Arn::parse(provider) {
        Some(arn) if arn.service == "ecs" && arn.kind == "capacity-provider" => arn.rest,
        _ => provider,
    }
}

fn check_count(count: usize, member: &str) -> Result<(), EcsError> {
    if count > MOST_PROVIDERS {
        return Err(EcsError::invalid_parameter(format!("{member} can have at most {MOST_PROVIDERS} items")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(provider: &str, base: Option<i32>, weight: Option<i32>) -> CapacityProviderStrategyItem {
        CapacityProviderStrategyItem { capacity_provider: provider.to_owned(), weight, base }
    }

    fn both() -> Vec<String> {
        FARGATE_PROVIDERS.map(str::to_owned).to_vec()
    }

    #[test]
    fn a_cluster_can_have_the_providers_that_exist_each_once() {
        let arn = "arn:aws:ecs:eu-central-1:123456789012:capacity-provider/FARGATE";
        let given = ["FARGATE".to_owned(), arn.to_owned(), "FARGATE_SPOT".to_owned()];
        assert_eq!(check_providers(&given), Ok(both()));
        assert_eq!(
            check_providers(&["mine".to_owned()]).unwrap_err().message,
            "The specified capacity provider was not found. Specify a valid capacity provider and try again."
        );
    }

    #[test]
    fn base_and_weight_are_filled_in() {
        let strategy = check_default(&[item("FARGATE", None, None)], &both());
        assert_eq!(strategy, Ok(vec![item("FARGATE", Some(0), Some(0))]));
    }

    #[test]
    fn a_strategy_is_checked_in_the_order_provider_base_weight() {
        let providers = ["FARGATE".to_owned()];
        let spot = item("FARGATE_SPOT", Some(1), Some(1));
        let (one, other) = (item("FARGATE", Some(1), None), item("FARGATE", Some(2), None));
        assert_eq!(
            check_used(&[one.clone(), spot.clone()], &providers).unwrap_err().message,
            "The specified capacity provider strategy cannot contain a capacity provider that is not associated with the cluster. Associate the capacity provider with the cluster and try again."
        );
        assert_eq!(
            check_used(&[one.clone(), other], &providers).unwrap_err().message,
            "There are multiple capacity providers in the specified capacity provider strategy with a base value defined"
        );
        assert_eq!(
            check_used(std::slice::from_ref(&one), &providers).unwrap_err().message,
            "There are no capacity providers in the capacity provider strategy with a weight value greater than zero"
        );
        assert!(check_default(&[one], &providers).is_ok(), "a default may lie unused");
        assert!(check_used(&[spot], &both()).is_ok());
    }
}
