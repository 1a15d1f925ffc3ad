//! PAUSE hooks: a rolling deployment waits at a stage of its life until somebody says how it goes on, or until the
//! time for that has passed.
//!
//! Rolling deployments have two such stages: before the first task of the new revision is started, and after all of
//! them are up. Hooks that call a Lambda function have nothing to call here, and hold nothing up.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::census::{Census, Condition};
use super::events::EventWriter;
use super::{Plan, RecordChange, RecordEvent, StopRequest};
use crate::Timestamp;
use crate::generated as model;
use crate::model::{
    DeploymentLifecycleHookAction as Action, DeploymentLifecycleHookStage as Stage,
    DeploymentLifecycleHookStatus as HookStatus, DeploymentLifecycleHookTargetType as Target,
    DeploymentRolloutState, ServiceDeploymentLifecycleStage as ShownStage,
};

/// How long a hook waits if nobody says otherwise. (API reference, timeoutInMinutes)
const DEFAULT_MINUTES: i32 = 1_440;

/// How far a deployment has come with its PAUSE hooks.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HookState {
    /// The hook at which it waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiting: Option<Waiting>,
    /// The stages that it has passed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub passed: Vec<Stage>,
    /// Whether it was given up because nobody decided in time.
    #[serde(default)]
    pub timed_out: bool,
}

/// A hook at which a deployment waits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    /// `hookId`
    pub id: String,
    /// Where.
    pub stage: Stage,
    /// Until when, at most.
    pub until: Timestamp,
    /// What is done then.
    pub then: Action,
}

impl HookState {
    /// Whether it waits at this hook.
    pub fn waits_at(&self, hook: &str) -> bool {
        self.waiting.as_ref().is_some_and(|waiting| waiting.id == hook)
    }

    /// It waits no more.
    pub fn pass(&mut self) {
        self.passed.extend(self.waiting.take().map(|waiting| waiting.stage));
    }
}

/// Lets the PRIMARY deployment wait where it has to, and no longer than it should.
pub(super) fn wait(plan: &mut Plan, census: &Census<'_>, events: &mut EventWriter<'_>) {
    let hooks =
        plan.service.spec.deployment_configuration.as_ref().and_then(|it| it.lifecycle_hooks.as_ref());
    let hooks = hooks.cloned().unwrap_or_default();
    let wanted = i64::from(plan.service.desired_count());
    let Some(primary) = plan.service.deployments.first_mut() else { return };
    let under_way = primary.rollout == DeploymentRolloutState::InProgress;
    if !under_way || primary.rolls_back.is_some() || primary.stop.is_some() {
        return;
    }
    if let Some(waiting) = primary.hooks.waiting.as_ref().filter(|waiting| waiting.until <= events.now) {
        let event = RecordEvent::HookResolved { hook: waiting.id.clone(), status: HookStatus::TimedOut };
        if waiting.then == Action::Rollback {
            primary.stop = Some(StopRequest::Rollback);
            primary.hooks.timed_out = true;
        }
        primary.hooks.pass();
        plan.records.push(RecordChange { record: primary.record.clone(), event });
    }
    if primary.hooks.waiting.is_none() && primary.stop.is_none() {
        let up = primary.desired == plan.service.spec.desired_count.unwrap_or(0)
            && census.count(Some(primary.id), &[Condition::Healthy]) == wanted;
        let reached = [(Stage::PreScaleUp, true), (Stage::PostScaleUp, up)];
        let next =
            reached.into_iter().filter(|(stage, reached)| *reached && !primary.hooks.passed.contains(stage));
        let next = next.filter_map(|(stage, _)| Some((stage, pause_at(&hooks, stage)?))).next();
        if let Some((stage, (minutes, then))) = next {
            let until = events.now.saturating_add(Duration::from_secs(minutes * 60));
            let id = (events.uuid)();
            let hook = model::DeploymentLifecycleHookDetail {
                hook_id: Some(id.clone()),
                target_type: Some(Target::Pause),
                status: Some(HookStatus::AwaitingAction),
                expires_at: Some(until),
                timeout_action: Some(then),
                ..Default::default()
            };
            let shown =
                if stage == Stage::PreScaleUp { ShownStage::PreScaleUp } else { ShownStage::PostScaleUp };
            let event = RecordEvent::Paused { stage: shown, hook };
            plan.records.push(RecordChange { record: primary.record.clone(), event });
            primary.hooks.waiting = Some(Waiting { id, stage, until, then });
        }
    }
    if let Some(waiting) = &primary.hooks.waiting {
        plan.again_after = Some(waiting.until.duration_since(events.now));
    }
}

/// The minutes and the action of the PAUSE hook at a stage.
fn pause_at(hooks: &[model::DeploymentLifecycleHook], stage: Stage) -> Option<(u64, Action)> {
    let hook = hooks.iter().find(|hook| {
        hook.target_type == Some(Target::Pause)
            && hook.lifecycle_stages.as_ref().is_some_and(|stages| stages.contains(&stage))
    })?;
    let timeout = hook.timeout_configuration.as_ref();
    let minutes = timeout.and_then(|timeout| timeout.timeout_in_minutes).unwrap_or(DEFAULT_MINUTES);
    let then = timeout.and_then(|timeout| timeout.action).unwrap_or(Action::Rollback);
    Some((u64::try_from(minutes).unwrap_or(0), then))
}
