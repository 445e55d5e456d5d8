#![no_main]
credprobe_fuzz::target!(issuer_documents);
