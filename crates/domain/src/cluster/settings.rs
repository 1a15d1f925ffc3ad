//! What a cluster's users set, checked and with ECS's defaults: settings, configuration, Service Connect.

use crate::error::EcsError;
use crate::generated as model;
use crate::model::{ClusterSettingName, ExecuteCommandLogging};

/// The values of `containerInsights`. (API model)
const CONTAINER_INSIGHTS: [&str; 3] = ["enabled", "disabled", "enhanced"];

/// The settings of a cluster that was created without any, in an account that has chosen nothing.
pub fn defaults() -> Vec<model::ClusterSetting> {
    with_insights("disabled")
}

/// The settings of a cluster that was created without any, in an account whose setting `containerInsights` is this.
pub fn with_insights(value: &str) -> Vec<model::ClusterSetting> {
    vec![model::ClusterSetting {
        name: Some(ClusterSettingName::ContainerInsights),
        value: Some(value.to_owned()),
    }]
}

/// Sets `given` over `have`: each name stands once, the last value given wins.
///
/// # Errors
/// `InvalidParameterException` for a setting without a name or with a value that its name doesn't have.
pub fn merge(
    have: &[model::ClusterSetting],
    given: &[model::ClusterSetting],
) -> Result<Vec<model::ClusterSetting>, EcsError> {
    let mut settings = have.to_vec();
    for setting in given {
        let invalid = |part| EcsError::invalid_parameter(format!("Invalid setting '{part}'"));
        let name = setting.name.ok_or_else(|| invalid("name"))?;
        match name {
            ClusterSettingName::ContainerInsights => {
                let value = setting.value.as_deref().unwrap_or_default();
                if !CONTAINER_INSIGHTS.contains(&value) {
                    return Err(invalid("value"));
                }
            }
        }
        match settings.iter_mut().find(|setting| setting.name == Some(name)) {
            Some(found) => found.value.clone_from(&setting.value),
            None => settings.push(setting.clone()),
        }
    }
    Ok(settings)
}

/// Checks what ECS Exec is to log, and where.
///
/// # Errors
/// `InvalidParameterException` when logging is OVERRIDE without a place for the logs, or the other way round.
pub fn check_configuration(configuration: &model::ClusterConfiguration) -> Result<(), EcsError> {
    let Some(exec) = &configuration.execute_command_configuration else {
        return Ok(());
    };
    let overrides = exec.logging == Some(ExecuteCommandLogging::Override);
    match &exec.log_configuration {
        Some(_) if !overrides => Err(EcsError::invalid_parameter(
            "You must set logging to 'OVERRIDE' when you supply a log configuration.",
        )),
        None if overrides => Err(no_log_place()),
        Some(log) if log.cloud_watch_log_group_name.is_none() && log.s3_bucket_name.is_none() => {
            Err(no_log_place())
        }
        _ => Ok(()),
    }
}

fn no_log_place() -> EcsError {
    EcsError::invalid_parameter(
        "A CloudWatch log group name or S3 bucket name must be specified when overriding the default log configuration.",
    )
}

/// The Service Connect defaults that are kept; none for an empty namespace, which takes them away.
///
/// # Errors
/// `InvalidParameterException` for a namespace that is neither a legal name nor an ARN. (API model)
pub fn service_connect(
    given: &model::ClusterServiceConnectDefaultsRequest,
) -> Result<Option<model::ClusterServiceConnectDefaults>, EcsError> {
    let namespace = given.namespace.as_str();
    if namespace.is_empty() {
        return Ok(None);
    }
    let illegal = |c: char| matches!(c, '<' | '>' | '"' | '/');
    if !namespace.starts_with("arn:") && (namespace.chars().count() > 1024 || namespace.contains(illegal)) {
        return Err(EcsError::invalid_parameter("Invalid setting 'serviceConnectDefaults.namespace'"));
    }
    Ok(Some(model::ClusterServiceConnectDefaults { namespace: Some(namespace.to_owned()) }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn setting(value: &str) -> model::ClusterSetting {
        model::ClusterSetting {
            name: Some(ClusterSettingName::ContainerInsights),
            value: Some(value.to_owned()),
        }
    }

    #[test]
    fn container_insights_is_enabled_disabled_or_enhanced() {
        for value in CONTAINER_INSIGHTS {
            assert_eq!(merge(&defaults(), &[setting(value)]), Ok(vec![setting(value)]));
        }
        let unnamed = model::ClusterSetting { name: None, ..setting("enabled") };
        let unvalued = model::ClusterSetting { value: None, ..setting("enabled") };
        for (bad, message) in [
            (setting("maybe"), "Invalid setting 'value'"),
            (unvalued, "Invalid setting 'value'"),
            (unnamed, "Invalid setting 'name'"),
        ] {
            assert_eq!(merge(&[], &[bad]), Err(EcsError::invalid_parameter(message)));
        }
    }

    #[test]
    fn logging_is_overridden_exactly_when_there_is_a_place_for_the_logs() {
        let check = |logging, log: Option<model::ExecuteCommandLogConfiguration>| {
            let exec = model::ExecuteCommandConfiguration {
                logging,
                log_configuration: log,
                ..model::ExecuteCommandConfiguration::default()
            };
            let configuration = model::ClusterConfiguration {
                execute_command_configuration: Some(exec),
                managed_storage_configuration: None,
            };
            check_configuration(&configuration).map_err(|error| error.message)
        };
        let bucket = model::ExecuteCommandLogConfiguration {
            s3_bucket_name: Some("logs".into()),
            ..model::ExecuteCommandLogConfiguration::default()
        };
        let over = Some(ExecuteCommandLogging::Override);
        assert_eq!(check(over, Some(bucket.clone())), Ok(()));
        assert_eq!(check(None, None), Ok(()));
        assert_eq!(check(Some(ExecuteCommandLogging::None), None), Ok(()));
        let place = "A CloudWatch log group name or S3 bucket name must be specified when overriding the default log configuration.";
        assert_eq!(check(over, None).unwrap_err(), place);
        assert_eq!(check(over, Some(model::ExecuteCommandLogConfiguration::default())).unwrap_err(), place);
        let needless = "You must set logging to 'OVERRIDE' when you supply a log configuration.";
        assert_eq!(check(Some(ExecuteCommandLogging::Default), Some(bucket.clone())).unwrap_err(), needless);
        assert_eq!(check(None, Some(bucket)).unwrap_err(), needless);
    }

    #[test]
    fn an_empty_namespace_takes_the_service_connect_defaults_away() {
        let given = |namespace: &str| {
            service_connect(&model::ClusterServiceConnectDefaultsRequest { namespace: namespace.to_owned() })
        };
        assert_eq!(given(""), Ok(None));
        assert_eq!(given("internal").unwrap().unwrap().namespace.as_deref(), Some("internal"));
        assert!(given("arn:aws:servicediscovery:eu-central-1:123456789012:namespace/ns-1").is_ok());
        assert!(given("a/b").is_err() && given(&"a".repeat(1025)).is_err());
    }
}
