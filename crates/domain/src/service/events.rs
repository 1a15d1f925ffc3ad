//! The events of a service: ECS's texts, the newest hundred, and no repeats within six hours.

use std::fmt::Write as _;
use std::time::Duration;

use super::Service;
use crate::Timestamp;
use crate::generated::ServiceEvent;
use crate::name::{DeploymentId, TaskId};

/// How many events a service keeps. (API reference, Service.events)
const MOST_EVENTS: usize = 100;
/// How long the same trouble isn't told again. (AWS documentation, service event messages)
const REPEAT_AFTER: Duration = Duration::from_secs(6 * 60 * 60);
/// How many tasks one event names; more are told in further events.
const TASKS_PER_EVENT: usize = 10;

/// The parenthesis that names tasks: `(task ID) (task ID)`.
fn named(tasks: &[TaskId]) -> String {
    let mut text = String::with_capacity(tasks.len() * 40);
    for (index, task) in tasks.iter().enumerate() {
        let space = if index == 0 { "" } else { " " };
        // Writing to a String can't fail.
        let _ = write!(text, "{space}(task {task})");
    }
    text
}

/// Takes the tools that events need: the time, and a source of identifiers.
pub struct EventWriter<'a> {
    /// Now.
    pub now: Timestamp,
    /// Yields fresh UUIDs.
    pub uuid: &'a mut (dyn FnMut() -> String + Send),
}

impl EventWriter<'_> {
    /// Says `(service NAME) TEXT`.
    fn say(&mut self, service: &mut Service, text: &str) {
        self.say_of(service, None, text);
    }

    /// Says `(service NAME, taskSet ecs-svc/N) TEXT`, or the same without a task set.
    fn say_of(&mut self, service: &mut Service, set: Option<DeploymentId>, text: &str) {
        let set = set.map_or_else(String::new, |set| format!(", taskSet {set}"));
        let message = format!("(service {}{set}) {text}", service.key.name);
        service.events.push_front(ServiceEvent {
            id: Some((self.uuid)()),
            created_at: Some(self.now),
            message: Some(message),
        });
        service.events.truncate(MOST_EVENTS);
    }

    /// Says trouble, unless the same was said within six hours.
    fn complain(&mut self, service: &mut Service, text: &str) {
        service.steady = false;
        self.say_once(service, text);
    }

    /// Says something, unless the same was said within six hours.
    fn say_once(&mut self, service: &mut Service, text: &str) {
        let recent = service.said.get(text).is_some_and(|said| self.now.duration_since(*said) < REPEAT_AFTER);
        if !recent {
            service.said.retain(|_, said| self.now.duration_since(*said) < REPEAT_AFTER);
            service.said.insert(text.to_owned(), self.now);
            self.say(service, text);
        }
    }

    /// `has started N tasks: ...`
    pub fn started(&mut self, service: &mut Service, tasks: &[TaskId]) {
        self.started_of(service, None, tasks);
    }

    /// The same of a task set.
    pub fn started_of(&mut self, service: &mut Service, set: Option<DeploymentId>, tasks: &[TaskId]) {
        service.steady = false;
        for some in tasks.chunks(TASKS_PER_EVENT) {
            let text = format!("has started {} tasks: {}.", some.len(), named(some));
            self.say_of(service, set, &text);
        }
    }

    /// `has stopped N running tasks: ...`, and `stopped N pending tasks.`
    pub fn stopped(
        &mut self,
        service: &mut Service,
        set: Option<DeploymentId>,
        running: &[TaskId],
        pending: usize,
    ) {
        service.steady &= running.is_empty() && pending == 0;
        for some in running.chunks(TASKS_PER_EVENT) {
            let text = format!("has stopped {} running tasks: {}.", some.len(), named(some));
            self.say_of(service, set, &text);
        }
        if pending > 0 {
            self.say_of(service, set, &format!("stopped {pending} pending tasks."));
        }
    }

    /// `has reached a steady state.`, once until something moves again.
    pub fn steady(&mut self, service: &mut Service) {
        if !service.steady {
            service.steady = true;
            service.said.clear();
            self.say(service, "has reached a steady state.");
        }
    }

    /// `has reached a steady state.`, of a task set.
    pub fn steady_set(&mut self, service: &mut Service, set: DeploymentId) {
        self.say_of(service, Some(set), "has reached a steady state.");
    }

    /// `(deployment ecs-svc/N) deployment completed.`
    pub fn completed(&mut self, service: &mut Service, deployment: DeploymentId) {
        self.say(service, &format!("(deployment {deployment}) deployment completed."));
    }

    /// `(deployment ecs-svc/N) deployment failed: ...`
    pub fn failed(&mut self, service: &mut Service, deployment: DeploymentId, why: &str) {
        self.say(service, &format!("(deployment {deployment}) deployment failed: {why}."));
    }

    /// `rolling back to deployment ecs-svc/N.`
    pub fn rolling_back(&mut self, service: &mut Service, to: DeploymentId) {
        self.say(service, &format!("rolling back to deployment {to}."));
    }

    /// `is unable to consistently start tasks successfully.`
    pub fn throttled(&mut self, service: &mut Service) {
        self.complain(
            service,
            "is unable to consistently start tasks successfully. For more information, see the Troubleshooting \
             section of the Amazon ECS Developer Guide.",
        );
    }

    /// The limits leave no move.
    pub fn stuck(&mut self, service: &mut Service) {
        self.complain(
            service,
            "was unable to stop or start tasks during a deployment because of the service deployment configuration. \
             Update the minimumHealthyPercent or maximumPercent value and try again.",
        );
    }

    /// No place for a task.
    pub fn unplaced(&mut self, service: &mut Service, reason: &str) {
        self.complain(
            service,
            &format!(
                "was unable to place a task because no container instance met all of its requirements. {reason} For \
                 more information, see the Troubleshooting section of the Amazon ECS Developer Guide."
            ),
        );
    }

    /// The orchestrator runs tasks of this definition (`FAMILY:REVISION`) without some of what it asks for.
    pub fn untranslated(&mut self, service: &mut Service, definition: &str, notes: &[String]) {
        let notes = notes.join("; ");
        self.say_once(service, &format!("runs task definition {definition} not in full. {notes}"));
    }

    /// The orchestrator holds a task back, for a reason in its own words.
    pub fn held_back(&mut self, service: &mut Service, reason: &str) {
        self.complain(service, &format!("was unable to place a task. Reason: {reason}"));
    }
}
