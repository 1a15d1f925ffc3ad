//! Connections that become WebSockets: which API they are for, how many there may be, and how they end.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::future::BoxFuture;
use http::header::{
    CONNECTION, HeaderMap, HeaderName, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION,
    UPGRADE,
};
use http::{HeaderValue, Method, Request, Response, StatusCode, Version};
use http_body_util::Full;
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};

/// A WebSocket.
pub type Socket = WebSocketStream<TokioIo<Upgraded>>;

/// What serves a WebSocket until it ends, or until it is told to.
pub type Serve = Box<dyn FnOnce(Socket, watch::Receiver<()>) -> BoxFuture<'static, ()> + Send>;

/// The longest message that a client may send.
const LONGEST: usize = 256 * 1024;
/// How long WebSockets may take to end when the server does.
const END: Duration = Duration::from_secs(5);

/// The WebSockets that are open.
pub(super) struct Upgrades {
    places: Arc<Semaphore>,
    most: u32,
    stop: watch::Sender<()>,
}

impl Upgrades {
    pub(super) fn new(most: u32) -> Self {
        Self { places: Arc::new(Semaphore::new(most as usize)), most, stop: watch::channel(()).0 }
    }

    /// Answers a request to become a WebSocket, which `serve` then gets.
    pub(super) fn accept<B>(&self, request: &mut Request<B>, serve: Serve) -> Response<Full<Bytes>> {
        let key = request.headers().get(SEC_WEBSOCKET_KEY).map(HeaderValue::as_bytes);
        let Some(accept) = key.map(derive_accept_key).and_then(|key| HeaderValue::try_from(key).ok()) else {
            return refusal(StatusCode::BAD_REQUEST, "Sec-WebSocket-Key is missing.\n");
        };
        if request.headers().get(SEC_WEBSOCKET_VERSION).is_none_or(|version| version != "13") {
            let mut response = refusal(StatusCode::UPGRADE_REQUIRED, "The WebSocket's version must be 13.\n");
            response.headers_mut().insert(SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
            return response;
        }
        let Some(upgrade) = request.extensions_mut().remove::<OnUpgrade>() else {
            return refusal(StatusCode::BAD_REQUEST, "This connection can't become a WebSocket.\n");
        };
        let Ok(place) = Arc::clone(&self.places).try_acquire_owned() else {
            return refusal(StatusCode::SERVICE_UNAVAILABLE, "Too many sessions are open.\n");
        };
        tokio::spawn(run(upgrade, serve, self.stop.subscribe(), place));
        let mut response = Response::new(Full::default());
        *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        let headers = response.headers_mut();
        headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
        headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
        headers.insert(SEC_WEBSOCKET_ACCEPT, accept);
        response
    }

    /// Ends all WebSockets, and waits for that a while.
    pub(super) async fn end(&self) {
        let _ = self.stop.send(());
        let all = self.places.acquire_many(self.most);
        if tokio::time::timeout(END, all).await.is_err() {
            tracing::warn!("sessions were still open and are dropped");
        }
    }
}

async fn run(upgrade: OnUpgrade, serve: Serve, stop: watch::Receiver<()>, place: OwnedSemaphorePermit) {
    match upgrade.await {
        Ok(connection) => {
            let config =
                WebSocketConfig::default().max_message_size(Some(LONGEST)).max_frame_size(Some(LONGEST));
            let io = TokioIo::new(connection);
            let socket = WebSocketStream::from_raw_socket(io, Role::Server, Some(config)).await;
            serve(socket, stop).await;
        }
        Err(cause) => tracing::debug!(%cause, "a connection did not become a WebSocket"),
    }
    drop(place);
}

/// Whether a request asks for a WebSocket.
pub(super) fn is_wanted<B>(request: &Request<B>) -> bool {
    *request.method() == Method::GET
        && request.version() == Version::HTTP_11
        && has(request.headers(), &UPGRADE, "websocket")
        && has(request.headers(), &CONNECTION, "upgrade")
}

/// Whether one of the words of a header is this one.
fn has(headers: &HeaderMap, name: &HeaderName, wanted: &str) -> bool {
    let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|word| word.trim().eq_ignore_ascii_case(wanted))
}

pub(super) fn refusal(status: StatusCode, text: &'static str) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from_static(text.as_bytes())));
    *response.status_mut() = status;
    response
}
