//! Which tasks go first when there are too many.

use std::collections::BTreeMap;

use super::census::Condition;
use crate::Timestamp;
use crate::task::Task;

/// Sorts `tasks` by who should go first: those that don't run yet, then unhealthy ones, then from the zone with the
/// most tasks, the newest first. Protected tasks are left out.
pub(crate) fn first_to_go(tasks: Vec<(&Task, Condition)>, now: Timestamp) -> Vec<(&Task, Condition)> {
    let rank = |condition: Condition| match condition {
        Condition::Pending => 0,
        Condition::Unhealthy => 1,
        Condition::Undecided => 2,
        _ => 3,
    };
    let mut candidates: Vec<_> =
        tasks.into_iter().filter(|(task, _)| task.protection(now).is_none()).collect();
    // Newest first within a zone; its place in the zone's queue then spreads the choice over the zones.
    candidates.sort_by_key(|(task, condition)| {
        (rank(*condition), std::cmp::Reverse(task.doc.created_at), task.key.id)
    });
    let mut zones: BTreeMap<&str, usize> = BTreeMap::new();
    for (task, _) in &candidates {
        *zones.entry(zone(task)).or_default() += 1;
    }
    let mut left = zones;
    let mut keyed: Vec<_> = candidates
        .into_iter()
        .map(|(task, condition)| {
            let in_zone = left.get_mut(zone(task)).map_or(0, |left| {
                let now_left = *left;
                *left -= 1;
                now_left
            });
            (rank(condition), std::cmp::Reverse(in_zone), task, condition)
        })
        .collect();
    keyed.sort_by_key(|(rank, in_zone, task, _)| {
        (*rank, *in_zone, std::cmp::Reverse(task.doc.created_at), task.key.id)
    });
    keyed.into_iter().map(|(_, _, task, condition)| (task, condition)).collect()
}

fn zone(task: &Task) -> &str {
    task.doc.availability_zone.as_deref().unwrap_or_default()
}
