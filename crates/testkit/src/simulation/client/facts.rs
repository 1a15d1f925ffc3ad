//! What was acknowledged, and whether it stays. The clients' book, which knows nothing of how the product works.

use std::collections::{BTreeMap, BTreeSet};

use kecs_domain::Scope;
use kecs_domain::arn::{
    ClusterKey, ServiceKey, TaskDefinitionKey, TaskKey, cluster_ref, task_definition_ref, task_ref,
};
use kecs_domain::capacity;
use kecs_domain::cluster::ClusterStatus;
use kecs_domain::daemon::DaemonState;
use kecs_domain::model::{self, RunTaskRequest, RunTaskResponse, SchedulingStrategy};
use kecs_domain::name::{DeploymentId, ServiceName};
use kecs_domain::service::ServiceStatus;
use kecs_domain::task::DesiredStatus;
use kecs_domain::task_definition::TaskDefinitionState;

use super::call::{Answer, Outcome, Request};
use super::register::Register;
use super::standing::Standings;
use crate::simulation::ledger::Ledger;

/// See the module.
pub(crate) struct Facts {
    scope: Scope,
    clusters: BTreeMap<ClusterKey, Register<bool>>,
    insights: BTreeMap<ClusterKey, Register<String>>,
    services: BTreeMap<ServiceKey, ServiceFacts>,
    instances: Standings,
    /// The tag `team` by ARN.
    tags: BTreeMap<String, Register<Option<String>>>,
    /// What the tokens of RunTask made.
    tokens: BTreeMap<String, BTreeSet<TaskKey>>,
    /// Tokens that CreateService was called with.
    creations: BTreeSet<String>,
    /// Calls whose acknowledgement may be that of an earlier call with the same token.
    repeated: BTreeSet<u64>,
    /// A number for each beginning and each end.
    clock: u64,
}

struct ServiceFacts {
    active: Register<bool>,
    desired: Register<i32>,
}

impl ServiceFacts {
    fn new() -> Self {
        Self { active: Register::new(false), desired: Register::new(0) }
    }
}

type Checked = Result<(), String>;

impl Facts {
    pub(crate) fn new(scope: Scope) -> Self {
        Self {
            scope,
            clusters: BTreeMap::new(),
            insights: BTreeMap::new(),
            services: BTreeMap::new(),
            instances: Standings::default(),
            tags: BTreeMap::new(),
            tokens: BTreeMap::new(),
            creations: BTreeSet::new(),
            repeated: BTreeSet::new(),
            clock: 0,
        }
    }

    /// Tokens are forgotten after a day: what they made may be made again.
    pub(crate) fn forget_tokens(&mut self) {
        self.tokens.clear();
        self.creations.clear();
    }

    fn cluster(&self, name: Option<&String>) -> Option<ClusterKey> {
        cluster_ref(&self.scope, name.map(String::as_str)).ok()
    }

    fn service(&self, cluster: Option<&String>, name: &str) -> Option<ServiceKey> {
        Some(ServiceKey { cluster: self.cluster(cluster)?, name: ServiceName::parse(name)? })
    }

    /// A call is made.
    pub(crate) fn begin(&mut self, call: u64, request: &Request) {
        self.clock += 1;
        let at = self.clock;
        self.instances.begin(&self.scope, call, request, at);
        if let Request::CreateService(it) = request
            && it.client_token.as_ref().is_some_and(|token| !self.creations.insert(token.clone()))
        {
            self.repeated.insert(call);
        }
        match request {
            Request::CreateCluster(it) => {
                let Some(key) = self.cluster(it.cluster_name.as_ref()) else { return };
                // A cluster that is created afresh has none of what it had.
                self.tag(&key.arn()).begin(call, None, at);
                self.insight(&key).begin(call, "disabled".to_owned(), at);
                self.active(&key).begin(call, true, at);
            }
            Request::DeleteCluster(it) => {
                let Some(key) = self.cluster(Some(&it.cluster)) else { return };
                self.active(&key).begin(call, false, at);
            }
            Request::UpdateClusterSettings(it) => {
                let Some(key) = self.cluster(Some(&it.cluster)) else { return };
                let value = it.settings.first().and_then(|setting| setting.value.clone());
                self.insight(&key).begin(call, value.unwrap_or_default(), at);
            }
            Request::CreateService(it) => {
                let Some(key) = self.service(it.cluster.as_ref(), &it.service_name) else { return };
                self.tag(&key.arn()).begin(call, None, at);
                let facts = self.facts(&key);
                facts.active.begin(call, true, at);
                facts.desired.begin(call, it.desired_count.unwrap_or(0), at);
            }
            Request::UpdateService(it) => {
                let Some(key) = self.service(it.cluster.as_ref(), &it.service) else { return };
                if let Some(desired) = it.desired_count {
                    self.facts(&key).desired.begin(call, desired, at);
                }
            }
            Request::DeleteService(it) => {
                let Some(key) = self.service(it.cluster.as_ref(), &it.service) else { return };
                let facts = self.facts(&key);
                facts.active.begin(call, false, at);
                facts.desired.begin(call, 0, at);
            }
            Request::TagResource(it) => {
                let value = it.tags.first().and_then(|tag| tag.value.clone());
                self.tag(&it.resource_arn).begin(call, value, at);
            }
            Request::UntagResource(it) => self.tag(&it.resource_arn).begin(call, None, at),
            _ => {}
        }
    }

    fn active(&mut self, key: &ClusterKey) -> &mut Register<bool> {
        self.clusters.entry(key.clone()).or_insert_with(|| Register::new(false))
    }

    fn insight(&mut self, key: &ClusterKey) -> &mut Register<String> {
        self.insights.entry(key.clone()).or_insert_with(|| Register::new("disabled".to_owned()))
    }

    fn facts(&mut self, key: &ServiceKey) -> &mut ServiceFacts {
        self.services.entry(key.clone()).or_insert_with(ServiceFacts::new)
    }

    fn tag(&mut self, arn: &str) -> &mut Register<Option<String>> {
        self.tags.entry(arn.to_owned()).or_insert_with(|| Register::new(None))
    }

    /// A call is over. What was acknowledged is checked at once, and remembered.
    pub(crate) fn end(
        &mut self,
        call: u64,
        request: &Request,
        outcome: &Outcome,
        ledger: &Ledger,
    ) -> Checked {
        self.clock += 1;
        let at = self.clock;
        self.instances.end(&self.scope, call, request, outcome, at);
        match outcome {
            Outcome::Refused(_) => self.each(request, call, &mut |register| register.refuse(call)),
            Outcome::Unknown(_) => self.each(request, call, &mut |register| register.give_up(call, at)),
            // It was made by this call or by the one before: by which, nobody is told.
            Outcome::Acknowledged(_) if self.repeated.contains(&call) => {
                self.each(request, call, &mut |register| register.give_up(call, at));
            }
            Outcome::Acknowledged(_) => {
                self.each(request, call, &mut |register| register.acknowledge(call, at))
            }
        }
        match outcome {
            Outcome::Acknowledged(answer) => self.acknowledged(request, answer, ledger),
            Outcome::Refused(_) | Outcome::Unknown(_) => Ok(()),
        }
    }

    /// Does something with every register that `request` writes.
    fn each(&mut self, request: &Request, call: u64, with: &mut dyn FnMut(&mut dyn Settle)) {
        let at = self.clock;
        match request {
            Request::CreateCluster(it) => {
                let Some(key) = self.cluster(it.cluster_name.as_ref()) else { return };
                // It was there already, or was made afresh: nobody is told which.
                self.tag(&key.arn()).give_up(call, at);
                self.insight(&key).give_up(call, at);
                with(self.active(&key));
            }
            Request::DeleteCluster(it) => {
                let Some(key) = self.cluster(Some(&it.cluster)) else { return };
                with(self.active(&key));
            }
            Request::UpdateClusterSettings(it) => {
                let Some(key) = self.cluster(Some(&it.cluster)) else { return };
                with(self.insight(&key));
            }
            Request::CreateService(it) => {
                let Some(key) = self.service(it.cluster.as_ref(), &it.service_name) else { return };
                self.tag(&key.arn()).give_up(call, at);
                let facts = self.facts(&key);
                with(&mut facts.active);
                with(&mut facts.desired);
            }
            Request::UpdateService(it) => {
                let Some(key) = self.service(it.cluster.as_ref(), &it.service) else { return };
                with(&mut self.facts(&key).desired);
            }
            Request::DeleteService(it) => {
                let Some(key) = self.service(it.cluster.as_ref(), &it.service) else { return };
                let facts = self.facts(&key);
                with(&mut facts.active);
                with(&mut facts.desired);
            }
            Request::TagResource(it) => with(self.tag(&it.resource_arn)),
            Request::UntagResource(it) => with(self.tag(&it.resource_arn)),
            _ => {}
        }
    }

    /// What must be stored now that it was acknowledged. That it stays there is the ledger's business.
    fn acknowledged(&mut self, request: &Request, answer: &Answer, ledger: &Ledger) -> Checked {
        match (request, answer) {
            (Request::RunTask(request), Answer::RunTask(answer)) => self.ran(request, answer, ledger),
            (Request::StopTask(request), Answer::StopTask(_)) => {
                let key =
                    self.cluster(request.cluster.as_ref()).and_then(|it| task_ref(&it, &request.task).ok());
                let task = key.and_then(|key| ledger.tasks.get(&key));
                match task {
                    Some(task) if task.desired == DesiredStatus::Running => {
                        Err(format!("task {} is stopped, but goes on", task.key.id))
                    }
                    // One that isn't there was removed since: it had stopped long ago.
                    _ => Ok(()),
                }
            }
            (_, Answer::RegisterTaskDefinition(answer)) => {
                let doc = answer.task_definition.as_ref().ok_or("the answer has no task definition")?;
                let key = self.definition(doc.task_definition_arn.as_ref()).ok_or("the answer has no ARN")?;
                let stored =
                    ledger.definitions.get(&key).ok_or_else(|| format!("{} is not stored", key.arn()))?;
                let same = stored.doc.container_definitions == doc.container_definitions;
                if same { Ok(()) } else { Err(format!("{} is stored otherwise", key.arn())) }
            }
            (Request::DeregisterTaskDefinition(request), _) => {
                self.has_come_to(&request.task_definition, TaskDefinitionState::Inactive, ledger)
            }
            (_, Answer::DeleteTaskDefinitions(answer)) => {
                answer.task_definitions.iter().flatten().try_for_each(|doc| {
                    let arn = doc.task_definition_arn.as_deref().unwrap_or_default();
                    self.has_come_to(arn, TaskDefinitionState::DeleteInProgress, ledger)
                })
            }
            (_, Answer::CreateDaemon(answer)) => {
                let arn = answer.daemon_arn.as_deref().ok_or("the answer has no ARN")?;
                let state = answer.status;
                let there = ledger.daemons().any(|daemon| daemon.key.arn() == arn);
                // One that was deleted meanwhile may be gone already.
                if there || ledger.was_deleted(arn) {
                    Ok(())
                } else {
                    Err(format!("daemon {arn} is {state:?}, but not stored"))
                }
            }
            (Request::DeleteDaemon(request), _) => {
                let active = ledger.daemons().find(|daemon| daemon.key.arn() == request.daemon_arn);
                match active.filter(|daemon| daemon.state == DaemonState::Active) {
                    // It may have been created again.
                    Some(daemon) if !ledger.was_deleted(&request.daemon_arn) => {
                        Err(format!("daemon {} is deleted, but goes on", daemon.key.name))
                    }
                    _ => Ok(()),
                }
            }
            (_, Answer::CreateService(answer)) => self.deployed(answer.service.as_deref(), ledger),
            (_, Answer::UpdateService(answer)) => self.deployed(answer.service.as_deref(), ledger),
            _ => Ok(()),
        }
    }

    fn definition(&self, arn: Option<&String>) -> Option<TaskDefinitionKey> {
        let named = task_definition_ref(&self.scope, arn?).ok()?;
        Some(TaskDefinitionKey { scope: self.scope.clone(), family: named.family, revision: named.revision? })
    }

    fn has_come_to(&self, named: &str, state: TaskDefinitionState, ledger: &Ledger) -> Checked {
        let found = self.definition(Some(&named.to_owned())).and_then(|key| ledger.definitions.get(&key));
        match found {
            Some(found) if found.state >= state => Ok(()),
            found => Err(format!("{named} should be {state:?}, it is {:?}", found.map(|found| found.state))),
        }
    }

    /// The deployment that was answered is there for good: with its revision and its record.
    fn deployed(&self, service: Option<&model::Service>, ledger: &Ledger) -> Checked {
        let service = service.ok_or("the answer has no service")?;
        let newest = service.deployments.iter().flatten().next().and_then(|one| one.id.as_deref());
        let Some(id) = newest.and_then(DeploymentId::parse) else { return Ok(()) };
        if ledger.revisions.keys().any(|key| key.id == id) && ledger.knows_deployment(id) {
            return Ok(());
        }
        Err(format!("deployment {id} was answered, but is not stored"))
    }

    fn ran(&mut self, request: &RunTaskRequest, answer: &RunTaskResponse, ledger: &Ledger) -> Checked {
        let cluster = self.cluster(request.cluster.as_ref()).ok_or("no cluster")?;
        let arns = answer.tasks.iter().flatten().filter_map(|task| task.task_arn.as_deref());
        let answered: BTreeSet<TaskKey> = arns.filter_map(|arn| task_ref(&cluster, arn).ok()).collect();
        let made: BTreeSet<TaskKey> =
            ledger.started_by(request.started_by.as_deref().unwrap_or_default()).iter().cloned().collect();
        if let Some(missing) = answered.iter().find(|key| !made.contains(key)) {
            return Err(format!("task {} was answered, but never stored", missing.id));
        }
        check_shares(request, answer)?;
        let Some(token) = &request.client_token else { return Ok(()) };
        // A task that was removed since is not shown again.
        let mut hidden = made.iter().filter(|key| !answered.contains(key));
        if let Some(shown) = hidden.find(|key| ledger.tasks.contains_key(key)) {
            return Err(format!("token {token} made task {}, which is not answered", shown.id));
        }
        let first = self.tokens.entry(token.clone()).or_insert_with(|| made.clone());
        if *first != made {
            return Err(format!("token {token} made {} tasks and then {}", first.len(), made.len()));
        }
        Ok(())
    }

    /// Whether what is stored may be seen.
    pub(crate) fn check(&self, ledger: &Ledger) -> Checked {
        for (key, register) in &self.clusters {
            let active = ledger.clusters.get(key).is_some_and(|it| it.status == ClusterStatus::Active);
            allowed(register, &active, || format!("cluster {} is ACTIVE", key.name))?;
        }
        for (key, register) in &self.insights {
            let settings = ledger.clusters.get(key).and_then(|it| it.settings.settings.first());
            let Some(value) = settings.and_then(|setting| setting.value.clone()) else { continue };
            allowed(register, &value, || format!("containerInsights of {}", key.name))?;
        }
        for (key, facts) in &self.services {
            let Some(service) = ledger.services.get(key) else { continue };
            let named = |what: &str| format!("{what} of service {}/{}", key.cluster.name, key.name);
            allowed(&facts.active, &(service.status == ServiceStatus::Active), || named("being ACTIVE"))?;
            if service.scheduling_strategy() == SchedulingStrategy::Replica {
                allowed(&facts.desired, &service.desired_count(), || named("desiredCount"))?;
            }
        }
        self.instances.check(ledger)?;
        for (arn, register) in &self.tags {
            allowed(register, &ledger.tag_of(arn), || format!("the tag of {arn}"))?;
        }
        for (token, made) in &self.tokens {
            let now = ledger.started_by(token).len();
            if now != made.len() {
                return Err(format!("token {token} made {} tasks and then {now}", made.len()));
            }
        }
        Ok(())
    }
}

/// Whether the tasks of a request with a strategy went to its providers by base and weight.
fn check_shares(request: &RunTaskRequest, answer: &RunTaskResponse) -> Checked {
    let strategy = request.capacity_provider_strategy.as_deref().unwrap_or_default();
    // Where a provider had no room, others carry what they carry; and a repeat shows what is left of the tasks.
    let wanted = usize::try_from(request.count.unwrap_or(1)).unwrap_or(0);
    if strategy.is_empty() || answer.tasks.as_ref().is_none_or(|tasks| tasks.len() != wanted) {
        return Ok(());
    }
    let tasks =
        answer.tasks.iter().flatten().map(|task| task.capacity_provider_name.as_deref().unwrap_or_default());
    capacity::check_shares(strategy, |_| 0, tasks)
}

fn allowed<V: PartialEq + std::fmt::Debug>(
    register: &Register<V>,
    value: &V,
    what: impl FnOnce() -> String,
) -> Checked {
    if register.allows(value) {
        return Ok(());
    }
    Err(format!("{}: it is {value:?}, but may only be one of {register}", what()))
}

/// How the writes of a call end, whatever they write.
trait Settle {
    fn refuse(&mut self, call: u64);
    fn give_up(&mut self, call: u64, at: u64);
    fn acknowledge(&mut self, call: u64, at: u64);
}

impl<V: PartialEq + std::fmt::Debug> Settle for Register<V> {
    fn refuse(&mut self, call: u64) {
        Register::refuse(self, call);
    }

    fn give_up(&mut self, call: u64, at: u64) {
        Register::give_up(self, call, at);
    }

    fn acknowledge(&mut self, call: u64, at: u64) {
        Register::acknowledge(self, call, at);
    }
}
