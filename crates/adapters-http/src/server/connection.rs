//! One connection, from its first byte to its last.

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use http::{Request, Response};
use http_body_util::{BodyExt as _, Either};
use hyper::body::{Body, Incoming};
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval_at};

/// Serves a connection until it ends, is idle for too long, or `stop` says so; then its requests still end.
///
/// The idle check is a tick of our own: hyper's timer for heads would be set anew for each request.
pub(super) async fn serve<S, B>(
    stream: TcpStream,
    builder: Builder<TokioExecutor>,
    service: S,
    idle: Duration,
    mut stop: watch::Receiver<()>,
) where
    S: Service<Request<Incoming>, Response = Response<B>> + Send + 'static,
    S::Future: Send + 'static,
    S::Error: Into<Box<dyn Error + Send + Sync>>,
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    let activity = Arc::new(Activity::default());
    let counted = Arc::clone(&activity);
    let watched = service_fn(move |request| {
        let begun = Activity::begin(&counted);
        let answer = service.call(request);
        async move {
            let answer = answer.await?;
            // One without an end in sight may be written for hours, which is no idleness.
            Ok::<_, S::Error>(answer.map(|body| match body.size_hint().exact() {
                Some(_) => Either::Left(body),
                None => Either::Right(body.map_frame(move |frame| {
                    let _ = &begun;
                    frame
                })),
            }))
        }
    });
    let connection = builder.serve_connection_with_upgrades(TokioIo::new(stream), watched);
    tokio::pin!(connection);

    let mut ticks = interval_at(Instant::now() + idle, idle);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut seen = 0;
    let mut quiet = 0;
    let mut stopping = false;
    loop {
        tokio::select! {
            biased;
            result = connection.as_mut() => {
                if let Err(cause) = result {
                    tracing::debug!(%cause, "connection ended");
                }
                return;
            }
            _ = stop.changed(), if !stopping => {
                stopping = true;
                connection.as_mut().graceful_shutdown();
            }
            _ = ticks.tick() => {
                let begun = activity.begun.load(Ordering::Relaxed);
                let busy = begun != activity.ended.load(Ordering::Relaxed) || begun != seen;
                seen = begun;
                quiet = if busy { 0 } else { quiet + 1 };
                match quiet {
                    0 => {}
                    1 => connection.as_mut().graceful_shutdown(),
                    // It is in the midst of a head that doesn't end.
                    _ => return,
                }
            }
        }
    }
}

/// How many requests have begun and ended on a connection.
#[derive(Default)]
struct Activity {
    begun: AtomicU64,
    ended: AtomicU64,
}

impl Activity {
    fn begin(activity: &Arc<Self>) -> Begun {
        activity.begun.fetch_add(1, Ordering::Relaxed);
        Begun(Arc::clone(activity))
    }
}

/// A request that has begun. It ends with its answer, with the last of it where its length isn't known, or when it
/// is dropped.
struct Begun(Arc<Activity>);

impl Drop for Begun {
    fn drop(&mut self) {
        self.0.ended.fetch_add(1, Ordering::Relaxed);
    }
}
