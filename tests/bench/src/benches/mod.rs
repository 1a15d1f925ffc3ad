//! What can be measured: one file per subject, and the list of all of them.

mod journal;
mod many_tasks;
mod reads;
mod run_task;
mod scene;
mod service;
mod startup;

use std::path::PathBuf;

use anyhow::Result;

use crate::figure::Figure;

/// What every benchmark is told.
pub(crate) struct Setting {
    /// The binary to measure.
    pub(crate) kecs: PathBuf,
    /// Whether only the measuring itself is tried.
    pub(crate) quick: bool,
}

impl Setting {
    /// The one or the other number, by whether it's quick.
    fn pick<T>(&self, normal: T, quick: T) -> T {
        if self.quick { quick } else { normal }
    }
}

/// Something that can be measured.
pub(crate) struct Benchmark {
    /// For `--only`.
    pub(crate) name: &'static str,
    /// What it measures, for people.
    pub(crate) about: &'static str,
    /// Measures it. Whatever it starts it ends, also on an error.
    pub(crate) run: fn(&Setting) -> Result<Vec<Figure>>,
}

/// All of them, in the order of the table.
pub(crate) const BENCHMARKS: &[Benchmark] = &[
    Benchmark { name: "startup", about: "an empty journal: start-up and memory", run: startup::run },
    Benchmark { name: "reads", about: "read requests, compared with a bare hyper server", run: reads::run },
    Benchmark {
        name: "run-task",
        about: "durable RunTask from 4 clients, and the journal behind it",
        run: run_task::run,
    },
    Benchmark {
        name: "service",
        about: "a service of 10,000 tasks: to steady state, and idle then",
        run: service::run,
    },
    Benchmark { name: "many-tasks", about: "100,000 tasks: start-up and memory", run: many_tasks::run },
];
