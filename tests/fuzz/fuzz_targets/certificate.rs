//! Fuzzes the certificate of a peer, and a configured CA bundle.
#![no_main]
credprobe_fuzz::target!(certificate);
