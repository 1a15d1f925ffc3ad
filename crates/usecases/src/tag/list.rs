//! ListTagsForResource.

use kecs_domain::model;

use super::Tags;
use super::resource::Resource;
use crate::context::check_model;
use crate::{Context, Result};

impl Tags<'_> {
    /// The tags of a resource.
    ///
    /// # Errors
    /// What the resource's kind has for one that isn't there or has ended.
    pub async fn list(
        &self,
        ctx: &Context,
        request: model::ListTagsForResourceRequest,
    ) -> Result<model::ListTagsForResourceResponse> {
        check_model(&request)?;
        let resource = Resource::load(self.ports, &ctx.scope, &request.resource_arn).await?;
        Ok(model::ListTagsForResourceResponse { tags: Some(resource.tags().to_vec()) })
    }
}
