//! Every operation is asked for what is right, and for the same with one thing wrong in it: hundreds of worlds, each of
//! which follows from a seed. `KECS_FUZZ_SEED=7` plays one world again, and tells what it asks.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Value, json};

use crate::dice::Dice;
use crate::generate::Generator;
use crate::mutate::{Mutation, Wrong, apply, mutations};
use crate::scene::{self, Scene};
use crate::schema::{MODEL, OperationModel};
use crate::world::{Answer, ME, World};

/// How many requests there are at least.
const REQUESTS: u64 = 100_000;
/// How many requests a world gets: then so much is deleted that little can be hit.
const PER_WORLD: u64 = 1_000;
/// How many wrong requests follow a right one.
const PER_REQUEST: usize = 12;
/// The longest error that a request is worth: nobody wants back all that he has sent.
const LONGEST_ERROR: usize = 4_500;

/// How much of a request or an answer is told.
const LONGEST_QUOTE: usize = 600;

/// What was seen of an operation.
#[derive(Default)]
struct Seen {
    asked: u64,
    right: u64,
    succeeded: u64,
}

/// A world that is asked.
struct Fuzz {
    world: World,
    scene: Scene,
    seed: u64,
    asked: u64,
    seen: BTreeMap<&'static str, Seen>,
    /// One example of each kind, by its kind.
    faults: BTreeMap<String, String>,
}

impl Fuzz {
    fn new(seed: u64) -> Self {
        let world = World::new();
        let scene = scene::fill(&world);
        Self { world, scene, seed, asked: 0, seen: BTreeMap::new(), faults: BTreeMap::new() }
    }

    fn run(&mut self) {
        let scene = self.scene.clone();
        let mut generator = Generator { scene: &scene, dice: Dice::new(self.seed) };
        while self.asked < PER_WORLD {
            let operation = &MODEL.operations[generator.dice.below(MODEL.operations.len())];
            let request = generator.request(operation);
            self.ask(operation, &request, None);
            let all = mutations(&request, &operation.request);
            for _ in 0..PER_REQUEST {
                let mutation = generator.dice.pick(&all);
                self.ask(operation, &apply(&request, mutation), Some(mutation));
            }
            if generator.dice.percent(5) {
                self.world.pass(2);
            }
        }
        self.world.pass(5);
        self.look_at_everything();
    }

    fn ask(&mut self, operation: &'static OperationModel, request: &Value, mutation: Option<&Mutation>) {
        self.asked += 1;
        let answer = self.world.send(ME, &operation.name, request.to_string());
        let seen = self.seen.entry(operation.name.as_str()).or_default();
        seen.asked += 1;
        seen.right += u64::from(mutation.is_none());
        seen.succeeded += u64::from(mutation.is_none() && answer.status == 200);
        let mut faults = operation.faults(answer.status, &answer.body);
        if let Some(mutation) = mutation.filter(|mutation| mutation.kind.is_refused())
            && answer.status == 200
            && !is_allowed(&operation.name, mutation, &answer)
        {
            faults.push(format!("it succeeds with {:?} at {:?}", mutation.kind, mutation.at));
        }
        if answer.status != 200 && answer.size > LONGEST_ERROR {
            faults.push(format!("the error has {} bytes", answer.size));
        }
        for fault in faults {
            let cut = |value: &Value| {
                let text = value.to_string();
                text[..text.floor_char_boundary(LONGEST_QUOTE)].to_owned()
            };
            let (request, answer) = (cut(request), cut(&answer.body));
            let place = mutation.map(Mutation::place).unwrap_or_default();
            let kind =
                format!("{} {place}: {}", operation.name, fault.replace(|c: char| c.is_ascii_digit(), ""));
            let example = format!("seed {}: {fault}\n  {request}\n  -> {answer}", self.seed);
            self.faults.entry(kind).or_insert(example);
        }
    }

    /// Whatever is left in the world can be described.
    fn look_at_everything(&mut self) {
        let list = |operation: &str, member: &str, request: Value| {
            let answer = self.world.ok(operation, &request);
            answer[member].as_array().cloned().unwrap_or_default()
        };
        for cluster in list("ListClusters", "clusterArns", json!({})) {
            let within = json!({"cluster": cluster});
            let with = |member: &str, of: Vec<Value>| json!({"cluster": cluster, member: of.into_iter().take(10).collect::<Vec<_>>(), "include": ["TAGS"]});
            let include = ["ATTACHMENTS", "CONFIGURATIONS", "SETTINGS", "STATISTICS", "TAGS"];
            self.world.ok("DescribeClusters", &json!({"clusters": [cluster], "include": include}));
            for status in ["RUNNING", "STOPPED"] {
                let tasks =
                    list("ListTasks", "taskArns", json!({"cluster": cluster, "desiredStatus": status}));
                if !tasks.is_empty() {
                    self.world.ok("DescribeTasks", &with("tasks", tasks));
                }
            }
            let services = list("ListServices", "serviceArns", within.clone());
            for service in &services {
                let named = json!({"cluster": cluster, "service": service});
                self.world.ok("ListServiceDeployments", &named);
            }
            if !services.is_empty() {
                self.world.ok("DescribeServices", &with("services", services));
            }
            let instances = list("ListContainerInstances", "containerInstanceArns", within);
            if !instances.is_empty() {
                self.world.ok("DescribeContainerInstances", &with("containerInstances", instances));
            }
            for daemon in list("ListDaemons", "daemonSummariesList", json!({"clusterArn": cluster})) {
                self.world.ok("DescribeDaemon", &json!({"daemonArn": daemon["daemonArn"]}));
            }
        }
        for arn in list("ListTaskDefinitions", "taskDefinitionArns", json!({})) {
            self.world.ok("DescribeTaskDefinition", &json!({"taskDefinition": arn, "include": ["TAGS"]}));
        }
        for gateway in list("ListGateways", "gateways", json!({})) {
            self.world.ok("DescribeGateway", &json!({"gateway": gateway["gatewayArn"]}));
        }
        self.world.ok("DescribeCapacityProviders", &json!({"include": ["TAGS"]}));
        self.world.ok("ListAccountSettings", &json!({"effectiveSettings": true}));
    }
}

/// What succeeds in ECS though it is wrong.
fn is_allowed(operation: &str, mutation: &Mutation, answer: &Answer) -> bool {
    // A bad `include` is an error only if there is something to include it in. (recorded)
    operation == "DescribeClusters"
        && mutation.kind == Wrong::Enum
        && answer.body["clusters"].as_array().is_some_and(Vec::is_empty)
}

#[test]
fn a_hundred_thousand_requests_are_answered_as_the_model_has_it() {
    if let Ok(seed) = std::env::var("KECS_FUZZ_SEED") {
        let mut fuzz = Fuzz::new(seed.parse().expect("a seed is a number"));
        fuzz.run();
        assert!(fuzz.faults.is_empty(), "{:#?}", fuzz.faults);
        return;
    }
    let next = AtomicU64::new(1);
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    let runs: Vec<Vec<Fuzz>> = std::thread::scope(|scope| {
        let work = || {
            let mut done = Vec::new();
            loop {
                let seed = next.fetch_add(1, Ordering::Relaxed);
                if (seed - 1) * PER_WORLD >= REQUESTS {
                    return done;
                }
                let mut fuzz = Fuzz::new(seed);
                fuzz.run();
                done.push(fuzz);
            }
        };
        let handles: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        handles.into_iter().map(|handle| handle.join().expect("a panic names its seed")).collect()
    });
    let runs: Vec<Fuzz> = runs.into_iter().flatten().collect();
    let mut seen: BTreeMap<&str, Seen> = BTreeMap::new();
    for (name, one) in runs.iter().flat_map(|run| &run.seen) {
        let all = seen.entry(name).or_default();
        all.asked += one.asked;
        all.right += one.right;
        all.succeeded += one.succeeded;
    }
    for (name, one) in &seen {
        println!(
            "{name}: {} asked, {} right ones, {} of them succeeded",
            one.asked, one.right, one.succeeded
        );
    }
    let asked: u64 = runs.iter().map(|run| run.asked).sum();
    println!("{asked} requests in {} worlds of the seeds 1 to {}", runs.len(), runs.len());
    let faults: BTreeMap<&String, &String> = runs.iter().flat_map(|run| &run.faults).collect();
    let told: Vec<String> = faults.iter().map(|(kind, example)| format!("{kind}\n{example}")).collect();
    assert!(told.is_empty(), "{} kinds of faults:\n{}", told.len(), told.join("\n"));
    assert!(asked >= REQUESTS, "only {asked} requests");
    assert_eq!(seen.len(), MODEL.operations.len(), "every operation was asked");
    for (name, one) in &seen {
        assert!(one.succeeded > 0, "{name} never succeeds");
    }
}
