//! A sandbox: two listeners, one for ESI and one for the single sign-on.

use crate::clock::Clock;
use crate::contract::Contract;
use crate::error::Error;
use crate::esi::{self, Esi};
use crate::http::{self, Listening};
use crate::sso::{self, Application, RefreshTokens, Sso};
use crate::values::World;
use crate::violations::Violations;
use serde_json::Value;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use tokio::net::TcpListener;

/// A local ESI and SSO. It serves until it is dropped.
///
/// ```
/// use esikit_sandbox::Sandbox;
/// use serde_json::json;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let _ = rustls::crypto::ring::default_provider().install_default();
/// let sandbox = Sandbox::start().await?;
/// sandbox.put("GetCharactersCharacterIdWallet", "/characters/2112625428/wallet", json!(1500.25))?;
/// let token = sandbox.token_for(2112625428, &["esi-wallet.read_character_wallet.v1"])?;
///
/// let balance = reqwest::Client::new()
///     .get(format!("{}/characters/2112625428/wallet", sandbox.base_url()))
///     .bearer_auth(token)
///     .send()
///     .await?
///     .text()
///     .await?;
/// assert_eq!(balance, "1500.25");
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Sandbox {
    base_url: String,
    sso_url: String,
    esi: Arc<Esi>,
    sso: Arc<Sso>,
    contract: Arc<Contract>,
    world: World,
    _listening: [Listening; 2],
}

/// Settings of a [`Sandbox`].
#[derive(Debug)]
#[must_use = "a sandbox starts with `start`"]
pub struct Builder {
    port: u16,
    sso_port: u16,
    seed: u64,
    specification: Option<PathBuf>,
    clock: Clock,
    strict_user_agent: bool,
    page_size: usize,
    applications: Vec<Application>,
    refresh_tokens: RefreshTokens,
}

impl Default for Builder {
    fn default() -> Self {
        Self {
            port: 0,
            sso_port: 0,
            seed: 1,
            specification: None,
            clock: Clock::system(),
            strict_user_agent: false,
            page_size: 50,
            applications: Vec::new(),
            refresh_tokens: RefreshTokens::Same,
        }
    }
}

impl Builder {
    /// The port of ESI on this machine; by default any that is free.
    pub fn port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// The port of the single sign-on; by default any that is free.
    pub fn sso_port(mut self, port: u16) -> Self {
        self.sso_port = port;
        self
    }

    /// What all values are made from: one seed gives the same answers on every machine. By default 1.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// A file with another specification, in any dialect that ESI has had. By default the one that the package carries.
    pub fn specification(mut self, path: impl Into<PathBuf>) -> Self {
        self.specification = Some(path.into());
        self
    }

    /// What time it is for the sandbox; by default what the operating system says.
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Refuse requests that do not say who they come from with 400. By default they are only counted.
    pub fn strict_user_agent(mut self, strict: bool) -> Self {
        self.strict_user_agent = strict;
        self
    }

    /// Records of a page, by default 50; ESI has 1000 at most. At least 1.
    pub fn page_size(mut self, records: usize) -> Self {
        self.page_size = records.max(1);
        self
    }

    /// An application that may ask for logins. The first one takes the place of [`Application::default`].
    pub fn application(mut self, application: Application) -> Self {
        self.applications.push(application);
        self
    }

    /// What a refresh answers with; by default the same refresh token again.
    pub fn refresh_tokens(mut self, refresh_tokens: RefreshTokens) -> Self {
        self.refresh_tokens = refresh_tokens;
        self
    }

    /// Starts serving. It needs a Tokio runtime.
    ///
    /// # Errors
    /// The specification cannot be read or served, or a port is in use.
    pub async fn start(mut self) -> Result<Sandbox, Error> {
        let contract = match &self.specification {
            Some(path) => Contract::read(path)?,
            None => Contract::carried()?,
        };
        if self.applications.is_empty() {
            self.applications.push(Application::default());
        }
        let world = World { seed: self.seed };
        let (esi_listener, base_url) = listen(self.port).await?;
        let (sso_listener, sso_url) = listen(self.sso_port).await?;
        let sso = Arc::new(Sso::new(sso::Setup {
            url: sso_url.clone(),
            clock: self.clock.clone(),
            world,
            applications: self.applications,
            scopes: contract.scopes.clone(),
            refresh_tokens: self.refresh_tokens,
        })?);
        let esi = Arc::new(Esi::new(esi::Setup {
            contract: Arc::clone(&contract),
            world,
            clock: self.clock,
            sso: Arc::clone(&sso),
            strict_user_agent: self.strict_user_agent,
            page_size: self.page_size,
        }));
        let (esi_answers, sso_answers) = (Arc::clone(&esi), Arc::clone(&sso));
        let listening = [
            http::serve(esi_listener, move |incoming| esi_answers.answer(&incoming)),
            http::serve(sso_listener, move |incoming| sso_answers.answer(&incoming)),
        ];
        Ok(Sandbox {
            base_url,
            sso_url,
            esi,
            sso,
            contract,
            world,
            _listening: listening,
        })
    }
}

impl Sandbox {
    /// Starts one with the defaults, on ports that are free.
    ///
    /// # Errors
    /// No port is free.
    pub async fn start() -> Result<Self, Error> {
        Self::builder().start().await
    }

    /// Settings to start one with.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// Where ESI is: `http://127.0.0.1:` and the port, without a slash at the end.
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// Where the single sign-on is. It is another origin than ESI, as the real one is.
    pub fn sso_url(&self) -> &str {
        &self.sso_url
    }

    /// The compatibility date that the specification describes.
    pub fn compatibility_date(&self) -> Option<&str> {
        self.contract.date.as_deref()
    }

    /// Sets what an operation answers at a path, whatever the query says. A list of an operation with pages is put whole,
    /// and served in pages. It is served from then on, even where an answer that was fetched before is still fresh.
    ///
    /// # Errors
    /// There is no such operation, the path is none of its, or the value is no answer of it.
    pub fn put(&self, operation: &str, path: &str, value: Value) -> Result<(), Error> {
        self.esi.put(operation, path, value)
    }

    /// An access token of this sandbox, without a login: for the first application, 20 minutes valid.
    ///
    /// # Errors
    /// Nothing could be signed.
    pub fn token_for(&self, character: i64, scopes: &[&str]) -> Result<String, Error> {
        self.sso.token_for(character, scopes)
    }

    /// Allows a login as a player does in the browser: takes the address that the application would open there, and
    /// gives the one that the browser is led back to, with the code.
    ///
    /// # Errors
    /// The single sign-on refuses the request.
    pub fn approve(&self, authorize_url: &str, character: i64) -> Result<String, Error> {
        self.sso.approve(authorize_url, character)
    }

    /// The application that tokens are for.
    pub fn application(&self) -> &Application {
        self.sso.first_application()
    }

    /// The corporation of a character: the only one whose data its token opens.
    pub fn corporation_of(&self, character: i64) -> i64 {
        self.world.corporation_of(character)
    }

    /// Gives a character these roles in its corporation, and no others. Until then it has all.
    pub fn set_roles(&self, character: i64, roles: &[&str]) {
        let roles = roles.iter().map(|role| (*role).to_owned());
        self.esi.set_roles(character, roles.collect());
    }

    /// What clients have done until now that ESI's rules forbid.
    pub fn violations(&self) -> Violations {
        self.esi.violations()
    }
}

async fn listen(port: u16) -> Result<(TcpListener, String), Error> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let failed = |source| Error::Listen { address, source };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let url = format!("http://{}", listener.local_addr().map_err(failed)?);
    Ok((listener, url))
}
