//! Logs of tasks that have ended, bounded: in files of their own, or in memory. Not in the journal, which they would
//! outgrow, and of which they need none of the promises.
//!
//! A task is one file, `ACCOUNT/REGION/CLUSTER/TASK.jsonl`, a line of JSON for each line. When all of them get too large,
//! those that were kept first go first. Files are written beside their place and moved there, so that none is half
//! written; they are not synced.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::io::{self, BufRead as _, BufReader, BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use async_trait::async_trait;
use kecs_domain::Timestamp;
use kecs_domain::arn::TaskKey;
use kecs_usecases::ports::{KeptLog, LogArchive, LogLine, PortError};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

/// How much is kept in all: in a directory, and in memory.
const DIRECTORY_BYTES: u64 = 256 << 20;
const MEMORY_BYTES: u64 = 16 << 20;

/// A line of a file.
#[derive(Serialize, Deserialize)]
struct Record {
    container: String,
    /// Milliseconds since 1970.
    at: i64,
    text: String,
}

/// Keeps logs. Cheap to clone.
#[derive(Clone)]
pub struct KeptLogs(Arc<Inner>);

struct Inner {
    place: Place,
    bound: u64,
    index: Mutex<Index>,
}

enum Place {
    Directory(PathBuf),
    Memory(Mutex<HashMap<String, Arc<Vec<KeptLog>>>>),
}

/// What is kept, in the order in which it came.
#[derive(Default)]
struct Index {
    order: VecDeque<String>,
    sizes: BTreeMap<String, u64>,
    total: u64,
}

impl Index {
    fn insert(&mut self, name: String, size: u64) {
        self.remove(&name);
        self.total += size;
        self.sizes.insert(name.clone(), size);
        self.order.push_back(name);
    }

    fn remove(&mut self, name: &str) -> bool {
        let Some(size) = self.sizes.remove(name) else { return false };
        self.total -= size;
        self.order.retain(|other| other != name);
        true
    }

    /// Takes out what is too much, the oldest first; the newest stays, however large it is.
    fn overflow(&mut self, bound: u64) -> Vec<String> {
        let mut out = Vec::new();
        while self.total > bound && self.order.len() > 1 {
            let Some(oldest) = self.order.pop_front() else { break };
            self.total -= self.sizes.remove(&oldest).unwrap_or(0);
            out.push(oldest);
        }
        out
    }
}

impl KeptLogs {
    /// Logs in memory: for stores without a directory.
    pub fn in_memory() -> Self {
        Self::new(Place::Memory(Mutex::default()), MEMORY_BYTES, Index::default())
    }

    /// Logs below `directory`, which is made when there is something to keep. Blocks while it is looked through.
    ///
    /// # Errors
    /// When the directory is there and can't be read.
    pub fn open(directory: &Path) -> io::Result<Self> {
        Self::open_with(directory, DIRECTORY_BYTES)
    }

    /// As [`KeptLogs::open`], with another bound for all of it.
    ///
    /// # Errors
    /// As there.
    pub fn open_with(directory: &Path, bound: u64) -> io::Result<Self> {
        let mut found: Vec<(SystemTime, String, u64)> = Vec::new();
        survey(directory, directory, &mut found)?;
        found.sort();
        let mut index = Index::default();
        found.into_iter().for_each(|(_, name, size)| index.insert(name, size));
        Ok(Self::new(Place::Directory(directory.to_owned()), bound, index))
    }

    fn new(place: Place, bound: u64, index: Index) -> Self {
        Self(Arc::new(Inner { place, bound, index: Mutex::new(index) }))
    }
}

/// Where a task's logs are, below the directory. None of its parts can hold a slash or be a dot.
fn name_of(task: &TaskKey) -> String {
    let cluster = &task.cluster;
    format!(
        "{}/{}/{}/{}.jsonl",
        cluster.scope.account(),
        cluster.scope.region(),
        cluster.name.as_str(),
        task.id
    )
}

/// Finds the files that are there.
fn survey(root: &Path, directory: &Path, found: &mut Vec<(SystemTime, String, u64)>) -> io::Result<()> {
    let entries = match std::fs::read_dir(directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        let (path, about) = (entry.path(), entry.metadata()?);
        if about.is_dir() {
            survey(root, &path, found)?;
        } else if path.extension().is_some_and(|it| it == "jsonl") {
            let name = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().into_owned();
            found.push((about.modified().unwrap_or(SystemTime::UNIX_EPOCH), name, about.len()));
        } else if path.extension().is_some_and(|it| it == "new") {
            // Left over from a process that died while it wrote.
            std::fs::remove_file(&path)?;
        }
    }
    Ok(())
}

fn write(root: &Path, name: &str, logs: &[KeptLog]) -> io::Result<u64> {
    let path = root.join(name);
    if let Some(directory) = path.parent() {
        make(directory)?;
    }
    let beside = path.with_extension("new");
    let mut out = BufWriter::new(private(&beside)?);
    for log in logs {
        for line in &log.lines {
            let record =
                Record { container: log.container.clone(), at: line.at.as_millis(), text: line.text.clone() };
            serde_json::to_writer(&mut out, &record)?;
            out.write_all(b"\n")?;
        }
    }
    let size = out.into_inner().map_err(io::IntoInnerError::into_error)?.metadata()?.len();
    std::fs::rename(&beside, &path)?;
    Ok(size)
}

/// Logs tell secrets now and then: nobody else may read them.
#[cfg(unix)]
fn make(directory: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(directory)
}

#[cfg(not(unix))]
fn make(directory: &Path) -> io::Result<()> {
    std::fs::create_dir_all(directory)
}

#[cfg(unix)]
fn private(path: &Path) -> io::Result<std::fs::File> {
    use std::os::unix::fs::OpenOptionsExt as _;
    std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)
}

#[cfg(not(unix))]
fn private(path: &Path) -> io::Result<std::fs::File> {
    std::fs::File::create(path)
}

fn read(path: &Path, container: &str) -> io::Result<Option<Vec<LogLine>>> {
    let file = match std::fs::File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        file => file?,
    };
    let mut lines = Vec::new();
    for line in BufReader::new(file).lines() {
        let record: Record = serde_json::from_str(&line?)?;
        if record.container == container {
            lines.push(LogLine { at: Timestamp::from_millis(record.at), text: record.text });
        }
    }
    Ok(Some(lines))
}

fn failed(what: &str, error: &dyn std::fmt::Display) -> PortError {
    PortError::transient(format!("{what} logs: {error}"))
}

/// Does what blocks where that is allowed.
async fn blocking<T: Send + 'static>(
    what: &'static str,
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, PortError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result.map_err(|error| failed(what, &error)),
        Err(error) => Err(failed(what, &error)),
    }
}

#[async_trait]
impl LogArchive for KeptLogs {
    fn has(&self, task: &TaskKey) -> bool {
        self.0.index.lock().sizes.contains_key(&name_of(task))
    }

    async fn keep(&self, task: &TaskKey, logs: Vec<KeptLog>) -> Result<(), PortError> {
        let name = name_of(task);
        match &self.0.place {
            Place::Memory(all) => {
                let texts = logs.iter().flat_map(|log| &log.lines).map(|line| line.text.len() as u64 + 32);
                let size = texts.sum();
                all.lock().insert(name.clone(), Arc::new(logs));
                let gone = {
                    let mut index = self.0.index.lock();
                    index.insert(name, size);
                    index.overflow(self.0.bound)
                };
                let mut all = all.lock();
                gone.iter().for_each(|name| drop(all.remove(name)));
                Ok(())
            }
            Place::Directory(_) => {
                let inner = Arc::clone(&self.0);
                blocking("keeping", move || {
                    let Place::Directory(root) = &inner.place else { return Ok(()) };
                    let size = write(root, &name, &logs)?;
                    let gone = {
                        let mut index = inner.index.lock();
                        index.insert(name, size);
                        index.overflow(inner.bound)
                    };
                    for name in gone {
                        remove(&root.join(name))?;
                    }
                    Ok(())
                })
                .await
            }
        }
    }

    async fn kept(&self, task: &TaskKey, container: &str) -> Result<Option<Vec<LogLine>>, PortError> {
        let name = name_of(task);
        match &self.0.place {
            Place::Memory(all) => {
                let found = all.lock().get(&name).cloned();
                Ok(found.map(|logs| {
                    let own = logs.iter().filter(|log| log.container == container);
                    own.flat_map(|log| log.lines.iter().cloned()).collect()
                }))
            }
            Place::Directory(root) => {
                let (path, container) = (root.join(name), container.to_owned());
                blocking("reading", move || read(&path, &container)).await
            }
        }
    }

    async fn drop_task(&self, task: &TaskKey) -> Result<(), PortError> {
        let name = name_of(task);
        if !self.0.index.lock().remove(&name) {
            return Ok(());
        }
        match &self.0.place {
            Place::Memory(all) => {
                all.lock().remove(&name);
                Ok(())
            }
            Place::Directory(root) => {
                let path = root.join(name);
                blocking("dropping", move || remove(&path)).await
            }
        }
    }
}

fn remove(path: &Path) -> io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        result => result,
    }
}
