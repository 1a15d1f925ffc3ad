//! Tells the linker where `kecs` finds libduckdb when it runs: beside the binary, or in `../lib` of an installation.
//! A development build also finds it where it was linked from, so that `cargo run` and `cargo test` work as they are.

use std::env;
use std::path::Path;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=DUCKDB_LIB_DIR");
    println!("cargo::rerun-if-env-changed=PROFILE");
    // With the feature, DuckDB is in the binary. Elsewhere than on Linux and macOS there is no rpath.
    let os = env::var("CARGO_CFG_TARGET_OS").unwrap_or_default();
    let origin = match os.as_str() {
        "linux" => "$ORIGIN",
        "macos" => "@executable_path",
        _ => return,
    };
    if env::var_os("CARGO_FEATURE_BUNDLED_DUCKDB").is_some() {
        return;
    }
    println!("cargo::rustc-link-arg=-Wl,-rpath,{origin}");
    println!("cargo::rustc-link-arg=-Wl,-rpath,{origin}/../lib");
    let development = env::var("PROFILE").is_ok_and(|profile| profile == "debug");
    if let Ok(directory) = env::var("DUCKDB_LIB_DIR")
        && development
        && Path::new(&directory).is_absolute()
    {
        println!("cargo::rustc-link-arg=-Wl,-rpath,{directory}");
    }
}
