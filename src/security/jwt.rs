//! What makes an access token trustworthy: pure, no I/O.
//!
//! The process-wide crypto provider of `jsonwebtoken` is neither used nor set, see `docs/architecture.md`: its types
//! name algorithms and keys, and *ring* checks signatures.

use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use jsonwebtoken::Algorithm;
use serde_json::{Map, Value};

use super::jwks::Key;
use crate::error::TokenFault;
use crate::spec::Scope;
use crate::token::Claims;

/// How far the local clock may be from the single sign-on's.
pub(super) const LEEWAY: TimeDelta = TimeDelta::minutes(3);

/// Several times a token with every scope there is.
const LARGEST: usize = 32 * 1024;

/// The audience that every access token for ESI has beside the application.
const EVE: &str = "EVE Online";

/// What claims must say.
pub(super) struct Expected<'a> {
    /// Without slashes at their ends.
    pub(super) issuers: &'a [String],
    pub(super) client_id: &'a str,
    pub(super) now: DateTime<Utc>,
}

/// A token that was taken apart; nothing of it is checked yet.
pub(super) struct Jwt<'a> {
    pub(super) key_id: String,
    algorithm: Algorithm,
    message: &'a str,
    signature: Vec<u8>,
    claims: Map<String, Value>,
}

impl<'a> Jwt<'a> {
    /// Takes a token apart, and refuses what no signature could make good.
    pub(super) fn parse(token: &'a str) -> Result<Self, TokenFault> {
        if token.len() > LARGEST {
            return Err(TokenFault::TooLarge);
        }
        let (message, signature) = token
            .rsplit_once('.')
            .ok_or(TokenFault::NotAJwt("it has no dots"))?;
        let (header, payload) = message
            .split_once('.')
            .filter(|(_, payload)| !payload.contains('.'))
            .ok_or(TokenFault::NotAJwt("it has not three parts"))?;
        let header = object(header).ok_or(TokenFault::NotAJwt("its header is no JSON object"))?;
        let algorithm = algorithm(&header)?;
        if header.contains_key("crit") {
            return Err(TokenFault::CriticalHeader);
        }
        let key_id = match header.get("kid") {
            Some(Value::String(id)) if !id.is_empty() => id.clone(),
            _ => return Err(TokenFault::NoKeyId),
        };
        let claims = object(payload).ok_or(TokenFault::NotAJwt("its payload is no JSON object"))?;
        let signature = URL_SAFE_NO_PAD
            .decode(signature)
            .map_err(|_| TokenFault::NotAJwt("its signature is not base64url"))?;
        Ok(Self {
            key_id,
            algorithm,
            message,
            signature,
            claims,
        })
    }

    /// Checks the signature, then each claim.
    pub(super) fn verify(&self, key: &Key, expected: &Expected<'_>) -> Result<Claims, TokenFault> {
        key.verify(self.algorithm, self.message.as_bytes(), &self.signature)?;
        self.check_issuer(expected)?;
        self.check_audience(expected)?;
        let expires_at = self.check_times(expected)?;
        Ok(Claims {
            character_id: self.character_id()?,
            name: self.text("name")?.unwrap_or_default(),
            owner: self.text("owner")?,
            scopes: self.scopes()?,
            expires_at,
        })
    }

    fn check_issuer(&self, expected: &Expected<'_>) -> Result<(), TokenFault> {
        let issuer = self.text("iss")?.ok_or(TokenFault::Claim("iss"))?;
        let plain = issuer.trim_end_matches('/');
        if expected.issuers.iter().any(|known| known == plain) {
            return Ok(());
        }
        Err(TokenFault::Issuer(issuer.chars().take(200).collect()))
    }

    fn check_audience(&self, expected: &Expected<'_>) -> Result<(), TokenFault> {
        let texts = match self.claims.get("aud") {
            Some(Value::String(one)) => vec![one.as_str()],
            Some(Value::Array(some)) => some.iter().filter_map(Value::as_str).collect(),
            _ => return Err(TokenFault::Claim("aud")),
        };
        match [expected.client_id, EVE]
            .into_iter()
            .find(|audience| !texts.contains(audience))
        {
            Some(missing) => Err(TokenFault::Audience(missing.to_owned())),
            None => Ok(()),
        }
    }

    fn check_times(&self, expected: &Expected<'_>) -> Result<DateTime<Utc>, TokenFault> {
        let expires_at = self.time("exp")?.ok_or(TokenFault::Claim("exp"))?;
        if expires_at <= expected.now - LEEWAY {
            return Err(TokenFault::Expired);
        }
        for name in ["nbf", "iat"] {
            if self
                .time(name)?
                .is_some_and(|begin| begin > expected.now + LEEWAY)
            {
                return Err(TokenFault::NotYetValid);
            }
        }
        Ok(expires_at)
    }

    fn character_id(&self) -> Result<i64, TokenFault> {
        let subject = self.text("sub")?.ok_or(TokenFault::Claim("sub"))?;
        let id = subject
            .strip_prefix("CHARACTER:EVE:")
            .filter(|id| id.bytes().all(|byte| byte.is_ascii_digit()))
            .and_then(|id| id.parse::<i64>().ok());
        id.filter(|id| *id > 0).ok_or(TokenFault::Subject)
    }

    fn scopes(&self) -> Result<Vec<Scope>, TokenFault> {
        match self.claims.get("scp") {
            None => Ok(Vec::new()),
            Some(Value::String(text)) => Ok(text.split_whitespace().map(Scope::from).collect()),
            Some(Value::Array(list)) => list
                .iter()
                .map(|scope| scope.as_str().map(Scope::from).ok_or(TokenFault::Scopes))
                .collect(),
            Some(_) => Err(TokenFault::Scopes),
        }
    }

    fn text(&self, name: &'static str) -> Result<Option<String>, TokenFault> {
        match self.claims.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(_) => Err(TokenFault::Claim(name)),
        }
    }

    /// A time in seconds; fractions are cut off.
    fn time(&self, name: &'static str) -> Result<Option<DateTime<Utc>>, TokenFault> {
        let Some(value) = self.claims.get(name) else {
            return Ok(None);
        };
        #[allow(
            clippy::cast_possible_truncation,
            reason = "a float too large becomes the largest integer"
        )]
        let seconds = value
            .as_i64()
            .or_else(|| value.as_f64().map(|float| float as i64));
        let time = seconds.and_then(|seconds| DateTime::from_timestamp(seconds, 0));
        time.map(Some).ok_or(TokenFault::Claim(name))
    }
}

/// RS256 or ES256: a token signed by `none`, or by HMAC with a public key, must not get further.
fn algorithm(header: &Map<String, Value>) -> Result<Algorithm, TokenFault> {
    let name = header
        .get("alg")
        .and_then(Value::as_str)
        .ok_or(TokenFault::NotAJwt("its header names no algorithm"))?;
    match Algorithm::from_str(name) {
        Ok(algorithm @ (Algorithm::RS256 | Algorithm::ES256)) => Ok(algorithm),
        _ => Err(TokenFault::Algorithm(name.chars().take(100).collect())),
    }
}

fn object(part: &str) -> Option<Map<String, Value>> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok()
}
