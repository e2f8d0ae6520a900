//! Access tokens made with real keys.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair, RSA_PKCS1_SHA256, RsaKeyPair};
use serde_json::{Value, json};

pub const ISSUER_HOST: &str = "login.eveonline.com";

/// A key pair for tests; the keys protect nothing.
pub enum Signer {
    Rsa(RsaKeyPair),
    Ec(EcdsaKeyPair),
}

impl Signer {
    pub fn rsa() -> Self {
        Self::of_der(include_bytes!("keys/rsa-one.p8.der"))
    }

    pub fn other_rsa() -> Self {
        Self::of_der(include_bytes!("keys/rsa-two.p8.der"))
    }

    fn of_der(der: &[u8]) -> Self {
        Self::Rsa(RsaKeyPair::from_pkcs8(der).expect("a key pair"))
    }

    pub fn ec() -> Self {
        let random = SystemRandom::new();
        let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(algorithm, &random).expect("a new key");
        Self::Ec(EcdsaKeyPair::from_pkcs8(algorithm, pkcs8.as_ref(), &random).expect("a key pair"))
    }

    pub fn algorithm(&self) -> &'static str {
        match self {
            Self::Rsa(_) => "RS256",
            Self::Ec(_) => "ES256",
        }
    }

    pub fn jwk(&self, id: &str) -> Value {
        match self {
            Self::Rsa(pair) => {
                let public = ring::rsa::PublicKeyComponents::<Vec<u8>>::from(pair.public());
                json!({ "kty": "RSA", "use": "sig", "alg": "RS256", "kid": id, "n": encode(public.n), "e": encode(public.e) })
            }
            Self::Ec(pair) => {
                let (x, y) = pair.public_key().as_ref()[1..].split_at(32);
                json!({ "kty": "EC", "use": "sig", "alg": "ES256", "crv": "P-256", "kid": id, "x": encode(x), "y": encode(y) })
            }
        }
    }

    pub fn sign(&self, header: &Value, claims: &Value) -> String {
        let message = message(header, claims);
        let random = SystemRandom::new();
        let signature = match self {
            Self::Rsa(pair) => {
                let mut signature = vec![0; pair.public().modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &random, message.as_bytes(), &mut signature)
                    .expect("a signature");
                signature
            }
            Self::Ec(pair) => pair
                .sign(&random, message.as_bytes())
                .expect("a signature")
                .as_ref()
                .to_vec(),
        };
        format!("{message}.{}", encode(signature))
    }
}

pub fn message(header: &Value, claims: &Value) -> String {
    format!("{}.{}", encode(header.to_string()), encode(claims.to_string()))
}

pub fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

pub fn header(algorithm: &str, id: &str) -> Value {
    json!({ "alg": algorithm, "kid": id, "typ": "JWT" })
}

/// Claims as the single sign-on makes them.
pub fn claims(character: i64, owner: &str, scopes: &[&str], issuer: &str, now: i64) -> Value {
    let scp = match scopes {
        [] => Value::Null,
        [one] => json!(one),
        some => json!(some),
    };
    let mut claims = json!({
        "scp": scp, "jti": "a", "kid": "k", "sub": format!("CHARACTER:EVE:{character}"), "azp": CLIENT_ID,
        "tenant": "tranquility", "tier": "live", "region": "world", "aud": [CLIENT_ID, "EVE Online"],
        "name": format!("Pilot {character}"), "owner": owner, "exp": now + 1200, "iat": now, "iss": issuer,
    });
    if claims["scp"].is_null() {
        claims.as_object_mut().expect("an object").remove("scp");
    }
    claims
}

pub const CLIENT_ID: &str = "my-client-id";
