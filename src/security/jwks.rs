//! The keys that sign access tokens: fetched once, and once more when a token names one that is not there.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use jsonwebtoken::Algorithm;
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, PublicKeyUse};
use ring::signature::UnparsedPublicKey;
use ring::signature::{ECDSA_P256_SHA256_FIXED, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
use serde_json::Value;

use crate::clock::Clock;
use crate::error::{Error, Phase, SsoUnavailable, TokenFault};

/// How long a key that is not there is not looked for again.
const PAUSE: TimeDelta = TimeDelta::minutes(1);

/// How long the single sign-on is left alone when it gave no keys.
const REST: TimeDelta = TimeDelta::seconds(5);

/// More than any single sign-on publishes.
const MOST_KEYS: usize = 100;

/// A public key.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Key {
    Rsa { n: Vec<u8>, e: Vec<u8> },
    P256 { point: Vec<u8> },
    Unusable(&'static str),
}

impl Key {
    fn read(jwk: &Value) -> Self {
        let Ok(jwk) = serde_json::from_value::<Jwk>(jwk.clone()) else {
            return Self::Unusable("it is not a JWK");
        };
        if !matches!(jwk.common.public_key_use, None | Some(PublicKeyUse::Signature)) {
            return Self::Unusable("it is not for signatures");
        }
        let bytes = |text: &str| URL_SAFE_NO_PAD.decode(text).unwrap_or_default();
        match (&jwk.algorithm, jwk.common.key_algorithm) {
            (AlgorithmParameters::RSA(key), None | Some(KeyAlgorithm::RS256)) => Self::Rsa {
                n: bytes(&key.n),
                e: bytes(&key.e),
            },
            (AlgorithmParameters::EllipticCurve(key), None | Some(KeyAlgorithm::ES256))
                if key.curve == EllipticCurve::P256 =>
            {
                let point = [&[4], bytes(&key.x).as_slice(), bytes(&key.y).as_slice()].concat();
                Self::P256 { point }
            }
            _ => Self::Unusable("it is neither for RS256 nor for ES256"),
        }
    }

    /// Checks a signature. The key decides which algorithm there can be; the token's word must agree.
    pub(super) fn verify(
        &self,
        algorithm: Algorithm,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), TokenFault> {
        let fits = match (self, algorithm) {
            (Self::Rsa { n, e }, Algorithm::RS256) => {
                RsaPublicKeyComponents { n, e }.verify(&RSA_PKCS1_2048_8192_SHA256, message, signature)
            }
            (Self::P256 { point }, Algorithm::ES256) => {
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(message, signature)
            }
            (Self::Unusable(why), _) => return Err(TokenFault::UnusableKey(why)),
            _ => return Err(TokenFault::UnusableKey("it is for another algorithm")),
        };
        fits.map_err(|_| TokenFault::Signature)
    }
}

/// The keys of a JWK set, by their `kid`.
#[derive(Debug, Default, PartialEq)]
pub(super) struct KeySet(Vec<(Box<str>, Key)>);

impl KeySet {
    /// Reads a JWK set, or a single JWK. Keys that cannot be used stay, so that a token that names one is told why.
    pub(super) fn read(document: &Value) -> Option<Self> {
        let single = std::slice::from_ref(document);
        let keys = match document.get("keys") {
            Some(Value::Array(keys)) => keys.as_slice(),
            Some(_) => return None,
            None if document.get("kty").is_some() => single,
            None => return None,
        };
        let named = keys.iter().take(MOST_KEYS).filter_map(|key| {
            let id = key.get("kid")?.as_str()?;
            Some((id.into(), Key::read(key)))
        });
        Some(Self(named.collect()))
    }

    /// Whether any of them can check a signature.
    pub(super) fn is_usable(&self) -> bool {
        self.0.iter().any(|(_, key)| !matches!(key, Key::Unusable(_)))
    }

    fn find(&self, id: &str) -> Result<Key, TokenFault> {
        let mut found = self.0.iter().filter(|(name, _)| **name == *id);
        match (found.next(), found.next()) {
            (Some((_, key)), None) => Ok(key.clone()),
            (Some(_), Some(_)) => Err(TokenFault::AmbiguousKey(shown(id))),
            (None, _) => Err(TokenFault::UnknownKey(shown(id))),
        }
    }
}

/// The keys of a document of the single sign-on. Without any that is of use, those that were there are better.
fn usable(document: &Value) -> Result<KeySet, SsoUnavailable> {
    let set = KeySet::read(document).filter(KeySet::is_usable);
    set.ok_or_else(|| SsoUnavailable {
        step: "signing keys",
        reason: "its document has no key for RS256 or ES256".to_owned(),
        status: Some(200),
        phase: Phase::Body,
        retry_after: None,
        source: None,
    })
}

/// A key's id for an error: it comes from whoever made the token.
fn shown(id: &str) -> String {
    id.chars().take(100).collect()
}

/// The keys in use.
pub(super) struct Keys {
    /// Given by hand: nothing is ever fetched.
    given: Option<KeySet>,
    cached: Mutex<Cached>,
    flight: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct Cached {
    set: Option<Arc<KeySet>>,
    /// When the set came.
    came: Option<DateTime<Utc>>,
    /// The trouble there was since, and when.
    failed: Option<(DateTime<Utc>, SsoUnavailable)>,
}

impl Keys {
    pub(super) fn new(given: Option<KeySet>) -> Self {
        Self {
            given,
            cached: Mutex::default(),
            flight: tokio::sync::Mutex::new(()),
        }
    }

    /// The key of this id. `fetch` asks the single sign-on; it is awaited at most once a minute for ids that are not
    /// there, whatever tokens come, and not for a few seconds after it failed.
    pub(super) async fn find(
        &self,
        id: &str,
        clock: &dyn Clock,
        fetch: Pin<Box<dyn Future<Output = Result<Value, SsoUnavailable>> + Send + '_>>,
    ) -> Result<Key, Error> {
        if let Some(given) = &self.given {
            return given.find(id).map_err(Error::token_invalid);
        }
        if let Some(decided) = self.look(id, clock) {
            return decided;
        }
        let _turn = self.flight.lock().await;
        if let Some(decided) = self.look(id, clock) {
            return decided;
        }
        let read = fetch.await.and_then(|document| usable(&document));
        let now = clock.now();
        let mut cached = self.lock();
        match read {
            Ok(set) => {
                let found = set.find(id);
                *cached = Cached {
                    set: Some(Arc::new(set)),
                    came: Some(now),
                    failed: None,
                };
                found.map_err(Error::token_invalid)
            }
            Err(error) => {
                cached.failed = Some((now, error.clone()));
                Err(Error::SsoUnavailable(Box::new(error)))
            }
        }
    }

    /// Whether `find` would answer without asking the single sign-on.
    pub(super) fn knows(&self, id: &str, clock: &dyn Clock) -> bool {
        self.given.is_some() || self.look(id, clock).is_some()
    }

    /// What the cache says: none where it is time to ask.
    fn look(&self, id: &str, clock: &dyn Clock) -> Option<Result<Key, Error>> {
        let cached = self.lock();
        let found = cached.set.as_ref().map(|set| set.find(id));
        let is_recent = |then: DateTime<Utc>, pause| (clock.now() - then).abs() < pause;
        match (found, &cached.failed, cached.came) {
            (Some(decided), _, _) if !matches!(decided, Err(TokenFault::UnknownKey(_))) => {
                Some(decided.map_err(Error::token_invalid))
            }
            (_, Some((then, error)), _) => {
                is_recent(*then, REST).then(|| Err(Error::SsoUnavailable(Box::new(error.clone()))))
            }
            (Some(unknown), None, Some(then)) if is_recent(then, PAUSE) => {
                Some(unknown.map_err(Error::token_invalid))
            }
            _ => None,
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Cached> {
        self.cached.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
