//! Answers in parts, over real sockets, from servers whose data changes in between.
//!
//! The thousands of seeded runs are unit tests of `src/paginate`; here are some dozens, and what a request is made of.

mod bulk;
mod cursor;
mod pages;
mod server;
mod snapshot;
mod walk;
