//! The containers as such: that there are some, which of them are essential, their names and images.

use std::collections::BTreeSet;
use std::io;

use super::{Outcome, Subject, client, is_essential, name_of};
use crate::name::FamilyName;

/// The most containers of a task. (ECS service quota)
const MOST_CONTAINERS: usize = 10;

/// The longest task definition, in bytes. (ECS service quota)
const LONGEST: usize = 64 * 1024;

/// The family, and the list of containers as a whole.
pub(super) fn check_list(subject: &Subject<'_>) -> Outcome {
    let family = subject.request.family.as_str();
    if family.is_empty() {
        return client("Family should not be null or empty.");
    }
    if FamilyName::parse(family).is_none() {
        return client("Family contains invalid characters.");
    }
    if subject.containers.is_empty() {
        return client("Container list cannot be empty.");
    }
    if subject.containers.len() > MOST_CONTAINERS {
        return client("Too many containers.");
    }
    let length = json_length(subject.request);
    if length > LONGEST {
        return client(format!("Actual length: '{length}'. Max allowed length is '{LONGEST}' bytes."));
    }
    Ok(())
}

pub(super) fn check_essential(subject: &Subject<'_>) -> Outcome {
    if subject.containers.iter().any(is_essential) {
        Ok(())
    } else {
        client("Task definition doesn't have any essential container.")
    }
}

pub(super) fn check_each(subject: &Subject<'_>) -> Outcome {
    let mut names = BTreeSet::new();
    for container in subject.containers {
        let name = name_of(container);
        if name.is_empty() {
            return client("Container.name should not be null or empty.");
        }
        // Containers are named by the same rule as families. (API model)
        if FamilyName::parse(name).is_none() {
            return client("Container.name contains invalid characters.");
        }
        if container.image.as_deref().unwrap_or_default().trim().is_empty() {
            return client("Container.image should not be null or empty.");
        }
        // No image reference has blanks or letters beyond ASCII. What ECS allows beside that is left to whoever pulls.
        if !container.image.as_deref().is_some_and(is_printable) {
            return client("Container.image contains invalid characters.");
        }
        if !names.insert(name) {
            return client("Container names must be unique within a task definition");
        }
    }
    Ok(())
}

/// The roles, which are named by their name or by their ARN.
pub(super) fn check_roles(subject: &Subject<'_>) -> Outcome {
    let roles = [&subject.request.task_role_arn, &subject.request.execution_role_arn];
    if roles.into_iter().flatten().all(|role| is_printable(role)) {
        return Ok(());
    }
    client("Role is not valid")
}

fn is_printable(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// How long the registration is as JSON, without writing it down.
fn json_length(request: &impl serde::Serialize) -> usize {
    struct Count(usize);
    impl io::Write for Count {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0 += bytes.len();
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut count = Count(0);
    // The counter never fails, and a request has a JSON form: it came in as one.
    let _ = serde_json::to_writer(&mut count, request);
    count.0
}
