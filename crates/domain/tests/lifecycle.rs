//! A task's way through its states: for every sequence of observations and requests, and for each reason to stop.

mod lifecycle_rules;
mod support;

use kecs_domain::arn::TaskKey;
use kecs_domain::model::{self, HealthStatus, TaskStopCode};
use kecs_domain::name::HexId;
use kecs_domain::task::{
    ContainerObservation, ContainerState, DesiredStatus, Interruption, LaunchSettings, NewTask,
    STOPPED_BY_USER, Task, TaskFailure, TaskObservation, TaskStatus,
};
use kecs_domain::task_definition::TaskDefinition;
use proptest::prelude::*;

use lifecycle_rules::check_step;
use lifecycle_rules::observations::{Event, address, any_definition, any_event};
use support::{Defined, app, at, cluster, counting, definition};

fn new_task(definition: &TaskDefinition) -> Task {
    let mut uuids = 0;
    let network = model::NetworkConfiguration {
        awsvpc_configuration: Some(model::AwsVpcConfiguration {
            subnets: vec!["subnet-1".to_owned()],
            ..model::AwsVpcConfiguration::default()
        }),
    };
    let new = NewTask {
        key: TaskKey { cluster: cluster(), id: HexId::from_bits(1) },
        definition,
        launch_type: None,
        capacity_provider: None,
        overrides: kecs_domain::Doc::default(),
        group: "family:web".to_owned(),
        started_by: None,
        enable_execute_command: false,
        platform_version: None,
        service: None,
        daemon: None,
        instance: None,
        availability_zone: None,
        tags: Vec::new(),
        launch: std::sync::Arc::new(LaunchSettings { network: Some(network), ..LaunchSettings::default() }),
        created_at: at(0),
    };
    new.create(&mut counting("uuid-", &mut uuids))
}

fn seen(task: &Task) -> TaskObservation {
    TaskObservation::accepted(task.key.clone())
}

fn container(name: &str, state: ContainerState, exit_code: Option<i32>) -> ContainerObservation {
    ContainerObservation {
        state,
        started_at: (state != ContainerState::Pending).then(|| at(5)),
        finished_at: (state == ContainerState::Stopped).then(|| at(9)),
        exit_code,
        ..ContainerObservation::pending(name)
    }
}

/// The task after `app` runs.
fn running(definition: &TaskDefinition) -> (Task, TaskObservation) {
    let task = new_task(definition);
    let mut seen = seen(&task);
    seen.placed = true;
    seen.pull_started_at = Some(at(3));
    seen.pull_stopped_at = Some(at(4));
    seen.network = Some(address(2));
    let defined = definition.doc.container_definitions.iter().flatten();
    seen.containers =
        defined.map(|one| container(one.name.as_deref().unwrap(), ContainerState::Running, None)).collect();
    let task = task.observe(&seen, &definition.doc, at(6)).unwrap();
    assert_eq!(task.status, TaskStatus::Running);
    (task, seen)
}

fn end_of(task: &Task) -> (Option<TaskStopCode>, Option<&str>) {
    (task.doc.stop_code, task.doc.stopped_reason.as_deref())
}

// ---- named cases

#[test]
fn a_task_goes_through_every_state_that_is_observed_and_each_counts_in_its_version() {
    let definition = definition(1, &[app(false)], true);
    let mut task = new_task(&definition);
    assert_eq!((task.status, task.doc.version), (TaskStatus::Provisioning, Some(1)));
    let mut seen = seen(&task);
    let mut states = Vec::new();
    let mut look = |task: &mut Task, seen: &TaskObservation, now| {
        *task = task.observe(seen, &definition.doc, at(now)).expect("something new");
        states.push((task.status, task.doc.version.unwrap()));
    };
    seen.placed = true;
    look(&mut task, &seen, 1);
    seen.network = Some(address(2));
    seen.pull_started_at = Some(at(3));
    look(&mut task, &seen, 3);
    seen.pull_stopped_at = Some(at(4));
    look(&mut task, &seen, 4);
    seen.containers = vec![container("app", ContainerState::Running, None)];
    look(&mut task, &seen, 6);
    seen.containers = vec![container("app", ContainerState::Stopped, Some(0))];
    look(&mut task, &seen, 9);
    seen.released = true;
    look(&mut task, &seen, 10);
    use TaskStatus::{Activating, Deprovisioning, Pending, Running, Stopped};
    let expected =
        [(Pending, 2), (Pending, 3), (Activating, 4), (Running, 5), (Deprovisioning, 8), (Stopped, 9)];
    assert_eq!(states, expected);
    let doc = &task.doc;
    assert_eq!(
        (doc.pull_started_at, doc.pull_stopped_at, doc.connectivity_at),
        (Some(at(3)), Some(at(4)), Some(at(2)))
    );
    assert_eq!((doc.started_at, doc.stopping_at), (Some(at(5)), Some(at(9))));
    assert_eq!((doc.execution_stopped_at, doc.stopped_at), (Some(at(9)), Some(at(10))));
    assert_eq!(doc.containers.as_ref().unwrap()[0].exit_code, Some(0), "0 has to be there");
}

#[test]
fn the_interface_is_precreated_then_attached_then_deleted() {
    let definition = definition(1, &[app(false)], true);
    let task = new_task(&definition);
    let attachment = |task: &Task| task.doc.attachments.as_ref().unwrap()[0].clone();
    let detail = |task: &Task, name: &str| {
        let details = attachment(task).details.unwrap_or_default();
        details
            .into_iter()
            .find(|detail| detail.name.as_deref() == Some(name))
            .and_then(|detail| detail.value)
    };
    assert_eq!(attachment(&task).status.as_deref(), Some("PRECREATED"));
    assert_eq!(detail(&task, "subnetId").as_deref(), Some("subnet-1"));
    let (up, mut seen) = running(&definition);
    assert_eq!(attachment(&up).status.as_deref(), Some("ATTACHED"));
    assert_eq!(detail(&up, "networkInterfaceId").as_deref(), Some("eni-1"));
    assert_eq!(detail(&up, "privateIPv4Address").as_deref(), Some("10.0.0.7"));
    let interface = &up.doc.containers.as_ref().unwrap()[0].network_interfaces.as_ref().unwrap()[0];
    assert_eq!(interface.attachment_id, attachment(&up).id);
    seen.released = true;
    let gone = up.observe(&seen, &definition.doc, at(20)).unwrap();
    assert_eq!(attachment(&gone).status.as_deref(), Some("DELETED"));
    assert_eq!(detail(&gone, "networkInterfaceId").as_deref(), Some("eni-1"));
}

#[test]
fn a_task_that_is_stopped_before_it_had_an_interface_shows_an_unset_one() {
    let definition = definition(1, &[app(false)], true);
    let task = new_task(&definition)
        .interrupt(Interruption::new(TaskStopCode::UserInitiated, STOPPED_BY_USER))
        .unwrap();
    let mut seen = seen(&task);
    seen.released = true;
    let gone = task.observe(&seen, &definition.doc, at(20)).unwrap();
    assert_eq!(gone.status, TaskStatus::Stopped);
    let details = gone.doc.attachments.as_ref().unwrap()[0].details.clone().unwrap();
    assert!(details.iter().any(
        |one| one.name.as_deref() == Some("networkInterfaceId") && one.value.as_deref() == Some("unset")
    ));
    assert_eq!((gone.doc.started_at, gone.doc.execution_stopped_at), (None, None), "it never ran");
}

#[test]
fn the_end_of_an_essential_container_ends_the_task() {
    let sidecar = Defined { name: "sidecar", essential: false, checked: false };
    let definition = definition(1, &[app(false), sidecar], false);
    let (task, mut seen) = running(&definition);
    seen.containers[1] = container("sidecar", ContainerState::Stopped, Some(3));
    let task = task.observe(&seen, &definition.doc, at(8)).unwrap();
    assert_eq!(
        (task.desired, task.status),
        (DesiredStatus::Running, TaskStatus::Running),
        "that was only the sidecar"
    );
    seen.containers[0] = container("app", ContainerState::Stopped, Some(137));
    seen.containers[0].reason = Some("OutOfMemoryError: Container killed due to memory usage".to_owned());
    let task = task.observe(&seen, &definition.doc, at(9)).unwrap();
    assert_eq!(
        end_of(&task),
        (Some(TaskStopCode::EssentialContainerExited), Some("Essential container in task exited"))
    );
    let app = &task.doc.containers.as_ref().unwrap()[0];
    assert_eq!(app.exit_code, Some(137));
    assert_eq!(app.reason.as_deref(), Some("OutOfMemoryError: Container killed due to memory usage"));
}

#[test]
fn a_task_waits_for_its_other_containers_to_stop_before_it_is_deprovisioned() {
    let sidecar = Defined { name: "sidecar", essential: false, checked: false };
    let definition = definition(1, &[app(false), sidecar], false);
    let (task, mut seen) = running(&definition);
    seen.containers[0] = container("app", ContainerState::Stopped, Some(1));
    let task = task.observe(&seen, &definition.doc, at(9)).unwrap();
    assert_eq!((task.desired, task.status), (DesiredStatus::Stopped, TaskStatus::Running));
    let task = task.begin_stopping(at(10)).unwrap();
    assert_eq!((task.status, task.doc.stopping_at), (TaskStatus::Stopping, Some(at(10))));
    assert!(task.begin_stopping(at(11)).is_none());
    seen.containers[1] = container("sidecar", ContainerState::Stopped, Some(143));
    let task = task.observe(&seen, &definition.doc, at(12)).unwrap();
    assert_eq!(task.status, TaskStatus::Deprovisioning);
}

#[test]
fn a_task_that_exits_at_once_was_running() {
    let definition = definition(1, &[app(false)], false);
    let task = new_task(&definition);
    let mut seen = seen(&task);
    seen.placed = true;
    seen.containers = vec![container("app", ContainerState::Stopped, Some(0))];
    let task = task.observe(&seen, &definition.doc, at(10)).unwrap();
    assert_eq!(task.doc.started_at, Some(at(5)));
    assert_eq!(end_of(&task).0, Some(TaskStopCode::EssentialContainerExited));
}

#[test]
fn what_cannot_start_says_so_and_has_no_start() {
    for reason in [
        "CannotPullContainerError: ref pull has been retried 5 time(s)",
        "ResourceInitializationError: failed to initialize logging driver",
        "Task failed to start",
    ] {
        let definition = definition(1, &[app(false)], true);
        let task = new_task(&definition);
        let mut seen = seen(&task);
        seen.placed = true;
        seen.failure = Some(TaskFailure::FailedToStart { reason: reason.to_owned() });
        let task = task.observe(&seen, &definition.doc, at(10)).unwrap();
        assert_eq!(end_of(&task), (Some(TaskStopCode::TaskFailedToStart), Some(reason)));
        assert_eq!((task.desired, task.doc.started_at), (DesiredStatus::Stopped, None));
    }
}

#[test]
fn a_failed_dependency_leaves_no_start_though_the_first_container_ran() {
    let first = Defined { name: "first", essential: false, checked: false };
    let definition = definition(1, &[first, app(false)], false);
    let task = new_task(&definition);
    let mut seen = seen(&task);
    seen.placed = true;
    seen.pull_stopped_at = Some(at(4));
    let mut never = ContainerObservation::pending("app");
    never.state = ContainerState::Stopped;
    seen.containers = vec![container("first", ContainerState::Stopped, Some(1)), never];
    seen.failure = Some(TaskFailure::FailedToStart { reason: "Task failed to start".to_owned() });
    let task = task.observe(&seen, &definition.doc, at(10)).unwrap();
    assert_eq!(end_of(&task), (Some(TaskStopCode::TaskFailedToStart), Some("Task failed to start")));
    assert_eq!((task.status, task.doc.started_at), (TaskStatus::Deprovisioning, None));
    let containers = task.doc.containers.as_ref().unwrap();
    assert_eq!((containers[0].exit_code, containers[1].exit_code), (Some(1), None));
}

#[test]
fn a_sidecar_that_never_starts_does_not_keep_the_task_from_running() {
    let sidecar = Defined { name: "sidecar", essential: false, checked: false };
    let definition = definition(1, &[app(false), sidecar], false);
    let task = new_task(&definition);
    let mut seen = seen(&task);
    seen.placed = true;
    let mut never = ContainerObservation::pending("sidecar");
    never.state = ContainerState::Stopped;
    seen.containers = vec![container("app", ContainerState::Running, None), never];
    let task = task.observe(&seen, &definition.doc, at(10)).unwrap();
    assert_eq!((task.status, task.desired), (TaskStatus::Running, DesiredStatus::Running));
}

#[test]
fn what_takes_a_running_task_away_is_its_reason() {
    let lost = TaskFailure::Lost { reason: "Host EC2 (instance i-1) terminated.".to_owned() };
    for (failure, code, reason) in [
        (lost, TaskStopCode::InfrastructureHealth, "Host EC2 (instance i-1) terminated."),
        (TaskFailure::SpotInterruption, TaskStopCode::SpotInterruption, "Your Spot Task was interrupted."),
    ] {
        let definition = definition(1, &[app(false)], false);
        let (task, mut seen) = running(&definition);
        seen.failure = Some(failure);
        seen.containers = vec![container("app", ContainerState::Stopped, Some(143))];
        let task = task.observe(&seen, &definition.doc, at(10)).unwrap();
        assert_eq!(end_of(&task), (Some(code), Some(reason)));
    }
}

#[test]
fn a_task_that_its_orchestrator_no_longer_has_is_lost() {
    let definition = definition(1, &[app(false)], false);
    let (task, _) = running(&definition);
    let mut seen = seen(&task);
    seen.released = true;
    let task = task.observe(&seen, &definition.doc, at(10)).unwrap();
    assert_eq!(
        (task.status, end_of(&task).0),
        (TaskStatus::Stopped, Some(TaskStopCode::InfrastructureHealth))
    );
}

#[test]
fn a_request_to_stop_keeps_its_reason_whatever_comes_after() {
    for (code, reason) in [
        (TaskStopCode::UserInitiated, STOPPED_BY_USER),
        (TaskStopCode::ServiceSchedulerInitiated, "Scaling activity initiated by (deployment ecs-svc/1)"),
        (TaskStopCode::TerminationNotice, "The instance will be terminated"),
    ] {
        let definition = definition(1, &[app(false)], false);
        let (task, mut seen) = running(&definition);
        let task = task.interrupt(Interruption::new(code, reason)).unwrap();
        assert_eq!((task.status, task.desired), (TaskStatus::Running, DesiredStatus::Stopped));
        assert!(task.interrupt(Interruption::new(TaskStopCode::UserInitiated, "again")).is_none());
        seen.containers = vec![container("app", ContainerState::Stopped, Some(143))];
        seen.failure = Some(TaskFailure::SpotInterruption);
        seen.released = true;
        let task = task.observe(&seen, &definition.doc, at(10)).unwrap();
        assert_eq!((task.status, end_of(&task)), (TaskStatus::Stopped, (Some(code), Some(reason))));
    }
}

#[test]
fn a_task_without_a_place_stays_where_it_is() {
    let definition = definition(1, &[app(false)], true);
    let task = new_task(&definition);
    let mut seen = seen(&task);
    seen.failure = Some(TaskFailure::Unplaceable { reason: "0/3 nodes are available".to_owned() });
    let task = task.observe(&seen, &definition.doc, at(10)).unwrap();
    assert_eq!((task.status, task.desired), (TaskStatus::Provisioning, DesiredStatus::Running));
    assert!(task.observe(&seen, &definition.doc, at(11)).is_none());
}

#[test]
fn an_unhealthy_lone_task_carries_on() {
    let definition = definition(1, &[app(true)], false);
    let (task, mut seen) = running(&definition);
    assert_eq!(task.doc.health_status, Some(HealthStatus::Unknown));
    seen.containers[0].health = Some(HealthStatus::Unhealthy);
    let task = task.observe(&seen, &definition.doc, at(10)).unwrap();
    assert_eq!(
        (task.desired, task.doc.health_status),
        (DesiredStatus::Running, Some(HealthStatus::Unhealthy))
    );
}

#[test]
fn a_stale_observation_takes_no_container_back() {
    let definition = definition(1, &[app(false)], false);
    let (task, mut seen) = running(&definition);
    seen.containers = vec![ContainerObservation::pending("app")];
    let after = task.observe(&seen, &definition.doc, at(10)).unwrap_or(task);
    assert_eq!(after.doc.containers.as_ref().unwrap()[0].last_status.as_deref(), Some("RUNNING"));
    assert_eq!(after.status, TaskStatus::Running);
}

// ---- every sequence

proptest! {
    #[test]
    fn the_rules_hold_for_every_sequence_of_observations_and_requests(
        definition in any_definition(),
        events in proptest::collection::vec(any_event(), 1..25),
    ) {
        let mut task = new_task(&definition);
        let mut now = 100;
        for event in events {
            now += 1;
            let apply = |task: &Task, now: i64| match &event {
                Event::Observe(seen) => task.observe(seen, &definition.doc, at(now)),
                Event::Interrupt(code) => task.interrupt(Interruption::new(*code, format!("because {code}"))),
                Event::BeginStopping => task.begin_stopping(at(now)),
            };
            let Some(next) = apply(&task, now) else { continue };
            let observed = match &event {
                Event::Observe(seen) => Some(&**seen),
                Event::Interrupt(_) | Event::BeginStopping => None,
            };
            check_step(&task, &next, observed, &definition.doc, at(now))?;
            prop_assert!(apply(&next, now + 1).is_none(), "the same again changes something: {event:?}");
            task = next;
        }
    }
}
