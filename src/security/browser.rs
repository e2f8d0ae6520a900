//! Login through the browser of this machine: a listener on the redirect address that waits for one callback.

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::pin::Pin;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use url::{Host, Url};

use super::EsiSecurity;
use super::authorize::{self, Login};
use super::http::unavailable;
use super::login::LoggedIn;
use crate::error::{Error, Phase};
use crate::loopback::is_loopback;
use crate::spec::Scope;

/// No browser sends a longer head.
const LONGEST_HEAD: usize = 16 * 1024;

/// How long a connection may take to send its request, or to take its answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// More connections at once than a browser opens.
const MOST_CONNECTIONS: usize = 64;

type Open = Box<dyn FnOnce(&str) -> io::Result<()> + Send>;

/// A login through the browser, to be awaited.
///
/// It listens on the redirect address, which must be `http` on this machine with a port, opens the browser, and waits
/// for the callback of this very login. Anything else that comes there, such as a callback with another state or
/// a request for `/favicon.ico`, is answered and does not end the wait.
///
/// ```no_run
/// # async fn example(security: esikit::EsiSecurity) -> Result<(), esikit::Error> {
/// let who = security.login_in_browser(&[]).await?;
/// println!("{} logged in", who.name);
/// # Ok(())
/// # }
/// ```
#[must_use = "a login does nothing until it is awaited"]
pub struct BrowserLogin {
    security: EsiSecurity,
    scopes: Box<[Scope]>,
    timeout: Duration,
    open: Open,
}

impl BrowserLogin {
    pub(super) fn new(security: EsiSecurity, scopes: &[Scope]) -> Self {
        Self {
            security,
            scopes: scopes.into(),
            timeout: Duration::from_secs(300),
            open: Box::new(|url| open::that_detached(url)),
        }
    }

    /// How long to wait for the callback; five minutes unless this is said.
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.timeout = limit;
        self
    }

    /// Opens the browser in another way, or prints the URL for the user to open.
    pub fn open_with(mut self, open: impl FnOnce(&str) -> io::Result<()> + Send + 'static) -> Self {
        self.open = Box::new(open);
        self
    }

    async fn run(self) -> Result<LoggedIn, Error> {
        let redirect = redirect(&self.security.shared.application.redirect_uri)?;
        let listeners = listen(&redirect).await?;
        let login = self.security.authorize(&self.scopes);
        (self.open)(login.url()).map_err(|error| {
            // Its kind only: its text may repeat the URL, and with it the state.
            let kind = error.kind();
            let reason =
                format!("no browser can be opened ({kind}): say `.open_with(..)` to show the URL instead");
            Error::config("login_in_browser", reason)
        })?;
        let (sender, callbacks) = mpsc::channel(MOST_CONNECTIONS);
        let mut accepting = JoinSet::new();
        for listener in listeners {
            accepting.spawn(accept(listener, redirect.path().to_owned(), sender.clone()));
        }
        let outcome = finish(&self.security, &login, callbacks, self.timeout).await;
        // The port is free again when this returns.
        accepting.shutdown().await;
        outcome
    }
}

/// Waits for the callback, exchanges its code, and shows how that went.
async fn finish(
    security: &EsiSecurity,
    login: &Login,
    mut callbacks: mpsc::Receiver<Callback>,
    limit: Duration,
) -> Result<LoggedIn, Error> {
    let waiting = tokio::time::timeout(limit, first(login, &mut callbacks));
    let Some(callback) = waiting.await.ok().flatten() else {
        let reason = format!("nobody logged in within {limit:?}");
        let error = unavailable("login", reason, None, Phase::Token);
        return Err(Error::SsoUnavailable(Box::new(error)));
    };
    // Whoever calls from here on is told that it is over.
    drop(callbacks);
    let outcome = security.auth_callback(login, &callback.target).await;
    let page = if outcome.is_ok() { DONE } else { FAILED };
    let _ = callback.page.send(page);
    let _ = tokio::time::timeout(PATIENCE, callback.written).await;
    outcome
}

impl IntoFuture for BrowserLogin {
    type Output = Result<LoggedIn, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

impl fmt::Debug for BrowserLogin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BrowserLogin")
            .field("scopes", &self.scopes)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

/// A request to the redirect address that waits for its page.
struct Callback {
    target: String,
    page: oneshot::Sender<Page>,
    /// Ends when the page is written, or the connection is gone.
    written: oneshot::Receiver<()>,
}

/// The first callback of this login, be it a code or a refusal.
async fn first(login: &Login, callbacks: &mut mpsc::Receiver<Callback>) -> Option<Callback> {
    while let Some(callback) = callbacks.recv().await {
        match authorize::code_of(login, &callback.target) {
            Err(Error::Argument(_)) => drop(callback.page.send(STRANGE)),
            Ok(_) | Err(_) => return Some(callback),
        }
    }
    None
}

fn redirect(uri: &str) -> Result<Url, Error> {
    let fail = |reason: &str| Error::config("redirect_uri", reason);
    let url = Url::parse(uri).map_err(|error| fail(&error.to_string()))?;
    if url.scheme() != "http" || !is_loopback(&url) || url.port().is_none() {
        return Err(fail(
            "a login in the browser needs one on this machine with a port, as in http://localhost:8080/callback",
        ));
    }
    Ok(url)
}

/// Listens on the redirect address. `localhost` is one of two, and a browser may take either.
async fn listen(redirect: &Url) -> Result<Vec<TcpListener>, Error> {
    let addresses: Vec<IpAddr> = match redirect.host() {
        Some(Host::Ipv4(address)) => vec![address.into()],
        Some(Host::Ipv6(address)) => vec![address.into()],
        _ => vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()],
    };
    let port = redirect.port().unwrap_or_default();
    let mut listeners = Vec::new();
    let mut problem = None;
    for address in addresses {
        match TcpListener::bind((address, port)).await {
            Ok(listener) => listeners.push(listener),
            // A machine without IPv6 has one address only; a port that is taken is taken.
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => return Err(taken(&error)),
            Err(error) => problem = Some(error),
        }
    }
    match problem {
        Some(error) if listeners.is_empty() => Err(taken(&error)),
        _ => Ok(listeners),
    }
}

fn taken(error: &io::Error) -> Error {
    Error::config(
        "redirect_uri",
        format!("its address cannot be listened on: {error}"),
    )
}

/// Takes connections, each in a task of its own: one that says nothing holds up no other.
async fn accept(listener: TcpListener, path: String, callbacks: mpsc::Sender<Callback>) {
    let mut connections = JoinSet::new();
    loop {
        if connections.len() >= MOST_CONNECTIONS {
            connections.join_next().await;
        }
        tokio::select! {
            accepted = listener.accept() => if let Ok((connection, _)) = accepted {
                connections.spawn(answer(connection, path.clone(), callbacks.clone()));
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn answer(mut connection: TcpStream, path: String, callbacks: mpsc::Sender<Callback>) {
    let Ok(Some(target)) = tokio::time::timeout(PATIENCE, read_target(&mut connection)).await else {
        return;
    };
    let (page, written) = match target.split('?').next() {
        Some(asked) if asked == path => page_for(target, callbacks).await,
        _ => (NOT_FOUND, None),
    };
    let _ = tokio::time::timeout(PATIENCE, write(&mut connection, page)).await;
    drop(written);
}

/// Hands a callback over, and waits for what to answer.
async fn page_for(target: String, callbacks: mpsc::Sender<Callback>) -> (Page, Option<oneshot::Sender<()>>) {
    let (page, answered) = oneshot::channel();
    let (written, is_written) = oneshot::channel();
    let callback = Callback {
        target,
        page,
        written: is_written,
    };
    if callbacks.send(callback).await.is_err() {
        return (OVER, None);
    }
    (answered.await.unwrap_or(OVER), Some(written))
}

/// The target of a GET request; none for anything else.
async fn read_target(connection: &mut TcpStream) -> Option<String> {
    let mut head = Vec::new();
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        let read = connection.read_buf(&mut head).await.ok()?;
        if read == 0 || head.len() > LONGEST_HEAD {
            return None;
        }
    }
    let line = head.split(|byte| *byte == b'\r').next()?;
    let rest = std::str::from_utf8(line).ok()?.strip_prefix("GET ")?;
    let (target, version) = rest.split_once(' ')?;
    version.starts_with("HTTP/1.").then(|| target.to_owned())
}

#[derive(Clone, Copy)]
struct Page {
    status: &'static str,
    text: &'static str,
}

const DONE: Page = Page {
    status: "200 OK",
    text: "You are logged in. You can close this window.",
};
const FAILED: Page = Page {
    status: "200 OK",
    text: "The login failed. The application says why. You can close this window.",
};
const STRANGE: Page = Page {
    status: "400 Bad Request",
    text: "This is not the answer to the login that is waiting here.",
};
const OVER: Page = Page {
    status: "409 Conflict",
    text: "This login is over. You can close this window.",
};
const NOT_FOUND: Page = Page {
    status: "404 Not Found",
    text: "There is nothing here.",
};

async fn write(connection: &mut TcpStream, page: Page) -> io::Result<()> {
    let body = format!(
        "<!doctype html><meta charset=\"utf-8\"><title>Login</title><p>{}</p>\n",
        page.text
    );
    let head = format!(
        "HTTP/1.1 {}\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {}\r\nCache-Control: no-store\r\n\
         Referrer-Policy: no-referrer\r\nConnection: close\r\n\r\n",
        page.status,
        body.len()
    );
    connection.write_all(head.as_bytes()).await?;
    connection.write_all(body.as_bytes()).await?;
    connection.shutdown().await
}
