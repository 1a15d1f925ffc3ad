//! The settings of a TOML file.

use std::path::Path;

use anyhow::{Context, Result, anyhow};

use super::Settings;

/// Reads a file.
///
/// # Errors
/// When it can't be read, isn't TOML, or has a key or a value that isn't known. The message names the key and the
/// line, but doesn't repeat the line: it may hold a password.
pub(super) fn read(path: &Path) -> Result<Settings> {
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("the configuration file {} can't be read", path.display()))?;
    parse(&text).with_context(|| format!("the configuration file {} is wrong", path.display()))
}

fn parse(text: &str) -> Result<Settings> {
    toml::from_str(text).map_err(|error| {
        let before = error.span().map_or(0, |span| span.start);
        let line = text.bytes().take(before).filter(|byte| *byte == b'\n').count() + 1;
        anyhow!("line {line}: {}", error.message())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{OrchestratorKind, StorageKind};

    #[test]
    fn keys_are_the_names_of_the_flags() {
        let settings = parse(
            r#"
            listen = "localhost:0"
            admin-listen = "127.0.0.1:1"
            storage = "memory"
            orchestrator = "kubernetes"
            sim-nodes = 5
            drain = "5s"
            "#,
        )
        .unwrap();
        assert_eq!(settings.listen.unwrap().0.to_string(), "127.0.0.1:0");
        assert_eq!(settings.storage, Some(StorageKind::Memory));
        assert_eq!(settings.orchestrator, Some(OrchestratorKind::Kubernetes));
        assert_eq!(settings.sim_nodes, Some(5));
        assert_eq!(settings.region, None);
        assert_eq!(parse(r#"storage = "duckdb""#).unwrap().storage, Some(StorageKind::DuckDb));
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line_and_no_value_is_repeated() {
        let told = |text: &str| format!("{:#}", parse(text).unwrap_err());
        let unknown = told("listen = \"127.0.0.1:1\"\ndatabase_url = \"postgres://u:hunter2@h/d\"\n");
        assert!(unknown.starts_with("line 2: unknown field `database_url`, expected one of"), "{unknown}");
        assert!(!unknown.contains("hunter2"), "{unknown}");
        let value = told("listen = \"nowhere\"");
        assert!(value.starts_with("line 1: write an IP address and a port"), "{value}");
        let kind = told("\nstorage = \"sqlite\"");
        assert!(kind.contains("line 2") && kind.contains("sqlite") && kind.contains("duckdb"), "{kind}");
        assert!(told("listen = ").starts_with("line 1: "));
    }
}
