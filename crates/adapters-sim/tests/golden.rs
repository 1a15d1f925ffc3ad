//! Golden timelines: what a task does, written down for people to judge.
//!
//! Each file in `golden/` has three parts between lines of `---`: remarks and what happens (`# ...`, `at 5s stop`),
//! the container definitions as a user writes them, and every observation that the simulation makes of it. With
//! `UPDATE_GOLDEN=1` in the environment the last part is written anew; review the difference then.

mod common;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use common::{BEGIN, cluster, id, text};
use kecs_adapters_sim::{Engine, NodeSpec, SimOptions};
use kecs_domain::Timestamp;
use kecs_domain::arn::TaskKey;
use kecs_domain::model::{ContainerDefinition, NetworkMode, TaskStopCode};
use kecs_domain::task::{Interruption, TaskObservation};
use kecs_testkit::orchestrator::{Recipe, invariants};
use kecs_usecases::ports::Launch;

#[test]
fn every_timeline_is_as_written_down() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .expect("the folder is there")
        .map(|entry| entry.expect("readable").path())
        .collect();
    files.sort();
    assert!(files.len() >= 20, "the timelines are there");
    let wrong: Vec<_> = files.iter().filter_map(|file| compare(file)).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The difference between a file and what happens, if there is one.
fn compare(file: &Path) -> Option<String> {
    let written = std::fs::read_to_string(file).expect("the file is readable");
    let mut parts = written.splitn(3, "---\n");
    let (head, json) = (parts.next().unwrap_or_default(), parts.next().expect("container definitions"));
    let actual = format!("{head}---\n{json}---\n{}", Story::read(head, json).play());
    if actual == written {
        return None;
    }
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(file, &actual).expect("the file can be written");
        return None;
    }
    Some(format!("{}:\n{actual}", file.display()))
}

/// A task and what happens to it.
struct Story {
    recipe: Recipe,
    options: SimOptions,
    tasks: u128,
    acts: Vec<(Timestamp, Vec<String>)>,
    end: Timestamp,
}

fn seconds(word: &str) -> Duration {
    let number = word.strip_suffix('s').expect("a time in seconds, such as 1.5s");
    Duration::from_secs_f64(number.parse().expect("a number of seconds"))
}

impl Story {
    fn read(head: &str, json: &str) -> Self {
        let containers: Vec<ContainerDefinition> = serde_json::from_str(json).expect("container definitions");
        let mut story = Self {
            recipe: Recipe::fargate("golden", containers),
            options: SimOptions::default(),
            tasks: 1,
            acts: Vec::new(),
            end: BEGIN.saturating_add(Duration::from_secs(3600)),
        };
        let options = &mut story.options;
        for line in head.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
            let words: Vec<_> = line.split_whitespace().collect();
            match words[..] {
                ["ec2", mode] => {
                    story.recipe = Recipe::bridge("golden", std::mem::take(&mut story.recipe.containers));
                    story.recipe.network = Some(mode.parse::<NetworkMode>().expect("a network mode"));
                }
                ["node", name, cpu] => {
                    let cpu = cpu.parse().expect("CPU units");
                    // The first node of a story replaces the default ones.
                    options.nodes.retain(|node| node.cpu < 1 << 20);
                    options.nodes.push(NodeSpec::new(name, "a", cpu, 1 << 16));
                }
                ["tasks", count] => story.tasks = count.parse().expect("a count"),
                ["until", time] => story.end = BEGIN.saturating_add(seconds(time)),
                ["placement-delay", time] => options.placement_delay = seconds(time),
                ["pull-delay", time] => options.pull_delay = seconds(time),
                ["start-delay", time] => options.start_delay = seconds(time),
                ["at", time, ref act @ ..] => {
                    let act = act.iter().map(|word| (*word).to_owned()).collect();
                    story.acts.push((BEGIN.saturating_add(seconds(time)), act));
                }
                _ => panic!("unknown line: {line}"),
            }
        }
        story
    }

    fn play(self) -> String {
        let mut engine = Engine::new(self.options.clone()).expect("the options make sense");
        let mut tasks: Vec<Launch> =
            (1..=self.tasks).map(|number| self.recipe.launch(&cluster(), id(number), BEGIN)).collect();
        let mut seen: BTreeMap<TaskKey, TaskObservation> = BTreeMap::new();
        for task in &tasks {
            engine.launch(BEGIN, task).expect("the definition can be simulated");
        }
        let mut out = String::new();
        let mut acts = self.acts.iter().peekable();
        loop {
            let act_at = acts.peek().map(|(at, _)| *at);
            let Some(now) =
                engine.next_deadline().into_iter().chain(act_at).min().filter(|now| *now <= self.end)
            else {
                return out;
            };
            while let Some((_, act)) = acts.next_if(|(at, _)| *at <= now) {
                out += &format!("{:>9}  ({})\n", common::at(now), act.join(" "));
                if act[..] == ["restart"] {
                    engine = Engine::new(self.options.clone()).expect("the options make sense");
                    engine.restore(now, &tasks);
                    engine.snapshot().iter().for_each(|seen| out += &text(now, seen));
                    seen.clear();
                } else {
                    self.act(&mut engine, now, act, &mut tasks);
                }
            }
            for observed in engine.advance(now) {
                out += &text(now, &observed);
                let check = seen.insert(observed.key.clone(), observed.clone());
                let check = check.map_or_else(
                    || invariants::check(&observed),
                    |it| invariants::check_next(&it, &observed),
                );
                check.unwrap_or_else(|wrong| panic!("{wrong}\n{out}"));
                let task =
                    tasks.iter_mut().find(|task| task.task.key == observed.key).expect("a task of the story");
                if let Some(next) = task.task.observe(&observed, &task.definition.doc, now) {
                    task.task = Arc::new(next);
                }
            }
        }
    }

    fn act(&self, engine: &mut Engine, now: Timestamp, act: &[String], tasks: &mut Vec<Launch>) {
        let words: Vec<_> = act.iter().map(String::as_str).collect();
        let key =
            |number: &str| TaskKey { cluster: cluster(), id: id(number.parse().expect("a task's number")) };
        let done = match words[..] {
            ["stop", number] => {
                let key = key(number);
                if let Some(task) = tasks.iter_mut().find(|task| task.task.key == key) {
                    let why = Interruption::new(TaskStopCode::UserInitiated, "Task stopped by user");
                    let stopping = task.task.interrupt(why).unwrap_or_else(|| (*task.task).clone());
                    task.task = Arc::new(stopping.begin_stopping(now).unwrap_or(stopping));
                }
                engine.stop(now, &key);
                Ok(())
            }
            ["launch", number] => {
                let launch = self.recipe.launch(&cluster(), key(number).id, now);
                engine.launch(now, &launch).expect("the definition can be simulated");
                tasks.push(launch);
                Ok(())
            }
            ["forget", number] => {
                engine.forget(&key(number));
                Ok(())
            }
            ["crash", number, container, code] => {
                engine.crash_container(now, &key(number), container, code.parse().expect("an exit code"))
            }
            ["delete", number] => engine.delete_task(now, &key(number)),
            ["interrupt-spot", number] => engine.interrupt_spot(now, &key(number)),
            ["lose-node", name] => engine.lose_node(now, name),
            ["drain", name] => engine.drain(now, name),
            ["activate", name] => engine.activate(now, name),
            ["add-node", name] => engine.add_node(now, NodeSpec::new(name, "b", 1024, 1 << 16)),
            _ => panic!("unknown act: {act:?}"),
        };
        done.expect("the fault can be brought about");
    }
}
