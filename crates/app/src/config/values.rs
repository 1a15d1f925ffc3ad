//! The types of single settings: how they are written, and what is refused.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::str::FromStr;
use std::time::Duration;

use clap::ValueEnum;
use serde::Deserialize;

/// An address to listen on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Listen(pub SocketAddr);

impl FromStr for Listen {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Ok(address) = text.parse() {
            return Ok(Self(address));
        }
        let (host, port) = text.rsplit_once(':').unwrap_or((text, ""));
        let host = match host {
            "localhost" => Some(IpAddr::V4(Ipv4Addr::LOCALHOST)),
            "" => Some(IpAddr::V4(Ipv4Addr::UNSPECIFIED)),
            _ => None,
        };
        match (host, port.parse()) {
            (Some(host), Ok(port)) => Ok(Self(SocketAddr::new(host, port))),
            _ => Err("write an IP address and a port, such as 127.0.0.1:5373 (port 0: any free one)".into()),
        }
    }
}

impl TryFrom<String> for Listen {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

/// The address by which clients reach us.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct PublicUrl {
    tls: bool,
    /// The host, and what follows it, without a slash at the end.
    rest: String,
}

impl PublicUrl {
    /// The same address for WebSockets.
    pub fn for_sessions(&self) -> String {
        format!("{}://{}", if self.tls { "wss" } else { "ws" }, self.rest)
    }
}

impl FromStr for PublicUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let told = || "write an address such as https://kecs.example.com or http://10.0.0.7:5373".to_owned();
        let (scheme, rest) = text.split_once("://").ok_or_else(told)?;
        let tls = match scheme {
            "http" | "ws" => false,
            "https" | "wss" => true,
            _ => return Err(told()),
        };
        let rest = rest.trim_end_matches('/');
        let odd = |character: char| !character.is_ascii_graphic() || matches!(character, '?' | '#' | '@');
        if rest.is_empty() || rest.starts_with('/') || rest.contains(odd) {
            return Err(told());
        }
        Ok(Self { tls, rest: rest.to_owned() })
    }
}

impl TryFrom<String> for PublicUrl {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

/// The name of an installation: a label's value, and a part of namespaces' names.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Installation(String);

impl Installation {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Installation {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let is_legal =
            |character: u8| character.is_ascii_lowercase() || character.is_ascii_digit() || character == b'-';
        let legal = !text.is_empty()
            && text.len() <= 40
            && text.bytes().all(is_legal)
            && !text.starts_with('-')
            && !text.ends_with('-');
        if legal {
            Ok(Self(text.to_owned()))
        } else {
            Err("write at most 40 lower-case letters, digits and hyphens, such as team-b, with no hyphen at the \
                 beginning or the end"
                .into())
        }
    }
}

impl TryFrom<String> for Installation {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

/// A length of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Span(pub Duration);

impl FromStr for Span {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let split = text.find(|character: char| !character.is_ascii_digit()).unwrap_or(text.len());
        let (number, unit) = text.split_at(split);
        let number: Option<u64> = number.parse().ok();
        let duration = number.and_then(|number| match unit {
            "ms" => Some(Duration::from_millis(number)),
            "s" => Some(Duration::from_secs(number)),
            "m" => number.checked_mul(60).map(Duration::from_secs),
            "h" => number.checked_mul(3600).map(Duration::from_secs),
            _ => None,
        });
        duration.map(Self).ok_or_else(|| "write a number and a unit (ms, s, m or h), such as 30s".into())
    }
}

impl TryFrom<String> for Span {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

/// Where state is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StorageKind {
    /// A file in the data directory; one process at a time
    #[value(name = "duckdb")]
    #[serde(rename = "duckdb")]
    DuckDb,
    /// Nowhere: everything is forgotten at the end
    Memory,
    /// A PostgreSQL database
    Postgres,
}

impl StorageKind {
    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::DuckDb => "duckdb",
            Self::Memory => "memory",
            Self::Postgres => "postgres",
        }
    }
}

/// What runs the tasks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OrchestratorKind {
    /// A simulation inside the process: no cluster and no images are needed
    Simulated,
    /// A Kubernetes cluster, as Pods
    Kubernetes,
}

impl OrchestratorKind {
    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Simulated => "simulated",
            Self::Kubernetes => "kubernetes",
        }
    }
}

/// How the log is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LogFormat {
    /// For people
    #[default]
    Human,
    /// One JSON object per line
    Json,
}

/// The address of a database. It may hold a password, so it has no `Display` and its `Debug` tells nothing.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct DatabaseUrl(String);

impl DatabaseUrl {
    /// The text, for whoever connects.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

// It never fails, as clap would repeat the refused text. What is wrong with it shows when it is used.
impl FromStr for DatabaseUrl {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DatabaseUrl(***)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_in_the_usual_forms() {
        for (text, expected) in [
            ("127.0.0.1:5373", Some("127.0.0.1:5373")),
            ("localhost:0", Some("127.0.0.1:0")),
            (":5373", Some("0.0.0.0:5373")),
            ("[::1]:80", Some("[::1]:80")),
            ("example.org:80", None),
            ("127.0.0.1", None),
            ("localhost", None),
            ("localhost:65536", None),
            ("", None),
        ] {
            let address = text.parse::<Listen>().ok().map(|listen| listen.0.to_string());
            assert_eq!(address.as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn a_public_address_is_that_of_sessions_too() {
        for (text, expected) in [
            ("https://kecs.example.com/", Some("wss://kecs.example.com")),
            ("http://10.0.0.7:5373", Some("ws://10.0.0.7:5373")),
            ("wss://example.com/kecs", Some("wss://example.com/kecs")),
            ("ws://[::1]:1", Some("ws://[::1]:1")),
            ("kecs.example.com", None),
            ("ftp://example.com", None),
            ("https://", None),
            ("https:///path", None),
            ("https://user@example.com", None),
            ("https://example.com?x=1", None),
            ("https://example.com /", None),
        ] {
            let url = text.parse::<PublicUrl>().ok().map(|url| url.for_sessions());
            assert_eq!(url.as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn times_have_a_unit() {
        for (text, expected) in [
            ("250ms", Some(Duration::from_millis(250))),
            ("30s", Some(Duration::from_secs(30))),
            ("2m", Some(Duration::from_secs(120))),
            ("3h", Some(Duration::from_secs(10_800))),
            ("30", None),
            ("s", None),
            ("1.5s", None),
            ("-1s", None),
            ("99999999999999999999s", None),
            ("9999999999999999999m", None),
        ] {
            assert_eq!(text.parse::<Span>().ok().map(|span| span.0), expected, "{text}");
        }
    }

    #[test]
    fn a_database_address_does_not_show() {
        let Ok(url) = "postgres://kecs:secret@db/kecs".parse::<DatabaseUrl>();
        assert_eq!(format!("{url:?}"), "DatabaseUrl(***)");
    }
}
