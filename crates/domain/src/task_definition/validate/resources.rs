//! CPU and memory, of the task and of its containers.

use super::{Outcome, Subject, client, name_of, sizes};
use crate::error::EcsError;
use crate::task_definition::sizes::{LEAST_MEMORY, TASK_CPU};

pub(super) fn task_cpu(subject: &Subject<'_>) -> Result<Option<i32>, EcsError> {
    let Some(text) = &subject.request.cpu else {
        return Ok(None);
    };
    let cpu = sizes::parse_cpu(text).filter(|cpu| subject.fargate || TASK_CPU.contains(cpu));
    cpu.map(Some).ok_or_else(|| EcsError::invalid_parameter("Invalid 'cpu' setting for task."))
}

pub(super) fn task_memory(subject: &Subject<'_>) -> Result<Option<i32>, EcsError> {
    let Some(text) = &subject.request.memory else {
        return Ok(None);
    };
    let memory = sizes::parse_memory(text);
    memory.map(Some).ok_or_else(|| EcsError::invalid_parameter("Invalid 'memory' setting for task."))
}

pub(super) fn check_memory(subject: &Subject<'_>) -> Outcome {
    for container in subject.containers {
        let name = name_of(container);
        let (hard, soft) = (container.memory, container.memory_reservation);
        if subject.memory.is_none() && hard.unwrap_or(0) == 0 && soft.unwrap_or(0) == 0 {
            return client(format!(
                "Invalid setting for container '{name}'. At least one of 'memory' or 'memoryReservation' must be specified."
            ));
        }
        if hard.is_some_and(|hard| hard < LEAST_MEMORY) {
            return client(format!("Invalid 'memory' setting for container '{name}'."));
        }
        if soft.is_some_and(|soft| soft < LEAST_MEMORY) {
            return client(format!("Invalid 'memoryReservation' setting for container '{name}'."));
        }
        if hard.zip(soft).is_some_and(|(hard, soft)| hard < soft) {
            return client(format!(
                "Invalid setting for container '{name}'. 'memory' must be greater than or equal to 'memoryReservation'."
            ));
        }
        let of_task = subject.memory.unwrap_or(i32::MAX);
        if hard.or(soft).is_some_and(|memory| memory > of_task) {
            return client(format!(
                "The 'memory' setting for container '{name}' is greater than for the task"
            ));
        }
    }
    Ok(())
}

pub(super) fn check_cpu(subject: &Subject<'_>) -> Outcome {
    let mut sum = 0_i64;
    for container in subject.containers {
        let cpu = container.cpu.unwrap_or(0);
        if cpu < 0 {
            return client(format!("Invalid 'cpu' setting for container '{}'.", name_of(container)));
        }
        sum += i64::from(cpu);
    }
    if subject.cpu.is_some_and(|cpu| sum > i64::from(cpu)) {
        return client(
            "The sum of all container 'cpu' values cannot be greater than the value of the task 'cpu'.",
        );
    }
    Ok(())
}
