//! What a daemon is told: its capacity providers and how its deployments go.

use crate::arn::{Arn, ecs_arn};
use crate::error::EcsError;
use crate::generated as model;
use crate::name::FamilyName;
use crate::scope::Scope;

/// `drainPercent` if nobody says otherwise.
const DRAIN_PERCENT: f64 = 25.0;
/// A day, as of services' deployments.
const LONGEST_BAKE: i32 = 1440;

/// The ARNs of the capacity providers of a request, each once.
///
/// # Errors
/// `InvalidParameterException` for none, for one that is no capacity provider, is another account's or region's, is
/// one of Fargate's, or is there twice.
pub fn check_providers(scope: &Scope, given: &[String]) -> Result<Vec<String>, EcsError> {
    if given.is_empty() {
        return Err(EcsError::invalid_parameter("Capacity provider ARNs cannot be empty."));
    }
    let mut providers = Vec::with_capacity(given.len());
    for text in given {
        let arn = capacity_provider_ref(scope, text)?;
        if providers.contains(&arn) {
            return Err(EcsError::invalid_parameter(format!("Duplicate capacity provider: {text}")));
        }
        providers.push(arn);
    }
    Ok(providers)
}

/// The ARN of the capacity provider that is named by ARN or by name.
///
/// # Errors
/// `InvalidParameterException`, see [`check_providers`].
pub fn capacity_provider_ref(scope: &Scope, text: &str) -> Result<String, EcsError> {
    let invalid =
        || EcsError::invalid_parameter(format!("The specified capacity provider ARN is invalid: {text}"));
    let name = match Arn::parse(text) {
        None => text,
        Some(arn) => {
            if arn.service != "ecs" || arn.kind != "capacity-provider" {
                return Err(invalid());
            }
            arn.within(scope)?;
            arn.rest
        }
    };
    if FamilyName::parse(name).is_none() {
        return Err(invalid());
    }
    if matches!(name, "FARGATE" | "FARGATE_SPOT") {
        return Err(EcsError::invalid_parameter(format!(
            "Daemons are only supported for Amazon ECS Managed Instances capacity providers, but {name} is not one."
        )));
    }
    Ok(ecs_arn(scope, format_args!("capacity-provider/{name}")))
}

/// A deployment configuration, complete.
///
/// # Errors
/// `InvalidParameterException` for a bake time out of range, and for alarms that are enabled without names.
pub fn configuration(
    given: Option<&model::DaemonDeploymentConfiguration>,
) -> Result<model::DaemonDeploymentConfiguration, EcsError> {
    let mut complete = given.cloned().unwrap_or_default();
    complete.drain_percent.get_or_insert(DRAIN_PERCENT);
    let bake = *complete.bake_time_in_minutes.get_or_insert(0);
    if !(0..=LONGEST_BAKE).contains(&bake) {
        return Err(EcsError::invalid_parameter(format!(
            "bakeTimeInMinutes must be between 0 and {LONGEST_BAKE}, but was {bake}."
        )));
    }
    if let Some(alarms) = &mut complete.alarms {
        let enabled = *alarms.enable.get_or_insert(false);
        let names = alarms.alarm_names.get_or_insert_default();
        if enabled && names.is_empty() {
            return Err(EcsError::invalid_parameter("alarmNames cannot be empty when alarms are enabled."));
        }
        if names.iter().any(String::is_empty) {
            return Err(EcsError::invalid_parameter("alarmNames cannot contain an empty name."));
        }
    }
    Ok(complete)
}
