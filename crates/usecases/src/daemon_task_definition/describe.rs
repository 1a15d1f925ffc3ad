//! DescribeDaemonTaskDefinition.

use kecs_domain::arn::BadTaskDefinitionRef;
use kecs_domain::daemon::daemon_task_definition_ref;
use kecs_domain::model;

use super::{DaemonTaskDefinitions, bad_revision, lookup, unable_to_describe};
use crate::context::check_model;
use crate::{Context, Result};

impl DaemonTaskDefinitions<'_> {
    /// Describes a revision in whatever state, or the newest ACTIVE one of a family.
    ///
    /// # Errors
    /// `InvalidParameterException` for a revision that is no number; `ClientException` for one that isn't there.
    pub async fn describe(
        &self,
        ctx: &Context,
        request: model::DescribeDaemonTaskDefinitionRequest,
    ) -> Result<model::DescribeDaemonTaskDefinitionResponse> {
        check_model(&request)?;
        let named = daemon_task_definition_ref(&ctx.scope, &request.daemon_task_definition);
        let named = named.map_err(|bad| match bad {
            BadTaskDefinitionRef::Revision => bad_revision(),
            BadTaskDefinitionRef::Family => unable_to_describe(),
        })?;
        let (found, _) = lookup(self.ports, &ctx.scope, named).await?.ok_or_else(unable_to_describe)?;
        Ok(model::DescribeDaemonTaskDefinitionResponse {
            daemon_task_definition: Some(found.doc.into_inner()),
        })
    }
}
