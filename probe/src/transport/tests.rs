//! Real sockets on loopback, real TLS servers, certificates made at run time; every test's name is its claim.
//! Judging the records is tested elsewhere.

mod admission;
mod certificate;
mod connect;
mod exchange;
mod kept;
mod nameserver;
mod proxy;
mod resolve;
mod resolver_config;
mod sdk;
mod support;
mod tls;
