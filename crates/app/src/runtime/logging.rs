//! The log: to standard error, for people or as JSON.

use std::io::IsTerminal;

use anyhow::{Result, anyhow};
use tracing_subscriber::EnvFilter;

use crate::config::LogFormat;

/// Below debug, WebSockets' library writes what goes over them: tokens of sessions, and all that is typed in them.
const TELLS_SECRETS: [&str; 2] = ["tungstenite=debug", "tungstenite::protocol=debug"];

/// Sets the process's log up. Once.
///
/// # Errors
/// When the filter is not one.
pub fn start(filter: &str, format: LogFormat) -> Result<()> {
    let filter = EnvFilter::try_new(filter).map_err(|error| {
        anyhow!("log-level: {filter:?} is not a filter ({error}); try info, debug or info,kecs_app=debug")
    })?;
    let quiet = TELLS_SECRETS.iter().filter_map(|directive| directive.parse().ok());
    let filter = quiet.fold(filter, EnvFilter::add_directive);
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let result = match format {
        LogFormat::Human => builder.with_ansi(std::io::stderr().is_terminal()).try_init(),
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
    };
    // An embedding program, or a test, may have a log of its own already: then that one is used.
    let _ = result;
    Ok(())
}
