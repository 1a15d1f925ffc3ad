//! Tests of daemons.
