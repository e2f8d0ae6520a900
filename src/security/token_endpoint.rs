//! Requests that give out, renew and revoke tokens.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};

use chrono::{DateTime, TimeDelta, Utc};
use oauth2::basic::{BasicClient, BasicErrorResponse, BasicTokenResponse};
use oauth2::{
    AuthorizationCode, ClientId, ClientSecret, HttpRequest, HttpResponse, PkceCodeVerifier, RedirectUrl,
    RefreshToken, RequestTokenError, TokenResponse, TokenUrl,
};
use secrecy::{ExposeSecret, SecretString};
use url::form_urlencoded;

use super::endpoints::SsoEndpoints;
use super::http::{Http, unavailable};
use crate::error::{Error, Phase, SsoError, SsoUnavailable};
use crate::spec::Scope;
use crate::token::TokenSet;

/// Longer than any lifetime that makes sense; keeps sums of times in range.
const LONGEST_LIFE: TimeDelta = TimeDelta::days(366);

/// How the application shows who it is: HTTP Basic with a secret, its id in the form without.
pub(super) struct Application {
    pub(super) client_id: String,
    pub(super) secret: Option<SecretString>,
    pub(super) redirect_uri: String,
}

impl Application {
    /// Tokens for the code of a login.
    pub(super) async fn exchange(
        &self,
        http: &Arc<Http>,
        endpoints: &SsoEndpoints,
        code: &SecretString,
        verifier: Option<SecretString>,
        now: DateTime<Utc>,
    ) -> Result<TokenSet, Error> {
        const STEP: &str = "code exchange";
        let mut secrets = vec![code.clone()];
        let token_url = url_of(endpoints)?;
        let redirect = RedirectUrl::new(self.redirect_uri.clone())
            .map_err(|error| Error::config("redirect_uri", error.to_string()))?;
        let client = self.client().set_token_uri(token_url).set_redirect_uri(redirect);
        let mut request = client.exchange_code(AuthorizationCode::new(code.expose_secret().to_owned()));
        if let Some(verifier) = verifier {
            request = request.set_pkce_verifier(PkceCodeVerifier::new(verifier.expose_secret().to_owned()));
            secrets.push(verifier);
        }
        let status = Arc::new(AtomicU16::new(0));
        let send = |request| sent(http, STEP, request, &status);
        let answer: Answering<'_> = Box::pin(request.request_async(&send));
        let answer = answer.await;
        let answer = answer.map_err(|error| self.refusal(STEP, error, &status, &secrets))?;
        Ok(token_set(&answer, now))
    }

    /// New tokens for a refresh token; without scopes, for all that the login has.
    pub(super) async fn refresh(
        &self,
        http: &Arc<Http>,
        endpoints: &SsoEndpoints,
        refresh_token: &str,
        scopes: &[Scope],
        now: DateTime<Utc>,
    ) -> Result<TokenSet, Error> {
        const STEP: &str = "refresh";
        let secrets = [SecretString::from(refresh_token.to_owned())];
        let client = self.client().set_token_uri(url_of(endpoints)?);
        let token = RefreshToken::new(refresh_token.to_owned());
        let scopes: Vec<_> = scopes
            .iter()
            .map(|scope| oauth2::Scope::new(scope.to_string()))
            .collect();
        let status = Arc::new(AtomicU16::new(0));
        let send = |request| sent(http, STEP, request, &status);
        let request = client.exchange_refresh_token(&token).add_scopes(scopes);
        let answer: Answering<'_> = Box::pin(request.request_async(&send));
        let answer = answer.await;
        let answer = answer.map_err(|error| self.refusal(STEP, error, &status, &secrets))?;
        Ok(token_set(&answer, now))
    }

    /// Revokes a token; `hint` says which kind it is. Returns the HTTP status of a success.
    ///
    /// By hand, because `oauth2` revokes over https only, and so not at a server on this machine.
    pub(super) async fn revoke(
        &self,
        http: &Arc<Http>,
        endpoints: &SsoEndpoints,
        token: &str,
        hint: &'static str,
    ) -> Result<u16, Error> {
        const STEP: &str = "revocation";
        let request = self.revocation(endpoints, token, hint)?;
        let answer = http
            .send(STEP, request)
            .await
            .map_err(|error| Error::SsoUnavailable(Box::new(error)))?;
        let status = answer.status().as_u16();
        if (200..300).contains(&status) {
            return Ok(status);
        }
        let secrets = [SecretString::from(token.to_owned())];
        let said = serde_json::from_slice::<BasicErrorResponse>(answer.body()).ok();
        Err(Error::Sso(Box::new(SsoError {
            step: STEP,
            code: said.as_ref().map_or_else(
                || "unknown_error".to_owned(),
                |said| self.scrubbed(said.error().as_ref(), &secrets),
            ),
            description: said
                .and_then(|said| said.error_description().map(|text| self.scrubbed(text, &secrets))),
            status: Some(status),
        })))
    }

    fn revocation(
        &self,
        endpoints: &SsoEndpoints,
        token: &str,
        hint: &'static str,
    ) -> Result<http::Request<Vec<u8>>, Error> {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("token", token)
            .append_pair("token_type_hint", hint);
        let mut request = http::Request::post(&endpoints.revocation)
            .header(http::header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(http::header::ACCEPT, "application/json");
        match self.basic() {
            Some(value) => request = request.header(http::header::AUTHORIZATION, value),
            None => {
                form.append_pair("client_id", &self.client_id);
            }
        }
        request
            .body(form.finish().into_bytes())
            .map_err(|_| Error::config("sso_endpoints", "the revocation endpoint is not a URL"))
    }

    fn client(&self) -> BasicClient {
        let client = BasicClient::new(ClientId::new(self.client_id.clone()));
        match &self.secret {
            Some(secret) => client.set_client_secret(ClientSecret::new(secret.expose_secret().to_owned())),
            None => client,
        }
    }

    /// The header of HTTP Basic, by RFC 6749 section 2.3.1.
    fn basic(&self) -> Option<http::HeaderValue> {
        use base64::Engine;
        let secret = self.secret.as_ref()?;
        let encoded = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
        let pair = format!("{}:{}", encoded(&self.client_id), encoded(secret.expose_secret()));
        let text = format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(pair));
        let mut value = http::HeaderValue::try_from(text).ok()?;
        value.set_sensitive(true);
        Some(value)
    }

    /// An error without anything of what was sent or answered but the code and the description of RFC 6749.
    fn refusal(
        &self,
        step: &'static str,
        error: Refusal,
        status: &AtomicU16,
        secrets: &[SecretString],
    ) -> Error {
        let status = Some(status.load(Ordering::Relaxed)).filter(|status| *status != 0);
        let reason = match error {
            RequestTokenError::ServerResponse(said) => {
                return Error::Sso(Box::new(SsoError {
                    step,
                    code: self.scrubbed(said.error().as_ref(), secrets),
                    description: said.error_description().map(|text| self.scrubbed(text, secrets)),
                    status,
                }));
            }
            RequestTokenError::Request(error) => return Error::SsoUnavailable(Box::new(error)),
            RequestTokenError::Parse(error, _) => {
                format!(
                    "its answer is not as RFC 6749 says ({:?})",
                    error.inner().classify()
                )
            }
            RequestTokenError::Other(_) => "its answer is empty, or not JSON".to_owned(),
        };
        Error::SsoUnavailable(Box::new(unavailable(step, reason, status, Phase::Body)))
    }

    /// The server's words, without a secret that it repeats.
    fn scrubbed(&self, words: &str, secrets: &[SecretString]) -> String {
        let mut words = words.to_owned();
        for secret in secrets
            .iter()
            .chain(&self.secret)
            .map(ExposeSecret::expose_secret)
        {
            if !secret.is_empty() {
                words = words.replace(secret, "[secret]");
            }
        }
        words.chars().take(500).collect()
    }
}

fn url_of(endpoints: &SsoEndpoints) -> Result<TokenUrl, Error> {
    TokenUrl::new(endpoints.token.clone())
        .map_err(|error| Error::config("sso_endpoints", format!("the token endpoint: {error}")))
}

type Refusal = RequestTokenError<SsoUnavailable, BasicErrorResponse>;
type Answering<'a> = Pin<Box<dyn Future<Output = Result<BasicTokenResponse, Refusal>> + Send + 'a>>;
type Sending = Pin<Box<dyn Future<Output = Result<HttpResponse, SsoUnavailable>> + Send>>;

/// Sends a request of `oauth2`, and notes the status, which its errors do not carry.
fn sent(http: &Arc<Http>, step: &'static str, request: HttpRequest, status: &Arc<AtomicU16>) -> Sending {
    let (http, status) = (Arc::clone(http), Arc::clone(status));
    Box::pin(async move {
        let answer = http.send(step, request).await?;
        status.store(answer.status().as_u16(), Ordering::Relaxed);
        Ok(answer)
    })
}

/// Its end is counted from now by the local clock, whatever that clock shows.
fn token_set(answer: &BasicTokenResponse, now: DateTime<Utc>) -> TokenSet {
    let life = answer
        .expires_in()
        .and_then(|life| TimeDelta::from_std(life).ok())
        .unwrap_or(TimeDelta::minutes(20))
        .min(LONGEST_LIFE);
    TokenSet {
        access: answer.access_token().secret().clone().into(),
        refresh: answer
            .refresh_token()
            .map(|token| token.secret().clone())
            .filter(|token| !token.is_empty())
            .map(Into::into),
        expires_at: now.checked_add_signed(life),
        claims: None,
        verified: false,
    }
}
