//! Placement: which instance a task goes to, by resources, constraints and strategies.
//!
//! Pure. Constraints with the cluster query language are evaluated by [`crate::expression`].

use std::collections::{BTreeMap, BTreeSet};

use crate::expression::{Expression, Subject};
use crate::generated as model;
use crate::model::{ContainerDefinition, NetworkMode, PlacementConstraintType, PlacementStrategyType};
use crate::name::HexId;

/// Amounts of what tasks share on an instance.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Amounts {
    /// CPU units: 1024 are one vCPU.
    pub cpu: i64,
    /// MiB
    pub memory: i64,
    /// Host ports.
    pub ports: Vec<u16>,
}

/// An instance that a task might go to.
#[derive(Clone, Debug, PartialEq)]
pub struct Candidate {
    /// Its id.
    pub id: HexId,
    /// The host's name, as the strategies and expressions call it: `instanceId`.
    pub host: String,
    /// `ecs.availability-zone`
    pub availability_zone: String,
    /// What is left; `ports` are those in use.
    pub remaining: Amounts,
    /// Its attributes.
    pub attributes: Vec<model::Attribute>,
    /// Whether it takes tasks and answers.
    pub available: bool,
    /// How many tasks of the same group run on it.
    pub of_group: usize,
    /// The groups of the tasks on it, as far as an expression asks for them.
    pub groups: Vec<String>,
    /// Whether an agent registered it, which runs its tasks and tells by attributes what it is capable of. A node
    /// is capable of whatever the orchestrator accepts.
    pub by_agent: bool,
}

/// What is asked of the instances.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Demand {
    /// What one task takes.
    pub amounts: Amounts,
    /// Constraints of the request or the service.
    pub constraints: Vec<model::PlacementConstraint>,
    /// `memberOf` expressions of the task definition.
    pub definition_expressions: Vec<String>,
    /// Attributes that the task needs: `requiresAttributes` of its task definition.
    pub requires: Vec<model::Attribute>,
    /// Strategies, the first counts most.
    pub strategies: Vec<model::PlacementStrategy>,
    /// Only these instances come into question: those of a capacity provider. None for all.
    pub only: Option<BTreeSet<HexId>>,
    /// The group of the task.
    pub group: String,
}

/// What of the tasks that instances have already decides where another one goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Neighbours {
    /// How many of them are of the same group.
    pub counted: bool,
    /// Of which groups they are.
    pub named: bool,
}

/// Why an instance didn't get a task: the words of `failures[].reason`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Misfit {
    /// Too little CPU.
    Cpu,
    /// Too little memory.
    Memory,
    /// A host port is taken.
    Ports,
    /// It doesn't answer, or takes no tasks.
    Agent,
    /// It lacks an attribute that the task needs.
    Attribute,
    /// A constraint speaks against it.
    MemberOf,
    /// A task of the group runs on it already.
    DistinctInstance,
}

impl Misfit {
    /// `failures[].reason`. (AWS documentation, API failures messages)
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Cpu => "RESOURCE:CPU",
            Self::Memory => "RESOURCE:MEMORY",
            Self::Ports => "RESOURCE:PORTS",
            Self::Agent => "AGENT",
            Self::Attribute => "ATTRIBUTE",
            Self::MemberOf => "MemberOf placement constraint unsatisfied.",
            Self::DistinctInstance => "DistinctInstance placement constraint unsatisfied.",
        }
    }

    /// The end of the sentence in a service event: `The closest matching (container-instance ID) ...`
    pub const fn as_event(self) -> &'static str {
        match self {
            Self::Cpu => "has insufficient CPU units available",
            Self::Memory => "has insufficient memory available",
            Self::Ports => "is already using a port required by your task",
            Self::Agent => "encountered error \"AGENT\"",
            Self::Attribute => "is missing an attribute required by your task",
            Self::MemberOf => "encountered error \"MemberOf placement constraint unsatisfied.\"",
            Self::DistinctInstance => {
                "encountered error \"DistinctInstance placement constraint unsatisfied.\""
            }
        }
    }
}

/// What one task of a definition takes from its instance.
pub fn demand_of(definition: &model::TaskDefinition, overrides: Option<&model::TaskOverride>) -> Amounts {
    let containers = definition.container_definitions.as_deref().unwrap_or_default();
    let number = |text: Option<&String>| text.and_then(|text| text.parse::<i64>().ok());
    let cpu_of =
        |container: &ContainerDefinition| overridden(overrides, container, |o| o.cpu).or(container.cpu);
    // The reservation is what is set aside; without one, it is the limit.
    let memory_of = |container: &ContainerDefinition| {
        let reservation =
            overridden(overrides, container, |o| o.memory_reservation).or(container.memory_reservation);
        reservation.or_else(|| overridden(overrides, container, |o| o.memory)).or(container.memory)
    };
    let fixed = definition.network_mode == Some(NetworkMode::Host);
    let ports = containers
        .iter()
        .flat_map(|container| container.port_mappings.iter().flatten())
        .filter_map(|mapping| mapping.host_port.or(if fixed { mapping.container_port } else { None }))
        .filter(|port| *port != 0 && definition.network_mode != Some(NetworkMode::Awsvpc))
        .filter_map(|port| u16::try_from(port).ok())
        .collect();
    let cpu = overrides.and_then(|o| number(o.cpu.as_ref())).or_else(|| number(definition.cpu.as_ref()));
    let memory =
        overrides.and_then(|o| number(o.memory.as_ref())).or_else(|| number(definition.memory.as_ref()));
    Amounts {
        cpu: cpu.unwrap_or_else(|| containers.iter().filter_map(cpu_of).map(i64::from).sum()),
        memory: memory.unwrap_or_else(|| containers.iter().filter_map(memory_of).map(i64::from).sum()),
        ports,
    }
}

/// What the request overrides of a container.
fn overridden(
    overrides: Option<&model::TaskOverride>,
    container: &ContainerDefinition,
    of: fn(&model::ContainerOverride) -> Option<i32>,
) -> Option<i32> {
    let mut all = overrides?.container_overrides.iter().flatten();
    all.find(|one| one.name == container.name).and_then(of)
}

impl Demand {
    /// What has to be known of the tasks that instances have.
    pub fn neighbours(&self) -> Neighbours {
        let spreads =
            self.strategies.iter().any(|strategy| strategy.r#type == Some(PlacementStrategyType::Spread));
        let expressions = self.constraints.iter().filter_map(|constraint| constraint.expression.as_ref());
        let mut expressions = expressions.chain(&self.definition_expressions);
        Neighbours {
            counted: spreads || self.is_distinct(),
            // `task:group` is the only thing of tasks that the query language knows.
            named: expressions.any(|expression| expression.contains("task:")),
        }
    }

    /// Whether each task of the group has to be on an instance of its own.
    fn is_distinct(&self) -> bool {
        self.constraints.iter().any(|one| one.r#type == Some(PlacementConstraintType::DistinctInstance))
    }

    /// The `memberOf` expressions, parsed; None for one that makes no sense, which nothing matches.
    fn expressions(&self) -> Vec<Option<Expression>> {
        self.constraints
            .iter()
            .filter(|constraint| constraint.r#type == Some(PlacementConstraintType::MemberOf))
            .filter_map(|constraint| constraint.expression.as_ref())
            .chain(&self.definition_expressions)
            .map(|text| Expression::parse(text).ok())
            .collect()
    }
}

impl Candidate {
    /// Whether a task fits, or what speaks against it first.
    ///
    /// # Errors
    /// What speaks against it.
    pub fn check(&self, demand: &Demand) -> Result<(), Misfit> {
        self.check_parsed(demand, &demand.expressions())
    }

    fn check_parsed(&self, demand: &Demand, expressions: &[Option<Expression>]) -> Result<(), Misfit> {
        if !self.available {
            return Err(Misfit::Agent);
        }
        if self.by_agent && !demand.requires.iter().all(|wanted| self.has(wanted)) {
            return Err(Misfit::Attribute);
        }
        let subject = Subject {
            attributes: &self.attributes,
            instance: &self.host,
            zone: &self.availability_zone,
            agent_connected: Some(self.available),
            groups: Some(&self.groups),
            ..Subject::default()
        };
        if !expressions.iter().all(|one| one.as_ref().is_some_and(|one| one.matches(&subject))) {
            return Err(Misfit::MemberOf);
        }
        if self.of_group > 0 && demand.is_distinct() {
            return Err(Misfit::DistinctInstance);
        }
        let (wanted, left) = (&demand.amounts, &self.remaining);
        if wanted.cpu > left.cpu {
            return Err(Misfit::Cpu);
        }
        if wanted.memory > left.memory {
            return Err(Misfit::Memory);
        }
        if wanted.ports.iter().any(|port| left.ports.contains(port)) {
            return Err(Misfit::Ports);
        }
        Ok(())
    }

    /// Whether it has an attribute; with that value, if it is one with a value.
    fn has(&self, wanted: &model::Attribute) -> bool {
        let fits = |have: &&model::Attribute| {
            have.name == wanted.name && (wanted.value.is_none() || wanted.value == have.value)
        };
        self.attributes.iter().any(|have| fits(&have))
    }

    /// Notes that a task goes here.
    pub fn take(&mut self, demand: &Demand) {
        self.remaining.cpu -= demand.amounts.cpu;
        self.remaining.memory -= demand.amounts.memory;
        self.remaining.ports.extend(&demand.amounts.ports);
        self.of_group += 1;
        self.groups.push(demand.group.clone());
    }

    /// What `field` of a spread strategy is for this instance.
    fn field(&self, field: &str) -> String {
        match field {
            "instanceId" | "host" => self.host.clone(),
            "attribute:ecs.availability-zone" => self.availability_zone.clone(),
            other => {
                let name = other.strip_prefix("attribute:").unwrap_or(other);
                let found = self.attributes.iter().find(|attribute| attribute.name == name);
                found.and_then(|attribute| attribute.value.clone()).unwrap_or_default()
            }
        }
    }
}

/// Picks the instance for the next task and notes it there. `chance` decides what nothing else does.
///
/// # Errors
/// What speaks against each instance that comes into question, in their order.
pub fn place(
    candidates: &mut [Candidate],
    demand: &Demand,
    chance: u64,
) -> Result<usize, Vec<(HexId, Misfit)>> {
    let mut fitting = Vec::new();
    let mut misfits = Vec::new();
    let expressions = demand.expressions();
    let asked = |candidate: &Candidate| demand.only.as_ref().is_none_or(|only| only.contains(&candidate.id));
    for (index, candidate) in candidates.iter().enumerate().filter(|(_, candidate)| asked(candidate)) {
        match candidate.check_parsed(demand, &expressions) {
            Ok(()) => fitting.push(index),
            Err(misfit) => misfits.push((candidate.id, misfit)),
        }
    }
    if fitting.is_empty() {
        return Err(misfits);
    }
    for strategy in &demand.strategies {
        let field = strategy.field.as_deref().unwrap_or_default();
        match strategy.r#type {
            Some(PlacementStrategyType::Spread) => {
                let mut counts: BTreeMap<String, usize> = BTreeMap::new();
                for candidate in candidates.iter() {
                    *counts.entry(candidate.field(field)).or_default() += candidate.of_group;
                }
                keep_least(&mut fitting, |index| counts[&candidates[index].field(field)]);
            }
            Some(PlacementStrategyType::Binpack) => {
                let memory = field.eq_ignore_ascii_case("memory");
                keep_least(&mut fitting, |index| {
                    let left = &candidates[index].remaining;
                    if memory { left.memory } else { left.cpu }
                });
            }
            Some(PlacementStrategyType::Random) | None => {}
        }
    }
    if demand.strategies.is_empty() {
        // Without a strategy ECS spreads a service's tasks over the zones; over instances too, it stays even.
        let mut zones: BTreeMap<&str, usize> = BTreeMap::new();
        for candidate in candidates.iter() {
            *zones.entry(&candidate.availability_zone).or_default() += candidate.of_group;
        }
        keep_least(&mut fitting, |index| zones[candidates[index].availability_zone.as_str()]);
        keep_least(&mut fitting, |index| candidates[index].of_group);
    }
    let among = u64::try_from(fitting.len()).unwrap_or(1);
    let chosen = fitting[usize::try_from(chance % among).unwrap_or(0)];
    candidates[chosen].take(demand);
    Ok(chosen)
}

fn keep_least<K: Ord>(fitting: &mut Vec<usize>, key: impl Fn(usize) -> K) {
    if let Some(least) = fitting.iter().map(|index| key(*index)).min() {
        fitting.retain(|index| key(*index) == least);
    }
}

#[cfg(test)]
mod tests;
