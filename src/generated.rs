//! Types and operations of the specification, written by the build script.

include!(concat!(env!("OUT_DIR"), "/esi.rs"));
