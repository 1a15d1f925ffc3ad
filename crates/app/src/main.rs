//! The `kecs` binary. Everything is in the library, where it can be tested.

use std::process::ExitCode;

/// Many small documents, made on one thread and freed on another: what this allocator is for.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    kecs_app::cli::main()
}
