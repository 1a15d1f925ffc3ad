//! The table: operation -> use case. Nothing else is decided here.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use futures::FutureExt;
use futures::future::{BoxFuture, ready};
use kecs_domain::model::{Operation, op};
use kecs_usecases::Ecs;

use super::{describe_clusters, discover_poll_endpoint, exchange};
use crate::api::{Call, Reply};

/// Defines `call` and, for the tests, the list of the operations in it. Each operation's future is boxed by itself,
/// so that a request pays one allocation of its own operation's size.
macro_rules! table {
    ($($operation:ident => $group:ident.$method:ident,)*) => {
        /// Calls the use case of `operation`.
        pub(super) fn call(
            ecs: &Arc<Ecs>,
            sizes: &Arc<[AtomicUsize]>,
            operation: Operation,
            mut call: Call,
        ) -> BoxFuture<'static, Reply> {
            let ecs = Arc::clone(ecs);
            let sizes = Arc::clone(sizes);
            match operation {
                // Its errors depend on what it finds.
                Operation::DescribeClusters => describe_clusters::call(ecs, sizes, call).boxed(),
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
                other => ready(exchange::not_built(other)).boxed(),
            }
        }

        #[cfg(test)]
        const TABLE: &[Operation] =
            &[Operation::DescribeClusters, Operation::DiscoverPollEndpoint, $(Operation::$operation,)*];
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
    ListTasks => tasks.list,

    CreateService => services.create,
    UpdateService => services.update,
    DescribeServices => services.describe,
    ListServices => services.list,
    DeleteService => services.delete,
    ListServiceDeployments => services.list_deployments,
    DescribeServiceDeployments => services.describe_deployments,
    DescribeServiceRevisions => services.describe_revisions,

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
