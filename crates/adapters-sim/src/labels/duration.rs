//! Durations as people write them in labels: `50ms`, `3s`, `2m`, `1h`.
//!
//! A whole number and one unit; deliberately nothing more, so that two spellings never mean the same.

use std::time::Duration;

/// The longest duration that is accepted: a year. What should outlive that has no duration at all.
const LONGEST: Duration = Duration::from_secs(365 * 24 * 3600);

/// Reads a duration; `None` if it isn't one, or is longer than a year.
pub(super) fn parse(text: &str) -> Option<Duration> {
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.parse().ok()?;
    let millis = match unit {
        "ms" => 1,
        "s" => 1000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => return None,
    };
    Some(Duration::from_millis(number.checked_mul(millis)?)).filter(|it| *it <= LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_a_whole_number_and_a_unit() {
        for (text, millis) in [
            ("0s", 0),
            ("50ms", 50),
            ("3s", 3_000),
            ("2m", 120_000),
            ("1h", 3_600_000),
            ("8760h", 31_536_000_000),
        ] {
            assert_eq!(parse(text), Some(Duration::from_millis(millis)), "{text}");
        }
    }

    #[test]
    fn everything_else_is_no_duration() {
        for text in
            ["", "3", "s", "3 s", "-3s", "+3s", "1.5s", "3S", "3d", "1m30s", "8761h", "99999999999999999999s"]
        {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
