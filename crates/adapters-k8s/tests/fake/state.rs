//! What the API has stored, and who watches.

use std::collections::BTreeMap;
use std::time::Duration;

use futures::channel::mpsc::{UnboundedSender, unbounded};
use futures::stream::{BoxStream, StreamExt as _};
use serde_json::{Value, json};

use super::request::Call;
use super::{Fault, failure};

type Line = Result<String, std::io::Error>;

/// A watch that is open.
struct Watcher {
    call: Call,
    lines: UnboundedSender<Line>,
}

/// Everything. An object's key is its kind's plural, its namespace and its name.
#[derive(Default)]
pub(super) struct State {
    version: u64,
    forgotten: u64,
    objects: BTreeMap<(String, String, String), Value>,
    history: Vec<(u64, String, &'static str, Value)>,
    watchers: Vec<Watcher>,
    pub(super) faults: Vec<(&'static str, &'static str, Fault)>,
    pub(super) calls: Vec<String>,
    pub(super) at_once: usize,
    pub(super) most_at_once: usize,
    pub(super) delay: Duration,
}

impl State {
    pub(super) fn take_fault(&mut self, call: &Call) -> Option<Fault> {
        let mut faults = self.faults.iter();
        let at = faults.position(|(method, path, _)| *method == call.verb() && call.path.contains(path))?;
        Some(self.faults.remove(at).2)
    }

    pub(super) fn all(&self, plural: &str) -> Vec<Value> {
        self.objects.iter().filter(|(key, _)| key.0 == plural).map(|(_, object)| object.clone()).collect()
    }

    /// Stores the object and tells those who watch.
    pub(super) fn put(&mut self, plural: &str, mut object: Value) {
        self.version += 1;
        let metadata = &mut object["metadata"];
        metadata["resourceVersion"] = json!(self.version.to_string());
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let key = (plural.to_owned(), text(&metadata["namespace"]), text(&metadata["name"]));
        if metadata["uid"].is_null() {
            metadata["uid"] = json!(format!("uid-{}", self.version));
        }
        let kind = if self.objects.contains_key(&key) { "MODIFIED" } else { "ADDED" };
        self.objects.insert(key, object.clone());
        self.tell(plural, kind, object);
    }

    pub(super) fn remove(&mut self, plural: &str, namespace: &str, name: &str) {
        let key = (plural.to_owned(), namespace.to_owned(), name.to_owned());
        if let Some(mut object) = self.objects.remove(&key) {
            self.version += 1;
            object["metadata"]["resourceVersion"] = json!(self.version.to_string());
            self.tell(plural, "DELETED", object);
        }
    }

    fn tell(&mut self, plural: &str, kind: &'static str, object: Value) {
        self.watchers.retain(|watcher| {
            !watcher.call.selects(plural, &object)
                || watcher.lines.unbounded_send(Ok(line(kind, &object))).is_ok()
        });
        self.history.push((self.version, plural.to_owned(), kind, object));
    }

    pub(super) fn break_watches(&mut self, torn: bool) {
        for watcher in self.watchers.drain(..).filter(|_| torn) {
            let _ = watcher.lines.unbounded_send(Ok(r#"{"type":"MODIFIED","obj"#.to_owned()));
            let _ = watcher.lines.unbounded_send(Err(std::io::Error::other("reset")));
        }
    }

    pub(super) fn forget_history(&mut self) {
        // Something else has happened meanwhile, as it always does.
        self.version += 1;
        self.forgotten = self.version;
        self.history.clear();
    }

    /// What has happened since the call's version, then what happens.
    pub(super) fn watch(&mut self, call: &Call) -> BoxStream<'static, Line> {
        let (lines, stream) = unbounded();
        if call.version < self.forgotten {
            let gone = failure(410, "Expired", "too old resource version");
            let _ = lines.unbounded_send(Ok(line("ERROR", &gone)));
            return stream.boxed();
        }
        for (version, plural, kind, object) in &self.history {
            if *version > call.version && call.selects(plural, object) {
                let _ = lines.unbounded_send(Ok(line(kind, object)));
            }
        }
        let call = Call {
            method: call.method.clone(),
            path: call.path.clone(),
            plural: call.plural.clone(),
            namespace: call.namespace.clone(),
            name: None,
            watch: true,
            selector: call.selector.clone(),
            version: 0,
            body: Value::Null,
        };
        self.watchers.push(Watcher { call, lines });
        stream.boxed()
    }

    pub(super) fn carry_out(&mut self, call: &Call) -> (u16, Value) {
        let key = (
            call.plural.clone(),
            call.namespace.clone().unwrap_or_default(),
            call.name.clone().unwrap_or_default(),
        );
        match (call.method.as_str(), &call.name) {
            ("GET", None) => {
                let items: Vec<_> = self
                    .objects
                    .iter()
                    .filter(|(key, object)| call.selects(&key.0, object))
                    .map(|(_, object)| object.clone())
                    .collect();
                let version = self.version.max(1).to_string();
                (
                    200,
                    json!({"kind": "List", "apiVersion": "v1",
                    "metadata": {"resourceVersion": version}, "items": items}),
                )
            }
            ("POST", None) => self.create(call),
            (method, Some(name)) => {
                let Some(object) = self.objects.get(&key).cloned() else {
                    return (404, failure(404, "NotFound", &format!("{} \"{name}\" not found", call.plural)));
                };
                match method {
                    "GET" => (200, object),
                    "DELETE" => self.delete(&key, object, &call.body),
                    "PATCH" => self.patch(&key, object, &call.body),
                    other => (405, failure(405, "MethodNotAllowed", other)),
                }
            }
            (other, None) => (405, failure(405, "MethodNotAllowed", other)),
        }
    }

    fn create(&mut self, call: &Call) -> (u16, Value) {
        let mut object = call.body.clone();
        let name = object["metadata"]["name"].as_str().unwrap_or_default().to_owned();
        let namespace = call.namespace.clone().unwrap_or_default();
        if !namespace.is_empty() {
            object["metadata"]["namespace"] = json!(namespace);
            if !self.objects.contains_key(&("namespaces".to_owned(), String::new(), namespace.clone())) {
                return (404, failure(404, "NotFound", &format!("namespaces \"{namespace}\" not found")));
            }
        }
        let key = (call.plural.clone(), namespace, name.clone());
        if self.objects.contains_key(&key) {
            return (
                409,
                failure(409, "AlreadyExists", &format!("{} \"{name}\" already exists", call.plural)),
            );
        }
        self.put(&call.plural, object);
        (201, self.objects[&key].clone())
    }

    fn delete(&mut self, key: &(String, String, String), mut object: Value, options: &Value) -> (u16, Value) {
        let grace = options["gracePeriodSeconds"].as_i64().unwrap_or(30);
        if object["metadata"]["deletionTimestamp"].is_null() {
            object["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:01:00Z");
        }
        object["metadata"]["deletionGracePeriodSeconds"] = json!(grace);
        self.put(&key.0, object);
        self.collect(key);
        (200, json!({"kind": "Status", "apiVersion": "v1", "status": "Success"}))
    }

    fn patch(&mut self, key: &(String, String, String), mut object: Value, patch: &Value) -> (u16, Value) {
        merge(&mut object, patch);
        self.put(&key.0, object.clone());
        self.collect(key);
        (200, object)
    }

    /// Removes what was deleted and is held by nothing: a finalizer, or a kubelet that still ends it.
    fn collect(&mut self, key: &(String, String, String)) {
        let Some(object) = self.objects.get(key) else { return };
        let metadata = &object["metadata"];
        let held = metadata["finalizers"].as_array().is_some_and(|list| !list.is_empty());
        let ends = key.0 == "pods"
            && metadata["deletionGracePeriodSeconds"] != json!(0)
            && object["spec"]["nodeName"].is_string();
        if !metadata["deletionTimestamp"].is_null() && !held && !ends {
            self.remove(&key.0, &key.1, &key.2);
            if key.0 == "namespaces" {
                self.objects.retain(|other, _| other.1 != key.2);
            }
        }
    }
}

fn line(kind: &str, object: &Value) -> String {
    format!("{}\n", json!({"type": kind, "object": object}))
}

/// A merge as the API does it, with the one directive that is used.
fn merge(object: &mut Value, patch: &Value) {
    let Value::Object(members) = patch else {
        object.clone_from(patch);
        return;
    };
    for (name, value) in members {
        if let Some(list) = name.strip_prefix("$deleteFromPrimitiveList/") {
            let gone = value.as_array().cloned().unwrap_or_default();
            if let Some(kept) = object[list].as_array_mut() {
                kept.retain(|one| !gone.contains(one));
            }
        } else {
            merge(&mut object[name], value);
        }
    }
}
