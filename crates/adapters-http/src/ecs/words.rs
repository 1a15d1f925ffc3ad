//! What a client is told about a request that can't be read: ECS's own words where these are known, else a message
//! that names the member, the value and what is accepted.

use std::borrow::Cow;

use kecs_domain::model::{
    CPUArchitecture, ClusterSettingName, LaunchType, Operation, SchedulingStrategy, SettingName,
    TaskDefinitionField, ThresholdType,
};
use kecs_domain::{EcsError, ErrorCode};

use crate::decode::{DecodeError, Fault};

/// ECS's words for a value that an enum doesn't have.
struct Words {
    /// Only in this operation; None for any.
    operation: Option<Operation>,
    /// Only for this member; None for any. Two enums of the model may have the same values.
    member: Option<&'static str>,
    /// Which enum, by its values.
    values: &'static [&'static str],
    code: ErrorCode,
    /// The message about a value.
    message: fn(&str) -> Cow<'static, str>,
}

/// The first that fits is taken.
static WORDS: &[Words] = &[
    Words {
        operation: Some(Operation::DescribeTaskDefinition),
        member: None,
        values: TaskDefinitionField::VALUES,
        code: ErrorCode::Client,
        message: |value| {
            format!("{value} is not a valid value for include. The value must be one of [[TAGS]]").into()
        },
    },
    Words {
        operation: None,
        member: Some("launchType"),
        values: LaunchType::VALUES,
        code: ErrorCode::InvalidParameter,
        // FMI is in ECS's message, though not in the model.
        message: |_| "launch type should be one of [EC2,FARGATE,EXTERNAL,FMI,MANAGED_INSTANCES]".into(),
    },
    Words {
        operation: None,
        member: None,
        values: SchedulingStrategy::VALUES,
        code: ErrorCode::InvalidParameter,
        message: |_| "Scheduling strategy should be one of [REPLICA,DAEMON]".into(),
    },
    Words {
        operation: None,
        member: None,
        values: CPUArchitecture::VALUES,
        code: ErrorCode::Client,
        message: |_| "Invalid CPU architecture".into(),
    },
    Words {
        operation: None,
        member: None,
        values: ClusterSettingName::VALUES,
        code: ErrorCode::InvalidParameter,
        message: |_| "Invalid setting 'name'".into(),
    },
    Words {
        operation: None,
        member: Some("name"),
        values: SettingName::VALUES,
        code: ErrorCode::InvalidParameter,
        message: |value| format!("{value} should be one of [{}]", SettingName::VALUES.join(",")).into(),
    },
    Words {
        operation: None,
        member: None,
        values: ThresholdType::VALUES,
        code: ErrorCode::InvalidParameter,
        message: |_| "Invalid deployment circuit breaker threshold type.".into(),
    },
];

/// ECS's words for a required member that isn't there: the operation (None for any), the member, the message. All
/// are InvalidParameterException.
static MISSING: &[(Option<Operation>, &str, &str)] = &[
    (Some(Operation::DescribeTasks), "tasks", "Tasks cannot be empty."),
    (
        Some(Operation::DescribeServiceRevisions),
        "serviceRevisionArns",
        "The Service ARN provided is invalid.",
    ),
    (None, "subnets", "subnets can not be empty."),
];

/// The longest part of a value that is repeated to the client.
const LONGEST_ECHO: usize = 64;

/// The error for a request of `operation` that can't be read.
pub(crate) fn error(operation: Operation, error: &DecodeError) -> EcsError {
    let path = error.path();
    match error.fault() {
        Fault::Malformed(why) => serialization(format!("The request body is not valid JSON: {why}")),
        Fault::WrongType { found, wanted } => {
            let place = if path.is_empty() { "The request" } else { path.as_str() };
            serialization(format!("{place}: {found} can not be converted to {wanted}"))
        }
        Fault::Missing => missing(operation, error.member().unwrap_or_default(), &path),
        Fault::UnknownValue { value, accepted } => unknown_value(operation, error, value, accepted),
        Fault::Other(message) => EcsError::new(code_of(operation), format!("{path}: {message}")),
    }
}

fn serialization(message: String) -> EcsError {
    EcsError::new(ErrorCode::Serialization, message)
}

fn missing(operation: Operation, member: &str, path: &str) -> EcsError {
    MISSING
        .iter()
        .find(|(only, name, _)| *name == member && only.is_none_or(|only| only == operation))
        .map(|(_, _, message)| EcsError::invalid_parameter(*message))
        .unwrap_or_else(|| EcsError::new(code_of(operation), format!("{path} is missing")))
}

fn unknown_value(
    operation: Operation,
    error: &DecodeError,
    value: &str,
    accepted: &'static [&'static str],
) -> EcsError {
    let value = &value[..value.floor_char_boundary(LONGEST_ECHO)];
    let fits = |words: &&Words| {
        words.values == accepted
            && words.operation.is_none_or(|only| only == operation)
            && words.member.is_none_or(|only| error.member() == Some(only))
    };
    if let Some(words) = WORDS.iter().find(fits) {
        return EcsError::new(words.code, (words.message)(value));
    }
    if error.member() == Some("include") {
        let mut accepted = accepted.to_vec();
        accepted.sort_unstable();
        return EcsError::invalid_parameter(format!("include should be one of [{}]", accepted.join(",")));
    }
    let message = format!("{}: {value:?} should be one of [{}]", error.path(), accepted.join(","));
    EcsError::new(code_of(operation), message)
}

/// The exception for a bad member. RegisterTaskDefinition is the one operation that answers nearly all of them with
/// a ClientException.
fn code_of(operation: Operation) -> ErrorCode {
    let invalid = operation.errors().contains(&ErrorCode::InvalidParameter);
    if operation == Operation::RegisterTaskDefinition || !invalid {
        ErrorCode::Client
    } else {
        ErrorCode::InvalidParameter
    }
}

#[cfg(test)]
mod tests {
    use kecs_domain::model::OperationShape;
    use kecs_domain::model::op;

    use super::*;
    use crate::decode::decode;

    /// Code and message of what is wrong with a request.
    fn told<O: OperationShape>(body: &str) -> (&'static str, String) {
        let fault = decode::<O::Request>(body.as_bytes()).err().expect("the request is wrong");
        let error = error(O::OPERATION, &fault);
        (error.code.as_str(), error.message)
    }

    #[test]
    fn ecs_own_words_where_they_are_known() {
        let invalid = "InvalidParameterException";
        let launch_type = "launch type should be one of [EC2,FARGATE,EXTERNAL,FMI,MANAGED_INSTANCES]";
        for (actual, code, message) in [
            (told::<op::RunTask>(r#"{"taskDefinition":"a","launchType":"X"}"#), invalid, launch_type),
            (told::<op::ListTasks>(r#"{"launchType":"X"}"#), invalid, launch_type),
            (
                told::<op::ListServices>(r#"{"schedulingStrategy":"X"}"#),
                invalid,
                "Scheduling strategy should be one of [REPLICA,DAEMON]",
            ),
            (
                told::<op::DescribeTasks>(r#"{"tasks":[],"include":["X"]}"#),
                invalid,
                "include should be one of [TAGS]",
            ),
            (
                told::<op::DescribeClusters>(r#"{"include":["X"]}"#),
                invalid,
                "include should be one of [ATTACHMENTS,CONFIGURATIONS,SETTINGS,STATISTICS,TAGS]",
            ),
            (
                told::<op::DescribeTaskDefinition>(r#"{"taskDefinition":"a","include":["BOGUS"]}"#),
                "ClientException",
                "BOGUS is not a valid value for include. The value must be one of [[TAGS]]",
            ),
            (
                told::<op::RegisterTaskDefinition>(
                    r#"{"family":"f","containerDefinitions":[],"runtimePlatform":{"cpuArchitecture":"X"}}"#,
                ),
                "ClientException",
                "Invalid CPU architecture",
            ),
            (told::<op::DescribeTasks>("{}"), invalid, "Tasks cannot be empty."),
            (
                told::<op::RunTask>(
                    r#"{"taskDefinition":"a","networkConfiguration":{"awsvpcConfiguration":{}}}"#,
                ),
                invalid,
                "subnets can not be empty.",
            ),
        ] {
            assert_eq!(actual, (code, message.to_owned()));
        }
    }

    #[test]
    fn other_faults_name_the_member_the_value_and_what_is_accepted() {
        let (code, message) = told::<op::RegisterTaskDefinition>(
            r#"{"family":"f","containerDefinitions":[{},{"portMappings":[{"protocol":"icmp"}]}]}"#,
        );
        assert_eq!(code, "ClientException");
        assert_eq!(
            message,
            r#"containerDefinitions[1].portMappings[0].protocol: "icmp" should be one of [tcp,udp]"#
        );
        // The same values as a launch type, but it isn't one.
        let (_, message) = told::<op::RegisterTaskDefinition>(
            r#"{"family":"f","containerDefinitions":[],"requiresCompatibilities":["X"]}"#,
        );
        assert!(
            message.starts_with(r#"requiresCompatibilities[0]: "X" should be one of [EC2,"#),
            "{message}"
        );
    }

    #[test]
    fn a_missing_or_null_required_member_is_named() {
        for body in ["{}", r#"{"taskDefinition":null}"#, "", "null"] {
            let expected = ("InvalidParameterException", "taskDefinition is missing".to_owned());
            assert_eq!(told::<op::RunTask>(body), expected);
        }
        let nested = r#"{"taskDefinition":"a","capacityProviderStrategy":[{"capacityProvider":"A"},{}]}"#;
        assert_eq!(told::<op::RunTask>(nested).1, "capacityProviderStrategy[1].capacityProvider is missing");
    }

    #[test]
    fn a_wrong_type_is_a_serialization_exception_that_names_the_member() {
        for (body, message) in [
            (r#"{"taskDefinition":7}"#, "taskDefinition: the number 7 can not be converted to a String"),
            (r#"{"count":"2"}"#, "count: a string can not be converted to an Integer"),
            (r#"{"count":1.5}"#, "count: the number 1.5 can not be converted to an Integer"),
            (r#"{"count":4294967296}"#, "count: the number 4294967296 can not be converted to an Integer"),
            (r#"{"tags":{"a":"b"}}"#, "tags: a structure can not be converted to a list"),
            (r#"{"tags":[[]]}"#, "tags[0]: a list can not be converted to a structure"),
            (r#"{"tags":[null]}"#, "tags[0]: null can not be converted to a structure"),
            (r#"{"overrides":[]}"#, "overrides: a list can not be converted to a structure"),
            (
                r#"{"enableExecuteCommand":"yes"}"#,
                "enableExecuteCommand: a string can not be converted to a Boolean",
            ),
            ("[]", "The request: a list can not be converted to a structure"),
            ("7", "The request: the number 7 can not be converted to a structure"),
        ] {
            assert_eq!(told::<op::RunTask>(body), ("SerializationException", message.to_owned()), "{body}");
        }
        let (code, message) = told::<op::RunTask>("{");
        assert_eq!(code, "SerializationException");
        assert!(message.starts_with("The request body is not valid JSON: EOF"), "{message}");
    }

    #[test]
    fn a_time_must_be_a_number() {
        let body = r#"{"service":"s","createdAt":{"after":"2024-11-10T10:29:27Z"}}"#;
        assert_eq!(
            told::<op::ListServiceDeployments>(body).1,
            "createdAt.after: a string can not be converted to a number of seconds since 1970-01-01"
        );
    }

    #[test]
    fn unknown_members_null_members_and_whole_floats_are_no_faults() {
        let body = r#"{"x":[{"y":{}}],"cluster":null,"count":2.0,"taskDefinition":"a"}"#;
        let request = decode::<<op::RunTask as OperationShape>::Request>(body.as_bytes()).unwrap();
        assert_eq!((request.cluster, request.count), (None, Some(2)));
    }

    #[test]
    fn a_long_value_is_not_repeated_in_full() {
        let body = format!(r#"{{"taskDefinition":"a","propagateTags":"{}"}}"#, "é".repeat(5000));
        assert!(told::<op::RunTask>(&body).1.len() < 300);
    }
}
