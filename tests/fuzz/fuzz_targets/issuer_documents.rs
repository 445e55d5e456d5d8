//! Fuzzes the documents of the issuer's host.
#![no_main]
credprobe_fuzz::target!(issuer_documents);
