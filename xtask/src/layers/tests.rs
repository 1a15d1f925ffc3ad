//! Planted violations: real manifests of a throw-away workspace, resolved by the real cargo.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::*;

/// A workspace of empty crates in a temporary directory, removed with it. A crate whose name begins with `../` lies
/// outside of the workspace.
struct Planted(PathBuf);

impl Planted {
    /// Each crate is (name, its manifest's tables of dependencies).
    fn new(test: &str, crates: &[(&str, &str)]) -> Self {
        let planted = Self(std::env::temp_dir().join(format!("kecs-layers-{test}-{}", std::process::id())));
        let root = planted.workspace();
        let _ = fs::remove_dir_all(&planted.0);
        for (number, (name, dependencies)) in crates.iter().enumerate() {
            let dir = root.join(name);
            let (package, version) = (name.trim_start_matches("../"), number + 1);
            fs::create_dir_all(dir.join("src")).unwrap();
            fs::write(dir.join("src/lib.rs"), "").unwrap();
            let manifest =
                format!("[package]\nname = \"{package}\"\nversion = \"0.{version}.0\"\n{dependencies}\n");
            fs::write(dir.join("Cargo.toml"), manifest).unwrap();
        }
        fs::write(root.join("Cargo.toml"), "[workspace]\nmembers = [\"*\"]\nresolver = \"3\"\n").unwrap();
        planted
    }

    fn workspace(&self) -> PathBuf {
        self.0.join("workspace")
    }

    fn violations(&self) -> Vec<String> {
        let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo.arg("--offline").current_dir(self.workspace());
        check_graph(&Graph::load(&self.workspace(), cargo).unwrap())
    }
}

impl Drop for Planted {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn on(name: &str) -> String {
    format!("[dependencies]\n{name} = {{ path = \"../{name}\" }}")
}

#[test]
fn a_clean_workspace_passes() {
    let planted = Planted::new(
        "clean",
        &[
            ("kecs-domain", ""),
            ("kecs-usecases", &on("kecs-domain")),
            ("kecs-adapters-sim", &on("kecs-usecases")),
        ],
    );
    assert_eq!(planted.violations(), Vec::<String>::new());
}

#[test]
fn a_direct_forbidden_dependency_fails() {
    let planted = Planted::new("direct", &[("kecs-domain", &on("tokio")), ("tokio", "")]);
    assert_eq!(planted.violations(), ["kecs-domain must not know tokio: kecs-domain -> tokio"]);
}

#[test]
fn a_forbidden_dependency_behind_another_fails_and_the_way_to_it_is_shown() {
    let planted = Planted::new(
        "behind",
        &[("kecs-usecases", &on("helper")), ("helper", &on("duckdb")), ("duckdb", "")],
    );
    assert_eq!(
        planted.violations(),
        ["kecs-usecases must not know duckdb: kecs-usecases -> helper -> duckdb"]
    );
}

#[test]
fn a_dev_dependency_is_no_part_of_the_product() {
    let dev = "[dev-dependencies]\ntokio = { path = \"../tokio\" }";
    let planted = Planted::new("dev", &[("kecs-domain", dev), ("tokio", "")]);
    assert_eq!(planted.violations(), Vec::<String>::new());
}

#[test]
fn adapters_that_know_each_other_fail() {
    let planted = Planted::new(
        "adapters",
        &[("kecs-adapters-http", &on("kecs-adapters-sim")), ("kecs-adapters-sim", "")],
    );
    assert_eq!(
        planted.violations(),
        ["adapters must not know each other: kecs-adapters-http -> kecs-adapters-sim"]
    );
}

#[test]
fn the_testkit_as_a_normal_dependency_fails() {
    let planted = Planted::new("testkit", &[("kecs-app", &on("kecs-testkit")), ("kecs-testkit", "")]);
    assert_eq!(planted.violations(), ["kecs-testkit may only be a dev-dependency: kecs-app"]);
}

#[test]
fn anyhow_in_an_adapter_fails_even_under_another_name() {
    let renamed = "[dependencies]\nerrors = { path = \"../anyhow\", package = \"anyhow\" }";
    let planted = Planted::new(
        "anyhow",
        &[("kecs-adapters-http", renamed), ("kecs-app", &on("anyhow")), ("anyhow", "")],
    );
    assert_eq!(planted.violations(), ["only the outermost crates may name anyhow: kecs-adapters-http"]);
}

#[test]
fn two_versions_of_a_forbidden_package_do_not_hide_it() {
    let planted = Planted::new(
        "two",
        &[
            ("kecs-domain", "[dependencies]\none = { path = \"../one\" }\ntwo = { path = \"../two\" }"),
            ("one", &on("hyper")),
            ("two", "[dependencies]\nhyper = { path = \"../../hyper\" }"),
            ("hyper", ""),
            ("../hyper", ""),
        ],
    );
    let mut violations = planted.violations();
    violations.sort();
    assert_eq!(
        violations,
        [
            "kecs-domain must not know hyper: kecs-domain -> one -> hyper",
            "kecs-domain must not know hyper: kecs-domain -> two -> hyper"
        ]
    );
}

#[test]
fn this_workspace_passes() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    assert_eq!(check_graph(&Graph::load(root, cargo).unwrap()), Vec::<String>::new());
}
