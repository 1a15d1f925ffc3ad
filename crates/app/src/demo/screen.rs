//! What is shown: a line that moves on a terminal, and plain lines where there is none.

#![allow(clippy::print_stdout, reason = "the demonstration is for people")]

use std::io::{IsTerminal, Write};
use std::sync::Mutex;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// The screen, or what a pipe gets.
pub(crate) struct Screen {
    terminal: bool,
    now: Mutex<Now>,
}

/// The step that is being shown.
#[derive(Default)]
struct Now {
    bar: Option<ProgressBar>,
    name: String,
    live: String,
}

impl Screen {
    /// Standard output.
    pub(crate) fn new() -> Self {
        Self { terminal: std::io::stdout().is_terminal(), now: Mutex::default() }
    }

    fn now(&self) -> std::sync::MutexGuard<'_, Now> {
        self.now.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Says something.
    pub(crate) fn say(&self, text: &str) {
        // Nobody may be reading, which is no reason to stop.
        let _ = writeln!(std::io::stdout(), "{text}");
    }

    /// Begins a step.
    pub(crate) fn step(&self, name: &str) {
        let mut now = self.now();
        name.clone_into(&mut now.name);
        now.live.clear();
        if self.terminal {
            let bar = ProgressBar::new_spinner();
            if let Ok(style) = ProgressStyle::with_template("  {spinner:.cyan} {prefix:<26} {msg}") {
                bar.set_style(style);
            }
            bar.set_prefix(now.name.clone());
            bar.enable_steady_tick(Duration::from_millis(100));
            now.bar = Some(bar);
        }
    }

    /// Shows how the step is getting on. Repeats are not shown again.
    pub(crate) fn live(&self, text: &str) {
        let mut now = self.now();
        if now.live == text {
            return;
        }
        text.clone_into(&mut now.live);
        match &now.bar {
            Some(bar) => bar.set_message(text.to_owned()),
            None => self.say(&format!("  . {:<26} {text}", now.name)),
        }
    }

    /// Ends the step.
    pub(crate) fn done(&self, text: &str) {
        let mut now = self.now();
        if let Some(bar) = now.bar.take() {
            bar.finish_and_clear();
        }
        self.say(&format!("  \u{2713} {:<26} {text}", now.name));
    }

    /// Clears a step that has no end.
    pub(crate) fn end(&self) {
        if let Some(bar) = self.now().bar.take() {
            bar.finish_and_clear();
        }
    }
}
