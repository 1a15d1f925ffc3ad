//! A figure, its goal, and the table of all of them.

use std::fmt;

use serde::Serialize;

/// What a figure should be.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Goal {
    /// This or more.
    AtLeast(f64),
    /// This or less.
    AtMost(f64),
    /// It is only told.
    Told,
}

/// Something that was measured.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Figure {
    name: String,
    /// None when it could not be measured; the note says why.
    value: Option<f64>,
    unit: &'static str,
    goal: Goal,
    note: String,
}

impl Figure {
    /// A figure without a note.
    pub(crate) fn new(name: impl Into<String>, value: f64, unit: &'static str, goal: Goal) -> Self {
        Self { name: name.into(), value: Some(value), unit, goal, note: String::new() }
    }

    /// What could not be measured.
    pub(crate) fn failed(name: impl Into<String>, why: String) -> Self {
        Self { name: name.into(), value: None, unit: "", goal: Goal::Told, note: why }
    }

    /// With a word on how it came about.
    pub(crate) fn note(mut self, note: impl Into<String>) -> Self {
        self.note = note.into();
        self
    }

    /// Whether it could not be measured.
    pub(crate) fn has_failed(&self) -> bool {
        self.value.is_none()
    }

    fn shown(&self) -> String {
        self.value.map_or_else(|| "-".to_owned(), |value| with_unit(value, self.unit))
    }

    fn goal(&self) -> String {
        match self.goal {
            Goal::AtLeast(goal) => format!("at least {}", with_unit(goal, self.unit)),
            Goal::AtMost(goal) => format!("at most {}", with_unit(goal, self.unit)),
            Goal::Told => String::new(),
        }
    }

    fn verdict(&self) -> &'static str {
        match (self.value, self.goal) {
            (None, _) => "FAILED",
            (_, Goal::Told) => "",
            (Some(value), Goal::AtLeast(goal)) if value >= goal => "met",
            (Some(value), Goal::AtMost(goal)) if value <= goal => "met",
            _ => "MISSED",
        }
    }
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name, self.shown())?;
        if self.note.is_empty() { Ok(()) } else { write!(f, " ({})", self.note) }
    }
}

/// A number with as many digits as mean something, and thousands apart.
fn with_unit(value: f64, unit: &str) -> String {
    let digits = if value >= 100.0 {
        let whole = format!("{value:.0}");
        let mut grouped = String::new();
        for (index, digit) in whole.chars().enumerate() {
            if index > 0 && (whole.len() - index).is_multiple_of(3) {
                grouped.push(',');
            }
            grouped.push(digit);
        }
        grouped
    } else if value >= 10.0 {
        format!("{value:.1}")
    } else {
        format!("{value:.2}")
    };
    if unit.is_empty() { digits } else { format!("{digits} {unit}") }
}

/// All figures with their goals, as a Markdown table that also reads well on a terminal.
pub(crate) fn table(figures: &[Figure]) -> String {
    let mut rows = vec![["what", "figure", "goal", "verdict", "note"].map(str::to_owned)];
    for figure in figures {
        // The whole of an error was printed when it happened; here it would only widen the table.
        let note = figure.note.chars().take(100).collect();
        rows.push([figure.name.clone(), figure.shown(), figure.goal(), figure.verdict().to_owned(), note]);
    }
    let widths: Vec<usize> =
        (0..5).map(|column| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0)).collect();
    let mut lines: Vec<String> = rows
        .iter()
        .map(|row| {
            let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
            format!("| {} |", cells.collect::<Vec<_>>().join(" | "))
        })
        .collect();
    let rule = widths.iter().map(|width| "-".repeat(*width)).collect::<Vec<_>>().join(" | ");
    lines.insert(1, format!("| {rule} |"));
    let (met, missed) = ("met", "MISSED");
    let count = |verdict| figures.iter().filter(|figure| figure.verdict() == verdict).count();
    lines.push(format!("\n{} of {} goals met.", count(met), count(met) + count(missed)));
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_goal_that_is_just_reached_is_met_and_one_that_is_not_is_missed() {
        assert_eq!(Figure::new("x", 0.6, "", Goal::AtLeast(0.6)).verdict(), "met");
        assert_eq!(Figure::new("x", 0.59, "", Goal::AtLeast(0.6)).verdict(), "MISSED");
        assert_eq!(Figure::new("x", 60.0, "ms", Goal::AtMost(60.0)).verdict(), "met");
        assert_eq!(Figure::new("x", 61.0, "ms", Goal::AtMost(60.0)).verdict(), "MISSED");
    }

    #[test]
    fn what_could_not_be_measured_is_no_success() {
        let figures =
            [Figure::failed("x", "no answer".to_owned()), Figure::new("y", 1.0, "s", Goal::AtMost(2.0))];
        let table = table(&figures);
        assert!(
            table.contains("FAILED") && table.contains("no answer") && table.ends_with("1 of 1 goals met.")
        );
    }

    #[test]
    fn numbers_are_readable() {
        assert_eq!(with_unit(1_234_567.8, "/s"), "1,234,568 /s");
        assert_eq!(with_unit(123.0, ""), "123");
        assert_eq!(with_unit(0.612, ""), "0.61");
        assert_eq!(with_unit(45.67, "ms"), "45.7 ms");
    }
}
