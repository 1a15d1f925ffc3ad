//! Account settings: which there are, what their values mean, and which of them holds for whom.
//!
//! A setting is chosen by a principal (a user or a role) for itself, or by the root user for everybody who has not
//! chosen. What nobody has chosen is as ECS sets it. Deliberately not in here: who may ask for whose settings.

use crate::error::EcsError;
use crate::generated::{Setting, SettingName, SettingType};
use crate::scope::Scope;

/// Settings that are switches.
const SWITCH: &[&str] = &["enabled", "disabled"];

/// The values that a setting can have. (API reference and developer guide, account settings)
pub const fn values(name: SettingName) -> &'static [&'static str] {
    match name {
        SettingName::ServiceLongArnFormat
        | SettingName::TaskLongArnFormat
        | SettingName::ContainerInstanceLongArnFormat
        | SettingName::AwsvpcTrunking
        | SettingName::FargateFipsMode
        | SettingName::FargateEventWindows => SWITCH,
        SettingName::ContainerInsights => &["enhanced", "enabled", "disabled"],
        SettingName::TagResourceAuthorization | SettingName::GuardDutyActivate => &["on", "off"],
        SettingName::FargateTaskRetirementWaitPeriod => &["0", "7", "14"],
        SettingName::DefaultLogDriverMode => &["blocking", "non-blocking"],
    }
}

/// What a setting is as long as nobody has chosen. (developer guide, account settings)
pub const fn default_value(name: SettingName) -> &'static str {
    match name {
        SettingName::ServiceLongArnFormat
        | SettingName::TaskLongArnFormat
        | SettingName::ContainerInstanceLongArnFormat => "enabled",
        SettingName::AwsvpcTrunking
        | SettingName::FargateFipsMode
        | SettingName::FargateEventWindows
        | SettingName::ContainerInsights => "disabled",
        SettingName::TagResourceAuthorization => "on",
        SettingName::GuardDutyActivate => "off",
        SettingName::FargateTaskRetirementWaitPeriod => "7",
        SettingName::DefaultLogDriverMode => "non-blocking",
    }
}

/// Who sets it: the account's users, or AWS on behalf of another service.
pub const fn kind(name: SettingName) -> SettingType {
    match name {
        SettingName::GuardDutyActivate => SettingType::AwsManaged,
        _ => SettingType::User,
    }
}

/// Whether it is about the form of ARNs, which have been long for everybody since 2021.
const fn is_arn_format(name: SettingName) -> bool {
    matches!(
        name,
        SettingName::ServiceLongArnFormat
            | SettingName::TaskLongArnFormat
            | SettingName::ContainerInstanceLongArnFormat
    )
}

/// Checks what a principal chooses.
///
/// # Errors
/// `InvalidParameterException` for a value that the setting doesn't have, for the wish to go back to short ARNs, and
/// for a setting that is not the account's to choose.
pub fn check(name: SettingName, value: &str) -> Result<(), EcsError> {
    if !values(name).contains(&value) {
        return Err(EcsError::invalid_parameter("Invalid setting 'value'"));
    }
    if is_arn_format(name) && value == "disabled" {
        return Err(EcsError::invalid_parameter("You can no longer disable Long Arn settings"));
    }
    check_choosable(name)
}

/// Checks that a setting is the account's to choose.
///
/// # Errors
/// `InvalidParameterException` for one that AWS manages.
pub fn check_choosable(name: SettingName) -> Result<(), EcsError> {
    if kind(name) == SettingType::AwsManaged {
        return Err(EcsError::invalid_parameter(format!(
            "The account setting {name} is read-only: it is managed by AWS."
        )));
    }
    Ok(())
}

/// The setting `name` of `principal`, as the API shows it.
pub fn setting(name: SettingName, value: &str, principal: &str) -> Setting {
    Setting {
        name: Some(name),
        value: Some(value.to_owned()),
        principal_arn: Some(principal.to_owned()),
        r#type: Some(kind(name)),
    }
}

/// The value that holds for a principal: its own choice, else the root user's, else ECS's default.
pub fn effective<'a>(name: SettingName, own: Option<&'a Setting>, root: Option<&'a Setting>) -> &'a str {
    let chosen = |setting: Option<&'a Setting>| setting.and_then(|setting| setting.value.as_deref());
    chosen(own).or_else(|| chosen(root)).unwrap_or(default_value(name))
}

/// The ARN of the account's root user.
pub fn root_arn(scope: &Scope) -> String {
    format!("arn:{}:iam::{}:root", scope.partition(), scope.account())
}

/// Whose settings hold for a caller: a session of a role has those of the role, a federated user those of the root
/// user. (API reference, PutAccountSetting)
pub fn principal_of(scope: &Scope, caller_arn: &str) -> String {
    let resource = caller_arn.splitn(6, ':').nth(5).unwrap_or_default();
    let mut parts = resource.split('/');
    match (parts.next(), parts.next()) {
        (Some("assumed-role"), Some(role)) => {
            format!("arn:{}:iam::{}:role/{role}", scope.partition(), scope.account())
        }
        (Some("federated-user"), _) => root_arn(scope),
        _ => caller_arn.to_owned(),
    }
}

/// Reads a `principalArn`.
///
/// # Errors
/// `InvalidParameterException` unless it is the ARN of the account's root user or of one of its users or roles.
pub fn principal_ref(scope: &Scope, text: &str) -> Result<String, EcsError> {
    let iam = format!("arn:{}:iam::{}:", scope.partition(), scope.account());
    let resource = text.strip_prefix(&iam).unwrap_or_default();
    let named = |kind: &str| resource.strip_prefix(kind).is_some_and(|name| !name.is_empty());
    if resource == "root" || named("user/") || named("role/") {
        return Ok(text.to_owned());
    }
    Err(EcsError::invalid_parameter(
        "Invalid principalArn: it must be the ARN of a user, a role or the root user of your account.",
    ))
}

/// The names in the order in which they are listed: that of the alphabet.
pub fn names() -> Vec<SettingName> {
    let mut names = SettingName::ALL.to_vec();
    names.sort_unstable_by_key(|name| name.as_str());
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope() -> Scope {
        Scope::new("123456789012", "eu-central-1")
    }

    #[test]
    fn every_default_is_one_of_the_values() {
        for name in SettingName::ALL {
            assert!(values(*name).contains(&default_value(*name)), "{name}");
        }
    }

    #[test]
    fn only_the_values_of_a_setting_are_taken() {
        for name in SettingName::ALL.iter().filter(|name| kind(**name) == SettingType::User) {
            for value in values(*name) {
                let refused = is_arn_format(*name) && *value == "disabled";
                assert_eq!(check(*name, value).is_err(), refused, "{name}={value}");
            }
            for bad in ["", "ENABLED", "1", "true"] {
                assert_eq!(check(*name, bad).unwrap_err().message, "Invalid setting 'value'");
            }
        }
    }

    #[test]
    fn nobody_goes_back_to_short_arns_or_sets_what_aws_manages() {
        let refused = |name, value| check(name, value).unwrap_err().message;
        assert_eq!(
            refused(SettingName::TaskLongArnFormat, "disabled"),
            "You can no longer disable Long Arn settings"
        );
        assert!(refused(SettingName::GuardDutyActivate, "on").contains("guardDutyActivate"));
    }

    #[test]
    fn the_own_choice_comes_before_the_roots_and_that_before_the_default() {
        let name = SettingName::ContainerInsights;
        let (own, root) = (setting(name, "enhanced", "me"), setting(name, "enabled", "root"));
        assert_eq!(effective(name, Some(&own), Some(&root)), "enhanced");
        assert_eq!(effective(name, None, Some(&root)), "enabled");
        assert_eq!(effective(name, None, None), "disabled");
    }

    #[test]
    fn a_session_has_the_settings_of_its_role() {
        let role = principal_of(&scope(), "arn:aws:sts::123456789012:assumed-role/deploy/session-1");
        assert_eq!(role, "arn:aws:iam::123456789012:role/deploy");
        let user = "arn:aws:iam::123456789012:user/path/ann";
        assert_eq!(principal_of(&scope(), user), user);
        let federated = principal_of(&scope(), "arn:aws:sts::123456789012:federated-user/bob");
        assert_eq!(federated, root_arn(&scope()));
    }

    #[test]
    fn a_principal_is_a_user_a_role_or_the_root_of_the_account() {
        for good in ["root", "user/ann", "user/path/ann", "role/deploy"] {
            let arn = format!("arn:aws:iam::123456789012:{good}");
            assert_eq!(principal_ref(&scope(), &arn), Ok(arn.clone()));
        }
        for bad in [
            "ann",
            "",
            "arn:aws:iam::123456789012:group/ops",
            "arn:aws:iam::123456789012:user/",
            "arn:aws:iam::999999999999:root",
            "arn:aws:ecs:eu-central-1:123456789012:cluster/main",
        ] {
            assert!(principal_ref(&scope(), bad).unwrap_err().message.contains("principalArn"), "{bad}");
        }
    }
}
