//! Which of the API's operations are built. The HTTP edge, the coverage table and the tests all read it here.

use kecs_domain::model::Operation;

/// The operations that do what ECS does. All others are routed, and answer that they aren't there yet.
pub const IMPLEMENTED: &[Operation] = &[
    Operation::CreateCluster,
    Operation::DescribeClusters,
    Operation::ListClusters,
    Operation::UpdateCluster,
    Operation::UpdateClusterSettings,
    Operation::DeleteCluster,
    Operation::RegisterTaskDefinition,
    Operation::DeregisterTaskDefinition,
    Operation::DescribeTaskDefinition,
    Operation::ListTaskDefinitions,
    Operation::ListTaskDefinitionFamilies,
    Operation::DeleteTaskDefinitions,
    Operation::RunTask,
    Operation::StopTask,
    Operation::DescribeTasks,
    Operation::ListTasks,
    Operation::CreateService,
    Operation::UpdateService,
    Operation::DescribeServices,
    Operation::ListServices,
    Operation::DeleteService,
    Operation::ListServiceDeployments,
    Operation::DescribeServiceDeployments,
    Operation::DescribeServiceRevisions,
    Operation::TagResource,
    Operation::UntagResource,
    Operation::ListTagsForResource,
    Operation::ExecuteCommand,
];
