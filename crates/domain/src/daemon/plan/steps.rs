//! The steps of a daemon's deployment: which instances get the wanted revision now, and how far all of that is.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{DaemonInput, DaemonPlan, Live, Station, StationState, revision_of, stop};
use crate::Timestamp;
use crate::daemon::{Daemon, DaemonEvent, ProviderCounts, RevisionCounts, Rollout};
use crate::name::{DeploymentId, HexId};
use crate::service::{Condition, first_to_go};
use crate::task::{Task, TaskStatus};

/// Tasks that are wanted as long as nobody decides otherwise.
const WANTED: [Condition; 3] = [Condition::Pending, Condition::Undecided, Condition::Healthy];

/// Why a daemon's task goes from an instance that is drained.
pub(in crate::daemon) const DRAINED: &str = "The container instance is draining";
/// Why a daemon's task goes from an instance of which it is not the daemon.
const NOT_OURS: &str = "The container instance is no longer one of the daemon's";

/// The tasks on one instance that are wanted, and whether any other still takes their place.
#[derive(Default)]
struct Here<'a> {
    current: Vec<Live<'a>>,
    older: Vec<Live<'a>>,
    ending: bool,
}

impl Here<'_> {
    /// Whether a task of the wanted revision does its work here.
    fn is_ready(&self) -> bool {
        self.current.iter().any(|(_, condition)| *condition == Condition::Healthy)
    }
}

/// Plans starts and stops for an ACTIVE daemon.
pub(super) fn make(plan: &mut DaemonPlan, input: &DaemonInput<'_>, live: &[Live<'_>]) {
    let wanted_revision = plan.daemon.revision;
    let stalled = plan.daemon.rollout == Rollout::Stalled;
    let mut on: BTreeMap<HexId, Here<'_>> = BTreeMap::new();
    let known: BTreeMap<HexId, StationState> =
        input.stations.iter().map(|station| (station.instance, station.state)).collect();
    for (task, condition) in live {
        let state = task.instance.and_then(|instance| known.get(&instance));
        let Some(instance) = task.instance.filter(|_| !matches!(state, None | Some(StationState::Drained)))
        else {
            if WANTED.contains(condition) {
                let drained = state.is_some();
                stop(plan, std::iter::once(*task), if drained { DRAINED } else { NOT_OURS });
            }
            continue;
        };
        let here = on.entry(instance).or_default();
        match condition {
            Condition::Ending | Condition::Unhealthy => here.ending = true,
            Condition::Leaving => {}
            _ if revision_of(task) == Some(wanted_revision) => here.current.push((task, *condition)),
            _ => here.older.push((task, *condition)),
        }
    }
    let open: Vec<&Station> =
        input.stations.iter().filter(|station| station.state == StationState::Open).collect();
    let wait = plan.daemon.throttle.wait(input.now).filter(|_| !stalled);
    let mut under_way = 0;
    let mut outdated: Vec<&[Live<'_>]> = Vec::new();
    let empty = Here::default();
    for station in &open {
        let here = on.get(&station.instance).unwrap_or(&empty);
        // Two of a revision are on an instance if a deployment was rolled back and forth; one is enough.
        let spare = here.current.len().saturating_sub(1);
        let extra = first_to_go(here.current.clone(), input.now).into_iter().take(spare);
        stop(plan, extra.map(|(task, _)| task), "One daemon task on a container instance is enough");
        if here.is_ready() {
            stop(plan, here.older.iter().map(|(task, _)| *task), "Daemon deployment");
            continue;
        }
        if here.older.iter().any(|(_, condition)| *condition == Condition::Healthy) {
            outdated.push(&here.older);
            continue;
        }
        under_way += 1;
        if stalled {
            continue;
        }
        // An older task that doesn't do its work yet needs not be waited for.
        stop(plan, here.older.iter().map(|(task, _)| *task), "Daemon deployment");
        if here.current.is_empty() && here.older.is_empty() && !here.ending && wait.is_none() {
            plan.start.push((*station).clone());
        }
    }
    if let Some(wait) = wait.filter(|_| under_way > 0) {
        sooner(plan, wait);
    }
    if under_way > 0 && plan.daemon.is_rolling() {
        plan.daemon.in_step = true;
    }
    if stalled || under_way > 0 || !plan.stop.is_empty() {
        return;
    }
    if !has_baked(plan, input.now) {
        return;
    }
    if outdated.is_empty() {
        complete(plan, live);
        return;
    }
    let batch = batch(open.len(), plan.daemon.configuration.drain_percent.unwrap_or(0.0));
    plan.daemon.in_step = true;
    let going = outdated.into_iter().take(batch).flatten();
    stop(plan, going.map(|(task, _)| *task), "Daemon deployment");
}

/// How many instances one step takes.
fn batch(instances: usize, percent: f64) -> usize {
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "a count of instances, and a percentage from 0 to 100"
    )]
    let share = (instances as f64 * percent / 100.0).floor() as usize;
    // With none at all a deployment would never end.
    share.max(1)
}

/// Whether the time to wait after the last step is over. Nothing is under way.
fn has_baked(plan: &mut DaemonPlan, now: Timestamp) -> bool {
    if plan.daemon.in_step {
        plan.daemon.in_step = false;
        let minutes = plan.daemon.configuration.bake_time_in_minutes.unwrap_or(0);
        let bake = Duration::from_secs(60 * u64::try_from(minutes).unwrap_or(0));
        plan.daemon.bakes_until = (!bake.is_zero()).then(|| now.saturating_add(bake));
    }
    match plan.daemon.bakes_until.filter(|until| *until > now) {
        None => {
            plan.daemon.bakes_until = None;
            true
        }
        Some(until) => {
            sooner(plan, until.duration_since(now));
            false
        }
    }
}

/// Ends a deployment: every instance is ready, and no older task is left but on instances that are let alone.
fn complete(plan: &mut DaemonPlan, live: &[Live<'_>]) {
    let leaving =
        live.iter().any(|(_, condition)| matches!(condition, Condition::Ending | Condition::Leaving));
    if plan.daemon.is_rolling() && !leaving {
        plan.daemon.rollout = Rollout::Done;
        plan.daemon.last_successful = Some(plan.daemon.revision);
        plan.events.push(DaemonEvent::Completed);
    }
}

fn sooner(plan: &mut DaemonPlan, after: Duration) {
    plan.again_after = Some(plan.again_after.map_or(after, |have| have.min(after)));
}

/// Writes down where its tasks are now.
pub(super) fn tally(plan: &mut DaemonPlan, input: &DaemonInput<'_>, live: &[Live<'_>]) {
    let daemon = &mut plan.daemon;
    let mut counts: Vec<RevisionCounts> = Vec::new();
    let mut serving: Vec<HexId> = Vec::new();
    for (task, condition) in live {
        let Some(revision) = revision_of(task) else { continue };
        let provider = provider_of(daemon, input.stations, task);
        let entry = provider_counts(&mut counts, revision, provider);
        if task.status == TaskStatus::Running {
            entry.running += 1;
        }
        if matches!(condition, Condition::Ending | Condition::Leaving) {
            entry.draining += 1;
        }
        if matches!(condition, Condition::Undecided | Condition::Healthy) {
            serving.extend(task.instance);
        }
    }
    serving.sort_unstable();
    serving.dedup();
    if !daemon.settings.critical {
        for station in input.stations.iter().filter(|station| station.state == StationState::Open) {
            if serving.binary_search(&station.instance).is_err() {
                provider_counts(&mut counts, daemon.revision, station.provider.clone()).without += 1;
            }
        }
    }
    daemon.serving = serving;
    daemon.counts = counts;
    daemon.arrange_counts();
}

fn provider_of(daemon: &Daemon, stations: &[Station], task: &Task) -> String {
    let station = stations.iter().find(|station| Some(station.instance) == task.instance);
    let first = || daemon.settings.capacity_providers.first().cloned().unwrap_or_default();
    station.map_or_else(first, |station| station.provider.clone())
}

fn provider_counts(
    counts: &mut Vec<RevisionCounts>,
    revision: DeploymentId,
    provider: String,
) -> &mut ProviderCounts {
    let at = counts.iter().position(|one| one.revision == revision).unwrap_or_else(|| {
        counts.push(RevisionCounts { revision, providers: Vec::new() });
        counts.len() - 1
    });
    let providers = &mut counts[at].providers;
    let at = providers.iter().position(|one| one.provider == provider).unwrap_or_else(|| {
        providers.push(ProviderCounts { provider, ..ProviderCounts::default() });
        providers.len() - 1
    });
    &mut providers[at]
}
