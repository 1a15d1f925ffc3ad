//! The terminal of a command: keys come in, output goes out with `\r\n` at the end of its lines.

use futures::channel::mpsc::{Receiver, Sender};
use futures::{FutureExt as _, SinkExt as _, StreamExt as _};
use kecs_usecases::ports::{Input, Output, TerminalSize};

use super::discipline::{Discipline, Typed};
use super::programs::Gone;

/// A terminal.
pub(super) struct Terminal {
    keys: Receiver<Input>,
    output: Sender<Output>,
    discipline: Discipline,
    size: TerminalSize,
}

impl Terminal {
    pub(super) fn new(keys: Receiver<Input>, output: Sender<Output>) -> Self {
        let size = TerminalSize { columns: 80, rows: 24 };
        Self { keys, output, discipline: Discipline::default(), size }
    }

    /// The size as last told.
    pub(super) async fn size(&mut self) -> Result<TerminalSize, Gone> {
        self.look().await?;
        Ok(self.size)
    }

    /// Writes text.
    pub(super) async fn write(&mut self, text: &[u8]) -> Result<(), Gone> {
        let mut shown = Vec::with_capacity(text.len() + 16);
        for byte in text {
            if *byte == b'\n' {
                shown.push(b'\r');
            }
            shown.push(*byte);
        }
        self.show(shown).await
    }

    async fn show(&mut self, bytes: Vec<u8>) -> Result<(), Gone> {
        if bytes.is_empty() {
            return Ok(());
        }
        self.output.send(Output::Data(bytes)).await.map_err(|_| Gone)
    }

    /// Takes what was typed meanwhile. Whether the user wants an end of what runs.
    pub(super) async fn is_interrupted(&mut self) -> Result<bool, Gone> {
        self.look().await?;
        Ok(self.discipline.take_interrupt())
    }

    async fn look(&mut self) -> Result<(), Gone> {
        while let Some(input) = self.keys.next().now_or_never() {
            self.take(input.ok_or(Gone)?).await?;
        }
        Ok(())
    }

    /// The next line, or what comes instead of one.
    pub(super) async fn read(&mut self) -> Result<Typed, Gone> {
        loop {
            if let Some(typed) = self.discipline.next() {
                return Ok(typed);
            }
            let input = self.keys.next().await.ok_or(Gone)?;
            self.take(input).await?;
        }
    }

    async fn take(&mut self, input: Input) -> Result<(), Gone> {
        match input {
            Input::Data(keys) => {
                let echo = self.discipline.feed(&keys);
                self.show(echo).await
            }
            Input::Resize(size) => {
                self.size = size;
                Ok(())
            }
        }
    }
}
