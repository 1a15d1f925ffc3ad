//! UntagResource.

use kecs_domain::{model, tag};

use super::{Tags, resource};
use crate::context::check_model;
use crate::{Context, Result};

impl Tags<'_> {
    /// Removes tags from a resource. A key that it doesn't have is no error.
    ///
    /// # Errors
    /// What the resource's kind has for one that isn't there or has ended; then `InvalidParameterException` (for
    /// task definitions `ClientException`) for a reserved key.
    pub async fn untag(
        &self,
        ctx: &Context,
        request: model::UntagResourceRequest,
    ) -> Result<model::UntagResourceResponse> {
        check_model(&request)?;
        let keys = &request.tag_keys;
        resource::change(self.ports, &ctx.scope, &request.resource_arn, |resource| {
            keys.iter().try_for_each(|key| tag::check_key(key)).map_err(|error| resource.refusal(error))?;
            let goes = |tag: &model::Tag| tag.key.as_ref().is_some_and(|key| keys.contains(key));
            Ok(resource.tags().iter().filter(|tag| !goes(tag)).cloned().collect())
        })
        .await?;
        Ok(model::UntagResourceResponse {})
    }
}
