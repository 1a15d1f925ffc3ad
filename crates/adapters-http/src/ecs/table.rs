//! The table: operation -> use case. Nothing else is decided here.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use futures::FutureExt;
use futures::future::BoxFuture;
use kecs_domain::model::{Operation, op};
use kecs_usecases::Ecs;

use super::{describe_clusters, discover_poll_endpoint, exchange, execute_command, list_tasks};
use crate::api::{Call, Reply};

/// Defines `call` and, for the tests, the list of the operations in it. Each operation's future is boxed by itself,
/// so that a request pays one allocation of its own operation's size.
macro_rules! table {
    ($($operation:ident => $group:ident.$method:ident,)*) => {
        /// Calls the use case of `operation`.
        pub(super) fn call(
            ecs: &Arc<Ecs>,
            sizes: &Arc<[AtomicUsize]>,
            public_url: Option<&Arc<str>>,
            operation: Operation,
            mut call: Call,
        ) -> BoxFuture<'static, Reply> {
            let ecs = Arc::clone(ecs);
            let sizes = Arc::clone(sizes);
            match operation {
                // Its errors depend on what it finds.
                Operation::DescribeClusters => describe_clusters::call(ecs, sizes, call).boxed(),
                // Its answer is written from ids.
                Operation::ListTasks => list_tasks::call(ecs, sizes, call).boxed(),
                // Its answer depends on where it came in.
                Operation::ExecuteCommand => {
                    execute_command::call(ecs, sizes, public_url.cloned(), call).boxed()
                }
                // It tells the address at which it was reached.
                Operation::DiscoverPollEndpoint => discover_poll_endpoint::call(ecs, sizes, call).boxed(),
                $(Operation::$operation => Box::pin(async move {
                    let request = match exchange::read::<op::$operation>(&mut call).await {
                        Ok(request) => request,
                        Err(reply) => return reply,
                    };
                    let result = ecs.$group().$method(&call.context, request).await;
                    exchange::write(operation, call.request_id, result, &sizes[operation as usize])
                }),)*
            }
        }

        #[cfg(test)]
        const TABLE: &[Operation] = &[
            Operation::DescribeClusters,
            Operation::DiscoverPollEndpoint,
            Operation::ExecuteCommand,
            Operation::ListTasks,
            $(Operation::$operation,)*
        ];
    };
}

table! {
    CreateCluster => clusters.create,
    ListClusters => clusters.list,
    UpdateCluster => clusters.update,
    UpdateClusterSettings => clusters.update_settings,
    DeleteCluster => clusters.delete,

    RegisterTaskDefinition => task_definitions.register,
    DeregisterTaskDefinition => task_definitions.deregister,
    DescribeTaskDefinition => task_definitions.describe,
    ListTaskDefinitions => task_definitions.list,
    ListTaskDefinitionFamilies => task_definitions.list_families,
    DeleteTaskDefinitions => task_definitions.delete,

    RunTask => tasks.run,
    StartTask => tasks.start,
    StopTask => tasks.stop,
    DescribeTasks => tasks.describe,
    GetTaskProtection => tasks.get_protection,
    UpdateTaskProtection => tasks.update_protection,

    CreateService => services.create,
    UpdateService => services.update,
    DescribeServices => services.describe,
    ListServices => services.list,
    DeleteService => services.delete,
    ListServiceDeployments => services.list_deployments,
    DescribeServiceDeployments => services.describe_deployments,
    DescribeServiceRevisions => services.describe_revisions,
    ListServicesByNamespace => services.list_by_namespace,
    StopServiceDeployment => services.stop_deployment,
    ContinueServiceDeployment => services.continue_deployment,

    CreateTaskSet => task_sets.create,
    DescribeTaskSets => task_sets.describe,
    UpdateTaskSet => task_sets.update,
    DeleteTaskSet => task_sets.delete,
    UpdateServicePrimaryTaskSet => task_sets.promote,

    CreateExpressGatewayService => express.create,
    DescribeExpressGatewayService => express.describe,
    UpdateExpressGatewayService => express.update,
    DeleteExpressGatewayService => express.delete,

    CreateGateway => gateways.create,
    DescribeGateway => gateways.describe,
    ListGateways => gateways.list,
    UpdateGateway => gateways.update,
    DeleteGateway => gateways.delete,
    DescribeGatewayResources => gateways.describe_resources,
    AssociateGatewayWithCluster => gateways.associate,
    DisassociateGatewayFromCluster => gateways.disassociate,
    ListGatewayClusterAssociations => gateways.list_associations,
    ListGatewayRoutes => gateways.list_routes,
    DescribeGatewayRoute => gateways.describe_route,

    RegisterDaemonTaskDefinition => daemon_task_definitions.register,
    DescribeDaemonTaskDefinition => daemon_task_definitions.describe,
    ListDaemonTaskDefinitions => daemon_task_definitions.list,
    DeleteDaemonTaskDefinition => daemon_task_definitions.delete,

    CreateDaemon => daemons.create,
    UpdateDaemon => daemons.update,
    DeleteDaemon => daemons.delete,
    DescribeDaemon => daemons.describe,
    ListDaemons => daemons.list,
    DescribeDaemonDeployments => daemons.describe_deployments,
    DescribeDaemonRevisions => daemons.describe_revisions,
    ListDaemonDeployments => daemons.list_deployments,

    RegisterContainerInstance => container_instances.register,
    DeregisterContainerInstance => container_instances.deregister,
    DescribeContainerInstances => container_instances.describe,
    ListContainerInstances => container_instances.list,
    UpdateContainerInstancesState => container_instances.update_state,
    UpdateContainerAgent => container_instances.update_agent,
    PutAttributes => container_instances.put_attributes,
    DeleteAttributes => container_instances.delete_attributes,
    ListAttributes => container_instances.list_attributes,
    SubmitTaskStateChange => container_instances.submit_task,
    SubmitContainerStateChange => container_instances.submit_container,
    SubmitAttachmentStateChanges => container_instances.submit_attachments,

    TagResource => tags.tag,
    UntagResource => tags.untag,
    ListTagsForResource => tags.list,

    CreateCapacityProvider => capacity_providers.create,
    UpdateCapacityProvider => capacity_providers.update,
    DeleteCapacityProvider => capacity_providers.delete,
    DescribeCapacityProviders => capacity_providers.describe,
    PutClusterCapacityProviders => clusters.put_capacity_providers,

    PutAccountSetting => account_settings.put,
    PutAccountSettingDefault => account_settings.put_default,
    ListAccountSettings => account_settings.list,
    DeleteAccountSetting => account_settings.delete,
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use kecs_usecases::coverage::IMPLEMENTED;

    use super::*;

    #[test]
    fn the_table_has_exactly_the_operations_that_are_built() {
        let sorted = |operations: &[Operation]| operations.iter().copied().collect::<BTreeSet<_>>();
        assert_eq!(sorted(TABLE), sorted(IMPLEMENTED));
        assert_eq!(TABLE.len(), sorted(TABLE).len());
    }

    #[test]
    fn operations_are_numbered_in_the_order_of_their_names() {
        assert!(Operation::VALUES.is_sorted());
        for (index, operation) in Operation::ALL.iter().enumerate() {
            assert_eq!((*operation as usize, operation.name()), (index, Operation::VALUES[index]));
        }
    }
}
