//! A Kubernetes API in memory, for what a real one can't be made to do at a given moment: break a watch, forget its
//! history, refuse, or not answer. It stores, lists, watches and deletes as the real one does; it runs nothing, and
//! tests say what becomes of a Pod.

#![allow(dead_code, unreachable_pub, reason = "each test binary uses a part of it")]

mod request;
mod state;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt as _;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full, StreamBody};
use hyper::body::Frame;
use kube::Client;
use kube::client::Body;
use parking_lot::Mutex;
use serde_json::{Value, json};

use request::Call;
use state::State;

type Answer = http::Response<UnsyncBoxBody<Bytes, std::io::Error>>;

/// How the next call of a kind is answered, instead of as usual.
#[derive(Clone, Debug)]
pub enum Fault {
    /// With this status, reason and message.
    Status(u16, &'static str, String),
    /// As usual, but the answer gets lost.
    Lost,
    /// Not at all.
    Silence,
    /// As usual: a later one is meant.
    None,
}

/// The API.
#[derive(Clone, Default)]
pub struct FakeApi(Arc<Mutex<State>>);

impl FakeApi {
    /// A client of it.
    pub fn client(&self) -> Client {
        let api = self.clone();
        let service = tower::service_fn(move |request: http::Request<Body>| {
            let api = api.clone();
            async move { api.answer(request).await }
        });
        Client::new(service, "default")
    }

    /// Lets the next calls of this method (`WATCH` for a watch) whose path contains `path` fail, one by one.
    pub fn fail(&self, method: &'static str, path: &'static str, faults: impl IntoIterator<Item = Fault>) {
        self.0.lock().faults.extend(faults.into_iter().map(|fault| (method, path, fault)));
    }

    /// Ends all watches, in the middle of a line if so wished.
    pub fn break_watches(&self, torn: bool) {
        self.0.lock().break_watches(torn);
    }

    /// Forgets what has happened: who asks for a watch from before is told that it is gone.
    pub fn forget_history(&self) {
        self.0.lock().forget_history();
    }

    /// What was asked for, as `METHOD path`, where a watch is `WATCH`.
    pub fn calls(&self) -> Vec<String> {
        self.0.lock().calls.clone()
    }

    /// The highest number of calls that were under way at once.
    pub fn most_at_once(&self) -> usize {
        self.0.lock().most_at_once
    }

    /// Every call takes so long.
    pub fn slow_down(&self, by: Duration) {
        self.0.lock().delay = by;
    }

    /// All objects of a kind, by its plural.
    pub fn all(&self, plural: &str) -> Vec<Value> {
        self.0.lock().all(plural)
    }

    /// Stores an object as it is.
    pub fn put(&self, plural: &str, object: Value) {
        self.0.lock().put(plural, object);
    }

    /// Removes an object without asking its finalizers.
    pub fn remove(&self, plural: &str, namespace: &str, name: &str) {
        self.0.lock().remove(plural, namespace, name);
    }

    /// The only Pod.
    pub fn pod(&self) -> Value {
        let mut all = self.all("pods");
        assert_eq!(all.len(), 1, "{all:#?}");
        all.remove(0)
    }

    /// Changes the only Pod, as a kubelet or the scheduler would.
    pub fn change_pod(&self, change: impl FnOnce(&mut Value)) {
        let mut pod = self.pod();
        change(&mut pod);
        self.put("pods", pod);
    }

    /// The only Pod runs on `node-1`, every container of it.
    pub fn run_pod(&self) {
        self.change_pod(|pod| {
            pod["spec"]["nodeName"] = json!("node-1");
            let names: Vec<Value> =
                pod["spec"]["containers"].as_array().unwrap().iter().map(|it| it["name"].clone()).collect();
            let statuses: Vec<Value> = names.iter().map(running).collect();
            pod["status"] = json!({
                "phase": "Running", "podIP": "10.0.0.7", "startTime": "2026-01-01T00:00:00Z",
                "containerStatuses": statuses
            });
        });
    }

    /// A container of the only Pod has ended.
    pub fn end_container(&self, name: &str, code: i32) {
        self.change_pod(|pod| {
            let statuses = pod["status"]["containerStatuses"].as_array_mut().unwrap();
            let status = statuses.iter_mut().find(|it| it["name"] == name).unwrap();
            status["state"] = json!({"terminated": {
                "exitCode": code, "startedAt": "2026-01-01T00:00:01Z", "finishedAt": "2026-01-01T00:00:05Z"
            }});
        });
    }

    async fn answer(&self, request: http::Request<Body>) -> Result<Answer, std::io::Error> {
        let (parts, body) = request.into_parts();
        let body = body.collect_bytes().await.map_err(std::io::Error::other)?;
        let call = Call::parse(&parts, &body);
        let (fault, delay) = {
            let mut state = self.0.lock();
            state.calls.push(format!("{} {}", call.verb(), call.path));
            state.at_once += usize::from(!call.watch);
            state.most_at_once = state.most_at_once.max(state.at_once);
            (state.take_fault(&call), state.delay)
        };
        if !delay.is_zero() {
            tokio::time::sleep(delay).await;
        }
        let outcome = match fault {
            Some(Fault::Silence) => std::future::pending().await,
            Some(Fault::Status(code, reason, message)) => Ok(status(code, reason, &message)),
            Some(Fault::Lost) => {
                self.0.lock().carry_out(&call);
                Err(std::io::Error::other("the connection was reset"))
            }
            None | Some(Fault::None) if call.watch => Ok(self.watch(&call)),
            None | Some(Fault::None) => {
                let (code, value) = self.0.lock().carry_out(&call);
                Ok(whole(code, &value))
            }
        };
        self.0.lock().at_once -= usize::from(!call.watch);
        outcome
    }

    fn watch(&self, call: &Call) -> Answer {
        let events = self.0.lock().watch(call);
        let frames = events.map(|line| line.map(|line| Frame::data(Bytes::from(line))));
        http::Response::new(StreamBody::new(frames).boxed_unsync())
    }
}

/// The status of a container that runs.
pub fn running(name: &Value) -> Value {
    json!({
        "name": name, "ready": true, "started": true, "restartCount": 0, "image": "i",
        "imageID": "docker.io/library/i@sha256:11", "containerID": format!("containerd://id-{}", name.as_str().unwrap()),
        "state": {"running": {"startedAt": "2026-01-01T00:00:01Z"}}
    })
}

/// A failure as the API tells it.
fn failure(code: u16, reason: &str, message: &str) -> Value {
    json!({
        "kind": "Status", "apiVersion": "v1", "status": "Failure",
        "code": code, "reason": reason, "message": message
    })
}

fn status(code: u16, reason: &str, message: &str) -> Answer {
    whole(code, &failure(code, reason, message))
}

fn whole(code: u16, value: &Value) -> Answer {
    let body = Full::new(Bytes::from(value.to_string())).map_err(|never| match never {});
    let mut answer = http::Response::new(body.boxed_unsync());
    *answer.status_mut() = http::StatusCode::from_u16(code).unwrap();
    answer
}
