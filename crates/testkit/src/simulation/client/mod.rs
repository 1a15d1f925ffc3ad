//! The clients: random calls over a handful of names, so that calls meet each other, and retries of calls of which
//! nobody knows how they came out.

pub(crate) mod call;
pub(crate) mod capacity;
mod daemon;
pub(crate) mod definition;
mod express;
mod facts;
mod read;
mod register;
mod service;
mod standing;
pub(crate) mod task_set;

use std::sync::Arc;

use kecs_domain::Scope;
use kecs_domain::cluster::ClusterStatus;
use kecs_domain::model::{self, LaunchType};
use kecs_domain::name::HexId;
use kecs_domain::task::{DesiredStatus, Task, TaskStatus};
use kecs_domain::task_definition::{TaskDefinition, TaskDefinitionState};
use kecs_usecases::Context;
use serde_json::{Value, json};

use super::ledger::Ledger;
use super::random::Random;
use call::Request;
pub(crate) use facts::Facts;

/// Clusters that calls are about. The first two exist from the beginning.
const CLUSTERS: [&str; 3] = ["one", "two", "three"];
/// Families that calls are about.
const FAMILIES: [&str; 4] = ["alpha", "beta", "gamma", "delta"];
/// A family whose revisions are all steady, and that nobody deregisters.
pub(crate) const PLAIN: &str = "plain";
/// How many calls can be made again.
const RETRIABLE: usize = 12;

/// What a history is about beside tasks and services: with everything at once, little of anything would happen.
#[derive(Clone, Copy, Debug)]
struct Topics {
    capacity: bool,
    instances: bool,
    sets: bool,
    daemons: bool,
    express: bool,
}

impl Topics {
    fn draw(random: &mut Random) -> Self {
        let mut topic = |percent| random.percent(percent);
        Self {
            capacity: topic(50),
            instances: topic(50),
            sets: topic(30),
            daemons: topic(35),
            express: topic(20),
        }
    }
}

/// See the module.
pub(crate) struct Client {
    random: Random,
    pub(crate) ctx: Context,
    topics: Topics,
    /// The nodes that there are from the beginning, with their ids as container instances.
    instances: Vec<(String, HexId)>,
    /// Calls with a token, the newest last.
    tokens: Vec<Request>,
    names: u64,
}

impl Client {
    pub(crate) fn new(seed: u64, instances: Vec<(String, HexId)>) -> Self {
        let ctx = Context::root(Scope::new("123456789012", "eu-central-1"));
        let topics = Topics::draw(&mut Random::new(seed, 5));
        Self { random: Random::new(seed, 1), ctx, topics, instances, tokens: Vec::new(), names: 0 }
    }

    /// What is called before anything goes wrong, so that the first calls have something to be about: several calls
    /// at a time.
    pub(crate) fn opening(&mut self) -> Vec<Vec<Request>> {
        let mut phases = vec![self.first_calls()];
        if self.topics.capacity {
            phases.extend(capacity::opening());
        }
        if self.topics.daemons {
            phases.push(self.first_daemon_definitions());
        }
        phases
    }

    fn first_calls(&mut self) -> Vec<Request> {
        let mut calls: Vec<Request> = Vec::new();
        for cluster in &CLUSTERS[..2] {
            calls.push(build::<model::CreateClusterRequest>(json!({"clusterName": cluster})));
        }
        for network in definition::NETWORKS {
            calls.push(definition::plain(&mut self.random, PLAIN, network).into());
        }
        for family in FAMILIES {
            calls.push(definition::random(&mut self.random, family).into());
        }
        calls
    }

    /// Tokens are forgotten after a day: what was called before is not called again.
    pub(crate) fn forget_tokens(&mut self) {
        self.tokens.clear();
    }

    /// The next call.
    pub(crate) fn next(&mut self, ledger: &Ledger) -> Request {
        let about = |topic: bool, weight: u64| if topic { weight } else { 0 };
        let Topics { capacity, instances, sets, daemons, express } = self.topics;
        let pick = self.random.weighted(&[
            (14, Self::create_service as fn(&mut Self, &Ledger) -> Option<Request>),
            (22, Self::update_service),
            (5, Self::delete_service),
            (3, Self::stop_deployment),
            (4, Self::protect),
            (12, Self::run_task),
            (9, Self::again),
            (9, Self::stop_task),
            (9, Self::register),
            (3, Self::deregister),
            (2, Self::delete_definitions),
            (3, Self::tag),
            (2, Self::untag),
            (3, Self::create_cluster),
            (2, Self::delete_cluster),
            (2, Self::settings),
            (8, Self::read),
            (about(capacity, 2), Self::create_provider),
            (about(capacity, 2), Self::delete_provider),
            (about(capacity, 3), Self::associate),
            (about(instances, 10), Self::set_state),
            (about(instances, 3), Self::deregister_instance),
            (about(instances, 3), Self::register_instance),
            (about(instances, 1), Self::describe_instance),
            (about(sets, 10), Self::create_set),
            (about(sets, 8), Self::scale_set),
            (about(sets, 5), Self::delete_set),
            (about(sets, 4), Self::promote_set),
            (about(daemons, 5), Self::register_daemon),
            (about(daemons, 1), Self::delete_daemon_definition),
            (about(daemons, 6), Self::create_daemon),
            (about(daemons, 6), Self::update_daemon),
            (about(daemons, 2), Self::delete_daemon),
            (about(daemons, 1), Self::describe_daemon),
            (about(express, 5), Self::create_express),
            (about(express, 5), Self::update_express),
            (about(express, 2), Self::delete_express),
        ]);
        match pick(self, ledger) {
            Some(request) => request,
            None => definition::random(&mut self.random, FAMILIES[0]).into(),
        }
    }

    fn name(&mut self, kind: &str) -> String {
        self.names += 1;
        format!("{kind}-{}", self.names)
    }

    /// A cluster, mostly one that is ACTIVE.
    fn cluster(&mut self, ledger: &Ledger) -> String {
        let sloppy = self.random.percent(5);
        let active = ledger.clusters.values().filter(|cluster| cluster.status == ClusterStatus::Active);
        let active: Vec<_> = active.map(|cluster| cluster.key.name.to_string()).collect();
        if sloppy || active.is_empty() {
            (*self.random.pick(&CLUSTERS)).to_owned()
        } else {
            self.random.pick(&active).clone()
        }
    }

    /// A definition that can be used, mostly.
    fn definition(&mut self, ledger: &Ledger) -> Option<Arc<TaskDefinition>> {
        let sloppy = self.random.percent(3);
        let usable = ledger.definitions.values();
        let usable: Vec<_> =
            usable.filter(|it| sloppy || it.state == TaskDefinitionState::Active).cloned().collect();
        (!usable.is_empty()).then(|| self.random.pick(&usable).clone())
    }

    /// How a call names a definition.
    fn named(&mut self, definition: &TaskDefinition) -> String {
        match self.random.below(4) {
            0 => definition.key.family.to_string(),
            1 => definition.key.arn(),
            _ => format!("{}:{}", definition.key.family, definition.key.revision),
        }
    }

    /// Adds where the tasks of a definition run.
    fn place(&mut self, request: &mut Value, definition: &TaskDefinition) {
        if self.topics.capacity && self.random.percent(40) {
            request["capacityProviderStrategy"] = self.strategy(definition);
        }
        if !definition::is_awsvpc(definition) {
            return;
        }
        let subnet = *self.random.pick(&["subnet-a", "subnet-b"]);
        request["networkConfiguration"] = json!({"awsvpcConfiguration": {"subnets": [subnet]}});
        if !request["capacityProviderStrategy"].is_null() {
            return;
        }
        if self.random.percent(50) && definition.supports(LaunchType::Fargate) {
            request["launchType"] = json!("FARGATE");
        }
    }

    fn run_task(&mut self, ledger: &Ledger) -> Option<Request> {
        let definition = self.definition(ledger)?;
        let who = self.name("run");
        let mut request = json!({
            "cluster": self.cluster(ledger), "taskDefinition": self.named(&definition),
            "count": self.random.between(1, 5), "startedBy": who,
        });
        self.place(&mut request, &definition);
        if self.random.percent(20) {
            request["placementStrategy"] = json!([{"type": "binpack", "field": "memory"}]);
        }
        if self.random.percent(70) {
            request["clientToken"] = json!(who);
        }
        let request = build::<model::RunTaskRequest>(request);
        self.remember(&request);
        Some(request)
    }

    /// Keeps a call that has a token, to make it again.
    fn remember(&mut self, request: &Request) {
        let token = match request {
            Request::RunTask(it) => it.client_token.as_ref(),
            Request::CreateService(it) => it.client_token.as_ref(),
            _ => None,
        };
        if token.is_some() {
            self.tokens.push(request.clone());
            if self.tokens.len() > RETRIABLE {
                self.tokens.remove(0);
            }
        }
    }

    fn again(&mut self, _ledger: &Ledger) -> Option<Request> {
        (!self.tokens.is_empty()).then(|| self.random.pick(&self.tokens).clone())
    }

    fn stop_task(&mut self, ledger: &Ledger) -> Option<Request> {
        let any = self.random.percent(20);
        let stoppable = |task: &&Arc<Task>| {
            any || (task.desired == DesiredStatus::Running && task.status != TaskStatus::Stopped)
        };
        let tasks: Vec<_> = ledger.tasks.values().filter(stoppable).map(|task| task.key.clone()).collect();
        if tasks.is_empty() {
            return None;
        }
        let task = self.random.pick(&tasks).clone();
        let reason = self.name("reason");
        Some(build::<model::StopTaskRequest>(
            json!({"cluster": task.cluster.name.as_str(), "task": task.arn(), "reason": reason}),
        ))
    }

    /// Gives tasks protection for a few minutes, or takes it from them.
    fn protect(&mut self, ledger: &Ledger) -> Option<Request> {
        let sloppy = self.random.percent(10);
        let of_service = |task: &&Arc<Task>| sloppy || (task.service.is_some() && task.is_protectable());
        let tasks: Vec<_> = ledger.tasks.values().filter(of_service).map(|task| task.key.clone()).collect();
        if tasks.is_empty() {
            return None;
        }
        let first = self.random.pick(&tasks).clone();
        let cluster = first.cluster.name.to_string();
        let also =
            tasks.iter().filter(|key| key.cluster == first.cluster).take(self.random.below(3) as usize);
        let arns: Vec<_> = also.chain([&first]).map(|key| key.arn()).collect();
        let on = self.random.percent(75);
        let minutes = self.random.between(1, 5);
        Some(build::<model::UpdateTaskProtectionRequest>(json!({
            "cluster": cluster, "tasks": arns, "protectionEnabled": on, "expiresInMinutes": minutes,
        })))
    }

    fn register(&mut self, _ledger: &Ledger) -> Option<Request> {
        if self.random.percent(30) {
            let network = *self.random.pick(&definition::NETWORKS);
            return Some(definition::plain(&mut self.random, PLAIN, network).into());
        }
        let family = *self.random.pick(&FAMILIES);
        Some(definition::random(&mut self.random, family).into())
    }

    fn some_definition(&mut self, ledger: &Ledger) -> Option<String> {
        let keys = ledger.definitions.keys().filter(|key| key.family.as_str() != PLAIN);
        let keys: Vec<_> = keys.map(|key| format!("{}:{}", key.family, key.revision)).collect();
        (!keys.is_empty()).then(|| self.random.pick(&keys).clone())
    }

    fn deregister(&mut self, ledger: &Ledger) -> Option<Request> {
        let definition = self.some_definition(ledger)?;
        Some(build::<model::DeregisterTaskDefinitionRequest>(json!({"taskDefinition": definition})))
    }

    fn delete_definitions(&mut self, ledger: &Ledger) -> Option<Request> {
        let first = self.some_definition(ledger)?;
        let second = self.some_definition(ledger)?;
        Some(build::<model::DeleteTaskDefinitionsRequest>(json!({"taskDefinitions": [first, second]})))
    }

    /// Something that has tags.
    fn resource(&mut self, ledger: &Ledger) -> Option<String> {
        let plain = ledger.services.values().filter(|service| !express::is_express(service));
        let mut arns: Vec<_> = plain.map(|service| service.key.arn()).collect();
        arns.extend(ledger.clusters.keys().map(|key| key.arn()));
        arns.extend(ledger.definitions.keys().take(4).map(|key| key.arn()));
        (!arns.is_empty()).then(|| self.random.pick(&arns).clone())
    }

    fn tag(&mut self, ledger: &Ledger) -> Option<Request> {
        let (arn, value) = (self.resource(ledger)?, self.name("value"));
        Some(build::<model::TagResourceRequest>(
            json!({"resourceArn": arn, "tags": [{"key": "team", "value": value}]}),
        ))
    }

    fn untag(&mut self, ledger: &Ledger) -> Option<Request> {
        let arn = self.resource(ledger)?;
        Some(build::<model::UntagResourceRequest>(json!({"resourceArn": arn, "tagKeys": ["team"]})))
    }

    fn create_cluster(&mut self, _ledger: &Ledger) -> Option<Request> {
        let cluster = *self.random.pick(&CLUSTERS);
        Some(build::<model::CreateClusterRequest>(json!({"clusterName": cluster})))
    }

    fn delete_cluster(&mut self, ledger: &Ledger) -> Option<Request> {
        Some(build::<model::DeleteClusterRequest>(json!({"cluster": self.cluster(ledger)})))
    }

    fn settings(&mut self, ledger: &Ledger) -> Option<Request> {
        let value = *self.random.pick(&["enabled", "disabled", "enhanced"]);
        Some(build::<model::UpdateClusterSettingsRequest>(
            json!({"cluster": self.cluster(ledger), "settings": [{"name": "containerInsights", "value": value}]}),
        ))
    }
}

/// A request of its JSON form.
fn build<R>(json: Value) -> Request
where
    R: serde::de::DeserializeOwned + Into<Request>,
{
    // What is built here is a request by construction.
    serde_json::from_value::<R>(json).expect("a request").into()
}
