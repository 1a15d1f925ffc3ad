//! Secrets and environment files.

use std::collections::BTreeSet;

use super::{Outcome, Subject, client, each, name_of};
use crate::arn::Arn;

/// The most environment files of a container. (API model)
const MOST_FILES: usize = 10;

pub(super) fn check(subject: &Subject<'_>) -> Outcome {
    for container in subject.containers {
        let log_secrets = container.log_configuration.as_ref().map(|log| each(&log.secret_options).len());
        let wants_role = each(&container.secrets).len() + log_secrets.unwrap_or(0) > 0;
        if wants_role && !subject.has_execution_role() {
            return client(
                "When you are specifying container secrets, you must also specify a value for 'executionRoleArn'.",
            );
        }
        let mut names: BTreeSet<&str> =
            each(&container.environment).filter_map(|variable| variable.name.as_deref()).collect();
        for secret in each(&container.secrets) {
            if secret.name.is_empty() || secret.value_from.is_empty() {
                return client(format!("Invalid 'secrets' setting for container '{}'.", name_of(container)));
            }
            if !names.insert(&secret.name) {
                return client(format!(
                    "The secret name must be unique and not shared with any new or existing environment variables set on the container, such as '{}'.",
                    secret.name
                ));
            }
        }
        let files = each(&container.environment_files);
        if files.len() > MOST_FILES {
            return client(
                "The maximum number of environment files was exceeded. Specify ten or less and try again.",
            );
        }
        for file in files {
            check_file(&file.value)?;
        }
    }
    Ok(())
}

/// `arn:PARTITION:s3:::BUCKET/KEY.env`
fn check_file(value: &str) -> Outcome {
    let Some(arn) = Arn::parse(value).filter(|arn| arn.service == "s3") else {
        return client("Invalid arn syntax.");
    };
    if arn.rest.ends_with(".env") {
        return Ok(());
    }
    client(format!("The environment file '{value}' must have the extension .env."))
}
