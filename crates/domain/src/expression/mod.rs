//! The cluster query language: the expressions of `memberOf` constraints and of the `filter` of
//! ListContainerInstances.
//!
//! `attribute:ecs.instance-type =~ t3.* and not (task:group == service:batch)`. An expression is parsed once and
//! then asked about any number of instances. It never decides where a task goes: that is [`crate::placement`].
//! (AWS documentation, "Create expressions to define container instances for Amazon ECS tasks")

mod eval;
mod parse;
#[cfg(test)]
mod tests;
mod value;

use std::fmt;

use regex::Regex;

use crate::generated as model;
use crate::timestamp::Timestamp;
use value::Value;

/// The most characters an expression may have. (API reference, `PlacementConstraint.expression`)
pub const MAX_LENGTH: usize = 2000;

/// A parsed expression.
#[derive(Clone, Debug)]
pub struct Expression {
    root: Node,
}

/// What is known of one container instance. What is `None` isn't known, and whatever asks for it doesn't match,
/// nor does its negation.
#[derive(Clone, Copy, Debug, Default)]
pub struct Subject<'a> {
    /// Its attributes, built-in ones too. An attribute that isn't among them doesn't exist.
    pub attributes: &'a [model::Attribute],
    /// `ec2InstanceId`
    pub instance: &'a str,
    /// `attribute:ecs.availability-zone`, if the attributes don't have it.
    pub zone: &'a str,
    /// `agentConnected`
    pub agent_connected: Option<bool>,
    /// `agentVersion`, as `1.97.1`.
    pub agent_version: Option<&'a str>,
    /// `registeredAt`
    pub registered_at: Option<Timestamp>,
    /// `runningTasksCount`
    pub running_tasks: Option<i64>,
    /// `task:group`: the groups of the tasks on it.
    pub groups: Option<&'a [String]>,
}

/// Where an expression stops making sense, and why. Its text goes well behind "Invalid expression: ".
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected {expected} at character {position}, found {found}.")]
pub struct ParseError {
    /// The character at which it stops making sense; the first is 1.
    pub position: usize,
    /// What should have been there.
    pub expected: String,
    /// What is there: quoted text, or `the end`.
    pub found: String,
}

impl Expression {
    /// Reads an expression.
    ///
    /// # Errors
    /// The first position that makes no sense: an unknown subject, an operator that the subject doesn't take, an
    /// argument of the wrong kind, a missing parenthesis, or more than [`MAX_LENGTH`] characters.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        parse::expression(text).map(|root| Self { root })
    }

    /// Whether an instance is one of those that are meant.
    pub fn matches(&self, subject: &Subject<'_>) -> bool {
        self.root.holds(subject) == Some(true)
    }
}

#[derive(Clone, Debug)]
enum Node {
    All(Vec<Node>),
    Any(Vec<Node>),
    Not(Box<Node>),
    Is(Field, Test),
}

/// What a condition asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Field {
    Attribute(String),
    AgentConnected,
    AgentVersion,
    Ec2InstanceId,
    RegisteredAt,
    RunningTasksCount,
    TaskGroup,
}

/// What a condition says of its field. The negated operators are a [`Node::Not`] around these.
#[derive(Clone, Debug)]
enum Test {
    Exists,
    OneOf(Vec<Value>),
    Above(Value),
    AtLeast(Value),
    Below(Value),
    AtMost(Value),
    Matches(Regex),
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Attribute(name) => return write!(f, "attribute:{name}"),
            Self::AgentConnected => "agentConnected",
            Self::AgentVersion => "agentVersion",
            Self::Ec2InstanceId => "ec2InstanceId",
            Self::RegisteredAt => "registeredAt",
            Self::RunningTasksCount => "runningTasksCount",
            Self::TaskGroup => "task:group",
        })
    }
}
