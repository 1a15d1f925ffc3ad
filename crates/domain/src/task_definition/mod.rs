//! Task definitions: families of rising revisions, and the rules that a registration must keep.

mod attributes;
mod compatibility;
mod defaults;
pub mod invariant;
mod lifecycle;
mod register;
pub mod sizes;
mod validate;

use serde::{Deserialize, Serialize};

pub use lifecycle::Step;
pub use register::Registration;
pub use validate::check;

use crate::Doc;
use crate::arn::TaskDefinitionKey;
use crate::generated as model;
use crate::name::FamilyName;
use crate::scope::Scope;

/// The life of a revision.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum TaskDefinitionState {
    /// Can be used.
    Active,
    /// Deregistered: what runs of it goes on, and it can still be described.
    Inactive,
    /// Deleted: still describable.
    DeleteInProgress,
}

impl TaskDefinitionState {
    /// The state as the model's enum.
    pub const fn status(self) -> model::TaskDefinitionStatus {
        match self {
            Self::Active => model::TaskDefinitionStatus::Active,
            Self::Inactive => model::TaskDefinitionStatus::Inactive,
            Self::DeleteInProgress => model::TaskDefinitionStatus::DeleteInProgress,
        }
    }
}

/// One revision of a task definition.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TaskDefinition {
    /// Which one.
    pub key: TaskDefinitionKey,
    /// Where it is in its life; `doc.status` says the same.
    pub state: TaskDefinitionState,
    /// As DescribeTaskDefinition answers it.
    pub doc: Doc<model::TaskDefinition>,
    /// Its tags.
    pub tags: Vec<model::Tag>,
}

/// A family: it remembers its last revision, so that a number is never used twice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskDefinitionFamily {
    /// Whose family.
    pub scope: Scope,
    /// Its name.
    pub family: FamilyName,
    /// The newest revision that was ever registered.
    pub last_revision: i32,
}
