//! The sandbox from outside: over HTTP, by a client that knows nothing of it.
#![allow(clippy::unwrap_used, reason = "a test may panic, in its own functions too")]

mod access;
mod every_operation;
mod freshness;
mod limits;
mod requests;
mod settings;
mod sso;

use chrono::{DateTime, Utc};
use esikit_sandbox::{Builder, Clock, Sandbox};
use serde_json::Value;

/// A character that every test may use.
const PILOT: i64 = 2_112_625_428;

/// The moment at which tests start.
fn start_of_tests() -> DateTime<Utc> {
    "2026-11-01T10:00:00Z".parse().unwrap()
}

/// A client that goes straight to this machine, and no further than it is told.
fn client(set: impl FnOnce(reqwest::ClientBuilder) -> reqwest::ClientBuilder) -> reqwest::Client {
    // Built beside crates that ask reqwest for TLS, it wants a provider, though nothing here is TLS.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let builder = reqwest::Client::builder().no_proxy();
    set(builder.redirect(reqwest::redirect::Policy::none()))
        .build()
        .unwrap()
}

/// A sandbox, its clock, and a client.
struct Scene {
    sandbox: Sandbox,
    clock: Clock,
    client: reqwest::Client,
}

/// An answer, read whole.
struct Answer {
    status: u16,
    headers: reqwest::header::HeaderMap,
    text: String,
}

impl Answer {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    fn number(&self, name: &str) -> u32 {
        self.header(name)
            .parse()
            .unwrap_or_else(|_| panic!("{name} is `{}`", self.header(name)))
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("no JSON: {}", self.text))
    }

    fn error(&self) -> String {
        self.json()["error"].as_str().unwrap().to_owned()
    }
}

impl Scene {
    async fn new() -> Self {
        Self::with(|builder| builder).await
    }

    async fn with(set: impl FnOnce(Builder) -> Builder) -> Self {
        let clock = Clock::manual(start_of_tests());
        let builder = Sandbox::builder().clock(clock.clone());
        Self {
            sandbox: set(builder).start().await.unwrap(),
            clock,
            client: client(|builder| builder.user_agent("esikit-sandbox tests")),
        }
    }

    /// A request for the compatibility date of the specification.
    fn request(&self, method: &str, path: &str) -> reqwest::RequestBuilder {
        let url = format!("{}{path}", self.sandbox.base_url());
        let date = self.sandbox.compatibility_date().unwrap();
        self.client
            .request(method.parse().unwrap(), url)
            .header("x-compatibility-date", date)
    }

    async fn get(&self, path: &str) -> Answer {
        read(self.request("GET", path)).await
    }

    async fn get_as(&self, token: &str, path: &str) -> Answer {
        read(self.request("GET", path).bearer_auth(token)).await
    }

    fn token(&self, scopes: &[&str]) -> String {
        self.sandbox.token_for(PILOT, scopes).unwrap()
    }
}

async fn read(request: reqwest::RequestBuilder) -> Answer {
    let response = request.send().await.unwrap();
    Answer {
        status: response.status().as_u16(),
        headers: response.headers().clone(),
        text: response.text().await.unwrap(),
    }
}
