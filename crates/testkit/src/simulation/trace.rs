//! What happened, line by line: as a hash always, as text on request.

use std::fmt::{self, Write as _};

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
        // FNV-1a, 64 bits.
        Self { hash: 0xcbf2_9ce4_8422_2325, lines: keep.then(Vec::new), buffer: String::new() }
    }

    /// Adds a line.
    pub(crate) fn line(&mut self, line: fmt::Arguments<'_>) {
        self.buffer.clear();
        // Writing to a String can't fail.
        let _ = self.buffer.write_fmt(line);
        self.buffer.push('\n');
        for byte in self.buffer.bytes() {
            self.hash = (self.hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
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
