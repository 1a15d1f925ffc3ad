//! The agent's version, and whether it can be updated.

use super::{ContainerInstance, Registration};
use crate::generated as model;
use crate::model::AgentUpdateStatus;
use crate::{EcsError, ErrorCode};

/// The newest agent there is to update to.
pub const LATEST_AGENT: &str = "1.97.1";

/// `1.97.1`, also with a leading `v`.
fn parsed(version: &str) -> Option<Vec<u64>> {
    version.strip_prefix('v').unwrap_or(version).split('.').map(|part| part.parse().ok()).collect()
}

fn agent_version(versions: Option<&model::VersionInfo>) -> Option<Vec<u64>> {
    parsed(versions?.agent_version.as_deref()?)
}

impl ContainerInstance {
    /// Asks the agent to update itself.
    ///
    /// # Errors
    /// `UpdateInProgressException`; `MissingVersionException` if it isn't known which version runs;
    /// `NoUpdateAvailableException` if there is no newer one. A node's agent is this program itself.
    pub fn update_agent(&mut self) -> Result<(), EcsError> {
        let none = || {
            EcsError::new(
                ErrorCode::NoUpdateAvailable,
                "There is no update available for this container agent.",
            )
        };
        let registration = self.registration.as_mut().ok_or_else(none)?;
        if registration.is_updating() {
            return Err(EcsError::new(
                ErrorCode::UpdateInProgress,
                "There is already a current Amazon ECS container agent update in progress on the container instance.",
            ));
        }
        let running = agent_version(registration.versions.as_ref()).ok_or_else(|| {
            EcsError::new(
                ErrorCode::MissingVersion,
                "Amazon ECS can't determine the current version of the Amazon ECS container agent on the container \
                 instance and doesn't have enough information to proceed with an update.",
            )
        })?;
        if parsed(LATEST_AGENT).is_none_or(|latest| running >= latest) {
            return Err(none());
        }
        registration.update = Some(AgentUpdateStatus::Pending);
        self.version += 1;
        Ok(())
    }
}

impl Registration {
    fn is_updating(&self) -> bool {
        use AgentUpdateStatus::{Pending, Staged, Staging, Updating};
        matches!(self.update, Some(Pending | Staging | Staged | Updating))
    }

    /// Notes that the agent came back with this version: an update under way has succeeded if it is a newer one.
    pub(super) fn set_versions(&mut self, versions: Option<model::VersionInfo>) {
        if self.is_updating() {
            let newer = agent_version(versions.as_ref()) > agent_version(self.versions.as_ref());
            self.update = Some(if newer { AgentUpdateStatus::Updated } else { AgentUpdateStatus::Failed });
        }
        self.versions = versions.or_else(|| self.versions.take());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Timestamp;
    use crate::name::HexId;

    fn with_agent(version: Option<&str>) -> ContainerInstance {
        let registration = Registration {
            host: None,
            registered_at: Timestamp::MIN,
            connected: true,
            resources: Vec::new(),
            versions: version.map(versions),
            attributes: Vec::new(),
            update: None,
        };
        ContainerInstance {
            registration: Some(registration),
            ..ContainerInstance::of_node(HexId::from_bits(1))
        }
    }

    fn versions(agent: &str) -> model::VersionInfo {
        model::VersionInfo { agent_version: Some(agent.to_owned()), ..Default::default() }
    }

    #[test]
    fn an_old_agent_is_updated_once_at_a_time() {
        let mut instance = with_agent(Some("1.9.0"));
        instance.update_agent().unwrap();
        assert_eq!(instance.update_agent().unwrap_err().code, ErrorCode::UpdateInProgress);
        let registration = instance.registration.as_mut().unwrap();
        registration.set_versions(Some(versions(LATEST_AGENT)));
        assert_eq!(registration.update, Some(AgentUpdateStatus::Updated));
        assert_eq!(instance.update_agent().unwrap_err().code, ErrorCode::NoUpdateAvailable);
    }

    #[test]
    fn an_agent_that_comes_back_as_it_was_has_not_been_updated() {
        let mut instance = with_agent(Some("1.9.0"));
        instance.update_agent().unwrap();
        let registration = instance.registration.as_mut().unwrap();
        registration.set_versions(Some(versions("1.9.0")));
        assert_eq!(registration.update, Some(AgentUpdateStatus::Failed));
    }

    #[test]
    fn without_a_version_or_an_agent_of_its_own_there_is_no_update() {
        for unknown in [None, Some("dev")] {
            let refused = with_agent(unknown).update_agent().unwrap_err();
            assert_eq!(refused.code, ErrorCode::MissingVersion);
        }
        let refused = ContainerInstance::of_node(HexId::from_bits(1)).update_agent().unwrap_err();
        assert_eq!(refused.code, ErrorCode::NoUpdateAvailable);
    }
}
