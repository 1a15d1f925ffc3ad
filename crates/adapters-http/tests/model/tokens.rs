//! `clientToken`, for each operation that has one: the same request makes nothing twice, another one is refused or
//! ignored as the API has it, and what is over is over.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::scene::{ROLE, definition, network};
use crate::schema::MODEL;
use crate::world::{ME, Who, World};

/// How long a token is remembered, and a little more.
const A_DAY: i64 = 24 * 3600 + 60;

/// An operation with a token.
struct Case {
    operation: &'static str,
    request: Value,
    /// A member that is changed, and to what.
    change: (&'static str, Value),
    /// What an answer is known by.
    made: &'static str,
    longest: usize,
    /// What a changed request with the same token is told; nothing, if it is ignored.
    conflict: Option<(&'static str, &'static str)>,
    /// Takes away what was made.
    delete: fn(&World, &Value),
    /// Whether the same request then makes it again.
    made_anew: bool,
    after_a_day: After,
}

/// What the same request does when tokens are forgotten.
enum After {
    /// It makes another one.
    Another,
    /// The name is taken.
    Refused(&'static str),
    /// What was made remembers its token as long as it is there.
    Same,
}

fn cases() -> Vec<Case> {
    vec![
        Case {
            operation: "RunTask",
            request: json!({"taskDefinition": "web", "group": "g"}),
            change: ("group", json!("h")),
            made: "/tasks/0/taskArn",
            longest: 64,
            conflict: Some((
                "ConflictException",
                "The RunTask request could not be processed due to conflicts. The provided clientToken is already in use \
                 with a different request.",
            )),
            delete: |world, made| drop(world.ok("StopTask", &json!({"task": made}))),
            made_anew: false,
            after_a_day: After::Another,
        },
        Case {
            operation: "CreateService",
            request: json!({"serviceName": "s", "taskDefinition": "web", "desiredCount": 0}),
            change: ("desiredCount", json!(1)),
            made: "/service/serviceArn",
            longest: 36,
            conflict: Some(("InvalidParameterException", "Creation of service was not idempotent.")),
            delete: |world, _| drop(world.ok("DeleteService", &json!({"service": "s", "force": true}))),
            made_anew: true,
            after_a_day: After::Refused("Creation of service was not idempotent."),
        },
        Case {
            operation: "CreateTaskSet",
            request: json!({"cluster": "default", "service": "sets", "taskDefinition": "web", "externalId": "a"}),
            change: ("externalId", json!("b")),
            made: "/taskSet/taskSetArn",
            longest: 36,
            conflict: Some(("InvalidParameterException", "Creation of task set was not idempotent.")),
            delete: |world, made| {
                let named = json!({"cluster": "default", "service": "sets", "taskSet": made, "force": true});
                world.ok("DeleteTaskSet", &named);
            },
            made_anew: true,
            after_a_day: After::Another,
        },
        Case {
            operation: "CreateDaemon",
            request: json!({
                "daemonName": "d", "daemonTaskDefinitionArn": ME.arn("daemon-task-definition/agent:1"),
                "capacityProviderArns": [ME.arn("capacity-provider/managed")],
            }),
            change: ("critical", json!(false)),
            made: "/daemonArn",
            longest: 36,
            conflict: Some(("InvalidParameterException", "Creation of daemon was not idempotent.")),
            delete: |world, made| drop(world.ok("DeleteDaemon", &json!({"daemonArn": made}))),
            made_anew: true,
            after_a_day: After::Refused("Creation of daemon was not idempotent."),
        },
        Case {
            operation: "CreateGateway",
            request: json!({
                "name": "g", "infrastructureRoleArn": ROLE, "configuration": {"hostSharedAlb": {}},
                "deletionProtection": false,
            }),
            change: ("name", json!("h")),
            made: "/gatewayArn",
            longest: 36,
            // "If this token matches a previous request, the service ignores the request, but does not return an
            // error." (API reference)
            conflict: None,
            delete: |world, made| drop(world.ok("DeleteGateway", &json!({"gateway": made}))),
            made_anew: true,
            after_a_day: After::Same,
        },
    ]
}

fn prepare(world: &World, who: Who) {
    let ok = |operation: &str, request: Value| world.ok_as(who, operation, &request);
    ok("CreateCluster", json!({}));
    ok("RegisterTaskDefinition", definition("web"));
    ok(
        "RegisterDaemonTaskDefinition",
        json!({
            "family": "agent", "containerDefinitions": [{"name": "agent", "image": "agent", "memory": 16}],
        }),
    );
    ok(
        "CreateService",
        json!({
            "serviceName": "sets", "deploymentController": {"type": "EXTERNAL"}, "desiredCount": 1,
        }),
    );
}

/// The request as another account or region makes it: its ARNs are its own.
fn as_of(request: &Value, who: Who) -> Value {
    let text = request.to_string().replace(&ME.arn(""), &who.arn(""));
    serde_json::from_str(&text).expect("it is still JSON")
}

fn with(request: &Value, member: &str, value: Value) -> Value {
    let mut request = request.clone();
    request[member] = value;
    request
}

#[test]
fn every_token_of_the_model_is_tried() {
    let tried: BTreeSet<&str> = cases().iter().map(|case| case.operation).collect();
    let with_token =
        MODEL.operations.iter().filter(|operation| operation.request.member("clientToken").is_some());
    assert_eq!(tried, with_token.map(|operation| operation.name.as_str()).collect());
}

#[test]
fn a_token_makes_one_thing_whatever_becomes_of_it() {
    for case in cases() {
        let world = World::new();
        prepare(&world, ME);
        let request = with(&case.request, "clientToken", json!("token-1"));
        let ask = |request: &Value| world.ask(ME, case.operation, request);
        let made = |request: &Value| {
            let answer = world.ok(case.operation, request);
            answer.pointer(case.made).unwrap_or_else(|| panic!("{} makes something", case.operation)).clone()
        };
        let first = made(&request);
        assert_eq!(made(&request), first, "{}: the same again", case.operation);
        world.pass(20);
        assert_eq!(made(&request), first, "{}: the same again, when it runs", case.operation);
        let changed = ask(&with(&request, case.change.0, case.change.1.clone()));
        match case.conflict {
            Some(told) => {
                assert_eq!(changed.error(), told, "{}", case.operation);
                let named = changed.body["resourceIds"].as_array().is_some_and(|ids| ids.contains(&first));
                assert_eq!(named, told.0 == "ConflictException", "{}", case.operation);
            }
            None => assert_eq!(changed.body.pointer(case.made), Some(&first), "{}", case.operation),
        }
        // Tokens are compared letter by letter.
        if case.operation == "RunTask" || case.operation == "CreateTaskSet" {
            assert_ne!(made(&with(&request, "clientToken", json!("TOKEN-1"))), first, "{}", case.operation);
        }
        (case.delete)(&world, &first);
        world.pass(60);
        let again = made(&request);
        let by_name = !matches!(case.after_a_day, After::Another);
        assert_eq!(again != first || by_name, case.made_anew, "{} after its end", case.operation);
    }
}

#[test]
fn a_token_is_forgotten_after_a_day() {
    for case in cases() {
        let world = World::new();
        prepare(&world, ME);
        let request = with(&case.request, "clientToken", json!("token-1"));
        let made = |answer: &Value| answer.pointer(case.made).cloned();
        let first = made(&world.ok(case.operation, &request));
        world.skip(A_DAY - 600);
        assert_eq!(made(&world.ok(case.operation, &request)), first, "{} on the same day", case.operation);
        world.skip(1_200);
        let answer = world.ask(ME, case.operation, &request);
        match case.after_a_day {
            After::Another => {
                assert_eq!(answer.status, 200, "{}: {}", case.operation, answer.body);
                assert_ne!(made(&answer.body), first, "{} on the next day", case.operation);
            }
            After::Refused(message) => assert_eq!(answer.error().1, message, "{}", case.operation),
            After::Same => assert_eq!(made(&answer.body), first, "{}", case.operation),
        }
    }
}

#[test]
fn a_token_is_an_account_s_own_in_a_region() {
    let others = [
        Who { account: ME.account, region: "us-west-2" },
        Who { account: "444455556666", region: ME.region },
    ];
    for case in cases() {
        let world = World::new();
        for who in others.into_iter().chain([ME]) {
            prepare(&world, who);
        }
        let request = with(&case.request, "clientToken", json!("token-1"));
        let mut made = BTreeSet::new();
        for who in [ME, others[0], others[1], ME, others[0]] {
            let answer = world.ok_as(who, case.operation, &as_of(&request, who));
            let arn =
                answer.pointer(case.made).and_then(Value::as_str).expect("something is made").to_owned();
            assert!(arn.starts_with(&who.arn("")), "{arn}");
            made.insert(arn);
        }
        assert_eq!(made.len(), 3, "{}: {made:?}", case.operation);
    }
}

#[test]
fn a_token_has_a_longest_length_and_may_be_left_empty() {
    for case in cases() {
        let world = World::new();
        prepare(&world, ME);
        let long = with(&case.request, "clientToken", json!("t".repeat(case.longest + 1)));
        let told = format!("idempotency token longer than {}.", case.longest);
        let answer = world.ask(ME, case.operation, &long);
        assert_eq!(answer.error(), ("InvalidParameterException", told.as_str()), "{}", case.operation);
        world.ok(case.operation, &with(&case.request, "clientToken", json!("t".repeat(case.longest))));
        let empty = world.ask(ME, case.operation, &with(&case.request, "clientToken", json!("")));
        let without = world.ask(ME, case.operation, &case.request);
        assert_eq!((empty.status, empty.error()), (without.status, without.error()), "{}", case.operation);
    }
    // A network is compared like everything else: as it was sent.
    let world = World::new();
    prepare(&world, ME);
    let mut own = definition("own");
    own["networkMode"] = json!("awsvpc");
    world.ok("RegisterTaskDefinition", &own);
    let request = json!({"taskDefinition": "own", "networkConfiguration": network(), "clientToken": "n"});
    world.ok("RunTask", &request);
    let mut said = request.clone();
    said["networkConfiguration"]["awsvpcConfiguration"]["assignPublicIp"] = json!("DISABLED");
    assert_eq!(world.ask(ME, "RunTask", &said).error().0, "ConflictException");
    assert_eq!(world.ask(ME, "RunTask", &request).status, 200);
}
