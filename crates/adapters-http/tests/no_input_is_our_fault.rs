//! Whatever a client sends, the answer is never a 500: that would be our fault, and SDKs would try it again for
//! minutes. Over the real use cases, the memory store and the simulation.

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use http::Request;
use kecs_adapters_http::{EcsApi, Endpoint, EndpointOptions, Metrics, Registry, RequestBody};
use kecs_adapters_sim::{SimOptions, SimulatedOrchestrator};
use kecs_adapters_storage::MemoryStore;
use kecs_domain::Timestamp;
use kecs_domain::model::Operation;
use kecs_usecases::coverage::IMPLEMENTED;
use kecs_usecases::ports::{Clock, IdGenerator, Wake, WakeKey};
use kecs_usecases::{Ecs, Ports};
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value, json};

struct StandingClock;

impl Clock for StandingClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(1_800_000_000_000)
    }
}

#[derive(Default)]
struct CountedIds(AtomicU64);

impl IdGenerator for CountedIds {
    fn bits(&self) -> u128 {
        u128::from(self.0.fetch_add(1, Ordering::Relaxed))
    }
}

struct NobodyWakes;

impl Wake for NobodyWakes {
    fn wake(&self, _: Vec<WakeKey>) {}
}

/// An endpoint with a cluster, a task definition, a service and a task in it, so that there is something to hit.
async fn endpoint() -> Endpoint {
    let clock: Arc<dyn Clock> = Arc::new(StandingClock);
    let orchestrator = SimulatedOrchestrator::new(SimOptions::default(), clock.clone()).unwrap();
    let ids = Arc::new(CountedIds::default());
    let ports =
        Ports::new(Arc::new(MemoryStore::new()), Arc::new(orchestrator), clock, ids, Arc::new(NobodyWakes));
    let registry = Registry::new().with(Arc::new(EcsApi::new(Ecs::new(ports))));
    let metrics = Arc::new(Metrics::new(&registry));
    let endpoint = Endpoint::new(registry, EndpointOptions::default(), metrics);
    for (operation, body) in [
        (Operation::CreateCluster, json!({})),
        (
            Operation::RegisterTaskDefinition,
            json!({"family": "web", "containerDefinitions": [{"name": "a", "image": "a", "memory": 16}]}),
        ),
        (Operation::CreateService, json!({"serviceName": "web", "taskDefinition": "web", "desiredCount": 1})),
        (Operation::RunTask, json!({"taskDefinition": "web"})),
    ] {
        let (status, answer) = call(&endpoint, operation, body.to_string().into_bytes()).await;
        assert_eq!(status, 200, "{operation}: {answer}");
    }
    endpoint
}

async fn call(endpoint: &Endpoint, operation: Operation, body: Vec<u8>) -> (u16, String) {
    let request = Request::post("/")
        .header("x-amz-target", format!("AmazonEC2ContainerServiceV20141113.{operation}"))
        .body(RequestBody::Ready(Bytes::from(body)))
        .unwrap();
    let response = endpoint.answer(request).await;
    let status = response.status().as_u16();
    let body = http_body_util::BodyExt::collect(response.into_body()).await.unwrap().to_bytes();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

/// What kind of value a member has.
#[derive(Clone, Copy, Debug)]
enum Kind {
    Text,
    Number,
    Flag,
    Texts,
    Structure,
    Structures,
}

/// Members that mean something to some operation, so that random requests get past the first check.
const MEMBERS: &[(Kind, &[&str])] = &[
    (
        Kind::Text,
        &[
            "cluster",
            "clusterName",
            "service",
            "serviceName",
            "task",
            "taskDefinition",
            "family",
            "familyPrefix",
            "name",
            "image",
            "cpu",
            "memory",
            "nextToken",
            "launchType",
            "key",
            "value",
            "resourceArn",
            "condition",
            "clientToken",
            "startedBy",
            "group",
            "status",
            "desiredStatus",
            "sort",
            "reason",
            "networkMode",
            "type",
            "field",
            "expression",
            "schedulingStrategy",
            "containerName",
            "protocol",
            "assignPublicIp",
            "platformVersion",
            "propagateTags",
        ],
    ),
    (
        Kind::Number,
        &[
            "count",
            "desiredCount",
            "maxResults",
            "memory",
            "memoryReservation",
            "cpu",
            "containerPort",
            "hostPort",
            "maximumPercent",
            "minimumHealthyPercent",
            "after",
            "before",
            "interval",
            "timeout",
            "retries",
            "startPeriod",
            "stopTimeout",
            "startTimeout",
            "healthCheckGracePeriodSeconds",
            "base",
            "weight",
        ],
    ),
    (
        Kind::Flag,
        &[
            "enable",
            "rollback",
            "force",
            "essential",
            "enableExecuteCommand",
            "forceNewDeployment",
            "privileged",
        ],
    ),
    (
        Kind::Texts,
        &[
            "clusters",
            "services",
            "tasks",
            "taskDefinitions",
            "include",
            "tagKeys",
            "subnets",
            "command",
            "entryPoint",
            "serviceDeploymentArns",
            "serviceRevisionArns",
            "requiresCompatibilities",
            "status",
            "links",
        ],
    ),
    (
        Kind::Structure,
        &[
            "overrides",
            "networkConfiguration",
            "awsvpcConfiguration",
            "deploymentConfiguration",
            "healthCheck",
            "deploymentCircuitBreaker",
            "createdAt",
            "runtimePlatform",
            "configuration",
            "logConfiguration",
        ],
    ),
    (
        Kind::Structures,
        &[
            "containerDefinitions",
            "containerOverrides",
            "tags",
            "settings",
            "portMappings",
            "environment",
            "dependsOn",
            "volumes",
            "placementConstraints",
            "placementStrategy",
            "loadBalancers",
            "capacityProviderStrategy",
            "mountPoints",
        ],
    ),
];

const TEXTS: &[&str] = &[
    "",
    "default",
    "web",
    "web:1",
    "web:0",
    "web:-1",
    "web:99999999999",
    "a",
    "ACTIVE",
    "FARGATE",
    "EC2",
    "awsvpc",
    "TAGS",
    "arn:aws:ecs:us-east-1:000000000000:cluster/default",
    "arn:aws:ecs:us-east-1:000000000000:service/default/web",
    "arn:aws:ecs:us-east-1:000000000000:task-definition/web:1",
    "arn:aws:ecs:::",
    "arn:",
    "256",
    "0.25 vCPU",
    "é\u{0}\n",
    "00000000000000000000000000000000",
    "REPLICA",
    "DAEMON",
    "random",
    "spread",
    "memberOf",
    "attribute:x == y",
];

/// Any JSON.
fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        text(),
    ];
    leaf.prop_recursive(5, 48, 6, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            btree_map(".{0,12}", inner, 0..6)
                .prop_map(|map| Value::from(map.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

fn text() -> impl Strategy<Value = Value> {
    prop_oneof![4 => select(TEXTS).prop_map(Value::from), 1 => ".{0,20}".prop_map(Value::from)]
}

/// An object of members that exist, mostly with values of their kind.
fn structure(depth: u32) -> BoxedStrategy<Value> {
    let member =
        select(MEMBERS).prop_flat_map(move |(kind, names)| (select(names), member_value(kind, depth)));
    vec(member, 0..8)
        .prop_map(|members| {
            members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect::<Map<_, _>>().into()
        })
        .boxed()
}

fn member_value(kind: Kind, depth: u32) -> BoxedStrategy<Value> {
    let right = match kind {
        Kind::Text => text().boxed(),
        Kind::Number => {
            prop_oneof![4 => (-3i64..300).boxed(), 1 => any::<i64>().boxed()].prop_map(Value::from).boxed()
        }
        Kind::Flag => any::<bool>().prop_map(Value::from).boxed(),
        Kind::Texts => vec(text(), 0..4).prop_map(Value::from).boxed(),
        Kind::Structure | Kind::Structures if depth == 0 => Just(json!({})).boxed(),
        Kind::Structure => structure(depth - 1),
        Kind::Structures => vec(structure(depth - 1), 0..3).prop_map(Value::from).boxed(),
    };
    prop_oneof![12 => right, 1 => value().boxed()].boxed()
}

const CLUSTER: &str = "arn:aws:ecs:us-east-1:000000000000:cluster/default";

/// A request that is nearly right: what its operation requires, and random members beside it.
fn request(operation: Operation) -> impl Strategy<Value = Value> {
    let required = match operation {
        Operation::RegisterTaskDefinition => {
            json!({"family": "web", "containerDefinitions": [{"name": "a", "image": "a", "memory": 16}]})
        }
        Operation::RunTask => json!({"taskDefinition": "web"}),
        Operation::DescribeTaskDefinition | Operation::DeregisterTaskDefinition => {
            json!({"taskDefinition": "web:1"})
        }
        Operation::DescribeTasks => json!({"tasks": ["00000000000000000000000000000000"]}),
        Operation::UpdateCluster | Operation::DeleteCluster => json!({"cluster": "default"}),
        Operation::UpdateClusterSettings => {
            json!({"cluster": "default", "settings": [{"name": "containerInsights", "value": "enabled"}]})
        }
        Operation::ListTagsForResource => json!({"resourceArn": CLUSTER}),
        Operation::UntagResource => json!({"resourceArn": CLUSTER, "tagKeys": ["a"]}),
        Operation::StopTask => json!({"task": "00000000000000000000000000000000"}),
        Operation::CreateService => {
            json!({"serviceName": "other", "taskDefinition": "web", "desiredCount": 1})
        }
        Operation::UpdateService | Operation::DeleteService | Operation::ListServiceDeployments => {
            json!({"service": "web"})
        }
        Operation::DescribeServices => json!({"services": ["web"]}),
        Operation::TagResource => json!({"resourceArn": CLUSTER, "tags": [{"key": "a", "value": "b"}]}),
        _ => json!({}),
    };
    structure(3).prop_map(move |random| {
        let (Value::Object(mut random), Value::Object(required)) = (random, required.clone()) else {
            return json!({});
        };
        for (name, value) in required {
            random.entry(name).or_insert(value);
        }
        random.into()
    })
}

fn operation() -> impl Strategy<Value = Operation> {
    select(Operation::ALL)
}

/// Calls many operations with bodies, and gives the first answer that is our fault.
fn first_fault(calls: Vec<(Operation, Vec<u8>)>) -> Option<String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(async {
        let endpoint = endpoint().await;
        for (operation, body) in calls {
            let (status, answer) = call(&endpoint, operation, body.clone()).await;
            let told = serde_json::from_str::<Value>(&answer).is_ok();
            if status >= 500 || !told {
                return Some(format!("{operation} {} -> {status} {answer}", String::from_utf8_lossy(&body)));
            }
        }
        None
    })
}

proptest! {
    // Each case is a new world and up to 40 calls in it.
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn random_bytes_are_never_our_fault(calls in vec((operation(), vec(any::<u8>(), 0..200)), 1..40)) {
        prop_assert_eq!(first_fault(calls), None);
    }

    #[test]
    fn random_json_is_never_our_fault(calls in vec((operation(), value()), 1..40)) {
        prop_assert_eq!(first_fault(written(calls)), None);
    }

    #[test]
    fn requests_that_are_nearly_right_are_never_our_fault(
        calls in vec(select(IMPLEMENTED).prop_flat_map(|operation| (Just(operation), request(operation))), 1..40)
    ) {
        prop_assert_eq!(first_fault(written(calls)), None);
    }
}

fn written(calls: Vec<(Operation, Value)>) -> Vec<(Operation, Vec<u8>)> {
    calls.into_iter().map(|(operation, body)| (operation, body.to_string().into_bytes())).collect()
}

#[tokio::test]
async fn a_bad_include_of_describe_clusters_is_an_error_only_if_a_cluster_is_found() {
    let endpoint = endpoint().await;
    let describe =
        async |body: Value| call(&endpoint, Operation::DescribeClusters, body.to_string().into_bytes()).await;
    let (status, answer) = describe(json!({"include": ["BOGUS"]})).await;
    assert_eq!(status, 400);
    assert!(
        answer.contains("include should be one of [ATTACHMENTS,CONFIGURATIONS,SETTINGS,STATISTICS,TAGS]"),
        "{answer}"
    );
    let (status, answer) = describe(json!({"clusters": ["nope"], "include": ["BOGUS"]})).await;
    assert_eq!(status, 200, "{answer}");
    assert!(answer.contains("MISSING"), "{answer}");
}
