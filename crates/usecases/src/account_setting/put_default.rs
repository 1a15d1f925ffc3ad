//! PutAccountSettingDefault: what holds for everybody who has not chosen.

use kecs_domain::account::{check, root_arn};
use kecs_domain::model::{PutAccountSettingDefaultRequest, PutAccountSettingDefaultResponse};

use super::AccountSettings;
use crate::context::check_model;
use crate::{Context, Result};

impl AccountSettings<'_> {
    /// Sets a setting for the root user, and with it for all principals without a choice of their own. Whoever may
    /// call it may do this; it need not be the root user.
    ///
    /// # Errors
    /// `InvalidParameterException` for a value that the setting doesn't have, and for one that can't be chosen.
    pub async fn put_default(
        &self,
        ctx: &Context,
        request: PutAccountSettingDefaultRequest,
    ) -> Result<PutAccountSettingDefaultResponse> {
        check_model(&request)?;
        check(request.name, &request.value)?;
        let root = root_arn(&ctx.scope);
        let setting = self.keep(&ctx.scope, request.name, &request.value, &root).await?;
        Ok(PutAccountSettingDefaultResponse { setting: Some(setting) })
    }
}
