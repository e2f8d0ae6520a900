//! Access tokens that must be refused, each for its own reason.

use chrono::TimeDelta;
use esikit::clock::Clock;
use esikit::error::TokenFault;
use esikit::{Error, EsiSecurity};
use ring::hmac;
use serde_json::{Value, json};

use super::jwt::{self, CLIENT_ID, ISSUER_HOST, Signer, claims, encode, header};
use super::sso::Sso;

async fn verdict(security: &EsiSecurity, token: &str) -> Result<i64, TokenFault> {
    let tokens = json!({ "access_token": token, "expires_in": 1200 });
    let view = security
        .update_token(&tokens, Some("tried"))
        .await
        .expect("taken");
    match view.verify().await {
        Ok(claims) => Ok(claims.character_id),
        Err(Error::TokenInvalid(invalid)) => Err(invalid.why),
        Err(other) => panic!("{other:?}"),
    }
}

fn with(mut claims: Value, name: &str, value: Value) -> Value {
    claims[name] = value;
    claims
}

fn without(mut claims: Value, name: &str) -> Value {
    claims.as_object_mut().expect("an object").remove(name);
    claims
}

/// A token signed by HMAC with the RSA key's public half, which anybody has.
fn confused(claims: &Value, key: &[u8]) -> String {
    let message = jwt::message(&header("HS256", "key-1"), claims);
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), message.as_bytes());
    format!("{message}.{}", encode(tag))
}

#[tokio::test]
#[allow(clippy::too_many_lines, reason = "a table")]
async fn bad_tokens_are_refused_each_for_its_own_reason() {
    let sso = Sso::new().await;
    let (rsa, ec, other) = (Signer::rsa(), Signer::ec(), Signer::other_rsa());
    let small_use = with(rsa.jwk("for-encryption"), "use", json!("enc"));
    sso.world().jwks = json!({ "keys": [
        rsa.jwk("key-1"), ec.jwk("key-ec"), rsa.jwk("twice"), other.jwk("twice"), small_use,
        with(rsa.jwk("rs512"), "alg", json!("RS512")), json!({ "kid": "odd", "kty": "RSA" }),
        with(rsa.jwk("short"), "n", json!("AQAB")), json!({ "kid": "oct", "kty": "oct", "k": "c2VjcmV0" }),
        json!(3), json!({ "kty": "RSA" }),
    ] });
    let security = sso.security().await;
    let now = sso.clock.now().timestamp();
    let good = || claims(7, "owner", &["publicData"], &sso.url, now);
    let rs = |claims: Value| rsa.sign(&header("RS256", "key-1"), &claims);
    let fine = rs(good());
    let parts: Vec<&str> = fine.split('.').collect();
    let big = json!("x".repeat(1024 * 1024));
    let fault = TokenFault::Claim;
    let cases: Vec<(&str, String, TokenFault)> = vec![
        (
            "alg none",
            format!("{}.", jwt::message(&header("none", "key-1"), &good())),
            TokenFault::Algorithm("none".into()),
        ),
        (
            "alg None",
            format!("{}.{}", jwt::message(&header("None", "key-1"), &good()), parts[2]),
            TokenFault::Algorithm("None".into()),
        ),
        (
            "HS256 with the public key",
            confused(&good(), include_bytes!("keys/rsa-one.pub.pem")),
            TokenFault::Algorithm("HS256".into()),
        ),
        (
            "RS512",
            rsa.sign(&header("RS512", "key-1"), &good()),
            TokenFault::Algorithm("RS512".into()),
        ),
        (
            "PS256",
            rsa.sign(&header("PS256", "key-1"), &good()),
            TokenFault::Algorithm("PS256".into()),
        ),
        (
            "alg a number",
            rsa.sign(&json!({ "alg": 1, "kid": "key-1" }), &good()),
            TokenFault::NotAJwt("its header names no algorithm"),
        ),
        (
            "no kid",
            rsa.sign(&json!({ "alg": "RS256" }), &good()),
            TokenFault::NoKeyId,
        ),
        (
            "empty kid",
            rsa.sign(&header("RS256", ""), &good()),
            TokenFault::NoKeyId,
        ),
        (
            "unknown kid",
            rsa.sign(&header("RS256", "nobody"), &good()),
            TokenFault::UnknownKey("nobody".into()),
        ),
        (
            "two keys of one kid",
            rsa.sign(&header("RS256", "twice"), &good()),
            TokenFault::AmbiguousKey("twice".into()),
        ),
        (
            "another key",
            other.sign(&header("RS256", "key-1"), &good()),
            TokenFault::Signature,
        ),
        (
            "an EC token for the RSA key",
            ec.sign(&header("ES256", "key-1"), &good()),
            TokenFault::UnusableKey("it is for another algorithm"),
        ),
        (
            "an RSA token for the EC key",
            rsa.sign(&header("RS256", "key-ec"), &good()),
            TokenFault::UnusableKey("it is for another algorithm"),
        ),
        (
            "another EC key",
            Signer::ec().sign(&header("ES256", "key-ec"), &good()),
            TokenFault::Signature,
        ),
        (
            "a key for encryption",
            rsa.sign(&header("RS256", "for-encryption"), &good()),
            TokenFault::UnusableKey("it is not for signatures"),
        ),
        (
            "a key for RS512",
            rsa.sign(&header("RS256", "rs512"), &good()),
            TokenFault::UnusableKey("it is neither for RS256 nor for ES256"),
        ),
        (
            "a key without a modulus",
            rsa.sign(&header("RS256", "odd"), &good()),
            TokenFault::UnusableKey("it is neither for RS256 nor for ES256"),
        ),
        (
            "a key that is too short",
            rsa.sign(&header("RS256", "short"), &good()),
            TokenFault::Signature,
        ),
        (
            "a symmetric key",
            rsa.sign(&header("RS256", "oct"), &good()),
            TokenFault::UnusableKey("it is neither for RS256 nor for ES256"),
        ),
        (
            "an extension",
            rsa.sign(&with(header("RS256", "key-1"), "crit", json!(["exp"])), &good()),
            TokenFault::CriticalHeader,
        ),
        (
            "changed claims",
            format!(
                "{}.{}.{}",
                parts[0],
                encode(claims(8, "owner", &[], &sso.url, now).to_string()),
                parts[2]
            ),
            TokenFault::Signature,
        ),
        (
            "no signature",
            format!("{}.{}.", parts[0], parts[1]),
            TokenFault::Signature,
        ),
        (
            "a cut signature",
            fine[..fine.len() - 2].to_owned(),
            TokenFault::Signature,
        ),
        (
            "a signature in another alphabet",
            format!("{}.{}.+/==", parts[0], parts[1]),
            TokenFault::NotAJwt("its signature is not base64url"),
        ),
        (
            "wrong issuer",
            rs(with(good(), "iss", json!("https://evil.example.com"))),
            TokenFault::Issuer("https://evil.example.com".into()),
        ),
        (
            "the real issuer, which this one is not",
            rs(with(good(), "iss", json!(ISSUER_HOST))),
            TokenFault::Issuer(ISSUER_HOST.into()),
        ),
        (
            "issuer that begins alike",
            rs(with(good(), "iss", json!(format!("{}.evil.example", sso.url)))),
            TokenFault::Issuer(format!("{}.evil.example", sso.url)),
        ),
        ("no issuer", rs(without(good(), "iss")), fault("iss")),
        (
            "EVE not in the audience",
            rs(with(good(), "aud", json!([CLIENT_ID]))),
            TokenFault::Audience("EVE Online".into()),
        ),
        (
            "another application",
            rs(with(good(), "aud", json!(["other", "EVE Online"]))),
            TokenFault::Audience(CLIENT_ID.into()),
        ),
        (
            "one audience as a text",
            rs(with(good(), "aud", json!("EVE Online"))),
            TokenFault::Audience(CLIENT_ID.into()),
        ),
        ("no audience", rs(without(good(), "aud")), fault("aud")),
        (
            "expired",
            rs(with(good(), "exp", json!(now - 600))),
            TokenFault::Expired,
        ),
        ("no end", rs(without(good(), "exp")), fault("exp")),
        (
            "an end as text",
            rs(with(good(), "exp", json!("tomorrow"))),
            fault("exp"),
        ),
        (
            "an end beyond all time",
            rs(with(good(), "exp", json!(1e300))),
            fault("exp"),
        ),
        (
            "not yet valid",
            rs(with(good(), "nbf", json!(now + 600))),
            TokenFault::NotYetValid,
        ),
        (
            "made in the future",
            rs(with(good(), "iat", json!(now + 600))),
            TokenFault::NotYetValid,
        ),
        (
            "a corporation as subject",
            rs(with(good(), "sub", json!("CORPORATION:EVE:7"))),
            TokenFault::Subject,
        ),
        (
            "a subject without a number",
            rs(with(good(), "sub", json!("CHARACTER:EVE:"))),
            TokenFault::Subject,
        ),
        (
            "a signed number",
            rs(with(good(), "sub", json!("CHARACTER:EVE:+7"))),
            TokenFault::Subject,
        ),
        (
            "a subject too large",
            rs(with(good(), "sub", json!("CHARACTER:EVE:99999999999999999999"))),
            TokenFault::Subject,
        ),
        (
            "a subject that goes on",
            rs(with(good(), "sub", json!("CHARACTER:EVE:7:8"))),
            TokenFault::Subject,
        ),
        ("no subject", rs(without(good(), "sub")), fault("sub")),
        (
            "scp a number",
            rs(with(good(), "scp", json!(3))),
            TokenFault::Scopes,
        ),
        (
            "scp a list of numbers",
            rs(with(good(), "scp", json!([3]))),
            TokenFault::Scopes,
        ),
        (
            "owner a number",
            rs(with(good(), "owner", json!(3))),
            fault("owner"),
        ),
        (
            "1 MB of payload",
            rs(with(good(), "name", big)),
            TokenFault::TooLarge,
        ),
        (
            "no dots",
            "not-a-token".to_owned(),
            TokenFault::NotAJwt("it has no dots"),
        ),
        (
            "two parts",
            format!("{}.{}", parts[0], parts[1]),
            TokenFault::NotAJwt("it has not three parts"),
        ),
        (
            "four parts",
            format!("{fine}.{}", parts[2]),
            TokenFault::NotAJwt("it has not three parts"),
        ),
        (
            "a header that is no JSON",
            format!("{}.{}.{}", encode("{"), parts[1], parts[2]),
            TokenFault::NotAJwt("its header is no JSON object"),
        ),
        (
            "a payload that is a list",
            rs(json!([1])),
            TokenFault::NotAJwt("its payload is no JSON object"),
        ),
        (
            "padding",
            format!("{}=.{}.{}", parts[0], parts[1], parts[2]),
            TokenFault::NotAJwt("its header is no JSON object"),
        ),
    ];
    assert!(cases.len() >= 30, "{}", cases.len());
    for (name, token, fault) in cases {
        assert_eq!(verdict(&security, &token).await, Err(fault), "{name}");
    }
    assert_eq!(
        verdict(&security, &fine).await,
        Ok(7),
        "and the one they were made from is good"
    );
    assert_eq!(sso.world().jwks_asked, 1);
}

#[tokio::test]
async fn good_tokens_of_each_form_are_taken() {
    let sso = Sso::new().await;
    let (rsa, ec) = (Signer::rsa(), Signer::ec());
    sso.world().jwks = json!({ "keys": [rsa.jwk("key-1"), ec.jwk("key-ec")] });
    let security = sso.security().await;
    let now = sso.clock.now().timestamp();
    let good = || claims(7, "owner", &[], &sso.url, now);
    for claims in [
        good(),
        with(good(), "scp", json!("publicData")),
        with(good(), "scp", json!(["publicData", "a", "b"])),
        with(good(), "iss", json!(format!("{}/", sso.url))),
        with(good(), "exp", json!(now - 120)),
        with(good(), "nbf", json!(now + 120)),
        with(good(), "exp", json!(now as f64 + 100.5)),
        without(good(), "owner"),
    ] {
        let token = rsa.sign(&header("RS256", "key-1"), &claims);
        assert_eq!(verdict(&security, &token).await, Ok(7), "{claims}");
        let token = ec.sign(&header("ES256", "key-ec"), &claims);
        assert_eq!(verdict(&security, &token).await, Ok(7), "{claims}");
    }
}

/// The rule of the real one: with and without scheme and slash, whatever discovery says.
#[tokio::test]
async fn the_default_sso_has_four_spellings_of_its_issuer() {
    let rsa = Signer::rsa();
    let endpoints = esikit::security::SsoEndpoints::of("https://login.eveonline.com");
    let built = EsiSecurity::builder()
        .client_id(CLIENT_ID)
        .redirect_uri("http://localhost/callback")
        .pkce()
        .sso_endpoints(endpoints)
        .jwks_key(rsa.jwk("key-1"))
        .build()
        .await;
    // A build without TLS, or a machine without any certificate authority, cannot have this one.
    let Ok(security) = built else { return };
    let now = esikit::clock::SystemClock.now() - TimeDelta::seconds(5);
    for (issuer, is_good) in [
        ("login.eveonline.com", true),
        ("login.eveonline.com/", true),
        ("https://login.eveonline.com", true),
        ("https://login.eveonline.com/", true),
        ("http://login.eveonline.com", false),
        ("https://login.eveonline.com.evil.example", false),
    ] {
        let token = rsa.sign(
            &header("RS256", "key-1"),
            &claims(7, "o", &[], issuer, now.timestamp()),
        );
        assert_eq!(verdict(&security, &token).await.is_ok(), is_good, "{issuer}");
    }
}
