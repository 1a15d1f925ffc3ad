//! Registering: from a request to the next revision of its family.

use super::{
    TaskDefinition, TaskDefinitionFamily, TaskDefinitionState, attributes, compatibility, defaults, validate,
};
use crate::arn::TaskDefinitionKey;
use crate::error::{EcsError, ErrorCode};
use crate::generated as model;
use crate::name::FamilyName;
use crate::scope::Scope;
use crate::{Timestamp, tag};

/// A registration that keeps every rule, with ECS's defaults, before it has a revision.
#[derive(Clone, Debug, PartialEq)]
pub struct Registration {
    /// Its family.
    pub family: FamilyName,
    /// As it will read back, without what the revision adds.
    pub definition: model::TaskDefinition,
    /// Its tags.
    pub tags: Vec<model::Tag>,
}

impl Registration {
    /// Checks a request and fills in the defaults.
    ///
    /// # Errors
    /// `ClientException` or `InvalidParameterException` for the first rule that is broken; tags come last.
    pub fn new(mut request: model::RegisterTaskDefinitionRequest) -> Result<Self, EcsError> {
        validate::check(&request)?;
        let tags = request.tags.take();
        if tags.as_ref().is_some_and(Vec::is_empty) {
            return Err(EcsError::client("Tags can not be empty."));
        }
        let tags = tag::check(&tags.unwrap_or_default());
        // ECS has the same words for tags everywhere, but here another exception.
        let tags = tags.map_err(|error| EcsError::new(ErrorCode::Client, error.message))?;
        let family = FamilyName::parse(&request.family);
        let family = family.ok_or_else(|| EcsError::client("Family contains invalid characters."))?;
        let compatibilities = compatibility::derive(&request);
        let mut definition = defaults::fill_in(request);
        definition.compatibilities = Some(compatibilities);
        definition.requires_attributes = attributes::derive(&definition);
        Ok(Self { family, definition, tags })
    }

    /// The next revision of the family, whose row is `family` if it had one already. Both are saved together, so
    /// that a number is never used twice.
    pub fn next_revision(
        &self,
        scope: &Scope,
        family: Option<&TaskDefinitionFamily>,
        registered_by: &str,
        now: Timestamp,
    ) -> (TaskDefinitionFamily, TaskDefinition) {
        let revision = family.map_or(0, |family| family.last_revision) + 1;
        let key = TaskDefinitionKey { scope: scope.clone(), family: self.family.clone(), revision };
        let doc = model::TaskDefinition {
            task_definition_arn: Some(key.arn()),
            revision: Some(revision),
            status: Some(model::TaskDefinitionStatus::Active),
            registered_at: Some(now),
            registered_by: Some(registered_by.to_owned()),
            ..self.definition.clone()
        };
        let family = TaskDefinitionFamily {
            scope: scope.clone(),
            family: self.family.clone(),
            last_revision: revision,
        };
        let state = TaskDefinitionState::Active;
        (family, TaskDefinition { key, state, doc: doc.into(), tags: self.tags.clone() })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::LaunchType;

    fn registration(tags: serde_json::Value) -> Result<Registration, EcsError> {
        let request = json!({
            "family": "web",
            "networkMode": "awsvpc",
            "cpu": ".25 vCPU",
            "memory": "512",
            "containerDefinitions": [{"name": "app", "image": "nginx"}],
            "tags": tags,
        });
        Registration::new(serde_json::from_value(request).unwrap())
    }

    #[test]
    fn a_new_family_begins_with_revision_1_and_rises_from_there() {
        let scope = Scope::new("123456789012", "eu-central-1");
        let registration = registration(json!([{"key": "a", "value": "b"}])).unwrap();
        let now = Timestamp::from_millis(1_700_000_000_123);
        let (family, first) = registration.next_revision(&scope, None, "arn:aws:iam::123456789012:root", now);
        assert_eq!(
            serde_json::to_value(&first.doc).unwrap(),
            json!({
                "taskDefinitionArn": "arn:aws:ecs:eu-central-1:123456789012:task-definition/web:1",
                "containerDefinitions": [{
                    "name": "app", "image": "nginx", "cpu": 0, "essential": true, "environment": [],
                    "mountPoints": [], "volumesFrom": [], "portMappings": [], "systemControls": [],
                }],
                "family": "web",
                "networkMode": "awsvpc",
                "revision": 1,
                "volumes": [],
                "status": "ACTIVE",
                "requiresAttributes": [
                    {"name": "com.amazonaws.ecs.capability.docker-remote-api.1.18"},
                    {"name": "ecs.capability.task-eni"},
                ],
                "placementConstraints": [],
                "compatibilities": ["EC2", "FARGATE", "MANAGED_INSTANCES"],
                "cpu": "256",
                "memory": "512",
                "registeredAt": 1_700_000_000.123,
                "registeredBy": "arn:aws:iam::123456789012:root",
            })
        );
        assert_eq!(first.tags, [tag::tag("a", "b")]);
        assert!(first.supports(LaunchType::Fargate) && !first.supports(LaunchType::External));
        let (family, second) = registration.next_revision(&scope, Some(&family), "x", now);
        assert_eq!((family.last_revision, second.key.revision, second.doc.revision), (2, 2, Some(2)));
    }

    #[test]
    fn wrong_tags_are_a_client_exception_here() {
        assert_eq!(registration(json!([{"key": "a"}])), Err(EcsError::client("Tag value can not be null.")));
    }
}
