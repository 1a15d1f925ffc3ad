//! Tells the linker where this crate's own tests and examples find `libduckdb.so` when they run.
//!
//! `DUCKDB_LIB_DIR` (from `.cargo/config.toml`) names the directory at build time only. The `kecs` binary has its own
//! way (`crates/app`); with the feature `bundled-duckdb` there is nothing to find.

fn main() {
    // Migrations are compiled in.
    println!("cargo:rerun-if-changed=migrations");
    println!("cargo:rerun-if-env-changed=DUCKDB_LIB_DIR");
    if std::env::var_os("CARGO_FEATURE_BUNDLED_DUCKDB").is_some() {
        return;
    }
    let Ok(dir) = std::env::var("DUCKDB_LIB_DIR") else { return };
    // An rpath counts from where a program is started, so only an absolute one is of use.
    let dir = std::path::absolute(&dir).map_or(dir, |path| path.display().to_string());
    // `rustc-link-arg` reaches the unit tests of the library as well; it has no effect on the library itself.
    println!("cargo:rustc-link-arg=-Wl,-rpath,{dir}");
}
