//! Deployments, played over a few instances.

use std::sync::Arc;

use serde_json::json;

use crate::daemon::*;
use crate::model::DaemonDeploymentStatus as Status;
use crate::name::{DeploymentId, HexId};
use crate::task::{DesiredStatus, Task, TaskStatus};
use crate::{Scope, Timestamp};

/// A daemon on a few instances, whose tasks do what they are told.
struct Play {
    daemon: Daemon,
    record: DaemonDeployment,
    tasks: Vec<Arc<Task>>,
    stations: Vec<Station>,
    evicted: Vec<HexId>,
    gone: bool,
    seconds: i64,
    ids: u128,
}

fn daemon(configuration: serde_json::Value) -> Daemon {
    let scope = Scope::new("123456789012", "eu-central-1");
    let key = daemon_ref(&scope, "arn:aws:ecs:eu-central-1:123456789012:daemon/main/agent").unwrap();
    let given = serde_json::from_value(configuration).unwrap();
    serde_json::from_value(json!({
        "key": key,
        "state": "Active",
        "settings": settings(true),
        "configuration": crate::daemon::configuration(Some(&given)).unwrap(),
        "tags": [],
        "revision": 1,
        "deployment": "",
        "rollout": "Pending",
        "last_successful": null,
        "counts": [],
        "serving": [],
        "failures": 0,
        "threshold": 0,
        "healthy": 0,
        "in_step": false,
        "bakes_until": null,
        "throttle": {"failures": 0, "until": null},
        "created_at": 0,
        "updated_at": 0,
    }))
    .unwrap()
}

fn settings(critical: bool) -> DaemonSettings {
    serde_json::from_value(json!({
        "definition": {
            "scope": {"account": "123456789012", "region": "eu-central-1"}, "family": "agent", "revision": 1,
        },
        "capacity_providers": ["arn:cp"],
        "propagate_tags": false,
        "managed_tags": false,
        "execute_command": false,
        "critical": critical,
    }))
    .unwrap()
}

impl Play {
    fn new(instances: u128, configuration: serde_json::Value) -> Self {
        let stations = (0..instances)
            .map(|id| Station {
                instance: HexId::from_bits(id),
                provider: "arn:cp".to_owned(),
                state: StationState::Open,
            })
            .collect();
        let daemon = daemon(configuration);
        let record = DaemonDeployment::new(&daemon, "r".to_owned(), None, Timestamp::from_millis(0));
        let mut play = Self {
            daemon,
            record,
            tasks: Vec::new(),
            stations,
            evicted: Vec::new(),
            gone: false,
            seconds: 0,
            ids: 1000,
        };
        play.deploy(1, true);
        play
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.seconds * 1000)
    }

    fn deploy(&mut self, number: u64, critical: bool) {
        let id = DeploymentId::from_random(number);
        self.daemon.turn_to(id, settings(critical), Rollout::Pending);
        self.record = DaemonDeployment::new(&self.daemon, format!("r{number}"), Some(id), self.now());
        self.daemon.deployment.clone_from(&self.record.key.id);
    }

    /// One plan, carried out. Returns how many tasks were started and stopped.
    fn step(&mut self) -> (usize, usize) {
        self.seconds += 1;
        let done = plan(&DaemonInput {
            daemon: &self.daemon,
            tasks: &self.tasks,
            checked: &|_| false,
            stations: &self.stations,
            now: self.now(),
        });
        for event in &done.events {
            if let Some(next) = self.record.after(event, &done.daemon, self.now()) {
                self.record = next;
            }
        }
        self.daemon = done.daemon;
        if let Some(to) = done.rollback {
            self.daemon.turn_to(to, settings(true), Rollout::RollingBack);
        }
        self.evicted.extend(done.evict);
        self.gone |= done.gone;
        for task in &mut self.tasks {
            if let Some((_, why)) = done.stop.iter().find(|(key, _)| *key == task.key) {
                *task = Arc::new(task.interrupt(why.clone()).unwrap());
            }
            if done.account.contains(&task.key) {
                Arc::make_mut(task).accounted = true;
            }
        }
        for station in &done.start {
            self.ids += 1;
            let task: Task = serde_json::from_value(json!({
                "key": {"cluster": self.daemon.key.cluster, "id": HexId::from_bits(self.ids)},
                "doc": {},
                "status": "PENDING",
                "desired": "RUNNING",
                "definition": self.daemon.settings.definition,
                "daemon": {"name": "agent", "revision": self.daemon.revision},
                "instance": station.instance,
                "launch": {},
            }))
            .unwrap();
            self.tasks.push(Arc::new(task));
        }
        (done.start.len(), done.stop.len())
    }

    /// Stopped tasks end, pending ones run or, if `fail`, end.
    fn world(&mut self, fail: bool) {
        let now = self.now();
        for task in &mut self.tasks {
            let task = Arc::make_mut(task);
            if task.desired == DesiredStatus::Stopped {
                task.status = TaskStatus::Stopped;
            } else if task.status == TaskStatus::Pending && fail {
                task.desired = DesiredStatus::Stopped;
                task.status = TaskStatus::Stopped;
            } else if task.status == TaskStatus::Pending {
                task.status = TaskStatus::Running;
                task.doc.make_mut().started_at = Some(now);
            }
        }
        self.tasks.retain(|task| task.status != TaskStatus::Stopped || !task.accounted);
    }

    fn run(&mut self, steps: usize, fail: impl Fn(&Daemon) -> bool) {
        for _ in 0..steps {
            self.step();
            let fail = fail(&self.daemon);
            self.world(fail);
        }
    }

    fn running(&self) -> Vec<i32> {
        let sum = |counts: &RevisionCounts| counts.providers.iter().map(|it| it.running).sum();
        self.daemon.counts.iter().map(sum).collect()
    }
}

#[test]
fn the_first_deployment_starts_a_task_on_every_instance_at_once() {
    let mut play = Play::new(4, json!({}));
    assert_eq!(play.step(), (4, 0));
    assert_eq!(play.record.status(), Status::InProgress);
    assert_eq!(play.step(), (0, 0));
    play.world(false);
    assert_eq!(play.step(), (0, 0));
    assert_eq!((play.record.status(), play.running()), (Status::Successful, vec![4]));
    assert_eq!(play.daemon.serving.len(), 4);
}

#[test]
fn an_update_takes_no_more_instances_at_a_time_than_the_drain_percentage() {
    for (percent, most) in [(0.0, 1), (25.0, 1), (50.0, 2), (60.0, 2), (100.0, 4)] {
        let mut play = Play::new(4, json!({"drainPercent": percent}));
        play.run(3, |_| false);
        play.deploy(2, true);
        let mut stops = Vec::new();
        for _ in 0..40 {
            stops.push(play.step().1);
            play.world(false);
        }
        assert_eq!(stops.iter().max(), Some(&most), "{percent}");
        assert_eq!(stops.iter().sum::<usize>(), 4, "{percent}");
        assert_eq!((play.record.status(), play.running()), (Status::Successful, vec![4]), "{percent}");
    }
}

#[test]
fn every_step_bakes_before_the_next_one() {
    let mut play = Play::new(2, json!({"drainPercent": 50.0, "bakeTimeInMinutes": 1}));
    play.run(30, |_| false);
    assert_eq!(play.record.status(), Status::InProgress, "the first deployment bakes, too");
    play.run(40, |_| false);
    assert_eq!(play.record.status(), Status::Successful);
    play.deploy(2, true);
    play.run(40, |_| false);
    assert_eq!(play.running(), [1, 1]);
    play.run(100, |_| false);
    assert_eq!((play.record.status(), play.running()), (Status::Successful, vec![2]));
}

#[test]
fn a_deployment_that_fails_is_rolled_back() {
    let mut play = Play::new(4, json!({"drainPercent": 50.0}));
    play.run(3, |_| false);
    play.deploy(2, true);
    let second = play.daemon.revision;
    play.run(20, |daemon| daemon.revision == second);
    assert_eq!(play.record.status(), Status::RollbackSuccessful);
    assert_eq!(play.running(), [4]);
    assert_eq!(play.daemon.revision, DeploymentId::from_random(1));
    let breaker = play.record.doc.circuit_breaker.clone().unwrap();
    assert_eq!(breaker.status.unwrap().as_str(), "TRIGGERED");
    assert!(breaker.failure_count >= breaker.threshold);
}

#[test]
fn a_first_deployment_that_fails_is_stopped_and_starts_no_more() {
    let mut play = Play::new(2, json!({}));
    play.run(20, |_| true);
    assert_eq!((play.record.status(), play.daemon.rollout), (Status::Stopped, Rollout::Stalled));
    assert_eq!(play.step(), (0, 0));
    play.deploy(2, true);
    play.run(5, |_| false);
    assert_eq!(play.record.status(), Status::Successful);
}

#[test]
fn a_new_instance_gets_a_task_and_a_lost_one_loses_it() {
    let mut play = Play::new(2, json!({}));
    play.run(3, |_| false);
    let fresh = Station { instance: HexId::from_bits(9), ..play.stations[0].clone() };
    play.stations.push(fresh);
    assert_eq!(play.step(), (1, 0));
    play.world(false);
    play.stations.remove(0);
    assert_eq!(play.step(), (0, 1));
    play.stations[0].state = StationState::Kept;
    play.world(false);
    assert_eq!(play.step(), (0, 0), "one that is let alone keeps its task");
}

#[test]
fn the_loss_of_a_critical_daemon_empties_its_instance() {
    for critical in [true, false] {
        let mut play = Play::new(2, json!({}));
        play.deploy(2, critical);
        play.run(3, |_| false);
        let lost = Arc::make_mut(&mut play.tasks[0]);
        let instance = lost.instance.unwrap();
        lost.desired = DesiredStatus::Stopped;
        lost.status = TaskStatus::Stopped;
        assert_eq!(play.step(), (1, 0));
        assert_eq!(play.evicted, if critical { vec![instance] } else { Vec::new() });
        let without: i32 = play.daemon.counts[0].providers.iter().map(|it| it.without).sum();
        assert_eq!(without, i32::from(!critical));
    }
}

#[test]
fn a_deleted_daemon_is_gone_when_its_last_task_has_ended() {
    let mut play = Play::new(3, json!({}));
    play.run(3, |_| false);
    play.record = DaemonDeployment::new(&play.daemon, "last".to_owned(), None, play.now());
    (play.daemon.state, play.daemon.rollout) = (DaemonState::Deleting, Rollout::Pending);
    assert_eq!(play.step(), (0, 3));
    assert_eq!((play.gone, play.record.status()), (false, Status::InProgress));
    play.world(false);
    play.step();
    assert_eq!((play.gone, play.record.status()), (true, Status::Successful));
    assert!(play.evicted.is_empty());
}
