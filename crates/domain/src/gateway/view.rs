//! A gateway as its operations answer it.

use super::Gateway;
use crate::generated as model;
use crate::model::{
    DescribeGatewayAlbConfiguration, DescribeGatewayConfiguration, GatewaySummary, HostSharedAlbConfiguration,
};

impl Gateway {
    /// The gateway as DescribeGateway answers it, which has `routes` routes.
    pub fn view(&self, routes: usize) -> model::Gateway {
        let settings = HostSharedAlbConfiguration::clone(&self.configuration);
        model::Gateway {
            gateway_arn: Some(self.key.arn()),
            name: Some(self.key.name.to_string()),
            status: Some(self.status),
            status_reason: None,
            failures: Some(Vec::new()),
            infrastructure_role_arn: Some(self.infrastructure_role.clone()),
            deletion_protection: Some(self.deletion_protection),
            configuration: Some(DescribeGatewayConfiguration {
                host_shared_alb: Some(DescribeGatewayAlbConfiguration {
                    network_configuration: settings.network_configuration,
                    scheme: settings.scheme,
                    access_logs: settings.access_logs,
                    web_acl_arn: settings.web_acl_arn,
                    port: settings.port,
                    protocol: settings.protocol,
                    max_alb_count: settings.max_alb_count,
                    current_alb_count: Some(i32::from(routes > 0)),
                    http_desync: settings.http_desync,
                    test_traffic_rules: settings.test_traffic_rules,
                }),
            }),
            access_type: Some(self.access()),
            propagate_tags: Some(self.propagate_tags),
            tags: Some(self.tags.clone()),
            created_at: Some(self.created_at),
            updated_at: Some(self.updated_at),
        }
    }

    /// The gateway as ListGateways answers it.
    pub fn summary(&self) -> GatewaySummary {
        GatewaySummary {
            gateway_arn: Some(self.key.arn()),
            name: Some(self.key.name.to_string()),
            status: Some(self.status),
            created_at: Some(self.created_at),
        }
    }
}
