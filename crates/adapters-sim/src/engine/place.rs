//! Where tasks go, and what becomes of what they held.

use std::cmp::Reverse;

use kecs_domain::Timestamp;
use kecs_domain::name::HexId;
use kecs_domain::placement::Misfit;
use kecs_domain::task::TaskFailure;

use super::Engine;
use crate::node::Demand;
use crate::script::PortScript;
use crate::task::{Address, Phase, SimTask};

/// What a task that waits needs. Tasks that need the same get their places in the order of their launch, and when
/// there is none for the first of them there is none for the others.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Need {
    fargate: bool,
    interface: bool,
    instance: Option<HexId>,
    demand: Demand,
    ports: Box<[PortScript]>,
}

impl Need {
    fn of(task: &SimTask) -> Self {
        Self {
            fargate: task.fargate,
            interface: task.has_interface(),
            instance: task.instance,
            demand: task.demand,
            ports: task.script.ports.clone(),
        }
    }
}

impl Engine {
    /// Gives a task its place, its ports and its address. False if there is none at the moment; the task says so.
    pub(super) fn place(&mut self, number: u64, at: Timestamp) -> bool {
        let Some(task) = self.tasks.get(&number) else { return true };
        let (demand, script, key) = (task.demand, task.script.clone(), task.key.clone());
        let interface = task.has_interface();
        let (node, host_ports) = match self.room_for(number) {
            Ok(room) => room,
            Err(Unplaced::Lost(reason)) => {
                if let Some(task) = self.tasks.get_mut(&number) {
                    task.lose(at, reason);
                }
                return true;
            }
            Err(Unplaced::Full(reason)) => return self.unplaceable(number, reason),
        };
        let address = interface.then(|| self.pool.take(key.id));
        if address == Some(None) {
            if let Some(node) = node {
                self.nodes[node].give_back(demand, &script.ports, &host_ports);
            }
            return self.unplaceable(number, format!("There is no free address in {}.", self.pool.cidr()));
        }
        let Some(task) = self.tasks.get_mut(&number) else { return true };
        if let Some(node) = node.map(|node| &self.nodes[node]) {
            task.instance = Some(node.id);
            task.zone = Some(node.zone(key.cluster.scope.region()).into());
        }
        task.host_ports = host_ports;
        task.address = address.flatten().map(|ip| Address { ip, pooled: true, connected_at: at });
        task.place(at, &self.options);
        true
    }

    /// Takes room on a node for a task, with its host ports. No node on Fargate.
    fn room_for(&mut self, number: u64) -> Result<(Option<usize>, Box<[u16]>), Unplaced> {
        let Some(task) = self.tasks.get(&number).filter(|task| !task.fargate) else {
            return Ok((None, Box::default()));
        };
        let (demand, script) = (task.demand, task.script.clone());
        let mut candidates = match task.instance {
            // It was placed by whoever launched it; constraints and the instance's state were their business.
            Some(id) => match self.nodes.iter().position(|node| node.id == id && node.connected) {
                Some(node) => vec![node],
                None => return Err(Unplaced::Lost(self.terminated(id))),
            },
            None => self.by_room(),
        };
        let fits = |node: &usize| self.nodes[*node].fits(demand, &script.ports);
        let Some(closest) = candidates.first().copied() else {
            return Err(Unplaced::Full("No Container Instances were found in your cluster.".to_owned()));
        };
        let misfit = fits(&closest).err().unwrap_or(Misfit::Ports);
        candidates.retain(|node| fits(node).is_ok());
        for node in candidates {
            if let Some(host_ports) = self.nodes[node].take(demand, &script.ports) {
                return Ok((Some(node), host_ports));
            }
        }
        let closest = self.nodes[closest].id;
        Err(Unplaced::Full(format!(
            "The closest matching (container-instance {closest}) {}.",
            misfit.as_event()
        )))
    }

    /// The nodes that take tasks, those with the most room first.
    fn by_room(&self) -> Vec<usize> {
        let mut open: Vec<_> = (0..self.nodes.len()).collect();
        open.retain(|node| self.nodes[*node].connected && !self.nodes[*node].draining);
        open.sort_by_key(|node| {
            let free = self.nodes[*node].free();
            (Reverse(free.cpu), Reverse(free.memory), *node)
        });
        open
    }

    /// Why tasks on the instance are gone, in ECS's words.
    pub(crate) fn terminated(&self, id: HexId) -> String {
        let node = self.nodes.iter().find(|node| node.id == id);
        let name = node.map_or_else(|| id.to_string(), |node| node.spec.name.clone());
        format!("Host EC2 (instance {name}) terminated.")
    }

    fn unplaceable(&mut self, number: u64, reason: String) -> bool {
        let Some(task) = self.tasks.get_mut(&number) else { return true };
        let failure = Some(Box::new(TaskFailure::Unplaceable { reason }));
        task.news |= task.failure != failure;
        task.failure = failure;
        false
    }

    /// Puts a task among those that wait.
    pub(super) fn queue(&mut self, number: u64) {
        if let Some(task) = self.tasks.get_mut(&number) {
            task.phase = Phase::Waiting;
            self.waiting.entry(Need::of(task)).or_default().insert(number);
        }
    }

    /// Takes a task out of those that wait, if it is one.
    pub(super) fn unqueue(&mut self, number: u64) {
        let Some(task) = self.tasks.get(&number).filter(|task| task.phase == Phase::Waiting) else { return };
        let need = Need::of(task);
        if let Some(queue) = self.waiting.get_mut(&need) {
            queue.remove(&number);
            if queue.is_empty() {
                self.waiting.remove(&need);
            }
        }
    }

    /// Gives those who wait what has become free.
    pub(super) fn place_waiting(&mut self) {
        let needs: Vec<_> = self.waiting.keys().cloned().collect();
        for need in needs {
            while let Some(number) = self.waiting.get(&need).and_then(|queue| queue.first().copied()) {
                let placed = self.place(number, self.now);
                if let Some(queue) = self.waiting.get_mut(&need).filter(|_| placed) {
                    queue.remove(&number);
                }
                self.settle(number, self.now);
                if !placed {
                    break;
                }
            }
        }
        self.waiting.retain(|_, queue| !queue.is_empty());
    }

    /// Takes back everything that a task holds. Does nothing the second time.
    pub(super) fn release(&mut self, number: u64) {
        let Some(task) = self.tasks.get_mut(&number).filter(|task| task.phase != Phase::Released) else {
            return;
        };
        task.phase = Phase::Released;
        if !task.placed {
            return;
        }
        if let Some(address) = task.address.filter(|address| address.pooled) {
            self.pool.free(address.ip);
        }
        if let Some(node) = self.nodes.iter_mut().find(|node| Some(node.id) == task.instance) {
            node.give_back(task.demand, &task.script.ports, &task.host_ports);
        }
        self.retry = !self.waiting.is_empty();
    }
}

/// Why a task has no place.
enum Unplaced {
    /// There is none at the moment.
    Full(String),
    /// There won't be: its instance is gone.
    Lost(String),
}
