//! Why a definition can't be converted.

/// Each names the document, and where there is one the member.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConvertError {
    /// Neither JSON nor YAML.
    #[error("{place}: this is neither JSON nor YAML: {cause}")]
    Syntax {
        /// Which source.
        place: String,
        /// Where and why.
        cause: String,
    },
    /// Nothing that could be converted.
    #[error(
        "{place}: this is neither a task definition (it has no containerDefinitions) nor a service (it has no \
         serviceName), nor what describe-task-definition or describe-services print"
    )]
    Unknown {
        /// Which document.
        place: String,
    },
    /// There is no document at all.
    #[error("{place}: there is nothing in it")]
    Empty {
        /// Which source.
        place: String,
    },
    /// A member is wrong.
    #[error("{place}: {member}: {what}")]
    Member {
        /// Which document.
        place: String,
        /// Which member, such as `containerDefinitions[0].portMappings[1].hostPort`.
        member: String,
        /// What is wrong with it.
        what: String,
    },
    /// ECS would refuse it, or Kubernetes can't have it.
    #[error("{place}: {message}")]
    Refused {
        /// Which document.
        place: String,
        /// In ECS's words, where it is ECS that refuses.
        message: String,
    },
}
