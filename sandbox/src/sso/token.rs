//! The token endpoint: codes and refresh tokens for access tokens, with the errors of RFC 6749.

use super::{Application, Code, Login, Refresh, Sso, State, TOKEN_LIFE, pairs};
use crate::http::{Answer, Incoming};
use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use chrono::TimeDelta;
use serde_json::json;
use std::collections::HashMap;

/// What a refresh answers with beside the access token. The single sign-on may do any of these.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum RefreshTokens {
    /// The same refresh token again.
    #[default]
    Same,
    /// Another one; the old one is dead at once.
    Rotated,
    /// Another one; the old one works for so many seconds more.
    RotatedWithGrace(u32),
    /// None: the old one keeps working.
    Absent,
}

/// An error of RFC 6749, section 5.2.
struct Refused {
    status: u16,
    code: &'static str,
    description: &'static str,
}

impl Refused {
    const fn new(code: &'static str, description: &'static str) -> Self {
        Self {
            status: 400,
            code,
            description,
        }
    }

    /// The application is not who it says.
    const fn client(description: &'static str) -> Self {
        Self {
            status: 401,
            code: "invalid_client",
            description,
        }
    }

    fn into_answer(self) -> Answer {
        let body = json!({ "error": self.code, "error_description": self.description });
        let answer = Answer::json(self.status, &body).with("cache-control", "no-store");
        if self.status == 401 {
            answer.with("www-authenticate", "Basic")
        } else {
            answer
        }
    }
}

/// Which application asks, and whether it has shown its secret.
struct Client<'a> {
    application: &'a Application,
    is_proven: bool,
}

impl Sso {
    pub(super) fn token(&self, incoming: &Incoming) -> Answer {
        self.exchanged(incoming).unwrap_or_else(Refused::into_answer)
    }

    fn exchanged(&self, incoming: &Incoming) -> Result<Answer, Refused> {
        let form = form(incoming)?;
        let client = self.client(incoming, &form)?;
        let mut state = self.state();
        let (login, refresh) = match form.get("grant_type").map(String::as_str) {
            Some("authorization_code") => {
                let login = self.login_of_code(&form, &client, &mut state)?;
                let refresh = state.fresh("refresh", &self.world);
                let kept = Refresh {
                    login: login.clone(),
                    dies: None,
                };
                state.refresh.insert(refresh.clone(), kept);
                (login, Some(refresh))
            }
            Some("refresh_token") => self.refreshed(&form, &client, &mut state)?,
            Some(_) => {
                return Err(Refused::new(
                    "unsupported_grant_type",
                    "authorization_code or refresh_token",
                ));
            }
            None => return Err(Refused::new("invalid_request", "grant_type is missing")),
        };
        let unsigned = |_| Refused {
            status: 500,
            code: "server_error",
            description: "nothing could be signed",
        };
        let mut body = json!({
            "access_token": self.access_token(&login, &mut state).map_err(unsigned)?,
            "token_type": "Bearer",
            "expires_in": TOKEN_LIFE.num_seconds(),
        });
        if let Some(refresh) = refresh {
            body["refresh_token"] = json!(refresh);
        }
        Ok(Answer::json(200, &body).with("cache-control", "no-store"))
    }

    /// Who asks: by HTTP's basic authentication, or by fields of the form.
    fn client(&self, incoming: &Incoming, form: &HashMap<String, String>) -> Result<Client<'_>, Refused> {
        let (id, secret) = match incoming.header("authorization") {
            Some(header) => {
                let (id, secret) =
                    basic(header).ok_or(Refused::client("the Authorization header is not Basic"))?;
                (id, Some(secret))
            }
            None => {
                let id = form
                    .get("client_id")
                    .ok_or(Refused::client("client_id is missing"))?;
                (id.clone(), form.get("client_secret").cloned())
            }
        };
        let application = self
            .application(&id)
            .ok_or(Refused::client("there is no such application"))?;
        match secret {
            Some(secret) if secret != application.secret_key => Err(Refused::client("the secret is another")),
            secret => Ok(Client {
                application,
                is_proven: secret.is_some(),
            }),
        }
    }

    fn login_of_code(
        &self,
        form: &HashMap<String, String>,
        client: &Client<'_>,
        state: &mut State,
    ) -> Result<Login, Refused> {
        const NO_CODE: Refused = Refused::new("invalid_grant", "the code is unknown, used or expired");
        let code = form
            .get("code")
            .ok_or(Refused::new("invalid_request", "code is missing"))?;
        // A code is spent by the first try, whether or not that succeeds.
        let Code {
            mut login,
            challenge,
            expires,
        } = state.codes.remove(code).ok_or(NO_CODE)?;
        if expires <= self.clock.now() {
            return Err(NO_CODE);
        }
        if login.client_id != client.application.client_id {
            return Err(Refused::new(
                "invalid_grant",
                "the code was given to another application",
            ));
        }
        match (challenge, form.get("code_verifier")) {
            (Some(challenge), Some(verifier)) if challenge == challenge_of(verifier) => {}
            (Some(_), Some(_)) => {
                return Err(Refused::new(
                    "invalid_grant",
                    "the verifier is not of the challenge",
                ));
            }
            (Some(_), None) => return Err(Refused::new("invalid_request", "code_verifier is missing")),
            (None, _) if client.is_proven => {}
            (None, _) => return Err(Refused::client("without PKCE the secret is needed")),
        }
        login.is_public = !client.is_proven;
        Ok(login)
    }

    fn refreshed(
        &self,
        form: &HashMap<String, String>,
        client: &Client<'_>,
        state: &mut State,
    ) -> Result<(Login, Option<String>), Refused> {
        const NO_TOKEN: Refused = Refused::new(
            "invalid_grant",
            "the refresh token is unknown, revoked or replaced",
        );
        let token = form
            .get("refresh_token")
            .ok_or(Refused::new("invalid_request", "refresh_token is missing"))?;
        let now = self.clock.now();
        let known = state.refresh.get_mut(token).ok_or(NO_TOKEN)?;
        if known.dies.is_some_and(|dies| dies <= now) || known.login.client_id != client.application.client_id
        {
            return Err(NO_TOKEN);
        }
        let login = known.login.clone();
        if !login.is_public && !client.is_proven {
            return Err(Refused::client(
                "this login was made with the secret, and is refreshed with it",
            ));
        }
        let grace = match self.refresh_tokens {
            RefreshTokens::Same => return Ok((login, Some(token.clone()))),
            RefreshTokens::Absent => return Ok((login, None)),
            RefreshTokens::Rotated => 0,
            RefreshTokens::RotatedWithGrace(seconds) => seconds,
        };
        let dies = now + TimeDelta::seconds(i64::from(grace));
        known.dies = Some(known.dies.map_or(dies, |earlier| earlier.min(dies)));
        let next = state.fresh("refresh", &self.world);
        state.refresh.insert(
            next.clone(),
            Refresh {
                login: login.clone(),
                dies: None,
            },
        );
        Ok((login, Some(next)))
    }

    /// RFC 7009: a token that is not there is as good as revoked.
    pub(super) fn revoke(&self, incoming: &Incoming) -> Answer {
        let revoked = || {
            let form = form(incoming)?;
            let client = self.client(incoming, &form)?;
            let token = form
                .get("token")
                .ok_or(Refused::new("invalid_request", "token is missing"))?;
            let mut state = self.state();
            let is_own = |refresh: &Refresh| refresh.login.client_id == client.application.client_id;
            if state.refresh.get(token).is_some_and(is_own) {
                state.refresh.remove(token);
            }
            Ok(Answer::empty(200))
        };
        revoked().unwrap_or_else(Refused::into_answer)
    }
}

fn form(incoming: &Incoming) -> Result<HashMap<String, String>, Refused> {
    let kind = incoming.header("content-type").unwrap_or_default();
    if kind.split(';').next().map(str::trim) == Some("application/x-www-form-urlencoded") {
        Ok(pairs(&incoming.body))
    } else {
        Err(Refused::new(
            "invalid_request",
            "the body must be application/x-www-form-urlencoded",
        ))
    }
}

/// Id and secret of `Basic ...`, each form-encoded as RFC 6749 wants it.
fn basic(header: &str) -> Option<(String, String)> {
    let (scheme, encoded) = header.split_once(' ')?;
    let bytes = BASE64_STANDARD.decode(encoded.trim()).ok()?;
    let text = String::from_utf8(bytes).ok()?;
    let (id, secret) = text.split_once(':')?;
    let decoded = |text: &str| {
        let spaced = text.replace('+', " ");
        let text = percent_encoding::percent_decode_str(&spaced).decode_utf8().ok()?;
        Some(text.into_owned())
    };
    scheme
        .eq_ignore_ascii_case("basic")
        .then(|| Some((decoded(id)?, decoded(secret)?)))?
}

/// PKCE's S256.
fn challenge_of(verifier: &str) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA256, verifier.as_bytes());
    BASE64_URL_SAFE_NO_PAD.encode(digest)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of RFC 7636, appendix B.
    #[test]
    fn the_challenge_is_that_of_the_rfc() {
        assert_eq!(
            challenge_of("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"),
            "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
        );
    }

    #[test]
    fn basic_authentication_is_form_decoded() {
        let header = format!("Basic {}", BASE64_STANDARD.encode("my+app:a%3Ab"));
        assert_eq!(basic(&header), Some(("my app".to_owned(), "a:b".to_owned())));
        for header in ["Basic", "Basic !", "Bearer YTpi", ""] {
            assert_eq!(basic(header), None, "{header}");
        }
    }
}
