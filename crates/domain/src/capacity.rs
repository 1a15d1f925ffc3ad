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

/// Whether `started` tasks, each the name of its provider, went where `strategy` says, beside those that each provider
/// had `before`: nobody gets more than its base while another one's base isn't full, and no task goes by weight to a
/// provider that is ahead of another one. Of tasks of which none failed to find a place. For tests and simulations.
///
/// # Errors
/// The rule that is broken.
pub fn check_shares<'a>(
    strategy: &[CapacityProviderStrategyItem],
    before: impl Fn(&str) -> usize,
    started: impl IntoIterator<Item = &'a str>,
) -> Result<(), String> {
    let mut new = vec![0_usize; strategy.len()];
    for provider in started {
        match strategy.iter().position(|item| item.capacity_provider == provider) {
            Some(index) => new[index] += 1,
            None => return Err(format!("a task went to {provider:?}, which is not in the strategy")),
        }
    }
    let shares: Vec<_> = strategy
        .iter()
        .zip(&new)
        .map(|(item, new)| {
            let base = usize::try_from(item.base.unwrap_or(0)).unwrap_or(0);
            let weight = usize::try_from(item.weight.unwrap_or(0)).unwrap_or(0);
            (item.capacity_provider.as_str(), base, weight, before(&item.capacity_provider) + new, *new)
        })
        .collect();
    for (name, base, weight, have, _) in
        shares.iter().filter(|(_, base, _, have, new)| *new > 0 && have > base)
    {
        if let Some((other, ..)) = shares.iter().find(|(_, base, _, have, _)| have < base) {
            return Err(format!("{name} has {have} tasks while the base of {other} isn't full"));
        }
        let ahead = |(_, other_base, other_weight, other_have, _): &&(&str, usize, usize, usize, usize)| {
            let beyond = other_have.saturating_sub(*other_base);
            *other_weight > 0 && (have - base) * other_weight > (beyond + 1) * weight
        };
        match shares.iter().find(ahead) {
            _ if *weight == 0 => return Err(format!("{name} has no weight, and {have} tasks")),
            Some((other, ..)) => {
                return Err(format!("{name} has {have} tasks and is ahead of {other}: {shares:?}"));
            }
            None => {}
        }
    }
    Ok(())
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

    #[test]
    fn what_is_distributed_keeps_to_the_shares_and_other_ways_do_not() {
        for (base, first, second) in [(0, 1, 1), (2, 1, 3), (3, 0, 2), (1, 5, 2)] {
            let strategy = [item("a", base, first), item("b", 0, second)];
            for (a, b, count) in [(0, 0, 9), (1, 4, 3), (5, 0, 2), (0, 0, 1)] {
                let before = |name: &str| if name == "a" { a } else { b };
                let shared = distribute(&strategy, &before, count);
                let shared = shared.iter().map(String::as_str);
                assert_eq!(
                    check_shares(&strategy, before, shared),
                    Ok(()),
                    "{base} {first} {second} {a} {b}"
                );
            }
        }
        let strategy = [item("a", 2, 1), item("b", 0, 1)];
        assert!(check_shares(&strategy, |_| 0, ["b"]).unwrap_err().contains("the base of a isn't full"));
        assert!(check_shares(&strategy, |_| 0, ["a"; 5]).unwrap_err().contains("is ahead of b"));
        assert!(check_shares(&strategy, |_| 0, ["c"]).unwrap_err().contains("not in the strategy"));
        let unweighted = [item("a", 1, 0), item("b", 0, 1)];
        assert!(check_shares(&unweighted, |_| 0, ["a", "a"]).unwrap_err().contains("no weight"));
    }
}
