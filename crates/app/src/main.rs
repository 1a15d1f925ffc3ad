//! The `kecs` binary. Everything is in the library, where it can be tested.

use std::process::ExitCode;

/// Many small documents, made on one thread and freed on another: what this allocator is for.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    kecs_app::cli::main()
}
