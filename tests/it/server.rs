//! A server that answers with exactly the bytes a test gives it, broken ones too.

use std::sync::{Arc, Mutex};

use esikit::{Esi, EsiBuilder};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

/// A request as it came over the wire.
#[derive(Debug, Clone)]
pub struct Seen {
    /// Method, target and version.
    pub line: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Seen {
    /// The only value of a header; none where it is absent.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.iter().filter(|(given, _)| given == name);
        let first = values.next().map(|(_, value)| value.as_str());
        assert!(values.next().is_none(), "{name} came twice");
        first
    }

    pub fn target(&self) -> &str {
        self.line.split(' ').nth(1).expect("a request line")
    }
}

/// What the server does with a connection once it has the request.
#[derive(Debug, Clone)]
pub enum Reply {
    /// Writes, and closes.
    Close(Vec<u8>),
    /// Writes, and keeps silent.
    Hang(Vec<u8>),
    /// Waits until the test gives leave, writes, and closes.
    Held(Arc<Semaphore>, Vec<u8>),
}

/// Decides on the reply to a request.
pub type Script = Arc<dyn Fn(&Seen) -> Reply + Send + Sync>;

/// Answers one request per connection.
pub struct Server {
    pub url: String,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Server {
    /// A server that answers every request alike.
    pub async fn new(reply: Reply) -> Self {
        Self::scripted(move |_| reply.clone()).await
    }

    /// A server that answers each request as the script says.
    pub async fn scripted(script: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> Self {
        let script: Script = Arc::new(script);
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let seen = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&seen);
        tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                tokio::spawn(serve(connection, Arc::clone(&script), Arc::clone(&log)));
            }
        });
        Self { url, seen }
    }

    /// A server whose answers are whole: this status, these headers, this body.
    pub async fn answering(status: u16, headers: &[(&str, &str)], body: impl AsRef<[u8]>) -> Self {
        Self::new(Reply::Close(answer(status, headers, body.as_ref()))).await
    }

    /// A server that answers 200 with this JSON.
    pub async fn json(body: &str) -> Self {
        Self::answering(200, &[("Content-Type", "application/json")], body).await
    }

    /// A client that sends once: tests of further attempts say how many.
    pub fn builder(&self) -> EsiBuilder {
        Esi::builder()
            .no_proxy()
            .attempts(1)
            .user_agent("esikit-tests/1.0 (tests@example.com)")
            .base_url(&self.url)
    }

    pub fn esi(&self) -> Esi {
        self.builder().build().expect("a client")
    }

    /// Every request so far.
    pub fn seen(&self) -> Vec<Seen> {
        self.seen.lock().expect("no test panicked in it").clone()
    }

    /// The only request.
    pub fn only(&self) -> Seen {
        let seen = self.seen();
        assert_eq!(seen.len(), 1, "{seen:?}");
        seen.into_iter().next().expect("one")
    }
}

/// An answer with the length of its body.
pub fn answer(status: u16, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let mut bytes = format!("HTTP/1.1 {status} X\r\nConnection: close\r\n").into_bytes();
    for (name, value) in headers {
        bytes.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
    }
    if status != 204 && status != 304 {
        bytes.extend_from_slice(format!("Content-Length: {}\r\n", body.len()).as_bytes());
    }
    bytes.extend_from_slice(b"\r\n");
    bytes.extend_from_slice(body);
    bytes
}

/// Reads one request, and replies.
pub async fn serve<C: AsyncRead + AsyncWrite + Unpin>(
    mut connection: C,
    script: Script,
    log: Arc<Mutex<Vec<Seen>>>,
) {
    let Some(request) = read_request(&mut connection).await else {
        return;
    };
    log.lock().expect("no test panicked in it").push(request.clone());
    let reply = script(&request);
    if let Reply::Held(leave, _) = &reply {
        leave.acquire().await.expect("it stays open").forget();
    }
    let (Reply::Close(bytes) | Reply::Hang(bytes) | Reply::Held(_, bytes)) = &reply;
    // A client that has heard enough hangs up.
    let _ = connection.write_all(bytes).await;
    let _ = connection.flush().await;
    match reply {
        Reply::Close(_) | Reply::Held(..) => drop(connection.shutdown().await),
        Reply::Hang(_) => std::future::pending().await,
    }
}

pub async fn read_request<C: AsyncRead + Unpin>(connection: &mut C) -> Option<Seen> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break end;
        }
        if connection.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8(bytes[..end].to_vec()).expect("a head of text");
    let mut lines = head.split("\r\n");
    let line = lines.next().expect("a request line").to_owned();
    let headers: Vec<_> = lines
        .map(|line| line.split_once(": ").expect("a header"))
        .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
        .collect();
    let mut seen = Seen {
        line,
        headers,
        body: bytes[end + 4..].to_vec(),
    };
    let length: usize = seen
        .header("content-length")
        .map_or(0, |length| length.parse().expect("a length"));
    while seen.body.len() < length {
        if connection.read_buf(&mut seen.body).await.ok()? == 0 {
            return None;
        }
    }
    Some(seen)
}
