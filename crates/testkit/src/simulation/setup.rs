//! What a history plays on: the orchestrator's nodes and delays, drawn from the seed.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use kecs_adapters_sim::{NodeSpec, SimOptions, SimulatedOrchestrator};
use kecs_domain::Scope;
use kecs_domain::arn::cluster_ref;
use kecs_domain::capacity_provider::group::{GROUP_ATTRIBUTES, PROVIDER_ATTRIBUTE};
use kecs_domain::model::Attribute;
use kecs_domain::name::HexId;
use kecs_usecases::ports::Orchestrator;

use super::client::capacity::PROVIDERS;
use super::random::Random;
use super::shared::Shared;

/// The options of the simulated orchestrator: how many nodes, how big, and how long things take.
pub(super) fn options(random: &mut Random) -> SimOptions {
    let nodes = random.index(3) + 2;
    let millis = |random: &mut Random| {
        let most = *random.pick(&[0, 50, 2_000]);
        Duration::from_millis(random.below(most + 1))
    };
    let (cpu, memory) = (*random.pick(&[1024, 4096, 8192]), *random.pick(&[1024, 4096, 8192]));
    let mut nodes = SimOptions::equal_nodes(nodes, cpu, memory);
    for node in &mut nodes {
        if random.percent(30) {
            let provider = *random.pick(&PROVIDERS);
            node.attributes.push(label(provider, random.percent(50)));
        }
    }
    SimOptions {
        nodes,
        placement_delay: millis(random),
        pull_delay: millis(random),
        start_delay: millis(random),
        release_delay: millis(random),
        ..SimOptions::default()
    }
}

/// A new orchestrator on the shared clock.
pub(super) fn orchestrator(options: &SimOptions, shared: &Arc<Shared>) -> Arc<SimulatedOrchestrator> {
    let clock = Arc::clone(shared) as _;
    // The options were made here and have no name twice.
    let orchestrator = SimulatedOrchestrator::new(options.clone(), clock).expect("sound options");
    Arc::new(orchestrator)
}

/// Gives a node to a capacity provider: by the provider's name, or by that of its group.
fn label(provider: &str, by_group: bool) -> Attribute {
    let (name, value) = if by_group {
        (GROUP_ATTRIBUTES[1], format!("asg-{provider}"))
    } else {
        (PROVIDER_ATTRIBUTE, provider.to_owned())
    };
    Attribute { name: name.to_owned(), value: Some(value), ..Attribute::default() }
}

/// The names of the nodes, with their ids as container instances.
pub(super) fn instances(orchestrator: &SimulatedOrchestrator, options: &SimOptions) -> Vec<(String, HexId)> {
    let scope = Scope::new("123456789012", "eu-central-1");
    let cluster = cluster_ref(&scope, Some("one"));
    let all = cluster.ok().and_then(|cluster| orchestrator.instances(&cluster).now_or_never()?.ok());
    let all = all.unwrap_or_default();
    let id_of = |node: &NodeSpec| all.iter().find(|one| one.host == node.name).map(|one| one.id);
    options.nodes.iter().filter_map(|node| Some((node.name.clone(), id_of(node)?))).collect()
}

/// The attributes of the nodes, by id.
pub(super) fn attributes(
    options: &SimOptions,
    instances: &[(String, HexId)],
) -> BTreeMap<HexId, Vec<Attribute>> {
    let of =
        |name: &str| options.nodes.iter().find(|node| node.name == name).map(|node| node.attributes.clone());
    instances.iter().filter_map(|(name, id)| Some((*id, of(name)?))).collect()
}

/// So many nodes with room for everything, and as many with each of the labels that the history's nodes have: a
/// provider with nodes of its own has no others.
pub(super) fn spares(options: &SimOptions, count: usize) -> Vec<NodeSpec> {
    let mut labels: Vec<Option<&Attribute>> =
        options.nodes.iter().map(|node| node.attributes.first()).filter(Option::is_some).collect();
    labels.push(None);
    labels.sort_by_key(|label| label.map(|label| (&label.name, &label.value)));
    labels.dedup();
    let kinds = labels.iter().enumerate();
    let spare = |kind: usize, label: Option<&Attribute>, number: usize| {
        let zone = ["a", "b", "c"][number % 3];
        let node = NodeSpec::new(format!("spare-{kind}-{number}"), zone, 1 << 20, 1 << 20);
        NodeSpec { attributes: label.cloned().into_iter().collect(), ..node }
    };
    kinds.flat_map(|(kind, label)| (0..count).map(move |number| spare(kind, *label, number))).collect()
}
