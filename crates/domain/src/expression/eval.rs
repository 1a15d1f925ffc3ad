//! Whether an expression holds for an instance, with three answers: yes, no, and "that isn't known" (`None`).

use super::value::{self, Value};
use super::{Field, Node, Subject, Test};

const AVAILABILITY_ZONE: &str = "ecs.availability-zone";

/// What a field is for one instance.
enum Known {
    /// Nobody said.
    Unknown,
    /// The instance has no such attribute.
    Absent,
    /// The attribute is there, without a value.
    Empty,
    /// The values, of which one has to fit: one, but for `task:group`.
    Values(Vec<Value>),
}

impl Node {
    pub(super) fn holds(&self, subject: &Subject<'_>) -> Option<bool> {
        match self {
            Self::All(nodes) => decide(nodes, subject, false),
            Self::Any(nodes) => decide(nodes, subject, true),
            Self::Not(node) => node.holds(subject).map(|holds| !holds),
            Self::Is(field, test) => match field.of(subject) {
                Known::Unknown => None,
                Known::Absent => Some(false),
                Known::Empty => Some(matches!(test, Test::Exists)),
                Known::Values(values) => Some(values.iter().any(|value| test.holds(value))),
            },
        }
    }
}

/// One answer of the deciding kind decides; without it, one unknown answer leaves the whole unknown.
fn decide(nodes: &[Node], subject: &Subject<'_>, deciding: bool) -> Option<bool> {
    let mut answer = Some(!deciding);
    for node in nodes {
        match node.holds(subject) {
            Some(holds) if holds == deciding => return Some(deciding),
            Some(_) => {}
            None => answer = None,
        }
    }
    answer
}

impl Field {
    fn of(&self, subject: &Subject<'_>) -> Known {
        let one = |value: Option<Value>| value.map_or(Known::Unknown, |value| Known::Values(vec![value]));
        let text = |text: &str| Known::Values(vec![Value::Text(text.to_owned())]);
        match self {
            Self::Attribute(name) => {
                match subject.attributes.iter().find(|attribute| attribute.name == *name) {
                    Some(attribute) => attribute.value.as_deref().map_or(Known::Empty, text),
                    None if name == AVAILABILITY_ZONE && !subject.zone.is_empty() => text(subject.zone),
                    None => Known::Absent,
                }
            }
            Self::Ec2InstanceId if subject.instance.is_empty() => Known::Unknown,
            Self::Ec2InstanceId => text(subject.instance),
            Self::AgentConnected => one(subject.agent_connected.map(|is| Value::Text(is.to_string()))),
            Self::AgentVersion => one(subject.agent_version.and_then(value::version).map(Value::Version)),
            Self::RegisteredAt => one(subject.registered_at.map(Value::Time)),
            Self::RunningTasksCount => one(subject.running_tasks.map(Value::Number)),
            Self::TaskGroup => subject.groups.map_or(Known::Unknown, |groups| {
                Known::Values(groups.iter().cloned().map(Value::Text).collect())
            }),
        }
    }
}

impl Test {
    fn holds(&self, actual: &Value) -> bool {
        let order = |argument: &Value| argument.compare(actual);
        match self {
            Self::Exists => true,
            Self::OneOf(values) => values.iter().any(|value| value.equals(actual)),
            Self::Above(argument) => order(argument).is_some_and(|order| order.is_gt()),
            Self::AtLeast(argument) => order(argument).is_some_and(|order| order.is_ge()),
            Self::Below(argument) => order(argument).is_some_and(|order| order.is_lt()),
            Self::AtMost(argument) => order(argument).is_some_and(|order| order.is_le()),
            Self::Matches(regex) => matches!(actual, Value::Text(text) if regex.is_match(text)),
        }
    }
}
