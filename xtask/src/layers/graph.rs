//! The dependency graph as `cargo metadata` resolves it. Knows no rules.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result};
use serde::Deserialize;

use crate::process;

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    workspace_members: Vec<String>,
    resolve: Resolve,
}

#[derive(Deserialize)]
struct Package {
    id: String,
    name: String,
    dependencies: Vec<Declared>,
}

#[derive(Deserialize)]
struct Declared {
    name: String,
    kind: Option<String>,
}

#[derive(Deserialize)]
struct Resolve {
    nodes: Vec<Node>,
}

#[derive(Deserialize)]
struct Node {
    id: String,
    deps: Vec<Edge>,
}

#[derive(Deserialize)]
struct Edge {
    pkg: String,
    dep_kinds: Vec<Kind>,
}

#[derive(Deserialize)]
struct Kind {
    kind: Option<String>,
}

/// The graph, by package id; packages are asked for by name.
pub(super) struct Graph {
    members: BTreeMap<String, String>,
    packages: HashMap<String, Package>,
    normal: HashMap<String, Vec<String>>,
}

impl Graph {
    /// Resolves the workspace in `root` with a cargo command.
    pub(super) fn load(root: &Path, mut cargo: Command) -> Result<Self> {
        let manifest = root.join("Cargo.toml");
        let json = process::capture(
            cargo.args(["metadata", "--format-version", "1", "--manifest-path"]).arg(manifest),
        )?;
        Self::parse(&json)
    }

    fn parse(json: &str) -> Result<Self> {
        let metadata: Metadata =
            serde_json::from_str(json).context("cargo metadata writes something unknown")?;
        let packages: HashMap<_, _> = metadata.packages.into_iter().map(|p| (p.id.clone(), p)).collect();
        let members = metadata.workspace_members.into_iter();
        let members = members.filter_map(|id| packages.get(&id).map(|p| (p.name.clone(), id))).collect();
        let normal = metadata.resolve.nodes.into_iter().map(|node| {
            let deps = node.deps.into_iter().filter(|edge| edge.dep_kinds.iter().any(|k| k.kind.is_none()));
            (node.id, deps.map(|edge| edge.pkg).collect())
        });
        Ok(Self { members, normal: normal.collect(), packages })
    }

    /// The names of the workspace's packages.
    pub(super) fn members(&self) -> impl Iterator<Item = &str> {
        self.members.keys().map(String::as_str)
    }

    /// What a member's manifest names, with the kind: None for normal, else "dev" or "build".
    pub(super) fn declared(&self, member: &str) -> impl Iterator<Item = (&str, Option<&str>)> {
        let package = self.members.get(member).and_then(|id| self.packages.get(id));
        let declared = package.into_iter().flat_map(|package| &package.dependencies);
        declared.map(|dependency| (&*dependency.name, dependency.kind.as_deref()))
    }

    /// A shortest path of normal dependencies from a member to each package that is `wanted`. A path isn't
    /// followed beyond such a package.
    pub(super) fn normal_paths<'a>(
        &'a self,
        member: &'a str,
        wanted: impl Fn(&str) -> bool,
    ) -> Vec<Vec<&'a str>> {
        let Some(start) = self.members.get(member) else { return Vec::new() };
        let mut found = Vec::new();
        let mut seen = HashSet::from([start.as_str()]);
        let mut queue = VecDeque::from([(start.as_str(), vec![member])]);
        while let Some((id, path)) = queue.pop_front() {
            for next in self.normal.get(id).into_iter().flatten() {
                if !seen.insert(next) {
                    continue;
                }
                let Some(package) = self.packages.get(next) else { continue };
                let mut path = path.clone();
                path.push(&package.name);
                if wanted(&package.name) { found.push(path) } else { queue.push_back((next, path)) }
            }
        }
        found
    }
}
