//! What `diff` says of small changes to one small document, and of ESI's two real ones.

mod cases;
mod document;
mod mirror;
mod printed;
mod real;
mod rules;
