//! What simulated containers say: the text of the label `kecs.dev/sim.log` when they start, and again and again where
//! `kecs.dev/sim.log-every` says so. Nothing is stored: the lines follow from the container's times.

use std::time::Duration;

use kecs_domain::Timestamp;
use kecs_usecases::ports::LogLine;

use crate::labels::Behaviour;
use crate::task::SimContainer;

/// What is known of a container's lines at some time.
pub(crate) struct Said {
    /// All lines up to then.
    pub(crate) lines: Vec<LogLine>,
    /// When the next one comes, if nothing happens before.
    pub(crate) next: Option<Timestamp>,
    /// Whether no more come.
    pub(crate) ended: bool,
}

/// More lines than this aren't made anew each time: the oldest of them are forgotten, as a node forgets its own.
const MOST: u128 = 10_000;

/// The lines of a container at `now`; None before it has started.
pub(crate) fn said(container: &SimContainer, behaviour: &Behaviour, now: Timestamp) -> Option<Said> {
    let began = container.started_at?;
    let ended = container.has_stopped();
    let until = container.finished_at.unwrap_or(now).min(now);
    let Some(text) = &behaviour.log else { return Some(Said { lines: Vec::new(), next: None, ended }) };
    let every = behaviour.log_every.unwrap_or(Duration::MAX).as_millis().max(1);
    let times = until.duration_since(began).as_millis() / every;
    let at = |number: u128| {
        let after = u64::try_from(number.saturating_mul(every)).unwrap_or(u64::MAX);
        began.saturating_add(Duration::from_millis(after))
    };
    let first = (times + 1).saturating_sub(MOST);
    let lines = (first..=times)
        .flat_map(|number| text.lines().map(move |text| LogLine { at: at(number), text: text.to_owned() }))
        .collect();
    let next = behaviour.log_every.filter(|_| !ended).map(|_| at(times + 1));
    Some(Said { lines, next, ended })
}
