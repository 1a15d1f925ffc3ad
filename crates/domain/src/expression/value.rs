//! The arguments of conditions: text, numbers, versions, points in time.

use std::cmp::Ordering;

use super::Field;
use crate::timestamp::Timestamp;

/// What a field is compared with, in the field's own kind.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    Text(String),
    Number(i64),
    Version(Vec<u64>),
    Time(Timestamp),
}

impl Value {
    /// Reads the argument as the kind that the field has.
    ///
    /// # Errors
    /// What the field takes, in words.
    pub(super) fn of_field(field: &Field, text: String) -> Result<Self, &'static str> {
        match field {
            Field::Attribute(_) | Field::Ec2InstanceId | Field::TaskGroup => Ok(Self::Text(text)),
            Field::AgentConnected if text == "true" || text == "false" => Ok(Self::Text(text)),
            Field::AgentConnected => Err("true or false"),
            Field::AgentVersion => version(&text).map(Self::Version).ok_or("a version like 1.97.1"),
            Field::RegisteredAt => time(&text).map(Self::Time).ok_or("a date like 2018-06-18T22:28:28Z"),
            Field::RunningTasksCount => text.parse().map(Self::Number).map_err(|_| "a whole number"),
        }
    }

    /// How the field's value stands to this argument; `None` if they can't be compared.
    pub(super) fn compare(&self, actual: &Self) -> Option<Ordering> {
        match (actual, self) {
            (Self::Text(actual), Self::Text(argument)) => Some(order_text(actual, argument)),
            (Self::Number(actual), Self::Number(argument)) => Some(actual.cmp(argument)),
            (Self::Version(actual), Self::Version(argument)) => Some(order_version(actual, argument)),
            (Self::Time(actual), Self::Time(argument)) => Some(actual.cmp(argument)),
            _ => None,
        }
    }

    /// Whether the field's value is this argument. Text is the same letter by letter: `1.0` isn't `1`.
    pub(super) fn equals(&self, actual: &Self) -> bool {
        match (actual, self) {
            (Self::Text(actual), Self::Text(argument)) => actual == argument,
            _ => self.compare(actual) == Some(Ordering::Equal),
        }
    }
}

/// Attributes are text, but `attribute:cores > 8` means numbers: numbers and versions go by size, the rest by letters.
fn order_text(one: &str, other: &str) -> Ordering {
    let numbers = one.parse::<f64>().ok().zip(other.parse::<f64>().ok());
    if let Some(order) = numbers.and_then(|(one, other)| one.partial_cmp(&other)) {
        return order;
    }
    match version(one).zip(version(other)) {
        Some((one, other)) => order_version(&one, &other),
        None => one.cmp(other),
    }
}

/// `1.18` and `1.18.0` are the same version.
fn order_version(one: &[u64], other: &[u64]) -> Ordering {
    let part = |version: &[u64], index: usize| version.get(index).copied().unwrap_or(0);
    (0..one.len().max(other.len()))
        .map(|index| part(one, index).cmp(&part(other, index)))
        .find(|order| order.is_ne())
        .unwrap_or(Ordering::Equal)
}

/// `1.97.1`, also with a leading `v`.
pub(super) fn version(text: &str) -> Option<Vec<u64>> {
    text.strip_prefix('v').unwrap_or(text).split('.').map(|part| part.parse().ok()).collect()
}

/// The four forms that the documentation names: with an offset, with `Z`, without either, and a day. The last two
/// are UTC.
fn time(text: &str) -> Option<Timestamp> {
    if let Ok(time) = text.parse::<jiff::Timestamp>() {
        return Some(time.into());
    }
    let local: jiff::civil::DateTime = text.parse().ok()?;
    local.to_zoned(jiff::tz::TimeZone::UTC).ok().map(|time| time.timestamp().into())
}
