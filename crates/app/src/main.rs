//! The kecs command line.
fn main() {}
