//! What a request sets, a description shows: requests are made from the model, and of each that is accepted every member
//! is looked up afterwards. An update changes what it names and nothing else.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use crate::dice::Dice;
use crate::generate::Generator;
use crate::scene::{self, Scene};
use crate::schema::MODEL;
use crate::subjects::{Subject, subjects};
use crate::world::{ME, World};

/// How many requests of each kind.
const DRAWS: usize = 150;

/// What of `given` isn't in `shown`. More may be shown than was given: defaults. An empty list may be left out.
pub(crate) fn missing(given: &Value, shown: &Value, at: &str, out: &mut Vec<String>) {
    match (given, shown) {
        (Value::Object(given), Value::Object(shown)) => {
            for (name, value) in given {
                missing(value, shown.get(name).unwrap_or(&Value::Null), &format!("{at}.{name}"), out);
            }
        }
        (Value::Array(given), Value::Array(shown)) if given.len() == shown.len() => {
            for (index, (given, shown)) in given.iter().zip(shown).enumerate() {
                missing(given, shown, &format!("{at}[{index}]"), out);
            }
        }
        (Value::Array(given), Value::Null) if given.is_empty() => {}
        (Value::Object(given), Value::Null) if given.values().all(is_nothing) => {}
        (Value::Number(given), Value::Number(shown)) if given.as_f64() == shown.as_f64() => {}
        (given, shown) if given == shown => {}
        (given, shown) => out.push(format!("{at}: given {given}, shown {shown}")),
    }
}

fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.values().all(is_nothing),
        _ => false,
    }
}

/// The settings after an update that gives `given`.
fn updated(before: &Value, given: &Value, merged: &[&str]) -> Value {
    let mut after = before.clone();
    for (name, value) in given.as_object().into_iter().flatten() {
        let whole = !merged.contains(&name.as_str()) || !after[name].is_object();
        if whole {
            after[name] = value.clone();
        } else {
            overlay(&mut after[name], value);
        }
    }
    after
}

fn overlay(before: &mut Value, given: &Value) {
    match (before, given) {
        (Value::Object(before), Value::Object(given)) => {
            for (name, value) in given {
                overlay(before.entry(name).or_insert(Value::Null), value);
            }
        }
        (before, given) => *before = given.clone(),
    }
}

/// What was tried of a subject.
#[derive(Default)]
struct Tried {
    asked: usize,
    accepted: usize,
    members: BTreeSet<String>,
    refusals: BTreeMap<String, usize>,
    faults: BTreeMap<String, String>,
}

struct Trial<'a> {
    subject: &'a Subject,
    world: &'a World,
    scene: &'a Scene,
    dice: Dice,
    tried: Tried,
}

impl Trial<'_> {
    /// A request of an operation: its base, and some of the members that it takes beside that.
    fn request(&mut self, operation: &str, base: Value) -> Value {
        let model = MODEL.operation(operation);
        let mut generator = Generator { scene: self.scene, dice: self.dice.clone() };
        let mut request = base;
        let chance = *generator.dice.pick(&[5, 15, 40]);
        for (name, member) in model.request.members() {
            let skipped = self.subject.ignored.contains(&name.as_str()) || request.get(name).is_some();
            if !skipped && generator.dice.percent(chance) {
                request[name] = generator.member(name, member, 0);
            }
        }
        self.dice = generator.dice;
        (self.subject.fix)(&mut request, &mut self.dice);
        request
    }

    fn ask(&mut self, operation: &str, request: &Value) -> Option<Value> {
        self.tried.asked += 1;
        let answer = self.world.ask(ME, operation, request);
        if answer.status != 200 {
            let (code, message) = answer.error();
            let told: String = message.chars().filter(|letter| !letter.is_ascii_digit()).take(90).collect();
            *self.tried.refusals.entry(format!("{operation} {code} {told}")).or_default() += 1;
            return None;
        }
        self.tried.accepted += 1;
        let members =
            request.as_object().into_iter().flatten().map(|(name, _)| format!("{operation}.{name}"));
        self.tried.members.extend(members);
        Some(answer.body)
    }

    fn compare(&mut self, operation: &str, request: &Value, expected: &Value, shown: &Value) {
        let mut faults = Vec::new();
        missing(expected, shown, "", &mut faults);
        for fault in faults {
            let kind: String = fault.split(": given").next().unwrap_or_default().to_owned();
            let kind: String = kind.chars().filter(|letter| !letter.is_ascii_digit()).collect();
            self.tried.faults.entry(format!("{operation}{kind}")).or_insert(format!("{fault}\n  {request}"));
        }
    }

    fn run(mut self) -> Tried {
        for n in 0..DRAWS {
            let base = (self.subject.base)(n, self.scene);
            let request = self.request(self.subject.create, base);
            let Some(answer) = self.ask(self.subject.create, &request) else { continue };
            let mut shown = (self.subject.show)(self.world, &request, &answer);
            let given = self.settings(&request);
            self.compare(self.subject.create, &request, &given, &shown);
            let Some((update, named)) = self.subject.update else { continue };
            for _ in 0..2 {
                let base = named(&request, &answer);
                let change = self.request(update, base);
                if self.ask(update, &change).is_none() {
                    continue;
                }
                let after = (self.subject.show)(self.world, &request, &answer);
                let given = self.settings(&change);
                let expected = updated(&self.only_settings(update, &shown), &given, self.subject.merged);
                self.compare(update, &change, &expected, &after);
                shown = after;
            }
            (self.subject.end)(self.world, &request, &answer);
        }
        self.tried
    }

    /// What a request sets, as it is to be shown.
    fn settings(&self, request: &Value) -> Value {
        let mut given: Map<_, _> = request.as_object().cloned().unwrap_or_default();
        given.retain(|name, _| !self.subject.ignored.contains(&name.as_str()));
        let mut given = Value::Object(given);
        (self.subject.normal)(&mut given);
        given
    }

    /// What of a description an update could have changed.
    fn only_settings(&self, update: &str, shown: &Value) -> Value {
        let request = &MODEL.operation(update).request;
        let members = request
            .members()
            .filter(|(name, _)| shown.get(*name).is_some() && !self.subject.ignored.contains(&name.as_str()));
        members.map(|(name, _)| (name.clone(), shown[name].clone())).collect::<Map<_, _>>().into()
    }
}

#[test]
fn what_is_accepted_reads_back() {
    let all: Vec<(&'static str, Tried)> = std::thread::scope(|scope| {
        let handles: Vec<_> = subjects()
            .into_iter()
            .enumerate()
            .map(|(seed, subject)| {
                scope.spawn(move || {
                    let world = World::new();
                    let scene = scene::fill(&world);
                    (subject.prepare)(&world);
                    let dice = Dice::new(seed as u64 + 1);
                    let trial = Trial {
                        subject: &subject,
                        world: &world,
                        scene: &scene,
                        dice,
                        tried: Tried::default(),
                    };
                    (subject.name, trial.run())
                })
            })
            .collect();
        handles.into_iter().map(|handle| handle.join().expect("a trial")).collect()
    });
    let mut faults = Vec::new();
    for ((name, tried), subject) in all.iter().zip(subjects()) {
        println!("{name}: {} of {} accepted", tried.accepted, tried.asked);
        let mut refusals: Vec<_> = tried.refusals.iter().collect();
        refusals.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
        for (told, count) in refusals.into_iter().take(6) {
            println!("    {count} x {told}");
        }
        faults.extend(tried.faults.iter().map(|(kind, example)| format!("{name} {kind}\n  {example}")));
        for operation in
            [Some(subject.create), subject.update.map(|(update, _)| update)].into_iter().flatten()
        {
            for (member, _) in MODEL.operation(operation).request.members() {
                let tried = tried.members.contains(&format!("{operation}.{member}"));
                if !tried && !subject.ignored.contains(&member.as_str()) {
                    faults.push(format!("{name}: {operation} was never accepted with {member}"));
                }
            }
        }
    }
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}

#[test]
fn the_comparison_finds_what_is_missing() {
    let faults = |given: Value, shown: Value| {
        let mut out = Vec::new();
        missing(&given, &shown, "", &mut out);
        out.len()
    };
    assert_eq!(faults(json!({"a": [1, {"b": 2.0}], "c": []}), json!({"a": [1, {"b": 2, "d": 3}]})), 0);
    assert_eq!(faults(json!({"a": [1, 2]}), json!({"a": [1]})), 1);
    assert_eq!(faults(json!({"a": {"b": "x"}}), json!({"a": {"b": "y"}})), 1);
    assert_eq!(faults(json!({"a": {"b": "x"}}), json!({})), 1);
    let before = json!({"a": {"b": 1, "c": 2}, "d": {"b": 1, "c": 2}});
    let given = json!({"a": {"b": 3}, "d": {"b": 3}});
    assert_eq!(updated(&before, &given, &["a"]), json!({"a": {"b": 3, "c": 2}, "d": {"b": 3}}));
}
