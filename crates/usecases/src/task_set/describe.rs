//! DescribeTaskSets.

use kecs_domain::model::{DescribeTaskSetsRequest, DescribeTaskSetsResponse, Failure, TaskSetField};
use kecs_domain::service::TaskSet;

use super::TaskSets;
use crate::context::{Context, Result, check_model};

impl TaskSets<'_> {
    /// Describes task sets of a service by id or ARN, or all of them; those that don't exist come back as failures.
    ///
    /// # Errors
    /// `ClusterNotFoundException`, `ServiceNotFoundException`, `ServiceNotActiveException`; `InvalidParameterException`
    /// for another deployment controller.
    pub async fn describe(
        &self,
        ctx: &Context,
        request: DescribeTaskSetsRequest,
    ) -> Result<DescribeTaskSetsResponse> {
        check_model(&request)?;
        let (_, service) = self.find(ctx, &request.cluster, &request.service).await?;
        service.check_task_sets(true)?;
        let with_tags = request.include.iter().flatten().any(|field| *field == TaskSetField::Tags);
        let mut failures = Vec::new();
        let mut described: Vec<&TaskSet> = Vec::new();
        match request.task_sets.filter(|named| !named.is_empty()) {
            None => described.extend(&service.task_sets),
            Some(named) => {
                for text in named {
                    match service.task_set(service.key.task_set_ref(&text)) {
                        Ok(set) if described.iter().any(|known| known.id == set.id) => {}
                        Ok(set) => described.push(set),
                        Err(_) => failures.push(Failure {
                            arn: Some(text),
                            reason: Some("MISSING".to_owned()),
                            ..Default::default()
                        }),
                    }
                }
            }
        }
        let views = described.into_iter().map(|set| set.view(&service, with_tags.then(|| set.tags.clone())));
        Ok(DescribeTaskSetsResponse { task_sets: Some(views.collect()), failures: Some(failures) })
    }
}
