//! The ports as the simulated process sees them: the real memory store and the real simulated orchestrator, behind a
//! door at which calls are held up, lost and cut off.

mod orchestrator;
mod plant;
mod store;

pub(crate) use orchestrator::FaultyOrchestrator;
pub(crate) use store::FaultyStore;
