//! What happened, line by line: as a hash always, as text on request.

use std::fmt::{self, Write as _};

/// Where a hash begins. (FNV-1a, 64 bits)
const BEGINNING: u64 = 0xcbf2_9ce4_8422_2325;

/// A hash of a text.
pub(crate) fn hash(text: &str) -> u64 {
    hash_on(BEGINNING, text)
}

fn hash_on(hash: u64, text: &str) -> u64 {
    text.bytes().fold(hash, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// A history's trace.
#[derive(Debug)]
pub(crate) struct Trace {
    hash: u64,
    lines: Option<Vec<String>>,
    buffer: String,
}

impl Trace {
    /// An empty trace; `keep` its text too.
    pub(crate) fn new(keep: bool) -> Self {
        Self { hash: BEGINNING, lines: keep.then(Vec::new), buffer: String::new() }
    }

    /// Adds a line.
    pub(crate) fn line(&mut self, line: fmt::Arguments<'_>) {
        self.buffer.clear();
        // Writing to a String can't fail.
        let _ = self.buffer.write_fmt(line);
        self.buffer.push('\n');
        self.hash = hash_on(self.hash, &self.buffer);
        if let Some(lines) = &mut self.lines {
            self.buffer.pop();
            lines.push(self.buffer.clone());
        }
    }

    pub(crate) fn hash(&self) -> u64 {
        self.hash
    }

    pub(crate) fn take_lines(&mut self) -> Vec<String> {
        self.lines.take().unwrap_or_default()
    }
}
