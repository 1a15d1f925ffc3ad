//! CreateGateway.

use kecs_domain::arn::GatewayKey;
use kecs_domain::gateway::{Gateway, check_role, fill_in};
use kecs_domain::model::{
    CreateGatewayRequest, CreateGatewayResponse, GatewayStatus, PropagateGatewayTags, Tag,
};
use kecs_domain::name::GatewayName;
use kecs_domain::{EcsError, tag};

use super::{Gateways, resource};
use crate::context::{Context, Result, check_model, retry_conflicts};
use crate::ports::Changes;

/// The longest token. (as CreateService's)
const LONGEST_TOKEN: usize = 36;

impl Gateways<'_> {
    /// Creates a gateway, ACTIVE at once. With a token that made one before, that one is answered with.
    ///
    /// # Errors
    /// `InvalidParameterException` for what is wrong with the request, and for a name that is taken.
    pub async fn create(
        &self,
        ctx: &Context,
        request: CreateGatewayRequest,
    ) -> Result<CreateGatewayResponse> {
        check_model(&request)?;
        let gateway = retry_conflicts(|| self.try_create(ctx, &request)).await?;
        Ok(CreateGatewayResponse {
            gateway_arn: Some(gateway.key.arn()),
            name: Some(gateway.key.name.to_string()),
            status: Some(gateway.status),
        })
    }

    async fn try_create(&self, ctx: &Context, request: &CreateGatewayRequest) -> Result<Gateway> {
        let token = request.client_token.clone().filter(|token| !token.is_empty());
        if token.as_ref().is_some_and(|token| token.len() > LONGEST_TOKEN) {
            let message = format!("idempotency token longer than {LONGEST_TOKEN}.");
            return Err(EcsError::invalid_parameter(message).into());
        }
        // Of a repeat nothing counts but its token; its tags must be such all the same.
        let tags = tag::check(request.tags.as_deref().unwrap_or_default())?;
        let mut all = self.all(&ctx.scope).await?;
        if token.is_some()
            && let Some(at) = all.iter().position(|read| read.gateway.client_token == token)
        {
            return Ok(all.swap_remove(at).gateway);
        }
        let wanted = self.wanted(ctx, request, token, tags)?;
        if all.iter().any(|read| read.gateway.key == wanted.key) {
            let message = format!("A gateway with the name {} already exists.", wanted.key.name);
            return Err(EcsError::invalid_parameter(message).into());
        }
        let mut changes = Changes::new();
        changes.create(resource(wanted.clone()));
        self.ports.unit_of_work.commit(changes).await?;
        Ok(wanted)
    }

    fn wanted(
        &self,
        ctx: &Context,
        request: &CreateGatewayRequest,
        token: Option<String>,
        tags: Vec<Tag>,
    ) -> Result<Gateway> {
        let name = GatewayName::parse(&request.name).ok_or_else(|| {
            EcsError::invalid_parameter(
                "Gateway name must contain only 1 to 255 letters, numbers, hyphens, and underscores.",
            )
        })?;
        check_role(&request.infrastructure_role_arn)?;
        let configuration = fill_in(&request.configuration)?;
        let now = self.ports.clock.now();
        Ok(Gateway {
            key: GatewayKey { scope: ctx.scope.clone(), name },
            status: GatewayStatus::Active,
            infrastructure_role: request.infrastructure_role_arn.clone(),
            deletion_protection: request.deletion_protection.unwrap_or(true),
            configuration: Box::new(configuration),
            propagate_tags: request.propagate_tags.unwrap_or(PropagateGatewayTags::Gateway),
            tags,
            client_token: token,
            created_at: now,
            updated_at: now,
            clusters: std::collections::BTreeMap::new(),
        })
    }
}
