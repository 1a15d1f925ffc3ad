//! Test counts out of what the test runners print.

use std::fmt;
use std::ops::AddAssign;

/// How many tests ended how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) passed: u64,
    pub(super) failed: u64,
    pub(super) skipped: u64,
}

impl Counts {
    /// One passed check.
    pub(super) const PASSED: Self = Self { passed: 1, failed: 0, skipped: 0 };
    /// One failed check.
    pub(super) const FAILED: Self = Self { passed: 0, failed: 1, skipped: 0 };
    /// One skipped check.
    pub(super) const SKIPPED: Self = Self { passed: 0, failed: 0, skipped: 1 };

    /// Whether no test ran.
    pub(super) fn none_ran(self) -> bool {
        self.passed + self.failed == 0
    }

    /// The counts of a runner's closing line: cargo test's or pytest's. None for any other line.
    pub(super) fn of_line(line: &str) -> Option<Self> {
        match line.strip_prefix("test result: ") {
            Some(result) => Self::parse(result.split_once(". ")?.1.split("; ")),
            None => {
                let (counts, time) = line.trim_matches(['=', ' ']).rsplit_once(" in ")?;
                time.starts_with(|c: char| c.is_ascii_digit()).then_some(())?;
                Self::parse(counts.split(", "))
            }
        }
    }

    fn parse<'a>(parts: impl Iterator<Item = &'a str>) -> Option<Self> {
        let mut counts = Self::default();
        let mut any = false;
        for part in parts {
            let Some((number, word)) = part.split_once(' ') else { continue };
            let Ok(number) = number.parse::<u64>() else { continue };
            let field = match word {
                "passed" => &mut counts.passed,
                "failed" | "error" | "errors" => &mut counts.failed,
                "ignored" | "skipped" | "xfailed" => &mut counts.skipped,
                _ => continue,
            };
            *field += number;
            any = true;
        }
        any.then_some(counts)
    }
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed, {} skipped", self.passed, self.failed, self.skipped)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(passed: u64, failed: u64, skipped: u64) -> Option<Counts> {
        Some(Counts { passed, failed, skipped })
    }

    #[test]
    fn cargo_tests_closing_line_counts() {
        let line = "test result: FAILED. 12 passed; 3 failed; 1 ignored; 0 measured; 7 filtered out; finished in 0.01s";
        assert_eq!(Counts::of_line(line), counts(12, 3, 1));
    }

    #[test]
    fn pytests_closing_line_counts_with_and_without_its_frame() {
        assert_eq!(
            Counts::of_line("== 2 failed, 40 passed, 3 skipped, 1 error in 12.34s (0:00:12) =="),
            counts(40, 3, 3)
        );
        assert_eq!(Counts::of_line("40 passed, 2 warnings in 1.2s"), counts(40, 0, 0));
        assert_eq!(Counts::of_line("no tests ran in 0.01s"), None);
    }

    #[test]
    fn other_lines_do_not_count() {
        for line in ["3 passed", "test task::runs ... ok", "waited 3 times in 2 s", "running 3 tests", ""] {
            assert_eq!(Counts::of_line(line), None, "{line}");
        }
    }
}
