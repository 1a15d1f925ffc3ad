//! What becomes of a revision: ACTIVE, INACTIVE, DELETE_IN_PROGRESS. Never back.

use super::{TaskDefinition, TaskDefinitionState};
use crate::error::EcsError;
use crate::generated as model;
use crate::{Doc, Timestamp};

/// A step in a revision's life.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// What is answered.
    pub answer: Doc<model::TaskDefinition>,
    /// What is to be saved; None when the step was made before.
    pub changed: Option<TaskDefinition>,
}

impl TaskDefinition {
    /// Deregisters the revision.
    ///
    /// # Errors
    /// `ClientException` when it is being deleted.
    pub fn deregister(&self, now: Timestamp) -> Result<Step, EcsError> {
        match self.state {
            TaskDefinitionState::Active => {
                let mut changed = self.clone();
                changed.state = TaskDefinitionState::Inactive;
                let doc = changed.doc.make_mut();
                doc.status = Some(model::TaskDefinitionStatus::Inactive);
                // ECS's first answer says INACTIVE, but not yet since when.
                let answer = Doc::new(doc.clone());
                doc.deregistered_at = Some(now);
                Ok(Step { answer, changed: Some(changed) })
            }
            TaskDefinitionState::Inactive => Ok(Step { answer: self.doc.clone(), changed: None }),
            TaskDefinitionState::DeleteInProgress => Err(EcsError::client(
                "The task definition could not be deregistered because it is in the process of being deleted.",
            )),
        }
    }

    /// Deletes the revision. It stays describable.
    ///
    /// # Errors
    /// The reason of the failure, when it is still ACTIVE.
    pub fn delete(&self, now: Timestamp) -> Result<Step, &'static str> {
        match self.state {
            TaskDefinitionState::Active => Err(
                "The specified task definition is still in ACTIVE status. Please deregister the target and try again.",
            ),
            TaskDefinitionState::Inactive => {
                let mut changed = self.clone();
                changed.state = TaskDefinitionState::DeleteInProgress;
                let doc = changed.doc.make_mut();
                doc.status = Some(model::TaskDefinitionStatus::DeleteInProgress);
                doc.delete_requested_at = Some(now);
                Ok(Step { answer: changed.doc.clone(), changed: Some(changed) })
            }
            TaskDefinitionState::DeleteInProgress => Ok(Step { answer: self.doc.clone(), changed: None }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Scope;
    use crate::arn::TaskDefinitionKey;
    use crate::name::FamilyName;

    fn active() -> TaskDefinition {
        let scope = Scope::new("123456789012", "eu-central-1");
        let key = TaskDefinitionKey { scope, family: FamilyName::parse("web").unwrap(), revision: 1 };
        let doc = model::TaskDefinition {
            status: Some(model::TaskDefinitionStatus::Active),
            ..model::TaskDefinition::default()
        };
        TaskDefinition { key, state: TaskDefinitionState::Active, doc: doc.into(), tags: Vec::new() }
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(seconds * 1000)
    }

    #[test]
    fn the_first_answer_to_deregister_lacks_the_time_and_a_repeat_keeps_it() {
        let first = active().deregister(at(1)).unwrap();
        assert_eq!(first.answer.status, Some(model::TaskDefinitionStatus::Inactive));
        assert_eq!(first.answer.deregistered_at, None);
        let inactive = first.changed.unwrap();
        assert_eq!(inactive.state, TaskDefinitionState::Inactive);
        let again = inactive.deregister(at(2)).unwrap();
        assert_eq!((again.answer.deregistered_at, again.changed), (Some(at(1)), None));
    }

    #[test]
    fn only_what_is_deregistered_is_deleted_and_only_once() {
        assert_eq!(
            active().delete(at(1)).unwrap_err(),
            "The specified task definition is still in ACTIVE status. Please deregister the target and try again."
        );
        let inactive = active().deregister(at(1)).unwrap().changed.unwrap();
        let step = inactive.delete(at(2)).unwrap();
        assert_eq!(step.answer.status, Some(model::TaskDefinitionStatus::DeleteInProgress));
        let deleted = step.changed.unwrap();
        let again = deleted.delete(at(3)).unwrap();
        assert_eq!((again.answer.delete_requested_at, again.changed), (Some(at(2)), None));
        assert_eq!(
            deleted.deregister(at(3)).unwrap_err().message,
            "The task definition could not be deregistered because it is in the process of being deleted."
        );
    }
}
