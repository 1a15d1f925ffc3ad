//! A point in time as the API has it: milliseconds, on the wire a JSON number of seconds.
//!
//! It's a value and no clock: the domain is told what time it is.

use std::fmt;
use std::num::NonZeroU64;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Milliseconds since the Unix epoch, between the years -9999 and 9999.
///
/// Held as the milliseconds since one before [`Timestamp::MIN`]: never zero, so an optional time takes 8 bytes and not
/// 16. A task has a dozen of them.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(NonZeroU64);

/// The first and the last second that `jiff` has, in milliseconds. Both are well within the integers that an `f64`
/// holds exactly.
const FIRST: i64 = -377_705_023_201 * 1000;
const LAST: i64 = 253_402_207_200 * 1000;

impl Timestamp {
    /// The earliest point in time, which is `jiff`'s.
    pub const MIN: Timestamp = Timestamp::from_millis(FIRST);
    /// The latest point in time, likewise to the second.
    pub const MAX: Timestamp = Timestamp::from_millis(LAST);

    /// The point so many milliseconds after the epoch; saturates at [`Timestamp::MIN`] and [`Timestamp::MAX`].
    pub const fn from_millis(millis: i64) -> Self {
        let within = if millis < FIRST {
            FIRST
        } else if millis > LAST {
            LAST
        } else {
            millis
        };
        Timestamp(NonZeroU64::MIN.saturating_add(within.abs_diff(FIRST)))
    }

    /// Milliseconds since the epoch.
    pub const fn as_millis(self) -> i64 {
        FIRST.saturating_add_unsigned(self.0.get() - 1)
    }

    /// Later by a duration (its part below a millisecond is dropped), if that's still representable.
    pub fn checked_add(self, duration: Duration) -> Option<Self> {
        let millis = self.as_millis().checked_add(i64::try_from(duration.as_millis()).ok()?)?;
        (millis <= LAST).then_some(Self::from_millis(millis))
    }

    /// Later by a duration, at most [`Timestamp::MAX`].
    pub fn saturating_add(self, duration: Duration) -> Self {
        self.checked_add(duration).unwrap_or(Self::MAX)
    }

    /// Earlier by a duration, at least [`Timestamp::MIN`].
    pub fn saturating_sub(self, duration: Duration) -> Self {
        let millis = i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
        Self::from_millis(self.as_millis().saturating_sub(millis))
    }

    /// How long after `earlier` this is; zero if it's before.
    pub fn duration_since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.get().saturating_sub(earlier.0.get()))
    }
}

/// The epoch.
impl Default for Timestamp {
    fn default() -> Self {
        Self::from_millis(0)
    }
}

impl From<jiff::Timestamp> for Timestamp {
    fn from(time: jiff::Timestamp) -> Self {
        Self::from_millis(time.as_millisecond())
    }
}

impl From<Timestamp> for jiff::Timestamp {
    fn from(time: Timestamp) -> Self {
        // In range by construction; the fallback only keeps a panic out of the formatting code.
        jiff::Timestamp::from_millisecond(time.as_millis()).unwrap_or_default()
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        jiff::Timestamp::from(*self).fmt(f)
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let millis = self.as_millis();
        if millis % 1000 == 0 {
            serializer.serialize_i64(millis / 1000)
        } else {
            // The quotient is the double nearest to at most 15 decimal digits, so that its shortest
            // form is those digits, and it's never small or large enough for an exponent.
            serializer.serialize_f64(millis as f64 / 1000.0)
        }
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(EpochSeconds)
    }
}

#[derive(Copy, Clone)]
struct EpochSeconds;

impl de::Visitor<'_> for EpochSeconds {
    type Value = Timestamp;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number of seconds since 1970-01-01")
    }

    fn visit_i64<E: de::Error>(self, seconds: i64) -> Result<Timestamp, E> {
        seconds
            .checked_mul(1000)
            .filter(|millis| (FIRST..=LAST).contains(millis))
            .map(Timestamp::from_millis)
            .ok_or_else(|| E::invalid_value(de::Unexpected::Signed(seconds), &self))
    }

    fn visit_u64<E: de::Error>(self, seconds: u64) -> Result<Timestamp, E> {
        let unexpected = de::Unexpected::Unsigned(seconds);
        self.visit_i64(i64::try_from(seconds).map_err(|_| E::invalid_value(unexpected, &self))?)
    }

    fn visit_f64<E: de::Error>(self, seconds: f64) -> Result<Timestamp, E> {
        let millis = (seconds * 1000.0).round();
        // Also false for NaN.
        if millis >= FIRST as f64 && millis <= LAST as f64 {
            Ok(Timestamp::from_millis(millis as i64))
        } else {
            Err(E::invalid_value(de::Unexpected::Float(seconds), &self))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(millis: i64) -> String {
        serde_json::to_string(&Timestamp::from_millis(millis)).unwrap()
    }

    fn parse(text: &str) -> serde_json::Result<Timestamp> {
        serde_json::from_str(text)
    }

    #[test]
    fn serialises_as_seconds_without_noise() {
        assert_eq!(json(1_731_234_567_123), "1731234567.123");
        assert_eq!(json(1_731_234_567_100), "1731234567.1");
        assert_eq!(json(1_731_234_567_000), "1731234567");
        assert_eq!(json(0), "0");
        assert_eq!(json(1), "0.001");
        assert_eq!(json(-1), "-0.001");
        assert_eq!(json(LAST - 1), "253402207199.999");
    }

    #[test]
    fn every_millisecond_survives() {
        for millis in (1_731_234_567_000..1_731_234_568_000).chain([-1, -999, FIRST + 1]) {
            let text = json(millis);
            assert!(!text.contains(['e', 'E']) && text.len() <= 17, "{text}");
            assert_eq!(parse(&text).unwrap().as_millis(), millis, "{text}");
        }
    }

    #[test]
    fn reads_integers_and_floats() {
        assert_eq!(parse("1731234567").unwrap().as_millis(), 1_731_234_567_000);
        assert_eq!(parse("1731234567.1234").unwrap().as_millis(), 1_731_234_567_123);
        assert_eq!(parse("1.731234567123E9").unwrap().as_millis(), 1_731_234_567_123);
        assert_eq!(parse("-1.5").unwrap().as_millis(), -1500);
    }

    #[test]
    fn refuses_everything_else() {
        for text in
            [r#""1731234567""#, r#""2024-11-10T10:29:27Z""#, "null", "true", "1e300", "99999999999999999"]
        {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn displays_as_rfc_3339() {
        assert_eq!(Timestamp::from_millis(1_731_234_567_123).to_string(), "2024-11-10T10:29:27.123Z");
        assert_eq!(format!("{:?}", Timestamp::default()), "1970-01-01T00:00:00Z");
    }

    #[test]
    fn converts_to_jiff_and_back_over_the_whole_range() {
        for time in [Timestamp::MIN, Timestamp::default(), Timestamp::from_millis(-1), Timestamp::MAX] {
            assert_eq!(Timestamp::from(jiff::Timestamp::from(time)), time);
        }
        assert_eq!(Timestamp::from_millis(i64::MAX), Timestamp::MAX);
        assert_eq!(Timestamp::from_millis(i64::MIN), Timestamp::MIN);
    }

    #[test]
    fn arithmetic_stops_at_the_ends() {
        let second = Duration::from_secs(1);
        let time = Timestamp::from_millis(500);
        assert_eq!(time.saturating_add(second).as_millis(), 1500);
        assert_eq!(time.saturating_sub(second).as_millis(), -500);
        assert_eq!(Timestamp::MAX.checked_add(second), None);
        assert_eq!(Timestamp::MAX.saturating_add(second), Timestamp::MAX);
        assert_eq!(Timestamp::MAX.saturating_add(Duration::MAX), Timestamp::MAX);
        assert_eq!(Timestamp::MIN.saturating_sub(Duration::MAX), Timestamp::MIN);
        assert_eq!(time.saturating_add(second).duration_since(time), second);
        assert_eq!(time.duration_since(time.saturating_add(second)), Duration::ZERO);
        assert!(Timestamp::MAX.duration_since(Timestamp::MIN) > second);
    }
}
