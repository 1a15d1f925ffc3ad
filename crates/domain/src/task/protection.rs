//! Protection: what keeps a service's task from scale-in and from replacement, for a time.
//!
//! It ends by itself: nobody has to take it away. What fails its health checks or is stopped by a user goes all the
//! same.

use std::time::Duration;

use super::{DesiredStatus, Task, TaskStatus};
use crate::Timestamp;
use crate::error::EcsError;
use crate::generated as model;

/// How long a task is protected if nobody says otherwise. (API reference, expiresInMinutes)
const DEFAULT_MINUTES: i32 = 120;
/// The longest protection: 48 hours. (API reference, expiresInMinutes)
const MOST_MINUTES: i32 = 2_880;

/// Until when tasks are protected that are given protection at `now`; None if it is taken from them.
///
/// # Errors
/// `InvalidParameterException` for a time that is out of range, also where protection is taken away.
pub fn expiry(enabled: bool, minutes: Option<i32>, now: Timestamp) -> Result<Option<Timestamp>, EcsError> {
    let minutes = minutes.unwrap_or(DEFAULT_MINUTES);
    let valid = u64::try_from(minutes).ok().filter(|_| (1..=MOST_MINUTES).contains(&minutes));
    let Some(minutes) = valid else {
        return Err(EcsError::invalid_parameter(format!(
            "expiresInMinutes should be between 1 and {MOST_MINUTES}"
        )));
    };
    Ok(enabled.then(|| now.saturating_add(Duration::from_secs(minutes * 60))))
}

impl Task {
    /// Until when it is protected, if it is protected at `now`.
    pub fn protection(&self, now: Timestamp) -> Option<Timestamp> {
        self.protected_until.filter(|until| *until > now)
    }

    /// Whether it can have protection at all: it is a service's, and is not about to end.
    pub fn is_protectable(&self) -> bool {
        self.service.is_some() && self.desired == DesiredStatus::Running && self.status <= TaskStatus::Running
    }

    /// The task with protection until `until`, or without any. None if that changes nothing.
    #[must_use]
    pub fn protect(&self, until: Option<Timestamp>) -> Option<Self> {
        (self.protected_until != until).then(|| Self { protected_until: until, ..self.clone() })
    }

    /// Its protection as GetTaskProtection answers it at `now`.
    pub fn protection_view(&self, now: Timestamp) -> model::ProtectedTask {
        let until = self.protection(now);
        model::ProtectedTask {
            task_arn: Some(self.key.arn()),
            protection_enabled: Some(until.is_some()),
            expiration_date: until,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn protection_lasts_two_hours_or_as_long_as_was_said() {
        let now = Timestamp::from_millis(1_000);
        let after = |minutes: i64| Ok(Some(Timestamp::from_millis(1_000 + minutes * 60_000)));
        assert_eq!(expiry(true, None, now), after(120));
        assert_eq!(expiry(true, Some(1), now), after(1));
        assert_eq!(expiry(true, Some(2_880), now), after(2_880));
        assert_eq!(expiry(false, None, now), Ok(None));
        assert_eq!(expiry(false, Some(10), now), Ok(None));
    }

    #[test]
    fn a_time_out_of_range_is_refused() {
        for (enabled, minutes) in [(true, 0), (true, -1), (true, 2_881), (false, 0)] {
            let refused = expiry(enabled, Some(minutes), Timestamp::from_millis(0)).unwrap_err();
            assert_eq!(refused.message, "expiresInMinutes should be between 1 and 2880");
        }
    }
}
