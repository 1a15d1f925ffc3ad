//! The settings of a gateway: what is refused, and what ECS fills in.

use crate::arn::Arn;
use crate::error::EcsError;
use crate::generated as model;
use crate::model::{
    GatewayAlbDesyncMitigationMode, GatewayAlbProtocol, GatewayElbAccessLogConfiguration,
    GatewayElbIpAddressType, GatewayElbScheme, HostSharedAlbConfiguration,
};

/// The port and the only one. (API model)
const PORT: i32 = 443;
/// `maxAlbCount`, if nobody says. (API model)
const DEFAULT_ALBS: i32 = 10;

fn refuse<T>(message: impl Into<String>) -> Result<T, EcsError> {
    Err(EcsError::invalid_parameter(message))
}

/// Checks `infrastructureRoleArn`.
///
/// # Errors
/// `InvalidParameterException` unless it is the ARN of an IAM role.
pub fn check_role(arn: &str) -> Result<(), EcsError> {
    crate::service::express::check_role("infrastructureRoleArn", arn)
}

/// The settings of a new gateway, with ECS's defaults.
///
/// # Errors
/// `InvalidParameterException` unless there is one variant, and for a member that is out of range.
pub fn fill_in(given: &model::GatewayConfiguration) -> Result<HostSharedAlbConfiguration, EcsError> {
    let Some(given) = &given.host_shared_alb else {
        return refuse("configuration must have exactly one of: hostSharedAlb");
    };
    let mut settings = given.clone();
    if *settings.port.get_or_insert(PORT) != PORT {
        return refuse("configuration.hostSharedAlb.port must be 443.");
    }
    if *settings.protocol.get_or_insert(GatewayAlbProtocol::Https) != GatewayAlbProtocol::Https {
        return refuse("configuration.hostSharedAlb.protocol must be HTTPS.");
    }
    let scheme = *settings.scheme.get_or_insert(GatewayElbScheme::InternetFacing);
    settings.max_alb_count.get_or_insert(DEFAULT_ALBS);
    settings.http_desync.get_or_insert(GatewayAlbDesyncMitigationMode::Defensive);
    let network = settings.network_configuration.get_or_insert_default();
    let addresses = *network.ip_address_type.get_or_insert(GatewayElbIpAddressType::Dualstack);
    if addresses == GatewayElbIpAddressType::DualstackWithoutPublicIpv4
        && scheme == GatewayElbScheme::Internal
    {
        return refuse(
            "networkConfiguration.ipAddressType can be dualstack-without-public-ipv4 only if the scheme is \
             internet-facing.",
        );
    }
    if network.subnets.iter().flatten().any(|subnet| subnet.trim().is_empty()) {
        return refuse("networkConfiguration.subnets can not have a blank item.");
    }
    check(&settings)?;
    Ok(settings)
}

/// The settings of a gateway that had `before`, after an update: members that are left out stay.
///
/// # Errors
/// `InvalidParameterException` unless there is the gateway's own variant, and for a member that is out of range.
pub fn change(
    before: &HostSharedAlbConfiguration,
    given: &model::UpdateGatewayConfiguration,
) -> Result<HostSharedAlbConfiguration, EcsError> {
    let Some(given) = given.host_shared_alb.clone() else {
        return refuse("configuration must have the variant of the gateway's type: hostSharedAlb");
    };
    let mut settings = before.clone();
    if let Some(group) = given.network_configuration.and_then(|network| network.inbound_security_group) {
        settings.network_configuration.get_or_insert_default().inbound_security_group = Some(group);
    }
    settings.max_alb_count = given.max_alb_count.or(settings.max_alb_count);
    settings.web_acl_arn = given.web_acl_arn.or(settings.web_acl_arn);
    settings.access_logs = given.access_logs.or(settings.access_logs);
    settings.http_desync = given.http_desync.or(settings.http_desync);
    settings.test_traffic_rules = given.test_traffic_rules.or(settings.test_traffic_rules);
    check(&settings)?;
    Ok(settings)
}

/// Checks what an update can change.
fn check(settings: &HostSharedAlbConfiguration) -> Result<(), EcsError> {
    if settings.max_alb_count.is_some_and(|count| count < 1) {
        return refuse("configuration.hostSharedAlb.maxAlbCount can not be lesser than 1");
    }
    let group = settings.network_configuration.as_ref().and_then(|it| it.inbound_security_group.as_deref());
    if group.is_some_and(|group| group.trim().is_empty()) {
        return refuse("networkConfiguration.inboundSecurityGroup can not be blank.");
    }
    if let Some(arn) = &settings.web_acl_arn {
        // Its last part is `REGION-OR-GLOBAL/webacl/NAME/ID`.
        let is_acl =
            Arn::parse(arn).is_some_and(|arn| arn.service == "wafv2" && arn.rest.starts_with("webacl/"));
        if !is_acl {
            return refuse("configuration.hostSharedAlb.webACLArn must be the ARN of a WAF web ACL.");
        }
    }
    if let Some(logs) = &settings.access_logs {
        check_logs(logs)?;
    }
    let header = settings.test_traffic_rules.as_ref().map(|rules| rules.header.as_ref());
    match header {
        Some(None) => refuse("testTrafficRules.header is required."),
        Some(Some(header)) if header.name.trim().is_empty() => {
            refuse("testTrafficRules.header.name can not be blank.")
        }
        Some(Some(header)) if header.values.is_empty() => {
            refuse("testTrafficRules.header.values can not be empty.")
        }
        _ => Ok(()),
    }
}

fn check_logs(logs: &GatewayElbAccessLogConfiguration) -> Result<(), EcsError> {
    let s3 = logs.destination.as_ref().and_then(|destination| destination.s3.as_ref());
    match s3 {
        None => refuse("accessLogs.destination must have exactly one of: s3"),
        Some(s3) if s3.bucket.trim().is_empty() => {
            refuse("accessLogs.destination.s3.bucket can not be blank.")
        }
        Some(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn filled(alb: Value) -> Result<Value, String> {
        let given = serde_json::from_value(json!({"hostSharedAlb": alb})).unwrap();
        fill_in(&given).map(|made| serde_json::to_value(made).unwrap()).map_err(|error| error.message)
    }

    #[test]
    fn the_defaults_are_those_of_the_model() {
        assert_eq!(
            filled(json!({})).unwrap(),
            json!({
                "networkConfiguration": {"ipAddressType": "dualstack"}, "scheme": "internet-facing", "port": 443,
                "protocol": "HTTPS", "maxAlbCount": 10, "httpDesync": "defensive",
            })
        );
    }

    #[test]
    fn what_is_out_of_range_is_refused_by_its_name() {
        for (alb, word) in [
            (json!({"port": 80}), "port"),
            (json!({"protocol": "HTTP"}), "protocol"),
            (json!({"maxAlbCount": 0}), "maxAlbCount"),
            (json!({"webACLArn": "acl"}), "webACLArn"),
            (json!({"accessLogs": {}}), "accessLogs"),
            (json!({"accessLogs": {"destination": {"s3": {"bucket": " "}}}}), "bucket"),
            (json!({"testTrafficRules": {}}), "header"),
            (json!({"testTrafficRules": {"header": {"name": "x", "values": []}}}), "values"),
            (json!({"networkConfiguration": {"subnets": [""]}}), "subnets"),
            (
                json!({"scheme": "internal", "networkConfiguration": {"ipAddressType": "dualstack-without-public-ipv4"}}),
                "ipAddressType",
            ),
        ] {
            let refused = filled(alb.clone()).unwrap_err();
            assert!(refused.contains(word), "{alb}: {refused}");
        }
        assert!(fill_in(&model::GatewayConfiguration::default()).is_err());
    }

    #[test]
    fn an_update_keeps_what_it_does_not_name() {
        let given =
            json!({"hostSharedAlb": {"maxAlbCount": 3, "networkConfiguration": {"subnets": ["subnet-1"]}}});
        let before = fill_in(&serde_json::from_value(given).unwrap()).unwrap();
        let update = json!({"hostSharedAlb": {
            "httpDesync": "strictest", "networkConfiguration": {"inboundSecurityGroup": "sg-1"}
        }});
        let after = change(&before, &serde_json::from_value(update).unwrap()).unwrap();
        assert_eq!(after.max_alb_count, Some(3));
        assert_eq!(after.http_desync, Some(GatewayAlbDesyncMitigationMode::Strictest));
        let network = after.network_configuration.unwrap();
        assert_eq!(network.subnets, Some(vec!["subnet-1".to_owned()]));
        assert_eq!(network.inbound_security_group.as_deref(), Some("sg-1"));
        assert!(change(&before, &model::UpdateGatewayConfiguration::default()).is_err());
    }
}
