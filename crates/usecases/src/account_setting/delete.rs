//! DeleteAccountSetting: a principal gives up its own choice.

use kecs_domain::account::{check_choosable, effective, root_arn, setting};
use kecs_domain::model::{DeleteAccountSettingRequest, DeleteAccountSettingResponse};

use super::{AccountSettings, key, principal, setting_of};
use crate::context::{check_model, retry_conflicts};
use crate::ports::{Changes, EntityKey, Expect};
use crate::{Context, Result};

impl AccountSettings<'_> {
    /// Forgets what the caller, or the principal that it names, has chosen. From then on the root user's choice
    /// holds, or the default. Answers the choice that was given up; without one, what holds anyway.
    ///
    /// # Errors
    /// `InvalidParameterException` for a setting that can't be chosen and for a principal that is none;
    /// `AccessDeniedException` for another's settings.
    pub async fn delete(
        &self,
        ctx: &Context,
        request: DeleteAccountSettingRequest,
    ) -> Result<DeleteAccountSettingResponse> {
        check_model(&request)?;
        let principal = principal(ctx, request.principal_arn.as_deref())?;
        check_choosable(request.name)?;
        let own = key(&ctx.scope, &principal, request.name);
        let keys = [own.clone(), key(&ctx.scope, &root_arn(&ctx.scope), request.name)];
        let value = retry_conflicts(|| async {
            let found = self.ports.resources.resources(&keys).await?;
            let chosen = |index: usize| found.get(index).and_then(Option::as_ref);
            if let Some(stored) = chosen(0) {
                let mut changes = Changes::new();
                changes.deletes.push((EntityKey::Resource(own.clone()), Expect::Version(stored.version)));
                self.ports.unit_of_work.commit(changes).await?;
            }
            let value =
                effective(request.name, chosen(0).and_then(setting_of), chosen(1).and_then(setting_of));
            Ok(value.to_owned())
        })
        .await?;
        let setting = setting(request.name, &value, &principal);
        Ok(DeleteAccountSettingResponse { setting: Some(setting) })
    }
}
