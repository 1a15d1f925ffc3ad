//! Precedence, defaults, and what is refused.

use std::collections::HashMap;

use clap::Parser;

use super::*;

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    settings: Settings,
}

fn flags(flags: &[&str]) -> Settings {
    Line::try_parse_from([&["kecs"], flags].concat()).unwrap().settings
}

fn resolve(settings: Settings) -> Result<Config> {
    let env = HashMap::from([("HOME", "/home/me")]);
    Config::resolve(settings, |name| env.get(name).map(OsString::from))
}

fn refused(settings: Settings) -> String {
    resolve(settings).unwrap_err().to_string()
}

#[test]
fn a_flag_comes_before_the_file_and_the_file_before_the_default() {
    let file = Settings {
        region: Some("eu-west-1".into()),
        account_id: Some("111111111111".into()),
        ..Settings::default()
    };
    let config = resolve(flags(&["--region", "eu-central-1"]).or(file)).unwrap();
    assert_eq!(config.scope.region, "eu-central-1");
    assert_eq!(config.scope.account, "111111111111");
    assert_eq!(config.listen.to_string(), "127.0.0.1:5373");
}

#[test]
fn every_setting_has_an_environment_variable_of_its_name() {
    let command = <Line as clap::CommandFactory>::command();
    for argument in command.get_arguments().filter(|argument| argument.get_id() != "help") {
        let name = argument.get_long().unwrap();
        let expected = format!("KECS_{}", name.replace('-', "_").to_uppercase());
        assert_eq!(argument.get_env().and_then(|env| env.to_str()), Some(expected.as_str()), "{name}");
    }
}

#[test]
fn without_settings_it_is_duckdb_and_the_simulation_on_loopback() {
    let config = resolve(Settings::default()).unwrap();
    assert!(
        matches!(&config.storage, Storage::DuckDb { directory } if directory == Path::new("/home/me/.local/share/kecs"))
    );
    assert_eq!(config.orchestrator.kind(), OrchestratorKind::Simulated);
    assert!(config.listen.ip().is_loopback() && config.admin_listen.ip().is_loopback());
    assert_eq!(config.scope, DefaultScope { account: "000000000000".into(), region: "us-east-1".into() });
}

#[test]
fn the_data_directory_follows_the_xdg_rules() {
    let directory = |env: &[(&str, &str)], flag: &[&str]| {
        let env: HashMap<_, _> = env.iter().copied().collect();
        match Config::resolve(flags(flag), |name| env.get(name).map(OsString::from)).unwrap().storage {
            Storage::DuckDb { directory } => directory.display().to_string(),
            other => panic!("{other:?}"),
        }
    };
    let home = ("HOME", "/home/me");
    assert_eq!(directory(&[home, ("XDG_DATA_HOME", "/data")], &[]), "/data/kecs");
    assert_eq!(directory(&[home, ("XDG_DATA_HOME", "")], &[]), "/home/me/.local/share/kecs");
    assert_eq!(directory(&[home, ("XDG_DATA_HOME", "relative")], &[]), "/home/me/.local/share/kecs");
    assert_eq!(directory(&[home], &["--data-dir", "here"]), "here");
    let error = Config::resolve(Settings::default(), |_| None).unwrap_err().to_string();
    assert!(error.contains("--data-dir"), "{error}");
}

#[test]
fn a_database_address_means_postgres_unless_something_else_is_asked_for() {
    let url = ["--database-url", "postgres://u:hunter2@h/d"];
    let config = resolve(flags(&url)).unwrap();
    assert!(
        matches!(&config.storage, Storage::Postgres { url } if url.expose() == "postgres://u:hunter2@h/d")
    );
    assert!(!format!("{config:?}").contains("hunter2"));
    let config = resolve(flags(&[&url[..], &["--storage", "memory"]].concat())).unwrap();
    assert_eq!(config.storage.kind(), StorageKind::Memory);
    assert!(refused(flags(&["--storage", "postgres"])).contains("KECS_DATABASE_URL"));
}

#[test]
fn simulated_nodes_are_as_many_and_as_large_as_asked_for() {
    let config = resolve(flags(&["--sim-nodes", "2", "--sim-node-cpu", "2048"])).unwrap();
    let Orchestrator::Simulated(options) = config.orchestrator else { panic!("not simulated") };
    assert_eq!(options.nodes.len(), 2);
    assert!(options.nodes.iter().all(|node| node.cpu == 2048 && node.memory > 0));
    assert!(refused(flags(&["--sim-node-cpu", "0"])).contains("sim-node-cpu"));
}

#[test]
fn wrong_settings_are_named() {
    for (flag, value, name) in [
        ("--region", "Frankfurt", "region"),
        ("--account-id", "1234", "account-id"),
        ("--threads", "0", "threads"),
        ("--max-requests", "0", "max-requests"),
    ] {
        let error = refused(flags(&[flag, value]));
        assert!(error.starts_with(name), "{error}");
    }
}

#[test]
fn an_installation_has_a_name_that_kubernetes_takes() {
    let installation = |settings: Settings| match resolve(settings).unwrap().orchestrator {
        Orchestrator::Kubernetes(options) => options.installation,
        other => panic!("{other:?}"),
    };
    let kubernetes = ["--orchestrator", "kubernetes"];
    assert_eq!(installation(flags(&kubernetes)), "kecs");
    assert_eq!(installation(flags(&[&kubernetes[..], &["--installation", "team-b"]].concat())), "team-b");
    for wrong in ["", "Team", "-a", "a-", "a_b", "a.b", &"x".repeat(41)] {
        assert!(wrong.parse::<values::Installation>().is_err(), "{wrong}");
    }
}
