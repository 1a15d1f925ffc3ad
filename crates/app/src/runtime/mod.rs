//! What makes a process of the use cases: time, randomness, a log, signals, the store, the orchestrator, the driver of
//! the reconcilers, and the server that puts them together.

mod clock;
pub mod driver;
mod ids;
pub mod logging;
mod orchestrator;
mod process;
mod server;
mod signals;
mod store;

pub use clock::SystemClock;
pub use ids::RandomIds;
pub use server::{Ready, run};
pub use signals::Signals;
