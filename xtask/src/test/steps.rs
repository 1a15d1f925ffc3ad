//! The steps of `cargo xtask test`, in the order of what they cost.

use std::env;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use super::{Run, postgres};
use crate::python::Python;
use crate::workspace::Workspace;
use crate::{codegen, layers, process, simulate, tidy};

/// One step.
pub(super) struct Step {
    pub(super) name: &'static str,
    pub(super) about: &'static str,
    /// Whether a runner reports its tests, and there must be some.
    pub(super) has_tests: bool,
    /// Whether it can run a part of its tests.
    pub(super) takes_filter: bool,
    pub(super) run: fn(&mut Run<'_>) -> Result<bool>,
}

impl Step {
    const fn check(name: &'static str, about: &'static str, run: fn(&mut Run<'_>) -> Result<bool>) -> Self {
        Self { name, about, has_tests: false, takes_filter: false, run }
    }

    const fn tests(name: &'static str, about: &'static str, run: fn(&mut Run<'_>) -> Result<bool>) -> Self {
        Self { name, about, has_tests: true, takes_filter: true, run }
    }
}

/// All of them.
pub(super) const STEPS: &[Step] = &[
    Step::check("fmt", "the sources are formatted", fmt),
    Step::check("tidy", "files are short and say what they are", tidy_files),
    Step::check("layers", "no crate knows what it must not know", layer_guard),
    Step::check("codegen", "what is generated is what the generator makes", codegen_check),
    Step::check("clippy", "no lint fires", clippy),
    Step::check("doc", "the documentation builds without a warning", doc),
    Step::tests("unit", "the tests in the crates, contract suites and PostgreSQL included", unit),
    Step::check("examples", "the embedding examples run", examples),
    Step::check("simulate", "500 seeded histories of 500 steps keep every invariant", simulation),
    Step::tests("blackbox", "the aws CLI and boto3 against the running binary", blackbox),
    Step::tests("rust-sdk", "the official Rust SDK against the running binary", rust_sdk),
    Step::tests("kubernetes", "tasks as Pods on a real cluster", kubernetes),
];

/// The crate that needs the running binary, and the SDK, which takes minutes to compile.
const SDK_TESTS: &str = "kecs-rust-sdk-tests";

/// Lints and tests see the mocks too.
const FEATURES: [&str; 2] = ["--features", "kecs-usecases/mocks"];

fn fmt(run: &mut Run<'_>) -> Result<bool> {
    let mut cargo = run.workspace.cargo();
    run.passes(cargo.args(["fmt", "--all", "--check", "--", "--color", "never"]))
}

fn tidy_files(run: &mut Run<'_>) -> Result<bool> {
    let violations = tidy::check(&run.workspace.root)?;
    Ok(run.no_violations(&violations))
}

fn layer_guard(run: &mut Run<'_>) -> Result<bool> {
    let violations = layers::check(run.workspace)?;
    Ok(run.no_violations(&violations))
}

fn codegen_check(run: &mut Run<'_>) -> Result<bool> {
    codegen::run(&run.workspace.root, true)?;
    Ok(true)
}

fn clippy(run: &mut Run<'_>) -> Result<bool> {
    let mut cargo = run.workspace.cargo();
    cargo.args(["clippy", "--workspace", "--all-targets"]).args(FEATURES);
    run.linking.configure(&mut cargo, "kecs-app");
    run.passes(cargo.args(["--", "-D", "warnings"]))
}

fn doc(run: &mut Run<'_>) -> Result<bool> {
    let mut cargo = run.workspace.cargo();
    cargo.args(["doc", "--workspace", "--no-deps"]).env("RUSTDOCFLAGS", "-D warnings");
    run.linking.configure(&mut cargo, "kecs-app");
    run.passes(&mut cargo)
}

fn unit(run: &mut Run<'_>) -> Result<bool> {
    let mut cargo = run.workspace.cargo();
    cargo.args(["test", "--workspace", "--exclude", SDK_TESTS, "--no-fail-fast"]).args(FEATURES);
    run.linking.configure(&mut cargo, "kecs-app");
    run.linking.expose(&mut cargo);
    cargo.args(run.filter);
    if let Some(missing) = postgres::provide() {
        run.skipped(format!("PostgreSQL's tests SKIPPED: {missing}"));
    }
    run.passes(&mut cargo)
}

fn examples(run: &mut Run<'_>) -> Result<bool> {
    let dir = run.workspace.root.join("crates/usecases/examples");
    let mut names = Vec::new();
    for file in tidy::rust_files(&dir)? {
        if file.parent() == Some(&dir) {
            names.push(file.file_stem().context("an example without a name")?.to_owned());
        }
    }
    if names.is_empty() {
        run.log.line(&format!("there is no example in {}", dir.display()));
        return Ok(false);
    }
    let mut passed = true;
    for name in names {
        let mut cargo = run.workspace.cargo();
        cargo.args(["run", "--quiet", "--package", "kecs-usecases"]).args(FEATURES);
        run.linking.configure(&mut cargo, "kecs-adapters-storage");
        cargo.arg("--example").arg(name);
        run.linking.expose(&mut cargo);
        passed &= run.passes(&mut cargo)?;
    }
    Ok(passed)
}

fn simulation(run: &mut Run<'_>) -> Result<bool> {
    if !run.passes(&mut simulate::build(run.workspace, run.linking))? {
        return Ok(false);
    }
    let options = simulate::Options { seed: 1, steps: 500, seeds: 500, trace: false };
    run.passes(&mut simulate::run(run.workspace, run.linking, &options))
}

fn blackbox(run: &mut Run<'_>) -> Result<bool> {
    pytest(run, "blackbox")
}

/// Runs one of the Python suites under `tests` against a binary that is built first.
fn pytest(run: &mut Run<'_>, suite: &str) -> Result<bool> {
    let suite = run.workspace.root.join("tests").join(suite);
    let Some(kecs) = build_kecs(run)? else { return Ok(false) };
    let python = suite_python(run.workspace)?;
    let mut pytest = python.command();
    pytest.current_dir(&run.workspace.root).env("KECS_BIN", kecs).env("PATH", python.path());
    // The suites' credentials are their own; a developer's profile must not leak into them.
    pytest.env_remove("AWS_PROFILE").env("AWS_EC2_METADATA_DISABLED", "true");
    pytest.args(["-m", "pytest", "-q", "-p", "no:cacheprovider"]).arg(&suite);
    if let Some(filter) = run.filter {
        pytest.args(["-k", filter]);
    }
    let passed = run.passes(&mut pytest)?;
    // With a filter pytest fails when nothing is left; that is no failure here.
    Ok(passed || (run.filter.is_some() && run.counts.failed == 0))
}

fn rust_sdk(run: &mut Run<'_>) -> Result<bool> {
    let Some(kecs) = build_kecs(run)? else { return Ok(false) };
    let mut cargo = run.workspace.cargo();
    cargo.args(["test", "--package", SDK_TESTS, "--no-fail-fast"]).args(run.filter);
    run.passes(cargo.env("KECS_BIN", kecs))
}

/// Needs a Kubernetes: the one that is named, or one that is brought up if the step is asked for. Where that can't be
/// done, the whole step counts as skipped.
fn kubernetes(run: &mut Run<'_>) -> Result<bool> {
    const CLUSTER: &str = "KECS_TEST_KUBECONFIG";
    if env::var_os(CLUSTER).is_some() {
        // The contract suite has run with the tests of the crates.
        return pytest(run, "kubernetes");
    }
    if !run.asked_for {
        run.skipped(format!(
            "NOTHING ran on Kubernetes: set {CLUSTER}, or ask for it with --only kubernetes (root and Go; brings up a cluster)"
        ));
        return Ok(true);
    }
    let program = run.workspace.root.join("tests/kubernetes/cluster.py");
    // It may be shared: it goes when nobody of those that named themselves is left.
    let holder = std::process::id().to_string();
    let cluster = |command: &str| {
        let mut python = Command::new("python3");
        python.arg(&program).args([command, "--for", &holder]);
        python
    };
    let (mut admin, mut reason) = (String::new(), String::new());
    let up = process::lines(&mut cluster("up"), |line| {
        run.log.line(line);
        // What it prints and what it says of it come in no certain order.
        if line.starts_with('/') {
            line.clone_into(&mut admin);
        } else if let Some(why) = line.strip_prefix("SKIPPED: ") {
            why.clone_into(&mut reason);
        }
    })?;
    match up.code() {
        Some(0) => {}
        // The program's own word for a machine that can't.
        Some(3) => {
            run.skipped(format!("NOTHING ran on Kubernetes: {reason}"));
            return Ok(true);
        }
        _ => bail!("the test cluster did not come up"),
    }
    let mut cargo = run.workspace.cargo();
    // kecs-app is there for its feature; it has no tests of these names.
    cargo.args(["test", "--package", "kecs-adapters-k8s", "--package", "kecs-app", "--no-fail-fast"]);
    run.linking.configure(&mut cargo, "kecs-app");
    cargo.args(["--test", "contract", "--test", "golden"]).args(run.filter);
    run.linking.expose(&mut cargo);
    cargo.env(CLUSTER, &admin);
    let contract = run.passes(&mut cargo);
    let suite = pytest(run, "kubernetes");
    let down = run.passes(&mut cluster("down"))?;
    Ok(contract? && suite? && down)
}

/// The environment of the Python suites.
fn suite_python(workspace: &Workspace) -> Result<Python> {
    Python::with_requirements(workspace, "suites", &[workspace.root.join("tests/blackbox/requirements.txt")])
}

/// Builds the binary into the log; None when that fails.
fn build_kecs(run: &mut Run<'_>) -> Result<Option<PathBuf>> {
    let mut cargo = run.workspace.cargo();
    cargo.args(["build", "--quiet", "--package", "kecs-app", "--bin", "kecs"]);
    run.linking.configure(&mut cargo, "kecs-app");
    if !run.passes(&mut cargo)? {
        return Ok(None);
    }
    let kecs = run.workspace.target.join("debug/kecs");
    run.linking.place_beside(&kecs)?;
    Ok(Some(kecs))
}
