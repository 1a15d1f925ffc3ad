//! A history of a service as a text that a person can judge, compared with a golden file.
//!
//! Tasks are letters behind their deployment: `d1 3H 1X | d2 2P`. P: on its way to RUNNING. U: RUNNING, health not
//! known yet. H: RUNNING and healthy (or without a health check). X: RUNNING and unhealthy. E: told to end. L: on its
//! way out. S: STOPPED, not seen by the scheduler yet. A star: protected. `@i1`: on instance 1.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::PathBuf;

use kecs_domain::model::HealthStatus;
use kecs_domain::name::{DeploymentId, HexId, TaskId};
use kecs_domain::service::Plan;
use kecs_domain::task::Task;

use super::invariants::{is_steady, violation};
use super::world::{Settings, Stage, World};

/// How many new events a step shows; of more, the first and the last.
const EVENTS_SHOWN: usize = 6;

pub(crate) struct Story {
    pub(crate) world: World,
    settings: Settings,
    name: &'static str,
    text: String,
    step: usize,
    told: BTreeSet<String>,
}

impl Story {
    /// Begins a history. `about` says what it shows.
    pub(crate) fn new(name: &'static str, about: &str, settings: Settings) -> Self {
        let mut text = format!("{about}\n\n");
        let kind = match settings.daemon_on {
            Some(instances) => format!("DAEMON on {instances} instances"),
            None => format!("REPLICA, desired {}", settings.desired),
        };
        let (minimum, maximum) = settings.percents;
        let _ = write!(text, "service: {kind}, minimum {minimum} %, maximum {maximum} %");
        if settings.checked {
            text.push_str(", with a health check");
        }
        if let Some(breaker) = &settings.breaker {
            text.push_str(if breaker.rollback {
                ", circuit breaker with rollback"
            } else {
                ", circuit breaker"
            });
        }
        text.push('\n');
        let world = World::new(&settings);
        Self { world, settings, name, text, step: 0, told: BTreeSet::new() }
    }

    /// Plans, writes down the plan under `happened`, and carries it out.
    pub(crate) fn turn(&mut self, happened: &str) {
        self.step += 1;
        let plan = self.checked_plan();
        let _ = write!(self.text, "\n{}. {happened}\n", self.step);
        let tasks = tasks(&self.world);
        self.line("tasks", &tasks);
        for start in &plan.start {
            let at = start.instance.map_or_else(String::new, |at| format!(" on i{}", at.bits()));
            self.line("start", &format!("{} of {}{at}", start.count, deployment(start.deployment)));
        }
        let mut stops: Vec<(String, Vec<TaskId>)> = Vec::new();
        for (key, why) in &plan.stop {
            let reason = format!("{}: {}", why.code, why.reason);
            match stops.iter_mut().find(|(same, _)| *same == reason) {
                Some((_, ids)) => ids.push(key.id),
                None => stops.push((reason, vec![key.id])),
            }
        }
        for (reason, ids) in stops {
            self.line("stop", &format!("{} ({})", ranges(&ids), named(&reason)));
        }
        let mut records: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for change in &plan.records {
            let event = format!("{:?}", change.event);
            let event = event.split([' ', '{']).next().unwrap_or_default().to_owned();
            records.entry(named(&change.record)).or_default().push(event);
        }
        let touched: Vec<String> = plan.records.iter().map(|change| change.record.clone()).collect();
        if let Some(rollback) = &plan.rollback {
            let text = format!("of {} to {}", deployment(rollback.from), deployment(rollback.to));
            self.line("rollback", &text);
        }
        if let Some(after) = plan.again_after {
            self.line("again", &format!("after {} s", after.as_secs()));
        }
        self.world.execute(plan);
        self.after(&touched);
    }

    /// Goes on without writing anything down.
    pub(crate) fn quietly(&mut self, turns: usize) {
        for _ in 0..turns {
            let plan = self.checked_plan();
            self.world.execute(plan);
        }
        self.told.extend(self.world.service.events.iter().filter_map(|event| event.id.clone()));
    }

    fn checked_plan(&self) -> Plan {
        let plan = self.world.plan();
        assert_eq!(violation(&self.world, &self.settings, &plan), None, "step {}", self.step);
        plan
    }

    fn after(&mut self, records: &[String]) {
        let events: Vec<String> = {
            let new = self.world.service.events.iter().rev();
            let new = new.filter(|event| !self.told.contains(event.id.as_deref().unwrap_or_default()));
            new.filter_map(|event| event.message.clone()).map(|message| named(&message)).collect()
        };
        self.told.extend(self.world.service.events.iter().filter_map(|event| event.id.clone()));
        let hidden = if events.len() > EVENTS_SHOWN { events.len() - 2 } else { 0 };
        for (index, event) in events.iter().enumerate() {
            if hidden == 0 || index == 0 || index == events.len() - 1 {
                self.line("event", event);
            } else if index == 1 {
                self.line("event", &format!("... {hidden} more ..."));
            }
        }
        let unique: BTreeSet<&String> = records.iter().collect();
        for id in unique {
            let record = &self.world.records[id];
            let reason = record
                .doc
                .status_reason
                .as_deref()
                .map_or_else(String::new, |reason| format!(" \"{reason}\""));
            self.line("record", &format!("{} is {}{reason}", named(id), record.status()));
        }
        for one in self.world.service.deployments.clone() {
            let text = format!(
                "{} {} web:{} desired {} pending {} running {} failed {} {} \"{}\"",
                deployment(one.id),
                one.status.as_str(),
                one.definition.revision,
                one.desired,
                one.pending,
                one.running,
                one.failed,
                one.rollout,
                named(&one.rollout_reason)
            );
            self.line("now", &text);
        }
        for set in self.world.service.task_sets.clone() {
            let stable = if set.stable { "STEADY_STATE" } else { "STABILIZING" };
            let text = format!(
                "{} {} web:{} scale {} % desired {} pending {} running {} {stable}",
                deployment(set.id),
                set.status.as_str(),
                set.definition.revision,
                set.scale,
                set.desired,
                set.pending,
                set.running,
            );
            self.line("set", &text);
        }
        let service = &self.world.service;
        let text =
            format!("{} running {} pending {}", service.status.as_str(), service.running, service.pending);
        self.line("service", &text);
    }

    fn line(&mut self, label: &str, text: &str) {
        let _ = writeln!(self.text, "   {label:<9}{text}");
    }

    /// Compares the history with its golden file, or writes it with `UPDATE_GOLDEN=1`.
    pub(crate) fn end(self) {
        let file =
            PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("tests/golden/plans/{}.txt", self.name));
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            std::fs::write(&file, &self.text).expect("the golden file can be written");
            return;
        }
        let golden = std::fs::read_to_string(&file).unwrap_or_default();
        if golden == self.text {
            return;
        }
        let pairs = golden.lines().map(Some).chain(std::iter::repeat(None));
        let pairs = pairs.zip(self.text.lines().map(Some).chain(std::iter::repeat(None)));
        let first = pairs
            .take_while(|(left, right)| left.is_some() || right.is_some())
            .position(|(left, right)| left != right);
        panic!(
            "{} differs from line {} on. Is that right? Then UPDATE_GOLDEN=1 writes it.\n\n{}",
            file.display(),
            first.map_or(0, |line| line + 1),
            self.text
        );
    }
}

fn deployment(id: DeploymentId) -> String {
    format!("d{}", id.number() % 1_000_000)
}

/// Replaces identifiers by short names: `t7`, `d2`, `i1`.
fn named(text: &str) -> String {
    let text = text.replace("(service web) ", "").replace("record-", "");
    let mut words: Vec<String> = text.split_inclusive([' ', ')', '.']).map(str::to_owned).collect();
    for word in &mut words {
        let bare = word.trim_matches([' ', '(', ')', '.', ':', ',']).to_owned();
        let short = if let Some(id) = DeploymentId::parse(&bare) {
            deployment(id)
        } else if let Ok(id) = bare.parse::<HexId>() {
            format!("t{}", id.bits())
        } else {
            continue;
        };
        *word = word.replace(&bare, &short);
    }
    words.concat()
}

/// `t1-t4 t9`
fn ranges(ids: &[TaskId]) -> String {
    let mut numbers: Vec<u128> = ids.iter().map(|id| id.bits()).collect();
    numbers.sort_unstable();
    let mut parts: Vec<(u128, u128)> = Vec::new();
    for number in numbers {
        match parts.last_mut() {
            Some((_, last)) if *last + 1 == number => *last = number,
            _ => parts.push((number, number)),
        }
    }
    let parts = parts.into_iter().map(|(first, last)| match first == last {
        true => format!("t{first}"),
        false => format!("t{first}-t{last}"),
    });
    parts.collect::<Vec<_>>().join(" ")
}

fn tasks(world: &World) -> String {
    let mut all: BTreeMap<DeploymentId, Vec<(String, usize)>> = BTreeMap::new();
    for (id, task) in &world.tasks {
        let of = task.service.as_ref().expect("it is a service's").deployment;
        let letter = letter(world, *id, task);
        let counted = all.entry(of).or_default();
        match counted.iter_mut().find(|(same, _)| *same == letter) {
            Some((_, count)) => *count += 1,
            None => counted.push((letter, 1)),
        }
    }
    if all.is_empty() {
        return "none".to_owned();
    }
    let parts = all.into_iter().map(|(of, counted)| {
        let counted: Vec<String> =
            counted.into_iter().map(|(letter, count)| format!("{count}{letter}")).collect();
        format!("{} {}", deployment(of), counted.join(" "))
    });
    parts.collect::<Vec<_>>().join(" | ")
}

fn letter(world: &World, id: TaskId, task: &Task) -> String {
    let letter = match world.stage(id) {
        Stage::Starting => "P",
        Stage::Told => "E",
        Stage::Leaving => "L",
        Stage::Stopped => "S",
        Stage::Up if !world.is_checked() => "H",
        Stage::Up => match task.doc.health_status {
            Some(HealthStatus::Healthy) => "H",
            Some(HealthStatus::Unhealthy) => "X",
            _ => "U",
        },
    };
    let star = if task.protected_until.is_some_and(|until| until > world.now) { "*" } else { "" };
    let at = task.instance.map_or_else(String::new, |at| format!("@i{}", at.bits()));
    format!("{letter}{star}{at}")
}

/// A service at rest: its first deployment is through.
pub(crate) fn at_rest(name: &'static str, about: &str, settings: Settings) -> Story {
    let mut story = Story::new(name, about, settings);
    story.quietly(1);
    up(&mut story.world);
    story.quietly(1);
    assert!(is_steady(&story.world.service));
    story
}

/// All tasks come up healthy.
pub(crate) fn up(world: &mut World) {
    world.all_up(HealthStatus::Healthy);
}
