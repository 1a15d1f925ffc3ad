//! What must be true of every stored service, of two stored states of it in a row, and of what its scheduler does.
//!
//! For tests, simulations and contract suites: nothing in here is asked while the product runs. A violation is a
//! sentence for a person.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::census::{Census, Condition};
use super::{
    Deployment, DeploymentStatus, Service, ServiceDeployment, ServiceRevision, ServiceStatus, TaskSet,
    TaskSetStatus, is_finished,
};
use crate::Timestamp;
use crate::arn::TaskDefinitionKey;
use crate::generated as model;
use crate::model::{
    DeploymentControllerType, DeploymentRolloutState, SchedulingStrategy, ServiceDeploymentStatus as Record,
};
use crate::task::{DesiredStatus, Task, TaskStatus};
use crate::task_definition::TaskDefinition;

/// What is wrong with `service` by itself.
///
/// # Errors
/// The first rule that is broken.
pub fn check(service: &Service) -> Result<(), String> {
    let ids: BTreeSet<_> = service.deployments.iter().map(|one| one.id).collect();
    if ids.len() != service.deployments.len() {
        return Err("two of its deployments have one id".to_owned());
    }
    let primaries = service.deployments.iter().filter(|one| one.status == DeploymentStatus::Primary).count();
    let first = service.deployments.first().map(|one| one.status);
    let scheduled = service.controller() == DeploymentControllerType::Ecs;
    let sound = match service.status {
        ServiceStatus::Active if scheduled => primaries == 1 && first == Some(DeploymentStatus::Primary),
        ServiceStatus::Active | ServiceStatus::Draining => primaries <= 1,
        ServiceStatus::Inactive => service.deployments.is_empty(),
    };
    if !sound {
        let all: Vec<_> = service.deployments.iter().map(|one| one.status.as_str()).collect();
        return Err(format!("it is {} with deployments {all:?}", service.status.as_str()));
    }
    let negative = service
        .deployments
        .iter()
        .any(|one| one.desired < 0 || one.pending < 0 || one.running < 0 || one.failed < 0);
    if negative || service.desired_count() < 0 || service.running < 0 || service.pending < 0 {
        return Err("a count is negative".to_owned());
    }
    let sum = |of: fn(&Deployment) -> i32| service.deployments.iter().map(of).sum::<i32>();
    let of_sets = |of: fn(&TaskSet) -> i32| service.task_sets.iter().map(of).sum::<i32>();
    let running = sum(|one| one.running) + of_sets(|set| set.running);
    let pending = sum(|one| one.pending) + of_sets(|set| set.pending);
    let primary_sets = service.task_sets.iter().filter(|set| set.status == TaskSetStatus::Primary).count();
    let external = service.controller() == DeploymentControllerType::External;
    let without = !external || service.status == ServiceStatus::Inactive;
    if primary_sets > 1 || (without && !service.task_sets.is_empty()) {
        return Err(format!("it has {} task sets, {primary_sets} of them PRIMARY", service.task_sets.len()));
    }
    if running > service.running || pending > service.pending {
        return Err(format!(
            "its deployments have {running} running and {pending} pending tasks, it has {} and {}",
            service.running, service.pending
        ));
    }
    if service.events.len() > 100 {
        return Err(format!("it has {} events", service.events.len()));
    }
    let times: Vec<_> = service.events.iter().map(|event| event.created_at).collect();
    if !times.is_sorted_by(|newer, older| newer >= older) {
        return Err("its events are not the newest first".to_owned());
    }
    Ok(())
}

/// What is wrong with `after` as the next stored state of the service that was `before`.
///
/// # Errors
/// The first rule that is broken.
pub fn check_next(before: &Service, after: &Service) -> Result<(), String> {
    check(after)?;
    use ServiceStatus::{Active, Draining, Inactive};
    let legal = matches!(
        (before.status, after.status),
        (Active, Active | Draining) | (Draining, Draining | Inactive) | (Inactive, Inactive | Active)
    );
    if !legal || before.key != after.key {
        return Err(format!("it went from {} to {}", before.status.as_str(), after.status.as_str()));
    }
    if before.status == Inactive {
        return Ok(());
    }
    let known = |id| before.deployments.iter().find(|one| one.id == id);
    let newcomers = after.deployments.iter().take_while(|one| known(one.id).is_none()).count();
    let stayed: Vec<_> = after.deployments[newcomers..].iter().map(|one| one.id).collect();
    let order: Vec<_> =
        before.deployments.iter().map(|one| one.id).filter(|id| stayed.contains(id)).collect();
    if order != stayed || newcomers > 1 {
        return Err("its deployments are not the newest first".to_owned());
    }
    for one in &after.deployments[newcomers..] {
        if let Some(old) = known(one.id) {
            check_next_deployment(old, one).map_err(|wrong| format!("deployment {}: {wrong}", one.id))?;
        }
    }
    for set in &after.task_sets {
        let old = before.task_sets.iter().find(|old| old.id == set.id);
        let same = old.is_none_or(|old| {
            old.definition == set.definition
                && old.created_at == set.created_at
                && old.settings == set.settings
                && (old.status != TaskSetStatus::Draining || set.status == TaskSetStatus::Draining)
        });
        if !same {
            return Err(format!("task set {} became another one", set.id));
        }
    }
    check_events(before, after)
}

/// New events come before the old ones, which stay as they were until there are too many.
fn check_events(before: &Service, after: &Service) -> Result<(), String> {
    let newest = before.events.front().and_then(|event| event.id.as_ref());
    let new = after.events.iter().take_while(|event| event.id.as_ref() != newest).count();
    if before.events.iter().zip(after.events.iter().skip(new)).all(|(was, is)| was == is) {
        return Ok(());
    }
    Err("its events changed".to_owned())
}

fn check_next_deployment(before: &Deployment, after: &Deployment) -> Result<(), String> {
    let same = before.definition == after.definition
        && before.created_at == after.created_at
        && before.record == after.record
        && before.rolls_back == after.rolls_back
        && before.settings == after.settings
        && before.connections == after.connections;
    if !same {
        return Err("it became another one".to_owned());
    }
    let back = before.status != DeploymentStatus::Primary && after.status == DeploymentStatus::Primary;
    if back {
        return Err("it is PRIMARY again".to_owned());
    }
    if before.rollout != DeploymentRolloutState::InProgress && before.rollout != after.rollout {
        return Err(format!("its rollout went from {} to {}", before.rollout, after.rollout));
    }
    if before.stop.is_some() && before.stop != after.stop {
        return Err("it should not be stopped any more".to_owned());
    }
    if (before.seen && !after.seen) || (before.breaker.triggered && !after.breaker.triggered) {
        return Err("what was noted of it is forgotten".to_owned());
    }
    Ok(())
}

/// What is wrong with `after` as what the scheduler makes of `before`: it leaves alone what users set, but for a
/// rollback and for the count of a DAEMON service.
///
/// # Errors
/// The first rule that is broken.
pub fn check_scheduled(before: &Service, after: &Service) -> Result<(), String> {
    if before.tags != after.tags {
        return Err("the scheduler changed its tags".to_owned());
    }
    if before.status == ServiceStatus::Active && after.status != ServiceStatus::Active {
        return Err(format!("the scheduler made it {}", after.status.as_str()));
    }
    let rolled_back = before.primary().map(|one| one.id) != after.primary().map(|one| one.id)
        && after.primary().is_some_and(|one| one.rolls_back.is_some());
    if rolled_back {
        return Ok(());
    }
    let mut spec = model::Service::clone(&after.spec);
    if after.scheduling_strategy() == SchedulingStrategy::Daemon {
        spec.desired_count = before.spec.desired_count;
    }
    if before.spec != spec || before.revision_extras != after.revision_extras {
        return Err("the scheduler changed what its users set".to_owned());
    }
    Ok(())
}

/// What a scheduler saw of a service when it decided.
#[derive(Clone, Copy)]
pub struct Sight<'a> {
    /// The service.
    pub service: &'a Service,
    /// Its tasks.
    pub tasks: &'a [Arc<Task>],
    /// Finds a task definition.
    pub definition: &'a dyn Fn(&TaskDefinitionKey) -> Option<Arc<TaskDefinition>>,
    /// Then.
    pub now: Timestamp,
}

impl Sight<'_> {
    fn census(&self) -> Census<'_> {
        Census::take(self.service, self.tasks.iter().map(|task| &**task), self.definition, self.now)
    }
}

/// Whether the scheduler may end `tasks`: never so many healthy ones that fewer than the minimum are left. Tasks of a
/// DAEMON service go in any case where they don't belong any more, and those of a deleted one everywhere.
///
/// # Errors
/// The rule that is broken.
pub fn check_ended(sight: &Sight<'_>, ended: &BTreeSet<crate::name::TaskId>) -> Result<(), String> {
    let service = sight.service;
    let replica = service.scheduling_strategy() == SchedulingStrategy::Replica;
    // How tasks go from one task set to another is for the external controller to say.
    let ours = service.controller() == DeploymentControllerType::Ecs;
    if service.status != ServiceStatus::Active || !replica || !ours {
        return Ok(());
    }
    let census = sight.census();
    let healthy = census.count(None, &[Condition::Healthy]);
    let going = census
        .live
        .iter()
        .filter(|(task, condition)| *condition == Condition::Healthy && ended.contains(&task.key.id))
        .count();
    let least = service.limits(service.desired_count()).least_healthy;
    let left = healthy - i64::try_from(going).unwrap_or(i64::MAX);
    if going > 0 && left < least {
        return Err(format!(
            "the scheduler ends {going} of {healthy} healthy tasks: {left} are left, the minimum is {least}"
        ));
    }
    Ok(())
}

/// Whether the scheduler may end `ended` tasks because there are too many or newer ones: never protected ones. A
/// deleted service ends all of its tasks, and a daemon goes from where it doesn't belong any more.
///
/// # Errors
/// The rule that is broken.
pub fn check_spared(sight: &Sight<'_>, ended: &BTreeSet<crate::name::TaskId>) -> Result<(), String> {
    let service = sight.service;
    let ours = service.controller() == DeploymentControllerType::Ecs;
    let replica = service.scheduling_strategy() == SchedulingStrategy::Replica;
    if service.status != ServiceStatus::Active || !replica || !ours {
        return Ok(());
    }
    let protected = |task: &&Arc<Task>| ended.contains(&task.key.id) && task.protection(sight.now).is_some();
    match sight.tasks.iter().find(protected) {
        Some(task) => Err(format!("the scheduler ends the protected task {}", task.key.id)),
        None => Ok(()),
    }
}

/// Whether the scheduler may start `started` tasks: never more than the maximum. A DAEMON service never has a second
/// task on an instance; what still ends on instances that are gone doesn't count there.
///
/// # Errors
/// The rule that is broken.
pub fn check_started(sight: &Sight<'_>, started: &[&Task]) -> Result<(), String> {
    if started.is_empty() {
        return Ok(());
    }
    let service = sight.service;
    if service.status != ServiceStatus::Active {
        return Err(format!("the scheduler starts tasks of a service that is {}", service.status.as_str()));
    }
    if service.controller() != DeploymentControllerType::Ecs {
        return Ok(());
    }
    let census = sight.census();
    let there =
        census.live.iter().filter(|(_, condition)| *condition != Condition::Leaving).map(|(task, _)| *task);
    if service.scheduling_strategy() == SchedulingStrategy::Daemon {
        let mut taken: BTreeSet<_> = there.map(|task| task.instance).collect();
        return match started.iter().find(|task| task.instance.is_none() || !taken.insert(task.instance)) {
            Some(task) => Err(format!("the scheduler starts a second daemon on {:?}", task.instance)),
            None => Ok(()),
        };
    }
    let (there, started) = (there.count(), started.len());
    let most = service.limits(service.desired_count()).most;
    if i64::try_from(there + started).unwrap_or(i64::MAX) > most {
        return Err(format!("the scheduler starts {started} tasks beside {there}: the maximum is {most}"));
    }
    Ok(())
}

/// Whether the counts of a service are those of its tasks. True at rest: while something moves, the service is told
/// a moment later.
///
/// # Errors
/// The count that is wrong.
pub fn check_counts<'a>(service: &Service, tasks: impl IntoIterator<Item = &'a Task>) -> Result<(), String> {
    let (mut running, mut pending) = (0, 0);
    for task in tasks {
        running += i32::from(task.status == TaskStatus::Running);
        pending += i32::from(task.status.is_pending() && task.desired == DesiredStatus::Running);
    }
    if (running, pending) != (service.running, service.pending) {
        return Err(format!(
            "it shows {} running and {} pending tasks, and has {running} and {pending}",
            service.running, service.pending
        ));
    }
    Ok(())
}

/// What is wrong with `after` as the next stored state of the record `before`: one that has come to its end changes no
/// more.
///
/// # Errors
/// The first rule that is broken.
pub fn check_next_record(before: &ServiceDeployment, after: &ServiceDeployment) -> Result<(), String> {
    let (was, is) = (before.status(), after.status());
    if is_finished(was) {
        return if before == after { Ok(()) } else { Err(format!("it changed after it was {was}")) };
    }
    if before.key != after.key || before.target != after.target || before.created_at() != after.created_at() {
        return Err("it became the record of another deployment".to_owned());
    }
    let legal = was == is
        || matches!(is, Record::Stopped | Record::RollbackFailed)
        || matches!(
            (was, is),
            (Record::Pending, Record::InProgress)
                | (Record::Pending | Record::InProgress, Record::Successful | Record::RollbackInProgress)
                | (Record::Pending | Record::InProgress, Record::RollbackRequested | Record::StopRequested)
                | (Record::RollbackRequested, Record::RollbackInProgress)
                | (Record::RollbackInProgress, Record::RollbackSuccessful)
        );
    if !legal {
        return Err(format!("it went from {was} to {is}"));
    }
    if is_finished(is) != after.doc.finished_at.is_some() {
        return Err(format!("it is {is} and finished at {:?}", after.doc.finished_at));
    }
    Ok(())
}

/// A revision never changes, but that it learns once which images its tasks really run.
///
/// # Errors
/// When it does.
pub fn check_next_revision(before: &ServiceRevision, after: &ServiceRevision) -> Result<(), String> {
    let mut known = after.clone();
    let shown = before.doc.container_images.iter().flatten();
    for (image, shown) in known.doc.make_mut().container_images.iter_mut().flatten().zip(shown) {
        if shown.image_digest.is_none() {
            image.image_digest = None;
        }
    }
    if *before == known { Ok(()) } else { Err("a revision changed".to_owned()) }
}
