//! The operations on account settings, one per file, and the way in which other operations look at a setting.

mod delete;
mod list;
mod put;
mod put_default;

use kecs_domain::account::{effective, principal_of, principal_ref, root_arn};
use kecs_domain::model::{Setting, SettingName};
use kecs_domain::resource::{Resource, ResourceKey};
use kecs_domain::{EcsError, ErrorCode, Scope};

use crate::ports::Versioned;
use crate::{Context, Ports, Result};

/// The operations on account settings.
#[derive(Clone, Copy)]
pub struct AccountSettings<'a> {
    ports: &'a Ports,
}

impl<'a> AccountSettings<'a> {
    pub(crate) fn new(ports: &'a Ports) -> Self {
        Self { ports }
    }
}

/// The value of a setting that holds for the caller.
pub(crate) async fn value_of(ports: &Ports, ctx: &Context, name: SettingName) -> Result<String> {
    let principal = principal_of(&ctx.scope, &ctx.caller_arn);
    let keys = [key(&ctx.scope, &principal, name), key(&ctx.scope, &root_arn(&ctx.scope), name)];
    let found = ports.resources.resources(&keys).await?;
    let chosen = |index: usize| found.get(index).and_then(Option::as_ref).and_then(setting_of);
    Ok(effective(name, chosen(0), chosen(1)).to_owned())
}

fn key(scope: &Scope, principal: &str, name: SettingName) -> ResourceKey {
    ResourceKey::of::<Setting>(scope, principal, name.as_str())
}

fn setting_of(resource: &Versioned<Resource>) -> Option<&Setting> {
    resource.value.get()
}

/// Whose settings a request is about: the caller's own, or those of the principal that it names.
///
/// # Errors
/// `InvalidParameterException` for what is no principal of the account; `AccessDeniedException` for another's
/// settings, unless the caller is the root user.
fn principal(ctx: &Context, named: Option<&str>) -> Result<String> {
    let caller = principal_of(&ctx.scope, &ctx.caller_arn);
    let Some(named) = named else { return Ok(caller) };
    let named = principal_ref(&ctx.scope, named)?;
    if named != caller && caller != root_arn(&ctx.scope) {
        return Err(EcsError::new(
            ErrorCode::AccessDenied,
            "You must be the root user, or the principal, to use the principalArn parameter.",
        )
        .into());
    }
    Ok(named)
}
