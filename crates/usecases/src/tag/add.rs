//! TagResource.

use kecs_domain::{model, tag};

use super::{Tags, resource};
use crate::{Context, Result};

impl Tags<'_> {
    /// Sets tags of a resource; its other tags stay. Either all are set or none.
    ///
    /// # Errors
    /// What the resource's kind has for one that isn't there or has ended; then `InvalidParameterException` (for
    /// task definitions `ClientException`) for tags that break a rule.
    pub async fn tag(
        &self,
        ctx: &Context,
        request: model::TagResourceRequest,
    ) -> Result<model::TagResourceResponse> {
        // The model's own checks are among those of `tag::check`, which has ECS's words.
        resource::change(self.ports, &ctx.scope, &request.resource_arn, |resource| {
            let given = tag::check(&request.tags).map_err(|error| resource.refusal(error))?;
            Ok(tag::merge(resource.tags(), &given).map_err(|error| resource.refusal(error))?)
        })
        .await?;
        Ok(model::TagResourceResponse {})
    }
}
