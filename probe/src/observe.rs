//! Looks at the world and keeps what was seen, raw. Draws no conclusion.
//! Only this folder and `wire` touch environment, files, clock and network.

mod answer;
pub mod clock;
mod control_name;
mod environment;
mod exchange;
mod identity;
mod issuer;
mod mounts;
mod other_region;
mod process;
mod resolver_files;
mod signature;
mod token;
mod token_file;
mod trust;

pub use control_name::control_name;
pub use environment::environment;
pub use exchange::{Credentials, Request, exchange};
pub use identity::identity;
pub use issuer::issuer;
pub use other_region::other_region;
pub use process::process;
pub use resolver_files::resolver_config;
pub use token::token;
pub use token_file::token_file;
pub use trust::trust;
