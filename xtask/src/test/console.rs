//! What a person sees while steps run: one line a step, and the end of the output of those that fail.
//!
//! Every step's whole output is in its log file.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, BufWriter, IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result};

/// How much of a failed step's output is shown.
const TAIL_LINES: usize = 60;

/// One step's output.
pub(super) struct Log {
    file: BufWriter<File>,
    path: PathBuf,
    tail: VecDeque<String>,
    verbose: bool,
    live: bool,
}

impl Log {
    /// A new log file for the step, in `dir`.
    pub(super) fn open(dir: &Path, step: &str, verbose: bool) -> Result<Self> {
        let path = dir.join(format!("{step}.log"));
        let file = File::create(&path).with_context(|| format!("can't write {}", path.display()))?;
        let live = !verbose && io::stdout().is_terminal();
        Ok(Self { file: BufWriter::new(file), path, tail: VecDeque::new(), verbose, live })
    }

    /// Takes one line.
    pub(super) fn line(&mut self, line: &str) {
        // A full disk must not end the tests; what a person sees comes from memory.
        let _ = writeln!(self.file, "{line}");
        if self.verbose {
            println!("    {line}");
        } else if self.live {
            let shown: String = line.trim().chars().take(100).collect();
            print!("\r\x1b[2K    {shown}");
            let _ = io::stdout().flush();
        }
        if self.tail.len() == TAIL_LINES {
            self.tail.pop_front();
        }
        self.tail.push_back(line.to_owned());
    }

    /// Ends the live line.
    pub(super) fn close(&mut self) {
        let _ = self.file.flush();
        if self.live {
            print!("\r\x1b[2K");
            let _ = io::stdout().flush();
        }
    }

    /// Prints the end of the output.
    pub(super) fn print_tail(&self) {
        if !self.verbose {
            for line in &self.tail {
                println!("    {}", line.chars().take(400).collect::<String>());
            }
        }
        println!("    (all of it: {})", self.path.display());
    }
}

/// A duration for a person.
pub(super) fn seconds(duration: Duration) -> String {
    let seconds = duration.as_secs_f64();
    if seconds < 60.0 {
        format!("{seconds:.1} s")
    } else {
        format!("{} min {:02} s", seconds as u64 / 60, seconds as u64 % 60)
    }
}
