//! The keys that sign tokens.
//!
//! They come with the package, for everybody to read: making an RSA key takes seconds, and every test would wait.
//! Nothing outside a sandbox trusts them.

use crate::error::Error;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64;
use ring::rand::SystemRandom;
use ring::rsa::PublicKeyComponents;
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RsaKeyPair, UnparsedPublicKey};
use serde_json::{Value, json};

/// Key id and PKCS#8. The first signs; both are in the key set, as the real one keeps the next key there.
const KEYS: [(&str, &[u8]); 2] = [
    ("JWT-Signature-Key", include_bytes!("../../keys/first.pk8")),
    ("JWT-Signature-Key-2", include_bytes!("../../keys/second.pk8")),
];

/// The signing keys, the one in use first.
#[derive(Debug)]
pub(super) struct Keys(Vec<(&'static str, RsaKeyPair)>);

impl Keys {
    pub(super) fn carried() -> Result<Self, Error> {
        let pairs = KEYS.iter().map(|(id, bytes)| {
            let pair = RsaKeyPair::from_pkcs8(bytes).map_err(|error| Error::Key(error.to_string()))?;
            Ok((*id, pair))
        });
        Ok(Self(pairs.collect::<Result<_, Error>>()?))
    }

    /// The key set as RFC 7517 writes it.
    pub(super) fn set(&self) -> Value {
        let keys = self.0.iter().map(|(id, pair)| {
            let public = PublicKeyComponents::<Vec<u8>>::from(pair.public());
            json!({
                "kty": "RSA",
                "use": "sig",
                "alg": "RS256",
                "kid": id,
                "n": BASE64.encode(public.n),
                "e": BASE64.encode(public.e),
            })
        });
        json!({ "keys": keys.collect::<Vec<_>>(), "SkipUnresolvedJsonWebKeys": true })
    }

    /// A JWT of these claims.
    pub(super) fn sign(&self, claims: &Value) -> Result<String, Error> {
        let (id, pair) = &self.0[0];
        let header = json!({ "alg": "RS256", "kid": id, "typ": "JWT" });
        let signed = format!(
            "{}.{}",
            BASE64.encode(header.to_string()),
            BASE64.encode(claims.to_string())
        );
        let mut signature = vec![0; pair.public().modulus_len()];
        pair.sign(
            &RSA_PKCS1_SHA256,
            &SystemRandom::new(),
            signed.as_bytes(),
            &mut signature,
        )
        .map_err(|_| Error::Key("nothing could be signed".to_owned()))?;
        Ok(format!("{signed}.{}", BASE64.encode(signature)))
    }

    /// The claims of a JWT that one of these keys has signed. Whatever its header names, it is verified as RS256.
    pub(super) fn verified(&self, token: &str) -> Option<Value> {
        let (signed, signature) = token.rsplit_once('.')?;
        let (header, claims) = signed.split_once('.')?;
        let header: Value = serde_json::from_slice(&BASE64.decode(header).ok()?).ok()?;
        let (_, pair) = self.0.iter().find(|(id, _)| header["kid"] == *id)?;
        let key = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, pair.public().as_ref());
        key.verify(signed.as_bytes(), &BASE64.decode(signature).ok()?)
            .ok()?;
        serde_json::from_slice(&BASE64.decode(claims).ok()?).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_one_key_signed_is_verified_until_a_letter_changes() {
        let keys = Keys::carried().unwrap();
        let token = keys.sign(&json!({ "sub": "CHARACTER:EVE:1" })).unwrap();
        assert_eq!(keys.verified(&token).unwrap()["sub"], "CHARACTER:EVE:1");
        let parts: Vec<&str> = token.split('.').collect();
        let forged = BASE64.encode(r#"{"sub":"CHARACTER:EVE:2"}"#);
        let unsigned = BASE64.encode(r#"{"alg":"none","kid":"JWT-Signature-Key"}"#);
        for token in [
            format!("{}.{forged}.{}", parts[0], parts[2]),
            format!("{unsigned}.{}.", parts[1]),
            format!("{}.{}", parts[0], parts[1]),
            String::new(),
            "a.b.c".to_owned(),
        ] {
            assert_eq!(keys.verified(&token), None, "{token}");
        }
    }

    #[test]
    fn the_key_set_has_both_keys() {
        let set = Keys::carried().unwrap().set();
        assert_eq!(set["keys"].as_array().unwrap().len(), 2);
        assert_eq!(set["keys"][0]["e"], "AQAB");
        assert_ne!(set["keys"][0]["n"], set["keys"][1]["n"]);
    }
}
