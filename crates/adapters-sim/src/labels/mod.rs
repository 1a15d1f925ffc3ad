//! What a container does, as its `dockerLabels` say: the labels under `kecs.dev/sim.`.
//!
//! Labels elsewhere are not looked at. A label here that nobody knows, or a value that can't be read, is refused
//! when the task definition is registered, because a typo that is ignored makes a test that proves nothing.

mod duration;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// What every label of the simulation begins with.
pub const PREFIX: &str = "kecs.dev/sim.";

/// The labels without their prefix, each with what it accepts.
pub const LABELS: &[(&str, &str)] = &[
    ("exit-code", EXIT_CODE),
    ("exit-on-sigterm", EXIT_CODE),
    ("health", HEALTH),
    ("health-interval", INTERVAL),
    ("ignore-sigterm", BOOLEAN),
    ("log", TEXT),
    ("log-every", PACE),
    ("oom-after", DURATION),
    ("pull-delay", DURATION),
    ("pull-error", TEXT),
    ("resource-error", TEXT),
    ("run-for", DURATION),
    ("share", PERCENTAGE),
    ("start-delay", DURATION),
    ("start-error", TEXT),
    ("stop-delay", DURATION),
];

const EXIT_CODE: &str = "an integer from 0 to 255";
const DURATION: &str = "a duration of at most a year, such as 50ms, 3s, 2m or 1h";
const PACE: &str = "a duration of 1ms to a year, such as 50ms, 3s, 2m or 1h";
const INTERVAL: &str =
    "a duration of 1ms to a year, such as 50ms, 3s, 2m or 1h, on a container with a healthCheck";
const TEXT: &str = "a text that is not empty";
const BOOLEAN: &str = "true or false";
const PERCENTAGE: &str = "an integer from 0 to 100";
const HEALTH: &str = "healthy, unhealthy, hanging, flapping, healthy-after=DURATION or unhealthy-after=DURATION, \
                      on a container with a healthCheck";

/// A label that can't be understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "Container '{container}': the label {label} with the value '{value}' is not accepted. Accepted is {accepted}."
)]
pub struct LabelError {
    /// The container that carries it.
    pub container: String,
    /// The whole name of the label.
    pub label: String,
    /// Its value.
    pub value: String,
    /// What would be accepted.
    pub accepted: String,
}

/// What the application in a container does. The default runs until it is stopped, heeds SIGTERM at once and
/// ends with 0, and is healthy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Behaviour {
    /// Fails before the image is pulled, with this text.
    pub(crate) resource_error: Option<Arc<str>>,
    /// How long the image takes; None for the simulation's default.
    pub(crate) pull_delay: Option<Duration>,
    /// The image can't be pulled, for this reason.
    pub(crate) pull_error: Option<Arc<str>>,
    /// How long the start takes; None for the simulation's default.
    pub(crate) start_delay: Option<Duration>,
    /// The container can't be started, for this reason.
    pub(crate) start_error: Option<Arc<str>>,
    /// Ends by itself so long after its start.
    pub(crate) run_for: Option<Duration>,
    /// The exit code when it ends by itself. Without `run_for` it ends at once.
    pub(crate) exit_code: Option<i32>,
    /// Needs too much memory so long after its start.
    pub(crate) oom_after: Option<Duration>,
    /// What its health check finds.
    pub(crate) health: Health,
    /// How often the health check is made, instead of the `interval` of the task definition.
    pub(crate) health_interval: Option<Duration>,
    /// What it writes when it starts.
    pub(crate) log: Option<Arc<str>>,
    /// How often it writes that again.
    pub(crate) log_every: Option<Duration>,
    /// SIGTERM does nothing.
    pub(crate) ignore_sigterm: bool,
    /// How long it takes to end after SIGTERM.
    pub(crate) stop_delay: Duration,
    /// The exit code after SIGTERM.
    pub(crate) exit_on_sigterm: i32,
    /// For how many of 100 tasks this holds.
    pub(crate) share: u8,
}

impl Behaviour {
    /// What a container without labels does.
    pub(crate) const DEFAULT: Self = Self {
        resource_error: None,
        pull_delay: None,
        pull_error: None,
        start_delay: None,
        start_error: None,
        run_for: None,
        exit_code: None,
        oom_after: None,
        health: Health::Passing,
        health_interval: None,
        log: None,
        log_every: None,
        ignore_sigterm: false,
        stop_delay: Duration::ZERO,
        exit_on_sigterm: 0,
        share: 100,
    };

    /// Reads the labels of `container`.
    pub(crate) fn parse(
        container: &str,
        has_check: bool,
        labels: &BTreeMap<String, String>,
    ) -> Result<Self, LabelError> {
        let mut behaviour = Self::DEFAULT;
        for (label, value) in labels {
            let Some(name) = label.strip_prefix(PREFIX) else { continue };
            let error = |accepted: String| LabelError {
                container: container.to_owned(),
                label: label.clone(),
                value: value.clone(),
                accepted,
            };
            let Some((_, accepted)) = LABELS.iter().find(|(known, _)| *known == name) else {
                let known: Vec<_> = LABELS.iter().map(|(known, _)| *known).collect();
                return Err(error(format!("after {PREFIX} one of {}", known.join(", "))));
            };
            let out_of_place = name.starts_with("health") && !has_check;
            if out_of_place || behaviour.set(name, value).is_none() {
                return Err(error((*accepted).to_owned()));
            }
        }
        Ok(behaviour)
    }

    /// Takes in one label; None if its value can't be read.
    fn set(&mut self, name: &str, value: &str) -> Option<()> {
        match name {
            "exit-code" => self.exit_code = Some(exit_code(value)?),
            "exit-on-sigterm" => self.exit_on_sigterm = exit_code(value)?,
            "health" => self.health = Health::parse(value)?,
            "health-interval" => {
                self.health_interval = Some(duration::parse(value).filter(|it| !it.is_zero())?)
            }
            "ignore-sigterm" => self.ignore_sigterm = value.parse().ok()?,
            "log" => self.log = Some(text(value)?),
            "log-every" => self.log_every = Some(duration::parse(value).filter(|it| !it.is_zero())?),
            "oom-after" => self.oom_after = Some(duration::parse(value)?),
            "pull-delay" => self.pull_delay = Some(duration::parse(value)?),
            "pull-error" => self.pull_error = Some(text(value)?),
            "resource-error" => self.resource_error = Some(text(value)?),
            "run-for" => self.run_for = Some(duration::parse(value)?),
            "share" => self.share = number(value, 100)?,
            "start-delay" => self.start_delay = Some(duration::parse(value)?),
            "start-error" => self.start_error = Some(text(value)?),
            "stop-delay" => self.stop_delay = duration::parse(value)?,
            _ => return None,
        }
        Some(())
    }
}

/// What a health check finds each time it is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Health {
    /// It passes.
    Passing,
    /// It fails at once.
    Failing,
    /// It gives no answer within its timeout, and so fails.
    Hanging,
    /// It passes once, fails as often as it takes to be unhealthy, and so on.
    Flapping,
    /// It fails until so long after the start, and passes from then on.
    PassingAfter(Duration),
    /// It passes until so long after the start, and fails from then on.
    FailingAfter(Duration),
}

impl Health {
    fn parse(value: &str) -> Option<Self> {
        match value {
            "healthy" => Some(Self::Passing),
            "unhealthy" => Some(Self::Failing),
            "hanging" => Some(Self::Hanging),
            "flapping" => Some(Self::Flapping),
            _ => match value.split_once('=')? {
                ("healthy-after", after) => duration::parse(after).map(Self::PassingAfter),
                ("unhealthy-after", after) => duration::parse(after).map(Self::FailingAfter),
                _ => None,
            },
        }
    }
}

fn text(value: &str) -> Option<Arc<str>> {
    (!value.trim().is_empty()).then(|| value.into())
}

fn exit_code(value: &str) -> Option<i32> {
    number(value, 255).map(i32::from)
}

/// Plain digits, at most `most`: `parse` alone would take a plus sign.
fn number(value: &str, most: u8) -> Option<u8> {
    let digits = !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit());
    value.parse().ok().filter(|number| digits && *number <= most)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(labels: &[(&str, &str)]) -> Result<Behaviour, LabelError> {
        let labels = labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Behaviour::parse("web", true, &labels)
    }

    #[test]
    fn labels_of_others_are_left_alone() {
        assert_eq!(parse(&[("team", "a"), ("kecs.dev/simulation", "x")]), Ok(Behaviour::DEFAULT));
    }

    #[test]
    fn every_label_is_read() {
        let read = parse(&[
            ("kecs.dev/sim.exit-code", "7"),
            ("kecs.dev/sim.exit-on-sigterm", "143"),
            ("kecs.dev/sim.health", "unhealthy-after=3s"),
            ("kecs.dev/sim.health-interval", "50ms"),
            ("kecs.dev/sim.ignore-sigterm", "true"),
            ("kecs.dev/sim.log", "one\ntwo"),
            ("kecs.dev/sim.log-every", "5s"),
            ("kecs.dev/sim.oom-after", "2m"),
            ("kecs.dev/sim.pull-delay", "1s"),
            ("kecs.dev/sim.pull-error", "no such image"),
            ("kecs.dev/sim.resource-error", "no such secret"),
            ("kecs.dev/sim.run-for", "1h"),
            ("kecs.dev/sim.share", "30"),
            ("kecs.dev/sim.start-delay", "2s"),
            ("kecs.dev/sim.start-error", "no such user"),
            ("kecs.dev/sim.stop-delay", "4s"),
        ])
        .unwrap();
        let expected = Behaviour {
            resource_error: Some("no such secret".into()),
            pull_delay: Some(Duration::from_secs(1)),
            pull_error: Some("no such image".into()),
            start_delay: Some(Duration::from_secs(2)),
            start_error: Some("no such user".into()),
            run_for: Some(Duration::from_secs(3600)),
            exit_code: Some(7),
            oom_after: Some(Duration::from_secs(120)),
            health: Health::FailingAfter(Duration::from_secs(3)),
            health_interval: Some(Duration::from_millis(50)),
            log: Some("one\ntwo".into()),
            log_every: Some(Duration::from_secs(5)),
            ignore_sigterm: true,
            stop_delay: Duration::from_secs(4),
            exit_on_sigterm: 143,
            share: 30,
        };
        assert_eq!(read, expected);
    }

    #[test]
    fn a_wrong_value_is_refused_with_everything_one_needs_to_mend_it() {
        let error = parse(&[("kecs.dev/sim.run-for", "soon")]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "Container 'web': the label kecs.dev/sim.run-for with the value 'soon' is not accepted. \
             Accepted is a duration of at most a year, such as 50ms, 3s, 2m or 1h."
        );
        for (name, value) in [
            ("exit-code", "256"),
            ("exit-code", "-1"),
            ("exit-code", "+1"),
            ("exit-on-sigterm", ""),
            ("health", "ill"),
            ("health", "unhealthy-after"),
            ("health", "unhealthy-after=soon"),
            ("health-interval", "0s"),
            ("ignore-sigterm", "yes"),
            ("pull-error", " "),
            ("share", "101"),
        ] {
            let label = format!("{PREFIX}{name}");
            let error = parse(&[(&label, value)]).unwrap_err();
            assert_eq!((error.label.as_str(), error.value.as_str()), (label.as_str(), value));
        }
    }

    #[test]
    fn an_unknown_label_is_refused_and_the_known_ones_are_named() {
        let error = parse(&[("kecs.dev/sim.exitcode", "1")]).unwrap_err();
        assert_eq!(error.label, "kecs.dev/sim.exitcode");
        for (known, _) in LABELS {
            assert!(error.accepted.contains(known), "{known} in {}", error.accepted);
        }
    }

    #[test]
    fn health_labels_need_a_health_check() {
        let labels = BTreeMap::from([(format!("{PREFIX}health"), "healthy".to_owned())]);
        assert!(Behaviour::parse("web", false, &labels).unwrap_err().accepted.contains("with a healthCheck"));
        assert!(Behaviour::parse("web", true, &labels).is_ok());
    }
}
