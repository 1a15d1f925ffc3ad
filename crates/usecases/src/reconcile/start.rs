//! Beginning, and beginning again: what a start takes up, and what the slow timer looks at.

use kecs_domain::daemon::DaemonKey;
use kecs_domain::pagination::PageRequest;
use kecs_domain::resource::ResourceKind;
use kecs_domain::task::DesiredStatus;

use super::Reconciler;
use super::definitions::Definitions;
use crate::context::Result;
use crate::ports::{Launch, WakeKey};

/// How many entities are loaded at a time.
const PER_PAGE: usize = 1_000;

impl Reconciler<'_> {
    /// Takes up everything that is stored: tells the orchestrator which tasks should exist, and wakes every task,
    /// service and daemon that isn't at rest. Call it once, before the orchestrator is observed.
    ///
    /// # Errors
    /// A failure behind a port.
    pub async fn start(&self) -> Result<()> {
        let mut launches = Vec::new();
        let mut definitions = Definitions::default();
        let mut wake = Vec::new();
        let mut after = None;
        loop {
            let page = self.ports.tasks.unfinished_tasks(PageRequest { after, limit: PER_PAGE }).await?;
            for task in &page.items {
                if !task.accepted || task.desired == DesiredStatus::Stopped {
                    wake.push(WakeKey::Task(task.key.clone()));
                }
                let definition = definitions.load_of(self.ports, task).await?;
                // One that was never accepted is launched like a new one.
                if let Some(definition) = definition.filter(|_| task.accepted && !task.by_agent) {
                    launches.push(Launch { task: task.value.clone(), definition });
                }
            }
            after = page.items.last().map(|task| task.key.clone());
            if !page.more {
                break;
            }
        }
        self.ports.orchestrator.restore(launches).await?;
        self.ports.wake.wake(wake);
        self.wake_services().await?;
        self.wake_gateways().await?;
        self.wake_daemons().await
    }

    /// Wakes everything that might have been forgotten, because a hint was lost. For a slow timer.
    ///
    /// # Errors
    /// A failure behind a port.
    pub async fn resync(&self) -> Result<()> {
        let mut after = None;
        loop {
            let page = self.ports.tasks.unfinished_tasks(PageRequest { after, limit: PER_PAGE }).await?;
            let restless =
                page.items.iter().filter(|task| !task.accepted || task.desired == DesiredStatus::Stopped);
            self.ports.wake.wake(restless.map(|task| WakeKey::Task(task.key.clone())).collect());
            after = page.items.last().map(|task| task.key.clone());
            if !page.more {
                break;
            }
        }
        self.wake_services().await?;
        self.wake_gateways().await?;
        self.wake_daemons().await
    }

    async fn wake_services(&self) -> Result<()> {
        let mut after = None;
        loop {
            let page =
                self.ports.services.unfinished_services(PageRequest { after, limit: PER_PAGE }).await?;
            self.ports.wake.wake(page.items.iter().cloned().map(WakeKey::Service).collect());
            after = page.items.last().cloned();
            if !page.more {
                return Ok(());
            }
        }
    }

    async fn wake_daemons(&self) -> Result<()> {
        let mut after = None;
        loop {
            let page = PageRequest { after, limit: PER_PAGE };
            let page = self.ports.resources.resources_everywhere(ResourceKind::Daemon, page).await?;
            let keys = page.items.iter().filter_map(|kept| DaemonKey::of_resource(&kept.key));
            self.ports.wake.wake(keys.map(WakeKey::Daemon).collect());
            after = page.items.last().map(|last| last.key.clone());
            if !page.more {
                return Ok(());
            }
        }
    }
}
