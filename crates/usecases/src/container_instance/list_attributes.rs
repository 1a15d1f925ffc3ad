//! ListAttributes.

use kecs_domain::EcsError;
use kecs_domain::container_instance::attributes;
use kecs_domain::model::{Attribute, ListAttributesRequest, ListAttributesResponse, TargetType};
use kecs_domain::name::HexId;
use kecs_domain::pagination::{Page, PageSizes, Pager};

use super::{ContainerInstances, open};
use crate::context::{Context, Result, check_model};
use crate::task::active_cluster;

impl ContainerInstances<'_> {
    /// The attributes of a cluster's container instances, built-in ones too, by instance and name: all of them, those
    /// with a name, or those with a name and a value.
    ///
    /// # Errors
    /// `ClusterNotFoundException`; `InvalidParameterException` for a value without a name, for a name or a value that
    /// can't be, for `maxResults` and for `nextToken`.
    pub async fn list_attributes(
        &self,
        ctx: &Context,
        request: ListAttributesRequest,
    ) -> Result<ListAttributesResponse> {
        check_model(&request)?;
        let cluster = active_cluster(self.ports, &ctx.scope, request.cluster.as_deref()).await?.key.clone();
        // The one type of targets there is.
        let TargetType::ContainerInstance = request.target_type;
        let (name, value) = (request.attribute_name.as_deref(), request.attribute_value.as_deref());
        if let Some(name) = name {
            attributes::check_name(name)?;
        }
        if let Some(value) = value {
            if name.is_none() {
                let message = "attributeName must be given with attributeValue.";
                return Err(EcsError::invalid_parameter(message).into());
            }
            attributes::check_value(value)?;
        }
        let pager: Pager<(HexId, String)> =
            Pager::new("ListAttributes", &ctx.scope, &(&cluster.name, name, value));
        let page = pager.request(request.next_token.as_deref(), request.max_results, PageSizes::LIST)?;
        let mut found: Vec<(HexId, Attribute)> = Vec::new();
        for member in open(self.ports, &cluster).await? {
            let id = member.id();
            let wanted = |attribute: &Attribute| {
                name.is_none_or(|name| attribute.name == name)
                    && value.is_none_or(|value| attribute.value.as_deref() == Some(value))
            };
            let mut of_member: Vec<_> = member.instance.attributes.into_iter().filter(wanted).collect();
            of_member.sort_by(|left, right| left.name.cmp(&right.name));
            found.extend(of_member.into_iter().map(|attribute| (id, attribute)));
        }
        let later = |(id, attribute): &(HexId, Attribute)| {
            page.after
                .as_ref()
                .is_none_or(|(after, name)| (*id, attribute.name.as_str()) > (*after, name.as_str()))
        };
        let page = Page::take(found.into_iter().filter(later), page.limit);
        let next_token = pager.next_token(&page, |(id, attribute)| (*id, attribute.name.clone()));
        let shown = page.items.into_iter().map(|(id, attribute)| Attribute {
            target_type: None,
            target_id: Some(cluster.container_instance_arn(id)),
            ..attribute
        });
        Ok(ListAttributesResponse { attributes: Some(shown.collect()), next_token })
    }
}
