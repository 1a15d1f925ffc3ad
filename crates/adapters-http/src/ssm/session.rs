//! A session: a WebSocket on one side, a command in a container on the other, the channel in between.

use std::collections::VecDeque;
use std::future::{Future, pending, poll_fn};
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures::future::BoxFuture;
use futures::stream::{SplitSink, SplitStream};
use futures::{SinkExt, StreamExt};
use kecs_usecases::Ecs;
use kecs_usecases::exec::{NotStarted, Ticket};
use kecs_usecases::ports::{Input, Output, Process, TerminalSize};
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{Error, Message};

use super::channel::{Channel, Event};
use super::words::Opening;
use crate::edge::Socket;

/// How long a client may take to show its token.
const OPENING: Duration = Duration::from_secs(10);
/// How long the last messages may take, and the client's own end after them.
const FAREWELL: Duration = Duration::from_secs(3);
/// How much input may wait for a command that doesn't read.
const INPUT: usize = 256 * 1024;
/// How many messages may wait for a client that doesn't read, before nothing more is read from it either.
const OUTBOX: usize = 1024;

/// Serves a session: first the token, then what it is good for. `stop` ends it.
pub(crate) async fn serve(ecs: Arc<Ecs>, id: String, mut socket: Socket, stop: watch::Receiver<()>) {
    let Some(ticket) = opened(&ecs, &id, &mut socket).await else {
        tracing::info!(session = id, "a session was refused");
        let frame = CloseFrame { code: CloseCode::Policy, reason: "The token is not valid.".into() };
        let _ = timeout(FAREWELL, socket.close(Some(frame))).await;
        return drained(socket).await;
    };
    tracing::info!(
        session = id, cluster = %ticket.task.cluster.name, task = %ticket.task.id, container = ticket.container,
        "a session began"
    );
    let (sink, stream) = socket.split();
    let channel = Channel::new(id.as_str(), ecs.exec().now());
    let link = Link { sink, outbox: VecDeque::new(), dirty: false };
    let mut session = Session {
        ecs,
        channel,
        link,
        stream,
        starting: None,
        ticket: Some(ticket),
        process: None,
        input: VecDeque::new(),
        waiting: 0,
    };
    let end = session.run(stop).await;
    match end {
        Ok(()) => tracing::info!(session = id, "a session ended"),
        Err(cause) => tracing::info!(session = id, %cause, "a session broke off"),
    }
}

/// What the client may do, if its first frame says so.
async fn opened(ecs: &Ecs, id: &str, socket: &mut Socket) -> Option<Ticket> {
    let first = async {
        loop {
            match socket.next().await?.ok()? {
                Message::Text(text) => return serde_json::from_str::<Opening>(&text).ok(),
                Message::Ping(_) | Message::Pong(_) => {}
                _ => return None,
            }
        }
    };
    let opening = timeout(OPENING, first).await.ok()??;
    ecs.exec().redeem(id, &opening.token)
}

/// Reads until the client has ended too: what it sent would else turn our end into a reset, which may cost it our
/// last messages.
async fn drained(mut socket: impl futures::Stream<Item = Result<Message, Error>> + Unpin) {
    let rest = async { while let Some(Ok(_)) = socket.next().await {} };
    let _ = timeout(FAREWELL, rest).await;
}

/// The way to the client: writing never keeps anybody from reading.
struct Link {
    sink: SplitSink<Socket, Message>,
    outbox: VecDeque<Vec<u8>>,
    dirty: bool,
}

impl Link {
    fn has_work(&self) -> bool {
        self.dirty || !self.outbox.is_empty()
    }

    fn poll_write(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Error>> {
        while !self.outbox.is_empty() {
            ready!(self.sink.poll_ready_unpin(context))?;
            if let Some(bytes) = self.outbox.pop_front() {
                self.sink.start_send_unpin(Message::Binary(bytes.into()))?;
                self.dirty = true;
            }
        }
        ready!(self.sink.poll_flush_unpin(context))?;
        self.dirty = false;
        Poll::Ready(Ok(()))
    }

    async fn write(&mut self) -> Result<(), Error> {
        poll_fn(|context| self.poll_write(context)).await
    }
}

struct Session {
    ecs: Arc<Ecs>,
    channel: Channel,
    link: Link,
    stream: SplitStream<Socket>,
    /// What is to be started, until it is.
    ticket: Option<Ticket>,
    starting: Option<BoxFuture<'static, Result<Process, NotStarted>>>,
    process: Option<Process>,
    /// What the command hasn't taken yet.
    input: VecDeque<Input>,
    /// How many bytes that is.
    waiting: usize,
}

impl Session {
    async fn run(&mut self, mut stop: watch::Receiver<()>) -> Result<(), Error> {
        let mut stopping = false;
        loop {
            if self.work() {
                return self.farewell().await;
            }
            let now = self.ecs.exec().now();
            let wait = self.channel.deadline().map(|deadline| deadline.duration_since(now));
            let (wants_output, reads) = (self.channel.wants_output(), self.link.outbox.len() < OUTBOX);
            let (writes, types) = (self.link.has_work(), !self.input.is_empty());
            let (output, keyboard) = match &mut self.process {
                Some(Process { input, output }) => (Some(output), Some(input)),
                None => (None, None),
            };
            tokio::select! {
                message = self.stream.next(), if reads => match message {
                    Some(Ok(Message::Binary(bytes))) => self.channel.receive(self.ecs.exec().now(), &bytes),
                    // Some clients write all messages as text.
                    Some(Ok(Message::Text(text))) => {
                        self.channel.receive(self.ecs.exec().now(), text.as_bytes());
                    }
                    Some(Ok(Message::Close(_))) | None => return Ok(()),
                    Some(Ok(_)) => {}
                    Some(Err(cause)) => return Err(cause),
                },
                written = self.link.write(), if writes => written?,
                started = maybe(self.starting.as_mut()) => {
                    self.starting = None;
                    match started {
                        Ok(process) => self.process = Some(process),
                        Err(NotStarted(why)) => self.channel.close(self.ecs.exec().now(), why, None),
                    }
                }
                output = maybe(output.map(StreamExt::next)), if wants_output => self.came(output),
                ready = maybe(keyboard.map(|input| poll_fn(|context| input.poll_ready(context)))), if types => {
                    self.typed(ready.is_ok());
                }
                () = sleep(wait) => {}
                _ = stop.changed(), if !stopping => {
                    stopping = true;
                    self.channel.terminate(self.ecs.exec().now(), "The server is shutting down.".to_owned());
                }
            }
        }
    }

    /// Does what the channel asks for. True when it is over.
    fn work(&mut self) -> bool {
        let now = self.ecs.exec().now();
        self.channel.set_room(now, self.waiting < INPUT);
        while let Some(event) = self.channel.poll(now) {
            match event {
                Event::Send(bytes) => self.link.outbox.push_back(bytes),
                Event::Begin => {
                    if let Some(ticket) = self.ticket.take() {
                        let ecs = Arc::clone(&self.ecs);
                        self.starting = Some(Box::pin(async move { ecs.exec().start(&ticket).await }));
                    }
                }
                Event::Input(bytes) => {
                    self.waiting += bytes.len();
                    self.input.push_back(Input::Data(bytes));
                }
                Event::Resize(columns, rows) => {
                    let size = Input::Resize(TerminalSize { columns, rows });
                    // Of sizes in a row the last one counts.
                    match self.input.back_mut() {
                        Some(last @ Input::Resize(_)) => *last = size,
                        _ => self.input.push_back(size),
                    }
                }
                Event::Terminate => (self.starting, self.process) = (None, None),
                Event::End => return true,
            }
        }
        false
    }

    /// Something came out of the command.
    fn came(&mut self, output: Option<Output>) {
        let now = self.ecs.exec().now();
        match output {
            Some(Output::Data(bytes)) => return self.channel.output(now, &bytes),
            Some(Output::Exited(code)) => self.channel.close(now, String::new(), Some(code)),
            Some(Output::Failed(why)) => self.channel.close(now, why, None),
            None => self.channel.close(now, String::new(), None),
        }
        self.process = None;
    }

    /// The command takes input, or will never again.
    fn typed(&mut self, takes: bool) {
        let (Some(input), Some(process)) = (self.input.pop_front(), &mut self.process) else { return };
        if let Input::Data(bytes) = &input {
            self.waiting -= bytes.len();
        }
        if takes {
            // It was ready, and nobody else writes.
            let _ = process.input.start_send(input);
        }
    }

    /// The last messages, then the end of the connection.
    async fn farewell(&mut self) -> Result<(), Error> {
        self.process = None;
        let last = async {
            self.link.write().await?;
            self.link.sink.close().await
        };
        let written = timeout(FAREWELL, last).await;
        drained(&mut self.stream).await;
        written.unwrap_or(Ok(()))
    }
}

/// The future, or none that ever ends.
async fn maybe<F: Future>(future: Option<F>) -> F::Output {
    match future {
        Some(future) => future.await,
        None => pending().await,
    }
}

async fn sleep(wait: Option<Duration>) {
    match wait {
        // A deadline of this very moment is worked on after a moment, whatever the clock's grain.
        Some(wait) => tokio::time::sleep(wait.max(Duration::from_millis(1))).await,
        None => pending().await,
    }
}
