//! `esikit-codegen` as its users see it: documents in, canonical documents and source out.

mod bad_input;
mod build_script;
mod canonical;
mod generated;
mod mutations;
mod own_words;
mod rules;
mod source;
mod support;
