//! The sessions that were promised: each waits for its one opening, for a short time.
//!
//! They live in the process that promised them, as the address that the caller was given leads to it. A restart
//! loses what waits; the caller asks again.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use kecs_domain::Timestamp;
use kecs_domain::arn::TaskKey;
use sha2::{Digest, Sha256};

/// How many sessions may wait at a time.
const MOST: usize = 10_000;

/// What a session is for.
#[derive(Clone, PartialEq, Eq)]
pub struct Ticket {
    /// The task.
    pub task: TaskKey,
    /// The container's name.
    pub container: String,
    /// The command, not yet taken apart.
    pub command: String,
}

/// The command may hold a password: it is never shown.
impl fmt::Debug for Ticket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ticket")
            .field("task", &self.task)
            .field("container", &self.container)
            .finish_non_exhaustive()
    }
}

/// The sessions that wait to be opened.
#[derive(Default)]
pub struct ExecSessions {
    waiting: Mutex<BTreeMap<String, Waiting>>,
}

struct Waiting {
    /// Only a digest of the token is kept: what is compared tells nothing about the token by the time it takes, and
    /// what is in memory can't be used.
    token: [u8; 32],
    until: Timestamp,
    ticket: Ticket,
}

impl ExecSessions {
    /// Promises a session until `until`. False if too many wait already.
    pub(super) fn promise(
        &self,
        now: Timestamp,
        until: Timestamp,
        id: &str,
        token: &str,
        ticket: Ticket,
    ) -> bool {
        let mut waiting = self.lock();
        if waiting.len() >= MOST {
            waiting.retain(|_, one| now < one.until);
        }
        if waiting.len() >= MOST {
            return false;
        }
        waiting.insert(id.to_owned(), Waiting { token: digest(token), until, ticket });
        true
    }

    /// Takes a session that was promised, so that nobody can take it again. None if there is none, if its time is over
    /// or if the token is not its own; a wrong token leaves it to its owner.
    pub(super) fn redeem(&self, now: Timestamp, id: &str, token: &str) -> Option<Ticket> {
        let mut waiting = self.lock();
        waiting.retain(|_, one| now < one.until);
        if waiting.get(id)?.token != digest(token) {
            return None;
        }
        waiting.remove(id).map(|one| one.ticket)
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Waiting>> {
        // Each change is one call of the map.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for ExecSessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExecSessions").field("waiting", &self.lock().len()).finish()
    }
}

fn digest(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use kecs_domain::Scope;
    use kecs_domain::arn::cluster_ref;
    use kecs_domain::name::HexId;

    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    fn ticket() -> Ticket {
        let cluster = cluster_ref(&Scope::new("123456789012", "eu-central-1"), None).unwrap();
        let task = TaskKey { cluster, id: HexId::from_bits(1) };
        Ticket { task, container: "web".to_owned(), command: "secret".to_owned() }
    }

    #[test]
    fn a_session_is_opened_once_with_its_own_token_and_in_time() {
        let sessions = ExecSessions::default();
        assert!(sessions.promise(at(0), at(1000), "a", "token", ticket()));
        assert!(sessions.promise(at(0), at(1000), "b", "other", ticket()));
        assert_eq!(sessions.redeem(at(1), "a", "wrong"), None);
        assert_eq!(sessions.redeem(at(1), "a", "other"), None, "a token is for one session");
        assert_eq!(sessions.redeem(at(1), "c", "token"), None);
        assert_eq!(sessions.redeem(at(999), "a", "token"), Some(ticket()));
        assert_eq!(sessions.redeem(at(999), "a", "token"), None, "once");
        assert_eq!(sessions.redeem(at(1000), "b", "other"), None, "too late");
        assert!(sessions.lock().is_empty());
    }

    #[test]
    fn what_waits_is_bounded_and_what_is_late_makes_room() {
        let sessions = ExecSessions::default();
        for n in 0..MOST {
            assert!(sessions.promise(at(0), at(1000), &n.to_string(), "token", ticket()));
        }
        assert!(!sessions.promise(at(999), at(2000), "more", "token", ticket()));
        assert!(sessions.promise(at(1000), at(2000), "more", "token", ticket()));
    }

    #[test]
    fn nothing_secret_is_shown() {
        assert!(!format!("{:?}", ticket()).contains("secret"));
        let sessions = ExecSessions::default();
        sessions.promise(at(0), at(1000), "a", "token", ticket());
        assert_eq!(format!("{sessions:?}"), "ExecSessions { waiting: 1 }");
    }
}
