//! Log drivers and FireLens.

use super::{Outcome, Subject, client, each};
use crate::model::{LogConfiguration, LogDriver};

/// The log drivers that Fargate has, as its refusal lists them.
const FARGATE_DRIVERS: [LogDriver; 3] = [LogDriver::Awslogs, LogDriver::Splunk, LogDriver::Awsfirelens];

pub(super) fn check(subject: &Subject<'_>) -> Outcome {
    let router = subject.containers.iter().any(|container| container.firelens_configuration.is_some());
    for container in subject.containers {
        if let Some(log) = &container.log_configuration {
            check_log(subject, log, router)?;
        }
        if let Some(firelens) = &container.firelens_configuration {
            let option = |name: &str| firelens.options.as_ref().and_then(|options| options.get(name));
            if subject.fargate && option("config-file-type").is_some_and(|kind| kind == "s3") {
                return client("Fargate only supports the config-file-type 'file'.");
            }
        }
    }
    Ok(())
}

fn check_log(subject: &Subject<'_>, log: &LogConfiguration, router: bool) -> Outcome {
    let driver = log.log_driver;
    if subject.fargate && !FARGATE_DRIVERS.contains(&driver) {
        let drivers = FARGATE_DRIVERS.map(|driver| driver.as_str()).join(",");
        return client(format!("{driver} is not a valid log driver. Must be one of [{drivers}]"));
    }
    let missing: Vec<_> = required(driver).iter().copied().filter(|option| !has(log, option)).collect();
    if !missing.is_empty() {
        return client(format!("Log driver {driver} requires options: {}", missing.join(", ")));
    }
    match driver {
        LogDriver::Awsfirelens if !router => client(
            "When awsfirelens log driver is specified in log configuration, a firelens configuration object must be specified.",
        ),
        LogDriver::Awslogs if subject.fargate && !subject.has_execution_role() => client(
            "Fargate requires task definition to have execution role ARN to support log driver awslogs.",
        ),
        LogDriver::Awslogs if subject.fargate && !has(log, "awslogs-stream-prefix") => client(
            "Fargate requires log configuration options to include awslogs-stream-prefix to support log driver awslogs.",
        ),
        _ => Ok(()),
    }
}

/// What a driver can't do without, in the order in which ECS misses it.
const fn required(driver: LogDriver) -> &'static [&'static str] {
    match driver {
        LogDriver::Awslogs => &["awslogs-region", "awslogs-group"],
        LogDriver::Splunk => &["splunk-token", "splunk-url"],
        _ => &[],
    }
}

fn has(log: &LogConfiguration, option: &str) -> bool {
    log.options.as_ref().is_some_and(|options| options.contains_key(option))
        || each(&log.secret_options).any(|secret| secret.name == option)
}
