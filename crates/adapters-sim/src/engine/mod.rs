//! The simulation: a pure state machine over all tasks, nodes and addresses. It is told the time; the same calls with
//! the same times yield the same observations.
//!
//! Every task is in at most one place of one timer set, so that an event costs O(log n) and an idle task nothing.

mod place;
mod restore;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Range;
use std::sync::{Arc, Weak};

use kecs_domain::Timestamp;
use kecs_domain::arn::{ClusterKey, TaskDefinitionKey, TaskKey};
use kecs_domain::name::TaskId;
use kecs_domain::task::TaskObservation;
use kecs_usecases::ports::{Instance, Launch};

use crate::address::AddressPool;
use crate::logs::{self, Said};
use crate::node::Node;
use crate::options::{BadOptions, SimOptions};
use crate::script::{Script, ScriptError};
use crate::task::{Phase, SimTask, State};
use place::Need;

/// Which revision a script is of. The first says whether that is one of a daemon task definition: their families have
/// names of their own.
type ScriptKey = (bool, TaskDefinitionKey);

/// The simulation.
#[derive(Debug)]
pub struct Engine {
    pub(crate) options: SimOptions,
    /// The latest time it was told.
    now: Timestamp,
    /// Tasks by the order of their launch, which is the order of everything that happens at one instant.
    pub(crate) tasks: BTreeMap<u64, Box<SimTask>>,
    /// The number of each task. By cluster, so that an entry is an id and not a whole key.
    index: HashMap<ClusterKey, HashMap<TaskId, u64>>,
    next: u64,
    timers: BTreeSet<(Timestamp, u64)>,
    /// Tasks that have something new to tell.
    dirty: Vec<u64>,
    /// Tasks that somebody wanted to stop and that aren't here.
    unknown: Vec<TaskKey>,
    /// Tasks without a place, by what they need.
    waiting: BTreeMap<Need, BTreeSet<u64>>,
    /// Whether something became free that they might take.
    retry: bool,
    pub(crate) nodes: Vec<Node>,
    pool: AddressPool,
    scripts: HashMap<ScriptKey, Weak<Script>>,
    steps: u64,
}

/// What a simulation has to carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Load {
    /// Tasks that are not forgotten.
    pub tasks: usize,
    /// Addresses that are taken.
    pub addresses: usize,
    /// Tasks of which something is due at some time.
    pub timers: usize,
    /// Compiled task definitions.
    pub scripts: usize,
    /// How often a task was worked on, since the beginning.
    pub steps: u64,
}

impl Engine {
    /// A simulation without tasks.
    ///
    /// # Errors
    /// When `options` make no sense.
    pub fn new(options: SimOptions) -> Result<Self, BadOptions> {
        options.check()?;
        Ok(Self {
            now: Timestamp::MIN,
            tasks: BTreeMap::new(),
            index: HashMap::new(),
            next: 0,
            timers: BTreeSet::new(),
            dirty: Vec::new(),
            unknown: Vec::new(),
            waiting: BTreeMap::new(),
            retry: false,
            nodes: options.nodes.iter().cloned().map(Node::new).collect(),
            pool: AddressPool::new(options.cidr),
            scripts: HashMap::new(),
            steps: 0,
            options,
        })
    }

    /// Accepts a task; leaves it as it is if it is here already.
    ///
    /// # Errors
    /// When its task definition can't be simulated, now or ever.
    pub fn launch(&mut self, now: Timestamp, launch: &Launch) -> Result<(), ScriptError> {
        self.run_until(now);
        if self.number(&launch.task.key).is_some() {
            return Ok(());
        }
        let script = match self.known_script(launch) {
            Some(script) => script,
            None => self.add_script(launch, Script::compile(&launch.definition.doc)?),
        };
        let place_at = self.now.saturating_add(self.options.placement_delay);
        let number = self.insert(SimTask::new(launch, script, place_at));
        self.touch(number);
        self.set_timer(number, self.now);
        // Without a delay it takes its room at once: whoever places the next task must see that.
        self.run_until(self.now);
        Ok(())
    }

    /// Begins to stop a task. One that isn't here is told to be released.
    pub fn stop(&mut self, now: Timestamp, key: &TaskKey) {
        self.run_until(now);
        let Some(number) = self.number(key) else {
            self.unknown.push(key.clone());
            return;
        };
        self.change(number, |task, now, options| task.begin_stop(now, options));
        if self.tasks.get(&number).is_some_and(|task| task.phase == Phase::Released) {
            // Said again: whoever asks may have missed it.
            self.touch(number);
        }
    }

    /// Lets go of a task, in whatever state it is, and of all that it holds.
    pub fn forget(&mut self, key: &TaskKey) {
        let Some(ids) = self.index.get_mut(&key.cluster) else { return };
        let Some(number) = ids.remove(&key.id) else { return };
        if ids.is_empty() {
            self.index.remove(&key.cluster);
        }
        self.unqueue(number);
        self.release(number);
        let Some(task) = self.tasks.remove(&number) else { return };
        if let Some(deadline) = task.deadline {
            self.timers.remove(&(deadline, number));
        }
        let script = Arc::downgrade(&task.script);
        drop(task);
        if script.strong_count() == 0 {
            self.scripts.retain(|_, known| !known.ptr_eq(&script));
        }
    }

    /// Does everything that is due, and returns the tasks that have changed since the last call, each once and as it
    /// is now.
    pub fn advance(&mut self, now: Timestamp) -> Vec<TaskObservation> {
        self.run_until(now);
        let unknown = self
            .unknown
            .drain(..)
            .map(|key| TaskObservation { released: true, ..TaskObservation::accepted(key) });
        let mut changed: Vec<_> = unknown.collect();
        for number in std::mem::take(&mut self.dirty) {
            if let Some(task) = self.tasks.get_mut(&number) {
                task.dirty = false;
                changed.push(task.observation());
            }
        }
        changed
    }

    /// When [`Engine::advance`] should be called next: something is due or waits to be told. None while nothing
    /// happens by itself.
    pub fn next_deadline(&self) -> Option<Timestamp> {
        if self.retry || !self.dirty.is_empty() || !self.unknown.is_empty() {
            return Some(self.now);
        }
        self.timers.first().map(|(at, _)| *at)
    }

    /// Whether a container runs.
    pub(crate) fn runs(&mut self, now: Timestamp, key: &TaskKey, container: &str) -> bool {
        let Some(task) = self.find(now, key).and_then(|number| self.tasks.get(&number)) else { return false };
        let mut all = task.script.containers.iter().zip(&task.containers);
        all.any(|(script, one)| &*script.name == container && one.state == State::Running)
    }

    /// What a container has said by now; None if there is none of that name, or if it hasn't started.
    pub(crate) fn said(&mut self, now: Timestamp, key: &TaskKey, container: &str) -> Option<Said> {
        let number = self.find(now, key)?;
        let task = self.tasks.get(&number)?;
        let mut all = task.script.containers.iter().zip(&task.containers);
        let (script, one) = all.find(|(script, _)| &*script.name == container)?;
        logs::said(one, script.behaviour(task.lot), now)
    }

    /// Every task that is here, as it is now.
    pub fn snapshot(&self) -> Vec<TaskObservation> {
        self.tasks.values().map(|task| task.observation()).collect()
    }

    /// The keys of all tasks that are here.
    pub(crate) fn keys(&self) -> Vec<TaskKey> {
        self.tasks.values().map(|task| task.key.clone()).collect()
    }

    /// The number of the task that is launched next.
    pub(crate) fn next_number(&self) -> u64 {
        self.next
    }

    /// At most `limit` tasks as they are now, with the first of these numbers, which are taken out. None when there
    /// are no more.
    pub(crate) fn some_of(&self, numbers: &mut Range<u64>, limit: usize) -> Option<Vec<TaskObservation>> {
        let some = self.tasks.range(numbers.clone()).take(limit).map(|(number, task)| {
            numbers.start = number + 1;
            task.observation()
        });
        let some: Vec<_> = some.collect();
        (!some.is_empty()).then_some(some)
    }

    /// The nodes as container instances of a cluster in `region`.
    pub fn instances(&self, region: &str) -> Vec<Instance> {
        self.nodes.iter().map(|node| node.instance(region)).collect()
    }

    /// How many nodes there are, lost ones included, as in [`Engine::instances`].
    pub fn node_count(&self) -> usize {
        self.nodes.len()
    }

    /// What the simulation has to carry, and has had to do.
    pub fn load(&self) -> Load {
        Load {
            tasks: self.tasks.len(),
            addresses: self.pool.len(),
            timers: self.timers.len(),
            scripts: self.scripts.len(),
            steps: self.steps,
        }
    }

    /// Those who wait should look again: there may be room now.
    pub(crate) fn retry_waiting(&mut self) {
        self.retry = !self.waiting.is_empty();
    }

    /// The number of the task, once everything is done that is due at `now`.
    pub(crate) fn find(&mut self, now: Timestamp, key: &TaskKey) -> Option<u64> {
        self.run_until(now);
        self.number(key)
    }

    pub(super) fn number(&self, key: &TaskKey) -> Option<u64> {
        self.index.get(&key.cluster)?.get(&key.id).copied()
    }

    /// Changes a task now, so that it can't wait for a place any more, and does what follows.
    pub(crate) fn change(&mut self, number: u64, change: impl FnOnce(&mut SimTask, Timestamp, &SimOptions)) {
        self.unqueue(number);
        if let Some(task) = self.tasks.get_mut(&number) {
            change(task, self.now, &self.options);
        }
        self.settle(number, self.now);
    }

    /// Processes everything that is due until `now`, in the order of time. Time never goes back.
    pub(crate) fn run_until(&mut self, now: Timestamp) {
        let now = now.max(self.now);
        loop {
            let next = self.timers.first().copied().filter(|(at, _)| *at <= now);
            // Those who wait come after everything else that happens at the instant.
            if self.retry && next.is_none_or(|(at, _)| at > self.now) {
                self.retry = false;
                self.place_waiting();
                continue;
            }
            let Some((at, number)) = next else { break };
            self.now = self.now.max(at);
            self.work(number, at);
        }
        self.now = now;
    }

    fn work(&mut self, number: u64, at: Timestamp) {
        let placing = self.tasks.get(&number).is_some_and(|task| matches!(task.phase, Phase::Placing(_)));
        if placing && !self.place(number, at) {
            self.queue(number);
        }
        self.settle(number, at);
    }

    /// Does what is due for the task at `at`, and sets its timer anew.
    fn settle(&mut self, number: u64, at: Timestamp) {
        let Some(task) = self.tasks.get_mut(&number) else { return };
        self.steps += 1;
        task.settle(at, &self.options);
        let released =
            task.release_at.is_some_and(|release_at| release_at <= at) && task.phase != Phase::Released;
        let news = std::mem::take(&mut task.news);
        if released {
            self.release(number);
        }
        if news || released {
            self.touch(number);
        }
        self.set_timer(number, at);
    }

    fn set_timer(&mut self, number: u64, at: Timestamp) {
        let Some(task) = self.tasks.get_mut(&number) else { return };
        let deadline = task.due(at, &self.options);
        let before = std::mem::replace(&mut task.deadline, deadline);
        if before != deadline {
            before.map(|before| self.timers.remove(&(before, number)));
            deadline.map(|deadline| self.timers.insert((deadline, number)));
        }
    }

    /// Notes that there is something to tell of the task.
    fn touch(&mut self, number: u64) {
        if let Some(task) = self.tasks.get_mut(&number).filter(|task| !task.dirty) {
            task.dirty = true;
            self.dirty.push(number);
        }
    }

    fn insert(&mut self, task: SimTask) -> u64 {
        let number = self.next;
        self.next += 1;
        self.index.entry(task.key.cluster.clone()).or_default().insert(task.key.id, number);
        self.tasks.insert(number, Box::new(task));
        number
    }

    /// The compiled form of a revision, if some task has it. A revision never changes.
    fn known_script(&self, launch: &Launch) -> Option<Arc<Script>> {
        self.scripts.get(&script_key(launch)).and_then(Weak::upgrade)
    }

    fn add_script(&mut self, launch: &Launch, script: Script) -> Arc<Script> {
        let script = Arc::new(script);
        self.scripts.insert(script_key(launch), Arc::downgrade(&script));
        script
    }
}

fn script_key(launch: &Launch) -> ScriptKey {
    (launch.task.daemon.is_some(), launch.definition.key.clone())
}
