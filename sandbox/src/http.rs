//! Requests and answers as plain values, and the listener that turns HTTP into them.

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, Request};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde_json::{Value, json};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

/// No body that ESI takes is nearly as long.
const LONGEST_BODY: usize = 1 << 20;

/// A request, read whole.
#[derive(Debug, Clone)]
pub(crate) struct Incoming {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) address: IpAddr,
}

impl Incoming {
    /// A header's text; none when it is missing or is no text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// An answer before it is sent.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn empty(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: Vec::new(),
        }
    }

    pub(crate) fn json(status: u16, value: &Value) -> Self {
        Self {
            status,
            headers: vec![("content-type", "application/json".to_owned())],
            body: value.to_string().into_bytes(),
        }
    }

    pub(crate) fn html(status: u16, page: String) -> Self {
        Self {
            status,
            headers: vec![("content-type", "text/html; charset=utf-8".to_owned())],
            body: page.into_bytes(),
        }
    }

    /// An error in ESI's form.
    pub(crate) fn error(status: u16, message: &str) -> Self {
        Self::json(status, &json!({ "error": message }))
    }

    pub(crate) fn with(mut self, name: &'static str, value: impl ToString) -> Self {
        self.headers.push((name, value.to_string()));
        self
    }

    fn into_response(self) -> Response {
        let mut response = Response::builder().status(self.status);
        for (name, value) in self.headers {
            response = response.header(name, value);
        }
        response.body(Body::from(self.body)).unwrap_or_else(|_| {
            // Only a header that cannot be sent leads here, such as a redirect to an address with a line break.
            let mut response = Response::new(Body::empty());
            *response.status_mut() = StatusCode::BAD_REQUEST;
            response
        })
    }
}

/// Stops a listener, and closes its connections, when it is dropped.
#[derive(Debug)]
pub(crate) struct Listening {
    _stop: oneshot::Sender<()>,
}

/// Answers everything that comes in.
pub(crate) fn serve(
    listener: TcpListener,
    answer: impl Fn(Incoming) -> Answer + Send + Sync + 'static,
) -> Listening {
    let answer = Arc::new(answer);
    let handler = move |ConnectInfo(address): ConnectInfo<SocketAddr>, request: Request| {
        let answer = Arc::clone(&answer);
        async move {
            match read(address.ip(), request).await {
                Ok(incoming) => answer(incoming).into_response(),
                Err(refusal) => refusal.into_response(),
            }
        }
    };
    let service = Router::new()
        .fallback(handler)
        .into_make_service_with_connect_info::<SocketAddr>();
    let (stop, stopped) = oneshot::channel();
    tokio::spawn(async move {
        // Errors of single connections are dealt with inside; it ends when the sender is dropped.
        let until = async { drop(stopped.await) };
        drop(axum::serve(listener, service).with_graceful_shutdown(until).await);
    });
    Listening { _stop: stop }
}

async fn read(address: IpAddr, request: Request) -> Result<Incoming, Answer> {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, LONGEST_BODY)
        .await
        .map_err(|_| Answer::error(413, "the body is too long, or broke off").with("connection", "close"))?;
    Ok(Incoming {
        method: parts.method.as_str().to_owned(),
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        headers: parts.headers,
        body,
        address,
    })
}
