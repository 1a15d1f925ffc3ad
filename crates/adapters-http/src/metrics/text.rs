//! The text format of Prometheus, version 0.0.4.

use std::fmt::{Display, Write};

/// Metrics as text.
#[derive(Debug, Default)]
pub struct MetricsText(String);

/// Something outside this crate that has numbers to show: the store, the orchestrator, the reconcilers' queue.
pub trait Gauges: Send + Sync {
    /// Writes the numbers of this moment. MUST be quick and without I/O.
    fn write(&self, out: &mut MetricsText);
}

impl<F: Fn(&mut MetricsText) + Send + Sync> Gauges for F {
    fn write(&self, out: &mut MetricsText) {
        self(out);
    }
}

impl MetricsText {
    /// Begins a family: its name, its type (`counter`, `gauge`, `histogram`), and what it means.
    pub fn family(&mut self, name: &str, kind: &str, help: &str) {
        // Writing to a String can't fail.
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    /// A value with labels. Label values may hold anything.
    pub fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: impl Display) {
        self.0.push_str(name);
        for (at, (label, text)) in labels.iter().enumerate() {
            self.0.push(if at == 0 { '{' } else { ',' });
            let _ = write!(self.0, "{label}=\"");
            for character in text.chars() {
                match character {
                    '\\' => self.0.push_str("\\\\"),
                    '"' => self.0.push_str("\\\""),
                    '\n' => self.0.push_str("\\n"),
                    other => self.0.push(other),
                }
            }
            self.0.push('"');
        }
        if !labels.is_empty() {
            self.0.push('}');
        }
        let _ = writeln!(self.0, " {value}");
    }

    /// A gauge without labels.
    pub fn gauge(&mut self, name: &str, help: &str, value: impl Display) {
        self.family(name, "gauge", help);
        self.sample(name, &[], value);
    }

    /// The text.
    pub fn into_string(self) -> String {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_escaped() {
        let mut out = MetricsText::default();
        out.gauge("a", "What a is.", 1);
        out.sample("b", &[("x", "1\"2\\3\n4"), ("y", "")], 0.5);
        assert_eq!(
            out.into_string(),
            "# HELP a What a is.\n# TYPE a gauge\na 1\nb{x=\"1\\\"2\\\\3\\n4\",y=\"\"} 0.5\n"
        );
    }
}
