//! A login's tokens and what is known of them. `security` makes them, `store` keeps them.

use std::fmt;

use chrono::{DateTime, TimeDelta, Utc};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use crate::spec::Scope;

/// The tokens of one login. `Debug` shows neither of them.
#[derive(Clone)]
pub struct TokenSet {
    pub(crate) access: SecretString,
    pub(crate) refresh: Option<SecretString>,
    pub(crate) expires_at: Option<DateTime<Utc>>,
    pub(crate) claims: Option<Box<Claims>>,
    /// Whether the claims are this access token's: false after a restore, until its signature was checked.
    pub(crate) verified: bool,
}

/// What a verified access token says about its login.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Claims {
    /// The character that logged in.
    pub character_id: i64,
    /// Its name.
    pub name: String,
    /// Who owns the character. It changes when the character goes to another account.
    pub owner: Option<String>,
    /// What the login allows.
    pub scopes: Vec<Scope>,
    /// When the access token ends, by the clock of the single sign-on.
    pub expires_at: DateTime<Utc>,
}

impl TokenSet {
    /// The access token; empty where it has to be refreshed before first use.
    ///
    /// # Security
    /// Whoever has it can act as the character until it expires. Keep it out of logs.
    pub fn access_token(&self) -> &str {
        self.access.expose_secret()
    }

    /// The refresh token.
    ///
    /// # Security
    /// Whoever has it, and the application's secret where there is one, can act as the character until it is
    /// revoked. Keep it out of logs.
    pub fn refresh_token(&self) -> Option<&str> {
        self.refresh.as_ref().map(ExposeSecret::expose_secret)
    }

    /// When the access token ends, by the local clock: counted from when it came, so that a clock that is off
    /// counts right all the same.
    pub fn expires_at(&self) -> Option<DateTime<Utc>> {
        self.expires_at
    }

    /// What the single sign-on said about the login; none before the first verified token.
    pub fn claims(&self) -> Option<&Claims> {
        self.claims.as_deref()
    }

    /// Whether the access token is of no use at `now`, or will not be `margin` later.
    pub fn is_expired(&self, now: DateTime<Utc>, margin: TimeDelta) -> bool {
        let until = now.checked_add_signed(margin).unwrap_or(now);
        self.access_token().is_empty() || self.expires_at.is_none_or(|end| end <= until)
    }

    /// Everything as JSON text, secrets included: what a store writes.
    pub fn to_json(&self) -> SecretString {
        let written = Written {
            version: WRITTEN_VERSION,
            access_token: self.access_token().to_owned(),
            refresh_token: self.refresh_token().map(str::to_owned),
            expires_at: self.expires_at,
            claims: self.claims.as_deref().cloned(),
            verified: self.verified,
        };
        serde_json::to_string(&written).unwrap_or_default().into()
    }

    /// What [`to_json`](Self::to_json) wrote.
    ///
    /// # Errors
    /// Says what is wrong with the text, without repeating any of it.
    pub fn from_json(text: &str) -> Result<Self, UnreadableToken> {
        let unreadable = |error: serde_json::Error| UnreadableToken {
            reason: format!("{:?} error at column {}", error.classify(), error.column()),
        };
        let written: Written = serde_json::from_str(text).map_err(unreadable)?;
        if written.version != WRITTEN_VERSION {
            return Err(UnreadableToken {
                reason: format!("its format is {}, not {WRITTEN_VERSION}", written.version),
            });
        }
        Ok(Self {
            access: written.access_token.into(),
            refresh: written.refresh_token.map(Into::into),
            expires_at: written.expires_at,
            verified: written.verified && written.claims.is_some(),
            claims: written.claims.map(Box::new),
        })
    }

    /// The same login without its access token, which must be refreshed before the next call.
    pub(crate) fn without_access(mut self) -> Self {
        self.access = String::new().into();
        self.expires_at = None;
        self
    }
}

impl fmt::Debug for TokenSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenSet")
            .field("character_id", &self.claims().map(|claims| claims.character_id))
            .field("expires_at", &self.expires_at)
            .field("has_refresh_token", &self.refresh.is_some())
            .finish_non_exhaustive()
    }
}

const WRITTEN_VERSION: u32 = 1;

/// A token set as a store has it.
#[derive(Serialize, Deserialize)]
struct Written {
    version: u32,
    access_token: String,
    refresh_token: Option<String>,
    expires_at: Option<DateTime<Utc>>,
    claims: Option<Claims>,
    #[serde(default)]
    verified: bool,
}

/// A stored token set cannot be read.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the stored token set cannot be read: {reason}")]
#[non_exhaustive]
pub struct UnreadableToken {
    /// What is wrong; never a part of the text.
    pub reason: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set() -> TokenSet {
        TokenSet {
            access: "access-secret".to_owned().into(),
            refresh: Some("refresh-secret".to_owned().into()),
            expires_at: DateTime::from_timestamp(1_000, 0),
            claims: None,
            verified: false,
        }
    }

    #[test]
    fn json_brings_everything_back() {
        let text = set().to_json();
        let again = TokenSet::from_json(text.expose_secret()).expect("what was written");
        assert_eq!(
            (again.access_token(), again.refresh_token()),
            ("access-secret", Some("refresh-secret"))
        );
        assert_eq!(again.expires_at(), set().expires_at());
    }

    #[test]
    fn neither_debug_nor_errors_show_a_token() {
        let shown = format!("{:?}", set());
        assert!(!shown.contains("secret"), "{shown}");
        for text in [
            r#"{"version":1,"access_token":["access-secret"]}"#,
            r#"{"version":9,"access_token":"access-secret"}"#,
            "access-secret",
        ] {
            let error = TokenSet::from_json(text).expect_err("not a token set");
            assert!(!format!("{error} {error:?}").contains("secret"), "{error}");
        }
    }

    #[test]
    fn a_margin_makes_it_expire_sooner() {
        let at = |seconds| DateTime::from_timestamp(seconds, 0).expect("a time");
        assert!(!set().is_expired(at(999), TimeDelta::zero()));
        assert!(set().is_expired(at(1_000), TimeDelta::zero()));
        assert!(set().is_expired(at(999), TimeDelta::seconds(1)));
        assert!(set().without_access().is_expired(at(0), TimeDelta::zero()));
        assert!(!set().is_expired(at(999), TimeDelta::MIN));
    }
}
