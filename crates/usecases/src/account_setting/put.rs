//! PutAccountSetting: a principal's own choice, or, for the root user, everybody's default.

use kecs_domain::account::{check, root_arn, setting};
use kecs_domain::model::{PutAccountSettingRequest, PutAccountSettingResponse, Setting, SettingName};
use kecs_domain::resource::Resource;
use kecs_domain::{EcsError, Scope};

use super::{AccountSettings, principal};
use crate::context::check_model;
use crate::ports::{Changes, Entity, Expect};
use crate::{Context, Result};

impl AccountSettings<'_> {
    /// Sets a setting for the caller or for the principal that it names. What the root user sets holds for all who
    /// have not chosen themselves.
    ///
    /// # Errors
    /// `InvalidParameterException` for a value that the setting doesn't have, for one that can't be chosen and for
    /// a principal that is none; `AccessDeniedException` for another's settings.
    pub async fn put(
        &self,
        ctx: &Context,
        request: PutAccountSettingRequest,
    ) -> Result<PutAccountSettingResponse> {
        check_model(&request)?;
        let principal = principal(ctx, request.principal_arn.as_deref())?;
        check(request.name, &request.value)?;
        if request.name == SettingName::FargateTaskRetirementWaitPeriod && principal != root_arn(&ctx.scope) {
            return Err(EcsError::invalid_parameter(
                "fargateTaskRetirementWaitPeriod can only be set for the root user.",
            )
            .into());
        }
        let setting = self.keep(&ctx.scope, request.name, &request.value, &principal).await?;
        Ok(PutAccountSettingResponse { setting: Some(setting) })
    }

    /// Stores a choice. The last one wins, whatever was stored before.
    pub(super) async fn keep(
        &self,
        scope: &Scope,
        name: SettingName,
        value: &str,
        principal: &str,
    ) -> Result<Setting> {
        let setting = setting(name, value, principal);
        let resource = Resource::new(scope, principal, name.as_str(), setting.clone());
        let mut changes = Changes::new();
        changes.puts.push((Entity::from(resource), Expect::Any));
        self.ports.unit_of_work.commit(changes).await?;
        Ok(setting)
    }
}
