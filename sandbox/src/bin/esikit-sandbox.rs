//! Serves a local ESI and SSO until it is stopped.

use clap::Parser;
use esikit_sandbox::{Error, Sandbox};
use std::path::PathBuf;
use std::process::ExitCode;

/// A local ESI and SSO of EVE Online.
#[derive(Parser)]
#[command(version)]
enum Command {
    Serve(Serve),
}

/// Serves until it is stopped.
#[derive(clap::Args)]
struct Serve {
    /// Port of ESI; 0 takes any that is free.
    #[arg(long, default_value_t = 8090)]
    port: u16,
    /// Port of the single sign-on; by default the one after ESI's.
    #[arg(long)]
    sso_port: Option<u16>,
    /// A specification in any dialect that ESI has had; by default the one that this program carries.
    #[arg(long, value_name = "FILE")]
    spec: Option<PathBuf>,
    /// What all values are made from.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Refuse requests without a User-Agent.
    #[arg(long)]
    strict_user_agent: bool,
}

impl Serve {
    async fn start(self) -> Result<Sandbox, Error> {
        let after = if self.port == 0 {
            0
        } else {
            self.port.saturating_add(1)
        };
        let mut builder = Sandbox::builder()
            .port(self.port)
            .sso_port(self.sso_port.unwrap_or(after))
            .seed(self.seed)
            .strict_user_agent(self.strict_user_agent);
        if let Some(spec) = self.spec {
            builder = builder.specification(spec);
        }
        builder.start().await
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let Command::Serve(serve) = Command::parse();
    let sandbox = match serve.start().await {
        Ok(sandbox) => sandbox,
        Err(error) => {
            eprintln!("error: {error}");
            return ExitCode::FAILURE;
        }
    };
    let application = sandbox.application();
    println!("ESI            {}", sandbox.base_url());
    println!("SSO            {}", sandbox.sso_url());
    println!("client id      {}", application.client_id);
    println!("secret         {}", application.secret_key);
    println!("redirects to   {}", application.redirect_uris.join(", "));
    if let Some(date) = sandbox.compatibility_date() {
        println!("X-Compatibility-Date of the specification: {date}");
    }
    std::future::pending().await
}
