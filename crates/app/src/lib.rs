//! The composition root and the kecs command line.
