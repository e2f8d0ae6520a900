//! The network of the single sign-on: one request out, one small answer in.
//!
//! Nothing of a body or a header gets into an error or a log: both carry tokens.

use std::sync::Arc;
use std::time::Duration;

use http::HeaderMap;
use http::header::{DATE, HeaderName, RETRY_AFTER};

use crate::error::{Error, Phase, SsoUnavailable};
use crate::headers::http_date;

/// More than any answer of the single sign-on: a token answer has a few kilobytes.
const LARGEST_BODY: usize = 1024 * 1024;

/// Connections to the single sign-on, and what goes with every request.
pub(super) struct Http {
    client: reqwest::Client,
    /// For plain http, which never leaves this machine: nothing for the environment's proxy.
    local: reqwest::Client,
    headers: HeaderMap,
}

/// What a connection needs beside the headers.
pub(super) struct Connecting {
    pub(super) timeout: Duration,
    pub(super) proxy: Option<String>,
    pub(super) no_proxy: bool,
    pub(super) is_https: bool,
    #[cfg(feature = "tls")]
    pub(super) root_certificates: Vec<Vec<u8>>,
}

impl Connecting {
    /// A client for everything, or for plain http on this machine only.
    fn client(&self, is_local: bool) -> Result<reqwest::Client, Error> {
        let mut builder = reqwest::Client::builder()
            .connect_timeout(self.timeout.min(Duration::from_secs(10)))
            .timeout(self.timeout)
            .redirect(reqwest::redirect::Policy::none());
        #[cfg(feature = "tls")]
        {
            let given = self.root_certificates.iter().filter(|_| !is_local);
            let roots = given
                .map(|pem| crate::tls::certificates(pem))
                .collect::<Result<Vec<_>, _>>()?
                .concat();
            let trust = !roots.is_empty() || (self.is_https && !is_local);
            builder = builder.tls_backend_preconfigured(crate::tls::config(trust, roots)?);
        }
        #[cfg(not(feature = "tls"))]
        let _ = self.is_https;
        if is_local || self.no_proxy {
            builder = builder.no_proxy();
        } else if let Some(url) = &self.proxy {
            let proxy = reqwest::Proxy::all(url.as_str()).map_err(|error| {
                let error = error.without_url();
                Error::config("proxy", error.to_string())
            })?;
            builder = builder.proxy(proxy);
        }
        builder
            .build()
            .map_err(|error| Error::config("build", format!("the HTTP client cannot be made: {error}")))
    }
}

impl Http {
    pub(super) fn new(headers: HeaderMap, connecting: Connecting) -> Result<Self, Error> {
        let client = connecting.client(false)?;
        let local = match connecting.proxy {
            Some(_) => client.clone(),
            None => connecting.client(true)?,
        };
        Ok(Self {
            client,
            local,
            headers,
        })
    }

    /// Sends a request, and reads the answer. Only an answer that says something definite comes back: 5xx, 429 and
    /// redirects are [`SsoUnavailable`].
    pub(super) async fn send(
        &self,
        step: &'static str,
        request: http::Request<Vec<u8>>,
    ) -> Result<http::Response<Vec<u8>>, SsoUnavailable> {
        let (parts, body) = request.into_parts();
        let mut headers = self.headers.clone();
        headers.extend(parts.headers);
        let is_http = parts.uri.scheme() == Some(&http::uri::Scheme::HTTP);
        let client = if is_http { &self.local } else { &self.client };
        let sent = client
            .request(parts.method, parts.uri.to_string())
            .headers(headers)
            .body(body)
            .send()
            .await;
        let mut answer = sent.map_err(|error| failure(step, Phase::Send, None, error))?;
        let status = answer.status().as_u16();
        tracing::debug!(step, status, "the single sign-on answered");
        if matches!(status, 300..400 | 429 | 500..) {
            let reason = match status {
                300..400 => "it answered with a redirect, which is not followed".to_owned(),
                429 => "it answered 429, too many requests".to_owned(),
                _ => format!("it answered {status}"),
            };
            return Err(SsoUnavailable {
                retry_after: retry_after(answer.headers()),
                ..unavailable(step, reason, Some(status), Phase::Body)
            });
        }
        let mut whole = Vec::new();
        while let Some(chunk) = answer
            .chunk()
            .await
            .map_err(|error| failure(step, Phase::Body, Some(status), error))?
        {
            if whole.len() + chunk.len() > LARGEST_BODY {
                let reason = format!("its answer is larger than {LARGEST_BODY} bytes");
                return Err(unavailable(step, reason, Some(status), Phase::Body));
            }
            whole.extend_from_slice(&chunk);
        }
        let mut made = http::Response::new(whole);
        *made.status_mut() = answer.status();
        *made.headers_mut() = std::mem::take(answer.headers_mut());
        Ok(made)
    }

    /// A JSON document.
    pub(super) async fn get_json(
        &self,
        step: &'static str,
        url: &str,
        authorization: Option<http::HeaderValue>,
    ) -> Result<serde_json::Value, SsoUnavailable> {
        let mut request = http::Request::builder()
            .uri(url)
            .header(http::header::ACCEPT, "application/json");
        if let Some(value) = authorization {
            request = request.header(http::header::AUTHORIZATION, value);
        }
        let request = request.body(Vec::new()).map_err(|_| {
            let reason = "its URL cannot be asked".to_owned();
            unavailable(step, reason, None, Phase::Connect)
        })?;
        let answer = self.send(step, request).await?;
        let status = answer.status().as_u16();
        if status != 200 {
            let reason = format!("it answered {status}");
            return Err(unavailable(step, reason, Some(status), Phase::Body));
        }
        serde_json::from_slice(answer.body()).map_err(|error| {
            let reason = format!("its answer is not JSON ({:?})", error.classify());
            unavailable(step, reason, Some(status), Phase::Body)
        })
    }
}

/// How long to wait, in seconds or as a time. A time counts from the answer's own `Date`: the local clock may be off.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = |name: HeaderName| headers.get(name)?.to_str().ok();
    let wish: &str = text(RETRY_AFTER)?.trim();
    if let Ok(seconds) = wish.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let wait = http_date(wish)? - http_date(text(DATE)?)?;
    wait.to_std().ok()
}

pub(super) fn unavailable(
    step: &'static str,
    reason: String,
    status: Option<u16>,
    phase: Phase,
) -> SsoUnavailable {
    SsoUnavailable {
        step,
        reason,
        status,
        phase,
        retry_after: None,
        source: None,
    }
}

fn failure(step: &'static str, phase: Phase, status: Option<u16>, error: reqwest::Error) -> SsoUnavailable {
    let phase = if error.is_connect() { Phase::Connect } else { phase };
    let reason = if error.is_timeout() {
        format!("timed out while {phase}")
    } else {
        format!("the connection failed while {phase}")
    };
    let source: Arc<dyn std::error::Error + Send + Sync> = Arc::new(error.without_url());
    SsoUnavailable {
        source: Some(source),
        ..unavailable(step, reason, status, phase)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wish_to_wait_is_seconds_or_a_time() {
        let wait = |wish: &str, date: Option<&str>| {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, wish.parse().expect("a value"));
            if let Some(date) = date {
                headers.insert(DATE, date.parse().expect("a value"));
            }
            retry_after(&headers).map(|wait| wait.as_secs())
        };
        assert_eq!(wait("17", None), Some(17));
        let time = "Sun, 01 Nov 2026 10:00:30 GMT";
        assert_eq!(wait(time, Some("Sun, 01 Nov 2026 10:00:00 GMT")), Some(30));
        assert_eq!(wait(time, Some("Sun, 01 Nov 2026 11:00:00 GMT")), None);
        for (wish, date) in [(time, None), ("soon", Some(time)), ("-3", None), ("", None)] {
            assert_eq!(wait(wish, date), None, "{wish}");
        }
    }
}
