//! Capacity provider strategies: which provider each of some tasks goes to.

use crate::generated::CapacityProviderStrategyItem;

/// Shares `count` tasks out over the providers of `strategy`, where `running` tells how many tasks of the same
/// group each provider has already: first the base, then by weight, each task to the provider that is furthest
/// behind its share. (AWS documentation, capacity provider strategy)
pub fn distribute(
    strategy: &[CapacityProviderStrategyItem],
    running: &dyn Fn(&str) -> usize,
    count: usize,
) -> Vec<String> {
    let mut have: Vec<usize> = strategy.iter().map(|item| running(&item.capacity_provider)).collect();
    let base = |index: usize| usize::try_from(strategy[index].base.unwrap_or(0)).unwrap_or(0);
    let weight = |index: usize| u64::try_from(strategy[index].weight.unwrap_or(0)).unwrap_or(0);
    (0..count)
        .filter_map(|_| {
            let below_base = (0..strategy.len()).find(|index| have[*index] < base(*index));
            let chosen = below_base.or_else(|| {
                (0..strategy.len()).filter(|index| weight(*index) > 0).min_by(|left, right| {
                    // beyond/weight compared without division: the smaller share is furthest behind.
                    let beyond = |index: usize| (have[index] - base(index).min(have[index])) as u64 + 1;
                    (beyond(*left) * weight(*right)).cmp(&(beyond(*right) * weight(*left)))
                })
            })?;
            have[chosen] += 1;
            Some(strategy[chosen].capacity_provider.clone())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(provider: &str, base: i32, weight: i32) -> CapacityProviderStrategyItem {
        CapacityProviderStrategyItem {
            capacity_provider: provider.to_owned(),
            base: Some(base),
            weight: Some(weight),
        }
    }

    fn spots(strategy: &[CapacityProviderStrategyItem], count: usize) -> usize {
        distribute(strategy, &|_| 0, count).iter().filter(|provider| *provider == "FARGATE_SPOT").count()
    }

    #[test]
    fn the_base_comes_first_and_the_rest_goes_by_weight() {
        let strategy = [item("FARGATE", 2, 1), item("FARGATE_SPOT", 0, 3)];
        assert_eq!(spots(&strategy, 2), 0);
        assert_eq!(spots(&strategy, 6), 3);
        assert_eq!(spots(&strategy, 10), 6);
    }

    #[test]
    fn without_a_weight_a_provider_only_gets_its_base() {
        let strategy = [item("FARGATE", 1, 0), item("FARGATE_SPOT", 0, 1)];
        assert_eq!(spots(&strategy, 5), 4);
    }
}
