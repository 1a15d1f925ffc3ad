//! What the generator promises about its types, on a few of them. That every shape survives a reading and a
//! writing is `xtask`'s test, which has the OpenAPI document to take the members from.

use kecs_domain::model::{
    CPUArchitecture, ContainerDefinition, ErrorCode, ExecuteCommandRequest, KeyValuePair, LaunchType,
    NetworkInterface, Operation, OperationShape, Paginator, RegisterTaskDefinitionRequest, RunTaskRequest,
    RunTaskResponse, SIGNING_NAME, Session, TARGET_PREFIX, Tag, TagResourceRequest, Task, Ulimit, UlimitName,
    op,
};
use kecs_domain::validate::{Bounds, UnknownVariant, Validate, Violation, ViolationKind};
use kecs_domain::{Doc, Timestamp};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

fn read<T: DeserializeOwned>(value: Value) -> Result<T, String> {
    serde_json::from_value(value).map_err(|error| error.to_string())
}

#[test]
fn wire_names_are_exact() {
    let interface = NetworkInterface { private_ipv4_address: Some("10.0.0.1".into()), ..Default::default() };
    assert_eq!(serde_json::to_value(interface).unwrap(), json!({"privateIpv4Address": "10.0.0.1"}));
    let request: RunTaskRequest =
        read(json!({"taskDefinition": "web:1", "enableECSManagedTags": true, "launchType": "EC2"})).unwrap();
    assert_eq!(request.enable_ecs_managed_tags, Some(true));
    assert_eq!(request.launch_type, Some(LaunchType::Ec2));
}

#[test]
fn an_optional_null_is_absent_and_unknown_members_are_ignored() {
    let request: RunTaskRequest = read(json!({"taskDefinition": "web", "count": null, "later": []})).unwrap();
    assert_eq!(request, RunTaskRequest { task_definition: "web".into(), ..Default::default() });
    assert_eq!(serde_json::to_value(request).unwrap(), json!({"taskDefinition": "web"}));
}

#[test]
fn what_is_missing_or_of_another_type_is_refused() {
    assert_eq!(read::<RunTaskRequest>(json!({})).unwrap_err(), "missing field `taskDefinition`");
    for wrong in [
        json!({"taskDefinition": null}),
        json!({"taskDefinition": 1}),
        json!({"taskDefinition": "web", "count": "1"}),
        json!({"taskDefinition": "web", "tags": [null]}),
        json!({"taskDefinition": "web", "launchType": 1}),
    ] {
        assert!(read::<RunTaskRequest>(wrong.clone()).is_err(), "{wrong}");
    }
}

#[test]
fn enums_are_closed_and_say_what_they_know() {
    assert_eq!(LaunchType::NAME, "LaunchType");
    assert_eq!(LaunchType::VALUES, ["EC2", "FARGATE", "EXTERNAL", "MANAGED_INSTANCES"]);
    assert_eq!(LaunchType::ALL.last(), Some(&LaunchType::ManagedInstances));
    assert_eq!("X86_64".parse(), Ok(CPUArchitecture::X86_64));
    let unknown = UnknownVariant { enum_name: "LaunchType", value: "ec2".into() };
    assert_eq!("ec2".parse::<LaunchType>(), Err(unknown));
    let error = read::<RunTaskRequest>(json!({"taskDefinition": "web", "launchType": "ec2"})).unwrap_err();
    assert!(error.starts_with("unknown variant `ec2`, expected one of `EC2`, `FARGATE`"), "{error}");
}

#[test]
fn responses_share_their_documents() {
    let task = Doc::new(Task {
        task_arn: Some("arn:aws:ecs:us-east-1:1:task/c/t".into()),
        created_at: Some(Timestamp::from_millis(1_731_234_567_500)),
        ..Default::default()
    });
    let response = RunTaskResponse { tasks: Some(vec![task.clone()]), failures: Some(vec![]) };
    assert_eq!(
        serde_json::to_string(&response).unwrap(),
        r#"{"tasks":[{"createdAt":1731234567.5,"taskArn":"arn:aws:ecs:us-east-1:1:task/c/t"}],"failures":[]}"#
    );
    assert!(response.tasks.unwrap()[0].ptr_eq(&task));
}

#[test]
fn debug_shows_no_secret() {
    let pair = KeyValuePair { name: Some("PASSWORD".into()), value: Some("hunter2".into()) };
    assert_eq!(format!("{pair:?}"), r#"KeyValuePair { name: Some("PASSWORD"), value: Some("***") }"#);
    let container = ContainerDefinition { environment: Some(vec![pair]), ..Default::default() };
    let session = Session { token_value: Some("hunter2".into()), ..Default::default() };
    let exec = ExecuteCommandRequest { command: "hunter2".into(), ..Default::default() };
    let all = format!("{container:?} {session:?} {exec:?}");
    assert!(all.contains("***") && !all.contains("hunter2"), "{all}");
    assert!(format!("{:?}", KeyValuePair::default()).contains("value: None"));
}

#[test]
fn violations_come_with_their_path() {
    let tag = |key: &str, value: &str| Tag { key: Some(key.into()), value: Some(value.into()) };
    let request = TagResourceRequest {
        resource_arn: "arn".into(),
        tags: vec![tag("a", ""), tag("", "ok"), tag("b", "no\u{7}bell"), tag(&"k".repeat(129), "")],
    };
    let found: Vec<String> = request.violations().iter().map(Violation::to_string).collect();
    assert_eq!(
        found,
        [
            "tags[1].key must have a length between 1 and 128",
            r"tags[2].value must match the pattern ([\p{L}\p{Z}\p{N}_.:/=+\-@]*)",
            "tags[3].key must have a length between 1 and 128",
        ]
    );
    let request = TagResourceRequest { resource_arn: "arn".into(), tags: vec![tag("k", "v"); 51] };
    let kind = ViolationKind::TooMany { len: 51, bounds: Bounds { min: None, max: Some(50) } };
    assert_eq!(request.violations(), [Violation { path: "tags".into(), kind }]);
}

#[test]
fn constraints_below_lists_are_found() {
    let request: RegisterTaskDefinitionRequest = read(json!({
        "family": "web",
        "containerDefinitions": [{}, {"resourceRequirements": [{
            "type": "GPU",
            "sharingStrategy": {"nvidiaMps": {"memory": 0}}
        }]}]
    }))
    .unwrap();
    let found: Vec<String> = request.violations().iter().map(Violation::to_string).collect();
    assert_eq!(
        found,
        [
            "containerDefinitions[1].resourceRequirements[0].sharingStrategy.nvidiaMps.memory must have a value of at least 1"
        ]
    );
}

#[test]
fn structures_with_a_required_enum_are_built_in_full() {
    let ulimit = Ulimit { name: UlimitName::Nofile, soft_limit: 1, hard_limit: 2 };
    assert_eq!(
        serde_json::to_value(ulimit).unwrap(),
        json!({"name": "nofile", "softLimit": 1, "hardLimit": 2})
    );
}

#[test]
fn the_operation_table() {
    assert_eq!((TARGET_PREFIX, SIGNING_NAME), ("AmazonEC2ContainerServiceV20141113", "ecs"));
    assert_eq!(Operation::ALL.len(), 88);
    assert_eq!(<op::RunTask as OperationShape>::OPERATION.name(), "RunTask");
    assert_eq!(Operation::from_name("runtask"), None);
    assert!(Operation::RunTask.errors().contains(&ErrorCode::ClusterNotFound));
    let paginator = Paginator {
        input_token: "nextToken",
        output_token: "nextToken",
        limit_key: Some("maxResults"),
        result_key: "taskArns",
    };
    assert_eq!(Operation::ListTasks.paginator(), Some(paginator));
    assert_eq!(Operation::RunTask.paginator(), None);
}

#[test]
fn error_codes_are_the_models_and_the_protocols() {
    assert_eq!(ErrorCode::ClusterNotFound.as_str(), "ClusterNotFoundException");
    assert_eq!("SerializationException".parse(), Ok(ErrorCode::Serialization));
    let faults: Vec<_> = ErrorCode::ALL.iter().filter(|code| code.is_server_fault()).collect();
    assert_eq!(faults, [&ErrorCode::Server]);
}
