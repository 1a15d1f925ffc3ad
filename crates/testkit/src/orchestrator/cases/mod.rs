//! The cases, by what they are about. Each is a sentence of the port's contract.

mod dependency;
mod environment;
mod fault;
mod health;
mod life;
mod logs;
mod program;
mod restart;
mod stop;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use kecs_domain::arn::TaskKey;
use kecs_domain::task::{ContainerState, Task, TaskFailure, TaskObservation};
use kecs_domain::{EcsError, model};
use kecs_usecases::ports::{Instance, Launch, StopOrder};

use super::{Condition, Latest, OrchestratorHarness, Recipe};

/// A case: it panics when the orchestrator breaks the contract.
pub type Case = fn(Arc<dyn OrchestratorHarness>) -> Pin<Box<dyn Future<Output = ()> + Send>>;

/// Long enough for anything that should happen, also on a busy Kubernetes.
const SOON: Duration = Duration::from_secs(120);
/// Long enough to see that something doesn't happen.
const A_WHILE: Duration = Duration::from_secs(3);

macro_rules! cases {
    ($dollar:tt $($module:ident: $($name:ident,)+;)+) => {
        /// Every case, with its name.
        pub const CASES: &[(&str, Case)] = &[$($((
            stringify!($name),
            |harness| Box::pin($module::$name(Scene { harness })),
        ),)+)+];

        /// The case called `name`.
        ///
        /// # Panics
        /// When there is none.
        pub fn case(name: &str) -> Case {
            CASES.iter().find(|(known, _)| *known == name).expect("a case of that name").1
        }

        /// Makes a test of each case of the orchestrators' contract. `$run` is a function that gets the
        /// [`Case`], makes a harness for it, and runs it to its end.
        #[macro_export]
        macro_rules! orchestrator_contract {
            ($dollar run:path) => {
                $($(
                    #[test]
                    fn $name() {
                        $dollar run($crate::orchestrator::cases::case(stringify!($name)));
                    }
                )+)+
            };
        }
    };
}

cases! { $
    life:
        a_task_runs_with_all_its_facts,
        a_task_on_an_instance_runs_there,
        a_container_that_ends_with_0_is_told_with_0,
        a_container_that_ends_with_7_is_told_with_7,
        an_end_is_only_told_whether_the_container_is_essential_or_not,
        launching_a_task_again_leaves_it_as_it_is,
        an_image_that_cannot_be_pulled_keeps_the_task_from_starting,
        a_container_that_takes_too_much_memory_is_killed,
        clusters_can_be_made_and_given_back_again_and_again,
    ;
    stop:
        a_container_that_heeds_sigterm_ends_with_its_own_code,
        a_container_that_ignores_sigterm_is_killed_after_its_stop_timeout,
        stopping_again_changes_nothing,
        containers_stop_in_the_reverse_order_of_their_dependencies,
        a_task_that_is_not_there_is_released_when_it_is_stopped,
        a_forgotten_task_is_not_in_the_next_snapshot,
    ;
    dependency:
        start_waits_until_the_other_has_started,
        complete_waits_for_the_end_of_the_other_whatever_its_code,
        what_waits_for_one_that_waited_waits_too,
        an_end_that_cannot_come_keeps_the_task_from_starting,
        success_waits_for_the_others_exit_code_0,
        success_keeps_the_task_from_starting_when_the_other_fails,
        healthy_waits_until_the_other_is_healthy,
        healthy_keeps_the_task_from_starting_when_the_other_is_unhealthy,
    ;
    program:
        an_entry_point_gets_the_command_as_its_arguments,
        a_request_overrides_the_command,
        a_container_runs_as_its_user_in_its_directory,
        a_root_filesystem_can_be_read_only,
        capabilities_are_added_and_dropped,
        extra_hosts_are_known,
        a_volume_is_shared_by_containers_and_empty_for_the_next_task,
        a_tmpfs_is_in_memory,
        a_container_may_have_any_name_that_ecs_allows,
        a_container_with_a_restart_policy_runs_again_until_a_code_is_ignored,
    ;
    environment:
        variables_are_those_of_the_definition_with_those_of_the_request,
        values_are_passed_as_they_are,
        secrets_are_variables,
        a_secret_that_is_not_there_keeps_the_task_from_starting,
        a_key_that_its_secret_lacks_keeps_the_task_from_starting,
        variables_come_from_files_too,
    ;
    health:
        a_check_that_passes_makes_the_container_healthy,
        a_check_that_fails_makes_the_container_unhealthy_and_it_runs_on,
        a_healthy_container_can_turn_unhealthy,
        an_unhealthy_container_can_turn_healthy,
        a_container_without_a_check_has_no_health,
    ;
    restart:
        every_observer_begins_with_a_snapshot,
        a_task_that_runs_is_taken_up_with_its_facts,
        a_container_that_had_ended_stays_so,
        a_task_that_was_stopping_is_stopped,
        a_task_that_was_not_yet_placed_is_started,
    ;
    logs:
        lines_come_in_their_order_with_their_times,
        of_many_lines_the_last_ones_can_be_asked_for,
        lines_before_a_time_are_left_out,
        following_ends_with_the_container,
        the_logs_of_an_ended_task_are_there_until_it_is_forgotten,
        a_container_that_is_not_there_or_has_not_started_has_no_logs,
    ;
    fault:
        a_task_that_somebody_else_deletes_is_lost,
        a_task_whose_node_dies_is_lost,
        a_drained_node_is_seen_among_the_instances,
        instances_show_what_tasks_take,
        a_fixed_host_port_is_bound,
        a_free_host_port_is_found_and_bound,
    ;
}

/// A harness with what every case does.
struct Scene {
    harness: Arc<dyn OrchestratorHarness>,
}

impl Scene {
    fn container(&self, name: &str, script: super::Script) -> model::ContainerDefinition {
        self.harness.container(name, script)
    }

    /// Launches a task of `recipe`, after the orchestrator has checked it.
    async fn launch(&self, recipe: &Recipe) -> Launch {
        let orchestrator = self.harness.orchestrator();
        let cluster = self.harness.cluster();
        let launch = recipe.launch(&cluster, self.harness.fresh_id(), self.harness.now());
        let checked: Result<(), EcsError> = orchestrator.check(&launch.definition.doc);
        checked.expect("the orchestrator accepts the definition");
        orchestrator.ensure_cluster(&cluster).await.expect("the cluster is made");
        orchestrator.launch(launch.clone()).await.expect("the launch is accepted");
        launch
    }

    /// Launches a task and waits until every container of it runs.
    async fn run(&self, recipe: &Recipe) -> Launch {
        let launch = self.launch(recipe).await;
        self.until_running(&launch).await;
        launch
    }

    async fn until_running(&self, launch: &Launch) -> Latest {
        let names: Vec<_> = names(launch).collect();
        let key = &launch.task.key;
        let running =
            |latest: &Latest| names.iter().all(|name| latest.is(key, name, ContainerState::Running));
        self.until("every container runs", &running).await
    }

    async fn until(&self, what: &str, holds: &Condition<'_>) -> Latest {
        self.harness.until(what, SOON, holds).await
    }

    /// Waits until the container has stopped.
    async fn until_stopped(&self, key: &TaskKey, name: &str) -> Latest {
        let what = format!("{name} has stopped");
        self.until(&what, &|latest| latest.is(key, name, ContainerState::Stopped)).await
    }

    async fn stop(&self, launch: &Launch) {
        let order =
            StopOrder { task: launch.task.key.clone(), definition: Some(Arc::clone(&launch.definition)) };
        self.harness.orchestrator().stop(order).await.expect("the stop is accepted");
    }

    /// Stops the task and waits for its release, as the use cases do; what is seen then.
    async fn end(&self, launch: &Launch) -> TaskObservation {
        self.stop(launch).await;
        let key = &launch.task.key;
        let latest = self.until("the task is released", &|latest| latest.is_released(key)).await;
        let seen = latest.task(key).expect("a released task was observed").clone();
        assert!(seen.containers.iter().all(|it| it.state == ContainerState::Stopped), "{seen:#?}");
        seen
    }

    /// Waits until the task can't start; the reason. Then ends it.
    async fn until_failed_to_start(&self, launch: &Launch) -> (String, TaskObservation) {
        let key = &launch.task.key;
        let reason = |latest: &Latest| match &latest.task(key)?.failure {
            Some(TaskFailure::FailedToStart { reason }) => Some(reason.clone()),
            _ => None,
        };
        let latest = self.until("the task fails to start", &|latest| reason(latest).is_some()).await;
        let reason = reason(&latest).expect("just seen");
        (reason, self.end(launch).await)
    }

    async fn instances(&self) -> Vec<Instance> {
        let orchestrator = self.harness.orchestrator();
        orchestrator.instances(&self.harness.cluster()).await.expect("the instances are known")
    }

    /// The task as the use cases would have stored it by now.
    fn stored(&self, launch: &Launch, latest: &Latest) -> Launch {
        let seen = latest.task(&launch.task.key).expect("the task was observed");
        let now = self.harness.now();
        let task: Option<Task> = launch.task.observe(seen, &launch.definition.doc, now);
        let task = task.map_or_else(|| Arc::clone(&launch.task), Arc::new);
        Launch { task, definition: Arc::clone(&launch.definition) }
    }
}

fn names(launch: &Launch) -> impl Iterator<Item = &str> {
    launch
        .definition
        .doc
        .container_definitions
        .iter()
        .flatten()
        .filter_map(|container| container.name.as_deref())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_case_is_found_by_its_name() {
        for (name, _) in CASES {
            case(name);
        }
    }
}
