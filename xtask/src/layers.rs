//! The layer guard: which crate may know which, checked against the resolved dependency graph and the sources.
//!
//! The rules name packages, and the graph is cargo's own. `cargo tree --invert` is not used: with two versions of a
//! package in the graph it fails, and a check that expects a failure then passes.

mod graph;
mod sources;

use std::path::Path;

use anyhow::{Result, ensure};
use graph::Graph;

use crate::workspace::Workspace;

/// What a crate must not reach through normal dependencies, however many steps away.
const UNREACHABLE: &[(&str, &[&str])] = &[
    (
        "kecs-domain",
        &[
            "tokio",
            "async-trait",
            "futures",
            "hyper",
            "http",
            "axum",
            "tower",
            "kube",
            "k8s-openapi",
            "sqlx",
            "duckdb",
            "mockall",
            "rand",
            "tracing",
            "anyhow",
            "clap",
        ],
    ),
    (
        "kecs-usecases",
        &[
            "tokio",
            "hyper",
            "http",
            "axum",
            "tower",
            "kube",
            "k8s-openapi",
            "sqlx",
            "duckdb",
            "rand",
            "anyhow",
            "clap",
        ],
    ),
    ("kecs-adapters-http", &["sqlx", "duckdb", "kube", "k8s-openapi"]),
    ("kecs-adapters-storage", &["kube", "k8s-openapi", "hyper", "axum"]),
    ("kecs-adapters-k8s", &["sqlx", "duckdb", "axum"]),
    ("kecs-adapters-sim", &["sqlx", "duckdb", "kube", "k8s-openapi", "hyper", "axum"]),
];

/// What only the outermost crates may name, whatever kind of dependency it is.
const OUTERMOST_ONLY: &[&str] = &["anyhow", "clap"];

/// The outermost crates: the composition root, and what drives it from outside.
fn is_outermost(package: &str) -> bool {
    matches!(package, "kecs-app" | "xtask" | "kecs-bench")
}

/// Crates that exist for tests. They may depend on the testkit as on anything.
fn is_for_tests(package: &str) -> bool {
    matches!(package, "kecs-testkit" | "kecs-bench")
}

/// The command itself.
pub(crate) fn command(workspace: &Workspace) -> Result<()> {
    let violations = check(workspace)?;
    for violation in &violations {
        println!("{violation}");
    }
    ensure!(violations.is_empty(), "the layers are broken");
    println!("Every crate knows only what it may know.");
    Ok(())
}

/// Every violation, as a line for a person. Empty when all is well.
///
/// # Errors
/// When cargo can't resolve the workspace or a source can't be read.
pub(crate) fn check(workspace: &Workspace) -> Result<Vec<String>> {
    let mut violations = check_graph(&Graph::load(&workspace.root, workspace.cargo())?);
    for layer in ["domain", "usecases"] {
        violations.extend(sources::check(&workspace.root, &Path::new("crates").join(layer).join("src"))?);
    }
    Ok(violations)
}

fn check_graph(graph: &Graph) -> Vec<String> {
    let mut violations = Vec::new();
    for (package, forbidden) in UNREACHABLE {
        for path in graph.normal_paths(package, |name| forbidden.contains(&name)) {
            violations.push(format!(
                "{package} must not know {}: {}",
                path[path.len() - 1],
                path.join(" -> ")
            ));
        }
    }
    for package in graph.members() {
        if package.starts_with("kecs-adapters-") {
            for path in graph.normal_paths(package, |name| name.starts_with("kecs-adapters-")) {
                violations.push(format!("adapters must not know each other: {}", path.join(" -> ")));
            }
        }
        for (dependency, kind) in graph.declared(package) {
            if OUTERMOST_ONLY.contains(&dependency) && !is_outermost(package) {
                violations.push(format!("only the outermost crates may name {dependency}: {package}"));
            }
            if dependency == "kecs-testkit" && kind != Some("dev") && !is_for_tests(package) {
                violations.push(format!("kecs-testkit may only be a dev-dependency: {package}"));
            }
            if dependency == "kecs-app" && kind != Some("dev") && !is_for_tests(package) {
                violations.push(format!("nothing may depend on the composition root: {package}"));
            }
        }
    }
    violations
}

#[cfg(test)]
mod tests;
