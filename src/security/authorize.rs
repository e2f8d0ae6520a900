//! The way to a login and back: the URL that a browser is sent to, and the one it comes back with.

use std::fmt;

use oauth2::{CsrfToken, PkceCodeChallenge, PkceCodeVerifier};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;
use url::form_urlencoded;

use crate::error::{Error, SsoError};
use crate::percent::push_encoded;
use crate::spec::Scope;

/// A login that has begun: where to send the browser, and what to know when it comes back.
///
/// It serialises, so that a web application can keep it in the session of whoever logs in. Keep it where only the
/// server can read it, or encrypted: it holds what makes the login safe.
#[derive(Clone, Serialize, Deserialize)]
pub struct Login {
    url: String,
    state: String,
    verifier: Option<String>,
}

impl Login {
    pub(super) fn new(url: String, state: String, verifier: Option<SecretString>) -> Self {
        Self {
            url,
            state,
            verifier: verifier.map(|verifier| verifier.expose_secret().to_owned()),
        }
    }

    /// Where to send the browser.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// What the browser must bring back.
    pub fn state(&self) -> &str {
        &self.state
    }

    pub(super) fn verifier(&self) -> Option<SecretString> {
        self.verifier.clone().map(Into::into)
    }
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Login")
            .field("has_verifier", &self.verifier.is_some())
            .finish_non_exhaustive()
    }
}

/// What an authorization URL is made of.
pub(super) struct Authorization<'a> {
    pub(super) endpoint: &'a str,
    pub(super) redirect_uri: &'a str,
    pub(super) client_id: &'a str,
    pub(super) scopes: &'a [Scope],
    pub(super) state: &'a str,
    pub(super) implicit: bool,
    pub(super) verifier: Option<&'a SecretString>,
}

impl Authorization<'_> {
    /// The URL, with its query in the order that EsiPy wrote it in.
    pub(super) fn url(&self) -> String {
        let separator = if self.endpoint.contains('?') { '&' } else { '?' };
        let kind = if self.implicit { "token" } else { "code" };
        let mut url = format!("{}{separator}response_type={kind}&redirect_uri=", self.endpoint);
        push_encoded(&mut url, self.redirect_uri);
        url.push_str("&client_id=");
        push_encoded(&mut url, self.client_id);
        for (index, scope) in self.scopes.iter().enumerate() {
            url.push_str(if index == 0 { "&scope=" } else { "+" });
            push_encoded(&mut url, scope.as_str());
        }
        url.push_str("&state=");
        push_encoded(&mut url, self.state);
        if let Some(verifier) = self.verifier.filter(|_| !self.implicit) {
            url.push_str("&code_challenge_method=S256&code_challenge=");
            url.push_str(&challenge(verifier));
        }
        url
    }
}

/// 256 random bits.
pub(super) fn new_state() -> String {
    CsrfToken::new_random_len(32).into_secret()
}

/// A verifier of RFC 7636, from 256 random bits.
pub(super) fn new_verifier() -> SecretString {
    let (_, verifier) = PkceCodeChallenge::new_random_sha256();
    verifier.into_secret().into()
}

/// Whether a text has the length and the characters of a verifier.
pub(super) fn is_verifier(text: &str) -> bool {
    let is_unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    (43..=128).contains(&text.len()) && text.bytes().all(is_unreserved)
}

/// The challenge of a verifier, by S256.
pub(super) fn challenge(verifier: &SecretString) -> String {
    let verifier = PkceCodeVerifier::new(verifier.expose_secret().to_owned());
    PkceCodeChallenge::from_code_verifier_sha256(&verifier)
        .as_str()
        .to_owned()
}

/// The code of a callback that belongs to `login`.
pub(super) fn code_of(login: &Login, callback: &str) -> Result<SecretString, Error> {
    let fail = |reason: &str| Error::argument("auth_callback", "url", reason);
    let (_, query) = callback
        .split_once('?')
        .ok_or_else(|| fail("has no query: give the whole URL that the browser was sent back to"))?;
    let query = query.split('#').next().unwrap_or_default();
    let mut given = Callback::default();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        given.take(&name, value.into_owned())?;
    }
    let state = given.state.ok_or_else(|| fail("has no `state`"))?;
    if login.state.is_empty() || !bool::from(state.as_bytes().ct_eq(login.state.as_bytes())) {
        return Err(fail(
            "its `state` is not this login's: it answers another login, or is forged",
        ));
    }
    if let Some(code) = given.error {
        return Err(Error::Sso(Box::new(SsoError {
            step: "login",
            code,
            description: given.description,
            status: None,
        })));
    }
    match given.code {
        Some(code) if !code.is_empty() => Ok(code.into()),
        _ => Err(fail("has no `code`")),
    }
}

#[derive(Default)]
struct Callback {
    state: Option<String>,
    code: Option<String>,
    error: Option<String>,
    description: Option<String>,
}

impl Callback {
    fn take(&mut self, name: &str, value: String) -> Result<(), Error> {
        let slot = match name {
            "state" => &mut self.state,
            "code" => &mut self.code,
            "error" => &mut self.error,
            "error_description" => &mut self.description,
            _ => return Ok(()),
        };
        match slot.replace(value) {
            None => Ok(()),
            Some(_) => Err(Error::argument(
                "auth_callback",
                "url",
                format!("has `{name}` twice"),
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_challenge_of_rfc_7636_appendix_b() {
        let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk".to_owned().into();
        assert_eq!(
            challenge(&verifier),
            "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
        );
    }

    #[test]
    fn random_values_are_long_and_differ() {
        let (a, b) = (new_verifier(), new_verifier());
        assert!(is_verifier(a.expose_secret()) && a.expose_secret() != b.expose_secret());
        let (a, b) = (new_state(), new_state());
        assert!(a.len() >= 43 && a != b, "256 bits in base64");
    }

    #[test]
    fn a_login_survives_a_session_and_shows_nothing() {
        let secret: SecretString = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk".to_owned().into();
        let login = Login::new(
            "http://sso/?state=hidden".to_owned(),
            "hidden".to_owned(),
            Some(secret),
        );
        let text = serde_json::to_string(&login).expect("JSON");
        let again: Login = serde_json::from_str(&text).expect("a login");
        assert_eq!(again.state(), "hidden");
        assert!(again.verifier().is_some());
        let shown = format!("{again:?}");
        assert!(!shown.contains("hidden") && !shown.contains("dBjft"), "{shown}");
    }
}
