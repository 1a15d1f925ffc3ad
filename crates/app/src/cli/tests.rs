//! The command line as people type it.

use clap::CommandFactory;
use clap::error::ErrorKind;

use super::*;
use crate::config::{OrchestratorKind, StorageKind};

#[test]
fn the_definition_is_consistent() {
    Cli::command().debug_assert();
}

#[test]
fn serve_takes_its_settings_as_flags() {
    let cli = Cli::try_parse_from([
        "kecs",
        "serve",
        "--listen",
        "127.0.0.1:0",
        "--storage",
        "memory",
        "--orchestrator",
        "kubernetes",
        "--config",
        "kecs.toml",
    ])
    .unwrap();
    let Command::Serve(serve) = cli.command else { panic!("not serve") };
    assert_eq!(serve.settings.storage, Some(StorageKind::Memory));
    assert_eq!(serve.settings.orchestrator, Some(OrchestratorKind::Kubernetes));
    assert_eq!(serve.settings.listen.unwrap().0.port(), 0);
    assert_eq!(serve.config.unwrap().to_str(), Some("kecs.toml"));
}

#[test]
fn the_ready_line_is_as_it_is_documented() {
    let ready = crate::runtime::Ready {
        api: "127.0.0.1:5373".parse().unwrap(),
        admin: "127.0.0.1:5374".parse().unwrap(),
        storage: StorageKind::DuckDb,
        orchestrator: OrchestratorKind::Simulated,
        region: "us-east-1".into(),
        account: "000000000000".into(),
    };
    let mut command = Cli::command();
    let help = command.find_subcommand_mut("serve").unwrap().render_long_help().to_string();
    let flat = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(flat(&help).contains(&flat(&ready.to_string())), "{help}");
}

#[test]
fn a_wrong_value_is_refused_with_what_is_accepted() {
    let refused = |args: &[&str]| Cli::try_parse_from(args).unwrap_err();
    let error = refused(&["kecs", "serve", "--storage", "sqlite"]);
    assert_eq!(error.kind(), ErrorKind::InvalidValue);
    assert!(error.to_string().contains("duckdb, memory, postgres"), "{error}");
    assert!(refused(&["kecs", "serve", "--listen", "x"]).to_string().contains("127.0.0.1:5373"));
    assert_eq!(refused(&["kecs", "serve", "--lisen", "x"]).kind(), ErrorKind::UnknownArgument);
    assert_eq!(refused(&["kecs", "sevre"]).kind(), ErrorKind::InvalidSubcommand);
}

#[test]
fn every_command_has_help_and_those_with_flags_have_examples() {
    for command in Cli::command().get_subcommands_mut() {
        let help = command.render_long_help().to_string();
        assert!(help.len() > 40, "{help}");
        if command.get_name() != "version" {
            assert!(help.contains("Examples:"), "{help}");
        }
    }
}
