//! Random task definitions, each of a kind whose tasks behave in a certain way.

use kecs_domain::model::{self, RegisterTaskDefinitionRequest};
use kecs_domain::task_definition::TaskDefinition;
use serde_json::{Value, json};

use crate::simulation::random::Random;

/// How the tasks of a definition behave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// They come up and stay.
    Steady,
    /// They never get to RUNNING.
    Unstartable,
    /// They get to RUNNING, and end or become unhealthy.
    Restless,
    /// Some come up and some don't.
    Shaky,
}

impl Kind {
    const ALL: [Self; 4] = [Self::Steady, Self::Unstartable, Self::Restless, Self::Shaky];

    const fn word(self) -> &'static str {
        match self {
            Self::Steady => "steady",
            Self::Unstartable => "unstartable",
            Self::Restless => "restless",
            Self::Shaky => "shaky",
        }
    }

    /// The kind of a definition that was made here: it is written in the image.
    pub(crate) fn of(definition: &TaskDefinition) -> Self {
        let image = definition.doc.container_definitions.iter().flatten().find_map(|it| it.image.as_deref());
        let word = image.and_then(|image| image.strip_prefix("sim/")).unwrap_or_default();
        Self::ALL.into_iter().find(|kind| kind.word() == word).unwrap_or(Self::Shaky)
    }
}

/// Where its tasks run, as far as requests have to say so.
pub(crate) fn is_awsvpc(definition: &TaskDefinition) -> bool {
    definition.doc.network_mode == Some(model::NetworkMode::Awsvpc)
}

/// Whether its tasks take a host port of their own, so that a node holds one of them.
pub(crate) fn has_fixed_port(definition: &TaskDefinition) -> bool {
    let containers = definition.doc.container_definitions.iter().flatten();
    let mut mappings = containers.flat_map(|container| container.port_mappings.iter().flatten());
    !is_awsvpc(definition) && mappings.any(|mapping| mapping.host_port.is_some_and(|port| port != 0))
}

/// A definition of a random kind in `family`.
pub(crate) fn random(random: &mut Random, family: &str) -> RegisterTaskDefinitionRequest {
    let kind = random.weighted(&[
        (55, Kind::Steady),
        (12, Kind::Unstartable),
        (23, Kind::Restless),
        (10, Kind::Shaky),
    ]);
    let containers = match kind {
        Kind::Steady => steady(random),
        Kind::Unstartable => vec![unstartable(random)],
        Kind::Restless => vec![restless(random)],
        Kind::Shaky => vec![shaky(random)],
    };
    let network = *random.pick(&["bridge", "bridge", "awsvpc", "awsvpc", "host"]);
    let mut request = request(random, family, kind, network, containers);
    if network == "bridge" && random.percent(12) {
        let mapping =
            model::PortMapping { container_port: Some(80), host_port: Some(8080), ..Default::default() };
        request.container_definitions[0].port_mappings = Some(vec![mapping]);
    }
    request
}

/// A definition whose tasks come up and stay, and of which any number fits on a node.
pub(crate) fn plain(random: &mut Random, family: &str, network: &str) -> RegisterTaskDefinitionRequest {
    let containers = steady(random);
    request(random, family, Kind::Steady, network, containers)
}

/// The network modes that definitions have.
pub(crate) const NETWORKS: [&str; 3] = ["bridge", "awsvpc", "host"];

fn request(
    random: &mut Random,
    family: &str,
    kind: Kind,
    network: &str,
    mut containers: Vec<Value>,
) -> RegisterTaskDefinitionRequest {
    for container in &mut containers {
        container["image"] = json!(format!("sim/{}", kind.word()));
        container["memory"] = json!(*random.pick(&[32, 64, 128]));
        container["cpu"] = json!(*random.pick(&[0, 64, 128]));
    }
    if network != "host" && random.percent(30) {
        containers[0]["portMappings"] = json!([{"containerPort": 80}]);
    }
    let mut request = json!({"family": family, "networkMode": network, "containerDefinitions": containers});
    if network == "awsvpc" {
        request["requiresCompatibilities"] = json!(["EC2", "FARGATE", "MANAGED_INSTANCES"]);
        request["cpu"] = json!("256");
        request["memory"] = json!("512");
    }
    // What is built here is a request by construction.
    serde_json::from_value(request).expect("a request to register a task definition")
}

fn container(name: &str, labels: Value) -> Value {
    let labels: serde_json::Map<String, Value> = labels
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, value)| (format!("{}{name}", kecs_adapters_sim::labels::PREFIX), value.clone()))
        .collect();
    json!({"name": name, "dockerLabels": labels})
}

pub(super) fn check() -> Value {
    json!({"command": ["CMD", "true"], "interval": 5, "timeout": 2, "retries": 2})
}

fn seconds(random: &mut Random, least: i64, most: i64) -> String {
    format!("{}s", random.between(least, most))
}

fn steady(random: &mut Random) -> Vec<Value> {
    match random.below(9) {
        0..=2 => vec![container("main", json!({}))],
        3 => {
            let (pull, start) = (seconds(random, 0, 8), seconds(random, 0, 5));
            vec![container("main", json!({"pull-delay": pull, "start-delay": start}))]
        }
        4 => {
            let mut main = container("main", json!({}));
            main["healthCheck"] = check();
            vec![main]
        }
        5 => {
            let after = seconds(random, 1, 20);
            let mut main = container("main", json!({"health": format!("healthy-after={after}")}));
            main["healthCheck"] = check();
            main["healthCheck"]["startPeriod"] = json!(60);
            vec![main]
        }
        6 => {
            let (mut main, mut side) = (container("main", json!({})), container("side", json!({})));
            side["healthCheck"] = check();
            main["dependsOn"] = json!([{"containerName": "side", "condition": "HEALTHY"}]);
            vec![main, side]
        }
        7 => {
            let mut main = container("main", json!({}));
            let mut first = container("first", json!({"run-for": seconds(random, 0, 5), "exit-code": "0"}));
            first["essential"] = json!(false);
            main["dependsOn"] = json!([{"containerName": "first", "condition": "SUCCESS"}]);
            vec![main, first]
        }
        _ => {
            let delay = seconds(random, 1, 5);
            let mut main = container("main", json!({"stop-delay": delay}));
            if random.percent(50) {
                main = container("main", json!({"ignore-sigterm": "true"}));
            }
            main["stopTimeout"] = json!(random.between(2, 10));
            vec![main]
        }
    }
}

fn unstartable(random: &mut Random) -> Value {
    let delay = seconds(random, 0, 3);
    match random.below(4) {
        0 => container("main", json!({"pull-error": "no such image", "pull-delay": delay})),
        1 => container("main", json!({"start-error": "no such user", "start-delay": delay})),
        2 => container("main", json!({"resource-error": "no such secret"})),
        _ => container("main", json!({"pull-error": "no such image", "pull-delay": "20s"})),
    }
}

fn restless(random: &mut Random) -> Value {
    let after = seconds(random, 0, 40);
    let code = (*random.pick(&["0", "1", "137"])).to_owned();
    match random.below(6) {
        0 => container("main", json!({"exit-code": code})),
        1 => container("main", json!({"run-for": after, "exit-code": code})),
        2 => container("main", json!({"oom-after": after})),
        3 => container("main", json!({"run-for": "12m"})),
        other => {
            let health = if other == 4 { "flapping".to_owned() } else { format!("unhealthy-after={after}") };
            let mut main = container("main", json!({"health": health}));
            main["healthCheck"] = check();
            main
        }
    }
}

fn shaky(random: &mut Random) -> Value {
    let share = random.between(10, 70).to_string();
    match random.below(3) {
        0 => container("main", json!({"share": share, "pull-error": "the registry is away"})),
        1 => container("main", json!({"share": share, "run-for": "5s", "exit-code": "1"})),
        _ => {
            let mut main = container("main", json!({"share": share, "health": "unhealthy"}));
            main["healthCheck"] = check();
            main
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_definition_passes_the_rules_of_registration_and_shows_its_kind() {
        let mut dice = Random::new(1, 1);
        for _ in 0..200 {
            let request = random(&mut dice, "web");
            let expected = request.container_definitions[0].image.clone();
            let registration = kecs_domain::task_definition::Registration::new(request);
            let registration = registration.unwrap_or_else(|refused| panic!("{refused}"));
            let image = registration.definition.container_definitions.unwrap()[0].image.clone();
            assert_eq!(image, expected);
        }
    }
}
