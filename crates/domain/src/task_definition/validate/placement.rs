//! Placement constraints.

use super::{Outcome, Subject, client, each};
use crate::error::EcsError;
use crate::expression::Expression;

/// The most constraints of a task. (ECS service quota)
const MOST: usize = 10;

pub(super) fn check(subject: &Subject<'_>) -> Outcome {
    let constraints = each(&subject.request.placement_constraints);
    if constraints.len() > MOST {
        return client(format!("placementConstraints can have at most {MOST} items"));
    }
    for constraint in constraints {
        if constraint.r#type.is_none() {
            return client("Placement constraint type should be one of [memberOf]");
        }
        let expression = constraint.expression.as_deref().unwrap_or_default();
        if expression.is_empty() {
            return client("memberOf expression should be specified.");
        }
        Expression::parse(expression)
            .map_err(|error| EcsError::client(format!("Invalid expression: {error}")))?;
    }
    Ok(())
}
